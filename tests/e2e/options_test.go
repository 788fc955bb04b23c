package e2e

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	sdkaws "github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// otherAccount is the number of a second account, where a test has two.
const otherAccount = "210987654321"

// trustsAccount is the trust policy of a role that trusts its account.
const trustsAccount = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
	`"Principal":{"AWS":"arn:aws:iam::123456789012:root"}}]}`

// robotStack makes a stack of one robot account named robot.
func robotStack(t *testing.T, l *lab.Lab, args *cicd.RobotAccountArgs, opts ...pulumi.ResourceOption) *harness.Stack {
	t.Helper()
	return harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		_, err := cicd.NewRobotAccount(ctx, "robot", args, opts...)
		return err
	})
}

// awsProvider makes an explicit AWS provider for the account of a lab.
func awsProvider(ctx *pulumi.Context, name string, l *lab.Lab, region pulumi.StringInput) (*aws.Provider, error) {
	endpoint := pulumi.String(l.Endpoint())
	return aws.NewProvider(ctx, name, &aws.ProviderArgs{
		Region:    region.ToStringOutput().ToStringPtrOutput(),
		AccessKey: pulumi.String("test"), SecretKey: pulumi.String("test"),
		Endpoints: aws.ProviderEndpointArray{aws.ProviderEndpointArgs{Iam: endpoint, Sts: endpoint}},
	})
}

// onlyRobot returns the one user and group of an account, and the policy.
func onlyRobot(t *testing.T, l *lab.Lab) (lab.User, lab.Group, string) {
	t.Helper()
	a := harness.Account(t, l)
	if len(a.Users) != 1 || len(a.Groups) != 1 || len(a.Groups[0].Policies) != 1 {
		t.Fatalf("the account holds %s", harness.Pretty(t, a))
	}
	for _, policy := range a.Groups[0].Policies {
		return a.Users[0], a.Groups[0], policy
	}
	return lab.User{}, lab.Group{}, ""
}

// TestExplicitProvider gives the robot an AWS provider for another account, region and endpoint, with the default
// provider disabled: nothing goes to the account that the environment names.
func TestExplicitProvider(t *testing.T) {
	t.Parallel()
	for name, option := range map[string]func(*aws.Provider) pulumi.ResourceOption{
		"provider":  func(p *aws.Provider) pulumi.ResourceOption { return pulumi.Provider(p) },
		"providers": func(p *aws.Provider) pulumi.ResourceOption { return pulumi.Providers(p) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			other := harness.NewAccount(t, otherAccount)
			s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
				provider, err := awsProvider(ctx, "other", other, pulumi.String("eu-west-1"))
				if err != nil {
					return err
				}
				_, err = cicd.NewRobotAccount(ctx, "robot", nil, option(provider))
				return err
			})
			harness.Check(t, s.SetConfigWithOptions(t.Context(), "pulumi:disable-default-providers[0]", auto.ConfigValue{Value: "aws"},
				&auto.ConfigOptions{Path: true}))
			s.MustPreview()
			s.MustUp()
			_, _, policy := onlyRobot(t, other)
			harness.SamePolicy(t, policy, harness.AssumePolicy("arn:aws:iam::"+otherAccount+":role/*"))
			s.Unchanged()
			if calls := l.Calls(); len(calls) != 0 {
				t.Errorf("the environment's account was called: %v", calls)
			}
			_, err := s.Destroy(t.Context())
			harness.Check(t, err)
			if a := harness.Account(t, other); len(a.Users)+len(a.Groups) != 0 {
				t.Errorf("after destroy the other account holds %s", harness.Pretty(t, a))
			}
		})
	}
}

// TestNoProvider says what happens with the default AWS provider disabled and none given: one error, and nothing made.
func TestNoProvider(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := robotStack(t, l, nil)
	harness.Check(t, s.SetConfigWithOptions(t.Context(), "pulumi:disable-default-providers[0]", auto.ConfigValue{Value: "aws"},
		&auto.ConfigOptions{Path: true}))
	_, _, err := s.TryUp()
	if err == nil || !strings.Contains(err.Error(), "look up the AWS account") {
		t.Errorf("the error is %v", err)
	}
	if a := harness.Account(t, l); len(a.Users)+len(a.Groups) != 0 {
		t.Errorf("the account holds %s", harness.Pretty(t, a))
	}
}

// TestTwoAccounts has two robots with two providers in one program.
func TestTwoAccounts(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	other := harness.NewAccount(t, otherAccount)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		for name, account := range map[string]*lab.Lab{"one": l, "two": other} {
			provider, err := awsProvider(ctx, name, account, pulumi.String("eu-west-1"))
			if err != nil {
				return err
			}
			_, err = cicd.NewRobotAccount(ctx, name, nil, pulumi.Provider(provider))
			if err != nil {
				return err
			}
		}
		return nil
	})
	s.MustUp()
	for account, l := range map[string]*lab.Lab{lab.Account: l, otherAccount: other} {
		_, _, policy := onlyRobot(t, l)
		harness.SamePolicy(t, policy, harness.AssumePolicy("arn:aws:iam::"+account+":role/*"))
	}
	s.Unchanged()
	s.MustDestroy()
}

// TestPartitions has a robot in China and one in GovCloud.
func TestPartitions(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"} {
		t.Run(partition, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
				provider, err := awsProvider(ctx, "there", l, pulumi.String(region))
				if err != nil {
					return err
				}
				_, err = cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
					AssumableRoles: pulumi.ToStringArray([]string{"cicd/*", "arn:" + partition + ":iam::" + otherAccount + ":role/x"}),
				}, pulumi.Provider(provider))
				return err
			})
			s.MustUp()
			l.Region = region
			_, _, policy := onlyRobot(t, l)
			harness.SamePolicy(t, policy, fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"sts:AssumeRole",
				"Resource":["arn:%[1]s:iam::123456789012:role/cicd/*","arn:%[1]s:iam::210987654321:role/x"]}}`, partition))
			s.MustDestroy()
		})
	}
}

// TestManyRobots makes 25 robots at once, with two providers. AWS is asked who calls as often as for a robot of each:
// once for each provider, besides by the AWS plugin itself, which asks as it is configured.
func TestManyRobots(t *testing.T) {
	t.Parallel()
	const few, count = 2, 25
	robots := few
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		provider, err := awsProvider(ctx, "other", l, pulumi.String("eu-central-1"))
		if err != nil {
			return err
		}
		options := [][]pulumi.ResourceOption{nil, {pulumi.Providers(provider)}}
		for i := range robots {
			_, err := cicd.NewRobotAccount(ctx, fmt.Sprintf("robot%02d", i), &cicd.RobotAccountArgs{
				AssumableRoles: pulumi.StringArray{pulumi.Sprintf("role%02d", i)},
			}, options[i%2]...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	lookUps := func(robotsMade int) (asked int) {
		t.Helper()
		l.Calls()
		if _, steps := s.MustUp(); len(steps) != 4*robotsMade {
			t.Errorf("up takes %d steps", len(steps))
		}
		for _, call := range l.Calls() {
			if call.Action == "GetCallerIdentity" {
				asked++
			}
		}
		return asked
	}
	asked := lookUps(few)
	robots = count
	if again := lookUps(count - few); asked < 2 || again != asked {
		t.Errorf("AWS is asked %d times who calls for %d robots, and %d times for %d", asked, few, again, count)
	}
	a := harness.Account(t, l)
	if len(a.Users) != count || len(a.Groups) != count {
		t.Fatalf("there are %d users and %d groups", len(a.Users), len(a.Groups))
	}
	for i, group := range a.Groups {
		prefix := fmt.Sprintf("robot%02d-", i)
		user := a.Users[i]
		if !strings.HasPrefix(user.Name, prefix) || !slices.Equal(user.Groups, []string{group.Name}) || len(group.Policies) != 1 {
			t.Errorf("robot %d is %s", i, harness.Pretty(t, []any{user, group}))
		}
		for _, policy := range group.Policies {
			harness.SamePolicy(t, policy, harness.AssumePolicy(fmt.Sprintf("arn:aws:iam::123456789012:role/role%02d", i)))
		}
	}
	s.Unchanged()
	s.MustDestroy()
}

// TestRolesOfOtherResources has a robot assume a role of the same program, whose ARN is unknown in a preview.
func TestRolesOfOtherResources(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		role, err := iam.NewRole(ctx, "deploy", &iam.RoleArgs{
			AssumeRolePolicy: pulumi.String(trustsAccount),
		})
		if err != nil {
			return err
		}
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			AssumableRoles: pulumi.StringArray{role.Arn},
			Tags:           pulumi.StringMap{"role": role.UniqueId},
		})
		if err != nil {
			return err
		}
		ctx.Export("policy", robot.Policy)
		ctx.Export("role", role.Arn)
		return nil
	})
	if steps := s.MustPreview(); len(steps) != 5 {
		t.Errorf("a preview shows %v", steps)
	}
	result, _ := s.MustUp()
	arn, _ := result.Outputs["role"].Value.(string)
	_, _, policy := onlyRobot(t, l)
	harness.SamePolicy(t, policy, harness.AssumePolicy(arn))
	harness.SamePolicy(t, result.Outputs["policy"].Value.(string), policy)
	s.Unchanged()
	s.MustDestroy()
}

// TestProviderNotKnownYet previews a robot whose AWS provider is configured with what another resource will say.
func TestProviderNotKnownYet(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		first, err := iam.NewGroup(ctx, "first", nil)
		if err != nil {
			return err
		}
		region := first.UniqueId.ApplyT(func(string) string { return "eu-west-1" }).(pulumi.StringOutput)
		provider, err := awsProvider(ctx, "later", l, region)
		if err != nil {
			return err
		}
		_, err = cicd.NewRobotAccount(ctx, "robot", nil, pulumi.Provider(provider))
		return err
	})
	if steps := s.MustPreview(); len(steps) != 5 {
		t.Errorf("a preview shows %v", steps)
	}
	_, steps := s.MustUp()
	if len(steps) != 5 {
		t.Errorf("up takes %v", steps)
	}
	for _, group := range harness.Account(t, l).Groups {
		for _, policy := range group.Policies {
			harness.SamePolicy(t, policy, harness.SeedPolicy)
		}
	}
	s.Unchanged()
	s.MustDestroy()
}

// TestGroupRenameLeavesNoPolicyBehind renames the group of a robot whose policy has a random name. Renamed in place,
// the group would keep the old policy beside the new one.
func TestGroupRenameLeavesNoPolicyBehind(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	args := &cicd.RobotAccountArgs{GroupName: pulumi.String("before"), AssumableRoles: pulumi.ToStringArray([]string{"a"})}
	s := robotStack(t, l, args)
	s.MustUp()
	args.GroupName = pulumi.String("after")
	args.AssumableRoles = pulumi.ToStringArray([]string{"b"})
	s.MustUp()
	user, group, policy := onlyRobot(t, l)
	if group.Name != "after" || !slices.Equal(user.Groups, []string{"after"}) {
		t.Errorf("the robot is %s", harness.Pretty(t, []any{user, group}))
	}
	harness.SamePolicy(t, policy, harness.AssumePolicy("arn:aws:iam::123456789012:role/b"))
	s.Unchanged()
	s.MustDestroy()
}

func TestRetainOnDelete(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := robotStack(t, l, nil, pulumi.RetainOnDelete(true))
	s.MustUp()
	before := harness.Account(t, l)
	_, err := s.Destroy(t.Context(), optdestroy.Remove())
	harness.Check(t, err)
	harness.Same(t, "the account after a destroy that retains", harness.Account(t, l), before)
	onlyRobot(t, l)
}

// TestAliases renames a robot, and moves it into a parent, with aliases: its resources stay, names and all.
func TestAliases(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	program := func(ctx *pulumi.Context) error {
		_, err := cicd.NewRobotAccount(ctx, "old", nil)
		return err
	}
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error { return program(ctx) })
	s.MustUp()
	before := harness.Account(t, l)

	program = func(ctx *pulumi.Context) error {
		_, err := cicd.NewRobotAccount(ctx, "new", nil, pulumi.Aliases([]pulumi.Alias{{Name: pulumi.String("old")}}))
		return err
	}
	if _, steps := s.MustUp(); len(steps) != 0 {
		t.Errorf("a renamed robot takes %v", steps)
	}
	program = func(ctx *pulumi.Context) error {
		team, err := newTeam(ctx, "team")
		if err != nil {
			return err
		}
		_, err = cicd.NewRobotAccount(ctx, "new", nil, pulumi.Parent(team),
			pulumi.Aliases([]pulumi.Alias{{NoParent: pulumi.Bool(true)}}))
		return err
	}
	if _, steps := s.MustUp(); len(steps) != 0 {
		t.Errorf("a robot moved into a parent takes %v", steps)
	}
	harness.Same(t, "the account after two moves", harness.Account(t, l), before)
	s.Unchanged()
	s.MustDestroy()
}

// team is a component of a caller's.
type team struct{ pulumi.ResourceState }

func newTeam(ctx *pulumi.Context, name string, opts ...pulumi.ResourceOption) (*team, error) {
	t := &team{}
	return t, ctx.RegisterComponentResource("tests:index:Team", name, t, opts...)
}

// TestParent has a robot take the AWS provider of its parent.
func TestParent(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	other := harness.NewAccount(t, otherAccount)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		provider, err := awsProvider(ctx, "other", other, pulumi.String("eu-west-1"))
		if err != nil {
			return err
		}
		parent, err := newTeam(ctx, "team", pulumi.Providers(provider))
		if err != nil {
			return err
		}
		_, err = cicd.NewRobotAccount(ctx, "robot", nil, pulumi.Parent(parent))
		return err
	})
	s.MustUp()
	_, _, policy := onlyRobot(t, other)
	harness.SamePolicy(t, policy, harness.AssumePolicy("arn:aws:iam::"+otherAccount+":role/*"))
	if calls := l.Calls(); len(calls) != 0 {
		t.Errorf("the environment's account was called: %v", calls)
	}
	const team = "urn:pulumi:dev::robot-account::tests:index:Team"
	for urn := range s.Resources() {
		if strings.Contains(urn, "RobotAccount") && !strings.HasPrefix(urn, team+"$cicd:index:RobotAccount") {
			t.Errorf("%s is not within its parent", urn)
		}
	}
	s.MustDestroy()
}

// TestTransforms lets a caller's transform change a child of the robot.
func TestTransforms(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := robotStack(t, l, nil, pulumi.Transforms([]pulumi.ResourceTransform{
		func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
			if args.Type != "aws:iam/user:User" {
				return nil
			}
			args.Props["name"] = pulumi.String("transformed")
			return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
		},
	}))
	s.MustUp()
	if user, _, _ := onlyRobot(t, l); user.Name != "transformed" {
		t.Errorf("the user is %s", harness.Pretty(t, user))
	}
	s.MustDestroy()
}

// TestPreviewedARNs checks that updates keep to the plans of their previews: the ARN of the robot, which a preview shows in
// the trust policy of a role, is the one that AWS gives.
func TestPreviewedARNs(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	given, transformed := cicd.RobotAccountArgs{UserName: pulumi.String("bot")}, ""
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		robot, err := cicd.NewRobotAccount(ctx, "robot", &given, pulumi.Transforms([]pulumi.ResourceTransform{
			func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
				if args.Type == "aws:iam/user:User" && transformed != "" {
					args.Props["path"] = pulumi.String(transformed)
				}
				return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
			},
		}))
		if err != nil {
			return err
		}
		_, err = cicd.NewDeploymentRole(ctx, "role", &cicd.DeploymentRoleArgs{Trusted: pulumi.StringArray{robot.UserArn}})
		return err
	})
	for _, step := range []struct {
		path, transformed string
		targets           []string
		want              string
	}{
		{want: "user/bot"},
		{path: "/ci/", want: "user/ci/bot"},
		{path: "/ci/", transformed: "/org/", want: "user/org/bot"},
		{path: "/other/", targets: []string{"**DeploymentRole**"}, want: "user/org/bot"},
		{path: "/other/", want: "user/other/bot"},
	} {
		given.Path, transformed = pulumi.String(cmp.Or(step.path, "/")), step.transformed
		plan := filepath.Join(t.TempDir(), "plan.json")
		s.MustPreview(optpreview.Plan(plan), optpreview.Target(step.targets))
		if planned := harness.Read(t, plan); !strings.Contains(planned, accountIAM+step.want) {
			t.Errorf("the preview does not show %s: %s", step.want, planned)
		}
		s.MustUp(optup.Plan(plan), optup.Target(step.targets))
		for _, role := range harness.Account(t, l).Roles {
			if !strings.Contains(role.Trust, `"`+accountIAM+step.want+`"`) {
				t.Errorf("the role does not trust %s: %s", step.want, role.Trust)
			}
		}
	}
	s.Unchanged()
	s.MustDestroy()
}

// TestDependsOn makes a robot after what it depends on.
func TestDependsOn(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		first, err := iam.NewGroup(ctx, "first", &iam.GroupArgs{Name: pulumi.String("first")})
		if err != nil {
			return err
		}
		_, err = cicd.NewRobotAccount(ctx, "robot", nil, pulumi.DependsOn([]pulumi.Resource{first}))
		return err
	})
	s.MustUp()
	writes := l.Writes()
	if len(writes) == 0 || writes[0] != "CreateGroup" || slices.Index(writes, "CreateUser") < 1 {
		t.Errorf("the calls are %v", writes)
	}
	_, err := s.Destroy(t.Context())
	harness.Check(t, err)
	if writes = l.Writes(); writes[len(writes)-1] != "DeleteGroup" {
		t.Errorf("the calls of destroy are %v", writes)
	}
}

// TestBadInputs runs a program with bad inputs: one error that shows no secret, and nothing is made or recorded.
func TestBadInputs(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := robotStack(t, l, &cicd.RobotAccountArgs{
		UserName:       pulumi.String("a b"),
		Path:           pulumi.ToSecret(pulumi.String("s3cr3t")).(pulumi.StringOutput),
		AssumableRoles: pulumi.StringArray{pulumi.String("ok"), pulumi.String("/x")},
	})
	_, err := s.Preview(t.Context(), optpreview.Diff())
	for _, run := range []struct {
		what string
		err  error
	}{{"preview", err}, {"up", func() error { _, _, err := s.TryUp(); return err }()}} {
		if run.err == nil {
			t.Fatalf("%s succeeds", run.what)
		}
		text := run.err.Error()
		const want = `cicd:index:RobotAccount resource 'robot' has a problem: 3 invalid inputs:`
		if !strings.Contains(text, want) || strings.Contains(text, "s3cr3t") {
			t.Errorf("%s says\n%s", run.what, text)
		}
		for _, problem := range []string{
			`- assumableRoles[1] = "/x": must not begin with a slash`, `- path = [secret]: must begin and end with a slash`,
			`- userName = "a b": must consist of the characters`,
		} {
			if strings.Count(text, problem) != 1 {
				t.Errorf("%s does not say %q once:\n%s", run.what, problem, text)
			}
		}
	}
	if calls := l.Calls(); len(calls) != 0 {
		t.Errorf("AWS is called: %v", calls)
	}
	for urn := range s.Resources() {
		if strings.Contains(urn, "RobotAccount") {
			t.Errorf("the state holds %s", urn)
		}
	}
}

// TestSecrets has secret inputs: neither the state nor the output shows them, not even in what the AWS provider reads
// back under another name.
func TestSecrets(t *testing.T) {
	t.Parallel()
	const secret = "s3cr3t-r0le"
	hidden := pulumi.ToSecret(pulumi.String(secret)).(pulumi.StringOutput)
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		_, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			AssumableRoles: pulumi.StringArray{hidden}, Tags: pulumi.StringMap{"a": hidden},
		})
		if err != nil {
			return err
		}
		_, err = cicd.NewDeploymentRole(ctx, "role", &cicd.DeploymentRoleArgs{
			Trusted: pulumi.StringArray{pulumi.Sprintf("%suser/%s", accountIAM, hidden)}, Tags: pulumi.StringMap{"a": hidden},
			InlinePolicies: pulumi.Map{"a": pulumi.ToSecret(pulumi.String(harness.AssumePolicy(accountIAM + "role/" + secret)))},
		})
		return err
	})
	preview, err := s.Preview(t.Context(), optpreview.Diff())
	harness.Check(t, err)
	result, _ := s.MustUp()
	refresh, err := s.Refresh(t.Context())
	harness.Check(t, err)
	hides(t, l, secret, map[string]string{
		"the preview": preview.StdOut + preview.StdErr, "the output": result.StdOut + result.StdErr,
		"the refresh": refresh.StdOut + refresh.StdErr,
	})
	_, _, policy := onlyRobot(t, l)
	harness.SamePolicy(t, policy, harness.AssumePolicy(accountIAM+"role/"+secret))
	s.MustDestroy()
}

// TestDefaultTags checks a robot beside default tags of the AWS provider, of which AWS takes none twice in different
// case.
func TestDefaultTags(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	args := &cicd.RobotAccountArgs{Tags: pulumi.StringMap{"owner": pulumi.String("platform")}}
	s := robotStack(t, l, args)
	tag := func(key string) {
		t.Helper()
		harness.Check(t, s.SetConfigWithOptions(t.Context(), "aws:defaultTags.tags."+key, auto.ConfigValue{Value: "default"},
			&auto.ConfigOptions{Path: true}))
	}
	tag("Purpose")
	s.MustUp()
	user, _, _ := onlyRobot(t, l)
	harness.Same(t, "the tags", user.Tags, map[string]string{"Purpose": "default", "owner": "platform"})
	s.Unchanged()
	tag("Owner")
	l.Writes()
	if _, err := s.Preview(t.Context()); err == nil || !strings.Contains(err.Error(), "(Owner and owner)") {
		t.Errorf("a tag that differs from a default one by case: %v", err)
	}
	s.MustDestroy()
}

// hides says that neither the texts nor the files of the state show a secret, and that the state holds one.
func hides(t *testing.T, l *lab.Lab, secret string, texts map[string]string) {
	t.Helper()
	state, encrypted := os.DirFS(filepath.Join(l.Dir, "state")), false
	harness.Check(t, fs.WalkDir(state, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(state, path)
		texts[path] = string(text)
		encrypted = encrypted || strings.Contains(texts[path], `"ciphertext"`)
		return err
	}))
	if !encrypted {
		t.Error("the state holds no secret")
	}
	for what, text := range texts {
		if strings.Contains(text, secret) {
			t.Errorf("%s shows the secret", what)
		}
	}
}

// TestFailedChild has AWS refuse one child: the error names it, the component's own does not hide it, and once the
// cause is gone the next update goes on from there.
func TestFailedChild(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	admin := awsiam.NewFromConfig(l.Config())
	_, err := admin.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: sdkaws.String("bot")})
	harness.Check(t, err)
	s := robotStack(t, l, &cicd.RobotAccountArgs{UserName: pulumi.String("bot")})
	_, _, err = s.TryUp()
	if err == nil || !strings.Contains(err.Error(), "EntityAlreadyExists") ||
		strings.Contains(err.Error(), "awaiting input property") {
		t.Errorf("the error is %v", err)
	}
	_, err = admin.DeleteUser(t.Context(), &awsiam.DeleteUserInput{UserName: sdkaws.String("bot")})
	harness.Check(t, err)
	s.MustUp()
	user, _, policy := onlyRobot(t, l)
	if user.Name != "bot" || len(user.Groups) != 1 {
		t.Errorf("the user is %s", harness.Pretty(t, user))
	}
	harness.SamePolicy(t, policy, harness.SeedPolicy)
	s.Unchanged()
	s.MustDestroy()
}
