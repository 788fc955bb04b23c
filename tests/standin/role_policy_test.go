package main

import (
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestRolePolicyDiff(t *testing.T) {
	state := values{"name": s("p"), "role": s("r"), "policy": s(allowAssume), "id": s("r:p")}
	generated := values{"name": s("p"), "role": s("r"), "policy": s(allowAssume), "__defaults": list("name")}
	named := with(generated, values{"__defaults": list()})
	runDiffs(t, rolePolicy.token, []diffCase{
		{name: "same", state: state, in: generated},
		{name: "equivalent document", state: state, in: with(generated, values{"policy": s(assumeSpaced)})},
		{name: "other document", state: state, in: with(generated, values{"policy": s(allowTag)}), update: []string{"policy"}},
		{name: "role, generated name", state: state, in: with(generated, values{"role": s("q")}), replace: []string{"role"}},
		{name: "role, chosen name", state: state, in: with(named, values{"role": s("q")}), replace: []string{"role"}, deleteBefore: true},
		{name: "name", state: state, in: with(named, values{"name": s("q")}), replace: []string{"name"}, deleteBefore: true},
	})
}

func TestRolePolicyLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	r := h.create(role.token, values{"name": s("r"), "assumeRolePolicy": s(trustUser)})
	reference := property.New(property.ResourceReference{URN: urnOf(role.token), ID: s("r")})
	m := h.create(rolePolicy.token, values{"role": reference, "policy": s(allowAssume)})
	expect(t, m.in, values{"role": s("r")})
	expect(t, m.output, values{"role": s("r"), "policy": s(allowAssume), "id": s(m.id)})
	if !strings.HasPrefix(m.id, "r:logical-") {
		t.Errorf("the id is %s", m.id)
	}
	h.refresh(m, false)

	preview, err := h.Update(t.Context(), p.UpdateRequest{
		ID: m.id, Urn: urnOf(m.token), State: m.output, DryRun: true,
		Inputs: h.check(m.token, m.in, values{"role": s("r"), "policy": s(allowTag)}),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{"policy": s(allowTag), "name": m.output.Get("name")})
	h.refresh(m, false)
	m = h.update(m, values{"role": s("r"), "policy": s(allowTag)})
	expect(t, m.output, values{"policy": s(allowTag)})

	if err := putRolePolicy(t.Context(), h.clients(), "r", str(m.output.Get("name")), allowAssume); err != nil {
		t.Fatal(err)
	}
	expect(t, h.refresh(m, true).Properties, values{"policy": s(allowAssume)})
	read := h.importID(rolePolicy.token, m.id)
	expect(t, read.Inputs, values{"role": s("r"), "policy": s(allowAssume), "name": m.output.Get("name")})

	if err := h.Delete(t.Context(), p.DeleteRequest{ID: r.id, Urn: urnOf(r.token), Properties: r.output}); err == nil ||
		!strings.Contains(err.Error(), "DeleteConflict") {
		t.Errorf("deleting a role with a policy: %v", err)
	}
	h.remove(m)
	spaced := h.create(rolePolicy.token, values{"role": s("r"), "policy": s(assumeSpaced)})
	expect(t, spaced.output, values{
		"policy": s(`{"Version":"2012-10-17","Statement":{"Action":"sts:AssumeRole","Effect":"Allow",` +
			`"Resource":["arn:aws:iam::123456789012:role/*"]}}`),
	})
	h.remove(spaced)
	h.remove(r)
	if _, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in}); err == nil ||
		!strings.Contains(err.Error(), "putting IAM Role (r) Policy (logical-") {
		t.Errorf("a policy of no role: %v", err)
	}
	if _, err := h.Read(t.Context(), p.ReadRequest{ID: "nonsense", Urn: urnOf(m.token)}); err == nil {
		t.Error("an id of another form was read")
	}
}
