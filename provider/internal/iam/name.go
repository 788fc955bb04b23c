// Package iam holds the rules of AWS Identity and Access Management that this provider relies on: which names, paths,
// tags, ARNs and address ranges IAM takes, and how a policy document is written. It is pure: it knows nothing of Pulumi
// and calls nothing. Every rule looks at the length of a text before anything else, so that a long one costs no time.
package iam

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Limits on names and paths, in characters.
// Source: "IAM and AWS STS quotas", section "IAM and STS character limits".
const (
	maxUserName   = 64
	maxRoleName   = 64
	maxGroupName  = 128
	maxPolicyName = 128
	maxPath       = 512

	maxRoleDescription = 1000
)

// nameCharacters are the characters of IAM names, as they stand in an error.
// Source: "IAM and AWS STS quotas", section "IAM name requirements".
const nameCharacters = "A-Z a-z 0-9 + = , . @ _ -"

var (
	nameRE = regexp.MustCompile(`^[A-Za-z0-9+=,.@_-]*$`)
	pathRE = regexp.MustCompile(`^[A-Za-z0-9+=,.@_/-]*$`)

	roleDescriptionRE = regexp.MustCompile(`^[\x{09}\x{0A}\x{0D}\x{20}-\x{7E}\x{A1}-\x{FF}]*$`)
)

// CheckUserName reports whether s can be the name of an IAM user: 1 to 64 of IAM's name characters.
func CheckUserName(s string) error { return checkName(s, maxUserName) }

// CheckRoleName reports whether s can be the name of an IAM role: 1 to 64 of IAM's name characters.
func CheckRoleName(s string) error { return checkName(s, maxRoleName) }

// CheckGroupName reports whether s can be the name of an IAM group: 1 to 128 of IAM's name characters.
func CheckGroupName(s string) error { return checkName(s, maxGroupName) }

// CheckPolicyName reports whether s can be the name of a policy: 1 to 128 of IAM's name characters. IAM
// takes some more characters for inline policies; the common set keeps the names usable everywhere.
func CheckPolicyName(s string) error { return checkName(s, maxPolicyName) }

// CheckInlinePolicyName reports whether name can be that of an inline policy of a role. That of the policy which
// revokes sessions is taken.
func CheckInlinePolicyName(name string) error {
	if strings.EqualFold(name, RevokedSessionsPolicy) {
		return rule.Broken("must not be %q, which is the policy of revokeSessionsBefore", RevokedSessionsPolicy)
	}
	return CheckPolicyName(name)
}

func checkName(s string, limit int) error {
	switch {
	case s == "":
		return rule.Broken("must not be empty: 1 to %d characters of %s", limit, nameCharacters)
	case utf8.RuneCountInString(s) > limit:
		return rule.Broken("must have at most %d characters", limit)
	case !nameRE.MatchString(s):
		broken := rule.Broken("must consist of the characters %s", nameCharacters)
		if a, isARN := parseARN(s); isARN {
			if _, name := splitName(a.resource); checkName(name, limit) == nil {
				return broken.WithHint("this is an ARN; %s", rule.DidYouMean(name))
			}
		}
		return broken
	}
	return nil
}

// CheckPath reports whether s can be the path of an IAM user, group or role: at most 512 of IAM's name characters
// and slashes, with a slash at both ends.
// Source: "IAM and AWS STS quotas", sections "IAM name requirements" and "IAM and STS character limits".
func CheckPath(s string) error {
	switch {
	case utf8.RuneCountInString(s) > maxPath:
		return rule.Broken("must have at most %d characters", maxPath)
	case !pathRE.MatchString(s):
		return rule.Broken("must consist of slashes and the characters %s", nameCharacters)
	case !strings.HasPrefix(s, "/") || !strings.HasSuffix(s, "/"):
		return rule.Broken("must begin and end with a slash").
			WithHint("%s", rule.DidYouMean(strings.ReplaceAll("/"+s+"/", "//", "/")))
	case strings.Contains(s, "//"):
		return rule.Broken("must not have two slashes in a row")
	}
	return nil
}

// CheckRoleDescription reports whether s can be the description of an IAM role: at most 1,000 characters of
// Latin-1, without control characters but tab and line ends.
// Source: IAM API Reference, "CreateRole", parameter Description.
func CheckRoleDescription(s string) error {
	switch {
	case utf8.RuneCountInString(s) > maxRoleDescription:
		return rule.Broken("must have at most %d characters", maxRoleDescription)
	case !utf8.ValidString(s) || !roleDescriptionRE.MatchString(s):
		return rule.Broken("must consist of the characters of Latin-1, without control characters but tab and line ends")
	}
	return nil
}
