package main

import (
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestGroupDiff(t *testing.T) {
	base := values{"name": s("g"), "path": s("/"), "arn": s("a"), "uniqueId": s("u")}
	explicit := values{"name": s("g"), "path": s("/"), "__defaults": list("path")}
	runDiffs(t, group.token, []diffCase{
		{name: "same", state: base, in: explicit},
		{name: "imported inputs without the default path", state: base, in: values{"name": s("g")}},
		{name: "rename", state: base, in: with(explicit, values{"name": s("h")}), update: []string{"name"}},
		{name: "move", state: base, in: with(explicit, values{"path": s("/ci/")}), update: []string{"path"}},
	})
}

func TestGroupLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	m := h.create(group.token, values{"name": s("updaters")})
	expect(t, m.in, values{"path": s("/"), "__defaults": list("path")})
	expect(t, m.output, values{"arn": s("arn:aws:iam::123456789012:group/updaters"), "id": s("updaters")})
	h.refresh(m, false)

	preview, err := h.Update(t.Context(), p.UpdateRequest{
		ID: m.id, Urn: urnOf(group.token), State: m.output, DryRun: true,
		Inputs: h.check(group.token, m.in, values{"name": s("deployers")}),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{"name": s("deployers"), "arn": unknown, "uniqueId": m.output.Get("uniqueId")})

	m = h.update(m, values{"name": s("deployers"), "path": s("/ci/")})
	expect(t, m.output, values{
		"name": s("deployers"), "path": s("/ci/"), "id": s("deployers"),
		"arn": s("arn:aws:iam::123456789012:group/ci/deployers"),
	})
	if read := h.refresh(m, false); read.ID != "deployers" || m.id != "updaters" {
		t.Errorf("the id after the rename: %s", read.ID)
	}
	read := h.importID(group.token, "deployers")
	expect(t, read.Inputs, values{"name": s("deployers"), "path": s("/ci/"), "__defaults": property.New([]property.Value{})})
	h.remove(m)
}
