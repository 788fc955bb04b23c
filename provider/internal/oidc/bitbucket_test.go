package oidc

import "testing"

var (
	bitbucketFields = fields{"workspace": "acme", "workspaceId": uuidA, "repositoryId": "{" + uuidB + "}", "environmentId": uuidC}
	bitbucketToken  = claims{
		"iss": "https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc",
		"aud": "ari:cloud:bitbucket::workspace/" + uuidA, "sub": "{" + uuidB + "}:{" + uuidC + "}:{" + uuidA + "}",
		"branchName": "main",
	}
)

func TestBitbucketDecides(t *testing.T) {
	t.Parallel()
	const step = ":{dddddddd-0000-4000-8000-00000000000d}"
	sub := func(s string) claims { return bitbucketToken.with(claims{"sub": s}) }
	one, all := bitbucketFields, bitbucketFields.with(fields{"environmentId": nil, "workspaceId": "{" + uuidA + "}"})
	evil := "https://api.bitbucket.org/2.0/workspaces/acme-evil/pipelines-config/identity/oidc"
	decides(t, "bitbucket", map[string]decision{
		"the environment":               {one, bitbucketToken, true},
		"its next step":                 {one, sub("{" + uuidB + "}:{" + uuidC + "}" + step), true},
		"another environment":           {one, sub("{" + uuidB + "}:{" + uuidA + "}" + step), false},
		"no environment":                {one, sub("{" + uuidB + "}" + step), false},
		"the environment as a step":     {one, sub("{" + uuidB + "}:{" + uuidC + "}"), false},
		"another repository":            {one, sub("{" + uuidA + "}:{" + uuidC + "}" + step), false},
		"a fork, in the environment":    {one, sub("{" + uuidA + "}:{" + uuidB + "}:{" + uuidC + "}"), false},
		"the environment further on":    {one, sub("{" + uuidB + "}:{" + uuidA + "}:{" + uuidC + "}:x"), false},
		"without braces":                {one, sub(uuidB + ":" + uuidC + step), false},
		"capital letters":               {one, sub("{BBBBBBBB-0000-4000-8000-00000000000B}:{" + uuidC + "}" + step), false},
		"another audience":              {one, bitbucketToken.with(claims{"aud": "ari:cloud:bitbucket::workspace/" + uuidB}), false},
		"acme-evil":                     {one, bitbucketToken.with(claims{"iss": evil}), false},
		"all: a deployment":             {all, bitbucketToken, true},
		"all: a step":                   {all, sub("{" + uuidB + "}" + step), true},
		"all: another repository":       {all, sub("{" + uuidA + "}" + step), false},
		"all: it as an environment":     {all, sub("{" + uuidA + "}:{" + uuidB + "}" + step), false},
		"all: the same at acme-evil":    {all, bitbucketToken.with(claims{"iss": evil}), false},
		"another audience, where asked": {all.with(fields{"audience": "aws"}), bitbucketToken.with(claims{"aud": "aws"}), true},
	})
}

func TestBitbucketRefuses(t *testing.T) {
	t.Parallel()
	refuses(t, "bitbucket", refusals{
		"nothing":             {fields{}, "bitbucket.workspace: is required\nbitbucket.workspaceId: is required\nbitbucket.repositoryId: is required"},
		"a workspace's name":  {bitbucketFields.with(fields{"workspace": "Acme"}), `bitbucket.workspace: must be the name as it stands in URLs, of the characters a-z 0-9 _ - (did you mean "acme"?)`},
		"any workspace":       {bitbucketFields.with(fields{"workspace": "*"}), "bitbucket.workspace: must be literal"},
		"a repository's name": {bitbucketFields.with(fields{"repositoryId": "shop"}), "bitbucket.repositoryId: must be a UUID"},
		"half of the braces":  {bitbucketFields.with(fields{"repositoryId": "{" + uuidB}), "bitbucket.repositoryId: must be a UUID in lower case and without braces"},
		"an environment":      {bitbucketFields.with(fields{"environmentId": "production"}), "bitbucket.environmentId: must be a UUID"},
		"another issuer":      {bitbucketFields.with(fields{"issuer": "https://api.bitbucket.org/2.0/workspaces/x/pipelines-config/identity/oidc"}), "bitbucket.issuer: must be that of the workspace"},
	})
}
