package iam

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// wildcards are the characters with which a value of a condition is a pattern: * for any characters and ? for one.
// Source: "IAM JSON policy elements: Condition operators".
const wildcards = "*?"

// A WebIdentity says which tokens of an OpenID Connect provider may assume a role: those that have all of it.
type WebIdentity struct {
	// Issuer is the URL of the provider, which is the token's claim iss.
	Issuer string
	// Audience is the claim aud.
	Audience string
	// Subjects are patterns of the claim sub, with * and ? as wildcards, at least one. None begins with a wildcard.
	Subjects []string
	// Claims are further claims by their names.
	Claims map[string]string
}

// webIdentityGrants returns the grants of the web identities. Those that only differ in their subjects share one.
func (t Trust) webIdentityGrants() ([]grant, error) {
	merged, err := mergeWebIdentities(t.WebIdentities)
	if err != nil {
		return nil, err
	}
	// They have no user name.
	call, err := namedSessions(slices.DeleteFunc(slices.Clone(t.SessionNames), hasUserName))
	if err != nil {
		return nil, err
	}
	grants := make([]grant, len(merged))
	for i, w := range merged {
		grants[i] = grant{
			principal{Federated: t.Account.OIDCProviderARN(w.Issuer)}, assumeRoleWithWebIdentity,
			fromSources(t.Sources).and(w.conditions()), call,
		}
	}
	return grants, nil
}

// conditions returns the conditions on a token, without which anybody with a token of the issuer could assume the role.
// A key that a token lacks fails both operators, so that a claim need not be asked for twice.
// Source: "IAM and AWS STS condition context keys", section "Available keys for AWS web identity federation".
func (w WebIdentity) conditions() conditions {
	key := func(claim string) string { return strings.TrimPrefix(w.Issuer, "https://") + ":" + claim }
	literal := map[string]oneOrMore{key("aud"): {w.Audience}}
	for claim, value := range w.Claims {
		literal[key(claim)] = oneOrMore{value}
	}
	if !slices.ContainsFunc(w.Subjects, func(s string) bool { return strings.ContainsAny(s, wildcards) }) {
		literal[key("sub")] = w.Subjects
		return conditions{"StringEquals": literal}
	}
	return conditions{"StringEquals": literal, "StringLike": {key("sub"): w.Subjects}}
}

// mergeWebIdentities returns the web identities in order, with one for all that only differ in their subjects, and
// without subjects that others cover.
func mergeWebIdentities(all []WebIdentity) ([]WebIdentity, error) {
	byToken := make(map[string]WebIdentity)
	for _, w := range all {
		if err := w.check(); err != nil {
			return nil, err
		}
		if w.Claims == nil {
			w.Claims = map[string]string{}
		}
		token, err := json.Marshal([]any{w.Issuer, w.Audience, w.Claims}) // JSON has the keys of a map in order.
		if err != nil {
			return nil, err
		}
		w.Subjects, err = minimal(append(slices.Clone(w.Subjects), byToken[string(token)].Subjects...), covers)
		if err != nil {
			return nil, err
		}
		byToken[string(token)] = w
	}
	var merged []WebIdentity
	for _, token := range slices.Sorted(maps.Keys(byToken)) {
		w := byToken[token]
		w.Subjects = slices.DeleteFunc(slices.Clone(w.Subjects), func(subject string) bool {
			for other, wider := range byToken {
				if other != token && wider.coversToken(w) &&
					slices.ContainsFunc(wider.Subjects, func(s string) bool { return covers(s, subject) }) {
					return true
				}
			}
			return false
		})
		if len(w.Subjects) > 0 {
			merged = append(merged, w)
		}
	}
	return merged, nil
}

// coversToken reports whether w asks for nothing that other does not ask for too, the subject aside.
func (w WebIdentity) coversToken(other WebIdentity) bool {
	for claim, value := range w.Claims {
		if got, asked := other.Claims[claim]; !asked || got != value {
			return false
		}
	}
	return w.Issuer == other.Issuer && w.Audience == other.Audience
}

// check reports whether w asks for enough: AWS takes a role that trusts a token by its audience alone, or by a subject
// that begins with a wildcard, and anybody at a shared issuer could assume that.
// Source: IAM User Guide, "Identity-provider controls for shared OIDC providers".
func (w WebIdentity) check() error {
	if w.Issuer == "" || w.Audience == "" || len(w.Subjects) == 0 {
		return rule.Broken("must name the issuer, the audience and the subject of a job's token")
	}
	for _, s := range slices.Concat(w.Subjects, []string{w.Audience}, slices.Collect(maps.Values(w.Claims))) {
		if s == "" || strings.ContainsAny(s[:1], wildcards) || strings.Contains(s, "${") {
			return rule.Broken("must not have a subject or claim that is empty, begins with a wildcard or has a policy variable")
		}
	}
	return nil
}
