package oidc

import "testing"

func TestAnyOtherDecides(t *testing.T) {
	t.Parallel()
	const semaphore = "https://acme.semaphoreci.com"
	job := fields{"issuer": semaphore, "audience": semaphore, "subjects": []any{
		"org:acme:project:" + uuidA + ":repo:shop:ref_type:branch:ref:refs/heads/main",
		"org:acme:project:" + uuidA + ":repo:shop:ref_type:tag:ref:refs/tags/v*",
	}}
	const head = "org:acme:project:" + uuidA + ":repo:shop:ref_type:"
	sub := func(s string) claims { return claims{"iss": semaphore, "aud": semaphore, "sub": s} }
	custom := fields{"issuer": githubIssuer, "audience": "a", "subjects": []any{"repository_id:2:environment:production"}}
	codefresh := fields{"issuer": "https://oidc.codefresh.io", "audience": "a", "subjects": []any{"account:1:pipeline:2:*"}}
	decides(t, anyOtherKey, map[string]decision{
		"the literal subject":          {job, sub(head + "branch:ref:refs/heads/main"), true},
		"another branch":               {job, sub(head + "branch:ref:refs/heads/main2"), false},
		"the pattern":                  {job, sub(head + "tag:ref:refs/tags/v1"), true},
		"another tag":                  {job, sub(head + "tag:ref:refs/tags/x"), false},
		"a pull request":               {job, sub(head + "pr:ref:refs/pull/1"), false},
		"another project":              {job, sub("org:acme:project:" + uuidB + ":repo:shop:ref_type:branch:ref:refs/heads/main"), false},
		"another organization":         {job, sub("org:acme-evil:project:" + uuidA + ":repo:shop:ref_type:branch:ref:refs/heads/main"), false},
		"another issuer":               {job, claims{"iss": "https://evil.semaphoreci.com", "aud": semaphore, "sub": head + "branch:ref:refs/heads/main"}, false},
		"another audience":             {job, claims{"iss": semaphore, "aud": "x", "sub": head + "branch:ref:refs/heads/main"}, false},
		"the pattern in a branch":      {job, sub(head + "branch:ref:refs/heads/" + head + "tag:ref:refs/tags/v1"), false},
		"a customised subject":         {custom, claims{"iss": githubIssuer, "aud": "a", "sub": "repository_id:2:environment:production"}, true},
		"a customised subject of more": {custom, claims{"iss": githubIssuer, "aud": "a", "sub": "repository_id:2:environment:production2"}, false},
		"the account":                  {codefresh, claims{"iss": "https://oidc.codefresh.io", "aud": "a", "sub": "account:1:pipeline:2:initiator:x"}, true},
		"another account":              {codefresh, claims{"iss": "https://oidc.codefresh.io", "aud": "a", "sub": "account:9:pipeline:2:initiator:x"}, false},
	})
}

func TestAnyOtherRefuses(t *testing.T) {
	t.Parallel()
	job := func(issuer string, subjects ...any) fields {
		return fields{"issuer": issuer, "audience": "a", "subjects": subjects}
	}
	refuses(t, anyOtherKey, refusals{
		"nothing":                  {fields{}, "oidc.issuer: is required\noidc.audience: is required\noidc.subjects: is required"},
		"everybody":                {job("https://ci.example", "*"), "oidc.subjects[0]: must not begin with a wildcard: jobs of others could match it"},
		"everybody, otherwise":     {job("https://ci.example", "a", "?*"), "oidc.subjects[1]: must not begin with a wildcard"},
		"a system with a key":      {job(githubIssuer, "repo:acme/*"), "oidc.subjects[0]: must be literal with this issuer: for patterns, use the key github"},
		"its enterprises":          {job(githubIssuer+"/acme", "repo:acme/?"), "use the key github"},
		"its other issuers":        {job("https://vstoken.actions.githubusercontent.com", "repo:acme/?"), "use the key github"},
		"GHE.com":                  {job("https://token.actions.acme.ghe.com", "repo:acme/*"), "use the key github"},
		"Enterprise Server":        {job("https://git.example/_services/token", "repo:acme/*"), "use the key github"},
		"GitLab":                   {job("https://gitlab.com", "project_path:acme/*"), "use the key gitlab"},
		"CircleCI":                 {job("https://oidc.circleci.com/org/x", "org/x/*"), "use the key circleci"},
		"Bitbucket":                {job("https://api.bitbucket.org/2.0/x", "a*"), "use the key bitbucket"},
		"Buildkite":                {job("https://agent.buildkite.com", "organization:acme*"), "use the key buildkite"},
		"HCP Terraform":            {job("https://app.eu.terraform.io", "organization:*"), "use the key hcpTerraform"},
		"Pulumi Cloud":             {job("https://api.pulumi.com/oidc/v2", "pulumi:*"), "use the key pulumiDeployments or pulumiEsc"},
		"Spacelift":                {job("https://acme.app.spacelift.io", "space:*"), "use the key spacelift"},
		"Azure DevOps":             {job("https://vstoken.dev.azure.com/x", "sc://*"), "use the key azureDevops"},
		"a shared issuer":          {job("https://scalr.io", "account:*"), "oidc.subjects[0]: must be literal with this issuer, which others share"},
		"below a shared issuer":    {job("https://oidc.vercel.com/acme", "own*"), "oidc.subjects[0]: must begin with owner:NAME: and have no wildcard in it"},
		"a tenant by a pattern":    {job("https://oidc.codefresh.io", "account:1*"), "oidc.subjects[0]: must begin with account:NAME:"},
		"a tenant without a name":  {job("https://oidc.codefresh.io", "account::*"), "oidc.subjects[0]: must begin with account:NAME:"},
		"Google, built into AWS":   {job("https://accounts.google.com", "1"), "oidc.issuer: must be the issuer of a CI system: AWS has special rules for this one"},
		"Microsoft Sentinel":       {job("https://sts.windows.net/33e01921-4d64-4f8c-a055-5bdaffd5e33d", "1"), "oidc.issuer: must be the issuer of a CI system"},
		"a variable":               {job("https://ci.example", "a${aws:userid}"), "oidc.subjects[0]: must not have ${"},
		"an audience by a pattern": {fields{"issuer": "https://ci.example", "audience": "a*", "subjects": []any{"a"}}, "oidc.audience: must be literal"},
	})
}
