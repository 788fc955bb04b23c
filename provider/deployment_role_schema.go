package provider

import (
	_ "embed" // For the description.

	"github.com/pulumi/pulumi-go-provider/infer"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

//go:embed deployment_role.md
var deploymentRoleDescription string

// Annotate describes the component and its outputs in the schema.
func (r *DeploymentRole) Annotate(a infer.Annotator) {
	a.SetToken("index", "DeploymentRole")
	a.Describe(r, deploymentRoleDescription)
	a.Describe(&r.RoleName, "The name of the IAM role.")
	a.Describe(&r.RoleArn, "The ARN of the IAM role, such as `arn:aws:iam::123456789012:role/cicd/staging`. "+
		"Give it to the CI/CD system as the role to assume. A preview shows it if `roleName` is given.")
	a.Describe(&r.RoleUniqueID, "The unique ID that IAM gave the role, such as `AROAJQABLZS4A3QDU576Q`. "+
		"A role that is made again under the same name has another one.")
	a.Describe(&r.TrustPolicy, "The trust policy of the role, in JSON: all that decides who may assume it. It is known "+
		"in a preview wherever its inputs are, so that a reviewer sees whom an update will trust. It is secret if one of "+
		"its inputs is.")
}

// Annotate describes the inputs in the schema.
func (args *DeploymentRoleArgs) Annotate(a infer.Annotator) {
	const (
		quotas       = "(Source: IAM User Guide, \"IAM and AWS STS quotas\".)"
		updatesTrust = "A change updates the trust policy in place; neither order nor repetition is a change. "
		notNull      = "A null of another resource is an error. "
		contextKeys  = "(Source: IAM User Guide, \"IAM and AWS STS condition context keys\"; AWS STS API Reference, " +
			"\"AssumeRole\".)"
	)
	a.Describe(&args.Trusted, "The IAM users and roles that may assume the role: their ARNs, in this or another "+
		"account of the partition, such as a robot's `userArn`. At least one is needed, or a job in `trustedJobs`. Each "+
		"is one user or one role: accounts, groups, sessions, `*` and wildcards are refused. For a session, give the ARN "+
		"of its role. The trust is in the ARN: a user need not exist yet, and one that is deleted and made again under "+
		"the same name and path is trusted as before, whoever makes it. One that is renamed is not. Those trusted need a "+
		"policy of their own that allows them `sts:AssumeRole` on this role, as a robot has it by its `assumableRoles`. "+
		"The trust policy that comes of it must fit into 2,048 characters, or as many as the account's quota \"Role "+
		"trust policy length\" has been raised to, at most 8,192: by default room for some 30 users of one account. "+
		updatesTrust+
		"(Source: IAM User Guide, \"AWS JSON policy elements: Principal\" and \"AWS global condition context keys\", "+
		"`aws:PrincipalArn`.)")
	a.Describe(&args.TrustedJobs, "The jobs of CI systems that may assume the role with an OpenID Connect token, and "+
		"without an access key. At least one is needed, or a user or role in `trusted`. Each is an object with one key, "+
		"the CI system, and below it what the job's token must have. The account needs an OpenID Connect provider for "+
		"the issuer, an `OidcProvider` or one that exists already; its ARN is computed, and nothing is looked up. A "+
		"field that is left out narrows nothing, so that one that is null in an output of another resource is an error. "+
		"They count towards the limit of the trust policy, by default room for three GitHub repositories. "+updatesTrust+
		"(Source: AWS STS API Reference, \"AssumeRoleWithWebIdentity\".)")
	a.Describe(&args.RoleName, "The name of the IAM role: 1 to 64 characters of `A-Z a-z 0-9 + = , . @ _ -`, unique in "+
		"the account without regard to case. By default, the resource's own name with a random suffix, such as "+
		"`staging-1a2b3c4`. IAM cannot rename a role: a change replaces it, the new one before the old one, with another "+
		"ARN. "+quotas)
	a.Describe(&args.Path, "The path of the role, such as `/cicd/`: at most 512 characters of "+
		"`A-Z a-z 0-9 + = , . @ _ - /`, with a slash at both ends. By default `/`. A robot with the `assumableRoles` of "+
		"`cicd/*` may assume each role of the path `/cicd/`, those to come too. IAM cannot move a role: a change replaces "+
		"it, with another ARN, and if `roleName` is given, the old one is deleted before the new one is made. "+quotas)
	a.Describe(&args.Description, "The description of the role: at most 1,000 characters of Latin-1. By default `"+
		defaultRoleDescription+"`. A change updates the role in place. "+
		"(Source: IAM API Reference, \"CreateRole\".)")
	a.Describe(&args.ManagedPolicyArns, "The ARNs of managed policies that the role has: AWS's, such as "+
		"`arn:aws:iam::aws:policy/PowerUserAccess`, or of the role's own account. AWS takes 10 by default, and at most 25 "+
		"after the account's quota \"Managed policies per role\" has been raised. By default none. "+notNull+
		"Those that others attach to the role are left alone. A change attaches what is new and detaches what is "+
		"gone; neither order nor repetition is a change. An ARN that is not known yet, such as that of a policy of the "+
		"same program, is shown in a preview under its place in the list. Must not be secret, since the attachments are "+
		"called after it. "+quotas)
	a.Describe(&args.InlinePolicies, "The inline policies of the role: policy documents by name, each as JSON text or as "+
		"an object, with `Version` and `Statement` and without `Principal`. Names are of 1 to 128 characters of "+
		"`A-Z a-z 0-9 + = , . @ _ -`. The documents have at most 10,240 characters together, without white space. Parts of "+
		"an object may come from other resources, and none may be null. By default none. "+notNull+
		"A change of a document updates it in place; one of a "+
		"name replaces the policy, the new one before the old one. A document may be secret, and the map as a whole must "+
		"not be, since the policies are called after its keys. "+
		"(Source: IAM User Guide, \"Grammar of the IAM JSON policy language\" and \"IAM and AWS STS quotas\".)")
	a.Describe(&args.PermissionsBoundary, "The ARN of a managed policy that limits what the role can be allowed to do, "+
		"such as `arn:aws:iam::123456789012:policy/boundary`: one of the role's own account, or one of AWS's. "+
		"By default none. "+notNull+"A change updates the role in place. "+
		"(Source: IAM User Guide, \"Permissions boundaries for IAM entities\".)")
	a.Describe(&args.MaxSessionDuration, "How many seconds a session of the role may last: a whole number from 3,600, "+
		"one hour, to 43,200, twelve hours. By default 3,600. A caller who is in a session of a role already, such as a "+
		"role in `trusted`, gets one hour at the most (role chaining). A change updates the role in place. "+
		"(Source: IAM User Guide, \"Update the maximum session duration for a role\".)")
	a.Describe(&args.ExternalID, "What a caller has to give as the external ID, besides being trusted: 2 to 1,224 "+
		"characters of `A-Z a-z 0-9 + = , . @ _ : / -`. It keeps a service that assumes roles for many customers from "+
		"assuming this one for another. It may be secret, and then makes `trustPolicy` secret; AWS itself does not keep "+
		"it secret. CI jobs cannot give one: it holds for `trusted`, and is an error without. By default none is asked "+
		"for. "+notNull+"A change updates the trust policy in place. (Source: IAM User Guide, \"Access to AWS accounts "+
		"owned by third parties\".)")
	a.Describe(&args.SessionNames, "The names that sessions may have, so that CloudTrail tells who deployed; from 1 "+
		"to 2,048. Each is a pattern such as `gha-*`, of the characters `A-Z a-z 0-9 + = , . @ _ -`, with `*` for any of "+
		"them and `?` for one; `${aws:username}` stands for the name of the IAM user who calls, and other variables are "+
		"refused. Roles and CI jobs have no user name: if one is trusted, an element without it is needed. The caller "+
		"chooses among the names allowed: a pattern is no proof of who calls, and `${aws:username}` is. By default any "+
		"name. "+notNull+updatesTrust+contextKeys)
	a.Describe(&args.AllowSessionTags, "Whether callers may tag their sessions, for which IAM asks `sts:TagSession` of "+
		"the trust policy, and of the caller's own policy too: a `RobotAccount` has an input of the same name. The "+
		"action `aws-actions/configure-aws-credentials` tags sessions unless its `role-skip-session-tagging` is set, and "+
		"gets no session where tags are not allowed. Tags are what the caller says: allow them only if no policy relies "+
		"on `aws:PrincipalTag`. By default `false`. A change updates the trust policy in place. "+
		"(Source: IAM User Guide, \"Pass session tags in AWS STS\".)")
	a.Describe(&args.SourceIps, "The addresses that the role may be assumed from, as ranges of IPv4 or IPv6 addresses in "+
		"CIDR notation, such as `203.0.113.0/24` or `2001:db8::/32`; from 1 to 1,170. AWS sees the public address of the "+
		"caller; calls through a VPC endpoint do not match. What a session does afterwards may come from anywhere. By "+
		"default, calls from anywhere are allowed. "+notNull+updatesTrust+
		"(Source: IAM User Guide, \"AWS global condition context keys\", `aws:SourceIp`.)")
	a.Describe(&args.RevokeBefore, "A time, such as `2026-11-26T15:30:00Z`: sessions of the role that were issued before "+
		"it can do nothing, by an inline policy `"+iam.RevokedSessionsPolicy+"` that denies them everything. Those who are "+
		"still trusted simply assume the role again, so take whom you want to shut out from `trusted` or `trustedJobs` "+
		"first. Sessions of CI jobs end too. In RFC 3339, rounded up to whole seconds of UTC, and at most 5 minutes ahead. "+
		"By default none. "+notNull+"It counts with about 125 characters towards the 10,240 of `inlinePolicies`. A change "+
		"updates the policy in place. Taken away or set earlier, it revives sessions that have not expired: keep it for 12 "+
		"hours. It does not end what a session has left behind, such as keys of other users, service tokens and running "+
		"resources. (Source: IAM User Guide, \"Revoke IAM role temporary security credentials\".)")
	a.Describe(&args.Tags, "The tags of the role. At most 50; keys of 1 to 128 and values of up to 256 letters, digits, "+
		"spaces and `_ . : / = + - @`; no key twice in different case, and none that begins with `aws:`. By default none. "+
		"A change updates the role in place. "+
		"(Source: IAM User Guide, \"Tags for AWS Identity and Access Management resources\".)")
	a.Describe(&args.Adopt, "Whether the role exists already, and is taken over instead of made. `roleName` is then "+
		"required, and must be known in a preview; `path` must be that of the role. Policies that the role has and the "+
		"inputs do not stay in force, and are named in a warning. "+adoptDescription)
}
