// Package iamtest decides on calls as IAM does, for the tests of policies. It shares nothing with what writes them.
package iamtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/internal/sharedissuers"
)

// A Request is what IAM decides on: an action that somebody calls on a resource.
type Request struct {
	// Action is what is called, such as sts:AssumeRole.
	Action string
	// AWS is the account of a caller with credentials, as the ARN that ends in :root, and Federated the ARN of the
	// provider of one with a token. A caller has one of the two.
	AWS, Federated string
	// Resource is the ARN of what the action is called on.
	Resource string
	// Keys are the condition keys that IAM knows of the request. Temporary credentials, and no others, have
	// aws:TokenIssueTime.
	Keys map[string]string
}

// A policy is a policy document, and has only what IAM's grammar takes.
type policy struct {
	Version   string
	Statement []statement
}

type statement struct {
	Sid, Effect string
	Principal   *struct {
		AWS       texts
		Federated texts
	}
	Action, NotAction     texts
	Resource, NotResource texts
	Condition             map[string]map[string]texts
}

// texts is an element that may be one string, one boolean or a list of strings.
type texts []string

// UnmarshalJSON reads it.
func (l *texts) UnmarshalJSON(text []byte) error {
	switch text[0] {
	case '[':
		return json.Unmarshal(text, (*[]string)(l))
	case 't', 'f':
		*l = texts{string(text)}
		return nil
	}
	*l = texts{""}
	return json.Unmarshal(text, &(*l)[0])
}

func parse(text string) (doc policy, err error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil {
		return doc, fmt.Errorf("%s is no policy: %w", text, err)
	}
	if doc.Version != "2012-10-17" || len(doc.Statement) == 0 {
		return doc, fmt.Errorf("%s is no policy", text)
	}
	return doc, nil
}

// TrustAllows reports whether one statement of a role's trust policy allows the request. There are no others than those
// that allow.
func TrustAllows(t testing.TB, trustPolicy string, r Request) bool {
	t.Helper()
	doc, err := parse(trustPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range doc.Statement {
		if st.Effect != "Allow" || st.Principal == nil || st.Resource != nil || st.NotAction != nil {
			t.Fatalf("%s has a statement that is none of a trust policy", trustPolicy)
		}
		named := slices.Contains(st.Principal.AWS, r.AWS) || slices.Contains(st.Principal.Federated, r.Federated)
		holds, err := st.holds(r)
		if err != nil {
			t.Fatal(err)
		}
		if named && holds {
			return true
		}
	}
	return false
}

// Policies are those that decide on a request of a user or of a role's session.
type Policies struct {
	// Identity are the caller's own policies: inline and attached ones, and those of its groups.
	Identity []string
	// Resource is the policy of the resource in the caller's account, such as a bucket's or a role's trust policy, or
	// empty. Its statements name callers by ARN.
	Resource string
}

// Allowed reports whether IAM allows the request.
func Allowed(t testing.TB, p Policies, r Request) bool {
	t.Helper()
	allowed, err := p.Allow(r)
	if err != nil {
		t.Fatal(err)
	}
	return allowed
}

// Allow reports whether IAM allows a request to a resource of the caller's own account: a statement that denies it wins
// over all that allow it, and one that allows it must be among the caller's policies, or name the caller in the
// resource's. Who calls is asked without permission, and cannot be denied.
// Sources: IAM User Guide, "Policy evaluation logic"; AWS STS API Reference, "GetCallerIdentity".
func (p Policies) Allow(r Request) (allowed bool, err error) {
	if r.Action == "sts:GetCallerIdentity" {
		return true, nil
	}
	for _, text := range append([]string{p.Resource}, p.Identity...) {
		if text == "" {
			continue
		}
		doc, err := parse(text)
		if err != nil {
			return false, err
		}
		for _, st := range doc.Statement {
			if st.Principal != nil && !slices.Contains(st.Principal.AWS, r.Keys["aws:PrincipalArn"]) {
				continue
			}
			holds, err := st.holds(r)
			switch {
			case err != nil:
				return false, err
			case !holds:
			case st.Effect == "Deny":
				return false, nil
			case st.Effect == "Allow":
				allowed = true
			default:
				return false, fmt.Errorf("%s has a statement without an effect", text)
			}
		}
	}
	return allowed, nil
}

// holds reports whether a statement is about the request, whoever makes it. Only a trust policy has no resource.
// Sources: "IAM JSON policy elements": Action, NotAction, Resource, NotResource.
func (st statement) holds(r Request) (bool, error) {
	if (st.Action == nil) == (st.NotAction == nil) || (st.Resource != nil && st.NotResource != nil) {
		return false, errors.New("a statement has an element and its negation, or neither")
	}
	// Letter case counts in resources only.
	acts := func(pattern string) bool { return like(strings.ToLower(pattern), strings.ToLower(r.Action)) }
	onto := func(pattern string) bool { return like(pattern, r.Resource) }
	if st.Action != nil && !slices.ContainsFunc(st.Action, acts) || slices.ContainsFunc(st.NotAction, acts) ||
		st.Resource != nil && !slices.ContainsFunc(st.Resource, onto) || slices.ContainsFunc(st.NotResource, onto) {
		return false, nil
	}
	for operator, keys := range st.Condition {
		for key, values := range keys {
			if holds, err := conditionHolds(operator, key, values, r.Keys); !holds || err != nil {
				return false, err
			}
		}
	}
	return true, nil
}

// conditionHolds reports whether a condition on one key holds: for one of its values, or, where the operator is
// negated, for none. A key that the request does not have matches no value. Null asks only whether it is there.
// Source: "IAM JSON policy elements: Condition operators".
func conditionHolds(operator, key string, values texts, keys map[string]string) (bool, error) {
	got, there := "", false
	for name, value := range keys {
		if strings.EqualFold(name, key) {
			got, there = value, true
		}
	}
	if operator == "Null" {
		if len(values) != 1 || (values[0] != "true" && values[0] != "false") {
			return false, fmt.Errorf("%s is no value of Null", values)
		}
		return there == (values[0] == "false"), nil
	}
	positive, negated := strings.CutPrefix(operator, "Not")
	matches, known := operators[positive]
	if !known {
		return false, fmt.Errorf("the evaluator does not know the operator %s", operator)
	}
	matched := there && slices.ContainsFunc(values, func(want string) bool { return matches(want, got, keys) })
	return matched != negated, nil
}

// operators report whether what the request has matches a value of a condition. A value that is malformed matches
// nothing.
var operators = map[string]func(want, got string, keys map[string]string) bool{
	"StringEquals": func(want, got string, _ map[string]string) bool { return got == want },
	"StringLike":   likeWithVariables,
	"ArnEquals":    likeWithVariables,
	"IpAddress": func(want, got string, _ map[string]string) bool {
		within, err := netip.ParsePrefix(want)
		address, err2 := netip.ParseAddr(got)
		return err == nil && err2 == nil && within.Contains(address)
	},
	"DateLessThan": func(want, got string, _ map[string]string) bool {
		limit, err := time.Parse(time.RFC3339, want)
		at, err2 := time.Parse(time.RFC3339, got)
		return err == nil && err2 == nil && at.Before(limit)
	},
}

// likeWithVariables is like, where an unknown variable makes a value that nothing matches.
func likeWithVariables(want, got string, keys map[string]string) bool {
	if name, known := keys["aws:username"]; known {
		want = strings.ReplaceAll(want, "${aws:username}", name)
	}
	return !strings.Contains(want, "${") && like(want, got)
}

// like reports whether s matches a pattern with * for any characters and ? for one.
func like(pattern, s string) bool { return likeRunes([]rune(pattern), []rune(s)) }

func likeRunes(pattern, s []rune) bool {
	switch {
	case len(pattern) == 0:
		return len(s) == 0
	case pattern[0] == '*':
		return likeRunes(pattern[1:], s) || (len(s) > 0 && likeRunes(pattern, s[1:]))
	default:
		return len(s) > 0 && (pattern[0] == '?' || pattern[0] == s[0]) && likeRunes(pattern[1:], s[1:])
	}
}

// RefusedByAWS returns why AWS would refuse to make a role with the trust policy: the condition keys by which a
// statement must tell the tenants of a shared provider apart, and does not.
// Source: IAM User Guide, "Identity-provider controls for shared OIDC providers".
func RefusedByAWS(t testing.TB, trustPolicy string) (missing []string) {
	t.Helper()
	doc, err := parse(trustPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for _, st := range doc.Statement {
		if st.Principal == nil || st.Principal.Federated == nil {
			continue
		}
		_, issuer, _ := strings.Cut(st.Principal.Federated[0], ":oidc-provider/")
		if key := sharedissuers.Missing(issuer, st.Condition); key != "" {
			missing = append(missing, key)
		}
	}
	return missing
}
