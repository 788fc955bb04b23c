package serve

import (
	"slices"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// TestSDKSendsItsOwnStack checks that the Pulumi SDK still sends the engine its own part of the stack with each
// resource; when it fails, delete workaround_stack.go.
func TestSDKSendsItsOwnStack(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	ofTheSDK := func() bool {
		return slices.ContainsFunc(m.component().GetStackTrace().GetFrames(), func(frame *pulumirpc.StackFrame) bool {
			return strings.Contains(frame.GetPc().GetUri(), "github.com/pulumi/pulumi/sdk/")
		})
	}
	m.constructBySDK(t)
	if !ofTheSDK() {
		t.Error("the Pulumi SDK keeps its own part of the stack to itself: delete workaround_stack.go")
	}
	_, err := constructAndClose(t.Context(), m.request(), m.engine, constructWithChild)
	check(t, err)
	if ofTheSDK() {
		t.Errorf("on a new stack, it sends %v", m.component().GetStackTrace())
	}
}
