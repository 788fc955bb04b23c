package provider

import (
	"fmt"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

const robotAccountToken = Name + ":index:RobotAccount"

// everyRole is what a robot may assume by default: every role of its account.
var everyRole = []string{"*"}

// defaultPolicyName is the name of a group's policy by default. It is the same for all robots, each of which has a
// group of its own: with a random name, a policy that AWS took without being able to say so would stay on the group
// beside the one that the next update puts there, and go on granting, unknown to everybody. With this one, it is put
// once more.
const defaultPolicyName = "assume-roles"

// defaultTags are the tags of a robot's user. A caller's tags are merged over them.
var defaultTags = map[string]string{
	"purpose": "Account used to perform Pulumi stack updates on CI/CD.",
}

func robotAccountRoles(check func(string) error) rule {
	return list(check, "a policy on no role is malformed; leave it out for every role of the account")
}

// RobotAccount is an IAM user for a CI/CD system, in a group that allows nothing but assuming roles.
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

// RobotAccountArgs are the inputs of a [RobotAccount].
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
}

// robotAccountRules has a rule for each field of [RobotAccountArgs].
var robotAccountRules = rules{
	"userName":            text(iam.CheckUserName),
	"groupName":           text(iam.CheckGroupName),
	"policyName":          text(iam.CheckPolicyName),
	"path":                text(iam.CheckPath),
	"tags":                tagMap(defaultTags),
	"permissionsBoundary": text(iam.CheckPolicyARN),
	"forceDestroy":        boolean,
	"assumableRoles":      robotAccountRoles(iam.CheckRoleScope),
	"sourceIps":           list(iam.CheckCIDR, "leave it out to allow calls from anywhere"),
	"allowSessionTags":    boolean,
}

// newRobotAccount registers a robot account, whose inputs have passed [checkRobotAccount], with its children.
func newRobotAccount(
	ctx *pulumi.Context, name string, args RobotAccountArgs, opts ...pulumi.ResourceOption,
) (*RobotAccount, error) {
	identity, err := callerIdentity(ctx, opts...)
	if err != nil {
		return nil, err
	}
	in := newInputs(ctx)
	if err := checkRobotAccountIn(in, identity); err != nil {
		return nil, err
	}
	if !in.given("policyName") {
		args.PolicyName = pulumi.String(defaultPolicyName)
	}

	robot := &RobotAccount{}
	if err := ctx.RegisterComponentResource(robotAccountToken, name, robot, opts...); err != nil {
		return nil, fmt.Errorf("register the robot account: %w", err)
	}
	child := pulumi.Parent(robot)

	user, err := awsiam.NewUser(ctx, name, &awsiam.UserArgs{
		Name:                args.UserName,
		Path:                args.Path,
		Tags:                args.mergedTags(),
		PermissionsBoundary: args.PermissionsBoundary,
		ForceDestroy:        args.ForceDestroy,
	}, child, replaceOnRename)
	if err != nil {
		return nil, fmt.Errorf("register the user: %w", err)
	}
	group, err := awsiam.NewGroup(ctx, name, &awsiam.GroupArgs{
		Name: args.GroupName,
		Path: args.Path,
	}, child, replaceOnRename)
	if err != nil {
		return nil, fmt.Errorf("register the group: %w", err)
	}
	_, err = awsiam.NewGroupMembership(ctx, name, &awsiam.GroupMembershipArgs{
		Group: group.Name,
		Users: pulumi.StringArray{user.Name},
	}, child)
	if err != nil {
		return nil, fmt.Errorf("register the membership: %w", err)
	}
	groupPolicy, err := awsiam.NewGroupPolicy(ctx, name, &awsiam.GroupPolicyArgs{
		Name:   args.PolicyName,
		Group:  group.Name,
		Policy: args.policy(identity),
	}, child)
	if err != nil {
		return nil, fmt.Errorf("register the policy: %w", err)
	}

	robot.UserName = user.Name
	robot.UserArn = user.Arn
	robot.UserUniqueID = user.UniqueId
	robot.GroupName = group.Name
	robot.GroupArn = group.Arn
	robot.GroupUniqueID = group.UniqueId
	robot.PolicyName = groupPolicy.Name
	robot.Policy = groupPolicy.Policy
	return robot, nil
}

// replaceOnRename replaces a user or group when its name changes. AWS could rename both in place, but what they have
// stays with them, and the AWS provider would look for it under the old name, not find it, and take it for gone: a
// group's old policy would go on granting, and a user's old keys would go on working.
var replaceOnRename = pulumi.ReplaceOnChanges([]string{"name"})

// mergedTags returns the tags of the user.
func (args RobotAccountArgs) mergedTags() pulumi.StringMapInput {
	if args.Tags == nil {
		return pulumi.ToStringMap(defaultTags)
	}
	return apply(args.Tags.ToStringMapOutput(), func(tags map[string]string) (map[string]string, error) {
		return iam.MergeTags(defaultTags, tags), nil
	}).(pulumi.StringMapOutput)
}

// policy returns the policy document for a robot of the given identity. It is unknown where an input or the
// identity is.
func (args RobotAccountArgs) policy(identity *iam.Identity) pulumi.StringOutput {
	inputs := pulumi.All(args.AssumableRoles, args.SourceIps, args.AllowSessionTags)
	if identity == nil {
		inputs = pulumi.All(pulumi.UnsafeUnknownOutput(nil))
	}
	return apply(inputs, func(values []any) (string, error) {
		roles, _ := values[0].([]string)
		sources, _ := values[1].([]string)
		return robotPolicy(*identity, roles, sources, valueOrZero[bool](values[2]))
	}).(pulumi.StringOutput)
}

// robotPolicy returns the policy document of a robot, with the default for the roles it may assume.
func robotPolicy(identity iam.Identity, roles, sources []string, tags bool) (string, error) {
	if len(roles) == 0 {
		roles = everyRole
	}
	return iam.AssumeRolePolicy(identity, roles, sources, tags)
}

// checkRobotAccount checks what is known of the inputs of a robot account.
func checkRobotAccount(in *inputs, name string) error {
	in.refuseUnknown(robotAccountRules)
	in.apply(robotAccountRules)
	in.checkGeneratedName("userName", name, iam.CheckUserName)
	in.checkGeneratedName("groupName", name, iam.CheckGroupName)
	return in.err()
}

// checkRobotAccountIn checks inputs that have passed [checkRobotAccount] against the robot's account, unless
// that is not known yet.
func checkRobotAccountIn(in *inputs, identity *iam.Identity) error {
	if identity == nil {
		return nil
	}
	in.apply(rules{
		"permissionsBoundary": text(iam.CheckPolicyUsableBy(*identity)),
		"assumableRoles":      robotAccountRoles(iam.CheckReachableBy(*identity)),
	})
	roles, rolesKnown := in.strings("assumableRoles")
	sources, sourcesKnown := in.strings("sourceIps")
	if rolesKnown && sourcesKnown {
		tags := in.values.Get("allowSessionTags")
		if _, err := robotPolicy(*identity, roles, sources, tags.IsBool() && tags.AsBool()); err != nil {
			in.reportWhole("assumableRoles", err)
		}
	}
	return in.err()
}
