// Package rule holds the error that a rule on a value returns. It never repeats the value itself, so callers decide
// whether the value may be shown.
package rule

import "fmt"

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
