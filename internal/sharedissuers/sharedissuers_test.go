package sharedissuers

import "testing"

// TestMissing checks which statements AWS would refuse, by their issuer and conditions.
func TestMissing(t *testing.T) {
	t.Parallel()
	type conditions = map[string]map[string][]string
	for name, tt := range map[string]struct {
		issuer     string
		conditions conditions
		want       string
	}{
		"subject":                {"gitlab.com", conditions{"StringEquals": {"gitlab.com:sub": {"a"}}}, ""},
		"subject by a pattern":   {"gitlab.com", conditions{"StringLike": {"gitlab.com:sub": {"a", "b*"}}}, ""},
		"subject without case":   {"gitlab.com", conditions{"StringEqualsIgnoreCase": {"gitlab.com:sub": {"a"}}}, ""},
		"one of two operators":   {"gitlab.com", conditions{"StringEquals": {"gitlab.com:sub": {"a"}}, "StringLike": {"gitlab.com:sub": {"*"}}}, ""},
		"no conditions":          {"gitlab.com", nil, "gitlab.com:sub"},
		"no subject":             {"gitlab.com", conditions{"StringEquals": {"gitlab.com:aud": {"a"}}}, "gitlab.com:sub"},
		"empty list":             {"gitlab.com", conditions{"StringEquals": {"gitlab.com:sub": {}}}, "gitlab.com:sub"},
		"any subject":            {"gitlab.com", conditions{"StringLike": {"gitlab.com:sub": {"a", "*?"}}}, "gitlab.com:sub"},
		"another operator":       {"gitlab.com", conditions{"StringNotEquals": {"gitlab.com:sub": {"a"}}}, "gitlab.com:sub"},
		"below the issuer":       {"app.terraform.io/x", conditions{"StringEquals": {"app.terraform.io/x:aud": {"a"}}}, "app.terraform.io/x:sub"},
		"subject of another":     {"gitlab.com", conditions{"StringEquals": {"app.terraform.io:sub": {"a"}}}, "gitlab.com:sub"},
		"audience":               {"api.pulumi.com/oidc", conditions{"StringEquals": {"api.pulumi.com/oidc:aud": {"a"}}}, ""},
		"no audience":            {"api.pulumi.com/oidc", conditions{"StringEquals": {"api.pulumi.com/oidc:sub": {"a"}}}, "api.pulumi.com/oidc:aud"},
		"private issuer":         {"ci.example", nil, ""},
		"name that begins alike": {"gitlab.com.example", nil, ""},
	} {
		if got := Missing(tt.issuer, tt.conditions); got != tt.want {
			t.Errorf("%s: %q is missing, and not %q", name, got, tt.want)
		}
	}
}
