package oidc

import "testing"

var (
	circleciFields = fields{"organizationId": uuidA, "projectId": uuidB}
	circleciToken  = claims{
		"iss": "https://oidc.circleci.com/org/" + uuidA, "aud": uuidA, "sub": "org/" + uuidA + "/project/" + uuidB + "/user/" + uuidC,
	}
)

func TestCircleciDecides(t *testing.T) {
	t.Parallel()
	const (
		v1     = "org/" + uuidA + "/project/" + uuidB + "/user/" + uuidC
		origin = "/vcs-origin/github.com/acme/shop/vcs-ref/refs/heads/"
		server = "https://circleci.acme.example/org/" + uuidA
	)
	sub := func(s string) claims { return circleciToken.with(claims{"sub": s}) }
	all := circleciFields
	main := all.with(fields{"vcsOrigin": "github.com/acme/shop", "branch": "main"})
	release := main.with(fields{"branch": "release/*"})
	tag := main.with(fields{"branch": nil, "tag": "v*"})
	decides(t, "circleci", map[string]decision{
		"any: V1":                            {all, circleciToken, true},
		"any: V2":                            {all, sub(v1 + origin + "x"), true},
		"any: another project":               {all, sub("org/" + uuidA + "/project/" + uuidC + "/user/" + uuidC), false},
		"any: the project as the user":       {all, sub("org/" + uuidA + "/project/" + uuidC + "/user/x/project/" + uuidB + "/user/x"), false},
		"any: another organization":          {all, claims{"iss": "https://oidc.circleci.com/org/" + uuidC, "aud": uuidC, "sub": v1}, false},
		"any: another organization's names":  {all, claims{"iss": "https://oidc.circleci.com/org/" + uuidC, "aud": uuidA, "sub": v1}, false},
		"any: another audience":              {all, circleciToken.with(claims{"aud": "sts.amazonaws.com"}), false},
		"any: capital letters":               {all, sub("org/AAAAAAAA-0000-4000-8000-00000000000A/project/" + uuidB + "/user/" + uuidC), false},
		"branch: it":                         {main, sub(v1 + origin + "main"), true},
		"branch: another user":               {main, sub("org/" + uuidA + "/project/" + uuidB + "/user/" + uuidA + origin + "main"), true},
		"branch: another":                    {main, sub(v1 + origin + "main2"), false},
		"branch: V1":                         {main, circleciToken, false},
		"branch: a fork":                     {main, sub(v1 + "/vcs-origin/github.com/eve/shop/vcs-ref/refs/heads/main"), false},
		"branch: a tag of that name":         {main, sub(v1 + "/vcs-origin/github.com/acme/shop/vcs-ref/refs/tags/main"), false},
		"branch: the rest of the pattern":    {main, sub(v1 + origin + "x" + origin + "main"), false},
		"branch: that, from a fork":          {main, sub(v1 + "/vcs-origin/github.com/eve/shop/vcs-ref/refs/heads/x" + origin + "main"), false},
		"release: one":                       {release, sub(v1 + origin + "release/1/x"), true},
		"release: the rest of the pattern":   {release, sub(v1 + origin + "x" + origin + "release/1"), false},
		"release: that, from a fork":         {release, sub(v1 + "/vcs-origin/github.com/eve/shop/vcs-ref/refs/heads/x" + origin + "release/1"), false},
		"tag: one":                           {tag, sub(v1 + "/vcs-origin/github.com/acme/shop/vcs-ref/refs/tags/v1"), true},
		"tag: a branch of that name":         {tag, sub(v1 + origin + "v1"), false},
		"server: it":                         {all.with(fields{"issuer": server}), circleciToken.with(claims{"iss": server}), true},
		"server: from oidc.circleci.com":     {all.with(fields{"issuer": server}), circleciToken, false},
		"all organizations' issuer: it":      {all.with(fields{"issuer": "https://oidc.circleci.com"}), circleciToken.with(claims{"iss": "https://oidc.circleci.com"}), true},
		"all organizations' issuer: another": {all.with(fields{"issuer": "https://oidc.circleci.com"}), claims{"iss": "https://oidc.circleci.com", "aud": uuidA, "sub": "org/" + uuidC + "/project/" + uuidB + "/user/" + uuidC}, false},
	})
}

func TestCircleciRefuses(t *testing.T) {
	t.Parallel()
	origin := circleciFields.with(fields{"vcsOrigin": "github.com/acme/shop"})
	refuses(t, "circleci", refusals{
		"a name":                 {circleciFields.with(fields{"projectId": "shop"}), "circleci.projectId: must be a UUID, such as"},
		"capital letters":        {circleciFields.with(fields{"organizationId": "AAAAAAAA-0000-4000-8000-00000000000A"}), `circleci.organizationId: must be a UUID in lower case and without braces, as tokens have it (did you mean "` + uuidA + `"?)`},
		"any organization":       {circleciFields.with(fields{"organizationId": "*"}), "circleci.organizationId: must be literal"},
		"an origin alone":        {origin, "circleci: must have exactly one of branch, tag, and has none"},
		"an origin with both":    {origin.with(fields{"branch": "main", "tag": "v1"}), "and has branch and tag"},
		"a branch alone":         {circleciFields.with(fields{"branch": "main"}), "circleci.vcsOrigin: is required together with branch or tag"},
		"an origin as a URL":     {origin.with(fields{"vcsOrigin": "https://github.com/acme/shop", "branch": "main"}), `(did you mean "github.com/acme/shop"?)`},
		"a pattern of origins":   {origin.with(fields{"vcsOrigin": "github.com/acme/*", "branch": "main"}), "circleci.vcsOrigin: must be literal"},
		"another organization's": {circleciFields.with(fields{"issuer": "https://oidc.circleci.com/org/" + uuidC}), "circleci.issuer: must be that of the organization"},
	})
}
