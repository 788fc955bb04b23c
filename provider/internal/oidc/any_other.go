package oidc

import (
	"regexp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// anyOtherKey is the key of all systems that have none of their own.
const anyOtherKey = "oidc"

// sharedIssuers are those that many tenants share and that have no key of their own, with the part of a subject that
// names the tenant. Where it is not known, a subject must be literal.
// Sources: IAM User Guide, "Identity-provider controls for shared OIDC providers"; Codefresh Docs, "OpenID Connect in
// Codefresh pipelines"; Vercel Docs, "OpenID Connect (OIDC) Federation Reference".
var sharedIssuers = map[string]*regexp.Regexp{
	"https://oidc.codefresh.io":         regexp.MustCompile(`^account:[^:*?]+:`),
	"https://oidc.vercel.com":           regexp.MustCompile(`^owner:[^:*?]+:`),
	"https://studio.datachain.ai/api":   nil,
	"https://scalr.io":                  nil,
	"https://tokens.cloud.shisho.dev":   nil,
	"https://proidc.upbound.io":         nil,
	"https://sandboxes.cloud":           nil,
	"https://sts.windows.net":           nil,
	"https://login.microsoftonline.com": nil,
}

// builtIn are issuers that AWS knows without a provider in the account, so that no provider's ARN could be trusted.
// Source: IAM User Guide, "Create an OpenID Connect (OIDC) identity provider in IAM".
var builtIn = []string{"accounts.google.com", "cognito-identity.amazonaws.com", "graph.facebook.com", "www.amazon.com"}

var anyOther = System{
	Key:  anyOtherKey,
	Type: "OidcJob",
	Doc: "Jobs of any other system that has OpenID Connect tokens, such as Semaphore, Codefresh, Octopus Deploy or " +
		"Forgejo, or jobs of a system above with a customised subject, which must then be literal.",
	newJob: func() job { return &anyOtherJob{} },
}

type anyOtherJob struct {
	token
	Subjects []string
}

func (j *anyOtherJob) fields() []Field {
	fields := append(j.tokenFields("The account must have a provider for it.", "What the system's tokens have by "+
		"default, or what the job asks for."), Field{
		Name: "subjects", list: &j.Subjects, wildcards: true,
		Doc: "The subjects of the job's tokens, their claim `sub`, at least one. Each is literal, or a pattern in which " +
			"`*` stands for any characters, `:` and `/` too, and `?` for one. None begins with a wildcard, and with the " +
			"issuer of a system that has a key of its own, none has one."})
	for i := range fields {
		fields[i].Required = true
	}
	return fields
}

func (j *anyOtherJob) check(r *reading) {
	host, _ := splitIssuer(j.Issuer)
	for _, known := range builtIn {
		if r.has("issuer") && host == known {
			r.reject(rule.Broken("must be that of a provider in the account: AWS knows this one without a provider"), "issuer")
		}
	}
	if !r.has("subjects") {
		return
	}
	for i, s := range j.Subjects {
		first := strings.IndexAny(s, wildcards)
		switch {
		case first < 0:
		case first == 0:
			r.reject(rule.Broken("must not begin with a wildcard: jobs of others could match it"), "subjects", i)
		case r.has("issuer"):
			if err := checkShared(j.Issuer, s); err != nil {
				r.reject(err, "subjects", i)
			}
		}
	}
}

// checkShared reports whether a subject with a wildcard is of one tenant of an issuer.
func checkShared(issuer, subject string) error {
	if owners := systemsOf(issuer); len(owners) > 0 {
		return rule.Broken("must be literal with this issuer, which others share; for patterns use the key %s", keysOf(owners))
	}
	for shared, tenant := range sharedIssuers {
		switch {
		case issuer != shared && !strings.HasPrefix(issuer, shared+"/"):
		case tenant == nil:
			return rule.Broken("must be literal with this issuer, which others share")
		case !tenant.MatchString(subject):
			return rule.Broken("must name the tenant of this issuer, which others share, before the first wildcard, as %s does",
				strings.NewReplacer("^", "", "[^:*?]+", "NAME").Replace(tenant.String()))
		}
	}
	return nil
}

func (j *anyOtherJob) identity() iam.WebIdentity {
	return iam.WebIdentity{Issuer: j.Issuer, Audience: j.Audience, Subjects: j.Subjects}
}
