package serve

import (
	"context"
	"net"
	"sync/atomic"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/integration/fake"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"
	"google.golang.org/protobuf/types/known/emptypb"
)

// The types and URNs of what constructWithChild registers.
const (
	componentType = "test:index:Component"
	childType     = "test:index:Child"
	componentURN  = "urn:pulumi:stack::project::" + componentType + "::component"
	childURN      = "urn:pulumi:stack::project::" + componentType + "$" + childType + "::child"
)

// testMonitor is a resource monitor, which notes what it is asked and counts its connections, with an engine.
type testMonitor struct {
	*fake.ResourceMonitorServer
	address, engineAddress string
	engine                 *host.HostClient
	// connections are those that are open.
	connections atomic.Int64
	// hooks are those that are registered.
	hooks chan *pulumirpc.RegisterResourceHookRequest
}

func startMonitor(t *testing.T) *testMonitor {
	t.Helper()
	m := &testMonitor{
		ResourceMonitorServer: fake.NewResourceMonitorServer(&fake.SimpleMonitor{}),
		hooks:                 make(chan *pulumirpc.RegisterResourceHookRequest, 10),
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	m.address = listener.Addr().String()
	server := grpc.NewServer(grpc.StatsHandler(m))
	pulumirpc.RegisterResourceMonitorServer(server, m)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(server.Stop)

	m.engineAddress, _, err = fake.StartEngineServer(t.Context(), fake.NewEngineServer())
	check(t, err)
	m.engine, err = host.NewHostClient(m.engineAddress)
	check(t, err)
	t.Cleanup(func() { _ = m.engine.Close() })
	return m
}

// RegisterResourceHook takes a hook.
func (m *testMonitor) RegisterResourceHook(
	_ context.Context, req *pulumirpc.RegisterResourceHookRequest,
) (*emptypb.Empty, error) {
	m.hooks <- req
	return &emptypb.Empty{}, nil
}

// HandleConn counts a connection. The methods after it have to be there.
func (m *testMonitor) HandleConn(_ context.Context, s stats.ConnStats) {
	switch s.(type) {
	case *stats.ConnBegin:
		m.connections.Add(1)
	case *stats.ConnEnd:
		m.connections.Add(-1)
	}
}

func (*testMonitor) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*testMonitor) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*testMonitor) HandleRPC(context.Context, stats.RPCStats)                         {}

// request is a request for a component, as the engine sends it.
func (m *testMonitor) request() *pulumirpc.ConstructRequest {
	return &pulumirpc.ConstructRequest{
		Project: "project", Stack: "stack", Type: componentType, Name: "component",
		MonitorEndpoint: m.address, Parallel: 4, AcceptsOutputValues: true,
	}
}

// component is the registration of the component.
func (m *testMonitor) component() *pulumirpc.RegisterResourceRequest {
	return m.Registrations()[componentURN].Request
}

// constructBySDK constructs a component with the Pulumi SDK alone. Its context ends, as that of a request does.
func (m *testMonitor) constructBySDK(t *testing.T) *pulumirpc.ConstructResponse {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	resp, err := host.Construct(ctx, m.request(), m.engine.EngineConn(), constructWithChild)
	check(t, err)
	return resp
}

// constructByFramework constructs a component with ProgramConstruct of pulumi-go-provider.
func (m *testMonitor) constructByFramework(
	t *testing.T, req *pulumirpc.ConstructRequest,
) *pulumirpc.ConstructResponse {
	t.Helper()
	server, err := p.RawServer("test", "1.0.0", p.Provider{
		Construct: func(ctx context.Context, req p.ConstructRequest) (p.ConstructResponse, error) {
			return p.ProgramConstruct(ctx, req, constructWithChild)
		},
	})(m.engine)
	check(t, err)
	resp, err := server.Construct(t.Context(), req)
	check(t, err)
	return resp
}

// constructWithChild registers a component with a child, whose ID is the component's output childId.
func constructWithChild(
	ctx *pulumi.Context, typ, name string, _ host.ConstructInputs, options pulumi.ResourceOption,
) (*host.ConstructResult, error) {
	var (
		component struct{ pulumi.ResourceState }
		child     struct{ pulumi.CustomResourceState }
	)
	if err := ctx.RegisterComponentResource(typ, name, &component, options); err != nil {
		return nil, err
	}
	if err := ctx.RegisterResource(childType, "child", pulumi.Map{}, &child, pulumi.Parent(&component)); err != nil {
		return nil, err
	}
	return &host.ConstructResult{URN: component.URN(), State: pulumi.Map{"childId": child.ID()}}, nil
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// staysTrue reports whether a condition holds for a second: what a library closes on the side has the time to end.
func staysTrue(condition func() bool) bool {
	for deadline := time.Now().Add(time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if !condition() {
			return false
		}
	}
	return condition()
}

// becomesTrue reports whether a condition holds in the end.
func becomesTrue(condition func() bool) bool {
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if condition() {
			return true
		}
	}
	return condition()
}
