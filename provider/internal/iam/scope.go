package iam

import (
	"regexp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// A RoleScope is a set of IAM roles: one role, or all whose name and path match a pattern, in which * stands
// for any characters, slashes too, and ? for one. Its zero value is not valid: use [ParseRoleScope].
type RoleScope struct {
	// arn has the role or the pattern, with an empty account and partition for those of the robot itself.
	arn arn
}

const (
	scopeForm = "must be a role's name or a pattern of path and name, such as deploy or cicd/*, or a role's ARN, " +
		"such as arn:aws:iam::123456789012:role/cicd/*"
	anyAccount = "*"
	// rolePrefix begins the last part of the ARN of a role.
	rolePrefix = "role/"
)

var scopeRE = regexp.MustCompile(`^[A-Za-z0-9+=,.@_/*?-]+$`)

// ParseRoleScope reads a set of roles as a caller writes it: as a role's ARN, with wildcards in its path and
// name and with an account or * for any, or without the ARN's head as NAME, PATH/NAME or a pattern of them,
// for roles in the account and partition of the one who is to assume them.
// Sources: "IAM identifiers", section "IAM ARNs"; "IAM JSON policy elements: Resource".
func ParseRoleScope(s string) (RoleScope, error) {
	if !strings.HasPrefix(s, "arn:") {
		if pattern, hasPrefix := strings.CutPrefix(s, rolePrefix); hasPrefix {
			return RoleScope{}, rule.Broken("must not begin with %q, which is no part of a role's name; for a role of the path "+
				"/%s, give its ARN", rolePrefix, rolePrefix).WithHint("%s", rule.DidYouMean(pattern))
		}
		if err := checkRolePattern(s); err != nil {
			return RoleScope{}, err
		}
		return RoleScope{arn{service: "iam", resource: rolePrefix + s}}, nil
	}
	a, ok := parseARN(s)
	if !ok {
		return RoleScope{}, rule.Broken(scopeForm)
	}
	if role, isSession := sessionRole(a); isSession {
		return RoleScope{}, rule.Broken("must name a role: this is a session of one").WithHint("%s", rule.DidYouMean(role))
	}
	pattern, isRole := strings.CutPrefix(a.resource, rolePrefix)
	if !a.isIAM() || !isRole || (a.account != anyAccount && !accountRE.MatchString(a.account)) {
		return RoleScope{}, rule.Broken(scopeForm)
	}
	if err := checkRolePattern(pattern); err != nil {
		return RoleScope{}, err
	}
	return RoleScope{a}, nil
}

// ParseRoleScopes reads several sets of roles.
func ParseRoleScopes(texts []string) ([]RoleScope, error) { return parseAll(texts, ParseRoleScope) }

// parseAll reads each of several texts.
func parseAll[T any](texts []string, parse func(string) (T, error)) ([]T, error) {
	all := make([]T, len(texts))
	for i, s := range texts {
		var err error
		if all[i], err = parse(s); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// sessionRole returns the ARN of the role that a is a session of, if it is one. The ARN of a session does not
// carry the role's path, so that a role with one has another ARN.
func sessionRole(a arn) (role string, ok bool) {
	session, ok := strings.CutPrefix(a.resource, "assumed-role/")
	if !ok || a.service != "sts" {
		return "", false
	}
	name, _, _ := strings.Cut(session, "/")
	return arn{a.partition, "iam", "", a.account, rolePrefix + name}.String(), true
}

// CheckRoleScope reports whether [ParseRoleScope] reads s, and whether users of the account can assume roles of the
// scope, which are in its partition.
func (a *Account) CheckRoleScope(s string) error {
	scope, err := ParseRoleScope(s)
	if err != nil || a == nil || scope.arn.partition == "" {
		return err
	}
	return a.checkPartition(scope.arn)
}

func checkRolePattern(s string) error {
	dir, name := splitName(s)
	switch {
	case len("/"+s) > maxPath+maxRoleName:
		return rule.Broken("must have at most %d characters, as a role's path and name have together", maxPath+maxRoleName-1)
	case !scopeRE.MatchString(s):
		return rule.Broken(scopeForm)
	case strings.HasPrefix(dir, "/"):
		return rule.Broken("must not begin with a slash: it follows \"role/\"").
			WithHint("%s", rule.DidYouMean(strings.TrimLeft(s, "/")))
	case name == "":
		return rule.Broken("must not end with a slash: a path alone names no role").WithHint("%s", rule.DidYouMean(dir+"*"))
	case strings.Contains(dir, "//"):
		return rule.Broken("must not have two slashes in a row")
	case len("/"+dir) > maxPath:
		return rule.Broken("must have a path of at most %d characters", maxPath)
	case len(name) > maxRoleName && !strings.Contains(name, "*"):
		return rule.Broken("must have a role name of at most %d characters", maxRoleName)
	}
	return nil
}

// ResourceIn returns the scope as an element of a policy's Resource, for a user of an account.
func (s RoleScope) ResourceIn(account Account) string {
	a := s.arn
	if a.partition == "" {
		a.partition, a.account = account.Partition, account.Number
	}
	return a.String()
}

// covers reports whether every string that pattern B matches is matched by pattern A as well: what B leaves
// open with a wildcard, A must leave open too. It may miss a case, and never claims one.
func covers(patternA, patternB string) bool {
	a, b := []rune(patternA), []rune(patternB)
	// The classic wildcard match of a against b read as a literal, but that a's ? takes no * of b.
	i, j, star, mark := 0, 0, -1, 0
	for j < len(b) {
		switch {
		case i < len(a) && a[i] == '*':
			star, mark = i, j
			i++
		case i < len(a) && (a[i] == b[j] || (a[i] == '?' && b[j] != '*')):
			i++
			j++
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(string(a[i:]), "*") == ""
}
