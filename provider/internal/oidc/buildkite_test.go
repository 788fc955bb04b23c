package oidc

import "testing"

var (
	buildkiteFields = fields{"organization": "acme", "pipeline": "shop"}
	buildkiteToken  = claims{
		"iss": "https://agent.buildkite.com", "aud": "sts.amazonaws.com",
		"sub":          "organization:acme:pipeline:shop:ref:refs/heads/main:commit:" + sha1 + ":step:deploy",
		"build_branch": "main", "organization_slug": "acme", "pipeline_slug": "shop",
	}
)

func TestBuildkiteDecides(t *testing.T) {
	t.Parallel()
	const head, commit = "organization:acme:pipeline:shop:ref:refs/", ":commit:" + sha1 + ":step:"
	sub := func(s string) claims { return buildkiteToken.with(claims{"sub": s}) }
	all := buildkiteFields
	main := all.with(fields{"branch": "main"})
	release := all.with(fields{"branch": "release/*"})
	tag := all.with(fields{"tag": "v?.?"})
	ids := main.with(fields{"organizationId": uuidA, "pipelineId": uuidB})
	withIDs := buildkiteToken.with(claims{"organization_id": uuidA, "pipeline_id": uuidB})
	decides(t, "buildkite", map[string]decision{
		"any: a branch":                          {all, buildkiteToken, true},
		"any: a tag":                             {all, sub(head + "tags/v1" + commit), true},
		"any: another pipeline":                  {all, sub("organization:acme:pipeline:shop2:ref:refs/heads/main" + commit), false},
		"any: acme-evil":                         {all, sub("organization:acme-evil:pipeline:shop:ref:refs/heads/main" + commit), false},
		"any: another organization's branch":     {all, sub("organization:evil:pipeline:x:ref:refs/heads/organization:acme:pipeline:shop:ref:main" + commit), false},
		"branch: it":                             {main, buildkiteToken, true},
		"branch: a step without key":             {main, sub(head + "heads/main" + commit), true},
		"branch: another":                        {main, sub(head + "heads/main2" + commit), false},
		"branch: another case":                   {main, sub(head + "heads/Main" + commit), false},
		"branch: a tag of that name":             {main, sub(head + "tags/main" + commit), false},
		"branch: a fork of an owner called main": {main, sub(head + "heads/main:x" + commit), false},
		"branch: that, from a branch commit":     {main, sub(head + "heads/main:commit" + commit), false},
		"branch: the name as a step's key":       {main, sub(head + "heads/x" + commit + "ref:refs/heads/main" + commit), false},
		"branch: another audience":               {main, buildkiteToken.with(claims{"aud": "https://buildkite.com/acme"}), false},
		"branch: another issuer":                 {main, buildkiteToken.with(claims{"iss": "https://agent.x.buildkite.dev"}), false},
		"release: one":                           {release, sub(head + "heads/release/1" + commit), true},
		"release: another branch":                {release, sub(head + "heads/releases" + commit), false},
		"release: in the step's key":             {release, sub(head + "heads/x" + commit + "heads/release/1" + commit), false},
		"tag: one":                               {tag, sub(head + "tags/v1.0" + commit), true},
		"tag: another":                           {tag, sub(head + "tags/v10.0" + commit), false},
		"tag: a branch of that name":             {tag, sub(head + "heads/v1.0" + commit), false},
		"IDs: they":                              {ids, withIDs, true},
		"IDs: a token without":                   {ids, buildkiteToken, false},
		"IDs: the slug registered again":         {ids, withIDs.with(claims{"organization_id": uuidC}), false},
		"IDs: another pipeline of that slug":     {ids, withIDs.with(claims{"pipeline_id": uuidC}), false},
	})
}

func TestBuildkiteRefuses(t *testing.T) {
	t.Parallel()
	refuses(t, "buildkite", refusals{
		"both":                    {buildkiteFields.with(fields{"branch": "main", "tag": "v1"}), "buildkite.tag: must not be given together with branch"},
		"a name":                  {buildkiteFields.with(fields{"pipeline": "My Shop"}), "buildkite.pipeline: must be the name as it stands in URLs"},
		"any organization":        {buildkiteFields.with(fields{"organization": "*"}), "buildkite.organization: must be literal"},
		"any pipeline":            {buildkiteFields.with(fields{"pipeline": "*"}), "buildkite.pipeline: must be literal"},
		"a * within the branch":   {buildkiteFields.with(fields{"branch": "release/*-eu"}), "buildkite.branch: must have a * only as its last character"},
		"a * within the tag":      {buildkiteFields.with(fields{"tag": "v*.0"}), "buildkite.tag: must have a * only as its last character"},
		"a pattern without slash": {buildkiteFields.with(fields{"branch": "v*"}), "buildkite.branch: must have a slash before its first wildcard, such as release/*"},
		"an ID that is none":      {buildkiteFields.with(fields{"pipelineId": "shop"}), "buildkite.pipelineId: must be a UUID"},
		"another issuer":          {buildkiteFields.with(fields{"issuer": "https://ci.acme.example"}), "buildkite.issuer: must be an issuer of Buildkite's"},
	})
}
