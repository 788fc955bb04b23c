package iam

import "time"

// issueTime is the condition key of the time at which temporary credentials were issued. Requests with an access key do
// not have it. Source: IAM User Guide, "AWS global condition context keys", aws:TokenIssueTime.
const issueTime = "aws:TokenIssueTime"

// withToken holds for every request with temporary credentials, and for no other.
// Source: "IAM JSON policy elements: Condition operators", Null.
var withToken = conditions{"Null": {issueTime: {"false"}}}

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
	return write(denial(conditions{"DateLessThan": {issueTime: {wholeSecond(t).Format(time.RFC3339)}}}))
}

// wholeSecond returns a time in UTC, rounded up: credentials of a later part of its second say that they were issued
// when the second began.
func wholeSecond(t time.Time) time.Time {
	return t.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second)
}
