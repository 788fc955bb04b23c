// Package rule holds the error that a rule on a value returns. It never repeats the value itself, so callers decide
// whether the value may be shown.
package rule

import (
	"fmt"
	"iter"
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

// WithoutHint returns the violation without its hint.
func (v *Violation) WithoutHint() *Violation { return &Violation{Rule: v.Rule} }

// Broken returns a violation of a rule.
func Broken(format string, args ...any) *Violation {
	return &Violation{Rule: fmt.Sprintf(format, args...)}
}

// Nearest returns the candidate that a misspelt word most likely means, or an empty string.
func Nearest(word string, candidates iter.Seq[string]) string {
	const (
		longest = 200 // No candidate is nearly as long, and comparing takes the product of the lengths.
		most    = 3   // More is no typing error.
	)
	best, distance := "", min(most, len(word)/2)+1
	if len(word) > longest {
		return best
	}
	for candidate := range candidates {
		d := levenshtein.Distance(strings.ToLower(word), strings.ToLower(candidate), nil)
		if d < distance || (d == distance && candidate < best) {
			best, distance = candidate, d
		}
	}
	return best
}

// DidYouMean returns the hint that proposes a value.
func DidYouMean(s string) string { return `did you mean "` + s + `"?` }

// CheckOneOf reports whether s is one of a few words.
func CheckOneOf(s string, words []string) error {
	if slices.Contains(words, s) {
		return nil
	}
	violation := Broken("must be one of %s", strings.Join(words, ", "))
	if meant := Nearest(s, slices.Values(words)); meant != "" {
		return violation.WithHint("%s", DidYouMean(meant))
	}
	return violation
}
