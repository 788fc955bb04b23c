package oidc

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Sources: Buildkite Docs, "OpenID Connect with Buildkite" and "OIDC with AWS". Which claims are condition keys:
// Service Authorization Reference, "AWS Security Token Service".

const buildkiteIssuer = "https://agent.buildkite.com"

// commitLength is the length of a commit's hash. In a subject, it follows the branch, and a * in its place would match
// what a fork's branch has after the name of its owner.
const commitLength = 40

var buildkiteHostRE = regexp.MustCompile(`^agent\.([a-z0-9-]+\.)?buildkite\.(com|dev|site)$`)

var buildkite = System{
	Key:  "buildkite",
	Type: "BuildkiteJob",
	Doc: "Jobs of a Buildkite pipeline, all, or those for a branch or tag. Those who can start builds name the branch, " +
		"and so does a fork whose pull requests are built. A `branch` or `tag` without wildcards is of builds whose " +
		"commit is known, and not `HEAD`.",
	newJob: func() job { return &buildkiteJob{} },
	owns:   func(host, _ string) bool { return buildkiteHostRE.MatchString(host) },
	audience: func(_, partition string) (string, error) {
		return ofSTS(partition), nil
	},
}

type buildkiteJob struct {
	token
	ref
	Organization, Pipeline, OrganizationID, PipelineID string
}

func (j *buildkiteJob) fields() []Field {
	const claim = "The job must ask for it with `--claim`, as Buildkite's plugin does on request. By default any."
	return slices.Concat([]Field{
		{Name: "organization", text: &j.Organization, Required: true, check: checkSlug,
			Doc: "The organization's slug, as it stands in URLs, such as `acme`."},
		{Name: "pipeline", text: &j.Pipeline, Required: true, check: checkSlug,
			Doc: "The pipeline's slug, as it stands in URLs, such as `deploy`."},
	}, j.refFields(" A `*` must be its last character, and a wildcard in a branch must follow a slash. By default any; "+
		"at most one of `branch` and `tag`."), []Field{
		{Name: "organizationId", text: &j.OrganizationID, check: checkUUID,
			Doc: "The organization's UUID, in lower case. A slug can be registered again, and an ID cannot. " + claim},
		{Name: "pipelineId", text: &j.PipelineID, check: checkUUID,
			Doc: "The pipeline's UUID, in lower case. " + claim},
	}, j.tokenFields("By default `"+buildkiteIssuer+"`.",
		"By default `sts.amazonaws.com`, or `sts.amazonaws.com.cn` in China, which Buildkite's plugin asks for. "+
			"(Source: Buildkite Docs, \"OIDC with AWS\".)"))
}

func (j *buildkiteJob) check(r *reading) {
	r.atMostOne("branch", "tag")
	j.checkPattern(r, "branch", j.Branch)
	j.checkPattern(r, "tag", j.Tag)
	if host, path := splitIssuer(j.Issuer); r.has("issuer") && (!buildkiteHostRE.MatchString(host) || path != "") {
		r.reject(rule.Broken("must be an issuer of Buildkite's, such as %s", buildkiteIssuer), "issuer")
	}
}

// checkPattern reports a pattern of branches or tags that others could match. The step's key, which follows in the
// subject, may have colons, so that after a * within the pattern it could have the rest of the pattern. And Buildkite
// writes a fork's branch as OWNER:BRANCH if the pipeline says so, and no owner's name has a slash.
// Sources: Buildkite Docs, "Defining steps", key, and "Pipelines API", prefix_pull_request_fork_branch_names.
func (*buildkiteJob) checkPattern(r *reading, name, pattern string) {
	first := strings.IndexAny(pattern, wildcards)
	switch {
	case first < 0 || !r.has(name):
	case strings.Contains(strings.TrimSuffix(pattern, "*"), "*"):
		r.reject(rule.Broken("must have a * only as its last character: the key of a step, which follows it in the subject, "+
			"could be called after the rest of the pattern"), name)
	case name == "branch" && !strings.Contains(pattern[:first], "/"):
		r.reject(rule.Broken("must have a slash before its first wildcard, such as release/*: branches of forks may begin "+
			"with their owner, as in OWNER:main"), name)
	}
}

func (j *buildkiteJob) identity() iam.WebIdentity {
	ref := j.refName()
	switch {
	case ref == "":
		ref = "*"
	case !strings.HasSuffix(ref, "*"):
		ref += ":commit:" + strings.Repeat("?", commitLength) + ":step:*"
	}
	subject := "organization:" + j.Organization + ":pipeline:" + j.Pipeline + ":ref:" + ref
	claims := map[string]string{}
	if j.OrganizationID != "" {
		claims["organization_id"] = j.OrganizationID
	}
	if j.PipelineID != "" {
		claims["pipeline_id"] = j.PipelineID
	}
	return iam.WebIdentity{
		Issuer: cmp.Or(j.Issuer, buildkiteIssuer), Audience: j.Audience, Subjects: []string{subject}, Claims: claims,
	}
}
