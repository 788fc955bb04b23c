package oidc

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Source: GitHub Docs, "OpenID Connect reference", which has subjects, immutable subjects and claims. Which claims are
// condition keys: Service Authorization Reference, "AWS Security Token Service".

const githubIssuer = "https://token.actions.githubusercontent.com"

var (
	githubIssuerRE = regexp.MustCompile(
		`^https://token\.actions\.(githubusercontent\.com|[a-z0-9-]+\.ghe\.com)(/[A-Za-z0-9_-]+)?$`)
	githubRepositoryRE = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,38}/([A-Za-z0-9._-]{1,100}|\*)$`)
	githubWorkflowRE   = regexp.MustCompile(`^[A-Za-z0-9_-]+/[A-Za-z0-9._-]+/\.github/workflows/[^/@]+\.ya?ml@[^@]+$`)
)

var github = System{
	Key:  "github",
	Type: "GithubJob",
	Doc: "Jobs of GitHub Actions, on github.com, GHE.com or GitHub Enterprise Server. A job needs the permission " +
		"`id-token: write`. Exactly one of `environment`, `branch`, `tag` and `pullRequests` says when it runs. A job that " +
		"names an environment is trusted by its environment only, whatever its branch. One of a workflow on " +
		"`pull_request_target` counts as one of the default branch, even for a fork's pull request.",
	newJob: func() job { return &githubJob{} },
	owns: func(host, path string) bool {
		return strings.HasSuffix(host, ".githubusercontent.com") || host == "github.com" ||
			strings.HasSuffix(host, ".ghe.com") || isGithubServer(path)
	},
	audience: func(issuer, partition string) (string, error) {
		if _, path := splitIssuer(issuer); isGithubServer(path) {
			return "", rule.Broken("is required for GitHub Enterprise Server: %s, if jobs sign in with AWS's action",
				ofSTS(partition))
		}
		return ofSTS(partition), nil
	},
}

// isGithubServer reports whether the path of an issuer is that of every GitHub Enterprise Server.
func isGithubServer(path string) bool { return path == "_services/token" }

type githubJob struct {
	token
	ref
	Repository, Environment, OwnerID, RepositoryID, JobWorkflowRef string
	PullRequests                                                   bool
}

func (j *githubJob) fields() []Field {
	const instead = " Not for jobs that name an environment."
	return slices.Concat([]Field{
		{Name: "repository", text: &j.Repository, Required: true, wildcards: true, check: checkGithubRepository,
			Doc: "The repository, `owner/name`, spelled as GitHub spells it, since AWS compares the letter case. `owner/*`, " +
				"together with `ownerId`, is all repositories of the owner."},
		{Name: "environment", text: &j.Environment, wildcards: true, check: checkGithubEnvironment,
			Doc: "The environment that the job names, such as `production`, spelled as in the workflow, or a pattern with `*` " +
				"and `?`. At most 255 characters. GitHub makes an environment that a workflow names, without any protection: " +
				"give it rules first."},
	}, j.refFields(instead), []Field{
		{Name: "pullRequests", flag: &j.PullRequests,
			Doc: "Whether to trust the jobs of pull requests: of all of the repository, with code that nobody has reviewed. " +
				"Give such a role permissions to read only." + instead + " By default `false`."},
		{Name: "ownerId", text: &j.OwnerID, decimal: true,
			Doc: "The owner's ID, as of `gh api repos/OWNER/NAME --jq .owner.id`. With `repositoryId`, the job is trusted " +
				"under GitHub's immutable subject too, which repositories made, renamed or transferred after 2026-07-15 have, " +
				"and nobody who registers the name again is trusted. Not on GitHub Enterprise Server."},
		{Name: "repositoryId", text: &j.RepositoryID, decimal: true,
			Doc: "The repository's ID, as of `gh api repos/OWNER/NAME --jq .id`. Together with `ownerId`."},
		{Name: "jobWorkflowRef", text: &j.JobWorkflowRef, check: checkGithubWorkflow,
			Doc: "The reusable workflow that the job must be in, such as " +
				"`acme/workflows/.github/workflows/deploy.yml@refs/heads/main`. Not on GitHub Enterprise Server. By default any."},
	}, j.tokenFields(
		"For an enterprise with its own path, `https://token.actions.githubusercontent.com/ENTERPRISE`; for GHE.com, "+
			"`https://token.actions.SUBDOMAIN.ghe.com`; for GitHub Enterprise Server, `https://HOST/_services/token`. By "+
			"default `"+githubIssuer+"`.",
		"By default `sts.amazonaws.com`, or `sts.amazonaws.com.cn` in China, which AWS's action asks for. Required on "+
			"GitHub Enterprise Server. (Source: GitHub Docs, \"OpenID Connect reference\".)"))
}

func checkGithubRepository(s string) error {
	const form = "must be owner/name, or owner/* together with ownerId"
	meant := strings.TrimSuffix(s, ".git")
	for _, prefix := range []string{"https://", "github.com/", "git@github.com:"} {
		meant = strings.TrimPrefix(meant, prefix)
	}
	switch {
	case strings.Contains(s, "@") && meant == s:
		return rule.Broken(form + ": IDs are given as ownerId and repositoryId")
	case meant != s && githubRepositoryRE.MatchString(meant):
		return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
	case !githubRepositoryRE.MatchString(s):
		return rule.Broken(form)
	}
	return nil
}

func checkGithubEnvironment(s string) error {
	switch {
	case strings.Contains(s, ":"):
		return rule.Broken("must not have a colon, which GitHub may write as %%3A: give the subject with the key oidc")
	case len([]rune(s)) > 255:
		return rule.Broken("must have at most 255 characters")
	}
	return nil
}

func checkGithubWorkflow(s string) error {
	if !githubWorkflowRE.MatchString(s) {
		return rule.Broken("must be owner/name/.github/workflows/FILE@REF, with a REF such as refs/heads/main")
	}
	return nil
}

func (j *githubJob) check(r *reading) {
	r.exactlyOne("environment", "branch", "tag", "pullRequests")
	isOwner := strings.HasSuffix(j.Repository, "/*")
	_, path := splitIssuer(j.Issuer)
	switch {
	case !r.settled("issuer", "repository"):
	case isGithubServer(path):
		r.refuse("on GitHub Enterprise Server, whose tokens have nothing for it that AWS compares",
			"ownerId", "repositoryId", "jobWorkflowRef")
		if isOwner {
			r.reject(rule.Broken("must be one repository on GitHub Enterprise Server: AWS compares no ownerId there"),
				"repository")
		}
	case isOwner:
		r.require("ownerId", "with a repository of OWNER/*: the name alone could be registered again")
		r.refuse("with a repository of OWNER/*, which are several", "repositoryId")
	case r.given["ownerId"]:
		r.require("repositoryId", "together with ownerId")
	case r.given["repositoryId"]:
		r.require("ownerId", "together with repositoryId")
	}
	if r.has("issuer") && !isGithubServer(path) && !githubIssuerRE.MatchString(j.Issuer) {
		err := rule.Broken("must be an issuer of GitHub's: %s, also with the path of an enterprise, "+
			"https://token.actions.SUBDOMAIN.ghe.com, or https://HOST/_services/token", githubIssuer)
		r.reject(err, "issuer")
	}
}

func (j *githubJob) identity() iam.WebIdentity {
	context := "ref:" + j.refName()
	switch {
	case j.Environment != "":
		context = "environment:" + j.Environment
	case j.PullRequests:
		context = "pull_request"
	}
	subjects := []string{"repo:" + j.Repository + ":" + context}
	claims := map[string]string{}
	if j.OwnerID != "" {
		owner, name, _ := strings.Cut(j.Repository, "/")
		if j.RepositoryID != "" {
			name += "@" + j.RepositoryID
			claims["repository_id"] = j.RepositoryID
		}
		claims["repository_owner_id"] = j.OwnerID
		subjects = append(subjects, "repo:"+owner+"@"+j.OwnerID+"/"+name+":"+context)
	}
	if j.JobWorkflowRef != "" {
		claims["job_workflow_ref"] = j.JobWorkflowRef
	}
	return iam.WebIdentity{
		Issuer: cmp.Or(j.Issuer, githubIssuer), Audience: j.Audience, Subjects: subjects, Claims: claims,
	}
}

func (j *githubJob) warnings() (texts []string) {
	if j.PullRequests {
		texts = append(texts, "trusts all pull requests of the repository, with code that nobody has reviewed: such a role "+
			"should only read")
	}
	if _, path := splitIssuer(j.Issuer); j.OwnerID == "" && !isGithubServer(path) {
		texts = append(texts, "trusts a repository by its name alone: give ownerId and repositoryId, since a name can be "+
			"registered again, and a repository made, renamed or transferred after 2026-07-15 sends a subject with these IDs")
	}
	return texts
}
