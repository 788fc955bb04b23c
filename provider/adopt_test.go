package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/status"
)

// existing returns what a look-up answers of an object with an ARN, and of a group's members.
func existing(arn string, members ...string) resource.PropertyMap {
	users := []resource.PropertyValue{}
	for _, name := range members {
		users = append(users, resource.NewProperty(resource.PropertyMap{
			"userName": resource.NewProperty(name), "arn": resource.NewProperty("arn:aws:iam::" + testAccount + ":user/" + name),
			"path": resource.NewProperty("/"), "userId": resource.NewProperty("AIDA"),
		}))
	}
	return resource.PropertyMap{"arn": resource.NewProperty(arn), "users": resource.NewProperty(users)}
}

const (
	inAccount = "arn:aws:iam::" + testAccount + ":"

	githubARN = inAccount + "oidc-provider/token.actions.githubusercontent.com"
)

// exist is an account with a user in a group, a role and a provider.
func exist() map[string]resource.PropertyMap {
	return map[string]resource.PropertyMap{
		"User bot": existing(inAccount + "user/cicd/bot"), "Group bots": existing(inAccount+"group/bots", "bot"),
		"User BOT": existing(inAccount + "user/cicd/bot"), "Group BOTS": existing(inAccount+"group/bots", "bot"),
		"Group devs":  existing(inAccount+"group/devs", "bot", "zoe", "ann"),
		"Role deploy": existing(inAccount + "role/cicd/deploy"), "Role DEPLOY": existing(inAccount + "role/cicd/deploy"),
		"OpenIdConnectProvider " + githubARN: existing(githubARN),
	}
}

// adoption are the inputs of a component that adopts what exists, with others over them.
func adoption(token string, more resource.PropertyMap) resource.PropertyMap {
	str := resource.NewProperty[string]
	inputs := map[string]resource.PropertyMap{
		robotAccountToken:   {"userName": str("bot"), "groupName": str("bots"), "policyName": str("assume")},
		deploymentRoleToken: {"roleName": str("deploy"), "path": str("/cicd/"), "trusted": strs(testRobot)},
		oidcProviderToken:   {"issuer": str(testIssuer)},
	}[token]
	inputs[adoptInput] = resource.NewProperty(true)
	for name, v := range more {
		if inputs[name] = v; v.V == nil {
			delete(inputs, name)
		}
	}
	return inputs
}

// TestAdoption checks which children are imported, and by which IDs, in a preview and in an update: those that AWS does
// not let be made twice.
func TestAdoption(t *testing.T) {
	t.Parallel()
	for token, want := range map[string][]string{
		robotAccountToken:   {"group:Group bots", "user:User bot"},
		deploymentRoleToken: {"role:Role deploy"},
		oidcProviderToken:   {"openIdConnectProvider:OpenIdConnectProvider " + githubARN},
	} {
		for _, preview := range []bool{true, false} {
			tp := startProvider(t)
			tp.exist = exist()
			req := tp.request(t, token, adoption(token, nil))
			req.DryRun = preview
			req.Providers = map[string]string{"aws": "urn:pulumi:stack::project::pulumi:providers:aws::gov::" + testProviderID}
			_, err := tp.Construct(t.Context(), req)
			check(t, err)
			var got []string
			for _, r := range tp.registered() {
				if id := r.GetImportId(); id != "" {
					got = append(got, strings.TrimPrefix(r.GetType(), "aws:iam/")+" "+id)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s, in a preview %v: imported are %q", token, preview, got)
			}
			for _, look := range tp.invokes {
				if look.Provider != req.Providers["aws"] {
					t.Errorf("%s: %s uses the provider %q", token, look.Token, look.Provider)
				}
			}
		}
	}
}

// TestSkippedAdoption checks that a component that the engine skips has none of its children imported.
func TestSkippedAdoption(t *testing.T) {
	t.Parallel()
	for _, token := range []string{robotAccountToken, deploymentRoleToken, oidcProviderToken} {
		tp := startProvider(t)
		tp.exist, tp.skips = exist(), true
		req := tp.request(t, token, adoption(token, nil))
		req.Name = "skipped"
		_, err := tp.Construct(t.Context(), req)
		check(t, err)
		for _, r := range tp.registered() {
			if r.GetImportId() != "" {
				t.Errorf("%s: %s is imported", token, r.GetType())
			}
		}
	}
}

// TestNoAdoption checks what is wrong with an adoption: one error that names each input at fault, while nothing is
// registered.
func TestNoAdoption(t *testing.T) {
	t.Parallel()
	str, none := resource.NewProperty[string], resource.PropertyValue{}
	computed := resource.MakeComputed(str(""))
	robot, role, oidc := robotAccountToken, deploymentRoleToken, oidcProviderToken
	for name, tt := range map[string]struct {
		token  string
		inputs resource.PropertyMap
		setUp  func(*testPlugin)
		want   []string
	}{
		"no names": {robot, resource.PropertyMap{"userName": none, "groupName": none, "policyName": none}, nil, []string{
			"3 invalid inputs:", "userName: is required with adopt: name what exists", "groupName: is required with adopt",
			"policyName: is required with adopt",
		}},
		"no role name": {role, resource.PropertyMap{"roleName": none}, nil, []string{"roleName: is required with adopt"}},
		"an unknown name": {robot, resource.PropertyMap{"userName": computed}, nil, []string{
			"userName: must be known with adopt, in a preview too",
		}},
		"an unknown issuer": {oidc, resource.PropertyMap{"issuer": computed}, nil, []string{"issuer: must be known with adopt"}},
		"an unknown adopt": {oidc, resource.PropertyMap{adoptInput: computed}, nil, []string{
			"adopt: must be known in a preview, which shows what is taken over",
		}},
		"adopt a string": {oidc, resource.PropertyMap{adoptInput: str("yes")}, nil, []string{`adopt = "yes": must be a boolean`}},
		"a secret name": {role, resource.PropertyMap{"roleName": resource.MakeSecret(str("s3cr3t"))}, nil, []string{
			"roleName = [secret]: must not be secret with adopt: Pulumi stores and shows",
		}},
		"a name of the program's own user": {robot, resource.PropertyMap{"userName": output(str("bot"), ofBot)}, nil, []string{
			`userName = "bot": must not come from aws:iam/user:User "bot" with adopt, since the program would own one object twice`,
		}},
		"an unknown account": {robot, nil, func(tp *testPlugin) { tp.callerARN = "" }, []string{
			"adopt: needs an AWS provider whose configuration is known in a preview",
		}},
		"an old CLI": {robot, nil, func(tp *testPlugin) { tp.oldCLI = true }, []string{"adopt needs the Pulumi CLI >=3.220.0: "}},
		"a look-up denied": {robot, nil, func(tp *testPlugin) { tp.exist, tp.noLookUp = nil, "AccessDenied: not you" }, []string{
			"look up the user that userName names: AccessDenied: not you",
		}},
		"nothing exists": {robot, nil, func(tp *testPlugin) { tp.exist = nil }, []string{
			"2 invalid inputs:",
			`userName = "bot": belongs to no user in the account 123456789012; correct it, or leave adopt out to create the user`,
			`groupName = "bots": belongs to no group in the account`,
		}},
		"no group": {robot, resource.PropertyMap{"groupName": str("others")}, nil, []string{
			"invalid input:", `groupName = "others": belongs to no group in the account 123456789012, where the user "bot" exists; ` +
				`create it first with "aws iam create-group --group-name others"`,
		}},
		"no user": {robot, resource.PropertyMap{"userName": str("other")}, nil, []string{
			"2 invalid inputs:", `where the group "bots" exists; create it first with "aws iam create-user --user-name other"`,
			`groupName = "bots": must be a group without other members, and has "bot"`,
		}},
		"no group, as IAM says it": {robot, resource.PropertyMap{"groupName": str("others")}, func(tp *testPlugin) {
			tp.noLookUp = "getting group: NoSuchEntity: The group with name others cannot be found."
		}, []string{`groupName = "others": belongs to no group`}},
		"another case": {robot, resource.PropertyMap{"userName": str("BOT"), "groupName": str("BOTS")}, nil, []string{
			"2 invalid inputs:", `userName = "BOT": must be "bot", the name of the user that is adopted`,
			`groupName = "BOTS": must be "bots", the name of the group`,
		}},
		"other members": {robot, resource.PropertyMap{"groupName": str("devs")}, nil, []string{
			`groupName = "devs": must be a group without other members, and has "ann" and "zoe"`,
		}},
		"no path":      {role, resource.PropertyMap{"path": none}, nil, []string{`path: must be "/cicd/", the path of the role`}},
		"another path": {role, resource.PropertyMap{"path": str("/")}, nil, []string{`path = "/": must be "/cicd/"`}},
		"a role's case": {role, resource.PropertyMap{"roleName": str("DEPLOY")}, nil, []string{
			`roleName = "DEPLOY": must be "deploy"`,
		}},
		"no role": {role, resource.PropertyMap{"roleName": str("x")}, nil, []string{`roleName = "x": belongs to no role in the account`}},
		"no provider": {oidc, resource.PropertyMap{"issuer": str("https://gitlab.com")}, nil, []string{
			`issuer = "https://gitlab.com": belongs to no OpenID Connect provider in the account 123456789012; correct it, or leave`,
		}},
	} {
		tp := startProvider(t)
		tp.exist = exist()
		if tt.setUp != nil {
			tt.setUp(tp)
		}
		req := tp.request(t, tt.token, adoption(tt.token, tt.inputs))
		req.DryRun = true
		_, err := tp.Construct(t.Context(), req)
		message := status.Convert(err).Message()
		for _, want := range tt.want {
			if !strings.Contains(message, want) {
				t.Errorf("%s: the error does not say %q:\n%s", name, want, message)
			}
		}
		if err == nil || strings.Contains(message, "s3cr3t") || len(tp.registered()) > 0 {
			t.Errorf("%s: %d registrations, and %v", name, len(tp.registered()), err)
		}
	}
}

// TestAdoptionOfUnknownPath checks that a role whose path is unknown is not held against it.
func TestAdoptionOfUnknownPath(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	tp.exist = exist()
	req := tp.request(t, deploymentRoleToken, adoption(deploymentRoleToken, resource.PropertyMap{
		"path": resource.MakeComputed(resource.NewProperty("")),
	}))
	req.DryRun = true
	_, err := tp.Construct(t.Context(), req)
	check(t, err)
}

// TestAdoptionTwice checks that of two components with one object, of which at least one adopts it, the second is
// refused, whatever the case of the name.
func TestAdoptionTwice(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		first, second bool
		inputs        resource.PropertyMap
		want          string
	}{
		"both adopt": {true, true, nil, `userName = "bot": must be another user than that of cicd:index:RobotAccount "robot": one of the two adopts it`},
		"the second": {false, true, resource.PropertyMap{"userName": resource.NewProperty("BOT")}, `userName = "BOT": must be another user`},
		"the first":  {true, false, resource.PropertyMap{"userName": resource.NewProperty("x")}, `groupName = "bots": must be another group`},
		"none":       {false, false, nil, ""},
	} {
		tp := startProvider(t)
		tp.exist = exist()
		construct := func(name string, adopts bool, inputs resource.PropertyMap) error {
			inputs = adoption(robotAccountToken, inputs)
			inputs[adoptInput] = resource.NewProperty(adopts)
			req := tp.robotRequest(t, inputs)
			req.Name = name
			_, err := tp.Construct(t.Context(), req)
			return err
		}
		check(t, construct("robot", tt.first, nil))
		err := construct("other", tt.second, tt.inputs)
		if (err == nil) != (tt.want == "") || !strings.Contains(status.Convert(err).Message(), tt.want) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}

// TestOtherPoliciesOfAnAdoptedRole checks that the policies that an adopted role has, and the component does not, are
// named in one warning.
func TestOtherPoliciesOfAnAdoptedRole(t *testing.T) {
	t.Parallel()
	const other = inAccount + "policy/other"
	for name, tt := range map[string]struct {
		adopts         bool
		attached       []string
		inline, inputs resource.PropertyMap
		want           []string
	}{
		"others": {true, []string{testPolicy, other}, resource.PropertyMap{"ours": {}, "theirs": {}}, resource.PropertyMap{
			"managedPolicyArns": strs(testPolicy), "inlinePolicies": resource.NewProperty(resource.PropertyMap{
				"ours": resource.NewProperty(testDocument),
			}),
		}, []string{
			"aws iam detach-role-policy --role-name deploy --policy-arn " + other,
			"aws iam delete-role-policy --role-name deploy --policy-name theirs",
		}},
		"none of ours": {true, []string{other}, nil, nil, []string{"--policy-arn " + other}},
		"only ours":    {true, []string{testPolicy}, nil, resource.PropertyMap{"managedPolicyArns": strs(testPolicy)}, nil},
		"none":         {true, nil, nil, nil, nil},
		"not adopted":  {false, []string{other}, nil, nil, nil},
	} {
		tp := startProvider(t)
		tp.exist = exist()
		inline := []resource.PropertyValue{}
		for name := range tt.inline {
			inline = append(inline, resource.NewProperty(resource.PropertyMap{
				"name": resource.NewProperty(string(name)), "policy": resource.NewProperty(testDocument),
			}))
		}
		tp.state = map[string]resource.PropertyMap{
			roleType: {"managedPolicyArns": strs(tt.attached...), "inlinePolicies": resource.NewProperty(inline)},
		}
		inputs := adoption(deploymentRoleToken, tt.inputs)
		inputs[adoptInput] = resource.NewProperty(tt.adopts)
		_, err := tp.Construct(t.Context(), tp.request(t, deploymentRoleToken, inputs))
		check(t, err)
		logs := tp.engine.Logs()
		if len(logs) > 1 || (len(logs) == 1) != (tt.want != nil) {
			t.Errorf("%s: the logs are %v", name, logs)
			continue
		}
		for _, log := range logs {
			lines := strings.Split(log.GetMessage(), "\n")
			if log.GetSeverity() != pulumirpc.LogSeverity_WARNING || len(lines) != 1+len(tt.want) {
				t.Errorf("%s: the log is %v", name, log)
			}
			for _, want := range tt.want {
				if !strings.Contains(log.GetMessage(), want) {
					t.Errorf("%s: the warning does not say %q: %s", name, want, log.GetMessage())
				}
			}
		}
	}
}
