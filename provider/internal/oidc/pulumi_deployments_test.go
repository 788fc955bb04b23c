package oidc

import "testing"

var pulumiDeploymentsToken = claims{
	"iss": "https://api.pulumi.com/oidc", "aud": "acme",
	"sub": "pulumi:deploy:org:acme:project:shop:stack:production:operation:update:scope:write",
}

func TestPulumiDeploymentsDecides(t *testing.T) {
	t.Parallel()
	const head = "pulumi:deploy:org:acme:project:shop:stack:"
	sub := func(s string) claims { return pulumiDeploymentsToken.with(claims{"sub": s}) }
	each := fields{"organization": "acme", "project": "shop", "stack": "production"}
	update := each.with(fields{"operation": "update"})
	pattern := update.with(fields{"stack": "prod*-?"})
	own := "https://api.pulumi.acme.example/oidc"
	decides(t, "pulumiDeployments", map[string]decision{
		"any: an update":                   {each, pulumiDeploymentsToken, true},
		"any: a preview":                   {each, sub(head + "production:operation:preview:scope:write"), true},
		"update: it":                       {update, pulumiDeploymentsToken, true},
		"update: a preview":                {update, sub(head + "production:operation:preview:scope:write"), false},
		"another stack":                    {each, sub(head + "production2:operation:update:scope:write"), false},
		"another project":                  {each, sub("pulumi:deploy:org:acme:project:shop2:stack:production:operation:update:scope:write"), false},
		"another case":                     {each, sub("pulumi:deploy:org:acme:project:Shop:stack:production:operation:update:scope:write"), false},
		"acme-evil":                        {each, claims{"iss": pulumiIssuer, "aud": "acme-evil", "sub": "pulumi:deploy:org:acme-evil:project:shop:stack:production:operation:update:scope:write"}, false},
		"acme-evil's subject":              {each, sub("pulumi:deploy:org:acme-evil:project:shop:stack:production:operation:update:scope:write"), false},
		"another organization's audience":  {each, pulumiDeploymentsToken.with(claims{"aud": "evil"}), false},
		"an environment of ESC":            {each, sub("pulumi:environments:org:acme:env:shop/production"), false},
		"the other version's issuer":       {each, pulumiDeploymentsToken.with(claims{"iss": "https://api.pulumi.com/oidc/v2"}), false},
		"pattern: a stack":                 {pattern, sub(head + "prod-eu-1:operation:update:scope:write"), true},
		"pattern: another stack":           {pattern, sub(head + "staging-1:operation:update:scope:write"), false},
		"pattern: a preview":               {pattern, sub(head + "prod-eu-1:operation:preview:scope:write"), false},
		"pattern: another project":         {pattern, sub("pulumi:deploy:org:acme:project:x:stack:prod-1:operation:update:scope:write"), false},
		"self-hosted: it":                  {each.with(fields{"issuer": own}), pulumiDeploymentsToken.with(claims{"iss": own}), true},
		"self-hosted: from api.pulumi.com": {each.with(fields{"issuer": own}), pulumiDeploymentsToken, false},
	})
}

func TestPulumiDeploymentsRefuses(t *testing.T) {
	t.Parallel()
	run := fields{"organization": "acme", "project": "shop", "stack": "production"}
	refuses(t, "pulumiDeployments", refusals{
		"no stack":          {run.with(fields{"stack": nil}), "pulumiDeployments.stack: is required"},
		"the whole name":    {run.with(fields{"stack": "acme/shop/production"}), "pulumiDeployments.stack: must consist of the characters"},
		"any organization":  {run.with(fields{"organization": "*"}), "pulumiDeployments.organization: must be literal"},
		"any project":       {run.with(fields{"project": "*"}), "pulumiDeployments.project: must be literal"},
		"capital letters":   {run.with(fields{"organization": "Acme"}), `(did you mean "acme"?)`},
		"another operation": {run.with(fields{"operation": "up"}), "pulumiDeployments.operation: must be one of preview, update, refresh, destroy"},
		"another issuer":    {run.with(fields{"issuer": "https://api.pulumi.com/oidc/v2"}), "pulumiDeployments.issuer: must be https://api.pulumi.com/oidc or that of a self-hosted Pulumi Cloud"},
	})
}
