package iamtest

import "testing"

// TestRefusedByAWS checks that the list of what AWS refuses finds what it is there for.
func TestRefusedByAWS(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		issuer, conditions string
		refused            bool
	}{
		"subject":                     {"gitlab.com", `"StringEquals":{"gitlab.com:sub":"a"}`, false},
		"subject by a pattern":        {"gitlab.com", `"StringLike":{"gitlab.com:sub":["a","b*"]}`, false},
		"no subject":                  {"gitlab.com", `"StringEquals":{"gitlab.com:aud":"a"}`, true},
		"any subject":                 {"gitlab.com", `"StringLike":{"gitlab.com:sub":["a","*?"]}`, true},
		"by another operator":         {"gitlab.com", `"StringNotEquals":{"gitlab.com:sub":"a"}`, true},
		"below the issuer":            {"app.terraform.io/x", `"StringEquals":{"app.terraform.io/x:aud":"a"}`, true},
		"the subject of another":      {"gitlab.com", `"StringEquals":{"app.terraform.io:sub":"a"}`, true},
		"an audience":                 {"api.pulumi.com/oidc", `"StringEquals":{"api.pulumi.com/oidc:aud":"a"}`, false},
		"no audience":                 {"api.pulumi.com/oidc", `"StringEquals":{"api.pulumi.com/oidc:sub":"a"}`, true},
		"a private issuer":            {"ci.example", `"StringEquals":{"ci.example:aud":"a"}`, false},
		"one that begins like a list": {"gitlab.com.example", `"StringEquals":{"gitlab.com.example:aud":"a"}`, false},
	} {
		policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":` +
			`"arn:aws:iam::123456789012:oidc-provider/` + tt.issuer + `"},"Action":"sts:AssumeRoleWithWebIdentity",` +
			`"Condition":{` + tt.conditions + `}}]}`
		if missing := RefusedByAWS(t, policy); (len(missing) > 0) != tt.refused {
			t.Errorf("%s: %v", name, missing)
		}
	}
}
