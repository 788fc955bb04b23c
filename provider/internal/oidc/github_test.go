package oidc

import "testing"

var githubToken = claims{
	"iss": "https://token.actions.githubusercontent.com", "aud": "sts.amazonaws.com",
	"sub":        "repo:acme/shop:ref:refs/heads/main",
	"repository": "acme/shop", "repository_id": "2", "repository_owner_id": "1", "ref": "refs/heads/main",
	"job_workflow_ref": "acme/shop/.github/workflows/ci.yml@refs/heads/main", "actor": "ada",
}

func TestGithubDecides(t *testing.T) {
	t.Parallel()
	const (
		deploy     = "acme/flows/.github/workflows/deploy.yml@refs/heads/main"
		server     = "https://git.acme.example/_services/token"
		enterprise = "https://token.actions.githubusercontent.com/acme-corp"
		dedicated  = "https://token.actions.acme.ghe.com"
	)
	sub := func(s string) claims { return githubToken.with(claims{"sub": s}) }
	main := fields{"repository": "acme/shop", "branch": "main"}
	release := fields{"repository": "acme/shop", "branch": "release/*"}
	tag := fields{"repository": "acme/shop", "tag": "v?.*"}
	environment := fields{"repository": "acme/shop", "environment": "production"}
	pulls := fields{"repository": "acme/shop", "pullRequests": true}
	ids := main.with(fields{"ownerId": "1", "repositoryId": 2.0})
	all := fields{"repository": "acme/*", "environment": "production", "ownerId": "1"}
	flow := main.with(fields{"jobWorkflowRef": deploy})
	const production = "repo:acme/shop:environment:production"
	decides(t, "github", map[string]decision{
		"the branch":                       {main, githubToken, true},
		"its false flag is not given":      {main.with(fields{"pullRequests": false}), githubToken, true},
		"another branch":                   {main, sub("repo:acme/shop:ref:refs/heads/main2"), false},
		"another case of the branch":       {main, sub("repo:acme/shop:ref:refs/heads/Main"), false},
		"another case of the owner":        {main, sub("repo:Acme/shop:ref:refs/heads/main"), false},
		"a tag of the same name":           {main, sub("repo:acme/shop:ref:refs/tags/main"), false},
		"a pull request":                   {main, sub("repo:acme/shop:pull_request"), false},
		"an environment":                   {main, sub(production), false},
		"another repository":               {main, sub("repo:acme/shop2:ref:refs/heads/main"), false},
		"a fork":                           {main, sub("repo:eve/shop:ref:refs/heads/main"), false},
		"acme-evil":                        {main, sub("repo:acme-evil/shop:ref:refs/heads/main"), false},
		"another audience":                 {main, githubToken.with(claims{"aud": "https://github.com/acme"}), false},
		"another issuer":                   {main, githubToken.with(claims{"iss": enterprise}), false},
		"the immutable subject":            {main, sub("repo:acme@1/shop@2:ref:refs/heads/main"), false},
		"release: one":                     {release, sub("repo:acme/shop:ref:refs/heads/release/1.0/x"), true},
		"release: another branch":          {release, sub("repo:acme/shop:ref:refs/heads/releases"), false},
		"release: repeated in the branch":  {release, sub("repo:acme/shop:ref:refs/heads/x/release/1"), false},
		"release: repeated by another":     {release, sub("repo:acme/x:ref:refs/heads/repo:acme/shop:ref:refs/heads/release/1"), false},
		"tag: one":                         {tag, sub("repo:acme/shop:ref:refs/tags/v1.0"), true},
		"tag: another":                     {tag, sub("repo:acme/shop:ref:refs/tags/v10"), false},
		"tag: a branch of that name":       {tag, sub("repo:acme/shop:ref:refs/heads/v1.0"), false},
		"environment: it":                  {environment, sub(production), true},
		"environment: another":             {environment, sub(production + "2"), false},
		"environment: another case":        {environment, sub("repo:acme/shop:environment:Production"), false},
		"environment: none":                {environment, githubToken, false},
		"environment: of a branch's name":  {environment, sub("repo:acme/shop:ref:refs/heads/environment/production"), false},
		"pull requests: one":               {pulls, sub("repo:acme/shop:pull_request"), true},
		"pull requests: a branch":          {pulls, sub("repo:acme/shop:ref:refs/heads/pull_request"), false},
		"IDs: the classic subject":         {ids, githubToken, true},
		"IDs: the immutable subject":       {ids, sub("repo:acme@1/shop@2:ref:refs/heads/main"), true},
		"IDs: the name registered again":   {ids, githubToken.with(claims{"repository_id": "3", "repository_owner_id": "4"}), false},
		"IDs: in another owner's name":     {ids, githubToken.with(claims{"repository_owner_id": "4"}), false},
		"IDs: others in the subject":       {ids, sub("repo:acme@4/shop@3:ref:refs/heads/main"), false},
		"IDs: a token without":             {ids, claims{"iss": githubToken["iss"], "aud": githubToken["aud"], "sub": githubToken["sub"]}, false},
		"owner: one repository":            {all, sub(production), true},
		"owner: another":                   {all, sub("repo:acme/api:environment:production"), true},
		"owner: the immutable subject":     {all, sub("repo:acme@1/api@9:environment:production"), true},
		"owner: another environment":       {all, sub("repo:acme/api:environment:staging"), false},
		"owner: a branch":                  {all, sub("repo:acme/api:ref:refs/heads/environment/production"), false},
		"owner: acme-evil":                 {all, sub("repo:acme-evil/api:environment:production"), false},
		"owner: the name registered again": {all, sub(production).with(claims{"repository_owner_id": "4"}), false},
		"workflow: it":                     {flow, githubToken.with(claims{"job_workflow_ref": deploy}), true},
		"workflow: the job's own":          {flow, githubToken, false},
		"workflow: at another ref":         {flow, githubToken.with(claims{"job_workflow_ref": deploy + "2"}), false},
		"workflow: from elsewhere":         {flow, sub("repo:eve/shop:ref:refs/heads/main").with(claims{"job_workflow_ref": deploy}), false},
		"enterprise: it":                   {main.with(fields{"issuer": enterprise}), githubToken.with(claims{"iss": enterprise}), true},
		"enterprise: from github.com":      {main.with(fields{"issuer": enterprise}), githubToken, false},
		"GHE.com: with IDs":                {ids.with(fields{"issuer": dedicated}), githubToken.with(claims{"iss": dedicated}), true},
		"server: it":                       {main.with(fields{"issuer": server, "audience": "acme"}), githubToken.with(claims{"iss": server, "aud": "acme"}), true},
		"server: another one":              {main.with(fields{"issuer": server, "audience": "acme"}), githubToken.with(claims{"aud": "acme"}), false},
	})
}

func TestGithubRefuses(t *testing.T) {
	t.Parallel()
	shop := fields{"repository": "acme/shop", "branch": "main"}
	server := shop.with(fields{"issuer": "https://git.acme.example/_services/token", "audience": "a"})
	refuses(t, "github", refusals{
		"no context":              {fields{"repository": "acme/shop"}, "github: must have exactly one of environment, branch, tag, pullRequests, and has none"},
		"no pull requests":        {fields{"repository": "acme/shop", "pullRequests": false}, "and has none"},
		"two":                     {shop.with(fields{"environment": "production"}), "and has environment and branch"},
		"a branch in full":        {shop.with(fields{"branch": "refs/heads/main"}), `github.branch: must be the name of a branch without refs/heads/ (did you mean "main"?)`},
		"a tag as a branch":       {shop.with(fields{"branch": "refs/tags/v1"}), "github.branch: must be the name of a branch, and this is that of another kind of ref"},
		"a tag in full":           {fields{"repository": "acme/shop", "tag": "refs/tags/v1"}, `(did you mean "v1"?)`},
		"no branch of Git's":      {shop.with(fields{"branch": "a:b"}), "github.branch: must be a name that Git takes"},
		"none, by its dots":       {shop.with(fields{"branch": "a..b"}), "github.branch: must be a name that Git takes"},
		"none, by its end":        {shop.with(fields{"branch": "a/"}), "github.branch: must be a name that Git takes"},
		"a URL":                   {shop.with(fields{"repository": "https://github.com/acme/shop.git"}), `(did you mean "acme/shop"?)`},
		"no owner":                {shop.with(fields{"repository": "shop"}), "github.repository: must be owner/name, or owner/* together with ownerId"},
		"any owner":               {shop.with(fields{"repository": "*/shop"}), "github.repository: must be owner/name"},
		"part of an owner":        {shop.with(fields{"repository": "acme*/shop"}), "github.repository: must be owner/name"},
		"part of a name":          {shop.with(fields{"repository": "acme/sh*"}), "github.repository: must be owner/name"},
		"IDs within":              {shop.with(fields{"repository": "acme@1/shop@2"}), "IDs are given as ownerId and repositoryId"},
		"an owner without ID":     {shop.with(fields{"repository": "acme/*"}), "github.ownerId: is required with a repository of OWNER/*"},
		"an owner with another":   {shop.with(fields{"repository": "acme/*", "ownerId": "1", "repositoryId": "2"}), "github.repositoryId: must not be given with a repository of OWNER/*"},
		"an owner's ID alone":     {shop.with(fields{"ownerId": "1"}), "github.repositoryId: is required together with ownerId"},
		"a repository's alone":    {shop.with(fields{"repositoryId": "1"}), "github.ownerId: is required together with repositoryId"},
		"a name as an ID":         {shop.with(fields{"ownerId": "acme", "repositoryId": "2"}), "github.ownerId: must be a decimal ID, such as 123456, and not a name"},
		"a colon":                 {fields{"repository": "acme/shop", "environment": "a:b"}, "github.environment: must not have a colon, which GitHub may write as %3A"},
		"a workflow's name":       {shop.with(fields{"jobWorkflowRef": "deploy.yml"}), "github.jobWorkflowRef: must be owner/name/.github/workflows/FILE@REF"},
		"a workflow by a pattern": {shop.with(fields{"jobWorkflowRef": "acme/x/.github/workflows/d.yml@refs/heads/*"}), "github.jobWorkflowRef: must be literal"},
		"github.com":              {shop.with(fields{"issuer": "https://github.com"}), "github.issuer: must be an issuer of GitHub's: https://token.actions.githubusercontent.com"},
		"server, no audience":     {server.with(fields{"audience": nil}), "github.audience: is required for GitHub Enterprise Server: sts.amazonaws.com"},
		"server, IDs":             {server.with(fields{"ownerId": "1", "repositoryId": "2"}), "github.ownerId: must not be given on GitHub Enterprise Server, whose tokens have nothing for it that AWS compares\ngithub.repositoryId: "},
		"server, a workflow":      {server.with(fields{"jobWorkflowRef": "a/b/.github/workflows/d.yml@main"}), "github.jobWorkflowRef: must not be given on GitHub Enterprise Server"},
		"server, an owner":        {server.with(fields{"repository": "acme/*"}), "github.repository: must be one repository"},
	})
}
