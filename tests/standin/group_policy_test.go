package main

import (
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	allowAssume  = `{"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],"Effect":"Allow","Resource":"arn:aws:iam::123456789012:role/*","Sid":""}]}`
	assumeSpaced = `{ "Statement": {"Effect":"Allow", "Action":"sts:AssumeRole", "Resource":["arn:aws:iam::123456789012:role/*"]}, "Version":"2012-10-17" }`
	allowTag     = `{"Version":"2012-10-17","Statement":[{"Action":"sts:TagSession","Effect":"Allow","Resource":"*"}]}`
)

func TestGroupPolicyDiff(t *testing.T) {
	state := values{"name": s("p"), "group": s("g"), "policy": s(allowAssume)}
	generated := values{"name": s("p"), "group": s("g"), "policy": s(allowAssume), "__defaults": list("name")}
	named := with(generated, values{"__defaults": list()})
	runDiffs(t, groupPolicy.token, []diffCase{
		{name: "same", state: state, in: generated},
		{name: "equivalent document", state: state, in: with(generated, values{"policy": s(assumeSpaced)})},
		{name: "other document", state: state, in: with(generated, values{"policy": s(allowTag)}), update: []string{"policy"}},
		{name: "unknown document", state: state, in: with(generated, values{"policy": unknown}), update: []string{"policy"}},
		{name: "group, generated name", state: state, in: with(generated, values{"group": s("h")}), replace: []string{"group"}},
		{name: "group, chosen name", state: state, in: with(named, values{"group": s("h")}), replace: []string{"group"}, deleteBefore: true},
		{name: "name", state: state, in: with(named, values{"name": s("q")}), replace: []string{"name"}, deleteBefore: true},
	})
}

func TestGroupPolicyLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	g := h.create(group.token, values{"name": s("g")})
	object := property.New(map[string]property.Value{
		"Version": s("2012-10-17"),
		"Statement": property.New([]property.Value{property.New(map[string]property.Value{
			"Action": list("sts:AssumeRole"), "Effect": s("Allow"), "Resource": s("arn:aws:iam::123456789012:role/*"), "Sid": s(""),
		})}),
	})
	m := h.create(groupPolicy.token, values{"group": s("g"), "policy": object})
	if !m.in.Get("policy").IsString() || !strings.HasPrefix(m.id, "g:logical-") {
		t.Errorf("inputs %v, id %s", m.in, m.id)
	}
	expect(t, m.output, values{"policy": s(allowAssume)})
	h.refresh(m, false)

	m = h.update(m, values{"group": s("g"), "policy": s(allowTag)})
	expect(t, m.output, values{"policy": s(allowTag)})
	h.refresh(m, false)

	if err := putGroupPolicy(t.Context(), h.clients(), "g", str(m.output.Get("name")), allowAssume); err != nil {
		t.Fatal(err)
	}
	expect(t, h.refresh(m, true).Properties, values{"policy": s(allowAssume)})

	read := h.importID(groupPolicy.token, m.id)
	expect(t, read.Inputs, values{"group": s("g"), "policy": s(allowAssume), "name": m.output.Get("name")})
	h.remove(m)

	h.remove(g)
	if _, err := h.Read(t.Context(), p.ReadRequest{ID: "nonsense", Urn: urnOf(m.token)}); err == nil {
		t.Error("an id of another form was read")
	}
}

func TestPolicySecretsAndUnknowns(t *testing.T) {
	h := newHarness(t)
	resourceOf := func(v property.Value) values {
		return values{"group": s("g"), "policy": property.New(map[string]property.Value{"Version": s("2012-10-17"), "Id": v})}
	}
	in := h.check(groupPolicy.token, property.Map{}, resourceOf(s("x").WithSecret(true)))
	if !in.Get("policy").Secret() {
		t.Error("a document with a secret in it is not secret")
	}
	preview, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(groupPolicy.token), Properties: in, DryRun: true})
	if err != nil || !preview.Properties.Get("policy").Secret() {
		t.Errorf("the output is not secret: %v %v", preview.Properties, err)
	}
	in = h.check(groupPolicy.token, property.Map{}, resourceOf(unknown))
	expect(t, in, values{"policy": unknown})
}
