package oidc

import (
	"cmp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Source: Spacelift Documentation, "OpenID Connect".

var spaceliftRunType = Enum{
	Type: "SpaceliftRunType",
	Doc:  "A type of a Spacelift run.",
	Values: []EnumValue{
		{"Proposed", "PROPOSED", "A proposed run, which shows what a change would do."},
		{"Tracked", "TRACKED", "A tracked run, which deploys."},
		{"Task", "TASK", "A task, which is any command."},
		{"Testing", "TESTING", "A test of a module."},
		{"Destroy", "DESTROY", "The deletion of all resources of a stack."},
	},
}

var spaceliftScope = Enum{
	Type: "SpaceliftScope",
	Doc:  "What a Spacelift run may do at the time.",
	Values: []EnumValue{
		{"Read", "read", "It plans."},
		{"Write", "write", "It applies."},
	},
}

var spacelift = System{
	Key:  "spacelift",
	Type: "SpaceliftJob",
	Doc: "Runs of a stack or a module of Spacelift, with exactly one of the two. They find their token in " +
		"`/mnt/workspace/spacelift.oidc`.",
	newJob: func() job { return &spaceliftJob{} },
	owns:   func(host, _ string) bool { return strings.HasSuffix(host, ".spacelift.io") },
	audience: func(issuer, _ string) (string, error) {
		host, _ := splitIssuer(issuer)
		return host, nil
	},
}

type spaceliftJob struct {
	token
	Host, Space, Stack, Module, RunType, Scope string
}

func (j *spaceliftJob) fields() []Field {
	return append([]Field{
		{Name: "host", text: &j.Host, Required: true, check: checkSpaceliftHost,
			Doc: "The account's host, such as `acme.app.spacelift.io`, or that of a self-hosted Spacelift."},
		{Name: "space", text: &j.Space, Required: true, check: checkName,
			Doc: "The space's ID, such as `production-01HXJK`."},
		{Name: "stack", text: &j.Stack, wildcards: true, check: checkPattern,
			Doc: "The stack's ID, such as `shop`, or a pattern with `*` and `?`."},
		{Name: "module", text: &j.Module, check: checkName, Doc: "The module's ID."},
		{Name: "runType", text: &j.RunType, Enum: &spaceliftRunType,
			Doc: "The type of the run: `PROPOSED`, `TRACKED`, `TASK`, `TESTING` or `DESTROY`. By default any."},
		{Name: "scope", text: &j.Scope, Enum: &spaceliftScope,
			Doc: "`read` while the run plans, `write` while it applies; a tracked run that is deployed automatically has " +
				"`write` from its start. By default any."},
	}, j.tokenFields("For a self-hosted Spacelift, what `FEDERATION_CUSTOM_ISSUER` says. By default `https://HOST`.",
		"By default the host. (Source: Spacelift Documentation, \"OpenID Connect\".)")...)
}

func checkSpaceliftHost(s string) error {
	const form = "must be a host in lower case, such as acme.app.spacelift.io"
	meant := strings.ToLower(strings.Trim(strings.TrimPrefix(s, "https://"), "/"))
	switch {
	case meant != s && hostRE.MatchString(meant):
		return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
	case !hostRE.MatchString(s):
		return rule.Broken(form)
	}
	return nil
}

func (j *spaceliftJob) check(r *reading) {
	r.exactlyOne("stack", "module")
	host, path := splitIssuer(j.Issuer)
	if r.has("issuer") && r.has("host") && spacelift.owns(host, path) && j.Issuer != "https://"+j.Host {
		r.reject(rule.Broken("must be that of the host: leave it out"), "issuer")
	}
}

func (j *spaceliftJob) identity() iam.WebIdentity {
	subject := "space:" + j.Space
	if j.Module != "" {
		subject += ":module:" + j.Module
	} else {
		subject += ":stack:" + j.Stack
	}
	switch {
	case j.RunType == "" && j.Scope == "":
		subject += ":run_type:*"
	default:
		subject += ":run_type:" + cmp.Or(j.RunType, "*") + ":scope:" + cmp.Or(j.Scope, "*")
	}
	return iam.WebIdentity{
		Issuer:   cmp.Or(j.Issuer, "https://"+j.Host),
		Audience: cmp.Or(j.Audience, j.Host),
		Subjects: []string{subject},
	}
}
