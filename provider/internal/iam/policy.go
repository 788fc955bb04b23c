package iam

// maxGroupPolicies is the limit on all inline policies of one group together, in characters without white space.
// Source: "IAM and AWS STS quotas", section "IAM and STS character limits".
const maxGroupPolicies = 5120

// AssumeRolePolicy returns the policy document that allows a user of the account of id to assume the roles of
// the scopes, as [ParseRoleScope] reads them, and nothing else; with sources, which are as [CheckCIDR] says,
// from these addresses only. The document is minimal and deterministic: what another element covers is left
// out, and the order of scopes and sources does not matter. It fails for a scope or a source that is malformed,
// for no scope at all, and if the document is larger than IAM takes for a group.
func AssumeRolePolicy(id Identity, scopes, sources []string, tags bool) (string, error) {
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
	condition, err := fromSources(sources)
	if err != nil {
		return "", err
	}
	actions := oneOrMore{assumeRole}
	if tags {
		actions = append(actions, tagSession)
	}
	text, err := write(statement{
		Effect:    "Allow",
		Action:    actions,
		Resource:  minimal(resources, covers),
		Condition: condition,
	})
	if err != nil {
		return "", err
	}
	if len(text) > maxGroupPolicies {
		return "", violationf("must fit into a policy of %d characters, IAM's limit for a group, and this one has %d: "+
			"use patterns such as cicd/*", maxGroupPolicies, len(text))
	}
	return text, nil
}
