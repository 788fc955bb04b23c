package oidc

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Source: Pulumi Docs, "Configuring OpenID Connect for AWS" of Pulumi ESC, with its note on the project default.

// legacyProject begins the environments that are older than projects.
const legacyProject = "default/"

var pulumiEnvironmentRE = regexp.MustCompile(`^[A-Za-z0-9_.-]+/[A-Za-z0-9_.*?-]+$`)

var pulumiEsc = System{
	Key:  "pulumiEsc",
	Type: "PulumiEscJob",
	Doc: "Environments of Pulumi ESC that sign in with `fn::open::aws-login`, without `subjectAttributes`. All " +
		"environments that stacks of an organization import have one and the same subject, which this type does not have: " +
		"give them `subjectAttributes`, and the subject with the key `oidc`.",
	newJob:   func() job { return &pulumiEscJob{} },
	owns:     isPulumiCloud,
	audience: pulumiDeployments.audience,
}

type pulumiEscJob struct {
	token
	Organization, Environment string
}

func (j *pulumiEscJob) fields() []Field {
	return append([]Field{
		{Name: "organization", text: &j.Organization, Required: true, check: checkSlug,
			Doc: "The organization's name, as it stands in URLs, such as `acme`."},
		{Name: "environment", text: &j.Environment, Required: true, wildcards: true, check: checkPulumiEnvironment,
			Doc: "The environment, as `project/name`, such as `infra/production`; its name may be a pattern with `*` and `?`. " +
				"Those of the legacy project are `default/name`, without wildcards."},
	}, j.pulumiFields("By default `aws:ORGANIZATION`, and `ORGANIZATION` for the project `default`. "+
		"(Source: Pulumi Docs, \"Configuring OpenID Connect for AWS\".)")...)
}

func checkPulumiEnvironment(s string) error {
	const form = "must be project/name, such as infra/production"
	switch {
	case nameRE.MatchString(s):
		return rule.Broken(form).WithHint("%s", rule.DidYouMean(legacyProject+s))
	case !pulumiEnvironmentRE.MatchString(s):
		return rule.Broken(form)
	case strings.HasPrefix(s, legacyProject) && strings.ContainsAny(s, wildcards):
		return rule.Broken("must be literal in the project default, whose subjects have no project: a pattern could match " +
			"environments of other projects")
	}
	return nil
}

func (j *pulumiEscJob) check(r *reading) { j.checkPulumiIssuer(r) }

func (j *pulumiEscJob) identity() iam.WebIdentity {
	environment, audience := j.Environment, "aws:"+j.Organization
	if name, isLegacy := strings.CutPrefix(environment, legacyProject); isLegacy {
		environment, audience = name, j.Organization
	}
	return iam.WebIdentity{
		Issuer:   cmp.Or(j.Issuer, pulumiIssuer),
		Audience: cmp.Or(j.Audience, audience),
		Subjects: []string{"pulumi:environments:org:" + j.Organization + ":env:" + environment},
	}
}
