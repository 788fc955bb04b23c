package main

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	trustUser  = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"}}],"Version":"2012-10-17"}`
	trustNum   = `{"Version":"2012-10-17","Statement":{"Effect":"allow","Action":["sts:AssumeRole"],"Principal":{"AWS":["123456789012"]}}}`
	trustOther = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"}}],"Version":"2012-10-17"}`
)

func TestRoleDiff(t *testing.T) {
	state := values{
		"name": s("r"), "path": s("/"), "assumeRolePolicy": s(trustUser), "maxSessionDuration": property.New(3600.0),
		"forceDetachPolicies": property.New(false), "tagsAll": tags(), "arn": s("a"), "uniqueId": s("u"), "createDate": s("d"),
	}
	in := values{
		"name": s("r"), "path": s("/"), "assumeRolePolicy": s(trustUser), "maxSessionDuration": property.New(3600.0),
		"forceDetachPolicies": property.New(false), "tagsAll": tags(),
		"__defaults": list("forceDetachPolicies", "maxSessionDuration", "name", "path"),
	}
	named := with(in, values{"__defaults": list("forceDetachPolicies", "maxSessionDuration", "path")})
	runDiffs(t, role.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "equivalent trust", state: state, in: with(in, values{"assumeRolePolicy": s(trustNum)})},
		{name: "trust", state: state, in: with(in, values{"assumeRolePolicy": s(trustOther)}), update: []string{"assumeRolePolicy"}},
		{name: "description", state: state, in: with(in, values{"description": s("d")}), update: []string{"description"}},
		{name: "duration", state: state, in: with(in, values{"maxSessionDuration": property.New(7200.0)}), update: []string{"maxSessionDuration"}},
		{name: "boundary", state: state, in: with(in, values{"permissionsBoundary": s("b")}), update: []string{"permissionsBoundary"}},
		{name: "force", state: state, in: with(in, values{"forceDetachPolicies": property.New(true)}), update: []string{"forceDetachPolicies"}},
		{
			name: "tags", state: state, in: with(in, values{"tags": tags("a", "b"), "tagsAll": tags("a", "b")}),
			update: []string{"tags", "tagsAll"},
		},
		{name: "path, generated name", state: state, in: with(in, values{"path": s("/ci/")}), replace: []string{"path"}},
		{name: "path, chosen name", state: state, in: with(named, values{"path": s("/ci/")}), replace: []string{"path"}, deleteBefore: true},
		{name: "name", state: state, in: with(named, values{"name": s("q")}), replace: []string{"name"}, deleteBefore: true},
	})
}

func TestRoleLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	m := h.create(role.token, values{"name": s("deploy"), "assumeRolePolicy": s(trustNum), "tags": tags("a", "b"), "description": s("d")})
	expect(t, m.in, values{"maxSessionDuration": property.New(3600.0), "path": s("/")})
	expect(t, m.output, values{
		"arn": s("arn:aws:iam::123456789012:role/deploy"), "tags": tags("a", "b"), "tagsAll": tags("a", "b"),
		"description": s("d"), "id": s("deploy"),
		"assumeRolePolicy": s(`{"Statement":{"Action":["sts:AssumeRole"],"Effect":"allow","Principal":{"AWS":["123456789012"]}},"Version":"2012-10-17"}`),
	})
	h.refresh(m, false)

	const boundary = "arn:aws:iam::123456789012:policy/bound"
	m = h.update(m, values{
		"name": s("deploy"), "assumeRolePolicy": s(trustOther), "tags": tags("c", "d"), "description": s("e"),
		"permissionsBoundary": s(boundary), "forceDetachPolicies": property.New(true),
	})
	expect(t, m.output, values{"assumeRolePolicy": s(trustOther), "tags": tags("c", "d"), "description": s("e"), "permissionsBoundary": s(boundary)})
	h.refresh(m, false)

	// moto forgets the description when the duration alone is updated, so the two do not meet here.
	m = h.update(m, values{"name": s("deploy"), "assumeRolePolicy": s(trustOther), "forceDetachPolicies": property.New(true)})
	m = h.update(m, values{
		"name": s("deploy"), "assumeRolePolicy": s(trustOther), "forceDetachPolicies": property.New(true),
		"maxSessionDuration": property.New(7200.0),
	})
	expect(t, m.output, values{"maxSessionDuration": property.New(7200.0), "permissionsBoundary": {}, "description": {}})
	h.refresh(m, false)

	read := h.importID(role.token, "deploy")
	expect(t, read.Inputs, values{"name": s("deploy"), "maxSessionDuration": property.New(7200.0), "path": {}})

	if _, err := h.clients().iam.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String("deploy"), PolicyName: aws.String("p"), PolicyDocument: aws.String(allowTag),
	}); err != nil {
		t.Fatal(err)
	}
	kept := m
	kept.output = kept.output.Set("forceDetachPolicies", property.New(false))
	if err := h.Delete(t.Context(), p.DeleteRequest{ID: m.id, Urn: urnOf(m.token), Properties: kept.output}); err == nil {
		t.Error("a role with a policy was deleted without forceDetachPolicies")
	}
	h.remove(m)
}
