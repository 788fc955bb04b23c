package main

import (
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
)

func TestUserPolicyDiff(t *testing.T) {
	state := values{"name": s("p"), "user": s("u"), "policy": s(allowAssume)}
	generated := values{"name": s("p"), "user": s("u"), "policy": s(allowAssume), "__defaults": list("name")}
	named := with(generated, values{"__defaults": list()})
	runDiffs(t, userPolicy.token, []diffCase{
		{name: "same", state: state, in: generated},
		{name: "equivalent document", state: state, in: with(generated, values{"policy": s(assumeSpaced)})},
		{name: "other document", state: state, in: with(generated, values{"policy": s(allowTag)}), update: []string{"policy"}},
		{name: "user, generated name", state: state, in: with(generated, values{"user": s("v")}), replace: []string{"user"}},
		{name: "user, chosen name", state: state, in: with(named, values{"user": s("v")}), replace: []string{"user"}, deleteBefore: true},
		{name: "name", state: state, in: with(named, values{"name": s("q")}), replace: []string{"name"}, deleteBefore: true},
	})
}

func TestUserPolicyLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	u := h.create(user.token, values{"name": s("u")})
	m := h.create(userPolicy.token, values{"user": s("u"), "policy": s(assumeSpaced)})
	if !strings.HasPrefix(m.id, "u:logical-") {
		t.Errorf("the id is %s", m.id)
	}
	h.refresh(m, false)
	m = h.update(m, values{"user": s("u"), "policy": s(allowTag)})
	expect(t, m.output, values{"policy": s(allowTag), "user": s("u")})
	h.refresh(m, false)
	if err := putUserPolicy(t.Context(), h.clients(), "u", str(m.output.Get("name")), allowAssume); err != nil {
		t.Fatal(err)
	}
	expect(t, h.refresh(m, true).Properties, values{"policy": s(allowAssume)})
	expect(t, h.importID(userPolicy.token, m.id).Inputs, values{"user": s("u"), "policy": s(allowAssume), "name": m.output.Get("name")})
	h.remove(m)
	h.remove(u)

	checked := h.check(userPolicy.token, m.in, values{"user": s("u"), "policy": s(allowTag)})
	_, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(userPolicy.token), Properties: checked})
	if err == nil || !strings.Contains(err.Error(), "putting IAM User (u) Policy (logical-") {
		t.Errorf("a policy of nobody: %v", err)
	}
}
