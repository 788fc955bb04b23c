package oidc

import "testing"

var spaceliftToken = claims{
	"iss": "https://acme.app.spacelift.io", "aud": "acme.app.spacelift.io",
	"sub": "space:production:stack:shop:run_type:TRACKED:scope:write",
}

func TestSpaceliftDecides(t *testing.T) {
	t.Parallel()
	sub := func(s string) claims { return spaceliftToken.with(claims{"sub": s}) }
	each := fields{"host": "acme.app.spacelift.io", "space": "production", "stack": "shop"}
	tracked := each.with(fields{"runType": "TRACKED"})
	write := each.with(fields{"scope": "write"})
	both := tracked.with(fields{"scope": "write", "stack": "shop-*"})
	module := each.with(fields{"stack": nil, "module": "vpc", "runType": "TESTING"})
	own := "https://spacelift.acme.example"
	decides(t, "spacelift", map[string]decision{
		"any: it":                      {each, spaceliftToken, true},
		"any: a proposed run":          {each, sub("space:production:stack:shop:run_type:PROPOSED:scope:read"), true},
		"any: another stack":           {each, sub("space:production:stack:shop2:run_type:TRACKED:scope:write"), false},
		"any: another space":           {each, sub("space:staging:stack:shop:run_type:TRACKED:scope:write"), false},
		"any: another case":            {each, sub("space:Production:stack:shop:run_type:TRACKED:scope:write"), false},
		"any: a module of that name":   {each, sub("space:production:module:shop:run_type:TESTING:scope:write"), false},
		"acme-evil":                    {each, spaceliftToken.with(claims{"iss": "https://acme-evil.app.spacelift.io", "aud": "acme-evil.app.spacelift.io"}), false},
		"acme-evil, with our audience": {each, spaceliftToken.with(claims{"iss": "https://acme-evil.app.spacelift.io"}), false},
		"another audience":             {each, spaceliftToken.with(claims{"aud": "https://acme.app.spacelift.io"}), false},
		"type: it":                     {tracked, spaceliftToken, true},
		"type: its plan":               {tracked, sub("space:production:stack:shop:run_type:TRACKED:scope:read"), true},
		"type: another":                {tracked, sub("space:production:stack:shop:run_type:TASK:scope:write"), false},
		"scope: it":                    {write, spaceliftToken, true},
		"scope: a task":                {write, sub("space:production:stack:shop:run_type:TASK:scope:write"), true},
		"scope: another":               {write, sub("space:production:stack:shop:run_type:TRACKED:scope:read"), false},
		"pattern: one":                 {both, sub("space:production:stack:shop-eu:run_type:TRACKED:scope:write"), true},
		"pattern: another stack":       {both, spaceliftToken, false},
		"pattern: another scope":       {both, sub("space:production:stack:shop-eu:run_type:TRACKED:scope:read"), false},
		"module: it":                   {module, sub("space:production:module:vpc:run_type:TESTING:scope:write"), true},
		"module: a stack of that name": {module, sub("space:production:stack:vpc:run_type:TESTING:scope:write"), false},
		"self-hosted: it":              {each.with(fields{"host": "spacelift.acme.example", "issuer": own}), spaceliftToken.with(claims{"iss": own, "aud": "spacelift.acme.example"}), true},
		"self-hosted: from elsewhere":  {each.with(fields{"host": "spacelift.acme.example", "issuer": own}), spaceliftToken, false},
	})
}

func TestSpaceliftRefuses(t *testing.T) {
	t.Parallel()
	run := fields{"host": "acme.app.spacelift.io", "space": "production", "stack": "shop"}
	refuses(t, "spacelift", refusals{
		"a URL":           {run.with(fields{"host": "https://acme.app.spacelift.io/"}), `spacelift.host: must be a host in lower case, such as acme.app.spacelift.io (did you mean "acme.app.spacelift.io"?)`},
		"any host":        {run.with(fields{"host": "*.app.spacelift.io"}), "spacelift.host: must be literal"},
		"any space":       {run.with(fields{"space": "production-*"}), "spacelift.space: must be literal"},
		"neither":         {run.with(fields{"stack": nil}), "spacelift: must have exactly one of stack, module, and has none"},
		"both":            {run.with(fields{"module": "vpc"}), "and has stack and module"},
		"a module by *":   {run.with(fields{"stack": nil, "module": "*"}), "spacelift.module: must be literal"},
		"small letters":   {run.with(fields{"runType": "tracked"}), `spacelift.runType: must be one of PROPOSED, TRACKED, TASK, TESTING, DESTROY (did you mean "TRACKED"?)`},
		"a wrong scope":   {run.with(fields{"scope": "admin"}), "spacelift.scope: must be one of read, write"},
		"another account": {run.with(fields{"issuer": "https://x.app.spacelift.io"}), "spacelift.issuer: must be that of the host"},
	})
}
