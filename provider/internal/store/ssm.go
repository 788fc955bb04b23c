package store

import (
	"regexp"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

const (
	// maxLevels is how many names separated by slashes the name of a parameter has at most.
	maxLevels = 15
	// maxParameterName is what is left of the 1,011 characters of a parameter's ARN, after the longest
	// partition, the longest region and the account.
	maxParameterName = 900
)

var (
	parameterPathRE = regexp.MustCompile(`^/[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*$`)
	reservedRE      = regexp.MustCompile(`(?i)^/(aws|ssm)`)
)

// CheckParameterPath reports whether s can be the path of the parameters that [ParameterNames] returns: it begins
// with a slash and does not end with one, and is free of the prefixes that AWS keeps for itself.
// Source: AWS Systems Manager API Reference, "PutParameter".
func CheckParameterPath(s string) error {
	switch {
	case len(s) > maxParameterName:
		return rule.Broken("must have at most 900 characters")
	case !parameterPathRE.MatchString(s):
		return rule.Broken("must be a path such as /cicd/robot: names of A-Z a-z 0-9 _ . -, each after a slash")
	case reservedRE.MatchString(s):
		return rule.Broken("must not begin with /aws or /ssm, which AWS keeps for itself")
	case strings.Count(s, "/") >= maxLevels:
		return rule.Broken("must have at most 14 levels, since a parameter's name has at most 15")
	}
	return nil
}
