package oidc

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Limits of OpenID Connect providers.
// Sources: IAM API Reference, "CreateOpenIDConnectProvider"; "IAM and AWS STS quotas".
const (
	MaxAudiences   = 100
	MaxThumbprints = 5

	maxIssuer   = 255
	maxAudience = 255
)

// Audiences that AWS's own tools ask for. Source: README of aws-actions/configure-aws-credentials, input audience.
const (
	stsAudience      = "sts.amazonaws.com"
	stsAudienceChina = "sts.amazonaws.com.cn"
)

var (
	hostRE       = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$`)
	issuerPathRE = regexp.MustCompile(`^(/[A-Za-z0-9._~@+=-]+)*$`)
	thumbprintRE = regexp.MustCompile(`^[0-9A-Fa-f]{40}$`)
)

// CheckIssuer reports whether s is the URL of an OpenID Connect provider. IAM keeps it as it is and compares it with
// the token's iss, so that a slash or a capital letter makes another provider, which no token fits.
// Source: IAM API Reference, "CreateOpenIDConnectProvider", Url.
func CheckIssuer(s string) error {
	const form = "must be a URL that begins with https://, such as https://token.actions.githubusercontent.com"
	u, err := url.Parse(s)
	switch {
	case utf8.RuneCountInString(s) > maxIssuer:
		return rule.Broken("must have at most %d characters", maxIssuer)
	case !strings.HasPrefix(s, "https://"):
		_, rest, hasScheme := strings.Cut(s, "://")
		if !hasScheme {
			rest = s
		}
		if meant := "https://" + rest; CheckIssuer(meant) == nil {
			return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
		}
		return rule.Broken(form)
	case err != nil || u.Host == "" || u.User != nil:
		return rule.Broken(form)
	case u.Port() != "":
		return rule.Broken("must have no port: AWS takes none")
	case strings.ContainsAny(s, "?#"):
		return rule.Broken("must have no query and no fragment")
	case strings.HasSuffix(s, "/"):
		return rule.Broken("must not end with a slash, which no token's issuer has").
			WithHint("%s", rule.DidYouMean(strings.TrimRight(s, "/")))
	case !hostRE.MatchString(u.Host) && hostRE.MatchString(strings.ToLower(u.Host)):
		return rule.Broken("must have its host in lower case").
			WithHint("%s", rule.DidYouMean("https://"+strings.ToLower(u.Host)+u.Path))
	case !hostRE.MatchString(u.Host) || !issuerPathRE.MatchString(strings.TrimPrefix(s, "https://"+u.Host)):
		return rule.Broken(form)
	}
	return nil
}

// splitIssuer splits an issuer into its host and its path, which may be empty.
func splitIssuer(issuer string) (host, path string) {
	host, path, _ = strings.Cut(strings.TrimPrefix(issuer, "https://"), "/")
	return host, path
}

// CheckAudience reports whether s is an audience of a provider and of the tokens that it takes.
// Source: IAM API Reference, "AddClientIDToOpenIDConnectProvider".
func CheckAudience(s string) error {
	if err := checkText(s); err != nil {
		return err
	}
	switch {
	case strings.ContainsAny(s, wildcards):
		return rule.Broken("must be literal, without the wildcards * and ?")
	case utf8.RuneCountInString(s) > maxAudience:
		return rule.Broken("must have at most %d characters", maxAudience)
	}
	return nil
}

// CheckThumbprint reports whether s is the SHA-1 thumbprint of a certificate.
// Source: IAM API Reference, "CreateOpenIDConnectProvider", ThumbprintList.
func CheckThumbprint(s string) error {
	const form = "must be a thumbprint of 40 hexadecimal digits"
	if meant := strings.ReplaceAll(s, ":", ""); meant != s && thumbprintRE.MatchString(meant) {
		return rule.Broken(form).WithHint("%s", rule.DidYouMean(meant))
	}
	if !thumbprintRE.MatchString(s) {
		return rule.Broken(form)
	}
	return nil
}

// DefaultAudience returns the audience of a provider for an issuer, in a partition. Where the issuer does not tell it,
// the error says that it is required, and what it is.
func DefaultAudience(issuer, partition string) (string, error) {
	if owners := systemsOf(issuer); len(owners) > 0 {
		return owners[0].audience(issuer, partition)
	}
	return "", rule.Broken("is required for this issuer: what its tokens have as aud, such as the instance's URL for a " +
		"self-managed GitLab")
}

// ofSTS returns the audience that AWS's tools ask for in a partition.
func ofSTS(partition string) string {
	if partition == "aws-cn" {
		return stsAudienceChina
	}
	return stsAudience
}
