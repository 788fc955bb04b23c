// Command empty is a plugin whose component has nothing in it: it links what a component in Go cannot do without, the
// Pulumi SDK. The benchmark shows by it how much of the package's plugin is the SDK's.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

func main() {
	serve := func(h *host.HostClient) (pulumirpc.ResourceProviderServer, error) { return &empty{engine: h}, nil }
	if err := host.MainContext(context.Background(), "cicd", serve); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

type empty struct {
	pulumirpc.UnimplementedResourceProviderServer
	engine *host.HostClient
}

// Construct constructs a component that has nothing: no children, no inputs and no outputs.
func (e *empty) Construct(
	ctx context.Context, req *pulumirpc.ConstructRequest,
) (*pulumirpc.ConstructResponse, error) {
	return host.Construct(ctx, req, e.engine.EngineConn(), func(
		ctx *pulumi.Context, typ, name string, _ host.ConstructInputs, options pulumi.ResourceOption,
	) (*host.ConstructResult, error) {
		c := &component{}
		if err := ctx.RegisterComponentResource(typ, name, c, options); err != nil {
			return nil, err
		}
		return host.NewConstructResult(c)
	})
}

type component struct{ pulumi.ResourceState }

// Handshake takes everything.
func (*empty) Handshake(
	context.Context, *pulumirpc.ProviderHandshakeRequest,
) (*pulumirpc.ProviderHandshakeResponse, error) {
	return &pulumirpc.ProviderHandshakeResponse{}, nil
}

// CheckConfig takes any configuration.
func (*empty) CheckConfig(_ context.Context, req *pulumirpc.CheckRequest) (*pulumirpc.CheckResponse, error) {
	return &pulumirpc.CheckResponse{Inputs: req.GetNews()}, nil
}

// Configure needs none.
func (*empty) Configure(context.Context, *pulumirpc.ConfigureRequest) (*pulumirpc.ConfigureResponse, error) {
	return &pulumirpc.ConfigureResponse{}, nil
}
