package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestParameterDiff(t *testing.T) {
	state := values{
		"name": s("/p"), "type": s("SecureString"), "value": s("x"), "version": property.New(1.0), "arn": s("a"),
		"dataType": s("text"), "keyId": s("alias/aws/ssm"), "tier": s("Standard"), "tagsAll": tags(), "id": s("/p"),
	}
	in := values{"name": s("/p"), "type": s("SecureString"), "value": s("x"), "tagsAll": tags(), "__defaults": list("name")}
	named := with(in, values{"__defaults": list()})
	advanced := with(state, values{"tier": s("Advanced")})
	runDiffs(t, parameter.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "value", state: state, in: with(in, values{"value": s("y")}), update: []string{"value"}},
		{name: "type", state: state, in: with(in, values{"type": s("String")}), update: []string{"type"}},
		{name: "key", state: state, in: with(in, values{"keyId": s("k")}), update: []string{"keyId"}},
		{name: "description", state: state, in: with(in, values{"description": s("d")}), update: []string{"description"}},
		{name: "to Advanced", state: state, in: with(in, values{"tier": s("Advanced")}), update: []string{"tier"}},
		{name: "Advanced by another", state: advanced, in: in},
		{name: "to Standard", state: advanced, in: with(in, values{"tier": s("Standard")}), replace: []string{"tier"}},
		{name: "data type", state: state, in: with(in, values{"dataType": s("aws:ec2:image")}), replace: []string{"dataType"}},
		{name: "name", state: state, in: with(named, values{"name": s("/q")}), replace: []string{"name"}, deleteBefore: true},
	})
}

func TestParameterLifecycle(t *testing.T) {
	h := live(t, moto(t), map[string]property.Value{
		"defaultTags": property.New(map[string]property.Value{"tags": tags("owner", "platform")}),
	})
	base := values{"name": s("/ci/robot/id"), "type": s("SecureString"), "value": s("one"), "tags": tags("a", "b"), "description": s("d")}
	m := h.create(parameter.token, base)
	if !m.in.Get("value").Secret() {
		t.Error("the input is no secret")
	}
	expect(t, m.output, values{
		"arn": s("arn:aws:ssm:us-east-1:123456789012:parameter/ci/robot/id"), "id": s("/ci/robot/id"), "name": s("/ci/robot/id"),
		"value": s("one").WithSecret(true), "version": property.New(1.0), "tier": s("Standard"), "dataType": s("text"),
		"keyId": s("alias/aws/ssm"), "tags": tags("a", "b"), "tagsAll": tags("a", "b", "owner", "platform"),
		"description": s("d"), "overwrite": {}, "allowedPattern": {},
	})
	h.refresh(m, false)

	changed := with(base, values{"value": s("two")})
	preview, err := h.Update(t.Context(), p.UpdateRequest{
		ID: m.id, Urn: urnOf(m.token), State: m.output, DryRun: true, Inputs: h.check(m.token, m.in, changed),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{"value": s("two").WithSecret(true), "version": unknown, "description": s("d")})
	h.refresh(m, false)
	m = h.update(m, changed)
	expect(t, m.output, values{"value": s("two").WithSecret(true), "version": property.New(2.0), "description": s("d")})

	// Tags change without a new version of the parameter.
	changed = with(changed, values{"tags": tags("c", "d")})
	m = h.update(m, changed)
	expect(t, m.output, values{"version": property.New(2.0), "tags": tags("c", "d"), "tagsAll": tags("c", "d", "owner", "platform")})
	changed = with(changed, values{"description": {}, "keyId": s("alias/own"), "allowedPattern": s("^two$")})
	m = h.update(m, changed)
	expect(t, m.output, values{"description": {}, "keyId": s("alias/own"), "allowedPattern": s("^two$"), "version": property.New(3.0)})
	h.refresh(m, false)

	c := h.clients().ssm
	if _, err := c.PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/ci/robot/id"), Value: aws.String("other"), Overwrite: aws.Bool(true), Type: "SecureString",
	}); err != nil {
		t.Fatal(err)
	}
	drifted := h.refresh(m, true)
	expect(t, drifted.Properties, values{"value": s("other").WithSecret(true), "version": property.New(4.0)})
	expect(t, drifted.Inputs, values{"value": s("other").WithSecret(true)})
	m = h.update(made{m.token, m.id, m.in, drifted.Properties}, changed)
	expect(t, m.output, values{"value": s("two").WithSecret(true), "version": property.New(5.0)})

	read := h.importID(parameter.token, "/ci/robot/id")
	expect(t, read.Inputs, values{"name": s("/ci/robot/id"), "type": s("SecureString"), "value": s("two").WithSecret(true), "overwrite": {}})
	h.remove(m)
}

func TestParameterOverwrite(t *testing.T) {
	h := live(t, moto(t), nil)
	generated := h.create(parameter.token, values{"type": s("String"), "value": s("x")})
	if !strings.HasPrefix(generated.id, "logical-") {
		t.Errorf("the generated name is %s", generated.id)
	}
	expect(t, generated.output, values{"value": s("x").WithSecret(true), "keyId": s("")})
	m := h.create(parameter.token, values{"name": s("p"), "type": s("String"), "value": s("one")})
	_, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in})
	if err == nil || !strings.Contains(err.Error(), "creating SSM Parameter (p)") || !strings.Contains(err.Error(), "ParameterAlreadyExists") {
		t.Errorf("creating a parameter that exists: %v", err)
	}
	yes, no := property.New(true), property.New(false)
	over := h.create(parameter.token, values{"name": s("p"), "type": s("String"), "value": s("two"), "overwrite": yes, "tags": tags("a", "b")})
	expect(t, over.output, values{"value": s("two").WithSecret(true), "version": property.New(2.0), "overwrite": yes, "tags": tags("a", "b")})
	h.refresh(over, false)

	in := h.check(m.token, over.in, values{"name": s("p"), "type": s("String"), "value": s("three"), "overwrite": no})
	response, err := h.Update(t.Context(), p.UpdateRequest{ID: over.id, Urn: urnOf(m.token), State: over.output, Inputs: in})
	if err == nil || !strings.Contains(err.Error(), "updating SSM Parameter (p)") || response.PartialState == nil || strings.Contains(err.Error(), "three") {
		t.Errorf("an update that must not overwrite: %v", err)
	}
	h.remove(over)
	h.remove(generated)
}
