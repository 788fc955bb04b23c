package provider

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

const (
	robotAccountToken = Name + ":index:RobotAccount"

	intoGroupPolicy = "a group's policy"
)

// RobotAccountArgs are the inputs of a [RobotAccount], for the schema.
type RobotAccountArgs struct {
	UserName            pulumi.StringPtrInput   `pulumi:"userName,optional"`
	GroupName           pulumi.StringPtrInput   `pulumi:"groupName,optional"`
	PolicyName          pulumi.StringPtrInput   `pulumi:"policyName,optional"`
	Path                pulumi.StringPtrInput   `pulumi:"path,optional"`
	Tags                pulumi.StringMapInput   `pulumi:"tags,optional"`
	PermissionsBoundary pulumi.StringPtrInput   `pulumi:"permissionsBoundary,optional"`
	ForceDestroy        pulumi.BoolPtrInput     `pulumi:"forceDestroy,optional"`
	AssumableRoles      pulumi.StringArrayInput `pulumi:"assumableRoles,optional"`
	SourceIps           pulumi.StringArrayInput `pulumi:"sourceIps,optional"`
	AllowSessionTags    pulumi.BoolPtrInput     `pulumi:"allowSessionTags,optional"`
	Adopt               pulumi.BoolPtrInput     `pulumi:"adopt,optional"`
	Confine             pulumi.BoolPtrInput     `pulumi:"confine,optional"`
}

// RobotAccount is an IAM user for a CI/CD system, in a group that allows nothing but assuming roles. Its fields are its
// outputs.
type RobotAccount struct {
	pulumi.ResourceState

	UserName      pulumi.StringOutput `pulumi:"userName"`
	UserArn       pulumi.StringOutput `pulumi:"userArn"`
	UserUniqueID  pulumi.StringOutput `pulumi:"userUniqueId"`
	GroupName     pulumi.StringOutput `pulumi:"groupName"`
	GroupArn      pulumi.StringOutput `pulumi:"groupArn"`
	GroupUniqueID pulumi.StringOutput `pulumi:"groupUniqueId"`
	PolicyName    pulumi.StringOutput `pulumi:"policyName"`
	Policy        pulumi.StringOutput `pulumi:"policy"`
}

// everyRole is what a robot may assume by default: every role of its account.
var everyRole = []string{"*"}

// defaultPolicyName is the name of a group's policy by default. It is the same for all robots, each of which has a
// group of its own: with a random name, a policy that AWS took while its answer was lost would stay on the group beside
// the one that the next update puts there, and go on granting, unknown to everybody. With this one, it is put once
// more.
const defaultPolicyName = "assume-roles"

// defaultTags are the tags of a robot's user. A caller's tags are merged over them.
var defaultTags = map[string]string{
	"purpose": "Account used to perform Pulumi stack updates on CI/CD.",
}

// robotAccountRules has a rule for each input. The identity is empty until it is known.
func robotAccountRules(aws serve.Identity) input.Rules {
	account := aws.Account
	return input.Rules{
		"userName":            input.OrNull(input.Text(iam.CheckUserName)),
		"groupName":           input.OrNull(input.Text(iam.CheckGroupName)),
		"policyName":          input.OrNull(input.Text(iam.CheckPolicyName)),
		"path":                input.OrNull(input.Text(iam.CheckPath)),
		"tags":                input.OrNull(input.Tags(defaultTags, aws.DefaultTags)),
		"permissionsBoundary": input.Text(account.CheckPolicyARN),
		"forceDestroy":        input.OrNull(input.Boolean),
		"assumableRoles": input.AtMost(iam.MaxScopes, intoGroupPolicy, input.NonEmpty(account.CheckRoleScope,
			"a policy on no role is malformed; leave it out for every role of the account")),
		"sourceIps": input.AtMost(iam.MaxScopeSources, intoGroupPolicy, input.NonEmpty(iam.CheckCIDR,
			"leave it out to allow calls from anywhere")),
		"allowSessionTags": input.OrNull(input.Boolean),
		adoptInput:         input.OrNull(input.Boolean),
		"confine":          input.Boolean,
	}
}

// checkRobotAccount checks the inputs without an account.
func checkRobotAccount(in *input.Inputs, name string) {
	in.Check(robotAccountRules(serve.Identity{}))
	in.CheckGeneratedName("userName", name, iam.CheckUserName)
	in.CheckGeneratedName("groupName", name, iam.CheckGroupName)
	checkAdoption(in, "userName", "groupName", "policyName")
}

// robotPolicyInputs are the inputs that the policy is made of.
var robotPolicyInputs = []string{"assumableRoles", "sourceIps", "allowSessionTags", "confine"}

// readRobotScope reads what a robot may do from inputs that have passed their rules and are known.
func readRobotScope(in *input.Inputs) (scope iam.Scope, err error) {
	roles := everyRole
	if in.Given("assumableRoles") {
		roles = in.Strings("assumableRoles")
	}
	if scope.Roles, err = iam.ParseRoleScopes(roles); err != nil {
		return scope, err
	}
	scope.Sources, err = iam.ParseCIDRs(in.Strings("sourceIps"))
	scope.SessionTags, scope.Confine = in.Bool("allowSessionTags"), in.Bool("confine")
	return scope, err
}

// robotPolicy returns the policy, which is unknown where its inputs or the account are.
func robotPolicy(in *input.Inputs, account *iam.Account) (pulumi.StringOutput, error) {
	text, known := "", account != nil && in.Known(robotPolicyInputs...)
	if known {
		scope, err := readRobotScope(in)
		if err != nil {
			return pulumi.StringOutput{}, err
		}
		if text, err = scope.Policy(*account); err != nil {
			in.ReportWhole(input.At("assumableRoles"), err)
			return pulumi.StringOutput{}, in.Err()
		}
	}
	return in.Derived(text, known, robotPolicyInputs...), nil
}

// newRobotAccount registers a robot account with its children.
func newRobotAccount(c *construction) (pulumi.ComponentResource, error) {
	aws, err := c.identify(robotAccountRules, "permissionsBoundary", "assumableRoles", "tags")
	if err != nil {
		return nil, err
	}
	policy, err := robotPolicy(c.in, aws.Account)
	if err != nil {
		return nil, err
	}
	adopted, err := c.adopt(aws, namedUser, namedGroup)
	if err != nil {
		return nil, err
	}
	robot := &RobotAccount{}
	child, err := c.register(robot)
	if err != nil {
		return nil, err
	}

	userTaken, userErr := c.explainTaken(robot, namedUser, c.name)
	groupTaken, groupErr := c.explainTaken(robot, namedGroup, c.name)
	if err := errors.Join(userErr, groupErr); err != nil {
		return nil, err
	}
	user, err := awsiam.NewUser(c.Context, c.name, &awsiam.UserArgs{
		Name:                c.in.Text("userName"),
		Path:                c.in.Text("path"),
		Tags:                c.in.TextMap("tags", withDefaultTags(aws.DefaultTags)),
		PermissionsBoundary: c.in.Text("permissionsBoundary"),
		ForceDestroy:        c.in.Boolean("forceDestroy"),
	}, child, userTaken, adopted.option(robot, namedUser), replaceOnRename, c.hideCopies(map[string][]string{
		"tags": {"tagsAll"}, "userName": {"arn"}, "path": {"arn"},
	}))
	if err != nil {
		return nil, fmt.Errorf("register the user: %w", err)
	}
	group, err := awsiam.NewGroup(c.Context, c.name, &awsiam.GroupArgs{
		Name: c.in.Text("groupName"),
		Path: c.in.Text("path"),
	}, child, groupTaken, adopted.option(robot, namedGroup), replaceOnRename, c.hideCopies(map[string][]string{
		"groupName": {"arn"}, "path": {"arn"},
	}))
	if err != nil {
		return nil, fmt.Errorf("register the group: %w", err)
	}
	_, err = awsiam.NewGroupMembership(c.Context, c.name, &awsiam.GroupMembershipArgs{
		Group: group.Name,
		Users: pulumi.StringArray{user.Name},
	}, child)
	if err != nil {
		return nil, fmt.Errorf("register the membership: %w", err)
	}
	var policyName pulumi.StringPtrInput = pulumi.String(defaultPolicyName)
	if c.in.Given("policyName") {
		policyName = c.in.Text("policyName")
	}
	groupPolicy, err := awsiam.NewGroupPolicy(c.Context, c.name, &awsiam.GroupPolicyArgs{
		Name:   policyName,
		Group:  group.Name,
		Policy: policy,
	}, child, createFirst)
	if err != nil {
		return nil, fmt.Errorf("register the policy: %w", err)
	}

	robot.UserName = whenRegistered(user, user.Name)
	robot.UserArn = c.previewedARN(user.Arn, robot.UserName, user.Path, aws.Account, namedUser)
	robot.UserUniqueID = user.UniqueId
	robot.GroupName = whenRegistered(group, group.Name)
	robot.GroupArn = c.previewedARN(group.Arn, robot.GroupName, group.Path, aws.Account, namedGroup)
	robot.GroupUniqueID = group.UniqueId
	robot.PolicyName = groupPolicy.Name
	robot.Policy = groupPolicy.Policy
	return robot, nil
}

// replaceOnRename replaces a user or group when its name changes. AWS could rename both in place, but what they have
// stays with them, and the AWS provider would look for it under the old name, not find it, and take it for gone: a
// group's old policy would go on granting, and a user's old keys would go on working.
var replaceOnRename = pulumi.ReplaceOnChanges([]string{"name"})

// withDefaultTags returns a function that merges tags over the default ones, which yield to the AWS provider's too.
func withDefaultTags(ofProvider map[string]string) func(map[string]property.Value) map[string]property.Value {
	return func(tags map[string]property.Value) map[string]property.Value {
		keys := slices.AppendSeq(slices.Collect(maps.Keys(tags)), maps.Keys(ofProvider))
		merged := maps.Clone(tags)
		if merged == nil {
			merged = map[string]property.Value{}
		}
		for key, value := range iam.MissingTags(defaultTags, slices.Values(keys)) {
			merged[key] = property.New(value)
		}
		return merged
	}
}
