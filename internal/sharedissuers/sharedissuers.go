// Package sharedissuers has what AWS asks of a role that trusts the tokens of an issuer that many customers share. The
// tests hold generated trust policies against it, and the tests' AWS account refuses others by it.
package sharedissuers

import (
	"slices"
	"strings"
)

// Missing returns the condition key by which AWS wants a statement of a trust policy to tell the tenants of an issuer
// apart and by which it does not, or nothing. The issuer is without https://.
// Source: IAM User Guide, "Identity-provider controls for shared OIDC providers".
func Missing[V ~[]string](issuer string, conditions map[string]map[string]V) (key string) {
	for shared, claim := range required {
		if issuer != shared && !strings.HasPrefix(issuer, shared+"/") {
			continue
		}
		key := issuer + ":" + claim
		for _, operator := range []string{"StringEquals", "StringLike", "StringEqualsIgnoreCase"} {
			values := conditions[operator][key]
			all := slices.ContainsFunc(values, func(v string) bool { return strings.Trim(v, "*?") == "" })
			if len(values) > 0 && !all {
				return ""
			}
		}
		return key
	}
	return ""
}

// required is the claim that AWS asks for at a shared issuer. Below an issuer, the same holds.
var required = map[string]string{
	"token.actions.githubusercontent.com":                "sub",
	"vstoken.actions.githubusercontent.com":              "sub",
	"oidc-configuration.audit-log.githubusercontent.com": "sub",
	"gitlab.com":                     "sub",
	"agent.buildkite.com":            "sub",
	"app.terraform.io":               "sub",
	"oidc.codefresh.io":              "sub",
	"studio.datachain.ai/api":        "sub",
	"scalr.io":                       "sub",
	"tokens.cloud.shisho.dev":        "sub",
	"proidc.upbound.io":              "sub",
	"api.pulumi.com/oidc":            "aud",
	"oidc.vercel.com":                "aud",
	"sandboxes.cloud":                "aud",
	"cognito-identity.amazonaws.com": "aud",
}
