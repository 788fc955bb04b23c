package provider

import (
	_ "embed" // For the description.
	"errors"
	"fmt"
	"maps"
	"slices"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

const (
	deploymentRoleToken = Name + ":index:DeploymentRole"

	// deploymentRoleDescribes is the description of a role by default.
	deploymentRoleDescribes = "Assumed by CI/CD robots to deploy; made by " + deploymentRoleToken + "."

	managedPoliciesInput = "managedPolicyArns"
	inlinePoliciesInput  = "inlinePolicies"
)

func deploymentRoleTrusted(check func(string) error) rule {
	return list(check, "a role that nobody may assume is of no use")
}

func deploymentRoleManaged(check func(string) error) rule {
	const emptyIsFine = ""
	return list(check, emptyIsFine)
}

// DeploymentRole is an IAM role with the permissions of one deployment target, which only named users and roles may
// assume.
type DeploymentRole struct {
	pulumi.ResourceState

	RoleName     pulumi.StringOutput `pulumi:"roleName"`
	RoleArn      pulumi.StringOutput `pulumi:"roleArn"`
	RoleUniqueID pulumi.StringOutput `pulumi:"roleUniqueId"`
	TrustPolicy  pulumi.StringOutput `pulumi:"trustPolicy"`
}

// DeploymentRoleArgs are the inputs of a [DeploymentRole].
type DeploymentRoleArgs struct {
	Trusted             pulumi.StringArrayInput `pulumi:"trusted"`
	RoleName            pulumi.StringPtrInput   `pulumi:"roleName,optional"`
	Path                pulumi.StringPtrInput   `pulumi:"path,optional"`
	Description         pulumi.StringPtrInput   `pulumi:"description,optional"`
	ManagedPolicyArns   pulumi.StringArrayInput `pulumi:"managedPolicyArns,optional"`
	InlinePolicies      pulumi.MapInput         `pulumi:"inlinePolicies,optional"`
	PermissionsBoundary pulumi.StringPtrInput   `pulumi:"permissionsBoundary,optional"`
	MaxSessionDuration  pulumi.IntPtrInput      `pulumi:"maxSessionDuration,optional"`
	ExternalID          pulumi.StringPtrInput   `pulumi:"externalId,optional"`
	SessionNames        pulumi.StringArrayInput `pulumi:"sessionNames,optional"`
	AllowSessionTags    pulumi.BoolPtrInput     `pulumi:"allowSessionTags,optional"`
	SourceIps           pulumi.StringArrayInput `pulumi:"sourceIps,optional"`
	Tags                pulumi.StringMapInput   `pulumi:"tags,optional"`
}

// deploymentRoleRules has a rule for each field of [DeploymentRoleArgs].
var deploymentRoleRules = rules{
	"trusted":             deploymentRoleTrusted(iam.CheckPrincipal),
	"roleName":            text(iam.CheckRoleName),
	"path":                text(iam.CheckPath),
	"description":         text(iam.CheckRoleDescription),
	managedPoliciesInput:  deploymentRoleManaged(iam.CheckPolicyARN),
	inlinePoliciesInput:   policyDocuments,
	"permissionsBoundary": text(iam.CheckPolicyARN),
	"maxSessionDuration":  integer(iam.CheckSessionDuration),
	"externalId":          text(iam.CheckExternalID),
	"sessionNames":        list(iam.CheckSessionName, "leave it out to allow any session name"),
	"allowSessionTags":    boolean,
	"sourceIps":           list(iam.CheckCIDR, "leave it out to allow calls from anywhere"),
	"tags":                tagMap(nil),
}

// newDeploymentRole registers a role, whose inputs have passed [checkDeploymentRole], with its children.
func newDeploymentRole(
	ctx *pulumi.Context, name string, args DeploymentRoleArgs, opts ...pulumi.ResourceOption,
) (*DeploymentRole, error) {
	identity, err := callerIdentity(ctx, opts...)
	if err != nil {
		return nil, err
	}
	in := newInputs(ctx)
	if err := checkDeploymentRoleIn(in, identity); err != nil {
		return nil, err
	}

	deployment := &DeploymentRole{}
	if err := ctx.RegisterComponentResource(deploymentRoleToken, name, deployment, opts...); err != nil {
		return nil, fmt.Errorf("register the deployment role: %w", err)
	}
	child := pulumi.Parent(deployment)

	if !in.given("description") {
		args.Description = pulumi.String(deploymentRoleDescribes)
	}
	trustPolicy := args.trustPolicy()
	role, err := awsiam.NewRole(ctx, name, &awsiam.RoleArgs{
		Name:                args.RoleName,
		Path:                args.Path,
		Description:         args.Description,
		AssumeRolePolicy:    trustPolicy,
		MaxSessionDuration:  args.MaxSessionDuration,
		PermissionsBoundary: args.PermissionsBoundary,
		Tags:                args.Tags,
	}, child)
	if err != nil {
		return nil, fmt.Errorf("register the role: %w", err)
	}
	if err := args.attachManagedPolicies(ctx, name, in, role, child); err != nil {
		return nil, err
	}
	if err := args.putInlinePolicies(ctx, name, role, child); err != nil {
		return nil, err
	}
	if err := warnDeploymentRole(ctx, in, deployment); err != nil {
		return nil, fmt.Errorf("warn: %w", err)
	}

	deployment.RoleName = role.Name
	deployment.RoleArn = role.Arn
	deployment.RoleUniqueID = role.UniqueId
	deployment.TrustPolicy = trustPolicy
	return deployment, nil
}

// attachManagedPolicies registers an attachment for each managed policy.
//
// An attachment is called after the ARN of its policy, and after nothing else, because to IAM the pair of role and
// policy is the attachment. When two of Pulumi's resources stand for the same pair at different times, the engine
// creates the one, which does nothing, and then deletes the other, which detaches the policy: the role loses a
// permission, and no later update sees it. Names made of the place in the list do that as soon as an element is
// inserted, removed or moved; names made of the resource that an ARN comes from, when a program starts to give the
// ARN itself. Deleting before replacing does not help, since the order among the elements is open.
//
// So the name of an attachment whose ARN is not known yet is not known either. A preview shows it under its place in
// the list, and the update registers it under its own name. Nothing keeps the preview's name.
//
// One resource for all policies is no way out. With RolePolicyAttachmentsExclusive, and with managedPolicyArns of the
// role, what others attach to the role is detached, even if no policy is given here, since otherwise the last one
// would stay when it is removed; and the former leaves the policies attached when it is deleted, so that those of
// the same program cannot be deleted.
func (args DeploymentRoleArgs) attachManagedPolicies(
	ctx *pulumi.Context, name string, in *inputs, role *awsiam.Role, child pulumi.ResourceOption,
) error {
	arns, _ := args.ManagedPolicyArns.(pulumi.StringArray) // Else there are none, or they are not known.
	attached := make(map[string]bool, len(arns))
	for i, arn := range arns {
		key := fmt.Sprintf("%s[%d]", managedPoliciesInput, i)
		if known := in.values.Get(managedPoliciesInput).AsArray().Get(i); known.IsString() {
			var err error
			if key, err = iam.PolicyKey(known.AsString()); err != nil {
				return fmt.Errorf("name the attachment of a managed policy: %w", err)
			}
		}
		if attached[key] {
			continue
		}
		attached[key] = true
		if _, err := awsiam.NewRolePolicyAttachment(ctx, childName(name, key), &awsiam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: arn,
		}, child); err != nil {
			return fmt.Errorf("register the attachment of a managed policy: %w", err)
		}
	}
	return nil
}

// putInlinePolicies registers the inline policies. To IAM, the pair of role and name is the policy, so that the
// resource is called after the name, as in [DeploymentRoleArgs.attachManagedPolicies].
func (args DeploymentRoleArgs) putInlinePolicies(
	ctx *pulumi.Context, name string, role *awsiam.Role, child pulumi.ResourceOption,
) error {
	documents, _ := args.InlinePolicies.(pulumi.Map) // Else there are none, or they are not known.
	for _, policyName := range slices.Sorted(maps.Keys(documents)) {
		if _, err := awsiam.NewRolePolicy(ctx, childName(name, policyName), &awsiam.RolePolicyArgs{
			Name:   pulumi.String(policyName),
			Role:   role.Name,
			Policy: documents[policyName],
		}, child); err != nil {
			return fmt.Errorf("register the inline policy %s: %w", policyName, err)
		}
	}
	return nil
}

// childName returns the name of one of several children. It is not joined by a hyphen, which so many names have that
// those of the children of "deploy" and of "deploy-eu" could be the same.
func childName(name, key string) string { return name + ":" + key }

// trustPolicy returns the trust policy. It is unknown where an input is.
func (args DeploymentRoleArgs) trustPolicy() pulumi.StringOutput {
	inputs := pulumi.All(args.Trusted, args.SessionNames, args.ExternalID, args.SourceIps, args.AllowSessionTags)
	return inputs.ApplyT(guarded(func(values []any) (string, error) {
		var trust iam.Trust
		trust.Principals, _ = values[0].([]string)
		trust.SessionNames, _ = values[1].([]string)
		trust.ExternalID = valueOrZero[string](values[2])
		trust.Sources, _ = values[3].([]string)
		trust.SessionTags = valueOrZero[bool](values[4])
		return trust.Policy()
	})).(pulumi.StringOutput)
}

// warnDeploymentRole says what is no error, and yet should be known.
func warnDeploymentRole(ctx *pulumi.Context, in *inputs, deployment *DeploymentRole) error {
	at := &pulumi.LogArgs{Resource: deployment}
	for _, input := range []string{managedPoliciesInput, inlinePoliciesInput} {
		if in.values.Get(input).IsComputed() {
			if err := ctx.Log.Warn(input+" is not known yet as a whole: what comes of it is missing in this preview, "+
				"and what it made before is shown as deleted", at); err != nil {
				return err
			}
		}
	}
	// What is wrong with it has been said before.
	if policy, _ := deploymentRoleTrust(in); len(policy) > iam.DefaultTrustPolicyLimit {
		return ctx.Log.Warn(fmt.Sprintf("the trust policy has %d characters, and AWS takes %d by default: have the "+
			"account's quota \"Role trust policy length\" raised", len(policy), iam.DefaultTrustPolicyLimit), at)
	}
	return nil
}

// deploymentRoleTrust returns the trust policy that inputs which have passed their rules make, or an empty one if not
// all of them are known.
func deploymentRoleTrust(in *inputs) (string, error) {
	var (
		trust iam.Trust
		known [3]bool
	)
	trust.Principals, known[0] = in.strings("trusted")
	trust.SessionNames, known[1] = in.strings("sessionNames")
	trust.Sources, known[2] = in.strings("sourceIps")
	externalID, sessionTags := in.values.Get("externalId"), in.values.Get("allowSessionTags")
	if slices.Contains(known[:], false) || externalID.IsComputed() || sessionTags.IsComputed() {
		return "", nil
	}
	if externalID.IsString() {
		trust.ExternalID = externalID.AsString()
	}
	if sessionTags.IsBool() {
		trust.SessionTags = sessionTags.AsBool()
	}
	return trust.Policy()
}

// checkDeploymentRole checks what is known of the inputs of a deployment role.
func checkDeploymentRole(in *inputs, name string) error {
	in.refuseUnknown(deploymentRoleRules)
	if !in.given("trusted") {
		in.reportWhole("trusted", errors.New("is required: name the users and roles that may assume the role"))
	}
	in.refuseSecretNames(managedPoliciesInput, inlinePoliciesInput)
	in.apply(deploymentRoleRules)
	in.checkGeneratedName("roleName", name, iam.CheckRoleName)
	if err := in.err(); err != nil {
		return err
	}

	// What only several inputs together can break.
	principals, principalsKnown := in.strings("trusted")
	patterns, patternsKnown := in.strings("sessionNames")
	if principalsKnown && patternsKnown {
		if err := iam.CheckSessionNamesFor(principals, patterns); err != nil {
			in.reportWhole("sessionNames", err)
			return in.err()
		}
	}
	if _, err := deploymentRoleTrust(in); err != nil {
		in.reportWhole("trusted", err)
	}
	return in.err()
}

// checkDeploymentRoleIn checks inputs that have passed [checkDeploymentRole] against the role's account, unless that
// is not known yet.
func checkDeploymentRoleIn(in *inputs, identity *iam.Identity) error {
	if identity == nil {
		return nil
	}
	in.apply(rules{
		"trusted":             deploymentRoleTrusted(iam.CheckTrustableBy(*identity)),
		managedPoliciesInput:  deploymentRoleManaged(iam.CheckPolicyUsableByRole(*identity)),
		"permissionsBoundary": text(iam.CheckPolicyUsableByRole(*identity)),
	})
	return in.err()
}

//go:embed deployment_role.md
var deploymentRoleDescription string

// Annotate describes the component and its outputs in the schema.
func (r *DeploymentRole) Annotate(a infer.Annotator) {
	a.SetToken("index", "DeploymentRole")
	a.Describe(r, deploymentRoleDescription)
	a.Describe(&r.RoleName, "The name of the IAM role.")
	a.Describe(&r.RoleArn, "The ARN of the IAM role, such as `arn:aws:iam::123456789012:role/cicd/staging`. "+
		"Give it to the CI/CD system as the role to assume.")
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
		contextKeys  = "(Source: IAM User Guide, \"IAM and AWS STS condition context keys\"; AWS STS API Reference, " +
			"\"AssumeRole\".)"
	)
	a.Describe(&args.Trusted, "The IAM users and roles that may assume the role, at least one: their ARNs, in this or "+
		"another account of the partition, such as a robot's `userArn`. Each is one user or one role: accounts, groups, "+
		"sessions, `*` and wildcards are refused. For a session, give the ARN of its role. The trust is in the ARN: a "+
		"user need not exist yet, and one that is deleted and made again under the same name and path is trusted as "+
		"before, whoever makes it. One that is renamed is not. Those trusted need a policy of their own that allows them "+
		"`sts:AssumeRole` on this role, as a robot has it by its `assumableRoles`. The trust policy that comes of it must "+
		"fit into 2,048 characters, or as many as the account's quota \"Role trust policy length\" has been raised to, at "+
		"most 8,192: by default room for some 30 users of one account. "+updatesTrust+
		"(Source: IAM User Guide, \"AWS JSON policy elements: Principal\" and \"AWS global condition context keys\", "+
		"`aws:PrincipalArn`.)")
	a.Describe(&args.RoleName, "The name of the IAM role: 1 to 64 characters of `A-Z a-z 0-9 + = , . @ _ -`, unique in "+
		"the account without regard to case. By default, the resource's own name with a random suffix, such as "+
		"`staging-1a2b3c4`. IAM cannot rename a role: a change replaces it, the new one before the old one, with another "+
		"ARN. "+quotas)
	a.Describe(&args.Path, "The path of the role, such as `/cicd/`: at most 512 characters of "+
		"`A-Z a-z 0-9 + = , . @ _ - /`, with a slash at both ends. By default `/`. A robot with the `assumableRoles` of "+
		"`cicd/*` may assume each role of the path `/cicd/`, those to come too. IAM cannot move a role: a change replaces "+
		"it, with another ARN, and if `roleName` is given, the old one is deleted before the new one is made. "+quotas)
	a.Describe(&args.Description, "The description of the role: at most 1,000 characters of Latin-1. By default `"+
		deploymentRoleDescribes+"`. A change updates the role in place. "+
		"(Source: IAM API Reference, \"CreateRole\".)")
	a.Describe(&args.ManagedPolicyArns, "The ARNs of managed policies that the role has: AWS's, such as "+
		"`arn:aws:iam::aws:policy/PowerUserAccess`, or of the role's own account. AWS takes 10 by default. By default "+
		"none. Those that others attach to the role are left alone. A change attaches what is new and detaches what is "+
		"gone; neither order nor repetition is a change. An ARN that is not known yet, such as that of a policy of the "+
		"same program, is shown in a preview under its place in the list. Must not be secret, since the attachments are "+
		"called after it. "+quotas)
	a.Describe(&args.InlinePolicies, "The inline policies of the role: policy documents by name, each as JSON text or as "+
		"an object, with `Version` and `Statement` and without `Principal`. Names are of 1 to 128 characters of "+
		"`A-Z a-z 0-9 + = , . @ _ -`. The documents have at most 10,240 characters together, without white space. Parts of "+
		"an object may come from other resources. By default none. A change of a document updates it in place; one of a "+
		"name replaces the policy, the new one before the old one. A document may be secret, and the map as a whole must "+
		"not be, since the policies are called after its keys. "+
		"(Source: IAM User Guide, \"Grammar of the IAM JSON policy language\" and \"IAM and AWS STS quotas\".)")
	a.Describe(&args.PermissionsBoundary, "The ARN of a managed policy that limits what the role can be allowed to do, "+
		"such as `arn:aws:iam::123456789012:policy/boundary`: one of the role's own account, or one of AWS's. "+
		"By default none. A change updates the role in place. "+
		"(Source: IAM User Guide, \"Permissions boundaries for IAM entities\".)")
	a.Describe(&args.MaxSessionDuration, "How many seconds a session of the role may last: a whole number from 3,600, "+
		"one hour, to 43,200, twelve hours. By default 3,600. A caller who is in a session of a role already, such as a "+
		"role in `trusted`, gets one hour at the most (role chaining). A change updates the role in place. "+
		"(Source: IAM User Guide, \"Update the maximum session duration for a role\".)")
	a.Describe(&args.ExternalID, "What a caller has to give as the external ID, besides being trusted: 2 to 1,224 "+
		"characters of `A-Z a-z 0-9 + = , . @ _ : / -`. It keeps a service that assumes roles for many customers from "+
		"assuming this one for another. It may be secret, and then makes `trustPolicy` secret; AWS itself does not keep it "+
		"secret. By default none is asked for. A change updates the trust policy in place. "+
		"(Source: IAM User Guide, \"Access to AWS accounts owned by third parties\".)")
	a.Describe(&args.SessionNames, "The names that sessions may have, so that CloudTrail tells who deployed; at least "+
		"one. Each is a pattern such as `gha-*`, of the characters `A-Z a-z 0-9 + = , . @ _ -`, with `*` for any of them "+
		"and `?` for one; `${aws:username}` stands for the name of the IAM user who calls, and other variables are "+
		"refused. Roles have no user name: if one is trusted, an element without it is needed. The caller chooses among "+
		"the names allowed: a pattern is no proof of who calls, and `${aws:username}` is. By default any name. "+
		updatesTrust+contextKeys)
	a.Describe(&args.AllowSessionTags, "Whether callers may tag their sessions, for which IAM asks `sts:TagSession` of "+
		"the trust policy, and of the caller's own policy too: a `RobotAccount` has an input of the same name. The "+
		"action `aws-actions/configure-aws-credentials` tags sessions unless its `role-skip-session-tagging` is set, and "+
		"gets no session where tags are not allowed. Tags are what the caller says: allow them only if no policy relies "+
		"on `aws:PrincipalTag`. By default `false`. A change updates the trust policy in place. "+
		"(Source: IAM User Guide, \"Pass session tags in AWS STS\".)")
	a.Describe(&args.SourceIps, "The addresses that the role may be assumed from, as ranges of IPv4 or IPv6 addresses in "+
		"CIDR notation, such as `203.0.113.0/24` or `2001:db8::/32`; at least one. AWS sees the public address of the "+
		"caller; calls through a VPC endpoint do not match. What a session does afterwards may come from anywhere. By "+
		"default, calls from anywhere are allowed. "+updatesTrust+
		"(Source: IAM User Guide, \"AWS global condition context keys\", `aws:SourceIp`.)")
	a.Describe(&args.Tags, "The tags of the role. At most 50; keys of 1 to 128 and values of up to 256 letters, digits, "+
		"spaces and `_ . : / = + - @`; no key twice in different case, and none that begins with `aws:`. By default none. "+
		"A change updates the role in place. "+
		"(Source: IAM User Guide, \"Tags for AWS Identity and Access Management resources\".)")
}
