// Package iamtest decides on calls as IAM does, for the tests of policies. It shares nothing with what writes them.
package iamtest

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strings"
	"testing"

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
	// Keys are the condition keys that IAM knows of the request.
	Keys map[string]string
}

// A policy is a policy document, and has only what IAM's grammar takes.
type policy struct {
	Version   string
	Statement []struct {
		Effect    string
		Principal *struct {
			AWS       texts
			Federated texts
		}
		Action    texts
		Resource  texts
		Condition map[string]map[string]texts
	}
}

// texts is an element that may be one string or a list.
type texts []string

// UnmarshalJSON reads a string or a list of strings.
func (l *texts) UnmarshalJSON(text []byte) error {
	if text[0] == '[' {
		return json.Unmarshal(text, (*[]string)(l))
	}
	*l = texts{""}
	return json.Unmarshal(text, &(*l)[0])
}

func parse(t testing.TB, text string) (doc policy) {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&doc); err != nil || doc.Version != "2012-10-17" || len(doc.Statement) == 0 {
		t.Fatalf("%s is no policy: %v", text, err)
	}
	return doc
}

// TrustAllows reports whether one statement of a role's trust policy allows the request. There are no others than those
// that allow.
func TrustAllows(t testing.TB, trustPolicy string, r Request) bool {
	t.Helper()
	for _, st := range parse(t, trustPolicy).Statement {
		if st.Effect != "Allow" || st.Principal == nil || st.Resource != nil {
			t.Fatalf("%s has a statement that is none of a trust policy", trustPolicy)
		}
		named := slices.Contains(st.Principal.AWS, r.AWS) || slices.Contains(st.Principal.Federated, r.Federated)
		if named && slices.Contains(st.Action, r.Action) && conditionsHold(t, st.Condition, r.Keys) {
			return true
		}
	}
	return false
}

// IdentityAllows reports whether one statement of a caller's own policy allows the request.
func IdentityAllows(t testing.TB, identityPolicy string, r Request) bool {
	t.Helper()
	for _, st := range parse(t, identityPolicy).Statement {
		if st.Effect != "Allow" || st.Principal != nil || st.Resource == nil {
			t.Fatalf("%s has a statement that is none of an identity's policy", identityPolicy)
		}
		named := slices.ContainsFunc(st.Resource, func(pattern string) bool { return like(pattern, r.Resource) })
		if named && slices.Contains(st.Action, r.Action) && conditionsHold(t, st.Condition, r.Keys) {
			return true
		}
	}
	return false
}

// conditionsHold reports whether each key of each operator holds. A key that the request does not have fails.
// Source: "IAM JSON policy elements: Condition operators".
func conditionsHold(t testing.TB, conditions map[string]map[string]texts, keys map[string]string) bool {
	t.Helper()
	for operator, wanted := range conditions {
		for key, alternatives := range wanted {
			got, there := keys[key]
			if !there || !slices.ContainsFunc(alternatives, func(want string) bool {
				switch operator {
				case "StringEquals":
					return got == want
				case "StringLike", "ArnEquals":
					// An unknown variable makes a value that nothing matches.
					if name, known := keys["aws:username"]; known {
						want = strings.ReplaceAll(want, "${aws:username}", name)
					}
					return !strings.Contains(want, "${") && like(want, got)
				case "IpAddress":
					return netip.MustParsePrefix(want).Contains(netip.MustParseAddr(got))
				}
				t.Fatalf("the evaluator does not know the operator %s", operator)
				return false
			}) {
				return false
			}
		}
	}
	return true
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
	for _, st := range parse(t, trustPolicy).Statement {
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
