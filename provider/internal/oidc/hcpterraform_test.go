package oidc

import "testing"

var hcpTerraformToken = claims{
	"iss": "https://app.terraform.io", "aud": "aws.workload.identity",
	"sub": "organization:acme:project:Default Project:workspace:shop:run_phase:apply",
}

func TestHCPTerraformDecides(t *testing.T) {
	t.Parallel()
	const own, eu = "https://tfe.acme.example", "https://app.eu.terraform.io"
	sub := func(s string) claims { return hcpTerraformToken.with(claims{"sub": s}) }
	both := fields{"organization": "acme", "project": "Default Project", "workspace": "shop"}
	apply, plan := both.with(fields{"runPhase": "apply"}), both.with(fields{"runPhase": "plan"})
	const head = "organization:acme:project:Default Project:workspace:shop:run_phase:"
	decides(t, "hcpTerraform", map[string]decision{
		"apply: it":                         {apply, hcpTerraformToken, true},
		"apply: a plan":                     {apply, sub(head + "plan"), false},
		"plan: it":                          {plan, sub(head + "plan"), true},
		"plan: an apply":                    {plan, hcpTerraformToken, false},
		"both: an apply":                    {both, hcpTerraformToken, true},
		"both: a plan":                      {both, sub(head + "plan"), true},
		"both: another phase":               {both, sub(head + "destroy"), false},
		"another workspace":                 {both, sub("organization:acme:project:Default Project:workspace:shop2:run_phase:apply"), false},
		"another project":                   {both, sub("organization:acme:project:Web:workspace:shop:run_phase:apply"), false},
		"another case":                      {both, sub("organization:acme:project:default project:workspace:shop:run_phase:apply"), false},
		"acme-evil":                         {both, sub("organization:acme-evil:project:Default Project:workspace:shop:run_phase:apply"), false},
		"another tenant, all in a name":     {both, sub("organization:evil:project:" + head + "apply:workspace:x:run_phase:apply"), false},
		"a module's test":                   {both, sub("organization:acme:module:shop:operation:test_run"), false},
		"another audience":                  {both, hcpTerraformToken.with(claims{"aud": "sts.amazonaws.com"}), false},
		"HCP Europe: it":                    {both.with(fields{"issuer": eu}), hcpTerraformToken.with(claims{"iss": eu}), true},
		"HCP Europe: from app.terraform.io": {both.with(fields{"issuer": eu}), hcpTerraformToken, false},
		"Terraform Enterprise: it":          {both.with(fields{"issuer": own, "audience": "a"}), hcpTerraformToken.with(claims{"iss": own, "aud": "a"}), true},
	})
}

func TestHCPTerraformRefuses(t *testing.T) {
	t.Parallel()
	run := fields{"organization": "acme", "project": "web", "workspace": "shop"}
	refuses(t, "hcpTerraform", refusals{
		"any organization":     {run.with(fields{"organization": "*"}), "hcpTerraform.organization: must be literal"},
		"any workspace":        {run.with(fields{"workspace": "shop-*"}), "hcpTerraform.workspace: must be literal"},
		"a part of a subject":  {run.with(fields{"project": "web:workspace:x"}), "hcpTerraform.project: must be a name, without the characters : and /"},
		"another phase":        {run.with(fields{"runPhase": "Apply"}), `hcpTerraform.runPhase: must be one of plan, apply (did you mean "apply"?)`},
		"Terraform Enterprise": {run.with(fields{"issuer": "https://tfe.acme.example"}), "hcpTerraform.audience: is required for Terraform Enterprise: aws.workload.identity"},
	})
}
