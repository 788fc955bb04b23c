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
		{
			deploymentRoleToken, trustedJobsInput, resource.NewProperty([]resource.PropertyValue{resource.NewProperty(
				resource.PropertyMap{"github": resource.NewProperty(resource.PropertyMap{
					"repository": unknown, "branch": resource.NewProperty("main"),
				})})}),
			"aws:iam/role:Role", "assumeRolePolicy",
		},
		{oidcProviderToken, "audiences", list, childOidcProviderType, "clientIdLists"},
		{accessKeyToken, "userName", unknown, journalToken, "userName"},
		{accessKeyToken, "ssmPath", unknown, journalToken, "ssmPath"},
	} {
		tp := startProvider(t)
		var req *pulumirpc.ConstructRequest
		switch inputs := (resource.PropertyMap{resource.PropertyKey(tt.input): tt.value}); tt.component {
		case deploymentRoleToken:
			req = tp.roleRequest(t, inputs)
		case oidcProviderToken:
			req = tp.oidcRequest(t, inputs)
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
			if !r.GetCustom() && !slices.Equal(r.GetDependencies(), []string{other}) ||
				slices.Contains(r.GetDependencies(), skipped) {
				t.Errorf("%s: %s depends on %v", tt.input, r.GetType(), r.GetDependencies())
			}
			for property, on := range r.GetPropertyDependencies() {
				if slices.Contains(on.GetUrns(), skipped) {
					t.Errorf("%s: %s of %s depends on %v", tt.input, property, r.GetType(), on)
				}
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

// TestDefaultTagsOfTheProvider checks tags beside those that the AWS provider puts on every resource: the component's
// own default yields to them, and a tag that differs from one only by case is an error that names both.
func TestDefaultTagsOfTheProvider(t *testing.T) {
	t.Parallel()
	text := resource.NewProperty[string]
	purpose := resource.PropertyMap{"purpose": text(defaultTags["purpose"])}
	for _, tt := range []struct {
		component, child     string
		ofProvider, tags     resource.PropertyMap
		want                 resource.PropertyMap
		problem, alsoMention string
	}{
		{robotAccountToken, "aws:iam/user:User", nil, nil, purpose, "", ""},
		{robotAccountToken, "aws:iam/user:User", resource.PropertyMap{"team": text("a")}, nil, purpose, "", ""},
		{robotAccountToken, "aws:iam/user:User", resource.PropertyMap{"purpose": text("a")}, nil, nil, "", ""},
		{robotAccountToken, "aws:iam/user:User", resource.PropertyMap{"Purpose": text("a")}, nil, nil, "", ""},
		{
			robotAccountToken, "aws:iam/user:User", resource.PropertyMap{"purpose": text("a")},
			resource.PropertyMap{"purpose": text("b")}, resource.PropertyMap{"purpose": text("b")}, "", "",
		},
		{
			robotAccountToken, "", resource.PropertyMap{"Purpose": text("a")}, resource.PropertyMap{"purpose": text("b")}, nil,
			"tags = a map: must not have a key that differs only by case", "Purpose and purpose",
		},
		{
			deploymentRoleToken, "", resource.PropertyMap{"team": text("a")}, resource.PropertyMap{"Team": text("b")}, nil,
			"tags = a map: must not have a key that differs only by case", "Team and team",
		},
		{
			deploymentRoleToken, "aws:iam/role:Role", resource.PropertyMap{"team": text("a")}, resource.PropertyMap{"team": text("b")},
			resource.PropertyMap{"team": text("b")}, "", "",
		},
	} {
		tp := startProvider(t)
		tp.defaultTags = tt.ofProvider
		inputs := resource.PropertyMap{}
		if tt.tags != nil {
			inputs["tags"] = resource.NewProperty(tt.tags)
		}
		req := tp.robotRequest(t, inputs)
		if tt.component == deploymentRoleToken {
			req = tp.roleRequest(t, inputs)
		}
		_, err := tp.Construct(t.Context(), req)
		if tt.problem != "" {
			if err == nil || !strings.Contains(err.Error(), tt.problem) || !strings.Contains(err.Error(), tt.alsoMention) ||
				len(tp.registered()) > 0 {
				t.Errorf("%v beside %v: the error is %v", tt.tags, tt.ofProvider, err)
			}
			continue
		}
		check(t, err)
		got := tp.child(t, tt.child)["tags"]
		if tt.want == nil && !got.IsNull() || tt.want != nil && !got.DeepEquals(resource.NewProperty(tt.want)) {
			t.Errorf("%v beside %v: the tags are %v", tt.tags, tt.ofProvider, got)
		}
	}
}

// TestCopiesOfSecrets checks that outputs of children that repeat a secret input are secret.
func TestCopiesOfSecrets(t *testing.T) {
	t.Parallel()
	secret := func(s string) resource.PropertyValue { return resource.MakeSecret(resource.NewProperty(s)) }
	for _, tt := range []struct {
		component, input string
		value            resource.PropertyValue
		want             map[string][]string
	}{
		{
			robotAccountToken, "tags", resource.NewProperty(resource.PropertyMap{"a": secret("b")}),
			map[string][]string{"aws:iam/user:User": {"tagsAll"}},
		},
		{robotAccountToken, "userName", secret("bot"), map[string][]string{"aws:iam/user:User": {"arn"}}},
		{
			robotAccountToken, "path", secret("/bots/"),
			map[string][]string{"aws:iam/user:User": {"arn"}, "aws:iam/group:Group": {"arn"}},
		},
		{
			deploymentRoleToken, "tags", resource.MakeSecret(resource.NewProperty(resource.PropertyMap{"a": resource.NewProperty("b")})),
			map[string][]string{"aws:iam/role:Role": {"tagsAll"}},
		},
		{
			deploymentRoleToken, inlinePoliciesInput, resource.NewProperty(resource.PropertyMap{"x": document(secret("*"))}),
			map[string][]string{"aws:iam/role:Role": {"inlinePolicies"}},
		},
		{deploymentRoleToken, "roleName", secret("deploy"), map[string][]string{"aws:iam/role:Role": {"arn"}}},
	} {
		tp := startProvider(t)
		inputs := resource.PropertyMap{resource.PropertyKey(tt.input): tt.value}
		req := tp.robotRequest(t, inputs)
		if tt.component == deploymentRoleToken {
			req = tp.roleRequest(t, inputs)
		}
		_, err := tp.Construct(t.Context(), req)
		check(t, err)
		for _, r := range tp.registered() {
			if hidden := r.GetAdditionalSecretOutputs(); !slices.Equal(hidden, tt.want[r.GetType()]) {
				t.Errorf("%s: the secret outputs of %s are %v", tt.input, r.GetType(), hidden)
			}
		}
	}
}

// TestChildrenWithoutHooks checks that a component fails whose children were not registered, because their hooks could
// not be: the engine would delete those that exist.
func TestChildrenWithoutHooks(t *testing.T) {
	t.Parallel()
	for _, component := range []string{robotAccountToken, deploymentRoleToken, oidcProviderToken} {
		tp := startProvider(t)
		tp.noHooks = true
		req := tp.robotRequest(t, nil)
		switch component {
		case deploymentRoleToken:
			req = tp.roleRequest(t, nil)
		case oidcProviderToken:
			req = tp.oidcRequest(t, nil)
		}
		if _, err := tp.Construct(t.Context(), req); err == nil || !strings.Contains(err.Error(), "could not be registered") {
			t.Errorf("%s: the error is %v", component, err)
		}
	}
}
