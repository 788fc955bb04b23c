// Package serve has what it takes to serve a component safely: connections that are closed, constructs that are bounded
// in number, cancelled and drained, panics that become errors, resource hooks, and the caller's AWS account.
package serve

import (
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// A Package is what is served.
type Package struct {
	// Name and Version are those of the Pulumi package. The version has no leading v.
	Name, Version string
	// Provider answers everything but the construction of components.
	Provider p.Provider
	// Components are the components, by their types.
	Components map[tokens.Type]Component
}

// A Component prepares the construction of one component: it reads the request, and fails if something is wrong with
// it. The function that it returns registers the component and its children.
type Component func(req *pulumirpc.ConstructRequest, d *Deployment) (host.ConstructFunc, error)

// A Deployment is the update or preview that a component is constructed in.
type Deployment struct {
	session *session
	aws     providerKey
	configuration
}

// A configuration is what the engine tells of the provider resource that this process serves.
type configuration struct {
	// Self is the provider resource's reference, or empty if the engine does not tell it.
	Self       string
	awsVersion string
}

// Run runs the plugin: it prints the port that it listens on, and returns when the engine that started it ends or ctx
// is cancelled.
func Run(ctx context.Context, pkg Package) error {
	if err := leavePayloadsOut(); err != nil {
		return err
	}
	return host.MainContext(ctx, pkg.Name, func(engine *host.HostClient) (pulumirpc.ResourceProviderServer, error) {
		tune()
		return NewServer(engine, pkg)
	})
}

var errCancelled = status.Error(codes.Canceled,
	"cancelled: the update was cancelled, or failed elsewhere; see the other errors")

// server is the plugin, as the engine sees it. pulumi-go-provider serves everything but components.
type server struct {
	pulumirpc.ResourceProviderServer
	pkg Package
	// engine is the engine. It is unknown until the engine attaches to a plugin that it did not start itself.
	engine        atomic.Pointer[host.HostClient]
	configuration atomic.Pointer[configuration]
	session       atomic.Pointer[session]
	// cancelling is how long the engine may take from the first failure until it cancels what is still running.
	cancelling time.Duration
}

// NewServer returns the plugin for an engine, which may be nil until it attaches.
func NewServer(engine *host.HostClient, pkg Package) (pulumirpc.ResourceProviderServer, error) {
	framework, err := p.RawServer(pkg.Name, pkg.Version, pkg.Provider)(engine)
	if err != nil {
		return nil, err
	}
	s := &server{ResourceProviderServer: framework, pkg: pkg, cancelling: time.Minute}
	s.engine.Store(engine)
	s.configuration.Store(&configuration{})
	s.session.Store(newSession())
	return s, nil
}

// Attach remembers the engine. Each preview and each update attaches once more, and cancels when it ends.
func (s *server) Attach(ctx context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	engine, err := host.NewHostClient(req.GetAddress())
	if err != nil {
		return nil, fmt.Errorf("attach to the engine: %w", err)
	}
	s.engine.Store(engine)
	s.session.Swap(newSession()).cancel()
	return s.ResourceProviderServer.Attach(ctx, req)
}

// Configure remembers which provider resource this process serves, and its settings.
func (s *server) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	// Without KeepSecrets: the name of the AWS provider in the state shows the version.
	settings, err := plugin.UnmarshalProperties(req.GetArgs(), plugin.MarshalOptions{})
	if err != nil {
		return nil, fmt.Errorf("read the configuration: %w", err)
	}
	c := configuration{}
	if version := settings[AWSVersionSetting]; version.IsString() {
		c.awsVersion = version.StringValue()
	}
	urn := resource.URN(req.GetUrn())
	if req.GetId() != "" && urn.IsValid() && urn.Type() == tokens.Type("pulumi:providers:"+s.pkg.Name) {
		c.Self = req.GetUrn() + resource.URNNameDelimiter + req.GetId()
	}
	s.configuration.Store(&c)
	return s.ResourceProviderServer.Configure(ctx, req)
}

// Call refuses methods of components, of which the package has none. pulumi-go-provider panics for a caller that does
// not accept output values.
func (s *server) Call(_ context.Context, req *pulumirpc.CallRequest) (*pulumirpc.CallResponse, error) {
	return nil, status.Errorf(codes.NotFound, "the package %s has no method %q", s.pkg.Name, req.GetTok())
}

// Cancel cancels running and later constructs, and waits for the running ones to return. The engine hangs up then: for
// a construct that had not answered before, it would show "grpc: the client connection is closing".
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	const (
		longest = 2 * time.Second // The engine waits 5 seconds, for all plugins together.
		// gRPC sends an answer after the method that gives it has returned, and after a failure the engine still sends the
		// constructs that it had begun.
		answered = 250 * time.Millisecond
	)
	session := s.session.Load()
	if session.end(longest) || session.failed.Load() {
		time.Sleep(answered)
	}
	return &emptypb.Empty{}, nil
}

// Construct constructs a component.
func (s *server) Construct(
	ctx context.Context, req *pulumirpc.ConstructRequest,
) (resp *pulumirpc.ConstructResponse, err error) {
	session := s.session.Load()
	if session.ctx.Err() != nil {
		return cancelled(req), nil
	}
	ctx, end := session.begin(ctx)
	defer end()
	defer func() {
		if err != nil {
			session.failed.Store(true)
		}
	}()
	if !req.GetAcceptsOutputValues() {
		return nil, status.Error(codes.FailedPrecondition,
			"this version of the Pulumi CLI is too old for the plugin: it does not accept output values")
	}
	if req.GetMonitorEndpoint() == "" {
		return nil, status.Error(codes.InvalidArgument, "the request names no resource monitor")
	}
	prepare, ok := s.pkg.Components[tokens.Type(req.GetType())]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "the package %s has no component %q", s.pkg.Name, req.GetType())
	}
	d := &Deployment{
		session: session, aws: providerKey{req.GetMonitorEndpoint(), req.GetProviders()["aws"]},
		configuration: *s.configuration.Load(),
	}
	construct, err := prepare(req, d)
	if err != nil {
		return nil, err
	}
	select {
	case session.limiter <- struct{}{}:
		resp, err = func() (*pulumirpc.ConstructResponse, error) {
			defer func() { <-session.limiter }()
			return constructAndClose(ctx, req, s.engine.Load(), construct)
		}()
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil && (strings.Contains(err.Error(), context.Canceled.Error()) ||
		strings.Contains(err.Error(), errFailedElsewhere.Error())) {
		// The engine stops asking for resources when one fails. It would show an error for each component that was still
		// waiting for its children, and hide the one at fault.
		select {
		case <-session.ctx.Done():
			return cancelled(req), nil
		case <-time.After(s.cancelling):
			return nil, errCancelled
		}
	}
	if err != nil {
		return nil, withoutAwaiting(err)
	}
	return resp, nil
}

// cancelled returns the answer to a request of an engine that has cancelled everything: one without outputs, of which
// the engine takes nothing and shows no error. The program may still name the URN.
func cancelled(req *pulumirpc.ConstructRequest) *pulumirpc.ConstructResponse {
	urn := URNOf(req.GetStack(), req.GetProject(), req.GetParent(), req.GetType(), req.GetName())
	return &pulumirpc.ConstructResponse{Urn: string(urn)}
}

// URNOf returns the URN of a resource, whose parent is a URN or empty.
func URNOf(stack, project, parent, typ, name string) resource.URN {
	var parentType tokens.Type
	if urn := resource.URN(parent); urn.IsValid() {
		parentType = urn.QualifiedType()
	}
	return resource.NewURN(tokens.QName(stack), tokens.PackageName(project), parentType, tokens.Type(typ), name)
}
