package oidc

import (
	"cmp"
	"regexp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Sources: Atlassian Support, "Integrate Pipelines with resource servers using OIDC" and "Deploy on AWS using Bitbucket
// Pipelines OpenID Connect".

var bitbucketUUIDRE = regexp.MustCompile(`^\{.*\}$`)

var bitbucket = System{
	Key:  "bitbucket",
	Type: "BitbucketJob",
	Doc: "Steps of Bitbucket Pipelines that have `oidc: true`: those that deploy to one environment, or all of a " +
		"repository. Their tokens have no branch: restrict the environment to one.",
	newJob: func() job { return &bitbucketJob{} },
	owns:   func(host, _ string) bool { return host == "api.bitbucket.org" },
	audience: func(string, string) (string, error) {
		return "", rule.Broken("is required for Bitbucket: ari:cloud:bitbucket::workspace/WORKSPACEID, with the " +
			"workspace's UUID without braces")
	},
}

type bitbucketJob struct {
	token
	Workspace, WorkspaceID, RepositoryID, EnvironmentID string
}

func (j *bitbucketJob) fields() []Field {
	return append([]Field{
		{Name: "workspace", text: &j.Workspace, Required: true, check: checkSlug,
			Doc: "The workspace's ID as it stands in URLs, such as `acme`. A workspace that is renamed has another issuer."},
		{Name: "workspaceId", text: &j.WorkspaceID, Required: true, check: checkBitbucketUUID,
			Doc: "The workspace's UUID, in lower case, with or without braces."},
		{Name: "repositoryId", text: &j.RepositoryID, Required: true, check: checkBitbucketUUID,
			Doc: "The repository's UUID, from its settings under OpenID Connect, in lower case, with or without braces."},
		{Name: "environmentId", text: &j.EnvironmentID, check: checkBitbucketUUID,
			Doc: "The deployment environment's UUID, in lower case, with or without braces. By default any step of the " +
				"repository is trusted, of every branch and pull request."},
	}, j.tokenFields("By default the workspace's, "+
		"`https://api.bitbucket.org/2.0/workspaces/WORKSPACE/pipelines-config/identity/oidc`, and there is no other.",
		"By default `ari:cloud:bitbucket::workspace/WORKSPACEID`. (Source: Atlassian Support, \"Integrate Pipelines with "+
			"resource servers using OIDC\".)")...)
}

func checkBitbucketUUID(s string) error {
	if bitbucketUUIDRE.MatchString(s) {
		s = bare(s)
	}
	return checkUUID(s)
}

// bare returns a UUID without braces.
func bare(uuid string) string { return strings.Trim(uuid, "{}") }

func (j *bitbucketJob) check(r *reading) {
	if r.has("issuer") && r.has("workspace") && j.Issuer != j.issuer() {
		r.reject(rule.Broken("must be that of the workspace: leave it out"), "issuer")
	}
}

func (j *bitbucketJob) issuer() string {
	return "https://api.bitbucket.org/2.0/workspaces/" + j.Workspace + "/pipelines-config/identity/oidc"
}

func (j *bitbucketJob) identity() iam.WebIdentity {
	subject := "{" + bare(j.RepositoryID) + "}:"
	if j.EnvironmentID != "" {
		subject += "{" + bare(j.EnvironmentID) + "}:"
	}
	return iam.WebIdentity{
		Issuer:   j.issuer(),
		Audience: cmp.Or(j.Audience, "ari:cloud:bitbucket::workspace/"+bare(j.WorkspaceID)),
		Subjects: []string{subject + "*"}, // The step's UUID, another one in each run.
	}
}

func (j *bitbucketJob) warnings() []string {
	if j.EnvironmentID != "" {
		return nil
	}
	return []string{"trusts every step of the repository, of every branch and pull request: give environmentId, and " +
		"restrict the environment to a branch"}
}
