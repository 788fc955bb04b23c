package provider

import (
	_ "embed" // For the description.

	"github.com/pulumi/pulumi-go-provider/infer"
)

//go:embed robot_account.md
var robotAccountDescription string

// Annotate describes the component and its outputs in the schema.
func (r *RobotAccount) Annotate(a infer.Annotator) {
	a.SetToken("index", "RobotAccount")
	a.Describe(r, robotAccountDescription)
	a.Describe(&r.UserName, "The name of the IAM user.")
	a.Describe(&r.UserArn, "The ARN of the IAM user, such as `arn:aws:iam::123456789012:user/cicd-bot`. "+
		"Name it in the condition `aws:PrincipalArn` of the trust policies of the roles that the robot is to assume. "+
		"A preview shows it if `userName` is given.")
	a.Describe(&r.UserUniqueID, "The unique ID that IAM gave the user, such as `AIDAJQABLZS4A3QDU576Q`. "+
		"A user that is made again under the same name has another one.")
	a.Describe(&r.GroupName, "The name of the IAM group.")
	a.Describe(&r.GroupArn, "The ARN of the IAM group, such as `arn:aws:iam::123456789012:group/PulumiStackUpdaters`. "+
		"A preview shows it if `groupName` is given.")
	a.Describe(&r.GroupUniqueID, "The unique ID that IAM gave the group, such as `AGPAJQABLZS4A3QDU576Q`.")
	a.Describe(&r.PolicyName, "The name of the group's inline policy.")
	a.Describe(&r.Policy, "The policy document of the group, in JSON: what the group allows the robot, and with "+
		"`confine` all that the robot can do. It is known in a "+
		"preview wherever its inputs are, so that a reviewer sees what an update will grant.")
}

// Annotate describes the inputs in the schema.
func (args *RobotAccountArgs) Annotate(a infer.Annotator) {
	const (
		nameRule = "characters of `A-Z a-z 0-9 + = , . @ _ -`, unique in the account without regard to case. " +
			"By default, the resource's own name with a random suffix, such as `robot-1a2b3c4`. "
		quotas = "(Source: IAM User Guide, \"IAM and AWS STS quotas\".)"
	)
	a.Describe(&args.UserName, "The name of the IAM user: 1 to 64 "+nameRule+
		"A change replaces the user, the new one before the old one: renamed in place, a user would keep old access "+
		"keys that no resource knows. "+quotas)
	a.Describe(&args.GroupName, "The name of the IAM group: 1 to 128 "+nameRule+
		"A change replaces the group, the membership and the policy, new ones before old ones: renamed in place, a "+
		"group would keep its old policy beside the new one. "+quotas)
	a.Describe(&args.PolicyName, "The name of the group's inline policy: 1 to 128 characters of "+
		"`A-Z a-z 0-9 + = , . @ _ -`. By default `"+defaultPolicyName+"`. "+
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
		"allow `sts:AssumeRole`, or the robot can do nothing. By default none. A null of another resource is "+
		"an error. A change updates the user in place. "+
		"(Source: IAM User Guide, \"Permissions boundaries for IAM entities\".)")
	a.Describe(&args.ForceDestroy, "Whether the user is deleted even if it has access keys, or other credentials, that "+
		"this resource did not make. By default `false`: AWS then refuses to delete such a user. "+
		"A change updates the user in place.")
	a.Describe(&args.AssumableRoles, "The roles that the robot may assume, at least one. Each is the name of a role of "+
		"the robot's own account and partition, or a pattern of path and name, such as `deploy` or `cicd/*`; or the full "+
		"ARN of a role in any account of the partition, such as `arn:aws:iam::123456789012:role/cicd/*`, with `*` for any "+
		"account. In path and name, `*` stands for any characters, slashes too, and `?` for one; they have at most 575 "+
		"characters. By default `[\"*\"]`, every role of the account: then the robot can take any role that trusts "+
		"the account as a whole, an administrator's too, so name a path or the roles wherever you can. The policy that "+
		"comes of it must fit into 5,120 characters, which no more than 213 elements do. A null of another resource is an "+
		"error. A change updates the policy in place; neither order nor repetition is a change. "+
		"(Source: IAM User Guide, \"IAM identifiers\" and \"IAM and AWS STS quotas\".)")
	a.Describe(&args.AllowSessionTags, "Whether the robot may also tag the sessions of the roles that it assumes: the "+
		"policy then allows `sts:TagSession` on them too. The GitHub action `aws-actions/configure-aws-credentials` tags "+
		"sessions unless it is given `role-skip-session-tagging: true`. The roles must allow it as well, as "+
		"`DeploymentRole` does with its own `allowSessionTags`. By default `false`. A change updates the policy in place. "+
		"(Source: IAM User Guide, \"Pass session tags in AWS STS\".)")
	a.Describe(&args.Confine, "Whether the robot can do nothing but assume `assumableRoles`, whatever other policies of "+
		"the user, of its groups or of a resource allow: the group's policy then also denies everything else, everything "+
		"to session tokens made with the robot's key, and with `sourceIps` everything from elsewhere. By default `false`. "+
		"It is recommended, and ends what needs the key itself for more: tools that make a session token first (give the "+
		"MFA code to `AssumeRole` itself), source identities, a state bucket, KMS key or registry that is used without a "+
		"role, calls through a VPC endpoint together with `sourceIps`, and every other user in the group. About half as "+
		"many roles fit into the policy. It does not stop those who may change the group or its members, and nothing can "+
		"deny `sts:GetCallerIdentity`. A null of another resource is an error. A change updates the policy in place. "+
		"(Sources: IAM User Guide, \"Policy evaluation logic\" and \"AWS global condition context keys\", "+
		"`aws:TokenIssueTime`; AWS STS API Reference, \"GetCallerIdentity\".)")
	a.Describe(&args.SourceIps, "The addresses that the robot may assume roles from, as ranges of IPv4 or IPv6 "+
		"addresses in CIDR notation, such as `203.0.113.0/24` or `2001:db8::/32`; from 1 to 731. AWS sees the public "+
		"address of the caller; calls through a VPC endpoint do not match. By default, calls from anywhere are allowed. A "+
		"null of another resource is an error. A "+
		"change updates the policy in place; neither order nor repetition is a change. "+
		"(Source: IAM User Guide, \"AWS global condition context keys\", `aws:SourceIp`.)")
	a.Describe(&args.Adopt, "Whether the user and the group exist already, and are taken over instead of made. "+
		"`userName`, `groupName` and `policyName` are then required, and must be known in a preview. The group must have "+
		"no other members. The user is put into the group, and the policy is put under its name, over what the group has "+
		"there. The group's other policies stay, and so do the user's policies and access keys. "+adoptDescription)
}
