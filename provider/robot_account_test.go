package provider

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/encoding/protojson"
)

var update = flag.Bool("update", false, "write the golden files anew")

const (
	userType       = "aws:iam/user:User"
	groupType      = "aws:iam/group:Group"
	membershipType = "aws:iam/groupMembership:GroupMembership"
	policyType     = "aws:iam/groupPolicy:GroupPolicy"

	everyRolePolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Resource":"arn:aws:iam::123456789012:role/*"}]}`
)

// TestRobotAccountRegistrations holds all that the component registers, with every input given, against a
// golden file: names, parents, inputs and options.
func TestRobotAccountRegistrations(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	resp, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{
		"userName":            resource.NewProperty("cicd-bot"),
		"groupName":           resource.NewProperty("PulumiStackUpdaters"),
		"policyName":          resource.NewProperty("assume"),
		"path":                resource.NewProperty("/cicd/"),
		"tags":                resource.NewProperty(resource.PropertyMap{"owner": resource.NewProperty("platform")}),
		"permissionsBoundary": resource.NewProperty("arn:aws:iam::123456789012:policy/boundary"),
		"forceDestroy":        resource.NewProperty(true),
		"assumableRoles":      strs("deploy", "cicd/*"),
		"sourceIps":           strs("203.0.113.0/24"),
		"allowSessionTags":    resource.NewProperty(true),
		"confine":             resource.NewProperty(true),
	}))
	check(t, err)
	var all []json.RawMessage
	for _, r := range tp.registered() {
		r.SourcePosition, r.StackTrace = nil, nil
		all = append(all, marshalProto(t, r))
	}
	golden(t, "robot_account_registrations.json", all)

	got := unmarshal(t, resp.GetState())
	for name, want := range map[string]string{
		"userName": "cicd-bot", "userArn": "arn:User", "userUniqueId": "IDUser",
		"groupName": "PulumiStackUpdaters", "groupArn": "arn:Group", "groupUniqueId": "IDGroup", "policyName": "assume",
	} {
		if v := plain(got[resource.PropertyKey(name)]); v != want {
			t.Errorf("the output %s is %v, not %q", name, v, want)
		}
	}
	if len(got) != 8 {
		t.Errorf("there are %d outputs: %v", len(got), got)
	}
}

func TestRobotAccountDefaults(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	resp, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{"userName": resource.NewNullProperty()}))
	check(t, err)

	user := tp.child(t, userType)
	if len(user) != 1 || plain(user["tags"].ObjectValue()["purpose"]) != defaultTags["purpose"] {
		t.Errorf("the user is %v", user)
	}
	if group := tp.child(t, groupType); len(group) != 0 {
		t.Errorf("the group is %v", group)
	}
	got := unmarshal(t, resp.GetState())
	for name, want := range map[resource.PropertyKey]string{
		"userName": "robot-1a2b3c4", "groupName": "robot-1a2b3c4", "policyName": "assume-roles",
	} {
		if plain(got[name]) != want {
			t.Errorf("%s is %v", name, got[name])
		}
	}
	if plain(got["policy"]) != everyRolePolicy || plain(tp.child(t, policyType)["policy"]) != everyRolePolicy {
		t.Errorf("the policy is %v", got["policy"])
	}
}

func TestRobotAccountPartitions(t *testing.T) {
	t.Parallel()
	for caller, want := range map[string]string{
		"arn:aws-cn:iam::210987654321:user/me":                      "arn:aws-cn:iam::210987654321:role/*",
		"arn:aws-us-gov:sts::210987654321:assumed-role/admin/me":    "arn:aws-us-gov:iam::210987654321:role/*",
		"arn:aws:sts::210987654321:assumed-role/with/slashes/in/it": "arn:aws:iam::210987654321:role/*",
	} {
		tp := startProvider(t)
		tp.callerARN = caller
		_, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{}))
		check(t, err)
		if policy, _ := plain(tp.child(t, policyType)["policy"]).(string); !strings.Contains(policy, `"`+want+`"`) {
			t.Errorf("%s gives %s", caller, policy)
		}
	}
}

// TestRobotAccountPreview says what a preview knows when something is not known yet.
func TestRobotAccountPreview(t *testing.T) {
	t.Parallel()
	computed := resource.MakeComputed(resource.NewProperty(""))
	dependent := resource.NewProperty(resource.Output{Dependencies: []resource.URN{"urn:pulumi:stack::project::a:b:c::d"}})
	for name, tt := range map[string]struct {
		caller string
		inputs resource.PropertyMap
		known  bool
	}{
		"all is known":             {testCaller, resource.PropertyMap{"assumableRoles": strs("*")}, true},
		"a role":                   {testCaller, resource.PropertyMap{"assumableRoles": resource.NewProperty([]resource.PropertyValue{computed})}, false},
		"all roles":                {testCaller, resource.PropertyMap{"assumableRoles": computed}, false},
		"all roles, in secret":     {testCaller, resource.PropertyMap{"assumableRoles": resource.MakeSecret(computed)}, false},
		"all roles, of a resource": {testCaller, resource.PropertyMap{"assumableRoles": dependent}, false},
		"the sources":              {testCaller, resource.PropertyMap{"sourceIps": computed}, false},
		"confine":                  {testCaller, resource.PropertyMap{"confine": computed}, false},
		"confine, of a resource":   {testCaller, resource.PropertyMap{"confine": dependent}, false},
		"another input":            {testCaller, resource.PropertyMap{"userName": computed, "tags": computed}, true},
		"the AWS provider":         {"", resource.PropertyMap{}, false},
		"a role in an output":      {testCaller, resource.PropertyMap{"assumableRoles": resource.NewProperty([]resource.PropertyValue{resource.NewProperty(resource.Output{Element: resource.NewProperty("deploy"), Known: true, Dependencies: []resource.URN{"urn:pulumi:stack::project::a:b:c::d"}})})}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			tp.callerARN = tt.caller
			req := tp.robotRequest(t, tt.inputs)
			req.DryRun = true
			_, err := tp.Construct(t.Context(), req)
			check(t, err)
			policy := tp.child(t, policyType)["policy"]
			if policy.ContainsUnknowns() == tt.known {
				t.Errorf("the policy is %v", policy)
			}
			if len(tp.registered()) != 5 {
				t.Errorf("%d resources are registered", len(tp.registered()))
			}
		})
	}
}

func TestRobotAccountKeepsSecrets(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{
		"assumableRoles": resource.NewProperty([]resource.PropertyValue{resource.MakeSecret(resource.NewProperty("deploy"))}),
		"tags":           resource.NewProperty(resource.PropertyMap{"a": resource.MakeSecret(resource.NewProperty("b"))}),
		"userName":       resource.MakeSecret(resource.NewProperty("bot")),
	}))
	check(t, err)
	confined := startProvider(t)
	_, err = confined.Construct(t.Context(), confined.robotRequest(t, resource.PropertyMap{
		"confine": resource.MakeSecret(resource.NewProperty(true)),
	}))
	check(t, err)
	for _, v := range []resource.PropertyValue{
		tp.child(t, policyType)["policy"], tp.child(t, userType)["tags"], tp.child(t, userType)["name"],
		confined.child(t, policyType)["policy"],
	} {
		if !v.ContainsSecrets() {
			t.Errorf("%v is no secret any more", v)
		}
	}
}

// TestRobotAccountProviders says that the look-up and the children use the AWS provider of the caller.
func TestRobotAccountProviders(t *testing.T) {
	t.Parallel()
	const ref = "urn:pulumi:stack::project::pulumi:providers:aws::gov::" + testProviderID
	tp := startProvider(t)
	req := tp.robotRequest(t, resource.PropertyMap{})
	req.Providers = map[string]string{
		"aws":    ref,
		"random": "urn:pulumi:stack::project::pulumi:providers:random::r::" + testProviderID,
	}
	_, err := tp.Construct(t.Context(), req)
	check(t, err)
	if len(tp.invokes) != 2 || tp.invokes[0].Provider != ref || tp.invokes[1].Provider != ref {
		t.Errorf("the look-ups are %v", tp.invokes)
	}
	for _, r := range tp.registered() {
		if r.GetCustom() && r.GetProvider() != ref {
			t.Errorf("%s has the provider %q", r.GetType(), r.GetProvider())
		}
	}
}

func TestRobotAccountWithoutIdentity(t *testing.T) {
	t.Parallel()
	for caller, want := range map[string]string{"": "look up the AWS account", "nonsense": `"nonsense" must be the ARN`} {
		tp := startProvider(t)
		tp.callerARN = caller
		_, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{}))
		if err == nil || !strings.Contains(err.Error(), want) || len(tp.registered()) != 0 {
			t.Errorf("the identity %q gives %v, and %d registrations", caller, err, len(tp.registered()))
		}
	}
}

func strs(elements ...string) resource.PropertyValue {
	values := make([]resource.PropertyValue, len(elements))
	for i, s := range elements {
		values[i] = resource.NewProperty(s)
	}
	return resource.NewProperty(values)
}

// plain returns the value within outputs.
func plain(v resource.PropertyValue) any {
	if v.IsOutput() {
		return plain(v.OutputValue().Element)
	}
	return v.V
}

func marshalProto(t *testing.T, r *pulumirpc.RegisterResourceRequest) json.RawMessage {
	t.Helper()
	text, err := protojson.Marshal(r)
	check(t, err)
	return text
}

// golden holds a value against a file in testdata.
func golden(t *testing.T, name string, value any) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got, err := json.MarshalIndent(value, "", "  ")
	check(t, err)
	got = append(got, '\n')
	if *update {
		check(t, os.WriteFile(path, got, 0o600))
	}
	want, err := os.ReadFile(path)
	check(t, err)
	if !bytes.Equal(got, want) {
		t.Errorf("what is registered is not what %s says; if it should be, run the test with -update:\n%s", path, got)
	}
}
