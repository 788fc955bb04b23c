package oidc

import (
	"cmp"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Sources: HashiCorp Developer, "Workload identity tokens" and "Dynamic credentials with the AWS provider".

const hcpTerraformIssuer = "https://app.terraform.io"

var terraformRunPhase = Enum{
	Type: "TerraformRunPhase",
	Doc:  "A phase of a run of HCP Terraform.",
	Values: []EnumValue{
		{"Plan", "plan", "The plan, which only needs to read."},
		{"Apply", "apply", "The apply, which changes resources."},
	},
}

var hcpTerraform = System{
	Key:  "hcpTerraform",
	Type: "HcpTerraformJob",
	Doc: "Runs of a workspace of HCP Terraform or Terraform Enterprise. Give the role to the workspace as " +
		"`TFC_AWS_RUN_ROLE_ARN`, or by phase as `TFC_AWS_PLAN_ROLE_ARN` and `TFC_AWS_APPLY_ROLE_ARN`.",
	newJob: func() job { return &hcpTerraformJob{} },
	owns:   isHCPTerraform,
	audience: func(issuer, _ string) (string, error) {
		const audience = "aws.workload.identity"
		if isHCPTerraform(splitIssuer(issuer)) {
			return audience, nil
		}
		return "", rule.Broken("is required for Terraform Enterprise: %s, or what TFC_AWS_WORKLOAD_IDENTITY_AUDIENCE says",
			audience)
	},
}

func isHCPTerraform(host, _ string) bool {
	return host == "app.terraform.io" || host == "app.eu.terraform.io"
}

type hcpTerraformJob struct {
	token
	Organization, Project, Workspace, RunPhase string
}

func (j *hcpTerraformJob) fields() []Field {
	return append([]Field{
		{Name: "organization", text: &j.Organization, Required: true, check: checkTitle,
			Doc: "The organization's name, such as `acme`."},
		{Name: "project", text: &j.Project, Required: true, check: checkTitle,
			Doc: "The project's name, such as `Default Project`."},
		{Name: "workspace", text: &j.Workspace, Required: true, check: checkTitle,
			Doc: "The workspace's name, such as `shop-production`."},
		{Name: "runPhase", text: &j.RunPhase, Enum: &terraformRunPhase,
			Doc: "The phase of a run: `plan` or `apply`. By default both, so that a plan, which may be of unreviewed code, " +
				"gets the permissions of an apply."},
	}, j.tokenFields("For HCP Europe, `https://app.eu.terraform.io`; for Terraform Enterprise, its URL. By default `"+
		hcpTerraformIssuer+"`.",
		"By default `aws.workload.identity`. Required for Terraform Enterprise. (Source: HashiCorp Developer, \"Dynamic "+
			"credentials with the AWS provider\".)")...)
}

func (j *hcpTerraformJob) identity() iam.WebIdentity {
	var subjects []string
	for _, phase := range terraformRunPhase.words() {
		if j.RunPhase == "" || j.RunPhase == phase {
			subjects = append(subjects,
				"organization:"+j.Organization+":project:"+j.Project+":workspace:"+j.Workspace+":run_phase:"+phase)
		}
	}
	return iam.WebIdentity{Issuer: cmp.Or(j.Issuer, hcpTerraformIssuer), Audience: j.Audience, Subjects: subjects}
}

func (j *hcpTerraformJob) warnings() []string {
	if j.RunPhase != "" {
		return nil
	}
	return []string{"trusts both phases of a run: make a role for each runPhase, so that plans, which may be of code " +
		"that nobody has reviewed, can only read"}
}
