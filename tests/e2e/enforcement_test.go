package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestRobotCanOnlyAssumeItsRoles makes a key for a robot and, with the account's policies enforced, tries it: it can
// assume the roles that the robot may assume, and is denied everything else.
func TestRobotCanOnlyAssumeItsRoles(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := robotStack(t, l, &cicd.RobotAccountArgs{
		UserName:       pulumi.String("bot"),
		AssumableRoles: pulumi.ToStringArray([]string{"deploy", "cicd/*"}),
	})
	s.MustUp()
	admin := iam.NewFromConfig(l.Config())
	for name, path := range map[string]string{"deploy": "/", "staging": "/cicd/", "deployer": "/", "admin": "/"} {
		_, err := admin.CreateRole(t.Context(), &iam.CreateRoleInput{
			RoleName: &name, Path: &path,
			// Every role trusts the robot: what it cannot assume, it is denied by its own policy. moto takes a
			// principal to the letter, and does not know that an account's root stands for all of the account.
			AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
				`"Principal":{"AWS":"arn:aws:iam::123456789012:user/bot"},"Action":"sts:AssumeRole"}]}`),
		})
		harness.Check(t, err)
	}
	key, err := admin.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("bot")})
	harness.Check(t, err)

	harness.Check(t, l.Enforce(t.Context(), true))
	type params map[string]any
	assume := func(role string) params {
		return params{"RoleArn": "arn:aws:iam::" + role, "RoleSessionName": "test"}
	}
	calls := []struct {
		service, method string
		params          params
		allowed         bool
	}{
		{"sts", "assume_role", assume("123456789012:role/deploy"), true},
		{"sts", "assume_role", assume("123456789012:role/cicd/staging"), true},
		{"sts", "assume_role", assume("123456789012:role/cicd/a/b"), true},
		{"sts", "get_caller_identity", params{}, true}, // AWS lets everybody ask who they are.

		{"sts", "assume_role", assume("123456789012:role/admin"), false},
		{"sts", "assume_role", assume("123456789012:role/deployer"), false},
		{"sts", "assume_role", assume("123456789012:role/x/deploy"), false},
		{"sts", "assume_role", assume("210987654321:role/deploy"), false},
		{"iam", "list_users", params{}, false},
		{"iam", "list_roles", params{}, false},
		{"iam", "get_user", params{"UserName": "bot"}, false},
		{"iam", "create_user", params{"UserName": "x"}, false},
		{"iam", "create_access_key", params{"UserName": "bot"}, false},
		{"iam", "put_user_policy", params{"UserName": "bot", "PolicyName": "x", "PolicyDocument": everything}, false},
		{"iam", "put_group_policy", params{"GroupName": "updaters", "PolicyName": "x", "PolicyDocument": everything}, false},
		{"iam", "attach_user_policy", params{"UserName": "bot", "PolicyArn": "arn:aws:iam::aws:policy/AdministratorAccess"}, false},
		{"iam", "add_user_to_group", params{"UserName": "bot", "GroupName": "updaters"}, false},
		{"iam", "update_assume_role_policy", params{"RoleName": "admin", "PolicyDocument": everything}, false},
		{"iam", "delete_user", params{"UserName": "bot"}, false},
		{"s3", "list_buckets", params{}, false},
		{"s3", "create_bucket", params{"Bucket": "bucket"}, false},
		{"ec2", "describe_instances", params{}, false},
		{"ec2", "stop_instances", params{"InstanceIds": []string{"i-1234567890abcdef0"}}, false},
		{"secretsmanager", "list_secrets", params{}, false},
		{"secretsmanager", "get_secret_value", params{"SecretId": "x"}, false},
	}
	var list [][3]any
	for _, c := range calls {
		list = append(list, [3]any{c.service, c.method, c.params})
	}
	codes := callAWS(t, l, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, list)
	// moto denies in XML where Secrets Manager speaks JSON, and boto3 gives the status for the code.
	denied := []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"}
	for i, c := range calls {
		if c.allowed && codes[i] != "" || !c.allowed && !slices.Contains(denied, codes[i]) {
			t.Errorf("%s %s %v ends with %q", c.service, c.method, c.params, codes[i])
		}
	}
	harness.Check(t, l.Enforce(t.Context(), false))

	// What is denied to the robot is there: an administrator's calls do not end with a denial.
	for i, code := range callAWS(t, l, "test", "test", list) {
		if slices.Contains(denied, code) {
			t.Errorf("%s %s is denied to an administrator too", calls[i].service, calls[i].method)
		}
	}
}

// TestConfinedRobot attaches an administrator's policy to a confined robot by hand, puts it into an administrators'
// group, and has a role outside its own trust it: with its key it can assume its roles and do nothing else, and with a
// session token of the key nothing at all. A robot that is not confined can do all of that. The change is one update of
// one policy, whose statements the preview shows.
func TestConfinedRobot(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	confine := false
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName: pulumi.String("bot"), AssumableRoles: pulumi.ToStringArray([]string{"cicd/*"}),
			SourceIps: pulumi.ToStringArray([]string{"127.0.0.0/8"}), Confine: pulumi.Bool(confine),
		})
		if err == nil {
			ctx.Export("policy", robot.Policy)
		}
		return err
	})
	s.MustUp()
	admin := iam.NewFromConfig(l.Config())
	for name, path := range map[string]string{"staging": "/cicd/", "admin": "/"} {
		_, err := admin.CreateRole(t.Context(), &iam.CreateRoleInput{
			RoleName: &name, Path: &path, AssumeRolePolicyDocument: aws.String(harness.TrustPolicy("bot", "")),
		})
		harness.Check(t, err)
	}
	_, err := admin.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String("bot"), PolicyName: aws.String("x"), PolicyDocument: aws.String(everything),
	})
	harness.Check(t, err)
	_, err = admin.CreateGroup(t.Context(), &iam.CreateGroupInput{GroupName: aws.String("admins")})
	harness.Check(t, err)
	_, err = admin.PutGroupPolicy(t.Context(), &iam.PutGroupPolicyInput{
		GroupName: aws.String("admins"), PolicyName: aws.String("x"), PolicyDocument: aws.String(everything),
	})
	harness.Check(t, err)
	_, err = admin.AddUserToGroup(t.Context(), &iam.AddUserToGroupInput{
		GroupName: aws.String("admins"), UserName: aws.String("bot"),
	})
	harness.Check(t, err)
	key, err := admin.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("bot")})
	harness.Check(t, err)
	withKey := map[string]string{
		"AWS_ACCESS_KEY_ID": *key.AccessKey.AccessKeyId, "AWS_SECRET_ACCESS_KEY": *key.AccessKey.SecretAccessKey,
	}
	token, err := sts.NewFromConfig(l.ConfigFor(withKey["AWS_ACCESS_KEY_ID"], withKey["AWS_SECRET_ACCESS_KEY"], "")).
		GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	harness.Check(t, err)
	withToken := map[string]string{
		"AWS_ACCESS_KEY_ID": *token.Credentials.AccessKeyId, "AWS_SECRET_ACCESS_KEY": *token.Credentials.SecretAccessKey,
		"AWS_SESSION_TOKEN": *token.Credentials.SessionToken,
	}
	type params map[string]any
	assume := func(role string) params {
		return params{"RoleArn": "arn:aws:iam::123456789012:role/" + role, "RoleSessionName": "test"}
	}
	calls := [][3]any{
		{"sts", "assume_role", assume("cicd/staging")}, // The only one that a confined robot can make.
		{"sts", "assume_role", assume("admin")},
		{"iam", "list_users", params{}},
		{"iam", "create_access_key", params{"UserName": "bot"}},
		{"iam", "delete_user_policy", params{"UserName": "bot", "PolicyName": "y"}},
		{"s3", "list_buckets", params{}},
		{"ec2", "describe_instances", params{}},
		{"secretsmanager", "list_secrets", params{}},
	}
	denied := func(credentials map[string]string) (all []bool) {
		t.Helper()
		harness.Check(t, l.Enforce(t.Context(), true))
		defer func() { harness.Check(t, l.Enforce(t.Context(), false)) }()
		for _, code := range callAWSWith(t, l, credentials, calls) {
			all = append(all, slices.Contains([]string{"AccessDenied", "AccessDeniedException", "403"}, code))
		}
		return all
	}
	for name, credentials := range map[string]map[string]string{"the key": withKey, "the token": withToken} {
		if got := denied(credentials); slices.Contains(got, true) {
			t.Errorf("%s is denied %v", name, got)
		}
	}

	confine = true
	want := []string{"update GroupPolicy robot [policy]"}
	for name, steps := range map[string][]harness.Step{"the preview": s.MustPreview(), "the update": second(s.MustUp())} {
		if got := fmt.Sprint(steps); got != fmt.Sprint(want) {
			t.Errorf("%s has the steps %s", name, got)
		}
	}
	s.Unchanged()
	if got := denied(withKey); got[0] || slices.Contains(got[1:], false) {
		t.Errorf("the key of a confined robot is denied %v", got)
	}
	if got := denied(withToken); slices.Contains(got, false) {
		t.Errorf("the token of a confined robot is denied %v", got)
	}
}

func second[A, B any](_ A, b B) B { return b }

const everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// callAWS makes calls with an access key, and returns their error codes.
func callAWS(t *testing.T, l *lab.Lab, id, secret string, calls [][3]any) (codes []string) {
	t.Helper()
	return callAWSWith(t, l, map[string]string{"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret}, calls)
}

// callAWSWith makes calls with the credentials of an environment, and returns their error codes.
func callAWSWith(t *testing.T, l *lab.Lab, credentials map[string]string, calls [][3]any) (codes []string) {
	t.Helper()
	text, err := json.Marshal(calls)
	harness.Check(t, err)
	cmd := exec.CommandContext(t.Context(), os.Getenv("CICD_TOOLS_PYTHON"), "testdata/call_aws.py")
	cmd.Env = os.Environ()
	env := l.Env()
	maps.Copy(env, credentials)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	// boto3 takes empty for given.
	cmd.Env = slices.DeleteFunc(cmd.Env, func(v string) bool { return strings.Index(v, "=") == len(v)-1 })
	cmd.Stdin, cmd.Stderr = bytes.NewReader(text), os.Stderr
	out, err := cmd.Output()
	harness.Check(t, err)
	harness.Check(t, json.Unmarshal(out, &codes))
	if len(codes) != len(calls) {
		t.Fatalf("%d calls give %d answers", len(calls), len(codes))
	}
	return codes
}

// TestParliament has the policy linter parliament find nothing in the policies that robots get, and something in one
// that is wrong on purpose.
func TestParliament(t *testing.T) {
	t.Parallel()
	python := os.Getenv("CICD_TOOLS_PYTHON")
	l := harness.NewLab(t)
	robots := []*cicd.RobotAccountArgs{
		nil,
		{AssumableRoles: pulumi.ToStringArray([]string{"deploy"})},
		{
			AssumableRoles: pulumi.ToStringArray([]string{"cicd/*", "a-?", "arn:aws:iam::210987654321:role/x", "arn:aws:iam::*:role/y"}),
			SourceIps:      pulumi.ToStringArray([]string{"203.0.113.0/24", "2001:db8::/32"}),
		},
		{SourceIps: pulumi.ToStringArray([]string{"203.0.113.0/24"})},
		{SourceIps: pulumi.ToStringArray([]string{"203.0.113.0/24"}), Confine: pulumi.Bool(true)},
	}
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		for i, args := range robots {
			if _, err := cicd.NewRobotAccount(ctx, fmt.Sprint("robot", i), args); err != nil {
				return err
			}
		}
		return nil
	})
	s.MustUp()
	groups := harness.Account(t, l).Groups
	if len(groups) != len(robots) {
		t.Fatalf("there are %d groups", len(groups))
	}
	for _, group := range groups {
		for _, policy := range group.Policies {
			// parliament 1.6.4 takes no hexadecimal digit for IPv6, so that it is given an IPv4 range in its place.
			policy = strings.ReplaceAll(policy, "2001:db8::/32", "198.51.100.0/24")
			if findings := parliament(t, python, policy); len(findings) != 0 {
				t.Errorf("parliament finds %s in %s", findings, policy)
			}
		}
	}
	wrong := strings.Replace(harness.SeedPolicy, "sts:AssumeRole", "sts:AssumeRoll", 1)
	if findings := parliament(t, python, wrong); len(findings) == 0 {
		t.Errorf("parliament finds nothing in %s", wrong)
	}
	s.MustDestroy()
}

func parliament(t *testing.T, python, policy string) []json.RawMessage {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), python, "-W", "ignore", "-m", "parliament.cli", "--json")
	cmd.Stdin = strings.NewReader(policy)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var findings []json.RawMessage
	for line := range strings.Lines(string(out)) {
		findings = append(findings, json.RawMessage(line))
	}
	// It ends with a status of its own where it finds something; anything else that it says is a fault.
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || len(findings) == 0) {
		t.Fatalf("parliament: %v\n%s", err, stderr.String())
	}
	return findings
}
