// Package engine is what a plugin talks to, without all that makes Pulumi slow: an engine and a resource monitor that
// answer at once, and a client that starts a plugin for them.
package engine

import (
	"context"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

const (
	project = "project"
	stack   = "stack"
	account = "123456789012"
)

// An Engine is an engine with its resource monitor. Every resource that is registered is made, and every look-up is
// answered.
type Engine struct {
	// Address is the engine's, and Monitor the resource monitor's.
	Address, Monitor string

	// Resources counts the registrations, and LookUps how often AWS was asked who calls.
	Resources, LookUps atomic.Int64
	// Accepted counts the connections that were made to either of both.
	Accepted atomic.Int64

	servers []*grpc.Server
}

// Start starts both on 127.0.0.1.
func Start() (*Engine, error) {
	e := &Engine{}
	var err error
	if e.Address, err = e.serve(func(s *grpc.Server) { pulumirpc.RegisterEngineServer(s, host{}) }); err != nil {
		return nil, err
	}
	e.Monitor, err = e.serve(func(s *grpc.Server) { pulumirpc.RegisterResourceMonitorServer(s, monitor{engine: e}) })
	if err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// Close ends both.
func (e *Engine) Close() {
	for _, server := range e.servers {
		server.Stop()
	}
}

func (e *Engine) serve(register func(*grpc.Server)) (address string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := grpc.NewServer()
	register(server)
	e.servers = append(e.servers, server)
	go func() { _ = server.Serve(counted{l, &e.Accepted}) }()
	return l.Addr().String(), nil
}

// counted counts the connections that a listener accepts.
type counted struct {
	net.Listener
	accepted *atomic.Int64
}

// Accept accepts a connection.
func (l counted) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if err == nil {
		l.accepted.Add(1)
	}
	return conn, err
}

// host is the engine.
type host struct {
	pulumirpc.UnimplementedEngineServer
}

// Log takes a message.
func (host) Log(context.Context, *pulumirpc.LogRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RequirePulumiVersion says that the CLI is new enough.
func (host) RequirePulumiVersion(
	context.Context, *pulumirpc.RequirePulumiVersionRequest,
) (*pulumirpc.RequirePulumiVersionResponse, error) {
	return &pulumirpc.RequirePulumiVersionResponse{}, nil
}

// monitor is the resource monitor.
type monitor struct {
	pulumirpc.UnimplementedResourceMonitorServer
	engine *Engine
}

// features are those that today's engine supports: all.
var features = func() (all []pulumirpc.ResourceMonitorFeature) {
	for _, f := range slices.Sorted(maps.Keys(pulumirpc.ResourceMonitorFeature_name)) {
		all = append(all, pulumirpc.ResourceMonitorFeature(f))
	}
	return all
}()

// GetDeploymentInfo answers as an update does.
func (monitor) GetDeploymentInfo(context.Context, *emptypb.Empty) (*pulumirpc.DeploymentInfo, error) {
	return &pulumirpc.DeploymentInfo{
		Project: project, Stack: stack, Organization: "organization", Parallel: 16, SupportedFeatures: features,
	}, nil
}

// SupportsFeature says yes.
func (monitor) SupportsFeature(
	context.Context, *pulumirpc.SupportsFeatureRequest,
) (*pulumirpc.SupportsFeatureResponse, error) {
	return &pulumirpc.SupportsFeatureResponse{HasSupport: true}, nil
}

// RegisterResourceOutputs takes outputs.
func (monitor) RegisterResourceOutputs(
	context.Context, *pulumirpc.RegisterResourceOutputsRequest,
) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterResourceHook takes a hook, which is never called.
func (monitor) RegisterResourceHook(context.Context, *pulumirpc.RegisterResourceHookRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterErrorHook takes a hook, which is never called.
func (monitor) RegisterErrorHook(context.Context, *pulumirpc.RegisterErrorHookRequest) (*emptypb.Empty, error) {
	return &emptypb.Empty{}, nil
}

// RegisterResource makes a resource as AWS would.
func (m monitor) RegisterResource(
	_ context.Context, req *pulumirpc.RegisterResourceRequest,
) (*pulumirpc.RegisterResourceResponse, error) {
	m.engine.Resources.Add(1)
	urn := string(urnOf(req.GetParent(), req.GetType(), req.GetName()))
	if !req.GetCustom() {
		return &pulumirpc.RegisterResourceResponse{Urn: urn}, nil
	}
	state := make(map[string]*structpb.Value, len(req.GetObject().GetFields())+3)
	for name, v := range req.GetObject().GetFields() {
		state[name] = plain(v)
	}
	if state["name"] == nil {
		state["name"] = structpb.NewStringValue(req.GetName() + "-1a2b3c4")
	}
	if strings.HasSuffix(req.GetType(), ":AccessKeyRotation") {
		// What the plugin's Check makes of a user without keys.
		state["generation"], state["first"] = structpb.NewNumberValue(1), structpb.NewNumberValue(1)
		state["previousGeneration"], state["previous"] = structpb.NewNumberValue(0), structpb.NewStringValue("")
		state["before"] = structpb.NewListValue(&structpb.ListValue{})
		state["secretSlot"], state["ssmSlot"] = structpb.NewNumberValue(1), structpb.NewNumberValue(1)
		state["retiringSecret"], state["revocation"] = structpb.NewStringValue(""), structpb.NewStringValue("")
		for has, name := range map[string]string{"hasSecret": "secretName", "hasParameters": "ssmPath"} {
			state[has] = structpb.NewBoolValue(state[name].GetStringValue() != "")
		}
	}
	if strings.HasSuffix(req.GetType(), ":AccessKey") {
		state["createDate"] = structpb.NewStringValue("2026-01-02T03:04:05Z")
		state["secret"], state["encryptedSecret"] = structpb.NewStringValue("secret"), structpb.NewStringValue("encrypted")
	}
	state["arn"] = structpb.NewStringValue("arn:aws:iam::" + account + ":" + req.GetName())
	state["uniqueId"] = structpb.NewStringValue("AIDAEXAMPLE")
	return &pulumirpc.RegisterResourceResponse{
		Urn: urn, Id: state["name"].GetStringValue(), Object: &structpb.Struct{Fields: state},
	}, nil
}

func urnOf(parent, typ, name string) resource.URN {
	var parentType tokens.Type
	if p := resource.URN(parent); p != "" && p.QualifiedType() != resource.RootStackType {
		parentType = p.QualifiedType()
	}
	return resource.NewURN(stack, project, parentType, tokens.Type(typ), name)
}

// plain returns a value as the engine gives it to programs: outputs are what they hold.
func plain(v *structpb.Value) *structpb.Value {
	switch {
	case v.GetStructValue() != nil:
		fields := v.GetStructValue().GetFields()
		if fields[resource.SigKey].GetStringValue() == resource.OutputValueSig {
			return plain(fields["value"])
		}
		object := make(map[string]*structpb.Value, len(fields))
		for name, field := range fields {
			object[name] = plain(field)
		}
		return structpb.NewStructValue(&structpb.Struct{Fields: object})
	case v.GetListValue() != nil:
		list := make([]*structpb.Value, len(v.GetListValue().GetValues()))
		for i, element := range v.GetListValue().GetValues() {
			list[i] = plain(element)
		}
		return structpb.NewListValue(&structpb.ListValue{Values: list})
	default:
		return v
	}
}

// Invoke answers what the package's components ask.
func (m monitor) Invoke(
	_ context.Context, req *pulumirpc.ResourceInvokeRequest,
) (*pulumirpc.ResourceInvokeResponse, error) {
	answer := map[string]*structpb.Value{}
	switch tok := req.GetTok(); {
	case strings.HasSuffix(tok, ":getCallerIdentity"):
		m.engine.LookUps.Add(1)
		answer["accountId"] = structpb.NewStringValue(account)
		answer["arn"] = structpb.NewStringValue("arn:aws:iam::" + account + ":user/me")
		answer["id"], answer["userId"] = answer["accountId"], structpb.NewStringValue("AIDAEXAMPLE")
	case strings.HasSuffix(tok, ":getAccessKeys"):
		answer["accessKeys"] = structpb.NewListValue(&structpb.ListValue{})
	}
	return &pulumirpc.ResourceInvokeResponse{Return: &structpb.Struct{Fields: answer}}, nil
}

// Request is what the engine sends to have a component constructed, with inputs that are plain.
func (e *Engine) Request(typ, name string, inputs map[string]any) (*pulumirpc.ConstructRequest, error) {
	object, err := structpb.NewStruct(inputs)
	return &pulumirpc.ConstructRequest{
		Project: project, Stack: stack, Organization: "organization", Type: typ, Name: name,
		Parent:          string(resource.DefaultRootStackURN(stack, project)),
		MonitorEndpoint: e.Monitor, Inputs: object, Parallel: 16, AcceptsOutputValues: true,
	}, err
}
