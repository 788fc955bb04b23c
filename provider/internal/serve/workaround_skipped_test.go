package serve

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
)

// TestSkipped checks what the codec that gRPC uses notes of answers to registrations: a component that is skipped, until
// it is registered. TestImportsIgnoreTargets, in tests/e2e/, fails once nobody needs to know.
func TestSkipped(t *testing.T) {
	t.Parallel()
	const urn = "urn:pulumi:stack::project::cicd:index:RobotAccount::skipped"
	codec := encoding.GetCodecV2(proto.Name)
	for _, tt := range []struct {
		answer  *pulumirpc.RegisterResourceResponse
		skipped bool
	}{
		{&pulumirpc.RegisterResourceResponse{Urn: urn}, false},
		{&pulumirpc.RegisterResourceResponse{Urn: urn, Unknown: true}, true},
		{&pulumirpc.RegisterResourceResponse{Urn: urn + "2"}, true},
		{&pulumirpc.RegisterResourceResponse{Urn: urn}, false},
	} {
		data, err := codec.Marshal(tt.answer)
		if err != nil {
			t.Fatal(err)
		}
		var got pulumirpc.RegisterResourceResponse
		if err := codec.Unmarshal(data, &got); err != nil || got.GetUrn() != tt.answer.GetUrn() {
			t.Errorf("%v is read as %v: %v", tt.answer, &got, err)
		}
		if Skipped(pulumi.URN(urn)) != tt.skipped {
			t.Errorf("after %v, the component is skipped: %v", tt.answer, !tt.skipped)
		}
	}
}
