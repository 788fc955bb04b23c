package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// Canonical returns a policy document in the form in which equal ones are the same text.
func Canonical(t *testing.T, document string) string {
	t.Helper()
	text, err := lab.Canonical(document)
	Check(t, err)
	return text
}

// Account returns what the account of a lab holds.
func Account(t *testing.T, l *lab.Lab) *lab.Contents {
	t.Helper()
	a, err := l.Contents(context.WithoutCancel(t.Context()))
	Check(t, err)
	return a
}

// Check fails the test if there is an error.
func Check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Pretty returns the JSON of a value, indented.
func Pretty(t *testing.T, v any) string {
	t.Helper()
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	Check(t, enc.Encode(v))
	return text.String()
}

// Same checks that two values have the same JSON.
func Same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := Pretty(t, got), Pretty(t, want); g != w {
		t.Errorf("%s: got\n%snot\n%s", what, g, w)
	}
}

// SamePolicy checks that two policy documents mean the same to IAM.
func SamePolicy(t *testing.T, got, want string) {
	t.Helper()
	if g, w := Canonical(t, got), Canonical(t, want); g != w {
		t.Errorf("the policy is\n%s\nand not\n%s", g, w)
	}
}
