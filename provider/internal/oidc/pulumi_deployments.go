package oidc

import (
	"cmp"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Source: Pulumi Docs, "Configuring OpenID Connect for Pulumi Deployments" and its page on AWS.

const pulumiIssuer = "https://api.pulumi.com/oidc"

var pulumiOperation = Enum{
	Type: "PulumiOperation",
	Doc:  "An operation of Pulumi Deployments.",
	Values: []EnumValue{
		{"Preview", "preview", "A preview, which only needs to read."},
		{"Update", "update", "An update."},
		{"Refresh", "refresh", "A refresh."},
		{"Destroy", "destroy", "The deletion of all resources of a stack."},
	},
}

var pulumiDeployments = System{
	Key:    "pulumiDeployments",
	Type:   "PulumiDeploymentsJob",
	Doc:    "Runs of Pulumi Deployments. Give the role to the stack in its deployment settings, under OpenID Connect.",
	newJob: func() job { return &pulumiDeploymentsJob{} },
	owns:   isPulumiCloud,
	audience: func(string, string) (string, error) {
		return "", rule.Broken("is required for Pulumi Cloud: the organization's name for Pulumi Deployments, and that " +
			"name after aws: for Pulumi ESC")
	},
}

func isPulumiCloud(host, _ string) bool { return host == "api.pulumi.com" }

// pulumiFields are those of jobs of Pulumi Cloud.
func (t *token) pulumiFields(audienceDoc string) []Field {
	return t.tokenFields("For a self-hosted Pulumi Cloud, its own. By default `"+pulumiIssuer+"`.", audienceDoc)
}

// checkPulumiIssuer reports an issuer of Pulumi Cloud's whose tokens have other subjects.
func (t *token) checkPulumiIssuer(r *reading) {
	if r.has("issuer") && isPulumiCloud(splitIssuer(t.Issuer)) && t.Issuer != pulumiIssuer {
		r.reject(rule.Broken("must be %s or that of a self-hosted Pulumi Cloud: for others, give the subject with the key %s",
			pulumiIssuer, anyOtherKey), "issuer")
	}
}

type pulumiDeploymentsJob struct {
	token
	Organization, Project, Stack, Operation string
}

func (j *pulumiDeploymentsJob) fields() []Field {
	return append([]Field{
		{Name: "organization", text: &j.Organization, Required: true, check: checkSlug,
			Doc: "The organization's name, as it stands in URLs, such as `acme`."},
		{Name: "project", text: &j.Project, Required: true, check: checkName,
			Doc: "The project's name, such as `shop`, in its letter case."},
		{Name: "stack", text: &j.Stack, Required: true, wildcards: true, check: checkPattern,
			Doc: "The stack's name, such as `production`, or a pattern with `*` and `?`."},
		{Name: "operation", text: &j.Operation, Enum: &pulumiOperation,
			Doc: "What Pulumi does: `preview`, `update`, `refresh` or `destroy`. By default any of them."},
	}, j.pulumiFields("By default the organization's name. "+
		"(Source: Pulumi Docs, \"Configuring OpenID Connect for AWS\".)")...)
}

func (j *pulumiDeploymentsJob) check(r *reading) { j.checkPulumiIssuer(r) }

func (j *pulumiDeploymentsJob) identity() iam.WebIdentity {
	subject := "pulumi:deploy:org:" + j.Organization + ":project:" + j.Project + ":stack:" + j.Stack + ":operation:"
	if j.Operation == "" {
		subject += "*"
	} else {
		subject += j.Operation + ":scope:write"
	}
	return iam.WebIdentity{
		Issuer:   cmp.Or(j.Issuer, pulumiIssuer),
		Audience: cmp.Or(j.Audience, j.Organization),
		Subjects: []string{subject},
	}
}
