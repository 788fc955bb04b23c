package provider

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

const (
	// adoptInput is the input by which a component takes over what exists.
	adoptInput = "adopt"

	adoptGuide = repository + "/blob/main/docs/adopting.md"

	// adoptDescription is what the inputs have in common in the schema, after what is taken over.
	adoptDescription = "What is taken over stays the same to AWS, with its unique ID, and is this resource's from then " +
		"on: the update changes what differs from the inputs, as its preview shows, and `destroy` deletes it. Once that is " +
		"done, the input changes nothing, and can be left out. Needs Pulumi CLI 3.220.0 or newer. By default `false`. " +
		"(Guide: [Adopting what exists](" + adoptGuide + ").)"
)

// checkAdoption checks the names by which a component adopts what exists, without an account.
func checkAdoption(in *input.Inputs, names ...string) {
	if in.Get(adoptInput).HasComputed() {
		in.ReportWhole(input.At(adoptInput), errors.New("must be known in a preview, which shows what is taken over"))
	}
	if !in.Bool(adoptInput) {
		return
	}
	for _, name := range names {
		v := in.Get(name)
		owner, owned := ownerOf(v)
		switch {
		case v.IsNull():
			in.ReportWhole(input.At(name), errors.New("is required with adopt: name what exists"))
		case v.HasSecrets():
			in.ReportInput(name, errors.New("must not be secret with adopt: Pulumi stores and shows the names of what it "+
				"imports in plain text"))
		case v.IsComputed():
			in.ReportWhole(input.At(name), errors.New("must be known with adopt, in a preview too, which shows what is taken "+
				"over"))
		case owned:
			in.ReportInput(name, fmt.Errorf("must not come from %s %q with adopt, since the program would own one object "+
				"twice; let go of that resource first, see %s", owner.Type(), owner.Name(), adoptGuide))
		}
	}
}

// ownerOf returns the IAM resource of the program that a name comes from.
func ownerOf(name property.Value) (resource.URN, bool) {
	for _, on := range name.Dependencies() {
		if strings.HasPrefix(string(on.Type()), "aws:iam/") {
			return on, true
		}
	}
	return "", false
}

// imports are the IDs by which the engine imports what a component adopts, by the inputs that name it.
type imports map[string]string

// option returns the option that has a child of the component imported, if it is one of the objects.
func (i imports) option(component pulumi.Resource, o named) pulumi.ResourceOption {
	id, adopted := i[o.input]
	if !adopted {
		return pulumi.Composite()
	}
	return pulumi.Import(input.As[pulumi.IDOutput](apply(component.URN(), func(urn pulumi.URN) (pulumi.ID, error) {
		if serve.Skipped(urn) {
			return "", nil
		}
		return pulumi.ID(id), nil
	})))
}

// adopt looks up the objects of a component that adopts them, before anything is registered. It returns nil if the
// component makes them.
//
// The engine imports each of them, and then updates it to what the inputs say. It imports nothing that the state has
// under the same ID, and refuses to replace what has an ID to be imported by, which is therefore found here.
func (c *construction) adopt(aws serve.Identity, objects ...named) (imports, error) {
	adopts := c.in.Bool(adoptInput)
	c.claim(aws, adopts, objects)
	if !adopts || c.in.Err() != nil {
		return nil, c.in.Err()
	}
	// A CLI before 3.174.0 imports only what does not differ from the inputs, 3.174.0 itself panics (pull requests 19339
	// and 19750 of pulumi/pulumi), and none before 3.218.0 tells its version.
	if err := c.RequireCLI(c.Context, cliVersions); err != nil {
		return nil, fmt.Errorf("adopt needs the Pulumi CLI %s: %w", cliVersions, err)
	}
	if aws.Account == nil {
		c.in.ReportWhole(input.At(adoptInput), errors.New("needs an AWS provider whose configuration is known in a preview, "+
			"which looks up what is taken over"))
		return nil, c.in.Err()
	}
	provider, err := c.AWSProvider(c.options)
	if err != nil {
		return nil, err
	}
	found := map[string]iam.Entity{}
	for _, o := range objects {
		entity, err := o.lookUp(c.Context, c.in.String(o.input), provider...)
		switch message := status.Convert(err).Message(); {
		case err == nil:
			found[o.input] = entity
		case !isNotFound(message):
			return nil, fmt.Errorf("look up the %s that %s names: %s", o.kind, o.input, message)
		}
	}
	c.checkAdopted(*aws.Account, objects, found)
	ids := imports{}
	for _, o := range objects {
		if ids[o.input] = found[o.input].Name; o.byARN {
			ids[o.input] = found[o.input].ARN
		}
	}
	return ids, c.in.Err()
}

// claim reports the objects that another component of the program has too, if one of the two adopts them. IAM does not
// tell names apart by case.
func (c *construction) claim(aws serve.Identity, adopts bool, objects []named) {
	if aws.Account == nil {
		return
	}
	for _, o := range objects {
		name := c.in.String(o.input)
		if name == "" {
			continue
		}
		component := fmt.Sprintf("%s %q", c.token, c.name)
		if other := c.Claim(*aws.Account, o.kind+" "+strings.ToLower(name), component, adopts); other != "" {
			c.in.ReportInput(o.input, fmt.Errorf("must be another %s than that of %s: one of the two adopts it, and both would "+
				"own it", o.kind, other))
		}
	}
}

// checkAdopted checks the inputs against what exists of the objects.
func (c *construction) checkAdopted(account iam.Account, objects []named, found map[string]iam.Entity) {
	var exist []string
	for _, o := range objects {
		if _, exists := found[o.input]; exists {
			exist = append(exist, fmt.Sprintf("the %s %q", o.kind, c.in.String(o.input)))
		}
	}
	for _, o := range objects {
		name := c.in.String(o.input)
		entity, exists := found[o.input]
		switch {
		case !exists && len(exist) > 0:
			c.in.ReportInput(o.input, fmt.Errorf("belongs to no %s in the account %s, where %s exists; create it first with "+
				"\"%s %s\"", o.kind, account.Number, strings.Join(exist, " and "), o.create, name))
		case !exists:
			c.in.ReportInput(o.input, fmt.Errorf("belongs to no %s in the account %s; correct it, or leave adopt out to "+
				"create the %[1]s", o.kind, account.Number))
		default:
			c.reportIf(o.input, entity.CheckAdoptedName(name))
		}
	}
	if role, exists := found[namedRole.input]; exists && c.in.Known("path") {
		c.reportIf("path", role.CheckAdoptedPath(c.in.String("path")))
	}
	if group, exists := found[namedGroup.input]; exists {
		c.reportIf(namedGroup.input, group.CheckAdoptedMembers(c.in.String(namedUser.input)))
	}
}

// reportIf reports an input that breaks a rule, if it does.
func (c *construction) reportIf(name string, err error) {
	switch {
	case err == nil:
	case c.in.Given(name):
		c.in.ReportInput(name, err)
	default:
		c.in.ReportWhole(input.At(name), err)
	}
}

// warnOfOtherPolicies names the policies that an adopted role has beside those of the component.
func warnOfOtherPolicies(c *construction, component *DeploymentRole, role *awsiam.Role) {
	ours := pulumi.StringArray{}
	for _, arn := range c.in.All(managedPoliciesInput) {
		ours = append(ours, input.AsText(arn))
	}
	all := pulumi.All(role.Name, role.ManagedPolicyArns, role.InlinePolicies, ours)
	apply(all, func(v []any) (_ struct{}, err error) {
		var (
			name           string
			attached, ours []string
			inline         []awsiam.RoleInlinePolicy
			commands       []string
		)
		err = errors.Join(castTo(&name, v[0]), castTo(&attached, v[1]), castTo(&inline, v[2]), castTo(&ours, v[3]))
		if err != nil {
			return struct{}{}, err
		}
		for _, arn := range attached {
			if !slices.Contains(ours, arn) {
				commands = append(commands, fmt.Sprintf("  aws iam detach-role-policy --role-name %s --policy-arn %s", name, arn))
			}
		}
		for _, policy := range inline {
			if policy.Name != nil && !slices.Contains(c.in.PolicyNames(inlinePoliciesInput), *policy.Name) {
				commands = append(commands,
					fmt.Sprintf("  aws iam delete-role-policy --role-name %s --policy-name %s", name, *policy.Name))
			}
		}
		if len(commands) == 0 {
			return struct{}{}, nil
		}
		return struct{}{}, c.warn(component, "the role %q has policies that this component does not manage, and that stay "+
			"in force. Take away those that it does not need:\n%s", name, strings.Join(commands, "\n"))
	})
}
