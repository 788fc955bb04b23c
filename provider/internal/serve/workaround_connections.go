package serve

import (
	"context"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// constructAndClose has the Pulumi SDK construct a component, and closes the connections that were made for it: the SDK
// leaves open, at each construct, a connection to the resource monitor with five goroutines. Closing the SDK's context
// would close the connection to the engine too, which all constructs share, so each gets one of its own, which is made
// only if something is said to the engine.
//
// It calls the SDK rather than ProgramConstruct of pulumi-go-provider, which in v1.5.0 drops what a component's outputs
// depend on (no upstream issue is known), and aliases that are given by their parts (issues 465 and 572, mended by
// 574).
//
// Needless once the SDK closes what it opens, and the framework keeps both: TestSDKLeavesConnectionsOpen,
// TestFrameworkDropsDependencies and TestFrameworkDropsAliases fail then. Seen in SDK v3.259.0.
func constructAndClose(
	ctx context.Context, req *pulumirpc.ConstructRequest, shared *host.HostClient, construct host.ConstructFunc,
) (*pulumirpc.ConstructResponse, error) {
	if shared == nil {
		return nil, status.Error(codes.FailedPrecondition, "no engine is attached to the plugin")
	}
	engine, err := host.NewHostClient(shared.EngineConn().Target())
	if err != nil {
		return nil, fmt.Errorf("connect to the engine: %w", err)
	}
	defer func() { _ = engine.Close() }()
	var opened *pulumi.Context
	defer func() {
		if opened != nil {
			_ = opened.Close()
		}
	}()
	resp, err := host.Construct(ctx, req, engine.EngineConn(), func(
		ctx *pulumi.Context, typ, name string, inputs host.ConstructInputs, options pulumi.ResourceOption,
	) (*host.ConstructResult, error) {
		opened = ctx
		defer keepUnknowns(req)
		return onNewStack(func() (*host.ConstructResult, error) { return construct(ctx, typ, name, inputs, options) })
	})
	if err != nil {
		return nil, err
	}
	return resp, asOutputValues(resp)
}
