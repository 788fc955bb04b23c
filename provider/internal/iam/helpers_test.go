package iam

import "net/netip"

// formOnly checks the form of values, without an account.
var formOnly *Account

// assumeRolePolicy returns the policy of a robot of the account [here].
func assumeRolePolicy(scopes, sources []string, tags bool) (string, error) {
	roles, err := ParseRoleScopes(scopes)
	if err != nil {
		return "", err
	}
	ranges, err := ParseCIDRs(sources)
	if err != nil {
		return "", err
	}
	return Scope{Roles: roles, Sources: ranges, SessionTags: tags}.Policy(here)
}

// ranges returns ranges of addresses that are right.
func ranges(texts ...string) []netip.Prefix {
	all, err := ParseCIDRs(texts)
	if err != nil {
		panic(err)
	}
	return all
}
