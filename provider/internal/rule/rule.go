// Package rule holds the error that a rule on a value returns. It never repeats the value itself, so callers decide
// whether the value may be shown.
package rule

import (
	"fmt"
	"slices"
	"strings"

	"github.com/agext/levenshtein"
)

// A Violation says which rule a value breaks.
type Violation struct {
	// Rule is the rule, in words that follow the value: "must be ...". It holds no part of the value.
	Rule string
	// Hint proposes a correction, or is empty. It may repeat a part of the value: never show it for a secret.
	Hint string
}

// Error returns the rule and, if there is one, the hint.
func (v *Violation) Error() string {
	if v.Hint == "" {
		return v.Rule
	}
	return v.Rule + " (" + v.Hint + ")"
}

// WithHint returns the violation with a hint.
func (v *Violation) WithHint(format string, args ...any) *Violation {
	return &Violation{v.Rule, fmt.Sprintf(format, args...)}
}

// Broken returns a violation of a rule.
func Broken(format string, args ...any) *Violation {
	return &Violation{Rule: fmt.Sprintf(format, args...)}
}

// DidYouMean returns the hint that proposes a value.
func DidYouMean(s string) string { return `did you mean "` + s + `"?` }

// CheckOneOf reports whether s is one of a few words.
func CheckOneOf(s string, words []string) error {
	if slices.Contains(words, s) {
		return nil
	}
	violation := Broken("must be one of %s", strings.Join(words, ", "))
	if meant := Nearest(s, words); meant != "" {
		return violation.WithHint("%s", DidYouMean(meant))
	}
	return violation
}

// Nearest returns the candidate that a misspelt word most likely means, or an empty string.
func Nearest(word string, candidates []string) string {
	const longest = 200     // No candidate is anywhere near as long.
	best, distance := "", 4 // More is no typing error.
	if len(word) > longest {
		return best
	}
	for _, candidate := range candidates {
		d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(candidate), nil)
		if d < distance || (d == distance && candidate < best) {
			best, distance = candidate, d
		}
	}
	return best
}
