package oidc

import "testing"

var pulumiEscToken = claims{
	"iss": "https://api.pulumi.com/oidc", "aud": "aws:acme", "sub": "pulumi:environments:org:acme:env:infra/production",
}

func TestPulumiEscDecides(t *testing.T) {
	t.Parallel()
	sub := func(s string) claims { return pulumiEscToken.with(claims{"sub": s}) }
	one := fields{"organization": "acme", "environment": "infra/production"}
	pattern := one.with(fields{"environment": "infra/prod-*"})
	legacy := one.with(fields{"environment": "default/production"})
	decides(t, "pulumiEsc", map[string]decision{
		"the environment":                   {one, pulumiEscToken, true},
		"another environment":               {one, sub("pulumi:environments:org:acme:env:infra/production2"), false},
		"another project":                   {one, sub("pulumi:environments:org:acme:env:other/production"), false},
		"another case":                      {one, sub("pulumi:environments:org:acme:env:infra/Production"), false},
		"acme-evil":                         {one, claims{"iss": pulumiIssuer, "aud": "aws:acme-evil", "sub": "pulumi:environments:org:acme-evil:env:infra/production"}, false},
		"the subject with another audience": {one, pulumiEscToken.with(claims{"aud": "aws:evil"}), false},
		"the subject of another":            {one, sub("pulumi:environments:org:evil:env:infra/production"), false},
		"the legacy audience":               {one, pulumiEscToken.with(claims{"aud": "acme"}), false},
		"one that a stack imports":          {one, sub("pulumi:environments:org:acme:env:<yaml>"), false},
		"a deployment":                      {one, sub("pulumi:deploy:org:acme:project:infra:stack:production:operation:update:scope:write"), false},
		"the other version's issuer":        {one, pulumiEscToken.with(claims{"iss": "https://api.pulumi.com/oidc/v2"}), false},
		"pattern: one":                      {pattern, sub("pulumi:environments:org:acme:env:infra/prod-eu"), true},
		"pattern: another":                  {pattern, sub("pulumi:environments:org:acme:env:infra/production"), false},
		"pattern: another project":          {pattern, sub("pulumi:environments:org:acme:env:x/infra/prod-eu"), false},
		"legacy: it":                        {legacy, claims{"iss": pulumiIssuer, "aud": "acme", "sub": "pulumi:environments:org:acme:env:production"}, true},
		"legacy: the other audience":        {legacy, sub("pulumi:environments:org:acme:env:production"), false},
		"legacy: with its project":          {legacy, claims{"iss": pulumiIssuer, "aud": "acme", "sub": "pulumi:environments:org:acme:env:default/production"}, false},
	})
}

func TestPulumiEscRefuses(t *testing.T) {
	t.Parallel()
	one := fields{"organization": "acme", "environment": "infra/production"}
	refuses(t, "pulumiEsc", refusals{
		"no project":           {one.with(fields{"environment": "production"}), `pulumiEsc.environment: must be project/name, such as infra/production (did you mean "default/production"?)`},
		"any project":          {one.with(fields{"environment": "*/production"}), "pulumiEsc.environment: must be project/name"},
		"everything":           {one.with(fields{"environment": "*"}), "pulumiEsc.environment: must be project/name"},
		"legacy, by a pattern": {one.with(fields{"environment": "default/*"}), "pulumiEsc.environment: must be literal in the project default"},
		"any organization":     {one.with(fields{"organization": "?"}), "pulumiEsc.organization: must be literal"},
		"another issuer":       {one.with(fields{"issuer": "https://api.pulumi.com/oidc/v2"}), "pulumiEsc.issuer: must be https://api.pulumi.com/oidc"},
	})
}
