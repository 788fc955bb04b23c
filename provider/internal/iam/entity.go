package iam

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// An Entity is a user, group or role that exists, or an OpenID Connect provider, whose name is its issuer.
type Entity struct {
	// Kind is what IAM calls it.
	Kind string
	// Path and Name are as IAM has them.
	Path, Name string
	ARN        string
	// Members are the users of a group.
	Members []string
}

// ParseEntity returns the user, group or role that has an ARN. Of the name, the ARN tells the letter case that IAM has,
// in which calls need not spell it. Source: IAM User Guide, "IAM identifiers" and "IAM and AWS STS quotas".
func ParseEntity(kind, s string) (Entity, error) {
	a, ok := parseARN(s)
	_, rest, isNamed := strings.Cut(a.resource, "/")
	path, name := splitName("/" + rest)
	if !ok || !isNamed || !a.isIAM() || name == "" {
		return Entity{}, fmt.Errorf("the ARN %q is not that of a %s", s, kind)
	}
	return Entity{Kind: kind, Path: path, Name: name, ARN: s}, nil
}

// CheckAdoptedName reports whether a name is that of the entity, letter by letter.
func (e Entity) CheckAdoptedName(name string) error {
	if name != e.Name {
		return rule.Broken("must be %q, the name of the %s that is adopted: IAM does not tell the two apart, and a change "+
			"of the case replaces the %[2]s", e.Name, e.Kind)
	}
	return nil
}

// CheckAdoptedPath reports whether a path, by default a slash, is that of the entity, which is of a kind that AWS
// cannot move.
func (e Entity) CheckAdoptedPath(path string) error {
	if cmp.Or(path, "/") != e.Path {
		return rule.Broken("must be %q, the path of the %s that is adopted: AWS cannot move a %[2]s, so that another path "+
			"replaces it", e.Path, e.Kind)
	}
	return nil
}

// CheckAdoptedMembers reports whether nobody but one user is in the group.
func (e Entity) CheckAdoptedMembers(user string) error {
	const most = 5
	var others []string
	for _, member := range e.Members {
		if !strings.EqualFold(member, user) {
			others = append(others, fmt.Sprintf("%q", member))
		}
	}
	if len(others) == 0 {
		return nil
	}
	slices.Sort(others)
	if more := len(others) - most; more > 0 {
		others = append(others[:most], fmt.Sprintf("%d more", more))
	}
	last := len(others) - 1
	named := others[last]
	if last > 0 {
		named = strings.Join(others[:last], ", ") + " and " + named
	}
	return rule.Broken("must be a group without other members, and has %s, whom this update would take out; name a group "+
		"for the robot alone, such as one that \"aws iam create-group\" makes", named)
}
