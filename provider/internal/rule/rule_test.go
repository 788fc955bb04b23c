package rule

import (
	"slices"
	"strings"
	"testing"
)

// TestNearest checks which words are taken for typing errors.
func TestNearest(t *testing.T) {
	t.Parallel()
	words := []string{"Sid", "userName", "groupName", "StringEquals", "StringLike"}
	for word, want := range map[string]string{
		"username": "userName", "usrNam": "userName", "StringEqual": "StringEquals", "sd": "Sid", "groupname": "groupName",
		"": "", "x": "", "Foo": "", "accountColour": "", "StringEqualsIfExist": "", strings.Repeat("a", 1<<20): "",
	} {
		if got := Nearest(word, slices.Values(words)); got != want {
			t.Errorf("%.30q is taken for %q, and not for %q", word, got, want)
		}
	}
	// Of two that are as near, it is always the same one.
	for _, words := range [][]string{{"aab", "aac"}, {"aac", "aab"}} {
		if got := Nearest("aaa", slices.Values(words)); got != "aab" {
			t.Errorf("of %v, it is %q", words, got)
		}
	}
}
