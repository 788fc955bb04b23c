package oidc

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Sources: GitLab Docs, "OpenID Connect (OIDC) Authentication Using ID Tokens" and "Configure OpenID Connect in AWS to
// retrieve temporary credentials". Which claims are condition keys: Service Authorization Reference, "AWS Security
// Token Service".

const gitlabIssuer = "https://gitlab.com"

var gitlabProjectRE = regexp.MustCompile(`^([A-Za-z0-9_][A-Za-z0-9_.-]*/)+([A-Za-z0-9_.-]+|\*)$`)

var gitlab = System{
	Key:  "gitlab",
	Type: "GitlabJob",
	Doc: "Jobs of GitLab CI/CD, on gitlab.com or self-managed. A job asks for its token with `id_tokens`. Exactly one " +
		"of `branch` and `tag` says what it runs for; a merge request's job runs for its source branch.",
	newJob: func() job { return &gitlabJob{} },
	owns:   func(host, _ string) bool { return host == "gitlab.com" },
	audience: func(issuer, _ string) (string, error) {
		if issuer == gitlabIssuer {
			return gitlabIssuer, nil
		}
		return "", rule.Broken("is required for a self-managed GitLab: what the job's id_tokens give as aud, such as the " +
			"instance's URL")
	},
}

type gitlabJob struct {
	token
	ref
	Project, ProjectID, NamespaceID string
	ProtectedRef                    bool
}

func (j *gitlabJob) fields() []Field {
	return slices.Concat([]Field{
		{Name: "project", text: &j.Project, wildcards: true, check: checkGitlabProject,
			Doc: "The path of the project, such as `group/subgroup/name`, in its letter case, or `group/*` for all projects " +
				"below a group. Required, unless `projectId` is given."},
		{Name: "projectId", text: &j.ProjectID, decimal: true,
			Doc: "The project's ID. With `project`, on gitlab.com only, both must fit. Alone, it is for a project whose " +
				"subject is customised to begin with `project_id`."},
	}, j.refFields(""), []Field{
		{Name: "protectedRef", flag: &j.ProtectedRef,
			Doc: "Whether the branch or tag must be protected. On gitlab.com only. By default `false`: it need not be."},
		{Name: "namespaceId", text: &j.NamespaceID, decimal: true,
			Doc: "The ID of the group or user that the project is in. A path that was given up can be registered again, and " +
				"an ID cannot. On gitlab.com only. By default any."},
	}, j.tokenFields("For a self-managed GitLab, the instance's URL. By default `"+gitlabIssuer+"`.",
		"By default `"+gitlabIssuer+"` on gitlab.com. Required for a self-managed GitLab: what the job's `id_tokens` give "+
			"as `aud`. (Source: GitLab Docs, \"OpenID Connect (OIDC) Authentication Using ID Tokens\".)"))
}

func checkGitlabProject(s string) error {
	const form = "must be the path of a project, group/name, or group/*"
	meant := strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "gitlab.com/")
	meant = strings.TrimSuffix(strings.Trim(meant, "/"), ".git")
	switch {
	case meant != s && gitlabProjectRE.MatchString(meant):
		return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
	case !gitlabProjectRE.MatchString(s):
		return rule.Broken(form)
	}
	return nil
}

func (j *gitlabJob) check(r *reading) {
	r.exactlyOne("branch", "tag")
	if !r.given["project"] && r.settled("project") {
		r.require("projectId", "where project is not given")
	}
	if strings.HasSuffix(j.Project, "/*") {
		r.refuse("with a project of GROUP/*, which are several", "projectId")
	}
	if r.has("issuer") && j.Issuer != gitlabIssuer {
		const reason = "for a self-managed GitLab, of whose tokens AWS compares only subject and audience"
		r.refuse(reason, "protectedRef", "namespaceId")
		if r.given["project"] {
			r.refuse(reason, "projectId")
		}
	}
}

func (j *gitlabJob) identity() iam.WebIdentity {
	claims := map[string]string{}
	subject := "project_path:" + j.Project
	switch {
	case j.Project == "":
		subject = "project_id:" + j.ProjectID
	case j.ProjectID != "":
		claims["project_id"] = j.ProjectID
	}
	if j.ProtectedRef {
		claims["ref_protected"] = "true"
	}
	if j.NamespaceID != "" {
		claims["namespace_id"] = j.NamespaceID
	}
	if j.Tag != "" {
		subject += ":ref_type:tag:ref:" + j.Tag
	} else {
		subject += ":ref_type:branch:ref:" + j.Branch
	}
	return iam.WebIdentity{
		Issuer: cmp.Or(j.Issuer, gitlabIssuer), Audience: j.Audience, Subjects: []string{subject}, Claims: claims,
	}
}
