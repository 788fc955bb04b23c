// Package iam holds the rules of AWS Identity and Access Management that this provider relies on: which
// names, paths, tags, ARNs and address ranges IAM takes, and how a policy document is written. It is pure:
// it knows nothing of Pulumi and calls nothing.
//
// A value that breaks a rule is answered with a [*Violation], which never repeats the value itself, so that
// callers decide whether the value may be shown.
package iam

import "fmt"

// Violation says which rule a value breaks.
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

func violationf(format string, args ...any) error {
	return &Violation{Rule: fmt.Sprintf(format, args...)}
}

func hinted(hint, rule string) error {
	return &Violation{Rule: rule, Hint: hint}
}
