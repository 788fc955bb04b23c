package main

import (
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
)

func TestGroupMembershipDiff(t *testing.T) {
	state := values{"name": s("m"), "group": s("g"), "users": list("a", "b")}
	generated := values{"name": s("m"), "group": s("g"), "users": list("b", "a"), "__defaults": list("name")}
	named := with(generated, values{"__defaults": list()})
	runDiffs(t, groupMembership.token, []diffCase{
		{name: "order means nothing", state: state, in: generated},
		{name: "users", state: state, in: with(generated, values{"users": list("a", "c")}), update: []string{"users"}},
		{name: "group, generated name", state: state, in: with(generated, values{"group": s("h")}), replace: []string{"group"}},
		{name: "group, chosen name", state: state, in: with(named, values{"group": s("h")}), replace: []string{"group"}, deleteBefore: true},
		{name: "name", state: state, in: with(named, values{"name": s("n")}), replace: []string{"name"}, deleteBefore: true},
		{name: "unknown group", state: state, in: with(generated, values{"group": unknown}), replace: []string{"group"}},
		{name: "unknown users", state: state, in: with(generated, values{"users": unknown}), update: []string{"users"}},
	})
}

func TestGroupMembershipLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	g := h.create(group.token, values{"name": s("g")})
	users := map[string]made{}
	for _, name := range []string{"a", "b", "c"} {
		users[name] = h.create(user.token, values{"name": s(name)})
	}
	m := h.create(groupMembership.token, values{"group": s("g"), "users": list("b", "a")})
	if !strings.HasPrefix(m.id, "logical-") || len(m.id) != len("logical-")+7 {
		t.Errorf("the generated name is %q", m.id)
	}
	expect(t, m.output, values{"users": list("b", "a"), "name": s(m.id), "group": s("g")})
	h.refresh(m, false)

	m = h.update(m, values{"group": s("g"), "users": list("c", "b")})
	expect(t, m.output, values{"users": list("c", "b"), "name": s(m.id)})
	h.refresh(m, false)

	// Members from elsewhere are drift, and leave on the next update.
	if err := addUsers(t.Context(), h.clients(), "g", []string{"a"}); err != nil {
		t.Fatal(err)
	}
	read := h.refresh(m, true)
	expect(t, read.Properties, values{"users": list("a", "b", "c")})
	m.output = read.Properties
	m = h.update(m, values{"group": s("g"), "users": list("b")})

	// A member who is gone already is no error.
	h.remove(users["b"])
	h.remove(m)
	h.remove(users["a"])
	h.remove(users["c"])
	h.remove(g)
	if read := h.refresh(m, true); read.ID != "" {
		t.Error("a membership of a group that is gone is still there")
	}
	if _, err := h.Read(t.Context(), p.ReadRequest{ID: m.id, Urn: urnOf(m.token)}); err == nil {
		t.Error("importing a membership succeeded, which the official plugin cannot do")
	}
	_, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in})
	if err == nil || !strings.Contains(err.Error(), "creating IAM group membership") {
		t.Errorf("creating a membership of no group: %v", err)
	}
}
