package serve

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	"google.golang.org/protobuf/proto"
)

// constructUnknown returns a component with the unknown outputs plain and secret.
func constructUnknown(
	ctx *pulumi.Context, typ, name string, inputs host.ConstructInputs, options pulumi.ResourceOption,
) (*host.ConstructResult, error) {
	result, err := constructWithChild(ctx, typ, name, inputs, options)
	if err == nil {
		result.State = pulumi.Map{
			"plain": pulumi.UnsafeUnknownOutput(nil), "secret": pulumi.ToSecret(pulumi.UnsafeUnknownOutput(nil)),
		}
	}
	return result, err
}

// TestSDKDropsUnknownOutputs checks that the Pulumi SDK still leaves out unknown outputs in an update; when it fails,
// delete workaround_unknowns.go.
func TestSDKDropsUnknownOutputs(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	resp, err := host.Construct(t.Context(), m.request(), m.engine.EngineConn(), constructUnknown)
	check(t, err)
	if _, exists := resp.GetState().GetFields()["plain"]; exists {
		t.Error("the Pulumi SDK keeps unknown outputs: delete workaround_unknowns.go")
	}
}

// TestUnknownOutputsAreKept checks that constructAndClose returns them as the engine takes them: as output values,
// secret where they are.
func TestUnknownOutputsAreKept(t *testing.T) {
	t.Parallel()
	for _, preview := range []bool{true, false} {
		m := startMonitor(t)
		req := m.request()
		req.DryRun = preview
		resp, err := constructAndClose(t.Context(), req, m.engine, constructUnknown)
		check(t, err)
		state, err := plugin.UnmarshalProperties(resp.GetState(), plugin.MarshalOptions{KeepSecrets: true, KeepOutputValues: true})
		check(t, err)
		for _, name := range []resource.PropertyKey{"plain", "secret"} {
			if v := state[name]; !v.IsOutput() || v.OutputValue().Known || v.OutputValue().Secret != (name == "secret") {
				t.Errorf("preview %v: the outputs are %v", preview, state)
			}
		}
	}
}

// TestKnownOutputsStay checks that constructAndClose changes nothing of outputs that are known.
func TestKnownOutputsStay(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	want := m.constructBySDK(t)
	got, err := constructAndClose(t.Context(), m.request(), m.engine, constructWithChild)
	check(t, err)
	if !proto.Equal(got, want) {
		t.Errorf("the answer is\n%v\nand not\n%v", got, want)
	}
}
