package provider

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// A component is one of the package's component resources.
type component struct {
	// check checks what is known of the inputs of a component with a name, without its AWS account.
	check func(in *input.Inputs, name string)
	// construct registers the component, whose inputs have passed check, with its children. The fields of the struct that
	// it returns are the component's outputs.
	construct func(c *construction) (pulumi.ComponentResource, error)
	// ownChildren reports that some of its children are resources of this package.
	ownChildren bool
}

// A construction is one Construct request in progress.
type construction struct {
	*pulumi.Context
	// token, name, parent and options are those of the component; the token is its type, and the parent a URN.
	token, name, parent string
	options             pulumi.ResourceOption
	in                  *input.Inputs
	*serve.Deployment
}

// prepare reads a request and checks its inputs, because components have no Check of their own. It returns what
// constructs the component.
func (c component) prepare(req *pulumirpc.ConstructRequest, d *serve.Deployment) (host.ConstructFunc, error) {
	values, err := readInputs(req)
	if err != nil {
		return nil, err
	}
	in := input.New(values)
	if !req.GetDryRun() {
		forgetSkipped(req, in)
	}
	c.check(in, req.GetName())
	if err := in.Err(); err != nil {
		return nil, rpcerror.WrapDetailedError(err)
	}
	if c.ownChildren {
		serveBySelf(req, d.Self)
	}
	return func(
		ctx *pulumi.Context, _, name string, _ host.ConstructInputs, options pulumi.ResourceOption,
	) (*host.ConstructResult, error) {
		made, err := c.construct(&construction{
			Context: ctx, token: req.GetType(), name: name, parent: req.GetParent(), options: options, in: in, Deployment: d,
		})
		if err != nil {
			return nil, err
		}
		result, err := host.NewConstructResult(made)
		if err != nil {
			return nil, fmt.Errorf("read the outputs: %w", err)
		}
		outputs, isMap := result.State.(pulumi.Map)
		if !isMap {
			return nil, fmt.Errorf("read the outputs: they are a %T", result.State)
		}
		if err := ctx.RegisterResourceOutputs(made, outputs); err != nil {
			return nil, fmt.Errorf("register the outputs: %w", err)
		}
		return result, nil
	}, nil
}

// serveBySelf has the package's resources among a component's children served by the provider of the component. A
// default provider of theirs could be another version of the plugin, and would be another process.
func serveBySelf(req *pulumirpc.ConstructRequest, self string) {
	if self == "" || req.GetProviders()[Name] != "" {
		return
	}
	if req.Providers == nil {
		req.Providers = map[string]string{}
	}
	req.Providers[Name] = self
}

// forgetSkipped takes from the component and its unknown inputs what these depend on. What is unknown in an update
// comes from a resource that --target or --exclude skips. The state does not have that resource, and would be corrupt
// if the component or one of its children depended on it.
func forgetSkipped(req *pulumirpc.ConstructRequest, in *input.Inputs) {
	for _, name := range in.Unknown() {
		skipped := in.ForgetDependencies(name)
		req.Dependencies = slices.DeleteFunc(req.Dependencies, func(on string) bool {
			return slices.Contains(skipped, resource.URN(on))
		})
	}
}

// readInputs returns the inputs of a request as property values, each with the dependencies that the request has for
// it. By these, a null that comes from another resource differs from an input that the program leaves out.
func readInputs(req *pulumirpc.ConstructRequest) (property.Map, error) {
	given, err := rpc.UnmarshalProperties(req.GetInputs(), rpc.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepOutputValues: true, KeepResources: true, KeepByteString: true,
	})
	if err != nil {
		return property.Map{}, fmt.Errorf("read the inputs: %w", err)
	}
	// The SDK would read them once more, and cannot read all that they may be.
	req.Inputs = nil
	values := resource.FromResourcePropertyMap(given).AsMap()
	for name, on := range req.GetInputDependencies() {
		// A value that is missing, and depends on others, is null.
		v := values[name]
		urns := make([]resource.URN, len(on.GetUrns()))
		for i, urn := range on.GetUrns() {
			urns[i] = resource.URN(urn)
		}
		values[name] = input.DependingOn(v, urns)
	}
	return property.NewMap(values), nil
}

// identify returns what the component's AWS provider tells of itself, and checks against it the inputs whose rules
// depend on that.
func (c *construction) identify(rules func(serve.Identity) input.Rules, names ...string) (serve.Identity, error) {
	identity, err := c.Identity(c.Context, c.options)
	if err != nil {
		return identity, err
	}
	c.in.CheckAgain(rules(identity), names...)
	return identity, c.in.Err()
}

// register registers the component itself, and returns the option that makes a resource its child.
func (c *construction) register(made pulumi.ComponentResource) (pulumi.ResourceOption, error) {
	if err := c.RegisterComponentResource(c.token, c.name, made, c.options); err != nil {
		return nil, fmt.Errorf("register the component: %w", err)
	}
	child := pulumi.Composite(pulumi.Parent(made), c.AWSVersion())
	if unknown := c.in.Unknown(); !c.DryRun() && len(unknown) > 0 {
		guard, err := c.refuseUnknowns(unknown)
		if err != nil {
			return nil, err
		}
		// What is refused comes before what would be deleted for it.
		child = pulumi.Composite(child, guard, createFirst)
	}
	return child, nil
}

// childURN returns the URN of the component's child of a type and name.
func (c *construction) childURN(typ tokens.Type, name string) resource.URN {
	component := serve.URNOf(c.Stack(), c.Project(), c.parent, c.token, c.name)
	return serve.URNOf(c.Stack(), c.Project(), string(component), string(typ), name)
}

// refuseUnknowns returns an option for the children of a component with unknown inputs in an update, which has the
// engine create and update none of them. Without it, under --exclude, the engine would update the children and leave
// out what is unknown, which the AWS provider takes for removed. Under --target the engine skips these children
// anyway, and nothing is refused.
func (c *construction) refuseUnknowns(unknown []string) (pulumi.ResourceOption, error) {
	hook, err := c.RegisterHook(c.Context, fmt.Sprintf("refuse unknown inputs of %s %s in %s", c.token, c.name, c.parent),
		func(*pulumi.ResourceHookArgs) error {
			return fmt.Errorf("%s: must be known in an update, which skips the resource that it comes from; with --exclude, "+
				"skip these resources too: --exclude '**%s**'", strings.Join(unknown, ", "), c.token)
		})
	if err != nil {
		return nil, err
	}
	hooks := []*pulumi.ResourceHook{hook}
	return pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: hooks, BeforeUpdate: hooks}), nil
}

// hideCopies returns the option that makes outputs of a child secret that repeat inputs of the component, by the
// inputs' names, where an input is secret. Pulumi keeps only those secret that are called as the child's own inputs
// are.
func (c *construction) hideCopies(copies map[string][]string) pulumi.ResourceOption {
	var secret []string
	for name, outputs := range copies {
		if c.in.Get(name).HasSecrets() {
			secret = append(secret, outputs...)
		}
	}
	slices.Sort(secret)
	return pulumi.AdditionalSecretOutputs(slices.Compact(secret))
}

// unprotected is the option of children that the protection of their component does not cover: keys with their copies,
// and policies. It must never stop a rotation, or keep a permission that is taken out of the inputs.
var unprotected = pulumi.Protect(false)

// createFirst is the option of children with a name of which AWS takes two. The AWS provider would delete a resource
// with a given name before it creates its replacement.
var createFirst = pulumi.DeleteBeforeReplace(false)

// warn shows the user a warning about a resource.
func (c *construction) warn(on pulumi.Resource, format string, args ...any) error {
	if err := c.Log.Warn(fmt.Sprintf(format, args...), &pulumi.LogArgs{Resource: on}); err != nil {
		return fmt.Errorf("warn: %w", err)
	}
	return nil
}
