package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

const (
	roleType       = "aws:iam/role:Role"
	attachmentType = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
	rolePolicyType = "aws:iam/rolePolicy:RolePolicy"

	testRobot  = "arn:aws:iam::123456789012:user/cicd/bot"
	testPolicy = "arn:aws:iam::123456789012:policy/cicd/deploy"

	testDocument = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::artifacts/*"}]}`

	trustOfRobot = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},` +
		`"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/cicd/bot"}}}]}`
)

// roleRequest is a request for a deployment role, as the engine sends it. It trusts a robot unless the inputs say
// otherwise.
func (tp *testPlugin) roleRequest(t *testing.T, inputs resource.PropertyMap) *pulumirpc.ConstructRequest {
	t.Helper()
	all := resource.PropertyMap{"trusted": strs(testRobot)}
	maps.Copy(all, inputs)
	req := tp.robotRequest(t, all)
	req.Type, req.Name = deploymentRoleToken, "staging"
	return req
}

// childNames returns the names of the children of a type, in order.
func (tp *testPlugin) childNames(token string) (names []string) {
	for _, r := range tp.registered() {
		if r.GetType() == token {
			names = append(names, r.GetName())
		}
	}
	return names
}

// named returns the only registration of a child.
func (tp *testPlugin) named(t *testing.T, name string) *pulumirpc.RegisterResourceRequest {
	t.Helper()
	for _, r := range tp.registered() {
		if r.GetName() == name && r.GetType() != roleType && r.GetType() != deploymentRoleToken {
			return r
		}
	}
	t.Fatalf("no %s is registered, but %v", name, tp.registered())
	return nil
}

// document is testDocument as an object.
func document(resources resource.PropertyValue) resource.PropertyValue {
	return resource.NewProperty(resource.PropertyMap{
		"Version": resource.NewProperty("2012-10-17"),
		"Statement": resource.NewProperty([]resource.PropertyValue{resource.NewProperty(resource.PropertyMap{
			"Effect": resource.NewProperty("Allow"), "Action": resource.NewProperty("s3:PutObject"),
			"Resource": resources,
		})}),
	})
}

// output is a known value that comes from a resource.
func output(v resource.PropertyValue, from string) resource.PropertyValue {
	return resource.NewProperty(resource.Output{Element: v, Known: true, Dependencies: []resource.URN{resource.URN(from)}})
}

const (
	ofBot    = "urn:pulumi:stack::project::aws:iam/user:User::bot"
	ofPolicy = "urn:pulumi:stack::project::aws:iam/policy:Policy::deploy"
	ofBucket = "urn:pulumi:stack::project::aws:s3/bucket:Bucket::artifacts"
)

// TestDeploymentRoleRegistrations holds all that the component registers, with every input given, against a golden
// file: names, parents, inputs and options.
func TestDeploymentRoleRegistrations(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	resp, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
		"trusted": resource.NewProperty([]resource.PropertyValue{
			resource.NewProperty("arn:aws:iam::210987654321:role/runners/gha"), output(resource.NewProperty(testRobot), ofBot),
		}),
		"roleName":    resource.NewProperty("staging-deployer"),
		"path":        resource.NewProperty("/cicd/"),
		"description": resource.NewProperty("Deploys to staging."),
		"managedPolicyArns": resource.NewProperty([]resource.PropertyValue{
			resource.NewProperty("arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"), output(resource.NewProperty(testPolicy), ofPolicy),
			resource.NewProperty(testPolicy),
		}),
		"inlinePolicies": resource.NewProperty(resource.PropertyMap{
			"text":   resource.NewProperty(strings.ReplaceAll(testDocument, ",", " ,\n")),
			"object": document(output(resource.NewProperty("arn:aws:s3:::artifacts/*"), ofBucket)),
		}),
		"permissionsBoundary":  resource.NewProperty("arn:aws:iam::123456789012:policy/boundary"),
		"maxSessionDuration":   resource.NewProperty(7200.0),
		"externalId":           resource.NewProperty("project/17"),
		"sessionNames":         strs("gha-*", "${aws:username}"),
		"allowSessionTags":     resource.NewProperty(true),
		"sourceIps":            strs("203.0.113.0/24"),
		"revokeSessionsBefore": output(resource.NewProperty("2026-11-26T15:30:00.5+01:00"), ofBucket),
		"tags":                 resource.NewProperty(resource.PropertyMap{"owner": resource.NewProperty("platform")}),
	}))
	check(t, err)
	var all []json.RawMessage
	for _, r := range tp.registered() {
		r.SourcePosition, r.StackTrace = nil, nil
		slices.Sort(r.Dependencies)
		all = append(all, marshalProto(t, r))
	}
	golden(t, "deployment_role_registrations.json", all)

	got := unmarshal(t, resp.GetState())
	for name, want := range map[string]any{
		"roleName": "staging-deployer", "roleArn": "arn:Role", "roleUniqueId": "IDRole",
		"trustPolicy": plain(tp.child(t, roleType)["assumeRolePolicy"]),
	} {
		if v := plain(got[resource.PropertyKey(name)]); v != want {
			t.Errorf("the output %s is %v, not %q", name, v, want)
		}
	}
	if len(got) != 4 {
		t.Errorf("there are %d outputs: %v", len(got), got)
	}
}

func TestDeploymentRoleDefaults(t *testing.T) {
	t.Parallel()
	for name, inputs := range map[string]resource.PropertyMap{
		"not given": {},
		"null":      {"roleName": resource.NewNullProperty(), "managedPolicyArns": resource.NewNullProperty(), "tags": resource.NewNullProperty()},
		"null of a resource": {
			"description": output(resource.NewNullProperty(), ofBot), "allowSessionTags": output(resource.NewNullProperty(), ofBot),
		},
		"empty": {"managedPolicyArns": strs(), "inlinePolicies": resource.NewProperty(resource.PropertyMap{})},
	} {
		tp := startProvider(t)
		resp, err := tp.Construct(t.Context(), tp.roleRequest(t, inputs))
		check(t, err)
		role := tp.child(t, roleType)
		if len(role) != 2 || plain(role["assumeRolePolicy"]) != trustOfRobot ||
			plain(role["description"]) != "Assumed by CI/CD robots to deploy; made by cicd:index:DeploymentRole." {
			t.Errorf("%s: the role is %v", name, role)
		}
		if n := len(tp.registered()); n != 2 {
			t.Errorf("%s: %d resources are registered", name, n)
		}
		got := unmarshal(t, resp.GetState())
		if plain(got["roleName"]) != "staging-1a2b3c4" || plain(got["trustPolicy"]) != trustOfRobot {
			t.Errorf("%s: the outputs are %v", name, got)
		}
	}
}

// TestAttachmentsAreNamedAfterTheirPolicies says that the name of an attachment depends on the policy's ARN and on
// nothing else: not on its place, its neighbours, or where it comes from. A name that moves to another policy detaches
// what another name has just attached.
func TestAttachmentsAreNamedAfterTheirPolicies(t *testing.T) {
	t.Parallel()
	arns := func(elements ...any) resource.PropertyValue {
		var list []resource.PropertyValue
		for _, e := range elements {
			if s, isString := e.(string); isString {
				e = resource.NewProperty(s)
			}
			list = append(list, e.(resource.PropertyValue))
		}
		return resource.NewProperty(list)
	}
	const (
		view  = "arn:aws:iam::aws:policy/job-function/ViewOnlyAccess"
		other = "arn:aws:iam::aws:policy/cicd/deploy"
	)
	fromResource := output(resource.NewProperty(testPolicy), ofPolicy)
	names := map[string]string{
		testPolicy: "staging:cicd/deploy", view: "staging:aws:job-function/ViewOnlyAccess", other: "staging:aws:cicd/deploy",
	}
	for name, tt := range map[string]struct {
		list resource.PropertyValue
		want []string
	}{
		"in order":              {arns(testPolicy, view, other), []string{testPolicy, view, other}},
		"in another order":      {arns(other, view, testPolicy), []string{testPolicy, view, other}},
		"without the first":     {arns(view, other), []string{view, other}},
		"repeated":              {arns(view, testPolicy, view), []string{testPolicy, view}},
		"of a resource":         {arns(view, fromResource), []string{testPolicy, view}},
		"in text and resource":  {arns(testPolicy, view, fromResource), []string{testPolicy, view}},
		"all of a resource":     {output(arns(view, testPolicy), ofPolicy), []string{testPolicy, view}},
		"of resources, nested":  {output(arns(view, fromResource), ofBucket), []string{testPolicy, view}},
		"none":                  {arns(), nil},
		"known in a preview, x": {arns(view, testPolicy), []string{testPolicy, view}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			req := tp.roleRequest(t, resource.PropertyMap{"managedPolicyArns": tt.list})
			req.DryRun = strings.Contains(name, "preview")
			_, err := tp.Construct(t.Context(), req)
			check(t, err)
			var want []string
			for _, arn := range tt.want {
				want = append(want, names[arn])
				if got := plain(unmarshal(t, tp.named(t, names[arn]).GetObject())["policyArn"]); got != arn {
					t.Errorf("%s attaches %v", names[arn], got)
				}
			}
			if got := tp.childNames(attachmentType); !slices.Equal(got, slices.Sorted(slices.Values(want))) {
				t.Errorf("the attachments are %q", got)
			}
		})
	}
}

// TestChildrenOfDifferentRolesHaveDifferentNames says that hyphens in names do not make two children one.
func TestChildrenOfDifferentRolesHaveDifferentNames(t *testing.T) {
	t.Parallel()
	var all []string
	for name, policy := range map[string]string{"deploy": "eu-x", "deploy-eu": "x"} {
		tp := startProvider(t)
		req := tp.roleRequest(t, resource.PropertyMap{
			"inlinePolicies":    resource.NewProperty(resource.PropertyMap{resource.PropertyKey(policy): resource.NewProperty(testDocument)}),
			"managedPolicyArns": strs("arn:aws:iam::123456789012:policy/" + policy),
		})
		req.Name = name
		_, err := tp.Construct(t.Context(), req)
		check(t, err)
		all = append(append(all, tp.childNames(rolePolicyType)[0]), tp.childNames(attachmentType)[0])
	}
	slices.Sort(all)
	if len(slices.Compact(all)) != 2 {
		t.Errorf("the names are %q", all)
	}
}

// TestDeploymentRoleDependencies says that a child depends on what its own part of an input comes from, and on
// nothing else: a policy that is deleted is detached before.
func TestDeploymentRoleDependencies(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
		"trusted": resource.NewProperty([]resource.PropertyValue{output(resource.NewProperty(testRobot), ofBot)}),
		"managedPolicyArns": resource.NewProperty([]resource.PropertyValue{
			resource.NewProperty("arn:aws:iam::aws:policy/ReadOnlyAccess"), output(resource.NewProperty(testPolicy), ofPolicy),
		}),
		"inlinePolicies": resource.NewProperty(resource.PropertyMap{
			"alone":  document(resource.NewProperty("*")),
			"bucket": document(output(resource.NewProperty("arn:aws:s3:::artifacts/*"), ofBucket)),
			"text":   output(resource.NewProperty(testDocument), ofPolicy),
		}),
	}))
	check(t, err)
	const role = "urn:pulumi:stack::project::cicd:index:DeploymentRole$aws:iam/role:Role::staging"
	for name, want := range map[string][]string{
		"staging:aws:ReadOnlyAccess": {role},
		"staging:cicd/deploy":        {ofPolicy, role},
		"staging:alone":              {role},
		"staging:bucket":             {ofBucket, role},
		"staging:text":               {ofPolicy, role},
	} {
		got := slices.Sorted(slices.Values(tp.named(t, name).GetDependencies()))
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s depends on %q", name, got)
		}
	}
	for _, r := range tp.registered() {
		if r.GetType() == roleType && !slices.Equal(r.GetDependencies(), []string{ofBot}) {
			t.Errorf("the role depends on %q", r.GetDependencies())
		}
	}
}

// TestDeploymentRoleDependenciesOfTheWhole says that a child depends on what the whole list or map comes from.
func TestDeploymentRoleDependenciesOfTheWhole(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
		"trusted":           output(strs(testRobot), ofBot),
		"managedPolicyArns": output(strs(testPolicy), ofPolicy),
		"inlinePolicies":    output(resource.NewProperty(resource.PropertyMap{"a": document(resource.NewProperty("*"))}), ofBucket),
	}))
	check(t, err)
	for _, r := range tp.registered() {
		want := map[string]string{roleType: ofBot, attachmentType: ofPolicy, rolePolicyType: ofBucket}[r.GetType()]
		if want != "" && !slices.Contains(r.GetDependencies(), want) {
			t.Errorf("%s depends on %q", r.GetName(), r.GetDependencies())
		}
	}
}

// TestDeploymentRolePreview says what a preview knows when something is not known yet.
func TestDeploymentRolePreview(t *testing.T) {
	t.Parallel()
	computed := resource.MakeComputed(resource.NewProperty(""))
	list := func(elements ...resource.PropertyValue) resource.PropertyValue { return resource.NewProperty(elements) }
	str := resource.NewProperty[string]
	for name, tt := range map[string]struct {
		inputs resource.PropertyMap
		known  bool
	}{
		"all is known":              {resource.PropertyMap{}, true},
		"a robot":                   {resource.PropertyMap{"trusted": list(str(testRobot), computed)}, false},
		"all robots":                {resource.PropertyMap{"trusted": computed}, false},
		"a robot, list in output":   {resource.PropertyMap{"trusted": output(list(str(testRobot), computed), ofBot)}, false},
		"the external ID":           {resource.PropertyMap{"externalId": computed}, false},
		"a session name":            {resource.PropertyMap{"sessionNames": list(computed)}, false},
		"a session name, in output": {resource.PropertyMap{"sessionNames": output(list(str("gha-*"), computed), ofBot)}, false},
		"the session tags":          {resource.PropertyMap{"allowSessionTags": computed}, false},
		"the sources":               {resource.PropertyMap{"sourceIps": computed}, false},
		"other inputs": {resource.PropertyMap{
			"roleName": computed, "path": computed, "description": computed, "tags": computed, "maxSessionDuration": computed,
			"permissionsBoundary": computed, "managedPolicyArns": computed, "inlinePolicies": computed,
		}, true},
		"a robot in an output": {resource.PropertyMap{"trusted": list(output(str(testRobot), ofBot))}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, caller := range []string{testCaller, ""} {
				tp := startProvider(t)
				tp.callerARN = caller
				req := tp.roleRequest(t, tt.inputs)
				req.DryRun = true
				resp, err := tp.Construct(t.Context(), req)
				check(t, err)
				policy := tp.child(t, roleType)["assumeRolePolicy"]
				if policy.ContainsUnknowns() == tt.known || (tt.known && plain(policy) != trustOfRobot) {
					t.Errorf("the trust policy is %v", policy)
				}
				if state := unmarshal(t, resp.GetState()); state["trustPolicy"].ContainsUnknowns() == tt.known {
					t.Errorf("the output is %v", state["trustPolicy"])
				}
				if len(tp.registered()) != 2 {
					t.Errorf("%d resources are registered", len(tp.registered()))
				}
			}
		})
	}
}

// TestPoliciesInAPreview says that what is not known of one policy hides nothing of the others.
func TestPoliciesInAPreview(t *testing.T) {
	t.Parallel()
	computed := resource.MakeComputed(resource.NewProperty(""))
	unknown := resource.NewProperty(resource.Output{Dependencies: []resource.URN{ofPolicy}})
	list := func(elements ...resource.PropertyValue) resource.PropertyValue { return resource.NewProperty(elements) }
	arns := list(unknown, resource.NewProperty(testPolicy), computed)
	policies := resource.NewProperty(resource.PropertyMap{
		"known": document(resource.NewProperty("*")), "unknown": computed, "secret": resource.MakeSecret(computed),
		"partly": document(unknown), "deeply": document(list(resource.NewProperty("*"), computed)),
	})
	for name, inputs := range map[string]resource.PropertyMap{
		"plain":      {"managedPolicyArns": arns, "inlinePolicies": policies},
		"in outputs": {"managedPolicyArns": output(arns, ofBucket), "inlinePolicies": output(policies, ofBucket)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			req := tp.roleRequest(t, inputs)
			req.DryRun = true
			_, err := tp.Construct(t.Context(), req)
			check(t, err)
			for child, known := range map[string]bool{
				"staging:managedPolicyArns[0]": false, "staging:cicd/deploy": true, "staging:managedPolicyArns[2]": false,
			} {
				if v := unmarshal(t, tp.named(t, child).GetObject())["policyArn"]; v.ContainsUnknowns() == known || (known && plain(v) != testPolicy) {
					t.Errorf("%s attaches %v", child, v)
				}
			}
			for child, known := range map[string]bool{
				"staging:known": true, "staging:unknown": false, "staging:secret": false, "staging:partly": false, "staging:deeply": false,
			} {
				if v := unmarshal(t, tp.named(t, child).GetObject())["policy"]; v.ContainsUnknowns() == known {
					t.Errorf("%s is %v", child, v)
				}
			}
			if n := len(tp.registered()); n != 10 {
				t.Errorf("%d resources are registered", n)
			}
		})
	}
}

// TestRobotAccountListInAnOutput says that an unknown role is not taken for an empty one, in a list that depends on
// something.
func TestRobotAccountListInAnOutput(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	req := tp.robotRequest(t, resource.PropertyMap{"assumableRoles": output(resource.NewProperty([]resource.PropertyValue{
		resource.NewProperty("deploy"), resource.MakeComputed(resource.NewProperty("")),
	}), ofBucket)})
	req.DryRun = true
	_, err := tp.Construct(t.Context(), req)
	check(t, err)
	if policy := tp.child(t, policyType)["policy"]; !policy.ContainsUnknowns() {
		t.Errorf("the policy is %v", policy)
	}
}

func TestDeploymentRoleKeepsSecrets(t *testing.T) {
	t.Parallel()
	secret := func(s string) resource.PropertyValue { return resource.MakeSecret(resource.NewProperty(s)) }
	for name, inputs := range map[string]resource.PropertyMap{
		"the external ID": {"externalId": secret("s3cr3t")},
		"a robot":         {"trusted": resource.NewProperty([]resource.PropertyValue{secret(testRobot)})},
		"the robots":      {"trusted": resource.MakeSecret(strs(testRobot))},
		"a session name":  {"sessionNames": resource.NewProperty([]resource.PropertyValue{secret("gha-*")})},
		"the sources":     {"sourceIps": resource.MakeSecret(strs("10.0.0.0/8"))},
		"the tags switch": {"allowSessionTags": resource.MakeSecret(resource.NewProperty(true))},
	} {
		tp := startProvider(t)
		resp, err := tp.Construct(t.Context(), tp.roleRequest(t, inputs))
		check(t, err)
		if !tp.child(t, roleType)["assumeRolePolicy"].ContainsSecrets() || !unmarshal(t, resp.GetState())["trustPolicy"].ContainsSecrets() {
			t.Errorf("%s: the trust policy is no secret any more", name)
		}
	}

	tp := startProvider(t)
	resp, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
		"description": secret("s3cr3t"),
		"tags":        resource.NewProperty(resource.PropertyMap{"a": secret("b")}),
		"inlinePolicies": resource.NewProperty(resource.PropertyMap{
			"text": secret(testDocument), "open": resource.NewProperty(testDocument), "object": resource.MakeSecret(document(resource.NewProperty("*"))),
			"part": document(resource.NewProperty([]resource.PropertyValue{secret("arn:aws:s3:::s3cr3t"), resource.NewProperty("*")})),
		}),
	}))
	check(t, err)
	for name, want := range map[string]bool{"text": true, "open": false, "object": true, "part": true} {
		if v := unmarshal(t, tp.named(t, "staging:"+name).GetObject())["policy"]; v.ContainsSecrets() != want {
			t.Errorf("the policy %s is %v", name, v)
		}
	}
	role := tp.child(t, roleType)
	if !role["description"].ContainsSecrets() || !role["tags"].ContainsSecrets() || role["assumeRolePolicy"].ContainsSecrets() {
		t.Errorf("the role is %v", role)
	}
	if unmarshal(t, resp.GetState())["trustPolicy"].ContainsSecrets() {
		t.Error("the trust policy is secret, and no input of it is")
	}
}

// TestDocumentsAreTheSameInBothForms says that a document that is given as text and one that is given as an object
// make the same policy.
func TestDocumentsAreTheSameInBothForms(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
		"inlinePolicies": resource.NewProperty(resource.PropertyMap{
			"text": resource.NewProperty(testDocument), "object": document(resource.NewProperty("arn:aws:s3:::artifacts/*")),
			"spaced": resource.NewProperty(" " + strings.ReplaceAll(testDocument, `:[`, ` : [ `) + "\n"),
		}),
	}))
	check(t, err)
	for _, name := range []string{"text", "object", "spaced"} {
		policy := unmarshal(t, tp.named(t, "staging:"+name).GetObject())
		if plain(policy["policy"]) != testDocument || plain(policy["name"]) != name {
			t.Errorf("%s is %v", name, policy)
		}
	}
}

// TestDeploymentRoleProviders says that the look-up and the children use the AWS provider of the caller.
func TestDeploymentRoleProviders(t *testing.T) {
	t.Parallel()
	const ref = "urn:pulumi:stack::project::pulumi:providers:aws::gov::" + testProviderID
	tp := startProvider(t)
	tp.callerARN = "arn:aws-us-gov:iam::123456789012:user/me"
	req := tp.roleRequest(t, resource.PropertyMap{
		"trusted":           strs("arn:aws-us-gov:iam::123456789012:user/bot"),
		"managedPolicyArns": strs("arn:aws-us-gov:iam::aws:policy/ReadOnlyAccess"),
		"inlinePolicies":    resource.NewProperty(resource.PropertyMap{"a": resource.NewProperty(testDocument)}),
	})
	req.Providers = map[string]string{"aws": ref}
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
	if policy, _ := plain(tp.child(t, roleType)["assumeRolePolicy"]).(string); !strings.Contains(policy, `"arn:aws-us-gov:iam::123456789012:root"`) {
		t.Errorf("the trust policy is %s", policy)
	}
}

// TestDeploymentRoleWarns says what is told although it is no error.
func TestDeploymentRoleWarns(t *testing.T) {
	t.Parallel()
	robots := func(n int) resource.PropertyValue {
		var arns []string
		for i := range n {
			arns = append(arns, fmt.Sprint(testRobot, i))
		}
		return strs(arns...)
	}
	computed := resource.MakeComputed(resource.NewProperty(""))
	for name, tt := range map[string]struct {
		inputs  resource.PropertyMap
		preview bool
		want    []string
	}{
		"nothing": {resource.PropertyMap{"trusted": robots(30)}, false, nil},
		"what the default quota does not allow": {
			resource.PropertyMap{"trusted": robots(60)}, false,
			[]string{"the trust policy has 2815 characters, and AWS takes 2048 by default"},
		},
		"as much, and not all known": {
			resource.PropertyMap{"trusted": robots(60), "externalId": computed}, true, nil,
		},
		"policies that are missing": {
			resource.PropertyMap{"managedPolicyArns": computed, "inlinePolicies": computed}, true,
			[]string{"managedPolicyArns is unknown as a whole", "inlinePolicies is unknown as a whole"},
		},
		"a policy that is missing": {
			resource.PropertyMap{"managedPolicyArns": resource.NewProperty([]resource.PropertyValue{computed})}, true, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			req := tp.roleRequest(t, tt.inputs)
			req.DryRun = tt.preview
			_, err := tp.Construct(t.Context(), req)
			check(t, err)
			logs := tp.engine.Logs()
			if len(logs) != len(tt.want) {
				t.Fatalf("the logs are %v", logs)
			}
			for i, want := range tt.want {
				if logs[i].GetSeverity() != pulumirpc.LogSeverity_WARNING || !strings.HasPrefix(logs[i].GetMessage(), want) ||
					!strings.HasSuffix(logs[i].GetUrn(), deploymentRoleToken+"::staging") {
					t.Errorf("the log is %v, and not %q", logs[i], want)
				}
			}
		})
	}
}

// TestRevokeSessions checks what is registered for a time, what a preview knows of it, and who is warned.
func TestRevokeSessions(t *testing.T) {
	t.Parallel()
	const (
		name   = "staging:cicd-revoke-sessions"
		caller = "arn:aws:sts::123456789012:assumed-role/keeper/me"
	)
	recent := time.Now().Add(-time.Minute).Format(time.RFC3339)
	for about, tt := range map[string]struct {
		caller string
		inputs resource.PropertyMap
		// want is what the policy says: "" for none, and "unknown".
		want   string
		warned bool
	}{
		"none": {caller, resource.PropertyMap{"roleName": resource.NewProperty("keeper")}, "", false},
		"of another role": {caller, resource.PropertyMap{
			"roleName": resource.NewProperty("deploy"), revokeSessionsInput: resource.NewProperty(recent),
		}, "DateLessThan", false},
		"of the caller's role": {caller, resource.PropertyMap{
			"roleName": resource.NewProperty("keeper"), revokeSessionsInput: resource.NewProperty(recent),
		}, "DateLessThan", true},
		"of the caller's role, long ago": {caller, resource.PropertyMap{
			"roleName": resource.NewProperty("keeper"), revokeSessionsInput: resource.NewProperty("2026-01-01T00:00:00Z"),
		}, "2026-01-01T00:00:00Z", false},
		"of a role with the name of the user who calls": {"arn:aws:iam::123456789012:user/keeper", resource.PropertyMap{
			"roleName": resource.NewProperty("keeper"), revokeSessionsInput: resource.NewProperty(recent),
		}, "DateLessThan", false},
		"unknown": {caller, resource.PropertyMap{
			"roleName": resource.NewProperty("keeper"), revokeSessionsInput: resource.MakeComputed(resource.NewProperty("")),
		}, "unknown", false},
	} {
		t.Run(about, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			tp.callerARN = tt.caller
			req := tp.roleRequest(t, tt.inputs)
			req.DryRun = tt.want == "unknown"
			_, err := tp.Construct(t.Context(), req)
			check(t, err)
			if tt.want == "" {
				if names := tp.childNames(rolePolicyType); len(names) != 0 {
					t.Errorf("there are the policies %v", names)
				}
				return
			}
			policy := unmarshal(t, tp.named(t, name).GetObject())["policy"]
			if text := policy.String(); tt.want == "unknown" != policy.ContainsUnknowns() || tt.want != "unknown" && !strings.Contains(text, tt.want) {
				t.Errorf("the policy is %v", policy)
			}
			if logs := fmt.Sprint(tp.engine.Logs()); strings.Contains(logs, "runs in a session of the role keeper") != tt.warned {
				t.Errorf("the warnings are %s", logs)
			}
		})
	}
}

// TestRevokeSessionsRoom checks to the character that the policy of a time counts with the inline policies.
func TestRevokeSessionsRoom(t *testing.T) {
	t.Parallel()
	const room = 10_240
	document := func(size int) resource.PropertyValue {
		return resource.NewProperty(resource.PropertyMap{"x": resource.NewProperty(
			strings.Replace(testDocument, "artifacts", strings.Repeat("a", size-len(testDocument)+len("artifacts")), 1))})
	}
	revocation, err := iam.RevokeIssuedBeforePolicy(time.Now())
	check(t, err)
	for size, tt := range map[int]struct{ alone, revoked bool }{
		room - len(revocation): {true, true}, room - len(revocation) + 1: {true, false}, room: {true, false}, room + 1: {false, false},
	} {
		for _, revoked := range []bool{false, true} {
			inputs := resource.PropertyMap{"inlinePolicies": document(size)}
			if revoked {
				inputs[revokeSessionsInput] = resource.NewProperty("2026-11-26T15:30:00Z")
			}
			tp := startProvider(t)
			_, err := tp.Construct(t.Context(), tp.roleRequest(t, inputs))
			if (err == nil) != (revoked && tt.revoked || !revoked && tt.alone) {
				t.Errorf("%d characters, with a time %v: %v", size, revoked, err)
			}
			if err != nil && size <= room && !strings.Contains(err.Error(), "inlinePolicies: must have at most 10240 characters") {
				t.Error(err)
			}
		}
	}
}
