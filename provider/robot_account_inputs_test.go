package provider

import (
	"fmt"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// TestRobotAccountBadInputs gives the plugin every kind of bad input over gRPC: each is answered with one
// error that names the input, its value and the rule, and nothing is registered.
func TestRobotAccountBadInputs(t *testing.T) {
	t.Parallel()
	str := resource.NewProperty[string]
	number := resource.NewProperty(1.0)
	null := resource.NewNullProperty()
	object := func(kv ...string) resource.PropertyValue {
		m := resource.PropertyMap{}
		for i := 0; i < len(kv); i += 2 {
			m[resource.PropertyKey(kv[i])] = str(kv[i+1])
		}
		return resource.NewProperty(m)
	}
	manyTags := resource.PropertyMap{}
	for i := range 50 {
		manyTags[resource.PropertyKey(fmt.Sprint("key", i))] = str("v")
	}
	var manyRoles []string
	for i := range 150 {
		manyRoles = append(manyRoles, fmt.Sprintf("a-rather-long-role-name-%d", i))
	}

	for name, tt := range map[string]struct {
		input string
		value resource.PropertyValue
		want  string
	}{
		"empty user name":        {"userName", str(""), `userName = "": must not be empty: 1 to 64 characters`},
		"long user name":         {"userName", str(strings.Repeat("u", 65)), `must have at most 64 characters`},
		"user name with a space": {"userName", str("a b"), `userName = "a b": must consist of the characters A-Z`},
		"user name with a quote": {"userName", str(`a"b`), `userName = "a\"b": must consist`},
		"user name with a slash": {"userName", str("a/b"), `userName = "a/b": must consist`},
		"user name not ASCII":    {"userName", str("bücher"), `userName = "bücher": must consist`},
		"user name with control": {"userName", str("a\x00\n"), `userName = "a\x00\n": must consist`},
		"user name a number":     {"userName", number, `userName = 1: must be a string, and is a number`},
		"user name a list":       {"userName", strs("a"), `userName = a list: must be a string, and is a list`},
		"user name a map":        {"userName", object(), `userName = a map: must be a string, and is a map`},
		"empty group name":       {"groupName", str(""), `groupName = "": must not be empty: 1 to 128`},
		"long group name":        {"groupName", str(strings.Repeat("g", 129)), `must have at most 128 characters`},
		"group name, wildcard":   {"groupName", str("a*"), `groupName = "a*": must consist`},
		"group name a boolean":   {"groupName", resource.NewProperty(true), `groupName = true: must be a string`},
		"empty policy name":      {"policyName", str(""), `policyName = "": must not be empty: 1 to 128`},
		"long policy name":       {"policyName", str(strings.Repeat("p", 129)), `must have at most 128 characters`},
		"policy name, control":   {"policyName", str("a\tb"), `policyName = "a\tb": must consist`},
		"empty path":             {"path", str(""), `path = "": must begin and end with a slash`},
		"path without slashes":   {"path", str("cicd"), `path = "cicd": must begin and end with a slash (did you mean "/cicd/"?)`},
		"path without an end":    {"path", str("/cicd"), `path = "/cicd": must begin and end`},
		"path with a wildcard":   {"path", str("/*/"), `path = "/*/": must consist of slashes`},
		"path with a hole":       {"path", str("/a//b/"), `path = "/a//b/": must not have two slashes`},
		"long path":              {"path", str("/" + strings.Repeat("p", 511) + "/"), `must have at most 512 characters`},
		"boundary no ARN":        {"permissionsBoundary", str("PowerUserAccess"), `permissionsBoundary = "PowerUserAccess": must be the ARN of an IAM policy`},
		"boundary a role":        {"permissionsBoundary", str("arn:aws:iam::123456789012:role/x"), `must be the ARN of an IAM policy`},
		"boundary wildcard":      {"permissionsBoundary", str("arn:aws:iam::123456789012:policy/*"), `must be the ARN of an IAM policy`},
		"boundary partition":     {"permissionsBoundary", str("arn:aws-cn:iam::aws:policy/PowerUserAccess"), `must be in the account's partition "aws"`},
		"boundary account":       {"permissionsBoundary", str("arn:aws:iam::210987654321:policy/x"), `must be a policy of the account 123456789012`},
		"empty boundary":         {"permissionsBoundary", str(""), `permissionsBoundary = "": must be the ARN`},
		"force a string":         {"forceDestroy", str("true"), `forceDestroy = "true": must be a boolean, and is a string`},
		"tag sessions a string":  {"allowSessionTags", str("true"), `allowSessionTags = "true": must be a boolean, and is a string`},
		"confine a string":       {"confine", str("true"), `confine = "true": must be a boolean, and is a string`},
		"confine null in a list": {"confine", resource.NewProperty([]resource.PropertyValue{null}), `confine = a list: must be a boolean`},
		"force a number":         {"forceDestroy", number, `forceDestroy = 1: must be a boolean, and is a number`},
		"tags a list":            {"tags", strs("a"), `tags = a list: must be a map of strings`},
		"tag without a key":      {"tags", object("", "v"), `must have a key of 1 to 128 characters`},
		"tag of AWS":             {"tags", object("aws:owner", "v"), `tags["aws:owner"] = "v": must not have a key that begins with "aws:"`},
		"tag of AWS, big":        {"tags", object("AWS:owner", "v"), `must not have a key that begins with "aws:"`},
		"tag with a long key":    {"tags", object(strings.Repeat("k", 129), "v"), `must have a key of at most 128 characters`},
		"tag key characters":     {"tags", object("a*", "v"), `must have a key of letters, digits`},
		"tag with a long value":  {"tags", object("a", strings.Repeat("v", 257)), `must have at most 256 characters`},
		"tag value characters":   {"tags", object("a", "{}"), `tags.a = "{}": must consist of letters, digits`},
		"tags twice by case":     {"tags", object("Owner", "a", "owner", "b"), `tags = a map: must not have a key twice`},
		"too many tags":          {"tags", resource.NewProperty(manyTags), `must have at most 50 tags, the default ones included`},
		"tag a number":           {"tags", resource.NewProperty(resource.PropertyMap{"a": number}), `tags.a = 1: must be a string, and is a number`},
		"tag null":               {"tags", resource.NewProperty(resource.PropertyMap{"a": null}), `tags.a = null: must be a string, and is null`},
		"no roles":               {"assumableRoles", strs(), `assumableRoles = a list: must have at least one element`},
		"roles a string":         {"assumableRoles", str("deploy"), `assumableRoles = "deploy": must be a list of strings, and is a string`},
		"role null":              {"assumableRoles", resource.NewProperty([]resource.PropertyValue{null}), `assumableRoles[0] = null: must be a string`},
		"role empty":             {"assumableRoles", strs("a", ""), `assumableRoles[1] = "": must be a role's name`},
		"role with a slash":      {"assumableRoles", strs("/deploy"), `must not begin with a slash: it follows "role/" (did you mean "deploy"?)`},
		"role a folder":          {"assumableRoles", strs("cicd/"), `(did you mean "cicd/*"?)`},
		"role with quotes":       {"assumableRoles", strs(`a","*`), `assumableRoles[0] = "a\",\"*": must be a role's name`},
		"role with a variable":   {"assumableRoles", strs("${aws:username}"), `must be a role's name`},
		"role a user":            {"assumableRoles", strs("arn:aws:iam::123456789012:user/x"), `must be a role's name or a pattern`},
		"role a session":         {"assumableRoles", strs("arn:aws:sts::123456789012:assumed-role/x/y"), `this is a session of one (did you mean "arn:aws:iam::123456789012:role/x"?)`},
		"role, all resources":    {"assumableRoles", strs("arn:aws:iam::123456789012:*"), `must be a role's name or a pattern`},
		"role, any partition":    {"assumableRoles", strs("arn:*:iam::123456789012:role/x"), `must be a role's name or a pattern`},
		"role, any service":      {"assumableRoles", strs("arn:aws:*::123456789012:role/x"), `must be a role's name or a pattern`},
		"role, part of account":  {"assumableRoles", strs("arn:aws:iam::12*:role/x"), `must be a role's name or a pattern`},
		"role, other partition":  {"assumableRoles", strs("arn:aws-cn:iam::123456789012:role/x"), `assumableRoles[0] = "arn:aws-cn:iam::123456789012:role/x": must be in the account's partition "aws"`},
		"role name too long":     {"assumableRoles", strs(strings.Repeat("r", 65)), `must have a role name of at most 64 characters`},
		"too many roles":         {"assumableRoles", strs(manyRoles...), `assumableRoles: must fit into a policy of 5120 characters`},
		"no sources":             {"sourceIps", strs(), `sourceIps = a list: must have at least one element`},
		"source no range":        {"sourceIps", strs("203.0.113.5"), `sourceIps[0] = "203.0.113.5": must be a range of addresses in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32 (did you mean "203.0.113.5/32"?)`},
		"source with host bits":  {"sourceIps", strs("10.1.2.3/8"), `must not have bits set beyond its prefix (did you mean "10.0.0.0/8"?)`},
		"source too narrow":      {"sourceIps", strs("10.0.0.0/33"), `must be a range of addresses`},
		"source a name":          {"sourceIps", strs("10.0.0.0/8", "example.com"), `sourceIps[1] = "example.com": must be a range`},
		"source IPv4 in IPv6":    {"sourceIps", strs("::ffff:10.0.0.0/104"), `must not be an IPv4 address written as IPv6`},
		"unknown input":          {"assumableRole", strs("x"), `assumableRole: is not an input of this resource (did you mean "assumableRoles"?)`},
		"unknown input by case":  {"username", str("x"), `username: is not an input of this resource (did you mean "userName"?)`},
		"unknown input, far":     {"accountColour", str("x"), `accountColour: is not an input of this resource` + "\x00"},
		"an output":              {"userArn", str("x"), `userArn: is not an input of this resource`},
		"an asset":               {"userName", resource.NewProperty(textAsset(t)), `userName = an asset: must be a string`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			_, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{
				resource.PropertyKey(tt.input): tt.value,
			}))
			if status.Code(err) != codes.InvalidArgument {
				t.Fatalf("the error is %v", err)
			}
			message := status.Convert(err).Message()
			if !strings.Contains(message+"\x00", tt.want) || !strings.HasPrefix(message, "invalid input:\n  - "+tt.input) {
				t.Errorf("the error does not say %q:\n%s", tt.want, message)
			}
			if n := len(tp.registered()); n != 0 {
				t.Errorf("%d resources are registered", n)
			}

			// The same value as a secret, and within one, is refused in the same way and not shown.
			if tt.value.IsString() && len(tt.value.StringValue()) < 3 || !strings.Contains(message, " = ") {
				return
			}
			for _, secret := range []resource.PropertyValue{
				resource.MakeSecret(tt.value),
				resource.NewProperty(resource.Output{Element: tt.value, Known: true, Secret: true}),
			} {
				tp := startProvider(t)
				_, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{
					resource.PropertyKey(tt.input): secret,
				}))
				message := status.Convert(err).Message()
				want := fmt.Sprintf("invalid input:\n  - %s = [secret]: must ", tt.input)
				if !strings.HasPrefix(message, want) || strings.Contains(message, "did you mean") {
					t.Errorf("the secret gives, and not %q:\n%s", want, message)
				}
				for _, s := range texts(tt.value) {
					if len(s) > 4 && strings.Contains(message, s) && !strings.Contains(ruleExamples, s) {
						t.Errorf("the error shows the secret %q:\n%s", s, message)
					}
				}
			}
		})
	}
}

// ruleExamples are values that rules name as examples.
const ruleExamples = "aws: /cicd/ deploy"

// texts returns all strings within a value, keys too.
func texts(v resource.PropertyValue) (all []string) {
	switch {
	case v.IsString():
		all = append(all, v.StringValue())
	case v.IsArray():
		for _, e := range v.ArrayValue() {
			all = append(all, texts(e)...)
		}
	case v.IsObject():
		for k, e := range v.ObjectValue() {
			all = append(append(all, string(k)), texts(e)...)
		}
	}
	return all
}

func TestRobotAccountListsAllProblems(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{
		"userNam":        resource.NewProperty("x"),
		"userName":       resource.NewProperty("a b"),
		"path":           resource.MakeSecret(resource.NewProperty("s3cr3t")),
		"assumableRoles": strs("ok", "/x", "y/"),
		"sourceIps":      strs(),
		"tags": resource.NewProperty(resource.PropertyMap{
			"a": resource.MakeSecret(resource.NewProperty("s3cr3t*")), "b*": resource.NewProperty("v"),
		}),
	}))
	const want = `8 invalid inputs:
  - assumableRoles[1] = "/x": must not begin with a slash: it follows "role/" (did you mean "x"?)
  - assumableRoles[2] = "y/": must not end with a slash: a path alone names no role (did you mean "y/*"?)
  - path = [secret]: must begin and end with a slash
  - sourceIps = a list: must have at least one element: leave it out to allow calls from anywhere
  - tags = [secret]: must consist of letters, digits, spaces and _ . : / = + - @
  - tags["b*"] = "v": must have a key of letters, digits, spaces and _ . : / = + - @
  - userNam: is not an input of this resource (did you mean "userName"?)
  - userName = "a b": must consist of the characters A-Z a-z 0-9 + = , . @ _ -`
	if got := status.Convert(err).Message(); got != want {
		t.Errorf("the error is\n%s\nand not\n%s", got, want)
	}
	if len(tp.registered())+len(tp.invokes) != 0 {
		t.Errorf("%d resources are registered after %d look-ups", len(tp.registered()), len(tp.invokes))
	}
}

// TestRobotAccountName says which resource names can stand in for names that are not given.
func TestRobotAccountName(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inputs resource.PropertyMap
		want   []string
	}{
		"my robot":                 {resource.PropertyMap{}, []string{"userName", "groupName"}},
		strings.Repeat("r", 57):    {resource.PropertyMap{}, []string{"userName"}},
		strings.Repeat("r", 56):    {resource.PropertyMap{}, nil},
		strings.Repeat("r", 58):    {resource.PropertyMap{"userName": resource.NewProperty("bot")}, nil},
		"cicd/robot":               {resource.PropertyMap{"userName": resource.NewProperty("bot")}, []string{"groupName"}},
		strings.Repeat("long", 31): {resource.PropertyMap{"userName": resource.MakeComputed(resource.NewProperty(""))}, []string{"groupName"}},
	} {
		tp := startProvider(t)
		req := tp.robotRequest(t, tt.inputs)
		req.Name, req.DryRun = name, true
		_, err := tp.Construct(t.Context(), req)
		message := status.Convert(err).Message()
		if got := strings.Count(message, "is required: the default, the resource's name"); got != len(tt.want) {
			t.Errorf("%q: %v", name, err)
		}
		for _, input := range tt.want {
			if !strings.Contains(message, "- "+input+": is required") {
				t.Errorf("%q: the error does not name %s: %s", name, input, message)
			}
		}
	}
}

// TestUnknownValuesAreCheckedLater says that what is not known is no problem, and does not hide one.
func TestUnknownValuesAreCheckedLater(t *testing.T) {
	t.Parallel()
	unknown := resource.MakeComputed(resource.NewProperty(""))
	tp := startProvider(t)
	inputs := resource.PropertyMap{
		"userName": unknown, "groupName": unknown, "policyName": unknown, "path": unknown, "permissionsBoundary": unknown,
		"forceDestroy": unknown, "sourceIps": unknown,
		"tags":           resource.NewProperty(resource.PropertyMap{"a": unknown}),
		"assumableRoles": resource.NewProperty([]resource.PropertyValue{unknown}),
	}
	req := tp.robotRequest(t, inputs)
	req.DryRun = true
	if _, err := tp.Construct(t.Context(), req); err != nil {
		t.Errorf("unknown inputs give %v", err)
	}
	inputs["assumableRoles"] = resource.NewProperty([]resource.PropertyValue{unknown, resource.NewProperty("/x")})
	req = tp.robotRequest(t, inputs)
	req.DryRun = true
	if _, err := tp.Construct(t.Context(), req); err == nil || !strings.Contains(err.Error(), `assumableRoles[1] = "/x"`) {
		t.Errorf("a bad role beside an unknown one gives %v", err)
	}
}

// TestEveryInputHasARule says that no field of the arguments goes unchecked.
func TestEveryInputHasARule(t *testing.T) {
	t.Parallel()
	everyFieldHasARule[RobotAccountArgs](t, robotAccountRules(serve.Identity{}))
	everyFieldHasARule[AccessKeyArgs](t, accessKeyRules)
}

func textAsset(t *testing.T) *resource.Asset {
	t.Helper()
	a, err := resource.NewTextAsset("text")
	check(t, err)
	return a
}
