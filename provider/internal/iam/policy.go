package iam

import (
	"net/netip"

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
}

// Policy returns the policy document that allows a user of an account what the scope says, and nothing else. The
// document is minimal and deterministic: what another element covers is left out, and the order of elements does not
// matter. It fails for no role, and if the document is larger than IAM takes for a group.
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
	text, err := write(statement{
		Effect:    "Allow",
		Action:    actions,
		Resource:  resources,
		Condition: fromSources(s.Sources),
	})
	if err != nil {
		return "", err
	}
	if len(text) > maxGroupPolicies {
		return "", rule.Broken("must fit into a policy of %d characters, IAM's limit for a group, and this one has %d: "+
			"use patterns such as cicd/*", maxGroupPolicies, len(text))
	}
	return text, nil
}
