package oidc

import (
	"strings"
	"testing"
)

func TestIssuerRules(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		check func(string) error
		good  []string
		bad   map[string]string
	}{
		"issuer": {
			CheckIssuer,
			[]string{
				githubIssuer, "https://gitlab.com", "https://api.bitbucket.org/2.0/workspaces/acme_1/pipelines-config/identity/oidc",
				"https://codeberg.org/api/actions", "https://x.example/A-b_c~d@e+f=g.h", "https://x.example/" + strings.Repeat("a", 237),
			},
			map[string]string{
				"":                           "must be a URL",
				"gitlab.com":                 `(did you mean "https://gitlab.com"?)`,
				"http://gitlab.com":          `(did you mean "https://gitlab.com"?)`,
				"https://":                   "must be a URL",
				"https://gitlab.com/":        `must not end with a slash, which no token's issuer has (did you mean "https://gitlab.com"?)`,
				"https://GitLab.com/a":       `must have its host in lower case (did you mean "https://gitlab.com/a"?)`,
				"HTTPS://gitlab.com":         `(did you mean "https://gitlab.com"?)`,
				"https://gitlab.com:443":     "must have no port",
				"https://gitlab.com:":        "must be a URL",
				"https://gitlab.com?a":       "must have no query",
				"https://gitlab.com/a?":      "must have no query",
				"https://gitlab.com#a":       "must have no query",
				"https://a@gitlab.com":       "must be a URL",
				"https://gitlab.com.":        "must be a URL",
				"https://gitlab.com//a":      "must be a URL",
				"https://*.com":              "must be a URL",
				"https://gitlab.com/*":       "must be a URL",
				"https://gitlab.com/${a}":    "must be a URL",
				"https://api.pulumi.com/%6F": "must be a URL",
				"https://gitlab.com/a b":     "must be a URL",
				"https://gitlab.com/a\n":     "must be a URL",
				"https://gitläb.com":         "must be a URL",
				"https://x.example/" + strings.Repeat("a", 238): "must have at most 255 characters",
			},
		},
		"audience": {
			CheckAudience,
			[]string{"a", "sts.amazonaws.com", "https://gitlab.com", "aws:acme", strings.Repeat("ü", 255)},
			map[string]string{
				"": "must not be empty", "*": "must be literal", "a?": "must be literal", "${a}": "must not have ${",
				strings.Repeat("a", 256): "must have at most 255 characters", "ж": "must have no characters above U+00FF",
			},
		},
		"thumbprint": {
			CheckThumbprint,
			[]string{"6938fd4d98bab03faadb97b34396831e3780aea1", "6938FD4D98BAB03FAADB97B34396831E3780AEA1"},
			map[string]string{
				"": "must be a thumbprint of 40 hexadecimal digits", "6938fd4d98bab03faadb97b34396831e3780aeag": "must be a thumbprint",
				"69:38:fd:4d:98:ba:b0:3f:aa:db:97:b3:43:96:83:1e:37:80:ae:a1": `(did you mean "6938fd4d98bab03faadb97b34396831e3780aea1"?)`,
			},
		},
	} {
		for _, s := range tt.good {
			if err := tt.check(s); err != nil {
				t.Errorf("%s %q: %v", name, s, err)
			}
		}
		for s, want := range tt.bad {
			if err := tt.check(s); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s %q: %v does not say %q", name, s, err, want)
			}
		}
	}
}

func TestDefaultAudience(t *testing.T) {
	t.Parallel()
	for issuer, tt := range map[string]struct{ partition, want, err string }{
		githubIssuer:                             {"aws", "sts.amazonaws.com", ""},
		githubIssuer + "/acme":                   {"aws-us-gov", "sts.amazonaws.com", ""},
		"https://token.actions.acme.ghe.com":     {"aws-cn", "sts.amazonaws.com.cn", ""},
		"https://agent.buildkite.com":            {"aws-cn", "sts.amazonaws.com.cn", ""},
		"https://gitlab.com":                     {"aws", "https://gitlab.com", ""},
		"https://oidc.circleci.com/org/" + uuidA: {"aws", uuidA, ""},
		"https://app.terraform.io":               {"aws", "aws.workload.identity", ""},
		"https://acme.app.spacelift.io":          {"aws", "acme.app.spacelift.io", ""},
		"https://vstoken.dev.azure.com/" + uuidA: {"aws", "api://AzureADTokenExchange", ""},
		"https://oidc.circleci.com":              {"aws", "", "is required for this issuer: the UUID"},
		"https://git.example/_services/token":    {"aws", "", "is required for GitHub Enterprise Server: sts.amazonaws.com"},
		bitbucketToken["iss"]:                    {"aws", "", "ari:cloud:bitbucket::workspace/WORKSPACEID"},
		pulumiIssuer:                             {"aws", "", "the organization's name for Pulumi Deployments"},
		"https://gitlab.acme.example":            {"aws", "", "is required for this issuer"},
	} {
		got, err := DefaultAudience(issuer, tt.partition)
		if got != tt.want || (err == nil) != (tt.err == "") || (err != nil && !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s in %s: %q, %v", issuer, tt.partition, got, err)
		}
	}
}
