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

// TestDeploymentRoleBadInputs gives the plugin every kind of bad input over gRPC: each is answered with one error
// that names the input, its value and the rule, and nothing is registered.
func TestDeploymentRoleBadInputs(t *testing.T) {
	t.Parallel()
	str := resource.NewProperty[string]
	number := resource.NewProperty[float64]
	null := resource.NewNullProperty()
	object := func(kv ...any) resource.PropertyValue {
		m := resource.PropertyMap{}
		for i := 0; i < len(kv); i += 2 {
			value := kv[i+1]
			if s, isString := value.(string); isString {
				value = str(s)
			}
			m[resource.PropertyKey(kv[i].(string))] = value.(resource.PropertyValue)
		}
		return resource.NewProperty(m)
	}
	list := func(elements ...resource.PropertyValue) resource.PropertyValue { return resource.NewProperty(elements) }
	statement := func(kv ...any) resource.PropertyValue {
		return object("Version", "2012-10-17", "Statement", list(object(kv...)))
	}
	manyTags := resource.PropertyMap{}
	for i := range 51 {
		manyTags[resource.PropertyKey(fmt.Sprint("key", i))] = str("v")
	}
	var manyRobots []string
	for i := range 200 {
		manyRobots = append(manyRobots, fmt.Sprint(testRobot, i))
	}
	large := strings.Replace(testDocument, "artifacts", strings.Repeat("a", 5100), 1)

	for name, tt := range map[string]struct {
		input string
		value resource.PropertyValue
		want  string
	}{
		"nobody trusted":              {"trusted", strs(), `trusted = a list: must have at least one element: name at least one user or role`},
		"trust null":                  {"trusted", null, `trusted: is required: name the users and roles`},
		"trust a string":              {"trusted", str(testRobot), `trusted = "arn:aws:iam::123456789012:user/cicd/bot": must be a list of strings, and is a string`},
		"trust a null element":        {"trusted", list(null), `trusted[0] = null: must be a string`},
		"trust a number":              {"trusted", list(str(testRobot), number(1)), `trusted[1] = 1: must be a string, and is a number`},
		"trust everybody":             {"trusted", strs(testRobot, "*"), `trusted[1] = "*": must not be everybody: name each user and each role`},
		"trust an account":            {"trusted", strs("123456789012"), `trusted[0] = "123456789012": must not be a whole account: anyone in it`},
		"trust a root":                {"trusted", strs("arn:aws:iam::123456789012:root"), `must not be a whole account`},
		"trust users by wildcard":     {"trusted", strs("arn:aws:iam::123456789012:user/cicd/*"), `trusted[0] = "arn:aws:iam::123456789012:user/cicd/*": must not have wildcards: name each user and each role`},
		"trust users by ?":            {"trusted", strs("arn:aws:iam::123456789012:user/bo?"), `must not have wildcards`},
		"trust any account's user":    {"trusted", strs("arn:aws:iam::*:user/bot"), `must not have wildcards`},
		"trust all of an account":     {"trusted", strs("arn:aws:iam::123456789012:*"), `must not have wildcards`},
		"trust a group":               {"trusted", strs("arn:aws:iam::123456789012:group/x"), `must not be a group, which IAM lets no policy trust: name each user of it`},
		"trust a session":             {"trusted", strs("arn:aws:sts::123456789012:assumed-role/gha/run"), `must be the ARN of a role, and not of a session of one (did you mean "arn:aws:iam::123456789012:role/gha", with the role's path if it has one?)`},
		"trust a federated user":      {"trusted", strs("arn:aws:sts::123456789012:federated-user/x"), `must be the ARN of a user, and not of a session of one`},
		"trust a policy":              {"trusted", strs(testPolicy), `must be the ARN of an IAM user or role, such as arn:aws:iam::123456789012:user/NAME`},
		"trust a service":             {"trusted", strs("ec2.amazonaws.com"), `must be the ARN of an IAM user or role`},
		"trust an OIDC provider":      {"trusted", strs("arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"), `must be the ARN of an IAM user or role`},
		"trust a name":                {"trusted", strs("cicd-bot"), `must be the ARN of an IAM user or role`},
		"trust a unique ID":           {"trusted", strs("AIDAJQABLZS4A3QDU576Q"), `must be the ARN of an IAM user or role`},
		"trust a variable":            {"trusted", strs("arn:aws:iam::123456789012:user/${aws:username}"), `must be the ARN of an IAM user or role`},
		"trust quotes":                {"trusted", strs(`arn:aws:iam::123456789012:user/a","*`), `must not have wildcards`},
		"trust another partition":     {"trusted", strs("arn:aws-cn:iam::123456789012:user/bot"), `trusted[0] = "arn:aws-cn:iam::123456789012:user/bot": must be in the account's partition "aws"`},
		"trust too many":              {"trusted", strs(manyRobots...), `trusted: must fit into a trust policy of 8192 characters`},
		"empty role name":             {"roleName", str(""), `roleName = "": must not be empty: 1 to 64 characters`},
		"long role name":              {"roleName", str(strings.Repeat("r", 65)), `must have at most 64 characters`},
		"role name with a slash":      {"roleName", str("a/b"), `roleName = "a/b": must consist of the characters A-Z`},
		"role name with a space":      {"roleName", str("a b"), `roleName = "a b": must consist`},
		"role name a wildcard":        {"roleName", str("*"), `roleName = "*": must consist`},
		"role name a list":            {"roleName", strs("a"), `roleName = a list: must be a string`},
		"path without slashes":        {"path", str("cicd"), `path = "cicd": must begin and end with a slash (did you mean "/cicd/"?)`},
		"path with a wildcard":        {"path", str("/*/"), `path = "/*/": must consist of slashes`},
		"long path":                   {"path", str("/" + strings.Repeat("p", 511) + "/"), `must have at most 512 characters`},
		"long description":            {"description", str(strings.Repeat("d", 1001)), `must have at most 1000 characters`},
		"description in Japanese":     {"description", str("日本語です"), `description = "日本語です": must consist of the characters of Latin-1`},
		"description with control":    {"description", str("a\x00bcd"), `must consist of the characters of Latin-1`},
		"description a number":        {"description", number(1), `description = 1: must be a string, and is a number`},
		"policies a string":           {"managedPolicyArns", str(testPolicy), `must be a list of strings, and is a string`},
		"policy a name":               {"managedPolicyArns", strs("PowerUserAccess"), `managedPolicyArns[0] = "PowerUserAccess": must be the ARN of an IAM policy`},
		"policy empty":                {"managedPolicyArns", strs(testPolicy, ""), `managedPolicyArns[1] = "": must be the ARN`},
		"policy null":                 {"managedPolicyArns", list(null), `managedPolicyArns[0] = null: must be a string`},
		"policy a wildcard":           {"managedPolicyArns", strs("arn:aws:iam::aws:policy/*"), `must be the ARN of an IAM policy`},
		"policy a role":               {"managedPolicyArns", strs("arn:aws:iam::123456789012:role/x"), `must be the ARN of an IAM policy`},
		"policy of another account":   {"managedPolicyArns", strs("arn:aws:iam::210987654321:policy/x"), `must be a policy of the account 123456789012 or one of AWS's`},
		"policy of another partition": {"managedPolicyArns", strs("arn:aws-cn:iam::aws:policy/x"), `must be in the account's partition "aws"`},
		"documents a string":          {"inlinePolicies", str(testDocument), `must be a map of policy documents, and is a string`},
		"documents a list":            {"inlinePolicies", strs(testDocument), `inlinePolicies = a list: must be a map of policy documents`},
		"document without a name":     {"inlinePolicies", object("", testDocument), `inlinePolicies.: has a name that must not be empty: 1 to 128`},
		"document with a long name":   {"inlinePolicies", object(strings.Repeat("n", 129), testDocument), `has a name that must have at most 128 characters`},
		"document with a bad name":    {"inlinePolicies", object("a b", testDocument), `inlinePolicies["a b"]: has a name that must consist of`},
		"document null":               {"inlinePolicies", object("x", null), `inlinePolicies.x = null: must be a policy document, as JSON text or as an object, and is null`},
		"document a number":           {"inlinePolicies", object("x", number(17)), `inlinePolicies.x = 17: must be a policy document, as JSON text or as an object`},
		"document a list":             {"inlinePolicies", object("x", list(document(str("*")))), `inlinePolicies.x = a list: must be a policy document`},
		"document no JSON":            {"inlinePolicies", object("x", "Version: 2012-10-17"), `inlinePolicies.x = "Version: 2012-10-17": must be an IAM policy document: invalid JSON (invalid character 'V'`},
		"document empty":              {"inlinePolicies", object("x", ""), `inlinePolicies.x = "": must be an IAM policy document: invalid JSON`},
		"document JSON, no object":    {"inlinePolicies", object("x", "[\"s3cr3t\"]"), `must be an IAM policy document: it must be a JSON object`},
		"document twice":              {"inlinePolicies", object("x", testDocument+testDocument), `something follows its JSON text`},
		"document with a key twice":   {"inlinePolicies", object("x", strings.Replace(testDocument, `"Action"`, `"Effect"`, 1)), `one of its objects has a key twice ("Effect")`},
		"document without version":    {"inlinePolicies", object("x", object("Statement", document(str("*")).ObjectValue()["Statement"])), `inlinePolicies.x = a map: must be an IAM policy document: it must have a Version, "2012-10-17"`},
		"document of a future":        {"inlinePolicies", object("x", strings.Replace(testDocument, "2012-10-17", "2032-10-17", 1)), `its Version must be "2012-10-17" or "2008-10-17"`},
		"document without statement":  {"inlinePolicies", object("x", `{"Version":"2012-10-17"}`), `it must have a Statement`},
		"document with a principal":   {"inlinePolicies", object("x", strings.Replace(testDocument, `"Effect"`, `"Principal":"*","Effect"`, 1)), `its Statement[0] must have no Principal: the principal is the role itself`},
		"document without effect":     {"inlinePolicies", object("x", statement("Action", "s3:Get", "Resource", "*")), `its Statement[0] must have an Effect of "Allow" or "Deny"`},
		"document without action":     {"inlinePolicies", object("x", statement("Effect", "Allow", "Resource", "*")), `its Statement[0] must have either Action or NotAction`},
		"document with a null":        {"inlinePolicies", object("x", statement("Effect", "Allow", "Resource", "*", "Action", null)), `no part of it must be null; give it a value, or leave it out (Statement[0].Action)`},
		"document without resource":   {"inlinePolicies", object("x", statement("Effect", "Allow", "Action", "s3:Get")), `its Statement[0] must have either Resource or NotResource`},
		"document with a bad element": {"inlinePolicies", object("x", statement("Effect", "Allow", "Actions", "s3:Get", "NotAction", "s3:Get", "Resource", "*")), `has an element that IAM does not know ("Actions": did you mean "Action"?)`},
		"document with an asset":      {"inlinePolicies", object("x", statement("Effect", "Allow", "Action", "s3:Get", "Resource", resource.NewProperty(textAsset(t)))), `inlinePolicies.x = a map: must be a policy document, which has no part that is an asset`},
		"document in Japanese":        {"inlinePolicies", object("x", strings.Replace(testDocument, "artifacts", "成果物", 1)), `it must consist of the characters of Latin-1`},
		"document too large":          {"inlinePolicies", object("x", strings.Replace(testDocument, "artifacts", strings.Repeat("a", 10240), 1)), `must have at most 10240 characters together, without white space`},
		"documents too large":         {"inlinePolicies", object("x", large, "y", large), `inlinePolicies: must have at most 10240 characters together, without white space, IAM's limit for a role, and these have 10420`},
		"boundary no ARN":             {"permissionsBoundary", str("PowerUserAccess"), `permissionsBoundary = "PowerUserAccess": must be the ARN of an IAM policy`},
		"boundary account":            {"permissionsBoundary", str("arn:aws:iam::210987654321:policy/x"), `must be a policy of the account 123456789012`},
		"boundary partition":          {"permissionsBoundary", str("arn:aws-cn:iam::aws:policy/x"), `must be in the account's partition "aws"`},
		"session too short":           {"maxSessionDuration", number(3599), `maxSessionDuration = 3599: must be 3600 to 43200 seconds`},
		"session too long":            {"maxSessionDuration", number(43201), `maxSessionDuration = 43201: must be 3600 to 43200 seconds`},
		"session of half a second":    {"maxSessionDuration", number(3600.5), `maxSessionDuration = 3600.5: must be a whole number`},
		"session a string":            {"maxSessionDuration", str("3600"), `maxSessionDuration = "3600": must be a whole number, and is a string`},
		"external ID empty":           {"externalId", str(""), `externalId = "": must have 2 to 1224 characters`},
		"external ID too short":       {"externalId", str("x"), `externalId = "x": must have 2 to 1224 characters`},
		"external ID too long":        {"externalId", str(strings.Repeat("x", 1225)), `must have 2 to 1224 characters`},
		"external ID with a space":    {"externalId", str("my secret"), `externalId = "my secret": must consist of the characters A-Z a-z 0-9 + = , . @ _ : / -`},
		"external ID a wildcard":      {"externalId", str("proj-*"), `externalId = "proj-*": must consist`},
		"external ID a variable":      {"externalId", str("${aws:username}"), `must consist of the characters`},
		"external ID a number":        {"externalId", number(17), `externalId = 17: must be a string, and is a number`},
		"no session names":            {"sessionNames", strs(), `sessionNames = a list: must have at least one element: leave it out to allow any session name`},
		"session name empty":          {"sessionNames", strs("gha-*", ""), `sessionNames[1] = "": must not be empty: 2 to 64 characters`},
		"session name with a space":   {"sessionNames", strs("my session"), `sessionNames[0] = "my session": must consist of the characters A-Z`},
		"session name with a slash":   {"sessionNames", strs("gha/main"), `sessionNames[0] = "gha/main": must consist`},
		"session name too long":       {"sessionNames", strs(strings.Repeat("s", 65)), `must match a session's name: 2 to 64 characters`},
		"session name too short":      {"sessionNames", strs("s"), `sessionNames[0] = "s": must match a session's name`},
		"session name, variable":      {"sessionNames", strs("${aws:PrincipalTag/team}"), `must have no other policy variable than ${aws:username}`},
		"session name, variable case": {"sessionNames", strs("${aws:userName}"), `must have no other policy variable than ${aws:username} (did you mean "${aws:username}"?)`},
		"session names a string":      {"sessionNames", str("gha-*"), `sessionNames = "gha-*": must be a list of strings`},
		"tags switch a string":        {"allowSessionTags", str("true"), `allowSessionTags = "true": must be a boolean, and is a string`},
		"no sources":                  {"sourceIps", strs(), `sourceIps = a list: must have at least one element: leave it out to allow calls from anywhere`},
		"source no range":             {"sourceIps", strs("203.0.113.5"), `(did you mean "203.0.113.5/32"?)`},
		"source with host bits":       {"sourceIps", strs("10.1.2.3/8"), `must not have bits set beyond its prefix (did you mean "10.0.0.0/8"?)`},
		"source a name":               {"sourceIps", strs("10.0.0.0/8", "example.com"), `sourceIps[1] = "example.com": must be a range`},
		"revocation a date":           {"revokeSessionsBefore", str("2025-01-02"), `revokeSessionsBefore = "2025-01-02": must be a time in RFC 3339, such as 2026-11-26T15:30:00Z`},
		"revocation without a zone":   {"revokeSessionsBefore", str("2025-01-02T03:04:05"), `(did you mean "2025-01-02T03:04:05Z"?)`},
		"revocation empty":            {"revokeSessionsBefore", str(""), `must be a time in RFC 3339`},
		"revocation a duration":       {"revokeSessionsBefore", str("-1h"), `must be a time in RFC 3339`},
		"revocation a number":         {"revokeSessionsBefore", number(1795706100), `must be a string, and is a number`},
		"revocation of another age":   {"revokeSessionsBefore", str("0001-01-01T00:00:00Z"), `must be a time in RFC 3339`},
		"revocation of the future":    {"revokeSessionsBefore", str("2999-01-01T00:00:00Z"), `must not be more than 5 minutes ahead: it would lock out sessions to come; to shut somebody out, take them out of trusted`},
		"document, name of ours":      {"inlinePolicies", object("CICD-revoke-sessions", testDocument), `inlinePolicies["CICD-revoke-sessions"]: has a name that must not be "cicd-revoke-sessions", which is the policy of revokeSessionsBefore`},
		"tags a list":                 {"tags", strs("a"), `tags = a list: must be a map of strings`},
		"tag of AWS":                  {"tags", object("aws:owner", "v"), `tags["aws:owner"] = "v": must not have a key that begins with "aws:"`},
		"tag value characters":        {"tags", object("a", "{}"), `tags.a = "{}": must consist of letters, digits`},
		"tags twice by case":          {"tags", object("Owner", "a", "owner", "b"), `tags = a map: must not have a key twice`},
		"too many tags":               {"tags", resource.NewProperty(manyTags), `tags = a map: must have at most 50 tags` + "\x00"},
		"trust the tail of an ARN":    {"trusted", strs("user/ci/bot"), `(did you mean arn:aws:iam::ACCOUNT:user/ci/bot, with the number of its account?)`},
		"managed policy by name":      {"managedPolicyArns", strs("PowerUserAccess"), `(did you mean "arn:aws:iam::aws:policy/PowerUserAccess"?)`},
		"boundary, tail of an ARN":    {"permissionsBoundary", str("policy/PowerUserAccess"), `(did you mean "arn:aws:iam::aws:policy/PowerUserAccess"?)`},
		"role name is an ARN":         {"roleName", str("arn:aws:iam::123456789012:role/ci/deploy"), `(this is an ARN; did you mean "deploy"?)`},
		"unknown input":               {"trust", strs(testRobot), `trust: is not an input of this resource (did you mean "trusted"?)`},
		"unknown input by case":       {"rolename", str("x"), `rolename: is not an input of this resource (did you mean "roleName"?)`},
		"an input of the robot":       {"assumableRoles", strs("x"), `assumableRoles: is not an input of this resource`},
		"an output":                   {"trustPolicy", str("{}"), `trustPolicy: is not an input of this resource`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{resource.PropertyKey(tt.input): tt.value}))
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
			secrets := []resource.PropertyValue{
				resource.MakeSecret(tt.value),
				resource.NewProperty(resource.Output{Element: tt.value, Known: true, Secret: true}),
			}
			if where, _, _ := strings.Cut(strings.TrimPrefix(message, "invalid input:\n  - "+tt.input), ": "); where != "" &&
				strings.ContainsAny(where[:1], "[.") && strings.Contains(where, " = ") {
				secrets = append(secrets, secretWithin(tt.value))
			}
			for _, secret := range secrets {
				tp := startProvider(t)
				_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{resource.PropertyKey(tt.input): secret}))
				message := status.Convert(err).Message()
				if !strings.Contains(message, fmt.Sprintf("\n  - %s = [secret]: must ", tt.input)) ||
					strings.Contains(message, "did you mean") || len(tp.registered()) != 0 {
					t.Errorf("the secret gives:\n%s", message)
				}
				for _, s := range texts(tt.value) {
					if len(s) > 4 && strings.Contains(message, s) && !strings.Contains(documentRules, s) {
						t.Errorf("the error shows the secret %q:\n%s", s, message)
					}
				}
			}
		})
	}
}

// documentRules are words that rules have, and so do documents.
const documentRules = ruleExamples + "Version 2012-10-17 Statement Effect Allow Action NotAction Resource ${aws:username}"

// secretWithin makes each element of a list and each value of a map a secret, and the value itself if it is neither.
func secretWithin(v resource.PropertyValue) resource.PropertyValue {
	switch {
	case v.IsArray() && len(v.ArrayValue()) > 0:
		var list []resource.PropertyValue
		for _, e := range v.ArrayValue() {
			list = append(list, resource.MakeSecret(e))
		}
		return resource.NewProperty(list)
	case v.IsObject():
		object := resource.PropertyMap{}
		for k, e := range v.ObjectValue() {
			object[k] = resource.MakeSecret(e)
		}
		return resource.NewProperty(object)
	default:
		return resource.MakeSecret(v)
	}
}

func TestDeploymentRoleListsAllProblems(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
		"trusted":            strs(testRobot, "*", "arn:aws:iam::123456789012:root"),
		"rolName":            resource.NewProperty("x"),
		"roleName":           resource.NewProperty("a b"),
		"externalId":         resource.MakeSecret(resource.NewProperty("s3 cr3t")),
		"maxSessionDuration": resource.NewProperty(60.0),
		"managedPolicyArns":  resource.MakeSecret(strs(testPolicy)),
		"inlinePolicies": resource.NewProperty(resource.PropertyMap{
			"a": resource.NewProperty(`{"Version":"1","Statement":[{"Effect":"Allow"}]}`),
			"b": resource.MakeSecret(resource.NewProperty("s3cr3t")),
		}),
	}))
	const want = `11 invalid inputs:
  - managedPolicyArns = [secret]: must not be secret: it becomes part of resource names, which are stored in plain text; if it is not sensitive, use your language's unsecret function
  - externalId = [secret]: must consist of the characters A-Z a-z 0-9 + = , . @ _ : / -
  - inlinePolicies.a = "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\"}]}": must be an IAM policy document: its Version must be "2012-10-17" or "2008-10-17"
  - inlinePolicies.a = "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\"}]}": must be an IAM policy document: its Statement[0] must have either Action or NotAction
  - inlinePolicies.a = "{\"Version\":\"1\",\"Statement\":[{\"Effect\":\"Allow\"}]}": must be an IAM policy document: its Statement[0] must have either Resource or NotResource
  - inlinePolicies = [secret]: must be an IAM policy document: invalid JSON
  - maxSessionDuration = 60: must be 3600 to 43200 seconds
  - rolName: is not an input of this resource (did you mean "roleName"?)
  - roleName = "a b": must consist of the characters A-Z a-z 0-9 + = , . @ _ -
  - trusted[1] = "*": must not be everybody: name each user and each role
  - trusted[2] = "arn:aws:iam::123456789012:root": must not be a whole account: anyone in it could assume the role whose own policies allow that; name each user and each role`
	if got := status.Convert(err).Message(); got != want {
		t.Errorf("the error is\n%s\nand not\n%s", got, want)
	}
	if len(tp.registered())+len(tp.invokes) != 0 {
		t.Errorf("%d resources are registered after %d look-ups", len(tp.registered()), len(tp.invokes))
	}
}

// TestDeploymentRoleProblemsOfSeveralInputs says what only inputs together can break.
func TestDeploymentRoleProblemsOfSeveralInputs(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::123456789012:role/gha"
	unknown := resource.MakeComputed(resource.NewProperty(""))
	for name, tt := range map[string]struct {
		inputs resource.PropertyMap
		want   string
	}{
		"a role without a session name": {
			resource.PropertyMap{"trusted": strs(testRobot, role), "sessionNames": strs("${aws:username}")},
			"\n  - sessionNames: must have an element without ${aws:username}: roles are trusted too",
		},
		"the same, in secret": {
			resource.PropertyMap{"trusted": resource.MakeSecret(strs(testRobot, role)), "sessionNames": resource.MakeSecret(strs("x-${aws:username}"))},
			"\n  - sessionNames: must have an element without ${aws:username}: roles are trusted too",
		},
		"a role with one": {
			resource.PropertyMap{"trusted": strs(role), "sessionNames": strs("${aws:username}", "gha-*")}, "",
		},
		"perhaps a role": {
			resource.PropertyMap{"trusted": unknown, "sessionNames": strs("${aws:username}")}, "",
		},
		"the map of policies secret": {
			resource.PropertyMap{"inlinePolicies": resource.MakeSecret(resource.NewProperty(resource.PropertyMap{"s3cr3t": resource.NewProperty(testDocument)}))},
			"\n  - inlinePolicies = [secret]: must not be secret",
		},
		"a policy secret": {
			resource.PropertyMap{"managedPolicyArns": resource.NewProperty([]resource.PropertyValue{resource.MakeSecret(resource.NewProperty(testPolicy))})},
			"\n  - managedPolicyArns = [secret]: must not be secret",
		},
		"a document with a secret in it": {
			resource.PropertyMap{"inlinePolicies": resource.NewProperty(resource.PropertyMap{"x": resource.NewProperty(resource.PropertyMap{
				"Version": resource.NewProperty("2012-10-17"), "Statement": resource.NewProperty(resource.PropertyMap{
					"Effect": resource.NewProperty("Allow"), "Action": resource.NewProperty("*"), "Resource": resource.MakeSecret(resource.NewProperty("*")),
					"s3cr3t": resource.NewProperty("x"),
				}),
			})})},
			"\n  - inlinePolicies = [secret]: must be an IAM policy document: its Statement has an element that IAM does not know",
		},
		"a policy unknown and secret": {
			resource.PropertyMap{"managedPolicyArns": resource.NewProperty([]resource.PropertyValue{resource.MakeSecret(unknown)})},
			"\n  - managedPolicyArns = [secret]: must not be secret",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			req := tp.roleRequest(t, tt.inputs)
			req.DryRun = true
			_, err := tp.Construct(t.Context(), req)
			if message := status.Convert(err).Message(); (err == nil) != (tt.want == "") || !strings.Contains(message, tt.want) ||
				strings.Contains(message, "s3cr3t") || strings.Contains(message, role) || strings.Contains(message, testPolicy) {
				t.Errorf("the error is %v", err)
			}
		})
	}
}

// TestDeploymentRoleName says which resource names can stand in for a role's.
func TestDeploymentRoleName(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		inputs resource.PropertyMap
		ok     bool
	}{
		"my role":               {resource.PropertyMap{}, false},
		strings.Repeat("r", 57): {resource.PropertyMap{}, false},
		strings.Repeat("r", 56): {resource.PropertyMap{}, true},
		strings.Repeat("r", 58): {resource.PropertyMap{"roleName": resource.NewProperty("deploy")}, true},
		"cicd/role":             {resource.PropertyMap{"roleName": resource.MakeComputed(resource.NewProperty(""))}, true},
	} {
		tp := startProvider(t)
		req := tp.roleRequest(t, tt.inputs)
		req.Name, req.DryRun = name, true
		_, err := tp.Construct(t.Context(), req)
		const want = "- roleName: is required: the default, the resource's name "
		if (err == nil) != tt.ok || (!tt.ok && !strings.Contains(status.Convert(err).Message(), want)) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestDeploymentRoleTrustIsRequired says that a role without any input is refused.
func TestDeploymentRoleTrustIsRequired(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	req := tp.robotRequest(t, nil)
	req.Type = deploymentRoleToken
	_, err := tp.Construct(t.Context(), req)
	if message := status.Convert(err).Message(); !strings.HasPrefix(message, "invalid input:\n  - trusted: is required") {
		t.Errorf("the error is %v", err)
	}
}

// TestUnknownValuesOfARoleAreCheckedLater says that what is not known is no problem, and does not hide one.
func TestUnknownValuesOfARoleAreCheckedLater(t *testing.T) {
	t.Parallel()
	unknown := resource.MakeComputed(resource.NewProperty(""))
	bad := func(bad, unknown resource.PropertyValue) resource.PropertyValue {
		return resource.NewProperty([]resource.PropertyValue{unknown, bad})
	}
	statement := func(effect, resources resource.PropertyValue) resource.PropertyValue {
		return resource.NewProperty(resource.PropertyMap{"x": resource.NewProperty(resource.PropertyMap{
			"Version": resource.NewProperty("2012-10-17"), "Statement": resource.NewProperty(resource.PropertyMap{
				"Effect": effect, "Action": resource.NewProperty("*"), "Resource": resources,
			}),
		})})
	}
	for want, inputs := range map[string]resource.PropertyMap{
		`trusted[1] = "*"`:                     {"trusted": bad(resource.NewProperty("*"), unknown)},
		`managedPolicyArns[1] = "x"`:           {"managedPolicyArns": bad(resource.NewProperty("x"), unknown)},
		`Statement must have an Effect`:        {"inlinePolicies": statement(resource.NewProperty("x"), unknown)},
		`inlinePolicies["a b"]: has a name`:    {"inlinePolicies": resource.NewProperty(resource.PropertyMap{"a b": unknown})},
		`sessionNames[1] = "a b"`:              {"sessionNames": bad(resource.NewProperty("a b"), unknown)},
		`its Statement.Resource must be of st`: {"inlinePolicies": statement(unknown, bad(resource.NewProperty("x"), unknown))},
	} {
		tp := startProvider(t)
		req := tp.roleRequest(t, inputs)
		req.DryRun = true
		if _, err := tp.Construct(t.Context(), req); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, and not %q", err, want)
		}
	}
}

// TestEveryInputOfARoleHasARule says that no field of the arguments goes unchecked.
func TestEveryInputOfARoleHasARule(t *testing.T) {
	t.Parallel()
	everyFieldHasARule[DeploymentRoleArgs](t, deploymentRoleRules(serve.Identity{}))
}
