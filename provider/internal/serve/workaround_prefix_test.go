package serve

import (
	"errors"
	"testing"
)

// TestWithoutAwaiting checks that only the SDK's words are taken out of an error.
func TestWithoutAwaiting(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`marshaling properties: awaiting input property "userKeys": the IAM user "x" does not exist`: `the IAM user "x" does not exist`,
		`waiting for RPCs: awaiting input property "a": no`:                                          "waiting for RPCs: no",
		"register the user: no": "register the user: no",
	} {
		if got := withoutAwaiting(errors.New(text)).Error(); got != want {
			t.Errorf("%q gives %q, and not %q", text, got, want)
		}
	}
}
