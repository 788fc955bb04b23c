package oidc

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Source: CircleCI Docs, "Using OpenID Connect tokens in jobs".

const circleciIssuer = "https://oidc.circleci.com"

var circleciOriginRE = regexp.MustCompile(`^[a-z0-9.-]+(/[A-Za-z0-9_.-]+)+$`)

var circleci = System{
	Key:  "circleci",
	Type: "CircleciJob",
	Doc: "Jobs of CircleCI, all of one project, or with `vcsOrigin` and one of `branch` and `tag` only those that run " +
		"for it. The latter sign in with `CIRCLE_OIDC_TOKEN_V2`.",
	newJob: func() job { return &circleciJob{} },
	owns:   func(host, _ string) bool { return host == "oidc.circleci.com" },
	audience: func(issuer, _ string) (string, error) {
		_, path := splitIssuer(issuer)
		if organization := strings.TrimPrefix(path, "org/"); checkUUID(organization) == nil {
			return organization, nil
		}
		return "", rule.Broken("is required for this issuer: the UUID of the CircleCI organization")
	},
}

type circleciJob struct {
	token
	ref
	OrganizationID, ProjectID, VCSOrigin string
}

func (j *circleciJob) fields() []Field {
	return slices.Concat([]Field{
		{Name: "organizationId", text: &j.OrganizationID, Required: true, check: checkUUID,
			Doc: "The organization's UUID, from its settings, in lower case."},
		{Name: "projectId", text: &j.ProjectID, Required: true, check: checkUUID,
			Doc: "The project's UUID, from its settings, in lower case."},
		{Name: "vcsOrigin", text: &j.VCSOrigin, check: checkCircleciOrigin,
			Doc: "The repository that the job's code comes from, such as `github.com/acme/shop`, which is not that of a fork. " +
				"Together with `branch` or `tag`. By default any."},
	}, j.refFields(" Together with `vcsOrigin`. By default any."), j.tokenFields(
		"For CircleCI server, that of the server, with the organization. By default `"+circleciIssuer+"/org/ORGANIZATIONID`.",
		"By default the organization's UUID. (Source: CircleCI Docs, \"Using OpenID Connect tokens in jobs\".)"))
}

func checkCircleciOrigin(s string) error {
	const form = "must be the repository with its host, such as github.com/acme/shop"
	meant := strings.TrimSuffix(strings.TrimPrefix(s, "https://"), ".git")
	switch {
	case meant != s && circleciOriginRE.MatchString(meant):
		return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
	case !circleciOriginRE.MatchString(s):
		return rule.Broken(form)
	}
	return nil
}

func (j *circleciJob) check(r *reading) {
	if r.given["vcsOrigin"] {
		r.exactlyOne("branch", "tag")
	} else if r.given["branch"] || r.given["tag"] {
		r.require("vcsOrigin", "together with branch or tag: a fork has the same branches")
	}
	host, path := splitIssuer(j.Issuer)
	organization, isOne := strings.CutPrefix(path, "org/")
	if r.has("issuer") && r.has("organizationId") && (isOne || host == "oidc.circleci.com") &&
		organization != j.OrganizationID && j.Issuer != circleciIssuer {
		r.reject(rule.Broken("must be that of the organization"), "issuer")
	}
}

func (j *circleciJob) identity() iam.WebIdentity {
	subject := "org/" + j.OrganizationID + "/project/" + j.ProjectID + "/user/"
	if j.VCSOrigin == "" {
		subject += "*"
	} else {
		subject += anyUUID + "/vcs-origin/" + j.VCSOrigin + "/vcs-ref/" + j.refName()
	}
	return iam.WebIdentity{
		Issuer:   cmp.Or(j.Issuer, circleciIssuer+"/org/"+j.OrganizationID),
		Audience: cmp.Or(j.Audience, j.OrganizationID),
		Subjects: []string{subject},
	}
}
