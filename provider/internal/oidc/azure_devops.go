package oidc

import (
	"cmp"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Source: README of aws/aws-toolkit-azure-devops, "OIDC".

const azureDevopsIssuer = "https://vstoken.dev.azure.com/"

var azureDevops = System{
	Key:  "azureDevops",
	Type: "AzureDevopsJob",
	Doc: "Jobs of Azure Pipelines that use an AWS service connection with OpenID Connect, of the AWS Toolkit 1.15 or " +
		"newer. Their tokens have no branch: give the connection approvals and checks.",
	newJob: func() job { return &azureDevopsJob{} },
	owns:   func(host, _ string) bool { return host == "vstoken.dev.azure.com" },
	audience: func(string, string) (string, error) {
		return "api://AzureADTokenExchange", nil
	},
}

type azureDevopsJob struct {
	token
	OrganizationID, Organization, Project, ServiceConnection string
}

func (j *azureDevopsJob) fields() []Field {
	return append([]Field{
		{Name: "organizationId", text: &j.OrganizationID, Required: true, check: checkUUID,
			Doc: "The organization's GUID, in lower case, as it stands in the service connection's issuer."},
		{Name: "organization", text: &j.Organization, Required: true, check: checkTitle,
			Doc: "The organization's name, such as `acme`."},
		{Name: "project", text: &j.Project, Required: true, check: checkTitle,
			Doc: "The project's name, such as `Web Shop`."},
		{Name: "serviceConnection", text: &j.ServiceConnection, Required: true, check: checkTitle,
			Doc: "The service connection's name, such as `aws-production`. One that is renamed has another subject."},
	}, j.tokenFields("By default the organization's, `"+azureDevopsIssuer+"ORGANIZATIONID`, and there is no other.",
		"By default `api://AzureADTokenExchange`. (Source: README of the AWS Toolkit for Azure DevOps.)")...)
}

func (j *azureDevopsJob) check(r *reading) {
	if r.has("issuer") && r.has("organizationId") && j.Issuer != j.issuer() {
		r.reject(rule.Broken("must be that of the organization: leave it out"), "issuer")
	}
}

func (j *azureDevopsJob) issuer() string { return azureDevopsIssuer + j.OrganizationID }

func (j *azureDevopsJob) identity() iam.WebIdentity {
	return iam.WebIdentity{
		Issuer:   cmp.Or(j.Issuer, j.issuer()),
		Audience: j.Audience,
		Subjects: []string{"sc://" + j.Organization + "/" + j.Project + "/" + j.ServiceConnection},
	}
}
