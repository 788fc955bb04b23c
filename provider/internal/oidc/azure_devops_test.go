package oidc

import "testing"

var (
	azureDevopsFields = fields{"organizationId": uuidA, "organization": "acme", "project": "Web Shop", "serviceConnection": "aws-production"}
	azureDevopsToken  = claims{
		"iss": "https://vstoken.dev.azure.com/" + uuidA, "aud": "api://AzureADTokenExchange", "sub": "sc://acme/Web Shop/aws-production",
	}
)

func TestAzureDevopsDecides(t *testing.T) {
	t.Parallel()
	job := azureDevopsFields
	sub := func(s string) claims { return azureDevopsToken.with(claims{"sub": s}) }
	decides(t, "azureDevops", map[string]decision{
		"the connection":                 {job, azureDevopsToken, true},
		"another connection":             {job, sub("sc://acme/Web Shop/aws-production2"), false},
		"another project":                {job, sub("sc://acme/Shop/aws-production"), false},
		"another case":                   {job, sub("sc://acme/web shop/aws-production"), false},
		"another organization's name":    {job, sub("sc://acme-evil/Web Shop/aws-production"), false},
		"another organization":           {job, azureDevopsToken.with(claims{"iss": "https://vstoken.dev.azure.com/" + uuidB}), false},
		"another one of all these names": {job, claims{"iss": "https://vstoken.dev.azure.com/" + uuidB, "aud": azureDevopsToken["aud"], "sub": azureDevopsToken["sub"]}, false},
		"a pipeline's token":             {job, sub("p://acme/Web Shop/aws-production"), false},
		"another audience":               {job, azureDevopsToken.with(claims{"aud": "sts.amazonaws.com"}), false},
		"a connection below it":          {job, sub("sc://acme/Web Shop/aws-production/x"), false},
		"the rest in a project's name":   {job, sub("sc://evil/sc://acme/Web Shop/aws-production"), false},
		"no connection":                  {job, sub("sc://acme/Web Shop"), false},
		"another audience, where asked":  {job.with(fields{"audience": "aws"}), azureDevopsToken.with(claims{"aud": "aws"}), true},
	})
}

func TestAzureDevopsRefuses(t *testing.T) {
	t.Parallel()
	refuses(t, "azureDevops", refusals{
		"no connection":    {azureDevopsFields.with(fields{"serviceConnection": nil}), "azureDevops.serviceConnection: is required"},
		"any connection":   {azureDevopsFields.with(fields{"serviceConnection": "*"}), "azureDevops.serviceConnection: must be literal"},
		"any project":      {azureDevopsFields.with(fields{"project": "?"}), "azureDevops.project: must be literal"},
		"a name as GUID":   {azureDevopsFields.with(fields{"organizationId": "acme"}), "azureDevops.organizationId: must be a UUID"},
		"a slash":          {azureDevopsFields.with(fields{"project": "a/b"}), "azureDevops.project: must be a name, without the characters : and /"},
		"another's issuer": {azureDevopsFields.with(fields{"issuer": "https://vstoken.dev.azure.com/" + uuidB}), "azureDevops.issuer: must be that of the organization"},
	})
}
