package provider

import (
	_ "embed" // For the description.
	"fmt"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

const robotAccountToken = Name + ":index:RobotAccount"

// everyRole is what a robot may assume by default: every role of its account.
var everyRole = []string{"*"}

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

	AccessKeyID              pulumi.StringPtrOutput   `pulumi:"accessKeyId"`
	SecretAccessKey          pulumi.StringPtrOutput   `pulumi:"secretAccessKey" provider:"secret"`
	EncryptedSecretAccessKey pulumi.StringPtrOutput   `pulumi:"encryptedSecretAccessKey"`
	PreviousAccessKeyID      pulumi.StringPtrOutput   `pulumi:"previousAccessKeyId"`
	AccessKeyGeneration      pulumi.IntPtrOutput      `pulumi:"accessKeyGeneration"`
	AccessKeyRotatedAt       pulumi.StringPtrOutput   `pulumi:"accessKeyRotatedAt"`
	AccessKeyRotateAfter     pulumi.StringPtrOutput   `pulumi:"accessKeyRotateAfter"`
	SecretArn                pulumi.StringPtrOutput   `pulumi:"secretArn"`
	SSMParameterNames        pulumi.StringArrayOutput `pulumi:"ssmParameterNames"`
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
	AccessKey           *AccessKeyArgs          `pulumi:"accessKey,optional"`
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
	accessKeyInput:        accessKeyRule,
}

// newRobotAccount registers a robot account, whose inputs have passed [checkRobotAccount], with its children.
func newRobotAccount(
	ctx *pulumi.Context, name string, args RobotAccountArgs, opts ...pulumi.ResourceOption,
) (*RobotAccount, error) {
	identity, err := callerIdentity(ctx, opts...)
	if err != nil {
		return nil, err
	}
	if err := checkRobotAccountIn(newInputs(ctx), identity); err != nil {
		return nil, err
	}

	if args.AccessKey != nil {
		if err := checkCLI(ctx); err != nil {
			return nil, err
		}
	}

	robot := &RobotAccount{}
	if err := ctx.RegisterComponentResource(robotAccountToken, name, robot, opts...); err != nil {
		return nil, fmt.Errorf("register the robot account: %w", err)
	}
	child := pulumi.Parent(robot)

	userOptions := []pulumi.ResourceOption{child}
	if args.AccessKey != nil {
		userOptions = append(userOptions, replaceOnRename)
	}
	user, err := awsiam.NewUser(ctx, name, &awsiam.UserArgs{
		Name:                args.UserName,
		Path:                args.Path,
		Tags:                args.mergedTags(),
		PermissionsBoundary: args.PermissionsBoundary,
		ForceDestroy:        args.ForceDestroy,
	}, userOptions...)
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

	keys := noAccessKeys()
	if args.AccessKey != nil {
		if keys, err = newAccessKeys(ctx, name, args.AccessKey, robot, user); err != nil {
			return nil, err
		}
	}

	robot.UserName = user.Name
	robot.UserArn = user.Arn
	robot.UserUniqueID = user.UniqueId
	robot.GroupName = group.Name
	robot.GroupArn = group.Arn
	robot.GroupUniqueID = group.UniqueId
	robot.PolicyName = groupPolicy.Name
	robot.Policy = groupPolicy.Policy
	robot.AccessKeyID = keys.id
	robot.SecretAccessKey = keys.secret
	robot.EncryptedSecretAccessKey = keys.encryptedSecret
	robot.PreviousAccessKeyID = keys.previousID
	robot.AccessKeyGeneration = keys.generation
	robot.AccessKeyRotatedAt = keys.rotatedAt
	robot.AccessKeyRotateAfter = keys.rotateAfter
	robot.SecretArn = keys.secretArn
	robot.SSMParameterNames = keys.parameterNames
	return robot, nil
}

// replaceOnRename makes a group with a new name a new group, and a user with access keys a new user. AWS could
// rename both in place, but what they have stays with them, and the AWS provider would look for it under the
// old name, not find it, and take it for gone: a group's old policy would go on granting, and a user's old keys
// would go on working.
var replaceOnRename = pulumi.ReplaceOnChanges([]string{"name"})

// mergedTags returns the tags of the user.
func (args RobotAccountArgs) mergedTags() pulumi.StringMapInput {
	if args.Tags == nil {
		return pulumi.ToStringMap(defaultTags)
	}
	return args.Tags.ToStringMapOutput().ApplyT(guarded(func(tags map[string]string) (map[string]string, error) {
		return iam.MergeTags(defaultTags, tags), nil
	})).(pulumi.StringMapOutput)
}

// policy returns the policy document for a robot of the given identity. It is unknown where an input or the
// identity is.
func (args RobotAccountArgs) policy(identity *iam.Identity) pulumi.StringOutput {
	inputs := pulumi.All(args.AssumableRoles, args.SourceIps, args.AllowSessionTags)
	if identity == nil {
		inputs = pulumi.All(pulumi.UnsafeUnknownOutput(nil))
	}
	return inputs.ApplyT(guarded(func(values []any) (string, error) {
		roles, _ := values[0].([]string)
		sources, _ := values[1].([]string)
		return robotPolicy(*identity, roles, sources, valueOrZero[bool](values[2]))
	})).(pulumi.StringOutput)
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
	in.refuseUnknownObject(location{path: resource.PropertyPath{accessKeyInput}}, in.values.Get(accessKeyInput))
	in.apply(robotAccountRules)
	in.checkGeneratedName("userName", name, iam.CheckUserName)
	in.checkGeneratedName("groupName", name, iam.CheckGroupName)
	in.checkGeneratedName("policyName", name, iam.CheckPolicyName)
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

//go:embed robot_account.md
var robotAccountDescription string

// Annotate describes the component and its outputs in the schema.
func (r *RobotAccount) Annotate(a infer.Annotator) {
	a.SetToken("index", "RobotAccount")
	a.Describe(r, robotAccountDescription)
	a.Describe(&r.UserName, "The name of the IAM user.")
	a.Describe(&r.UserArn, "The ARN of the IAM user, such as `arn:aws:iam::123456789012:user/cicd-bot`. "+
		"Name it in the condition `aws:PrincipalArn` of the trust policies of the roles that the robot is to assume.")
	a.Describe(&r.UserUniqueID, "The unique ID that IAM gave the user, such as `AIDAJQABLZS4A3QDU576Q`. "+
		"A user that is made again under the same name has another one.")
	a.Describe(&r.GroupName, "The name of the IAM group.")
	a.Describe(&r.GroupArn, "The ARN of the IAM group, such as `arn:aws:iam::123456789012:group/PulumiStackUpdaters`.")
	a.Describe(&r.GroupUniqueID, "The unique ID that IAM gave the group, such as `AGPAJQABLZS4A3QDU576Q`.")
	a.Describe(&r.PolicyName, "The name of the group's inline policy.")
	a.Describe(&r.Policy, "The policy document of the group, in JSON: all that the robot may do. It is known in a "+
		"preview wherever its inputs are, so that a reviewer sees what an update will grant.")
	a.Describe(&r.AccessKeyID, "The ID of the current access key, such as `AKIAIOSFODNN7EXAMPLE`. Absent "+
		"without `accessKey`.")
	a.Describe(&r.SecretAccessKey, "The secret of the current access key: a Pulumi secret, encrypted in the state. "+
		"Absent without `accessKey`, and with `pgpKey`.")
	a.Describe(&r.EncryptedSecretAccessKey, "The secret of the current access key, encrypted to `pgpKey` and in base64: "+
		"`base64 -d | gpg -d` gives it. Absent without `pgpKey`.")
	a.Describe(&r.PreviousAccessKeyID, "The ID of the access key before the current one. Absent if there is none.")
	a.Describe(&r.AccessKeyGeneration, "The generation of the current access key. It grows by one with each rotation.")
	a.Describe(&r.AccessKeyRotatedAt, "When the current generation began, in RFC 3339.")
	a.Describe(&r.AccessKeyRotateAfter, "When the current access key becomes due, in RFC 3339: the first update after "+
		"that rotates. Absent without `rotateEvery`.")
	a.Describe(&r.SecretArn, "The ARN of the Secrets Manager secret. Absent without `secretsManager`.")
	a.Describe(&r.SSMParameterNames, "The names of the two SSM parameters, that of the ID first. Absent without "+
		"`ssmPath`.")
}

// Annotate describes the inputs in the schema.
func (args *RobotAccountArgs) Annotate(a infer.Annotator) {
	const (
		nameRule = "characters of `A-Z a-z 0-9 + = , . @ _ -`, unique in the account without regard to case. " +
			"By default, the resource's own name with a random suffix, such as `robot-1a2b3c4`. "
		quotas = "(Source: IAM User Guide, \"IAM and AWS STS quotas\".)"
	)
	a.Describe(&args.UserName, "The name of the IAM user: 1 to 64 "+nameRule+
		"A change renames the user in place, which changes its ARN; with `accessKey`, it replaces the user and the "+
		"keys. "+quotas)
	a.Describe(&args.GroupName, "The name of the IAM group: 1 to 128 "+nameRule+
		"A change replaces the group, the membership and the policy, new ones before old ones: renamed in place, a "+
		"group would keep its old policy beside the new one. "+quotas)
	a.Describe(&args.PolicyName, "The name of the group's inline policy: 1 to 128 characters of "+
		"`A-Z a-z 0-9 + = , . @ _ -`. By default, the resource's own name with a random suffix. "+
		"A change replaces the policy, the new one before the old one. "+quotas)
	a.Describe(&args.Path, "The path of the user and of the group, such as `/cicd/`: at most 512 characters of "+
		"`A-Z a-z 0-9 + = , . @ _ - /`, with a slash at both ends. By default `/`. "+
		"A change moves both in place, which changes their ARNs. "+quotas)
	a.Describe(&args.Tags, "The tags of the user. They are merged over the default, which is `purpose: "+
		defaultTags["purpose"]+"`: a `purpose` given here wins. At most 50 tags, the default included; keys of 1 to "+
		"128 and values of up to 256 letters, digits, spaces and `_ . : / = + - @`; no key twice in different case, "+
		"and none that begins with `aws:`. IAM groups have no tags. A change updates the user in place. "+
		"(Source: IAM User Guide, \"Tags for AWS Identity and Access Management resources\".)")
	a.Describe(&args.PermissionsBoundary, "The ARN of a managed policy that limits what the user can be allowed to do, "+
		"such as `arn:aws:iam::123456789012:policy/boundary`: one of the user's own account, or one of AWS's. It must "+
		"allow `sts:AssumeRole`, or the robot can do nothing. By default none. A change updates the user in place. "+
		"(Source: IAM User Guide, \"Permissions boundaries for IAM entities\".)")
	a.Describe(&args.ForceDestroy, "Whether the user is deleted even if it has access keys, or other credentials, that "+
		"this resource did not make. By default `false`: AWS then refuses to delete such a user. "+
		"A change updates the user in place.")
	a.Describe(&args.AssumableRoles, "The roles that the robot may assume, at least one. Each is the name of a role of "+
		"the robot's own account and partition, or a pattern of path and name, such as `deploy` or `cicd/*`; or the full "+
		"ARN of a role in any account of the partition, such as `arn:aws:iam::123456789012:role/cicd/*`, with `*` for any "+
		"account. In path and name, `*` stands for any characters, slashes too, and `?` for one. By default `[\"*\"]`, "+
		"every role of the account: then the robot can take any role that trusts the account as a whole, an "+
		"administrator's too, so name a path or the roles wherever you can. The policy that comes of it must fit into "+
		"5,120 characters. A change updates the policy in place; neither order nor repetition is a change. "+
		"(Source: IAM User Guide, \"IAM identifiers\" and \"IAM and AWS STS quotas\".)")
	a.Describe(&args.AllowSessionTags, "Whether the robot may also tag the sessions of the roles that it assumes: the "+
		"policy then allows `sts:TagSession` on them too. The GitHub action `aws-actions/configure-aws-credentials` tags "+
		"sessions unless it is given `role-skip-session-tagging: true`. The roles must allow it as well, as "+
		"`DeploymentRole` does with its own `allowSessionTags`. By default `false`. A change updates the policy in place. "+
		"(Source: IAM User Guide, \"Pass session tags in AWS STS\".)")
	a.Describe(&args.AccessKey, "The access keys of the user. By default none is made; removed, they are deleted. "+
		"With it, a change of `userName` replaces the user, the new one before the old one.")
	a.Describe(&args.SourceIps, "The addresses that the robot may assume roles from, as ranges of IPv4 or IPv6 "+
		"addresses in CIDR notation, such as `203.0.113.0/24` or `2001:db8::/32`; at least one. AWS sees the public "+
		"address of the caller; calls through a VPC endpoint do not match. By default, calls from anywhere are allowed. A "+
		"change updates the policy in place; neither order nor repetition is a change. "+
		"(Source: IAM User Guide, \"AWS global condition context keys\", `aws:SourceIp`.)")
}
