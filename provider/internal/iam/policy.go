package iam

import (
	"net/netip"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// maxGroupPolicies is the limit on all inline policies of one group together, in characters without white space.
// Source: "IAM and AWS STS quotas", section "IAM and STS character limits".
const maxGroupPolicies = 5120

// Bounds of the inputs that a group's policy is made of: no more of the shortest role and of the shortest range of
// addresses, written as elements of a list, fit into it.
const (
	MaxScopes       = maxGroupPolicies / len(`"arn:aws:iam::*:role/x",`)
	MaxScopeSources = maxGroupPolicies / len(`"::/0",`)
)

// A Scope is what a robot may do: assume roles.
type Scope struct {
	// Roles are the roles.
	Roles []RoleScope
	// Sources are the ranges of addresses that calls may come from; none for any.
	Sources []netip.Prefix
	// SessionTags reports whether the robot may tag its sessions.
	SessionTags bool
	// Confine reports whether the robot can do nothing else, whatever other policies allow it.
	Confine bool
}

// Policy returns the policy document that allows a user of an account what the scope says, and nothing else; with
// Confine, it also denies everything else. The document is minimal and deterministic: what another element covers is
// left out, and the order of elements does not matter. It fails for no role, and if the document is larger than IAM
// takes for a group.
func (s Scope) Policy(account Account) (string, error) {
	if len(s.Roles) == 0 {
		return "", rule.Broken("must name at least one role: a policy on none is malformed")
	}
	resources := make([]string, len(s.Roles))
	for i, scope := range s.Roles {
		resources[i] = scope.ResourceIn(account)
	}
	resources, err := minimal(resources, covers)
	if err != nil {
		return "", err
	}
	actions := oneOrMore{assumeRole}
	if s.SessionTags {
		actions = append(actions, tagSession)
	}
	statements := []statement{{
		Effect:    "Allow",
		Action:    actions,
		Resource:  resources,
		Condition: fromSources(s.Sources),
	}}
	if s.Confine {
		statements = append(statements, s.confinement(actions, resources)...)
	}
	text, err := write(statements...)
	if err != nil {
		return "", err
	}
	if len(text) > maxGroupPolicies {
		return "", s.tooLarge(len(text), resources)
	}
	return text, nil
}

// confinement returns the statements that deny everything but the actions on the resources, with an access key and from
// the sources. A denial wins over whatever else allows a call: other policies of the user and of its groups, and a
// resource's own. Temporary credentials made with the key are denied everything, since they outlive the key. Only
// sts:GetCallerIdentity cannot be denied.
// Sources: IAM User Guide, "Policy evaluation logic" and "AWS global condition context keys", aws:TokenIssueTime; "IAM
// JSON policy elements", NotAction and NotResource; AWS STS API Reference, "GetCallerIdentity".
func (s Scope) confinement(actions, resources oneOrMore) []statement {
	all := []statement{
		{Effect: "Deny", NotAction: actions, Resource: oneOrMore{"*"}},
		{Effect: "Deny", Action: actions, NotResource: resources},
		denial(withToken),
	}
	if len(s.Sources) > 0 {
		all = append(all, denial(conditions{"NotIpAddress": {sourceIP: minimalRanges(s.Sources)}}))
	}
	return all
}

// tooLarge returns the error for a policy that does not fit into a group.
func (s Scope) tooLarge(size int, resources oneOrMore) error {
	room := func(elements oneOrMore) int { return len(strings.Join(elements, `"",`)) }
	roles, sources, twice := room(resources), room(minimalRanges(s.Sources)), ""
	if s.Confine {
		roles, sources, twice = 2*roles, 2*sources, ", each written twice for confine"
	}
	return rule.Broken("must fit into a policy of %d characters, IAM's limit for a group, and this one has %d: its roles "+
		"take some %d and its ranges of addresses some %d%s; use patterns such as cicd/*", maxGroupPolicies, size, roles,
		sources, twice)
}
