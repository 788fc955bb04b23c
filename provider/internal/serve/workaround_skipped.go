package serve

import (
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// skipped has the URNs of components that are not in the state and that the engine skips, because of --target or
// --exclude.
var skipped sync.Map

// Skipped reports whether the engine has skipped the creation of a component, once its URN is known.
//
// The children of such a component must not be imported: unlike all other steps, imports ignore --target and --exclude,
// and a child whose parent is not in the state makes the state invalid (no upstream issue is known). The engine answers
// that it has skipped the component, and the Pulumi SDK keeps that from components.
//
// Needless once imports keep to --target and --exclude: TestImportsIgnoreTargets fails then. Seen in v3.259.0.
func Skipped(component pulumi.URN) bool {
	_, is := skipped.Load(string(component))
	return is
}

// init has the process note which components are skipped.
func init() { encoding.RegisterCodecV2(noting{encoding.GetCodecV2(proto.Name)}) }

// noting is a codec that notes the answers to registrations of components.
type noting struct{ encoding.CodecV2 }

// Unmarshal reads a message.
func (n noting) Unmarshal(data mem.BufferSlice, v any) error {
	err := n.CodecV2.Unmarshal(data, v)
	if answer, ok := v.(*pulumirpc.RegisterResourceResponse); ok && err == nil && answer.GetId() == "" {
		if answer.GetUnknown() {
			skipped.Store(answer.GetUrn(), true)
		} else {
			skipped.Delete(answer.GetUrn())
		}
	}
	return err
}
