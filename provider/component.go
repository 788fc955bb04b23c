package provider

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
)

// A component is one of the package's component resources, as the engine has it constructed.
type component struct {
	// check checks what is known of the inputs of a component with the given name.
	check func(in *inputs, name string) error
	// construct registers the component, whose inputs have passed check, with its children and its outputs.
	construct func(
		ctx *pulumi.Context, name string, given host.ConstructInputs, options pulumi.ResourceOption,
	) (*host.ConstructResult, error)
	// hasOwnChildren reports that some of its children are resources of this package.
	hasOwnChildren bool
}

// construct has a component made with the arguments that are read from its inputs. The fields of its struct are its
// outputs.
func construct[Args any, Component pulumi.ComponentResource](
	register func(ctx *pulumi.Context, name string, args Args, opts ...pulumi.ResourceOption) (Component, error),
) func(*pulumi.Context, string, host.ConstructInputs, pulumi.ResourceOption) (*host.ConstructResult, error) {
	return func(
		ctx *pulumi.Context, name string, given host.ConstructInputs, options pulumi.ResourceOption,
	) (*host.ConstructResult, error) {
		var args Args
		if err := given.CopyTo(&args); err != nil {
			return nil, fmt.Errorf("read the inputs: %w", err)
		}
		made, err := register(ctx, name, args, options)
		if err != nil {
			return nil, err
		}
		result, err := host.NewConstructResult(made)
		if err != nil {
			return nil, fmt.Errorf("read the outputs: %w", err)
		}
		outputs, _ := result.State.(pulumi.Map)
		if err := ctx.RegisterResourceOutputs(made, outputs); err != nil {
			return nil, fmt.Errorf("register the outputs: %w", err)
		}
		return result, nil
	}
}
