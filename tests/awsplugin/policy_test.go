package main

import (
	"net/url"
	"strings"
	"testing"
)

func TestEquivalentPolicies(t *testing.T) {
	statement := func(fields string) string { return `{"Version":"2012-10-17","Statement":[{` + fields + `}]}` }
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"formatting and singles", allowAssume, assumeSpaced, true},
		{"other action", allowAssume, allowTag, false},
		{"account and its root", trustUser, trustNum, true},
		{"order of actions", statement(`"Action":["a:B","a:C"]`), statement(`"Action":["a:C","a:B"]`), true},
		{"more actions", statement(`"Action":["a:B"]`), statement(`"Action":["a:C","a:B"]`), false},
		{"version", `{"Version":"2008-10-17","Statement":[]}`, `{"Version":"2012-10-17","Statement":[]}`, false},
		{"condition", statement(`"Condition":{"Bool":{"aws:X":"true"}}`), statement(`"Condition":{"Bool":{"aws:X":["true"]}}`), true},
		{"other condition", statement(`"Condition":{"Bool":{"aws:X":"true"}}`), statement(`"Condition":{"Bool":{"aws:X":"false"}}`), false},
		{"effect", statement(`"Effect":"Allow"`), statement(`"Effect":"Deny"`), false},
		{"statement twice", `{"Statement":[{"Sid":"a"},{"Sid":"a"}]}`, `{"Statement":[{"Sid":"a"}]}`, false},
		{"order of statements", `{"Statement":[{"Sid":"a"},{"Sid":"b"}]}`, `{"Statement":[{"Sid":"b"},{"Sid":"a"}]}`, true},
		{"not JSON", "x", "y", false},
	} {
		if got := equivalentPolicies(c.a, c.b); got != c.want || equivalentPolicies(c.b, c.a) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestNormalizePolicy(t *testing.T) {
	const want = `{"Version":"2012-10-17","Statement":{"Action":"sts:AssumeRole","Effect":"Allow","Resource":["arn:aws:iam::123456789012:role/*"]}}`
	if got, err := normalizeLegacyPolicy(assumeSpaced); err != nil || got != want {
		t.Errorf("%s %v", got, err)
	}
	if got, err := normalizeLegacyPolicy(`{"Version":"2012-10-17"}`); err != nil || got != `{"Version":"2012-10-17"}` {
		t.Errorf("%s %v", got, err)
	}
}

func TestStoredPolicy(t *testing.T) {
	// The prior text stays while the API's document means the same, and gives way otherwise.
	encoded := url.QueryEscape(trustUser)
	if got, err := storedPolicy(trustNum, encoded, normalizePolicy); err != nil || !strings.Contains(got, `"AWS":["123456789012"]`) {
		t.Errorf("%s %v", got, err)
	}
	for _, prior := range []string{"", trustOther} {
		if got, err := storedPolicy(prior, encoded, normalizePolicy); err != nil || got != trustUser {
			t.Errorf("after %q: %s %v", prior, got, err)
		}
	}
}
