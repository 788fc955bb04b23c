package main

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestRolePolicyAttachmentDiff(t *testing.T) {
	state := values{"role": s("r"), "policyArn": s("a"), "id": s("r-1")}
	in := values{"role": s("r"), "policyArn": s("a"), "__defaults": list()}
	runDiffs(t, rolePolicyAttachment.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "policy", state: state, in: with(in, values{"policyArn": s("b")}), replace: []string{"policyArn"}, deleteBefore: true},
		{name: "role", state: state, in: with(in, values{"role": s("q")}), replace: []string{"role"}, deleteBefore: true},
	})
}

func TestRolePolicyAttachmentLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	r := h.create(role.token, values{"name": s("r"), "assumeRolePolicy": s(trustUser)})
	c := h.clients().iam
	var arns []string
	for _, name := range []string{"one", "two"} {
		made, err := c.CreatePolicy(t.Context(), &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: aws.String(allowTag)})
		if err != nil {
			t.Fatal(err)
		}
		arns = append(arns, *made.Policy.Arn)
	}
	in := h.check(rolePolicyAttachment.token, property.Map{}, values{"role": s("r"), "policyArn": unknown})
	preview, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(rolePolicyAttachment.token), Properties: in, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{"role": s("r"), "policyArn": unknown, "id": unknown})

	m := h.create(rolePolicyAttachment.token, values{"role": s("r"), "policyArn": s(arns[0])})
	expect(t, m.output, values{"role": s("r"), "policyArn": s(arns[0]), "id": s(m.id)})
	if !strings.HasPrefix(m.id, "r-") || len(m.id) != len("r-")+26 {
		t.Errorf("the id is %s", m.id)
	}
	other := h.create(rolePolicyAttachment.token, values{"role": s("r"), "policyArn": s(arns[1])})
	h.refresh(m, false)
	h.refresh(other, false)

	read := h.importID(rolePolicyAttachment.token, "r/"+arns[0])
	expect(t, read.Inputs, values{"role": s("r"), "policyArn": s(arns[0])})
	if read.ID != "r-"+arns[0] {
		t.Errorf("imported as %s", read.ID)
	}
	for _, wrong := range []string{"r", "r/", "/" + arns[0]} {
		if _, err := h.Read(t.Context(), p.ReadRequest{ID: wrong, Urn: urnOf(m.token)}); err == nil {
			t.Errorf("%s was imported", wrong)
		}
	}

	if _, err := c.DetachRolePolicy(t.Context(), &iam.DetachRolePolicyInput{RoleName: aws.String("r"), PolicyArn: &arns[0]}); err != nil {
		t.Fatal(err)
	}
	if gone := h.refresh(m, true); gone.ID != "" {
		t.Error("a policy that was detached is still there")
	}
	h.refresh(other, false)
	m = h.create(rolePolicyAttachment.token, values{"role": s("r"), "policyArn": s(arns[0])})
	h.remove(m)
	if err := h.Delete(t.Context(), p.DeleteRequest{ID: r.id, Urn: urnOf(r.token), Properties: r.output}); err == nil ||
		!strings.Contains(err.Error(), "DeleteConflict") {
		t.Errorf("deleting a role with a policy: %v", err)
	}
	h.remove(other)
	h.remove(r)
	_, err = h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in})
	if err == nil || !strings.Contains(err.Error(), "attaching IAM Policy ("+arns[0]+") to IAM Role (r)") {
		t.Errorf("attaching to no role: %v", err)
	}
}
