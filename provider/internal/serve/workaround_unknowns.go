package serve

import (
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// asOutputValues writes unknown outputs as output values, the only form in which older engines take them in an update:
// the outputs of resources that the update skips because of --target, --exclude or an error elsewhere. Those engines
// drop other unknown outputs, and the program would take them for null.
//
// Needless once the oldest CLI that is supported takes them as they are: 3.274.1 does, 3.259.0 does not. No upstream
// issue is known.
func asOutputValues(resp *pulumirpc.ConstructResponse) error {
	options := plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true, KeepByteString: true,
	}
	state, err := plugin.UnmarshalProperties(resp.GetState(), options)
	if err != nil {
		return fmt.Errorf("read the outputs: %w", err)
	}
	for name, v := range state {
		if v.ContainsUnknowns() {
			state[name] = resource.NewProperty(resource.Output{Secret: v.ContainsSecrets()})
		}
	}
	if resp.State, err = plugin.MarshalProperties(state, options); err != nil {
		return fmt.Errorf("write the outputs: %w", err)
	}
	return nil
}
