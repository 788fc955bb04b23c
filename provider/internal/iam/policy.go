package iam

import (
	"encoding/json"
	"net/netip"
	"slices"
)

// maxGroupPolicies is the limit on all inline policies of one group together, in characters without white space.
// Source: "IAM and AWS STS quotas", section "IAM and STS character limits".
const maxGroupPolicies = 5120

// policyVersion is the current version of the policy language.
// Source: "IAM JSON policy elements: Version".
const policyVersion = "2012-10-17"

// document is a policy document. Its fields are in the order of IAM's grammar, so that its JSON is too.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Action    oneOrMore
	Resource  oneOrMore
	Condition map[string]map[string]oneOrMore `json:",omitempty"`
}

// oneOrMore is a list that, as IAM's grammar has it, is written as a plain string where it has one element.
type oneOrMore []string

// MarshalJSON writes the list, or its only element.
func (l oneOrMore) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]string(l))
}

// AssumeRolePolicy returns the policy document that allows a user of the account of id to assume the roles of
// the scopes, as [ParseRoleScope] reads them, and nothing else; with sources, which are as [CheckCIDR] says,
// from these addresses only. The document is minimal and deterministic: what another element covers is left
// out, and the order of scopes and sources does not matter. It fails for a scope or a source that is malformed,
// for no scope at all, and if the document is larger than IAM takes for a group.
func AssumeRolePolicy(id Identity, scopes, sources []string) (string, error) {
	if len(scopes) == 0 {
		return "", violationf("must name at least one role: a policy on none is malformed")
	}
	resources := make([]string, len(scopes))
	for i, s := range scopes {
		scope, err := ParseRoleScope(s)
		if err != nil {
			return "", err
		}
		resources[i] = scope.ResourceFor(id)
	}
	st := statement{
		Effect:   "Allow",
		Action:   oneOrMore{"sts:AssumeRole"},
		Resource: minimal(resources, covers),
	}
	if len(sources) > 0 {
		ranges := make([]string, len(sources))
		for i, s := range sources {
			prefix, err := parseCIDR(s)
			if err != nil {
				return "", err
			}
			ranges[i] = prefix.String()
		}
		st.Condition = map[string]map[string]oneOrMore{
			"IpAddress": {"aws:SourceIp": minimal(ranges, coversRange)},
		}
	}
	text, err := json.Marshal(document{Version: policyVersion, Statement: []statement{st}})
	if err != nil {
		return "", err
	}
	if len(text) > maxGroupPolicies {
		return "", violationf("must fit into a policy of %d characters, IAM's limit for a group, and this one has %d: "+
			"use patterns such as cicd/*", maxGroupPolicies, len(text))
	}
	return string(text), nil
}

// minimal returns the elements in order, each once, without those that another one covers.
func minimal(elements []string, covers func(a, b string) bool) []string {
	all := slices.Compact(slices.Sorted(slices.Values(elements)))
	return slices.DeleteFunc(slices.Clone(all), func(b string) bool {
		return slices.ContainsFunc(all, func(a string) bool {
			// Of two patterns that cover each other, such as * and **, the first one stays.
			return a != b && covers(a, b) && (!covers(b, a) || a < b)
		})
	})
}

func coversRange(a, b string) bool {
	outer, inner := netip.MustParsePrefix(a), netip.MustParsePrefix(b)
	return outer.Bits() <= inner.Bits() && outer.Contains(inner.Addr())
}
