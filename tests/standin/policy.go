package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// policyInput is a policy document as Check stores it: a string stays as it is, an object becomes JSON. A
// document with an unknown part is unknown as a whole, one with a secret part is secret as a whole.
func policyInput(v property.Value) (property.Value, error) {
	var out property.Value
	switch {
	case v.HasComputed():
		out = property.New(property.Computed)
	case v.IsString():
		return v, nil
	case v.IsMap():
		encoded, err := json.Marshal(goValue(v))
		if err != nil {
			return v, errors.New("the policy document cannot be encoded as JSON")
		}
		out = property.New(string(encoded))
	default:
		return v, fmt.Errorf("expected %s, got %s", kindPolicy, typeName(v))
	}
	return out.WithSecret(v.HasSecrets()), nil
}

// goValue is v as encoding/json encodes it.
func goValue(v property.Value) any {
	switch {
	case v.IsBool():
		return v.AsBool()
	case v.IsNumber():
		return v.AsNumber()
	case v.IsString():
		return v.AsString()
	case v.IsArray():
		out := make([]any, 0, v.AsArray().Len())
		for _, e := range v.AsArray().All {
			out = append(out, goValue(e))
		}
		return out
	case v.IsMap():
		out := map[string]any{}
		for k, e := range v.AsMap().All {
			out[k] = goValue(e)
		}
		return out
	default:
		return nil
	}
}

// validatePolicy refuses what is not a JSON object, without repeating any of it.
func validatePolicy(document string) error {
	var m map[string]any
	if err := json.Unmarshal([]byte(document), &m); err != nil {
		return errors.New("contains an invalid JSON policy: it must be a JSON object")
	}
	return nil
}

// normalizePolicy is the document in Terraform's normal form: without white space and with sorted keys.
func normalizePolicy(document string) (string, error) {
	var m map[string]any
	if err := json.Unmarshal([]byte(document), &m); err != nil {
		return "", fmt.Errorf("normalizing the policy document: %w", err)
	}
	encoded, err := json.Marshal(m)
	return string(encoded), err
}

// normalizeLegacyPolicy is normalizePolicy with Version as the first key, which inline policies need: IAM's
// legacy parser refuses a document with Version elsewhere.
func normalizeLegacyPolicy(document string) (string, error) {
	normal, err := normalizePolicy(document)
	if err != nil {
		return "", err
	}
	var m map[string]json.RawMessage
	if err := json.Unmarshal([]byte(normal), &m); err != nil {
		return "", fmt.Errorf("normalizing the policy document: %w", err)
	}
	version, ok := m["Version"]
	if !ok || string(version) != `"2012-10-17"` {
		return normal, nil
	}
	delete(m, "Version")
	rest, err := json.Marshal(m)
	if err != nil || len(m) == 0 {
		return normal, err
	}
	return `{"Version":` + string(version) + "," + strings.TrimPrefix(string(rest), "{"), nil
}

// storedPolicy is the state's policy after the API answered encoded for it: the prior document while the two
// are equivalent, so that another formatting is no drift, and else the API's, both in normal form.
func storedPolicy(prior, encoded string, normalize func(string) (string, error)) (string, error) {
	decoded, err := url.QueryUnescape(encoded)
	if err != nil {
		return "", fmt.Errorf("decoding the policy document: %w", err)
	}
	if prior != "" && equivalentPolicies(prior, decoded) {
		return normalize(prior)
	}
	return normalize(decoded)
}

// equivalentPolicies says whether IAM reads a and b alike: the order of keys, statements, actions and the like
// and white space do not matter, and a single string is a list of one.
func equivalentPolicies(a, b string) bool {
	if a == b {
		return true
	}
	da, errA := canonicalPolicy(a)
	db, errB := canonicalPolicy(b)
	return errA == nil && errB == nil && reflect.DeepEqual(da, db)
}

// canonicalPolicy is a form of the document in which equivalent documents are equal.
func canonicalPolicy(document string) (map[string]any, error) {
	var m map[string]any
	if err := json.Unmarshal([]byte(document), &m); err != nil {
		return nil, err
	}
	var statements []any
	switch s := m["Statement"].(type) {
	case []any:
		statements = s
	case map[string]any:
		statements = []any{s}
	case nil:
		return m, nil
	default:
		return nil, errors.New("Statement is neither an object nor a list") //nolint:staticcheck // A key of the policy.
	}
	forms := make([]string, 0, len(statements))
	for _, s := range statements {
		statement, ok := s.(map[string]any)
		if !ok {
			return nil, errors.New("a statement is not an object")
		}
		encoded, err := json.Marshal(canonicalStatement(statement))
		if err != nil {
			return nil, err
		}
		forms = append(forms, string(encoded))
	}
	// The count is compared as well, because the sorted forms lose duplicates.
	m["Statement"] = []any{len(forms), sorted(forms)}
	return m, nil
}

func canonicalStatement(statement map[string]any) map[string]any {
	out := map[string]any{}
	for key, value := range statement {
		switch key {
		case "Sid":
			if value != "" {
				out[key] = value
			}
		case "Effect":
			effect, _ := value.(string)
			out[key] = strings.ToLower(effect)
		case "Action", "NotAction", "Resource", "NotResource":
			out[key] = canonicalStrings(value, nil)
		case "Principal", "NotPrincipal":
			if principals, ok := value.(map[string]any); ok {
				byType := map[string]any{}
				for kind, p := range principals {
					byType[kind] = canonicalStrings(p, canonicalPrincipal)
				}
				out[key] = byType
			} else {
				out[key] = value
			}
		case "Condition":
			operators, _ := value.(map[string]any)
			byOperator := map[string]any{}
			for operator, block := range operators {
				keys, _ := block.(map[string]any)
				byKey := map[string]any{}
				for k, v := range keys {
					byKey[k] = canonicalStrings(v, nil)
				}
				byOperator[operator] = byKey
			}
			out[key] = byOperator
		default:
			out[key] = value
		}
	}
	return out
}

// canonicalStrings is a string or a list of strings as a sorted list; anything else stays as it is.
func canonicalStrings(value any, each func(string) string) any {
	if s, ok := value.(string); ok {
		value = []any{s}
	}
	list, ok := value.([]any)
	if !ok {
		return value
	}
	out := make([]string, 0, len(list))
	for _, e := range list {
		s, ok := e.(string)
		if !ok {
			return value
		}
		if each != nil {
			s = each(s)
		}
		out = append(out, s)
	}
	return sorted(out)
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// canonicalPrincipal is the account's number for its root ARN, since IAM turns the one into the other.
func canonicalPrincipal(principal string) string {
	if parsed, err := arn.Parse(principal); err == nil &&
		parsed.Service == "iam" && parsed.Resource == "root" && accountID.MatchString(parsed.AccountID) {
		return parsed.AccountID
	}
	return principal
}
