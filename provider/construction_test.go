package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// TestUnknownInAnUpdate checks what becomes of inputs that are unknown in an update, because the resource that they
// come from is skipped: they stay unknown, the component does not depend on that resource, which the state does not
// have, and no child is created or updated.
func TestUnknownInAnUpdate(t *testing.T) {
	t.Parallel()
	const (
		skipped = "urn:pulumi:stack::project::aws:iam/role:Role::skipped"
		other   = "urn:pulumi:stack::project::aws:iam/role:Role::other"
	)
	unknown := resource.MakeComputed(resource.NewProperty(""))
	list := resource.NewProperty([]resource.PropertyValue{unknown})
	for _, tt := range []struct {
		component, input string
		value            resource.PropertyValue
		// child has the unknown property.
		child, property string
	}{
		{robotAccountToken, "assumableRoles", unknown, "aws:iam/groupPolicy:GroupPolicy", "policy"},
		{robotAccountToken, "assumableRoles", list, "aws:iam/groupPolicy:GroupPolicy", "policy"},
		{robotAccountToken, "sourceIps", resource.NewProperty(resource.Output{}), "aws:iam/groupPolicy:GroupPolicy", "policy"},
		{robotAccountToken, "tags", resource.NewProperty(resource.PropertyMap{"a": unknown}), "aws:iam/user:User", "tags"},
		{robotAccountToken, "userName", unknown, "aws:iam/user:User", "name"},
		{robotAccountToken, "permissionsBoundary", unknown, "aws:iam/user:User", "permissionsBoundary"},
		{deploymentRoleToken, "trusted", unknown, "aws:iam/role:Role", "assumeRolePolicy"},
		{deploymentRoleToken, "trusted", list, "aws:iam/role:Role", "assumeRolePolicy"},
		{deploymentRoleToken, "sessionNames", resource.NewProperty(resource.Output{}), "aws:iam/role:Role", "assumeRolePolicy"},
		{deploymentRoleToken, "externalId", unknown, "aws:iam/role:Role", "assumeRolePolicy"},
		{deploymentRoleToken, "managedPolicyArns", list, "aws:iam/rolePolicyAttachment:RolePolicyAttachment", "policyArn"},
		{
			deploymentRoleToken, "inlinePolicies", resource.NewProperty(resource.PropertyMap{"x": unknown}),
			"aws:iam/rolePolicy:RolePolicy", "policy",
		},
		{
			deploymentRoleToken, "inlinePolicies", resource.NewProperty(resource.PropertyMap{"x": document(unknown)}),
			"aws:iam/rolePolicy:RolePolicy", "policy",
		},
		{accessKeyToken, "userName", unknown, journalToken, "userName"},
		{accessKeyToken, "ssmPath", unknown, journalToken, "ssmPath"},
	} {
		tp := startProvider(t)
		var req *pulumirpc.ConstructRequest
		switch inputs := (resource.PropertyMap{resource.PropertyKey(tt.input): tt.value}); tt.component {
		case deploymentRoleToken:
			req = tp.roleRequest(t, inputs)
		case accessKeyToken:
			req = tp.keyRequest(t, map[string]resource.PropertyValue{tt.input: tt.value})
		default:
			req = tp.robotRequest(t, inputs)
		}
		req.Dependencies = []string{other, skipped}
		req.InputDependencies = map[string]*pulumirpc.ConstructRequest_PropertyDependencies{tt.input: {Urns: []string{skipped}}}
		resp, err := tp.Construct(t.Context(), req)
		check(t, err)
		if !tp.child(t, tt.child)[resource.PropertyKey(tt.property)].ContainsUnknowns() {
			t.Errorf("%s: %s of %s is known", tt.input, tt.property, tt.child)
		}
		for _, r := range tp.registered() {
			hooks := r.GetHooks()
			guarded := len(hooks.GetBeforeCreate()) > 0 && len(hooks.GetBeforeUpdate()) > 0
			if guarded != r.GetCustom() {
				t.Errorf("%s: a guard of %s: %v", tt.input, r.GetType(), guarded)
			}
			if !r.GetCustom() && !slices.Equal(r.GetDependencies(), []string{other}) {
				t.Errorf("%s: the component depends on %v", tt.input, r.GetDependencies())
			}
		}
		for name, v := range unmarshal(t, resp.GetState()) {
			if v.IsComputed() {
				t.Errorf("%s: the output %s is unknown, and no output value", tt.input, name)
			}
		}
	}
}

// TestUnknownListsInAnUpdate checks that a list or map of which each element is a child must not be unknown as a whole
// in an update, which would delete the children.
func TestUnknownListsInAnUpdate(t *testing.T) {
	t.Parallel()
	for _, input := range []string{managedPoliciesInput, inlinePoliciesInput} {
		tp := startProvider(t)
		_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
			resource.PropertyKey(input): resource.MakeComputed(resource.NewProperty("")),
		}))
		if err == nil || !strings.Contains(err.Error(), input+": must not be unknown as a whole in an update") {
			t.Errorf("%s: the error is %v", input, err)
		}
	}
}
