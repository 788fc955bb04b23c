package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Serve runs the provider as a plugin: it prints the port it listens on, and returns when the engine that
// started it ends or ctx is cancelled.
func Serve(ctx context.Context) error {
	provider, err := New()
	if err != nil {
		return err
	}
	return host.MainContext(ctx, Name, func(h *host.HostClient) (pulumirpc.ResourceProviderServer, error) {
		// At the level above, the Pulumi SDK v3.259.0 logs every value that it reads, and what is within a secret in
		// the clear.
		logging.Verbose = min(logging.Verbose, mostVerbose)
		return newServer(provider, h)
	})
}

// mostVerbose is the highest level of logging, as -v sets it.
const mostVerbose = 8

func newServer(provider p.Provider, h *host.HostClient) (pulumirpc.ResourceProviderServer, error) {
	inner, err := p.RawServer(Name, Version, provider)(h)
	s := &server{ResourceProviderServer: inner, provider: provider, identities: &identities{}}
	if h != nil {
		s.engine.Store(h.EngineConn().Target())
	}
	return s, err
}

// server stands between the engine and pulumi-go-provider, for what cannot be mended inside it.
type server struct {
	pulumirpc.ResourceProviderServer
	provider   p.Provider
	identities *identities
	// engine is the engine's address, a string. It is not known before the engine attaches to a plugin that it did
	// not start itself.
	engine atomic.Value
}

// Attach notes the engine's address.
func (s *server) Attach(ctx context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	s.engine.Store(req.GetAddress())
	return s.ResourceProviderServer.Attach(ctx, req)
}

// Construct passes the request on, with every alias as a URN, and turns a panic into an error: constructs run
// side by side in one process, and one panic would end them all in the middle of an update.
func (s *server) Construct(
	ctx context.Context, req *pulumirpc.ConstructRequest,
) (resp *pulumirpc.ConstructResponse, err error) {
	defer recoverAsError(&err)
	if !req.GetAcceptsOutputValues() {
		return nil, status.Error(codes.FailedPrecondition,
			"this version of the Pulumi CLI is too old for the plugin: it does not accept output values")
	}
	resolveAliases(req)
	ctx = context.WithValue(ctx, lookUpsKey{}, lookUps{
		s.identities, deployment{req.GetMonitorEndpoint(), req.GetProviders()["aws"]},
	})
	resp, err = s.constructAndClose(ctx, req)
	if err != nil && strings.Contains(err.Error(), context.Canceled.Error()) {
		// The engine cancels what is under way when a resource fails. Which of the children was waited for then
		// is of no use to anybody, and hides the one that failed.
		return nil, status.Error(codes.Canceled,
			"cancelled: the update was cancelled, or failed elsewhere; see the other errors")
	}
	return resp, err
}

// constructAndClose passes the request on, and closes the connections that were made for it: the Pulumi SDK v3.259.0
// leaves open, at each construct, a connection to the resource monitor with five goroutines. Closing the SDK's context
// would close the connection to the engine too, which all constructs share, and so each gets one of its own, which is
// made only if something is said to the engine. An SDK that closed what it opened would make this needless.
func (s *server) constructAndClose(
	ctx context.Context, req *pulumirpc.ConstructRequest,
) (*pulumirpc.ConstructResponse, error) {
	address, _ := s.engine.Load().(string)
	engine, err := host.NewHostClient(address)
	if err != nil {
		return nil, fmt.Errorf("connect to the engine: %w", err)
	}
	defer func() { _ = engine.Close() }()
	inner, err := p.RawServer(Name, Version, s.provider)(engine)
	if err != nil {
		return nil, err
	}
	var opened openedContext
	defer opened.close()
	return inner.Construct(context.WithValue(ctx, openedKey{}, &opened), req)
}

// openedContext is the context that the Pulumi SDK opened for one construct.
type openedContext struct{ ctx *pulumi.Context }

type openedKey struct{}

// close closes the connections of the context, if it was opened.
func (o *openedContext) close() {
	if o.ctx != nil {
		_ = o.ctx.Close()
	}
}

// closable lets the connections of a component's context be closed, once the component is constructed.
func closable[A any, R pulumi.ComponentResource](construct infer.ComponentFn[A, R]) infer.ComponentFn[A, R] {
	return func(ctx *pulumi.Context, name string, args A, opts ...pulumi.ResourceOption) (R, error) {
		if opened, ok := ctx.Value(openedKey{}).(*openedContext); ok {
			opened.ctx = ctx
		}
		return construct(ctx, name, args, opts...)
	}
}

// recoverAsError, deferred, turns a panic into an error. The value of a panic is shown only if it is the
// runtime's own, since others could hold anything; the stack goes to the plugin's standard error.
func recoverAsError(err *error) {
	r := recover()
	if r == nil {
		return
	}
	what := fmt.Sprintf("%T", r)
	var fault runtime.Error
	if e, ok := r.(error); ok && errors.As(e, &fault) {
		what = fault.Error()
	}
	fmt.Fprintf(os.Stderr, "panic: %s\n%s", what, debug.Stack())
	*err = status.Errorf(codes.Internal,
		"a defect in pulumi-resource-%s v%s: panic: %s; please report it with the output above: %s/issues",
		Name, Version, what, repository)
}

// guarded makes a panic of f an error. What an output is applied to runs in a goroutine of its own, where nobody
// else recovers.
func guarded[In, Out any](f func(In) (Out, error)) func(In) (Out, error) {
	return func(in In) (out Out, err error) {
		defer recoverAsError(&err)
		return f(in)
	}
}

// resolveAliases replaces the aliases that are given by their parts with the URNs they stand for, because
// pulumi-go-provider v1.5.0 drops all that are not URNs: a renamed component would be replaced.
func resolveAliases(req *pulumirpc.ConstructRequest) {
	for _, alias := range req.GetAliases() {
		spec := alias.GetSpec()
		if spec == nil {
			continue
		}
		parent := req.GetParent()
		switch p := spec.GetParent().(type) {
		case *pulumirpc.Alias_Spec_ParentUrn:
			parent = p.ParentUrn
		case *pulumirpc.Alias_Spec_NoParent:
			if p.NoParent {
				parent = ""
			}
		}
		var parentType tokens.Type
		if parent != "" {
			parentType = resource.URN(parent).QualifiedType()
		}
		alias.Alias = &pulumirpc.Alias_Urn{Urn: string(resource.NewURN(
			tokens.QName(cmp.Or(spec.GetStack(), req.GetStack())),
			tokens.PackageName(cmp.Or(spec.GetProject(), req.GetProject())),
			parentType,
			tokens.Type(cmp.Or(spec.GetType(), req.GetType())),
			cmp.Or(spec.GetName(), req.GetName()),
		))}
	}
}
