package provider

import (
	"fmt"
	"strings"
	"time"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/oidc"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

const (
	deploymentRoleToken = Name + ":index:DeploymentRole"

	// defaultRoleDescription is the description of a role by default.
	defaultRoleDescription = "Assumed by CI/CD robots to deploy; made by " + deploymentRoleToken + "."

	trustedJobsInput     = "trustedJobs"
	managedPoliciesInput = "managedPolicyArns"
	inlinePoliciesInput  = "inlinePolicies"
	revokeSessionsInput  = "revokeSessionsBefore"

	intoTrustPolicy = "a role's trust policy"
)

// DeploymentRoleArgs are the inputs of a [DeploymentRole], for the schema.
type DeploymentRoleArgs struct {
	Trusted             pulumi.StringArrayInput `pulumi:"trusted,optional"`
	TrustedJobs         pulumi.ArrayInput       `pulumi:"trustedJobs,optional"`
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
	RevokeBefore        pulumi.StringPtrInput   `pulumi:"revokeSessionsBefore,optional"`
	Tags                pulumi.StringMapInput   `pulumi:"tags,optional"`
	Adopt               pulumi.BoolPtrInput     `pulumi:"adopt,optional"`
}

// DeploymentRole is an IAM role with the permissions of one deployment target, which only named users, roles and CI
// jobs may assume. Its fields are its outputs.
type DeploymentRole struct {
	pulumi.ResourceState

	RoleName     pulumi.StringOutput `pulumi:"roleName"`
	RoleArn      pulumi.StringOutput `pulumi:"roleArn"`
	RoleUniqueID pulumi.StringOutput `pulumi:"roleUniqueId"`
	TrustPolicy  pulumi.StringOutput `pulumi:"trustPolicy"`
}

// deploymentRoleRules has a rule for each input. The identity is empty until it is known.
func deploymentRoleRules(aws serve.Identity) input.Rules {
	account := aws.Account
	return input.Rules{
		"trusted": input.AtMost(iam.MaxPrincipals, intoTrustPolicy, input.NonEmpty(account.CheckPrincipal,
			"name at least one user or role")),
		trustedJobsInput:      input.AtMost(iam.MaxWebIdentities, intoTrustPolicy, input.Jobs),
		"roleName":            input.OrNull(input.Text(iam.CheckRoleName)),
		"path":                input.OrNull(input.Text(iam.CheckPath)),
		"description":         input.OrNull(input.Text(iam.CheckRoleDescription)),
		managedPoliciesInput:  input.List(account.CheckPolicyARN),
		inlinePoliciesInput:   input.Documents,
		"permissionsBoundary": input.Text(account.CheckPolicyARN),
		"maxSessionDuration":  input.OrNull(input.Integer(iam.CheckSessionDuration)),
		"externalId":          input.Text(iam.CheckExternalID),
		"sessionNames": input.AtMost(iam.MaxSessionNames, intoTrustPolicy, input.NonEmpty(iam.CheckSessionName,
			"leave it out to allow any session name")),
		"allowSessionTags": input.OrNull(input.Boolean),
		"sourceIps": input.AtMost(iam.MaxTrustSources, intoTrustPolicy, input.NonEmpty(iam.CheckCIDR,
			"leave it out to allow calls from anywhere")),
		revokeSessionsInput: input.Text(func(s string) error {
			_, err := iam.ParseRevocation(s, time.Now())
			return err
		}),
		"tags":     input.OrNull(input.Tags(nil, aws.DefaultTags)),
		adoptInput: input.OrNull(input.Boolean),
	}
}

// checkDeploymentRole checks the inputs without an account.
func checkDeploymentRole(in *input.Inputs, name string) {
	if !in.Given(trustedJobsInput) {
		in.Require("trusted", "name the users and roles that may assume the role, or its CI jobs in "+trustedJobsInput)
	}
	in.RejectSecretNames(managedPoliciesInput, inlinePoliciesInput)
	in.Check(deploymentRoleRules(serve.Identity{}))
	in.CheckGeneratedName("roleName", name, iam.CheckRoleName)
	checkAdoption(in, "roleName")
	if in.Err() != nil {
		return
	}
	if err := iam.CheckManagedPolicies(in.Strings(managedPoliciesInput)); err != nil {
		in.ReportWhole(input.At(managedPoliciesInput), err)
		return
	}
	// What only several inputs together can break.
	if err := checkRoleRoom(in); err != nil {
		in.ReportWhole(input.At(inlinePoliciesInput), err)
		return
	}
	jobs := in.Jobs(trustedJobsInput)
	if in.Known("trusted", "sessionNames") {
		if err := iam.CheckSessionNamesFor(in.Strings("trusted"), len(jobs) > 0, in.Strings("sessionNames")); err != nil {
			in.ReportWhole(input.At("sessionNames"), err)
			return
		}
	}
	if in.Known("trusted", "externalId") {
		if err := iam.CheckExternalIDFor(in.Strings("trusted"), in.String("externalId")); err != nil {
			in.ReportWhole(input.At("externalId"), err)
			return
		}
	}
	trustPolicy(in, nil)
}

// checkRoleRoom reports whether the inline policies leave room for the one that revokes sessions.
func checkRoleRoom(in *input.Inputs) error {
	revocation, _, err := sessionsPolicy(in)
	if err != nil || revocation == "" {
		return err
	}
	texts := []string{revocation}
	for _, document := range in.Map(inlinePoliciesInput) {
		if document.IsString() {
			texts = append(texts, document.AsString())
		}
	}
	if err := iam.CheckRolePolicies(texts); err != nil {
		return fmt.Errorf("%w; %d of them are those of %s", err, len(revocation), revokeSessionsInput)
	}
	return nil
}

// sessionsPolicy returns the policy that revokes the role's sessions, and the time before which they were issued. The
// policy is an empty string if there is none or its time is unknown.
func sessionsPolicy(in *input.Inputs) (policy string, before time.Time, err error) {
	if !in.Given(revokeSessionsInput) || !in.Known(revokeSessionsInput) {
		return "", time.Time{}, nil
	}
	before, err = iam.ParseRevocation(in.String(revokeSessionsInput), time.Now())
	if err == nil {
		policy, err = iam.RevokeIssuedBeforePolicy(before)
	}
	return policy, before, err
}

// trustInputs are the inputs that the trust policy is made of.
var trustInputs = []string{"trusted", trustedJobsInput, "sessionNames", "externalId", "sourceIps", "allowSessionTags"}

// trustPolicy returns the trust policy of inputs that have passed their rules, and whether it is known. It reports a
// problem with the policy as a whole. A policy with jobs is checked without an account too, and is not known then.
func trustPolicy(in *input.Inputs, account *iam.Account) (policy string, known bool) {
	if !in.Known(trustInputs...) {
		return "", false
	}
	policy, err := writeTrust(in, account)
	if err != nil {
		blamed := "trusted"
		if !in.Given(blamed) {
			blamed = trustedJobsInput
		}
		in.ReportWhole(input.At(blamed), err)
	}
	return policy, account != nil || !in.Given(trustedJobsInput)
}

// writeTrust returns the trust policy of inputs that have passed their rules and are known.
func writeTrust(in *input.Inputs, account *iam.Account) (string, error) {
	if account == nil {
		account = &iam.Account{}
	}
	sources, err := iam.ParseCIDRs(in.Strings("sourceIps"))
	if err != nil {
		return "", err
	}
	jobs, err := oidc.Identities(in.Jobs(trustedJobsInput), account.Partition)
	if err != nil {
		return "", err
	}
	return iam.Trust{
		Account: *account, Principals: in.Strings("trusted"), WebIdentities: jobs,
		SessionNames: in.Strings("sessionNames"), ExternalID: in.String("externalId"),
		Sources: sources, SessionTags: in.Bool("allowSessionTags"),
	}.Policy()
}

// newDeploymentRole registers a role with its children.
func newDeploymentRole(c *construction) (pulumi.ComponentResource, error) {
	aws, err := c.identify(deploymentRoleRules, "trusted", managedPoliciesInput, "permissionsBoundary", "tags")
	if err != nil {
		return nil, err
	}
	trust, known := trustPolicy(c.in, aws.Account)
	if err := c.in.Err(); err != nil {
		return nil, err
	}
	adopted, err := c.adopt(aws, namedRole)
	if err != nil {
		return nil, err
	}
	deployment := &DeploymentRole{}
	child, err := c.register(deployment)
	if err != nil {
		return nil, err
	}
	if err := warnDeploymentRole(c, deployment, trust); err != nil {
		return nil, err
	}

	policy := c.in.Derived(trust, known, trustInputs...)
	var description pulumi.StringPtrInput = pulumi.String(defaultRoleDescription)
	if c.in.Given("description") {
		description = c.in.Text("description")
	}
	explained, err := c.explainTaken(deployment, namedRole, roleResource(c))
	if err != nil {
		return nil, err
	}
	role, err := awsiam.NewRole(c.Context, roleResource(c), &awsiam.RoleArgs{
		Name:                c.in.Text("roleName"),
		Path:                c.in.Text("path"),
		Description:         description,
		AssumeRolePolicy:    policy,
		MaxSessionDuration:  c.in.Integer("maxSessionDuration"),
		PermissionsBoundary: c.in.Text("permissionsBoundary"),
		Tags:                c.in.TextMap("tags", nil),
	}, child, explained, adopted.option(deployment, namedRole), c.hideCopies(map[string][]string{
		"tags": {"tagsAll"}, "roleName": {"arn"}, "path": {"arn"}, inlinePoliciesInput: {"inlinePolicies"},
	}))
	if err != nil {
		return nil, fmt.Errorf("register the role: %w", err)
	}
	if err := revokeSessions(c, deployment, role, iam.SessionRole(aws.Caller), child); err != nil {
		return nil, err
	}
	if err := attachManagedPolicies(c, role, child); err != nil {
		return nil, err
	}
	if err := putInlinePolicies(c, role, child); err != nil {
		return nil, err
	}
	if adopted != nil {
		warnOfOtherPolicies(c, deployment, role)
	}
	deployment.RoleName = whenRegistered(role, role.Name)
	deployment.RoleArn = c.previewedARN(role.Arn, deployment.RoleName, role.Path, aws.Account, namedRole)
	deployment.RoleUniqueID = role.UniqueId
	deployment.TrustPolicy = policy
	return deployment, nil
}

// roleResource returns the name of the resource of the role, which follows the role's given name: a role with another
// name is another resource, which the engine creates before it deletes the old one. With the same resource, the AWS
// provider would delete a role with a given name first, which only another path needs. The engine keeps and shows the
// names of resources in plain text, so that a secret name is not part of them.
func roleResource(c *construction) string {
	if name := c.in.Get("roleName"); name.IsString() && !name.Secret() {
		return childName(c.name, name.AsString())
	}
	return c.name
}

// attachManagedPolicies registers an attachment for each managed policy.
//
// An attachment is called after the ARN of its policy, and after nothing else, because to IAM the pair of role and
// policy is the attachment. When two of Pulumi's resources stand for the same pair at different times, the engine
// creates the one, which does nothing, and then deletes the other, which detaches the policy: the role loses a
// permission, and no later update sees it. Names made of the place in the list do that as soon as an element is
// inserted, removed or moved; names made of the resource that an ARN comes from, when a program starts to give the ARN
// itself. Deleting before replacing does not help, since the order among the elements is open.
//
// So the name of an attachment whose ARN is unknown is unknown too. A preview shows it under its place in the list, and
// the update registers it under its own name. Nothing keeps the preview's name.
//
// One resource for all policies is no way out. With RolePolicyAttachmentsExclusive, and with managedPolicyArns of the
// role, what others attach to the role is detached, even if no policy is given here, since otherwise the last one would
// stay when it is removed; and the former leaves the policies attached when it is deleted, so that those of the same
// program cannot be deleted.
func attachManagedPolicies(c *construction, role *awsiam.Role, child pulumi.ResourceOption) error {
	attached := map[string]bool{}
	for i, arn := range c.in.All(managedPoliciesInput) {
		key := fmt.Sprintf("%s[%d]", managedPoliciesInput, i)
		if arn.IsString() {
			var err error
			if key, err = iam.PolicyKey(arn.AsString()); err != nil {
				return fmt.Errorf("name the attachment of a managed policy: %w", err)
			}
		}
		if attached[key] {
			continue
		}
		attached[key] = true
		if _, err := awsiam.NewRolePolicyAttachment(c.Context, childName(c.name, key), &awsiam.RolePolicyAttachmentArgs{
			Role:      role.Name,
			PolicyArn: input.AsText(arn),
		}, child, unprotected, createFirst); err != nil {
			return fmt.Errorf("register the attachment of a managed policy: %w", err)
		}
	}
	return nil
}

// putInlinePolicies registers the inline policies. To IAM, the pair of role and name is the policy, so the resource is
// called after the name, as in [attachManagedPolicies].
func putInlinePolicies(c *construction, role *awsiam.Role, child pulumi.ResourceOption) error {
	documents := c.in.Map(inlinePoliciesInput)
	for _, name := range c.in.PolicyNames(inlinePoliciesInput) {
		if _, err := awsiam.NewRolePolicy(c.Context, childName(c.name, name), &awsiam.RolePolicyArgs{
			Name:   pulumi.String(name),
			Role:   role.Name,
			Policy: input.AsText(documents[name]),
		}, child, unprotected, createFirst); err != nil {
			return fmt.Errorf("register the inline policy %s: %w", name, err)
		}
	}
	return nil
}

// revokeSessions registers the policy that revokes the sessions that were issued before a time, if there is one. It
// warns if the update's own caller is such a session, by the name of the role that it is a session of.
func revokeSessions(
	c *construction, deployment *DeploymentRole, role *awsiam.Role, caller string, child pulumi.ResourceOption,
) error {
	if !c.in.Given(revokeSessionsInput) {
		return nil
	}
	policy, before, err := sessionsPolicy(c.in)
	if err != nil {
		return err
	}
	if _, err := awsiam.NewRolePolicy(c.Context, childName(c.name, iam.RevokedSessionsPolicy), &awsiam.RolePolicyArgs{
		Name:   pulumi.String(iam.RevokedSessionsPolicy),
		Role:   role.Name,
		Policy: c.in.Derived(policy, policy != "", revokeSessionsInput),
	}, child, unprotected, createFirst); err != nil {
		return fmt.Errorf("register the policy that revokes sessions: %w", err)
	}
	if policy == "" || time.Since(before) > iam.LongestSession {
		return nil
	}
	apply(role.Name, func(name string) (struct{}, error) {
		if name != caller {
			return struct{}{}, nil
		}
		return struct{}{}, c.warn(deployment, "%s: this update runs in a session of the role %s; if the session was issued "+
			"before the time, the update cuts itself off", revokeSessionsInput, name)
	})
	return nil
}

// childName returns the name of one of several children. It is not joined by a hyphen, which so many names have that
// those of the children of "deploy" and of "deploy-eu" could be the same.
func childName(name, key string) string { return name + ":" + key }

// warnDeploymentRole warns of what is no error, and yet should be known.
func warnDeploymentRole(c *construction, deployment *DeploymentRole, trust string) error {
	for _, name := range []string{managedPoliciesInput, inlinePoliciesInput} {
		switch {
		case !c.in.Get(name).IsComputed():
		case !c.DryRun():
			return fmt.Errorf("%s: must not be unknown as a whole in an update, which would delete what it made before; make "+
				"it a list or map whose elements are outputs", name)
		default:
			if err := c.warn(deployment, "%s is unknown as a whole: this preview leaves out what comes of it, and shows what "+
				"it made before as deleted", name); err != nil {
				return err
			}
		}
	}
	if n := len(iam.Distinct(c.in.Strings(managedPoliciesInput))); n > iam.DefaultManagedPolicies {
		if err := c.warn(deployment, "%s has %d policies, and AWS takes %d by default; have the account's quota \"Managed "+
			"policies per role\" raised", managedPoliciesInput, n, iam.DefaultManagedPolicies); err != nil {
			return err
		}
	}
	for _, w := range oidc.Warnings(c.in.Jobs(trustedJobsInput)) {
		jobs := make([]string, len(w.Jobs))
		for i, job := range w.Jobs {
			jobs[i] = fmt.Sprintf("%s[%d]", trustedJobsInput, job)
		}
		if err := c.warn(deployment, "%s: %s", strings.Join(jobs, ", "), w.Text); err != nil {
			return err
		}
	}
	if size := iam.DocumentSize(trust); size > iam.DefaultTrustPolicyLimit {
		return c.warn(deployment, "the trust policy has %d characters, and AWS takes %d by default; have the account's "+
			"quota \"Role trust policy length\" raised", size, iam.DefaultTrustPolicyLimit)
	}
	return nil
}
