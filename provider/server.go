package provider

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
)

// Serve runs the plugin: it prints the port it listens on, and returns when the engine that started it ends or ctx is
// cancelled.
func Serve(ctx context.Context) error {
	return host.MainContext(ctx, Name, func(h *host.HostClient) (pulumirpc.ResourceProviderServer, error) {
		// At the level above, the Pulumi SDK v3.259.0 logs every value that it reads, and what is within a secret in
		// the clear.
		logging.Verbose = min(logging.Verbose, mostVerbose)
		if os.Getenv("GOGC") == "" {
			debug.SetGCPercent(garbagePercent)
		}
		if os.Getenv("GOMEMLIMIT") == "" {
			debug.SetMemoryLimit(memoryLimit)
		}
		return newServer(h, components, time.Now), nil
	})
}

const (
	// mostVerbose is the highest level of logging, as -v sets it.
	mostVerbose = 8
	// garbagePercent is how much garbage is let gather, as GOGC sets it: what a construct leaves is nearly all garbage,
	// and at Go's 100, a sixth of its time went into collecting it.
	garbagePercent = 400
	// memoryLimit is how much memory, in bytes, Go may hold before it collects garbage all the same, as GOMEMLIMIT sets
	// it.
	memoryLimit = 48 << 20
)

// server is the plugin, as the engine sees it. The Pulumi SDK serves all but the components.
type server struct {
	pulumirpc.ResourceProviderServer
	components map[string]component
	// engine is the engine. It is not known before the engine attaches to a plugin that it did not start itself.
	engine atomic.Pointer[host.HostClient]
	// self is the reference of the provider resource that this process serves, once the engine has configured it.
	self atomic.Pointer[string]
	// session is the one with that engine.
	session atomic.Pointer[session]
	// underWay is held by the constructs that are, each for reading.
	underWay sync.RWMutex
	// slots are taken by the constructs that register something.
	slots chan struct{}
}

// mostConstructs is how many constructs register resources at once. Each holds some 300 kB until AWS has made its
// resources, and a program asks for all of them at once. The engine makes four resources at a time per core, of which a
// construct may have two, so that with fewer cores than 32 nothing waits for it.
const mostConstructs = 64

func newServer(engine *host.HostClient, components map[string]component, now func() time.Time) *server {
	s := &server{components: components, slots: make(chan struct{}, mostConstructs)}
	s.engine.Store(engine)
	s.session.Store(newSession())
	s.ResourceProviderServer = plugin.NewProviderServer(&journalProvider{now: now, log: s.log})
	return s
}

// Attach notes the engine. Each preview and each update attaches once more, and cancels when it ends.
func (s *server) Attach(_ context.Context, req *pulumirpc.PluginAttach) (*emptypb.Empty, error) {
	engine, err := host.NewHostClient(req.GetAddress())
	if err != nil {
		return nil, fmt.Errorf("attach to the engine: %w", err)
	}
	s.engine.Store(engine)
	s.session.Swap(newSession()).cancel()
	return &emptypb.Empty{}, nil
}

// Configure remembers which provider resource this process serves.
func (s *server) Configure(
	ctx context.Context, req *pulumirpc.ConfigureRequest,
) (*pulumirpc.ConfigureResponse, error) {
	if req.GetUrn() != "" && req.GetId() != "" {
		self := req.GetUrn() + resource.URNNameDelimiter + req.GetId()
		s.self.Store(&self)
	}
	return s.ResourceProviderServer.Configure(ctx, req)
}

// useSelf has the package's own resources among a component's children served by the provider of the component. A
// default provider of their own could be another version of the plugin, and would be another process.
func (s *server) useSelf(req *pulumirpc.ConstructRequest) {
	self := s.self.Load()
	if self == nil || req.GetProviders()[Name] != "" {
		return
	}
	if req.Providers == nil {
		req.Providers = map[string]string{}
	}
	req.Providers[Name] = *self
}

// Cancel ends what is under way, and all that is asked for after it, and returns when it has ended. The engine hangs up
// then: a construct that had not answered before would be told as "grpc: the client connection is closing", one line
// for each, with the error that ended the update among them.
func (s *server) Cancel(context.Context, *emptypb.Empty) (*emptypb.Empty, error) {
	const (
		longest  = 2 * time.Second        // The engine waits 5 seconds, for all plugins together.
		answered = 100 * time.Millisecond // Answers are sent after what gives them has returned.
	)
	s.session.Load().cancel()
	if s.underWay.TryLock() {
		s.underWay.Unlock()
		return &emptypb.Empty{}, nil
	}
	ended := make(chan struct{})
	go func() {
		s.underWay.Lock()
		defer s.underWay.Unlock()
		time.Sleep(answered)
		close(ended)
	}()
	select {
	case <-ended:
	case <-time.After(longest):
	}
	return &emptypb.Empty{}, nil
}

// log tells the user something about a resource. What cannot be told is lost: it is no reason to fail.
func (s *server) log(ctx context.Context, severity diag.Severity, urn resource.URN, text string) {
	if engine := s.engine.Load(); engine != nil {
		_ = engine.Log(ctx, severity, urn, text)
	}
}

// Construct constructs a component, and turns a panic into an error: constructs run side by side in one process, and
// one panic would end them all in the middle of an update.
func (s *server) Construct(
	ctx context.Context, req *pulumirpc.ConstructRequest,
) (resp *pulumirpc.ConstructResponse, err error) {
	defer recoverAsError(&err)
	s.underWay.RLock()
	defer s.underWay.RUnlock()
	if !req.GetAcceptsOutputValues() {
		return nil, status.Error(codes.FailedPrecondition,
			"this version of the Pulumi CLI is too old for the plugin: it does not accept output values")
	}
	c, ok := s.components[req.GetType()]
	if !ok {
		return nil, status.Errorf(codes.NotFound, "the package %s has no component %q", Name, req.GetType())
	}
	inputs, err := takeInputs(req, c.check)
	if err != nil {
		return nil, err
	}
	if c.hasOwnChildren {
		s.useSelf(req)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	session := s.session.Load()
	defer context.AfterFunc(session.cancelled, cancel)()
	ctx = context.WithValue(ctx, inputsKey{}, inputs)
	ctx = context.WithValue(ctx, settingKey{}, setting{
		session, deployment{req.GetMonitorEndpoint(), req.GetProviders()["aws"]},
	})
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		resp, err = s.constructAndClose(ctx, req, c)
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil && strings.Contains(err.Error(), context.Canceled.Error()) {
		// The engine cancels what is under way when a resource fails. Which of the children was waited for then
		// is of no use to anybody, and hides the one that failed.
		return nil, status.Error(codes.Canceled,
			"cancelled: the update was cancelled, or failed elsewhere; see the other errors")
	}
	return resp, err
}

// constructAndClose has the Pulumi SDK construct a component, and closes the connections that were made for it: the SDK
// v3.259.0 leaves open, at each construct, a connection to the resource monitor with five goroutines. Closing the SDK's
// context would close the connection to the engine too, which all constructs share, and so each gets one of its own,
// which is made only if something is said to the engine. An SDK that closed what it opened would make this needless.
func (s *server) constructAndClose(
	ctx context.Context, req *pulumirpc.ConstructRequest, c component,
) (*pulumirpc.ConstructResponse, error) {
	shared := s.engine.Load()
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
	return host.Construct(ctx, req, engine.EngineConn(), func(
		ctx *pulumi.Context, _, name string, given host.ConstructInputs, options pulumi.ResourceOption,
	) (*host.ConstructResult, error) {
		opened = ctx
		return apart(func() (*host.ConstructResult, error) { return c.construct(ctx, name, given, options) })
	})
}

// apart calls f in a goroutine of its own, which is to say with an empty stack: the Pulumi SDK v3.259.0 sends the
// engine, with each resource, the file and line of every call on the stack, and there are forty of gRPC's and the SDK's
// own. An SDK that sent only those of the program would make this needless.
func apart[T any](f func() (T, error)) (result T, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer recoverAsError(&err)
		result, err = f()
	}()
	<-done
	return result, err
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
	*err = fmt.Errorf("a defect in pulumi-resource-%s v%s: panic: %s; please report it with the output above: "+
		"%s/issues", Name, Version, what, repository)
}
