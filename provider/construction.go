package provider

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	rpc "github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
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
	// name and options are those of the component.
	name    string
	options pulumi.ResourceOption
	in      *input.Inputs
	*serve.Deployment
}

// prepare reads a request and checks its inputs, because components have no Check of their own. It returns what
// constructs the component.
func (c component) prepare(req *pulumirpc.ConstructRequest, d *serve.Deployment) (host.ConstructFunc, error) {
	values, err := readInputs(req)
	if err != nil {
		return nil, err
	}
	in := input.New(values, req.GetDryRun())
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
		made, err := c.construct(&construction{ctx, name, options, in, d})
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

// register registers the component itself, and returns the option that makes a resource its child.
func (c *construction) register(token string, made pulumi.ComponentResource) (pulumi.ResourceOption, error) {
	if err := c.RegisterComponentResource(token, c.name, made, c.options); err != nil {
		return nil, fmt.Errorf("register the component: %w", err)
	}
	return pulumi.Parent(made), nil
}

// warn shows the user a warning about a resource.
func (c *construction) warn(on pulumi.Resource, format string, args ...any) error {
	if err := c.Log.Warn(fmt.Sprintf(format, args...), &pulumi.LogArgs{Resource: on}); err != nil {
		return fmt.Errorf("warn: %w", err)
	}
	return nil
}
