package e2e

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sdkaws "github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// must returns a function that fails the test on the error of a call of AWS.
func must(t *testing.T) func(any, error) {
	return func(_ any, err error) {
		t.Helper()
		harness.Check(t, err)
	}
}

// madeByHand makes the user bot in the group bots with the policy assume, as people and Terraform do, and an access key
// of the user.
func madeByHand(t *testing.T, l *lab.Lab, path string, tags ...iamtypes.Tag) *iamtypes.AccessKey {
	t.Helper()
	ok, client := must(t), awsiam.NewFromConfig(l.Config())
	user, group, policy := sdkaws.String("bot"), sdkaws.String("bots"), sdkaws.String(harness.AssumePolicy("*"))
	ok(client.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: user, Path: &path, Tags: tags}))
	ok(client.CreateGroup(t.Context(), &awsiam.CreateGroupInput{GroupName: group, Path: &path}))
	ok(client.AddUserToGroup(t.Context(), &awsiam.AddUserToGroupInput{GroupName: group, UserName: user}))
	ok(client.PutGroupPolicy(t.Context(), &awsiam.PutGroupPolicyInput{
		GroupName: group, PolicyName: sdkaws.String("assume"), PolicyDocument: policy,
	}))
	key, err := client.CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: user})
	harness.Check(t, err)
	return key.AccessKey
}

// adoptsBot are the inputs of a robot that takes over what madeByHand makes.
func adoptsBot() *cicd.RobotAccountArgs {
	return &cicd.RobotAccountArgs{
		UserName: pulumi.String("bot"), GroupName: pulumi.String("bots"), PolicyName: pulumi.String("assume"),
		Adopt: pulumi.Bool(true),
	}
}

// uninterrupted runs updates of a stack with the account's policies enforced, and checks that meanwhile the user of an
// access key can assume the role deploy, all the time.
func uninterrupted(t *testing.T, s *harness.Stack, id, secret string, run func()) {
	t.Helper()
	ok, client := must(t), awsiam.NewFromConfig(s.Lab.Config())
	admin := sdkaws.String("administrator")
	ok(client.CreateRole(t.Context(), &awsiam.CreateRoleInput{
		RoleName: sdkaws.String("deploy"), AssumeRolePolicyDocument: sdkaws.String(trustsAccount),
	}))
	ok(client.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: admin}))
	ok(client.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{
		UserName: admin, PolicyName: admin, PolicyDocument: sdkaws.String(everything),
	}))
	key, err := client.CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: admin})
	harness.Check(t, err)
	env := map[string]string{"AWS_ACCESS_KEY_ID": *key.AccessKey.AccessKeyId, "AWS_SECRET_ACCESS_KEY": *key.AccessKey.SecretAccessKey}
	for name, value := range env {
		s.Workspace().SetEnvVar(name, value)
	}
	harness.Check(t, s.Lab.Enforce(t.Context(), true))

	polling, stop := context.WithCancel(t.Context())
	var polled sync.WaitGroup
	calls := 0
	polled.Go(func() {
		config := s.Lab.ConfigFor(id, secret, "")
		config.RetryMaxAttempts = 1
		robot := sts.NewFromConfig(config)
		for polling.Err() == nil {
			_, err := robot.AssumeRole(polling, &sts.AssumeRoleInput{
				RoleArn: sdkaws.String(accountIAM + "role/deploy"), RoleSessionName: sdkaws.String("ci"),
			})
			if err != nil && polling.Err() == nil {
				t.Errorf("the robot cannot assume its role: %v", err)
				return
			}
			calls++
			time.Sleep(5 * time.Millisecond)
		}
	})
	run()
	stop()
	polled.Wait()
	s.Lab.Settle()
	if calls < 10 {
		t.Errorf("the robot has assumed its role %d times only", calls)
	}

	harness.Check(t, s.Lab.Enforce(t.Context(), false))
	for name := range env {
		s.Workspace().SetEnvVar(name, "test")
	}
	ok(client.DeleteAccessKey(t.Context(), &awsiam.DeleteAccessKeyInput{UserName: admin, AccessKeyId: key.AccessKey.AccessKeyId}))
	ok(client.DeleteUserPolicy(t.Context(), &awsiam.DeleteUserPolicyInput{UserName: admin, PolicyName: admin}))
	ok(client.DeleteUser(t.Context(), &awsiam.DeleteUserInput{UserName: admin}))
	ok(client.DeleteRole(t.Context(), &awsiam.DeleteRoleInput{RoleName: sdkaws.String("deploy")}))
}

// plainRobot registers the user bot with its group, membership and policy, by @pulumi/aws.
func plainRobot(ctx *pulumi.Context, options ...pulumi.ResourceOption) (*iam.User, error) {
	user, err := iam.NewUser(ctx, "user", &iam.UserArgs{Name: pulumi.String("bot")}, options...)
	if err != nil {
		return nil, err
	}
	group, err := iam.NewGroup(ctx, "group", &iam.GroupArgs{Name: pulumi.String("bots")}, options...)
	if err != nil {
		return nil, err
	}
	_, err = iam.NewGroupMembership(ctx, "membership", &iam.GroupMembershipArgs{
		Group: group.Name, Users: pulumi.StringArray{user.Name},
	}, options...)
	if err != nil {
		return nil, err
	}
	_, err = iam.NewGroupPolicy(ctx, "policy", &iam.GroupPolicyArgs{
		Group: group.Name, Name: pulumi.String("assume"), Policy: pulumi.String(harness.AssumePolicy("*")),
	}, options...)
	return user, err
}

// taken are the steps that take over a robot whose user gets the default tag, beside those that let go of it.
var taken = []string{
	"create GroupMembership robot", "create GroupPolicy robot", "import Group robot", "import User robot",
	"update User robot [tags]",
}

// previewed returns the steps of a preview, without the changes of what only the program knows: AWS plugins may leave it
// out when they import.
func previewed(s *harness.Stack) (steps []string) {
	s.T.Helper()
	for _, step := range texts(s.MustPreview()) {
		for _, property := range []string{"forceDestroy ", "forceDetachPolicies "} {
			step = strings.Replace(step, property, "", 1)
		}
		steps = append(steps, step)
	}
	return steps
}

// TestAdoptSameStack checks that a program goes from resources of @pulumi/aws to RobotAccount as the guide says it, and
// keeps the access key that it made for the user.
func TestAdoptSameStack(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	robot, adopts := adoptsBot(), false
	var letGo []pulumi.ResourceOption
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		var userName pulumi.StringOutput
		if adopts {
			made, err := cicd.NewRobotAccount(ctx, "robot", robot)
			if err != nil {
				return err
			}
			userName = made.UserName
		} else {
			user, err := plainRobot(ctx, letGo...)
			if err != nil {
				return err
			}
			userName = user.Name
		}
		key, err := iam.NewAccessKey(ctx, "key", &iam.AccessKeyArgs{User: userName})
		if err != nil {
			return err
		}
		ctx.Export("id", key.ID())
		ctx.Export("secret", key.Secret)
		return nil
	})
	result, _ := s.MustUp()
	before := harness.Account(t, l)
	letGo = []pulumi.ResourceOption{pulumi.RetainOnDelete(true)}
	s.MustUp()
	adopts = true
	l.Writes()
	uninterrupted(t, s, result.Outputs["id"].Value.(string), result.Outputs["secret"].Value.(string), func() {
		steps := slices.Concat(taken, []string{
			"delete Group group", "delete GroupMembership membership", "delete GroupPolicy policy", "delete User user",
		})
		slices.Sort(steps)
		if got := previewed(s); !slices.Equal(got, steps) {
			t.Errorf("the preview says\n%s\nand not\n%s", lines(got), lines(steps))
		}
		s.MustUp()
	})
	checkAdopted(t, s, before)
	robot.Adopt = nil
	s.Unchanged()
	s.MustDestroy()
}

// checkAdopted checks that the user bot and its group are the same as before, with the same keys, and that the next
// update has nothing to do.
func checkAdopted(t *testing.T, s *harness.Stack, before *lab.Contents) {
	t.Helper()
	after := harness.Account(t, s.Lab)
	if len(after.Users) != 1 || len(after.Groups) != 1 {
		t.Fatalf("the account holds %s", harness.Pretty(t, after))
	}
	was, is := before.Users[0], after.Users[0]
	if is.ID != was.ID || after.Groups[0].ID != before.Groups[0].ID || !slices.Equal(is.AccessKeys, was.AccessKeys) ||
		!slices.Equal(is.Groups, was.Groups) {
		t.Errorf("before, the account held\n%s\nand now\n%s", harness.Pretty(t, before), harness.Pretty(t, after))
	}
	for _, u := range s.Resources() {
		if id := u.Outputs["uniqueId"]; u.Type == "aws:iam/user:User" && id != was.ID {
			t.Errorf("the user of the state is %v", id)
		}
	}
	s.Unchanged()
}

// TestAdopt checks that RobotAccount takes over a robot of another stack, of Terraform and of the console: the preview
// shows the difference, the user stays the same and can do its work all the time, and later updates have nothing to do,
// with the input and without.
func TestAdopt(t *testing.T) {
	t.Parallel()
	tag := func(key, value string) iamtypes.Tag { return iamtypes.Tag{Key: &key, Value: &value} }
	for from, tt := range map[string]struct {
		// make makes the robot, and returns a key of its user.
		make func(t *testing.T, l *lab.Lab) *iamtypes.AccessKey
		// given are further inputs.
		given func(robot *cicd.RobotAccountArgs)
		// steps are those of the preview.
		steps []string
	}{
		"another stack": {make: fromAnotherStack, steps: taken},
		"Terraform": {
			make: func(t *testing.T, l *lab.Lab) *iamtypes.AccessKey {
				return madeByHand(t, l, "/service/", tag("ManagedBy", "Terraform"), tag("Owner", "platform"))
			},
			given: func(robot *cicd.RobotAccountArgs) {
				robot.Path = pulumi.String("/service/")
				robot.Tags = pulumi.StringMap{"Owner": pulumi.String("platform")}
			},
			steps: taken,
		},
		"the console": {
			make: func(t *testing.T, l *lab.Lab) *iamtypes.AccessKey {
				key := madeByHand(t, l, "/", tag("AKIAEXAMPLE", "the pipeline"))
				ok, client := must(t), awsiam.NewFromConfig(l.Config())
				ok(client.CreateLoginProfile(t.Context(), &awsiam.CreateLoginProfileInput{
					UserName: sdkaws.String("bot"), Password: sdkaws.String("Correct-horse-battery-staple-1"),
				}))
				ok(client.PutUserPolicy(t.Context(), &awsiam.PutUserPolicyInput{
					UserName: sdkaws.String("bot"), PolicyName: sdkaws.String("more"),
					PolicyDocument: sdkaws.String(harness.AssumePolicy("*")),
				}))
				return key
			},
			steps: taken,
		},
	} {
		t.Run(from, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			key := tt.make(t, l)
			before := harness.Account(t, l)
			robot := adoptsBot()
			if tt.given != nil {
				tt.given(robot)
			}
			s := robotStack(t, l, robot)
			uninterrupted(t, s, *key.AccessKeyId, *key.SecretAccessKey, func() {
				if got := previewed(s); !slices.Equal(got, tt.steps) {
					t.Errorf("the preview says\n%s\nand not\n%s", lines(got), lines(tt.steps))
				}
				l.Writes()
				s.MustUp()
				for _, call := range l.Writes() {
					if strings.HasPrefix(call, "Create") || strings.HasPrefix(call, "Delete") || strings.HasPrefix(call, "Remove") {
						t.Errorf("the update calls %s", call)
					}
				}
			})
			checkAdopted(t, s, before)
			robot.Adopt = nil
			s.Unchanged()

			// What people gave the user keeps it from being deleted, unless that is asked for.
			if _, err := s.Destroy(t.Context()); err == nil || !strings.Contains(err.Error(), "DeleteConflict") {
				t.Errorf("destroy, while the user has a key: %v", err)
			}
			robot.ForceDestroy = pulumi.Bool(true)
			s.MustUp()
			s.MustDestroy()
		})
	}
}

// fromAnotherStack makes the robot by @pulumi/aws in another stack, which lets go of it, and returns a key that was made
// by hand.
func fromAnotherStack(t *testing.T, l *lab.Lab) *iamtypes.AccessKey {
	t.Helper()
	program := func(options map[string]any) map[string]lab.Resource {
		resource := func(typ string, properties map[string]any) lab.Resource {
			return lab.Resource{Type: "aws:iam:" + typ, Properties: properties, Options: options}
		}
		return map[string]lab.Resource{
			"user":       resource("User", map[string]any{"name": "bot"}),
			"group":      resource("Group", map[string]any{"name": "bots"}),
			"membership": resource("GroupMembership", map[string]any{"group": "${group.name}", "users": []string{"${user.name}"}}),
			"policy": resource("GroupPolicy", map[string]any{
				"group": "${group.name}", "name": "assume", "policy": harness.AssumePolicy("*"),
			}),
		}
	}
	dir := stackOf(t, l, "other", program(nil))
	for _, resources := range []map[string]lab.Resource{program(nil), program(map[string]any{"retainOnDelete": true}), {}} {
		_, err := l.WriteProgram("other", resources)
		harness.Check(t, err)
		if out, err := up(t, l, dir); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	key, err := awsiam.NewFromConfig(l.Config()).CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: sdkaws.String("bot")})
	harness.Check(t, err)
	return key.AccessKey
}

// TestAdoptMoved checks that a user and a group are moved in place, as the preview says, that the user is put into the
// group with the policy where neither is there yet, and that the robot's access key is made beside the one that the user
// has, which is named with the command that deletes it.
func TestAdoptMoved(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	old := madeByHand(t, l, "/service/")
	ok, client := must(t), awsiam.NewFromConfig(l.Config())
	ok(client.RemoveUserFromGroup(t.Context(), &awsiam.RemoveUserFromGroupInput{
		GroupName: sdkaws.String("bots"), UserName: sdkaws.String("bot"),
	}))
	ok(client.DeleteGroupPolicy(t.Context(), &awsiam.DeleteGroupPolicyInput{
		GroupName: sdkaws.String("bots"), PolicyName: sdkaws.String("assume"),
	}))
	before := harness.Account(t, l)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		robot, err := cicd.NewRobotAccount(ctx, "robot", adoptsBot())
		if err != nil {
			return err
		}
		key, err := cicd.NewAccessKey(ctx, "robot", &cicd.AccessKeyArgs{UserName: robot.UserName})
		if err != nil {
			return err
		}
		ctx.Export("id", key.AccessKeyId)
		return nil
	})
	want := []string{
		"create AccessKey robot-1", "create GroupMembership robot", "create GroupPolicy robot", "import Group robot",
		"import User robot", "update Group robot [path]", "update User robot [path tags]",
	}
	if got := previewed(s); !slices.Equal(got, want) {
		t.Errorf("the preview says\n%s\nand not\n%s", lines(got), lines(want))
	}
	result, _ := s.MustUp()
	after := harness.Account(t, l)
	user, group := after.Users[0], after.Groups[0]
	id, _ := result.Outputs["id"].Value.(string)
	if user.ID != before.Users[0].ID || group.ID != before.Groups[0].ID || user.Path != "/" || group.Path != "/" ||
		!slices.Equal(user.Groups, []string{"bots"}) || len(group.Policies) != 1 ||
		!slices.Equal(slices.Sorted(slices.Values(user.AccessKeys)), slices.Sorted(slices.Values([]string{*old.AccessKeyId, id}))) {
		t.Errorf("the account holds %s", harness.Pretty(t, after))
	}
	if !strings.Contains(result.StdOut+result.StdErr, "aws iam delete-access-key --user-name bot --access-key-id "+*old.AccessKeyId) {
		t.Errorf("no warning names the old key:\n%s", result.StdOut+result.StdErr)
	}
	s.Unchanged()
}

// TestAdoptTwoKeys checks that a user with two access keys is adopted, that its third key is refused with the command
// that makes room, and that no key is touched.
func TestAdoptTwoKeys(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	madeByHand(t, l, "/")
	_, err := awsiam.NewFromConfig(l.Config()).CreateAccessKey(t.Context(), &awsiam.CreateAccessKeyInput{UserName: sdkaws.String("bot")})
	harness.Check(t, err)
	before := harness.Account(t, l)
	robot := map[string]any{"userName": "bot", "groupName": "bots", "policyName": "assume", "adopt": true}
	dir := stackOf(t, l, "keys", map[string]lab.Resource{
		"robot": {Type: "cicd:RobotAccount", Properties: robot},
		"key":   {Type: "cicd:AccessKey", Properties: map[string]any{"userName": "${robot.userName}"}},
	})
	out, err := up(t, l, dir)
	if err == nil || !strings.Contains(out, `the user "bot" has`) ||
		!strings.Contains(out, "aws iam delete-access-key --user-name bot --access-key-id ") {
		t.Errorf("a third key: %v\n%s", err, out)
	}
	for _, id := range before.Users[0].AccessKeys {
		if !strings.Contains(out, id) {
			t.Errorf("the error does not name the key %s:\n%s", id, out)
		}
	}
	harness.Same(t, "the keys", harness.Account(t, l).Users[0].Keys, before.Users[0].Keys)
}

// TestAdoptRole checks that DeploymentRole takes over a role: it stays the same, its policies are put over those that it
// has, the others are named in a warning, and it is neither replaced nor moved.
func TestAdoptRole(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	createPolicies(t, l, "ours", "theirs")
	ok, client, name := must(t), awsiam.NewFromConfig(l.Config()), sdkaws.String("deploy")
	ok(client.CreateRole(t.Context(), &awsiam.CreateRoleInput{
		RoleName: name, Path: sdkaws.String("/cicd/"), AssumeRolePolicyDocument: sdkaws.String(trustsAccount),
		Tags: []iamtypes.Tag{{Key: sdkaws.String("ManagedBy"), Value: sdkaws.String("Terraform")}}, MaxSessionDuration: sdkaws.Int32(7200),
	}))
	for _, policy := range []string{"ours", "theirs"} {
		ok(client.AttachRolePolicy(t.Context(), &awsiam.AttachRolePolicyInput{
			RoleName: name, PolicyArn: sdkaws.String(accountIAM + "policy/" + policy),
		}))
		ok(client.PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{
			RoleName: name, PolicyName: &policy, PolicyDocument: sdkaws.String(everything),
		}))
	}
	before := harness.Account(t, l).Roles[0]
	args := &cicd.DeploymentRoleArgs{
		RoleName: pulumi.String("deploy"), Trusted: pulumi.ToStringArray([]string{accountIAM + "user/bot"}), Adopt: pulumi.Bool(true),
		ManagedPolicyArns: pulumi.ToStringArray([]string{accountIAM + "policy/ours"}),
		InlinePolicies:    pulumi.Map{"ours": pulumi.String(harness.AssumePolicy("*"))},
	}
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		_, err := cicd.NewDeploymentRole(ctx, "role", args)
		return err
	})
	const path = `path: must be "/cicd/", the path of the role that is adopted`
	if _, _, err := s.TryUp(); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("without the path: %v", err)
	}
	args.Path = pulumi.String("/cicd/")
	want := []string{
		"create RolePolicy role:ours", "create RolePolicyAttachment role:ours", "import Role role:deploy",
		"update Role role:deploy [assumeRolePolicy description maxSessionDuration tags]",
	}
	if got := previewed(s); !slices.Equal(got, want) {
		t.Errorf("the preview says\n%s\nand not\n%s", lines(got), lines(want))
	}
	preview, err := s.Preview(t.Context())
	harness.Check(t, err)
	l.Writes()
	result, _ := s.MustUp()
	for _, call := range l.Writes() {
		if strings.HasPrefix(call, "CreateRole") || strings.HasPrefix(call, "Delete") || strings.HasPrefix(call, "Detach") {
			t.Errorf("the update calls %s", call)
		}
	}
	for _, command := range []string{
		"aws iam detach-role-policy --role-name deploy --policy-arn " + accountIAM + "policy/theirs",
		"aws iam delete-role-policy --role-name deploy --policy-name theirs",
	} {
		for _, said := range []string{preview.StdOut + preview.StdErr, result.StdOut + result.StdErr} {
			if !strings.Contains(said, command) || strings.Contains(said, "-name ours") {
				t.Errorf("the warning does not say %q:\n%s", command, said)
			}
		}
	}
	after := harness.Account(t, l).Roles[0]
	if after.ID != before.ID || after.ARN != before.ARN || len(after.Policies) != 2 || len(after.Attached) != 2 || len(after.Tags) != 0 {
		t.Errorf("before, the role was\n%s\nand now\n%s", harness.Pretty(t, before), harness.Pretty(t, after))
	}
	harness.SamePolicy(t, after.Policies["ours"], harness.AssumePolicy("*"))
	s.Unchanged()

	ok(client.DetachRolePolicy(t.Context(), &awsiam.DetachRolePolicyInput{RoleName: name, PolicyArn: sdkaws.String(accountIAM + "policy/theirs")}))
	ok(client.DeleteRolePolicy(t.Context(), &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: sdkaws.String("theirs")}))
	refreshed, _ := s.MustUp(optup.Refresh())
	if strings.Contains(refreshed.StdOut+refreshed.StdErr, "stay in force") {
		t.Errorf("there are no other policies, and a warning:\n%s", refreshed.StdOut+refreshed.StdErr)
	}
	s.MustDestroy()
	if left := harness.Account(t, l).Roles; len(left) > 0 {
		t.Errorf("after destroy the account holds %s", harness.Pretty(t, left))
	}
}

// TestAdoptProvider checks that OidcProvider takes over the account's provider for an issuer, with its ARN, after an
// error has said how.
func TestAdoptProvider(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	ok, client := must(t), awsiam.NewFromConfig(l.Config())
	ok(client.CreateOpenIDConnectProvider(t.Context(), &awsiam.CreateOpenIDConnectProviderInput{
		Url: sdkaws.String(githubIssuer), ClientIDList: []string{"sts.amazonaws.com", "old"},
	}))
	before := harness.Account(t, l).Providers[0]
	args := &cicd.OidcProviderArgs{Issuer: pulumi.String(githubIssuer)}
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		_, err := cicd.NewOidcProvider(ctx, "github", args)
		return err
	})
	if _, _, err := s.TryUp(); err == nil || !strings.Contains(err.Error(), "or take the provider over with adopt: true") {
		t.Errorf("without adopt: %v", err)
	}
	args.Adopt = pulumi.Bool(true)
	want := []string{"import OpenIdConnectProvider github", "update OpenIdConnectProvider github [clientIdLists]"}
	if got := previewed(s); !slices.Equal(got, want) {
		t.Errorf("the preview says\n%s\nand not\n%s", lines(got), lines(want))
	}
	l.Writes()
	s.MustUp()
	if writes := l.Writes(); !slices.Equal(writes, []string{"RemoveClientIDFromOpenIDConnectProvider"}) {
		t.Errorf("the calls are %v", writes)
	}
	if after := harness.Account(t, l).Providers[0]; after.ARN != before.ARN || !slices.Equal(after.Audiences, []string{"sts.amazonaws.com"}) {
		t.Errorf("the provider is %s", harness.Pretty(t, after))
	}
	s.Unchanged()
	args.Adopt = nil
	s.Unchanged()
	s.MustDestroy()
}

// TestAdoptRefused checks what is refused before anything is taken over, with what AWS says of it.
func TestAdoptRefused(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	ok, client := must(t), awsiam.NewFromConfig(l.Config())
	madeByHand(t, l, "/")
	ok(client.CreateGroup(t.Context(), &awsiam.CreateGroupInput{GroupName: sdkaws.String("devs")}))
	ok(client.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: sdkaws.String("ann")}))
	ok(client.AddUserToGroup(t.Context(), &awsiam.AddUserToGroupInput{GroupName: sdkaws.String("devs"), UserName: sdkaws.String("ann")}))
	before := harness.Account(t, l)
	robot := adoptsBot()
	second := func(*pulumi.Context) error { return nil }
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		if _, err := cicd.NewRobotAccount(ctx, "robot", robot); err != nil {
			return err
		}
		return second(ctx)
	})
	for name, tt := range map[string]struct {
		change func()
		says   []string
	}{
		"no group": {func() { robot.GroupName = pulumi.String("nobody") }, []string{
			`groupName = "nobody": belongs to no group in the account 123456789012, where the user "bot" exists; create it first ` +
				`with "aws iam create-group --group-name nobody"`,
		}},
		"nothing": {func() { robot.UserName, robot.GroupName = pulumi.String("x"), pulumi.String("y") }, []string{
			`userName = "x": belongs to no user in the account`, `groupName = "y": belongs to no group in the account`,
		}},
		"another case": {func() { robot.UserName, robot.GroupName = pulumi.String("Bot"), pulumi.String("BOTS") }, []string{
			`userName = "Bot": must be "bot", the name of the user`, `groupName = "BOTS": must be "bots", the name of the group`,
		}},
		"other members": {func() { robot.GroupName = pulumi.String("devs") }, []string{
			`groupName = "devs": must be a group without other members, and has "ann"`,
		}},
		"two robots": {func() {
			second = func(ctx *pulumi.Context) error {
				_, err := cicd.NewRobotAccount(ctx, "second", adoptsBot())
				return err
			}
		}, []string{`userName = "bot": must be another user than that of cicd:index:RobotAccount`}},
	} {
		robot, second = adoptsBot(), func(*pulumi.Context) error { return nil }
		tt.change()
		_, err := s.Preview(t.Context())
		for _, want := range tt.says {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %q: %v", name, want, err)
			}
		}
		if name == "two robots" {
			continue // The update takes over the first.
		}
		if _, _, err := s.TryUp(); err == nil {
			t.Errorf("%s: the update succeeds", name)
		}
		harness.Same(t, "the account", harness.Account(t, l), before)
	}
}

// TestAdoptElsewhere checks that with an AWS provider of another account, what is taken over is of that account.
func TestAdoptElsewhere(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	other := harness.NewAccount(t, otherAccount)
	madeByHand(t, other, "/")
	before := harness.Account(t, other)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		provider, err := awsProvider(ctx, "other", other, pulumi.String("eu-west-1"))
		if err != nil {
			return err
		}
		_, err = cicd.NewRobotAccount(ctx, "robot", adoptsBot(), pulumi.Provider(provider))
		return err
	})
	s.MustUp()
	if after := harness.Account(t, other); after.Users[0].ID != before.Users[0].ID || len(after.Users) != 1 {
		t.Errorf("the other account holds %s", harness.Pretty(t, after))
	}
	for _, call := range l.Calls() {
		t.Errorf("%s is called in the account of the default provider", call.Action)
	}
	s.Unchanged()
}

// TestAdoptSkipped checks that an update that skips a component, which is not in the state yet, takes nothing over, and
// that the next one does.
func TestAdoptSkipped(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	madeByHand(t, l, "/")
	resources := map[string]lab.Resource{
		"robot": {Type: "cicd:RobotAccount", Properties: map[string]any{
			"userName": "bot", "groupName": "bots", "policyName": "assume", "adopt": true,
		}},
		"other": {Type: "aws:iam:Group", Properties: map[string]any{"name": "other"}},
	}
	for name, skip := range map[string][]string{
		"target":  {"--target", "urn:pulumi:dev::target::aws:iam/group:Group::other"},
		"exclude": {"--exclude", "**cicd:index**"},
	} {
		dir := stackOf(t, l, name, resources)
		for _, step := range []struct {
			args  []string
			calls []string
		}{
			{append([]string{"up", "--yes", "--skip-preview"}, skip...), []string{"CreateGroup"}},
			{[]string{"up", "--yes", "--skip-preview"}, []string{"AddUserToGroup", "PutGroupPolicy", "TagUser"}},
			{[]string{"up", "--yes", "--skip-preview"}, nil},
		} {
			l.Writes()
			if out, err := l.Command(t.Context(), dir, step.args...).CombinedOutput(); err != nil {
				t.Fatalf("%v: %v\n%s", step.args, err, out)
			}
			if calls := slices.Sorted(slices.Values(l.Writes())); !slices.Equal(calls, step.calls) {
				t.Errorf("%v: the calls are %v", step.args, calls)
			}
		}
		// Let go of all of it, for the next stack.
		ok, client := must(t), awsiam.NewFromConfig(l.Config())
		ok(client.DeleteGroup(t.Context(), &awsiam.DeleteGroupInput{GroupName: sdkaws.String("other")}))
		ok(client.UntagUser(t.Context(), &awsiam.UntagUserInput{UserName: sdkaws.String("bot"), TagKeys: []string{"purpose"}}))
	}
}

// plainComponent is a component with a child that it imports.
type plainComponent struct{ pulumi.ResourceState }

// TestImportsIgnoreTargets checks that imports ignore --target: where they do not, workaround_skipped.go has no purpose.
func TestImportsIgnoreTargets(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	ok, client := must(t), awsiam.NewFromConfig(l.Config())
	ok(client.CreateGroup(t.Context(), &awsiam.CreateGroupInput{GroupName: sdkaws.String("bots")}))
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		if _, err := iam.NewGroup(ctx, "other", nil); err != nil {
			return err
		}
		c := &plainComponent{}
		if err := ctx.RegisterComponentResource("test:index:Plain", "plain", c); err != nil {
			return err
		}
		_, err := iam.NewGroup(ctx, "group", &iam.GroupArgs{Name: pulumi.String("bots")}, pulumi.Parent(c), pulumi.Import(pulumi.ID("bots")))
		return err
	})
	_, _, err := s.TryUp(optup.Target([]string{"urn:pulumi:dev::robot-account::aws:iam/group:Group::other"}))
	if err == nil || !strings.Contains(err.Error(), "refers to missing parent") {
		t.Errorf("imports keep to --target, so that workaround_skipped.go can go: %v", err)
	}
}
