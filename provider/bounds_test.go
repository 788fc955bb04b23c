package provider

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// TestNullOfAnotherResource checks that an input which depends on another resource, and turns out null, never passes
// for one that is left out, where that grants or loses more than any value: in a preview and in an update, as an output
// or by the dependencies of the request, for every input but those that are named here.
func TestNullOfAnotherResource(t *testing.T) {
	t.Parallel()
	for token, tt := range map[string]struct {
		rules    input.Rules
		harmless []string
		others   resource.PropertyMap
	}{
		robotAccountToken: {robotAccountRules(serve.Identity{}), []string{
			"userName", "groupName", "policyName", "path", "tags", "forceDestroy", "allowSessionTags", adoptInput,
		}, nil},
		deploymentRoleToken: {deploymentRoleRules(serve.Identity{}), []string{
			"roleName", "path", "description", "maxSessionDuration", "allowSessionTags", "tags", adoptInput,
		}, resource.PropertyMap{"trusted": strs(testRobot)}},
		accessKeyToken: {accessKeyRules, nil, resource.PropertyMap{"userName": resource.NewProperty("bot")}},
		oidcProviderToken: {oidcProviderRules(serve.Identity{}), []string{"tags", adoptInput}, resource.PropertyMap{
			"issuer": resource.NewProperty(testIssuer),
		}},
	} {
		for name := range tt.rules {
			for _, preview := range []bool{true, false} {
				for form, null := range map[string]resource.PropertyValue{
					"an output": output(resource.NewNullProperty(), ofBot), "null": resource.NewNullProperty(), "nothing": {},
				} {
					tp := startProvider(t)
					inputs := maps.Clone(tt.others)
					if inputs == nil {
						inputs = resource.PropertyMap{}
					}
					inputs[resource.PropertyKey(name)] = null
					req := tp.request(t, token, inputs)
					req.DryRun = preview
					if form == "nothing" {
						delete(req.Inputs.Fields, name)
					}
					if form != "an output" {
						req.InputDependencies = map[string]*pulumirpc.ConstructRequest_PropertyDependencies{name: {Urns: []string{ofBot}}}
					}
					_, err := tp.Construct(t.Context(), req)
					message := status.Convert(err).Message()
					refused := strings.HasPrefix(message, "invalid input:\n  - "+name+" = null: must be ") &&
						strings.Contains(message, "is null in the output that it comes from") && len(tp.registered()) == 0
					if harmless := slices.Contains(tt.harmless, name); refused == harmless || harmless && err != nil {
						t.Errorf("%s, %s as %s, in a preview %v: %v", token, name, form, preview, err)
					}
				}
			}
		}
	}
}

// TestNullWithinAnInput checks the nulls that are parts of inputs.
func TestNullWithinAnInput(t *testing.T) {
	t.Parallel()
	null := output(resource.NewNullProperty(), ofBot)
	object := func(kv ...any) resource.PropertyValue {
		m := resource.PropertyMap{}
		for i := 0; i < len(kv); i += 2 {
			v, isValue := kv[i+1].(resource.PropertyValue)
			if !isValue {
				v = resource.NewProperty(kv[i+1].(string))
			}
			m[resource.PropertyKey(kv[i].(string))] = v
		}
		return resource.NewProperty(m)
	}
	list := resource.NewProperty([]resource.PropertyValue{resource.NewProperty("a"), null})
	statement := func(condition resource.PropertyValue) resource.PropertyValue {
		return object("x", object("Version", "2012-10-17", "Statement",
			object("Effect", "Allow", "Action", "s3:*", "Resource", "*", "Condition", condition)))
	}
	for want, tt := range map[string]struct {
		token, input string
		value        resource.PropertyValue
	}{
		"assumableRoles[1] = null: must be a string": {robotAccountToken, "assumableRoles", list},
		"sourceIps[1] = null: must be a string":      {robotAccountToken, "sourceIps", list},
		"sessionNames[1] = null: must be a string":   {deploymentRoleToken, "sessionNames", list},
		"secretsManager.kmsKeyId = null: must be a string": {accessKeyToken, "secretsManager",
			output(object("name", "x", "kmsKeyId", resource.NewNullProperty()), ofBot)},
		"leave it out (Statement.Condition)":              {deploymentRoleToken, "inlinePolicies", statement(null)},
		"leave it out (Statement.Condition.StringEquals)": {deploymentRoleToken, "inlinePolicies", statement(object("StringEquals", null))},
		"leave it out (Statement.Condition.StringEquals.aws:PrincipalTag/team)": {deploymentRoleToken, "inlinePolicies",
			statement(object("StringEquals", object("aws:PrincipalTag/team", null)))},
		"leave it out (Statement.Condition.StringEquals.a:b)": {deploymentRoleToken, "inlinePolicies",
			output(statement(object("StringEquals", object("a:b", resource.NewNullProperty()))), ofBot)},
		`has an operator without keys ("StringEquals")`: {deploymentRoleToken, "inlinePolicies", statement(object("StringEquals", object()))},
		"must have operators with keys with values":     {deploymentRoleToken, "inlinePolicies", statement(object())},
	} {
		tp := startProvider(t)
		_, err := tp.Construct(t.Context(), tp.request(t, tt.token, resource.PropertyMap{
			"userName": resource.NewProperty("bot"), "trusted": strs(testRobot), resource.PropertyKey(tt.input): tt.value,
		}))
		if message := status.Convert(err).Message(); !strings.Contains(message, want) || len(tp.registered()) > 0 {
			t.Errorf("%s: the error does not say %q: %v", tt.input, want, err)
		}
	}
}

// TestBounds checks that what is too large is refused by its size, before anything is made of it: soon, and with an
// error that is short.
func TestBounds(t *testing.T) {
	t.Parallel()
	const n = 20_000
	large := strings.Repeat("a", 1<<20)
	str := resource.NewProperty[string]
	list := func(format string) resource.PropertyValue {
		all := make([]resource.PropertyValue, n)
		for i := range all {
			all[i] = str(fmt.Sprintf(format, i))
		}
		return resource.NewProperty(all)
	}
	object := func(format string, v resource.PropertyValue) resource.PropertyValue {
		all := resource.PropertyMap{}
		for i := range n {
			all[resource.PropertyKey(fmt.Sprintf(format, i))] = v
		}
		return resource.NewProperty(all)
	}
	one := func(name string, v resource.PropertyValue) resource.PropertyValue {
		return resource.NewProperty(resource.PropertyMap{resource.PropertyKey(name): v})
	}
	robot, role, key := robotAccountToken, deploymentRoleToken, accessKeyToken
	for _, tt := range []struct {
		token, input string
		value        resource.PropertyValue
		want         string
	}{
		{robot, "assumableRoles", list("role%d"), "must have at most 213 elements, and has 20000: no more fit into a group's policy"},
		{robot, "assumableRoles", strs(strings.Repeat("*a", 20_000), "*"), "must have at most 575 characters"},
		{robot, "assumableRoles", strs("/" + large), "must have at most 575 characters"},
		{robot, "sourceIps", list("10.%d.0.0/16"), "must have at most 731 elements"},
		{robot, "sourceIps", strs(large), "must be a range of addresses"},
		{robot, "tags", object("k%d", str("v")), "must have at most 50 tags"},
		{robot, "tags", one(large, str("v")), "must have a key of at most 128 characters"},
		{robot, "userName", str(large), "must have at most 64 characters"},
		{robot, "path", str(large), "must have at most 512 characters"},
		{robot, "permissionsBoundary", str("arn:aws:iam::aws:policy/" + large), "must be the ARN"},
		{robot, large, str("x"), "is not an input of this resource"},
		{role, "trusted", list(testRobot + "%d"), "must have at most 234 elements"},
		{role, "trusted", strs("arn:aws:sts::123456789012:assumed-role/" + large + "/x"), "must be the ARN of a role"},
		{role, "sessionNames", list("name%d"), "must have at most 2048 elements"},
		{role, "sessionNames", strs(strings.Repeat("*", 40_000)), "must match a session's name"},
		{role, "sourceIps", list("10.%d.0.0/16"), "must have at most 1170 elements"},
		{role, "externalId", str(large), "must have 2 to 1224 characters"},
		{role, "description", str(large), "must have at most 1000 characters"},
		{role, "managedPolicyArns", list(testPolicy + "%d"), "must be at most 25 policies"},
		{role, "inlinePolicies", object("p%d", str(testDocument)), "must have at most 124 documents"},
		{role, "inlinePolicies", one("x", str(large)), "must have at most 10240 characters together"},
		{role, "inlinePolicies", one("x", one(large, str("x"))), "must have at most 10240 characters together"},
		{role, "inlinePolicies", one(large, str(testDocument)), "must have at most 128 characters"},
		{role, "inlinePolicies", one("x", one("Statement", list(`{}`))), "must have at most 10240 characters together"},
		{key, "pgpKey", str(large), "must have at most 131072 characters"},
		{key, "ssmPath", str("/" + large), "must have at most 900 characters"},
		{key, "secretsManager", one("name", str(large)), "must be 1 to 512"},
		{key, "rotateEvery", str(large), "must be a number of days"},
	} {
		tp := startProvider(t)
		inputs := resource.PropertyMap{"userName": str("bot")}
		if tt.token == role {
			inputs = resource.PropertyMap{"trusted": strs(testRobot)}
		}
		inputs[resource.PropertyKey(tt.input)] = tt.value
		req := tp.request(t, tt.token, inputs)
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		_, err := tp.Construct(ctx, req)
		cancel()
		message := status.Convert(err).Message()
		if !strings.Contains(message, tt.want) || len(message) > 2_000 || strings.Count(message, "\n") > 2 {
			t.Errorf("%.30s: the error of %d characters does not say %q: %.500v", tt.input, len(message), tt.want, err)
		}
	}

	// Many inputs that are not known, and as many dependencies.
	tp := startProvider(t)
	req := tp.robotRequest(t, object("userName%d", str("x")).ObjectValue())
	req.InputDependencies = map[string]*pulumirpc.ConstructRequest_PropertyDependencies{}
	for name := range req.Inputs.Fields {
		req.InputDependencies[name] = &pulumirpc.ConstructRequest_PropertyDependencies{Urns: []string{ofBot}}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err := tp.Construct(ctx, req)
	if message := status.Convert(err).Message(); !strings.HasPrefix(message, "20000 invalid inputs:") ||
		!strings.HasSuffix(message, "\n  and 19950 more") || len(message) > 10_000 {
		t.Errorf("%d inputs give an error of %d characters: %.500v", n, len(message), err)
	}
}

// TestManyManagedPolicies checks that more policies than AWS takes by default are taken, with a warning.
func TestManyManagedPolicies(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{10: 0, 11: 1} {
		tp := startProvider(t)
		var arns []string
		for i := range n {
			arns = append(arns, fmt.Sprint(testPolicy, i))
		}
		_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{"managedPolicyArns": strs(append(arns, arns...)...)}))
		check(t, err)
		warnings := 0
		for _, log := range tp.engine.Logs() {
			if strings.Contains(log.GetMessage(), "Managed policies per role") {
				warnings++
			}
		}
		if warnings != want {
			t.Errorf("%d policies give %d warnings", n, warnings)
		}
	}
}
