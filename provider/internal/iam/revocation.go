package iam

import (
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/clock"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// issueTime is the condition key of the time at which temporary credentials were issued. Requests with an access key do
// not have it. Source: IAM User Guide, "AWS global condition context keys", aws:TokenIssueTime.
const issueTime = "aws:TokenIssueTime"

// withToken holds for every request with temporary credentials, and for no other.
// Source: "IAM JSON policy elements: Condition operators", Null.
var withToken = conditions{"Null": {issueTime: {"false"}}}

// LongestSession is the longest that a session of a role lasts.
// Source: IAM User Guide, "Update the maximum session duration for a role".
const LongestSession = maxSessionDuration * time.Second

// RevokedSessionsPolicy is the name of a role's inline policy that revokes sessions. It is not the name that AWS's
// console gives such a policy, so that neither overwrites the other.
const RevokedSessionsPolicy = "cicd-revoke-sessions"

// denial returns the statement that denies everything under conditions.
func denial(c conditions) statement {
	return statement{Effect: "Deny", Action: oneOrMore{"*"}, Resource: oneOrMore{"*"}, Condition: c}
}

// RevokeTokensPolicy returns the policy that denies everything to all temporary credentials of a user, and nothing to
// the user's access keys.
func RevokeTokensPolicy() (string, error) { return write(denial(withToken)) }

// RevokeIssuedBeforePolicy returns the policy that denies everything to temporary credentials that were issued before a
// time: those of a user or of a role's sessions.
// Source: IAM User Guide, "Revoke IAM role temporary security credentials".
func RevokeIssuedBeforePolicy(t time.Time) (string, error) {
	return write(denial(conditions{"DateLessThan": {issueTime: {clock.WholeSecond(t).Format(time.RFC3339)}}}))
}

// ParseRevocation reads a time before which credentials are revoked. It fails for one that lies ahead of now by more
// than [clock.Skew], which would lock out sessions to come.
func ParseRevocation(s string, now time.Time) (time.Time, error) {
	const form = "must be a time in RFC 3339, such as 2026-11-26T15:30:00Z"
	t, err := time.Parse(time.RFC3339, s)
	switch {
	case err != nil:
		broken := rule.Broken(form)
		if _, err := time.Parse(time.RFC3339, s+"Z"); err == nil {
			return t, broken.WithHint("%s", rule.DidYouMean(s+"Z"))
		}
		return t, broken
	case t.UTC().Year() < 1970:
		return t, rule.Broken(form)
	case t.After(now.Add(clock.Skew)):
		return t, rule.Broken("must not be more than 5 minutes ahead: it would lock out sessions to come; to shut somebody " +
			"out, take them out of trusted or trustedJobs")
	}
	return t, nil
}
