// Command pulumi-resource-aws is a stand-in for the official AWS plugin, for this project's tests only.
//
// It serves the resources of IAM, Secrets Manager and Systems Manager and the functions that the project's
// components use, under the official names, and makes the AWS API calls that the official plugin makes for
// them. What it does not serve it refuses: it never accepts an input or a configuration key that it would
// then ignore.
package main

import (
	"context"
	"fmt"
	"os"

	p "github.com/pulumi/pulumi-go-provider"
	comprovider "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// packageName is the name of the official package, without which its SDKs would not find this plugin.
const packageName = "aws"

func main() {
	err := adopt(version)
	if err == nil {
		err = comprovider.MainContext(context.Background(), packageName, newServer)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err.Error())
		os.Exit(1)
	}
}

// newServer is the gRPC service of one plugin process.
func newServer(host *comprovider.HostClient) (rpc.ResourceProviderServer, error) {
	inner, err := p.RawServer(packageName, version, newProvider())(host)
	if err != nil {
		return nil, err
	}
	return &server{ResourceProviderServer: inner}, nil
}

// server adds to the framework's service the one field of the protocol that it drops.
type server struct {
	rpc.ResourceProviderServer
}

type randomSeedKey struct{}

// Check hands the engine's random seed on in the context, because pulumi-go-provider v1.5.0 copies it into
// CheckConfig's request only. Without the seed a preview would show another generated name than the update.
func (s *server) Check(ctx context.Context, req *rpc.CheckRequest) (*rpc.CheckResponse, error) {
	return s.ResourceProviderServer.Check(context.WithValue(ctx, randomSeedKey{}, req.GetRandomSeed()), req)
}

// randomSeed is the seed for generated names; nil, where there is none, makes them truly random.
func randomSeed(ctx context.Context, req p.CheckRequest) []byte {
	if len(req.RandomSeed) > 0 {
		return req.RandomSeed
	}
	seed, _ := ctx.Value(randomSeedKey{}).([]byte)
	return seed
}
