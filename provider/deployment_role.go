package provider

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
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
	return apply(inputs, func(values []any) (string, error) {
		var trust iam.Trust
		trust.Principals, _ = values[0].([]string)
		trust.SessionNames, _ = values[1].([]string)
		trust.ExternalID = valueOrZero[string](values[2])
		trust.Sources, _ = values[3].([]string)
		trust.SessionTags = valueOrZero[bool](values[4])
		return trust.Policy()
	}).(pulumi.StringOutput)
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
