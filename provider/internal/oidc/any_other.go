package oidc

import (
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// anyOtherKey is the key of all systems that have none of their own.
const anyOtherKey = "oidc"

// sharedIssuers are those that many tenants share and that have no key of their own, with what comes before the tenant
// in a subject. Where that is not known, a subject must be literal.
// Sources: IAM User Guide, "Identity-provider controls for shared OIDC providers"; Codefresh Docs, "OpenID Connect in
// Codefresh pipelines"; Vercel Docs, "OpenID Connect (OIDC) Federation Reference".
var sharedIssuers = map[string]string{
	"https://oidc.codefresh.io":         "account:",
	"https://oidc.vercel.com":           "owner:",
	"https://studio.datachain.ai/api":   "",
	"https://scalr.io":                  "",
	"https://tokens.cloud.shisho.dev":   "",
	"https://proidc.upbound.io":         "",
	"https://sandboxes.cloud":           "",
	"https://sts.windows.net":           "",
	"https://login.microsoftonline.com": "",
}

// specialIssuers begin the issuers that AWS knows without a provider in the account, so that no provider's ARN could be
// trusted, and that of Microsoft Sentinel, for which AWS asks for certain session names.
// Sources: IAM User Guide, "AWS JSON policy elements: Principal" and "Identity-provider controls for shared OIDC
// providers".
var specialIssuers = []string{
	"https://accounts.google.com", "https://cognito-identity.amazonaws.com", "https://graph.facebook.com",
	"https://www.amazon.com", "https://sts.windows.net/33e01921-",
}

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
		Name: "subjects", list: &j.Subjects, wildcards: true, check: checkSubject,
		Doc: "The subjects of the job's tokens, their claim `sub`, at least one. Each is literal, or a pattern in which " +
			"`*` stands for any characters, `:` and `/` too, and `?` for one. None begins with a wildcard, and with the " +
			"issuer of a system that has a key here, none has one."})
	for i := range fields {
		fields[i].Required = true
	}
	return fields
}

func (j *anyOtherJob) check(r *reading) {
	begins := func(special string) bool { return strings.HasPrefix(j.Issuer, special) }
	if r.has("issuer") && slices.ContainsFunc(specialIssuers, begins) {
		r.reject(rule.Broken("must be the issuer of a CI system: AWS has special rules for this one"), "issuer")
	}
	if !r.has("issuer") || !r.has("subjects") {
		return
	}
	for i, s := range j.Subjects {
		if first := strings.IndexAny(s, wildcards); first > 0 {
			if err := checkShared(j.Issuer, s[:first]); err != nil {
				r.reject(err, "subjects", i)
			}
		}
	}
}

func checkSubject(s string) error {
	if strings.ContainsAny(s[:1], wildcards) {
		return rule.Broken("must not begin with a wildcard: jobs of others could match it")
	}
	return nil
}

// checkShared reports whether a subject names one tenant of its issuer in what it has before its first wildcard.
func checkShared(issuer, literal string) error {
	if owners := systemsOf(issuer); len(owners) > 0 {
		return rule.Broken("must be literal with this issuer: for patterns, use the key %s", keysOf(owners))
	}
	for shared, tenant := range sharedIssuers {
		if issuer != shared && !strings.HasPrefix(issuer, shared+"/") {
			continue
		}
		name, names := strings.CutPrefix(literal, tenant)
		switch {
		case tenant == "":
			return rule.Broken("must be literal with this issuer, which others share")
		case !names || strings.Index(name, ":") < 1:
			return rule.Broken("must begin with %sNAME: and have no wildcard in it: others share this issuer", tenant)
		}
	}
	return nil
}

func (j *anyOtherJob) identity() iam.WebIdentity {
	return iam.WebIdentity{Issuer: j.Issuer, Audience: j.Audience, Subjects: j.Subjects}
}
