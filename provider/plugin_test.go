package provider

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi-go-provider/integration/fake"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

// testPlugin is the plugin's server behind a real gRPC connection, between an engine and a resource monitor
// that only note what they are asked. It is how the engine meets the plugin, short of the process.
type testPlugin struct {
	pulumirpc.ResourceProviderClient
	// conn is the connection of the client.
	conn    *grpc.ClientConn
	monitor string
	engine  *fake.EngineServer
	// engineAddress is where the engine listens.
	engineAddress string
	// callerARN is what sts:GetCallerIdentity answers; empty, the AWS provider's configuration is not known.
	callerARN string
	// defaultTags are those of the AWS provider.
	defaultTags resource.PropertyMap
	// oldCLI says that the engine is of a CLI that cannot do all that access keys need.
	oldCLI bool
	// skips says that the engine skips components, because of --target.
	skips bool
	// noHooks says that the resource monitor takes no hooks.
	noHooks bool
	// userKeys are the access keys that AWS lists, by ID, with the time at which each was made.
	userKeys map[string]string
	// exist are the IAM objects that AWS has, by the type of their look-up and the name that it is asked for.
	exist map[string]resource.PropertyMap
	// noLookUp is the error with which AWS answers a look-up of anything else, if it is not that there is none.
	noLookUp string
	// state is what AWS answers of new resources beside their inputs, by type.
	state map[string]resource.PropertyMap
	// keyStatus is the status of all of them, if they are not active.
	keyStatus string
	// fails is the error with which AWS answers the creation of a custom resource, if it does.
	fails string
	// errorHooks are the registered error hooks, by name.
	errorHooks map[string]*pulumirpc.Callback
	// versionCalls are how often the plugin asked for the version of the CLI, and hookCalls how often it registered an
	// error hook.
	versionCalls, hookCalls int
	// noted is the journal of access keys that the engine has noted.
	noted *structpb.Struct

	mu      sync.Mutex
	invokes []pulumi.MockCallArgs
	// looked are the versions that look-ups of AWS ask for, by function.
	looked        map[string][]string
	registrations []*pulumirpc.RegisterResourceRequest
}

const (
	testAccount = "123456789012"
	testCaller  = "arn:aws:iam::" + testAccount + ":user/me"

	// testCreated is when AWS created every access key.
	testCreated = "2026-01-02T03:04:05Z"

	testProviderID = "0b9d4f6e-0000-0000-0000-000000000000"
)

func startPlugin(t testing.TB, components map[tokens.Type]component, now func() time.Time) *testPlugin {
	t.Helper()
	tp := &testPlugin{callerARN: testCaller, engine: fake.NewEngineServer()}
	ctx, cancel := context.WithCancel(context.Background())
	t.Cleanup(cancel)

	engine, _, err := fake.StartEngineServer(ctx, testEngine{tp.engine, tp})
	check(t, err)
	tp.engineAddress = engine
	tp.monitor, _, err = fake.StartMonitorServer(ctx, testMonitor{fake.NewResourceMonitorServer(tp), tp})
	check(t, err)
	client, err := host.NewHostClient(engine)
	check(t, err)
	pkg, err := served(components, now)
	check(t, err)
	srv, err := serve.NewServer(client, pkg)
	check(t, err)

	stop := make(chan bool)
	t.Cleanup(func() { close(stop) })
	handle, err := rpcutil.ServeWithOptions(rpcutil.ServeOptions{
		Cancel: stop,
		Init: func(s *grpc.Server) error {
			pulumirpc.RegisterResourceProviderServer(s, srv)
			return nil
		},
	})
	check(t, err)
	conn, err := grpc.NewClient("127.0.0.1:"+strconv.Itoa(handle.Port), grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(t, err)
	t.Cleanup(func() { check(t, conn.Close()) })
	tp.ResourceProviderClient, tp.conn = pulumirpc.NewResourceProviderClient(conn), conn
	return tp
}

// testEngine is an engine that says what its version is.
type testEngine struct {
	*fake.EngineServer
	tp *testPlugin
}

// RequirePulumiVersion answers as the CLI does.
func (e testEngine) RequirePulumiVersion(
	context.Context, *pulumirpc.RequirePulumiVersionRequest,
) (*pulumirpc.RequirePulumiVersionResponse, error) {
	e.tp.mu.Lock()
	defer e.tp.mu.Unlock()
	e.tp.versionCalls++
	if e.tp.oldCLI {
		return nil, status.Error(codes.FailedPrecondition, "the CLI is too old")
	}
	return &pulumirpc.RequirePulumiVersionResponse{}, nil
}

// testMonitor is a resource monitor that takes hooks.
type testMonitor struct {
	*fake.ResourceMonitorServer
	tp *testPlugin
}

// RegisterResource answers a registration.
func (m testMonitor) RegisterResource(
	ctx context.Context, req *pulumirpc.RegisterResourceRequest,
) (*pulumirpc.RegisterResourceResponse, error) {
	answer, err := m.ResourceMonitorServer.RegisterResource(ctx, req)
	if err == nil && m.tp.skips && !req.GetCustom() {
		answer.Id, answer.Unknown = "", true
	}
	return answer, err
}

// RegisterResourceHook takes a hook.
func (m testMonitor) RegisterResourceHook(
	context.Context, *pulumirpc.RegisterResourceHookRequest,
) (*emptypb.Empty, error) {
	if m.tp.noHooks {
		return nil, status.Error(codes.Unavailable, "no hooks")
	}
	return &emptypb.Empty{}, nil
}

// RegisterErrorHook takes an error hook.
func (m testMonitor) RegisterErrorHook(
	_ context.Context, req *pulumirpc.RegisterErrorHookRequest,
) (*emptypb.Empty, error) {
	if m.tp.noHooks {
		return nil, status.Error(codes.Unavailable, "no hooks")
	}
	m.tp.mu.Lock()
	defer m.tp.mu.Unlock()
	if m.tp.errorHooks == nil {
		m.tp.errorHooks = map[string]*pulumirpc.Callback{}
	}
	m.tp.hookCalls++
	m.tp.errorHooks[req.GetName()] = req.GetCallback()
	return &emptypb.Empty{}, nil
}

// Invoke notes the version that a look-up asks for.
func (m testMonitor) Invoke(
	ctx context.Context, req *pulumirpc.ResourceInvokeRequest,
) (*pulumirpc.ResourceInvokeResponse, error) {
	if strings.HasPrefix(req.GetTok(), "aws:") {
		m.tp.mu.Lock()
		if m.tp.looked == nil {
			m.tp.looked = map[string][]string{}
		}
		m.tp.looked[req.GetTok()] = append(m.tp.looked[req.GetTok()], req.GetVersion())
		m.tp.mu.Unlock()
	}
	return m.ResourceMonitorServer.Invoke(ctx, req)
}

// fail answers a creation with tp.fails, after the resource's error hooks, as the engine does.
func (tp *testPlugin) fail(args pulumi.MockResourceArgs) error {
	urn := serve.URNOf("stack", "project", args.RegisterRPC.GetParent(), args.TypeToken, args.Name)
	request, err := proto.Marshal(&pulumirpc.ErrorHookRequest{
		Urn: string(urn), Name: args.Name, Type: args.TypeToken, FailedOperation: "create", Errors: []string{tp.fails},
		NewInputs: args.RegisterRPC.GetObject(),
	})
	if err != nil {
		return err
	}
	for _, name := range args.RegisterRPC.GetHooks().GetOnError() {
		tp.mu.Lock()
		hook := tp.errorHooks[name]
		tp.mu.Unlock()
		conn, err := grpc.NewClient(hook.GetTarget(), grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			return err
		}
		answer, err := pulumirpc.NewCallbacksClient(conn).Invoke(context.Background(), &pulumirpc.CallbackInvokeRequest{
			Token: hook.GetToken(), Request: request,
		})
		if err := errors.Join(err, conn.Close()); err != nil {
			return err
		}
		var response pulumirpc.ErrorHookResponse
		if err := proto.Unmarshal(answer.GetResponse(), &response); err != nil {
			return err
		}
		if response.GetError() != "" || response.GetRetry() {
			return fmt.Errorf("the error hook answers %v", &response)
		}
	}
	return errors.New(tp.fails)
}

// startProvider starts the plugin with the components that it is released with.
func startProvider(t testing.TB) *testPlugin {
	t.Helper()
	return startPlugin(t, components, time.Now)
}

// Call answers the look-up of the caller's identity, and the SDK's of the resources that it is given.
func (tp *testPlugin) Call(args pulumi.MockCallArgs) (resource.PropertyMap, error) {
	if args.Token == "pulumi:pulumi:getResource" {
		return resource.PropertyMap{
			"urn": args.Args["urn"], "id": resource.NewProperty(testProviderID),
			"state": resource.NewProperty(resource.PropertyMap{}),
		}, nil
	}
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tp.invokes = append(tp.invokes, args)
	if args.Token == "aws:iam/getAccessKeys:getAccessKeys" {
		keys := []resource.PropertyValue{}
		for id, created := range tp.userKeys {
			keys = append(keys, resource.NewProperty(resource.PropertyMap{
				"accessKeyId": resource.NewProperty(id), "status": resource.NewProperty(cmp.Or(tp.keyStatus, "Active")),
				"createDate": resource.NewProperty(created),
			}))
		}
		return resource.PropertyMap{"accessKeys": resource.NewProperty(keys)}, nil
	}
	if kind, isLookUp := strings.CutPrefix(args.Token, "aws:iam/get"); isLookUp {
		kind, _, _ = strings.Cut(kind, ":")
		for _, name := range []resource.PropertyKey{"userName", "groupName", "name", "arn"} {
			if v := args.Args[name]; v.IsString() && tp.exist[kind+" "+v.StringValue()] != nil {
				return tp.exist[kind+" "+v.StringValue()], nil
			}
		}
		return nil, errors.New(cmp.Or(tp.noLookUp, "reading IAM "+kind+": couldn't find resource"))
	}
	if tp.callerARN == "" {
		return resource.PropertyMap{}, nil
	}
	if args.Token == "aws:index/getDefaultTags:getDefaultTags" {
		return resource.PropertyMap{"id": resource.NewProperty("aws"), "tags": resource.NewProperty(tp.defaultTags)}, nil
	}
	return resource.PropertyMap{
		"arn": resource.NewProperty(tp.callerARN), "accountId": resource.NewProperty(testAccount),
		"id": resource.NewProperty(testAccount), "userId": resource.NewProperty("AIDAEXAMPLE"),
	}, nil
}

// NewResource answers a registration as AWS would.
func (tp *testPlugin) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	tp.mu.Lock()
	tp.registrations = append(tp.registrations, args.RegisterRPC)
	tp.mu.Unlock()
	if tp.fails != "" && args.RegisterRPC.GetCustom() {
		return "", nil, tp.fail(args)
	}
	tp.mu.Lock()
	defer tp.mu.Unlock()
	if args.TypeToken == journalToken {
		return tp.note(args)
	}
	state := maps.Clone(args.Inputs)
	maps.DeleteFunc(state, func(_ resource.PropertyKey, v resource.PropertyValue) bool { return v.ContainsUnknowns() })
	defaults := resource.PropertyMap{"name": resource.NewProperty(args.Name + "-1a2b3c4"), "path": resource.NewProperty("/")}
	for name, value := range defaults {
		if _, given := args.Inputs[name]; !given {
			state[name] = value
		}
	}
	kind := args.TypeToken[strings.LastIndex(args.TypeToken, ":")+1:]
	if kind == "AccessKey" {
		state["createDate"], state["secret"] = resource.NewProperty(testCreated), resource.NewProperty("secret of "+args.Name)
	}
	maps.Copy(state, tp.state[args.TypeToken])
	state["arn"] = resource.NewProperty("arn:" + kind)
	state["uniqueId"] = resource.NewProperty("ID" + kind)
	return args.Name + "-id", state, nil
}

// note keeps the journal of access keys as the engine does: what Check makes of it is the resource.
func (tp *testPlugin) note(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	checked, err := tp.Check(context.Background(), &pulumirpc.CheckRequest{
		Urn:  string(resource.NewURN("stack", "project", "", journalToken, args.Name)),
		Olds: tp.noted, News: args.RegisterRPC.GetObject(),
	})
	if err != nil {
		return "", nil, err
	}
	if failures := checked.GetFailures(); len(failures) > 0 {
		return "", nil, errors.New(failures[0].GetReason())
	}
	tp.noted = checked.GetInputs()
	state, err := plugin.UnmarshalProperties(tp.noted, plugin.MarshalOptions{KeepUnknowns: true, KeepSecrets: true})
	return args.Name, state, err
}

// robotRequest is a request for a robot account, as the engine sends it.
func (tp *testPlugin) robotRequest(t *testing.T, inputs resource.PropertyMap) *pulumirpc.ConstructRequest {
	t.Helper()
	return tp.request(t, robotAccountToken, inputs)
}

// request is a request for a component, as the engine sends it.
func (tp *testPlugin) request(t testing.TB, token string, inputs resource.PropertyMap) *pulumirpc.ConstructRequest {
	t.Helper()
	object, err := plugin.MarshalProperties(inputs, plugin.MarshalOptions{
		KeepUnknowns: true, KeepSecrets: true, KeepResources: true, KeepOutputValues: true,
	})
	check(t, err)
	return &pulumirpc.ConstructRequest{
		Project: "project", Stack: "stack", Type: token, Name: "robot",
		Parent:          "urn:pulumi:stack::project::pulumi:pulumi:Stack::project-stack",
		MonitorEndpoint: tp.monitor, Inputs: object, Parallel: 4, AcceptsOutputValues: true,
	}
}

// registered returns the registrations, ordered by type.
func (tp *testPlugin) registered() []*pulumirpc.RegisterResourceRequest {
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return slices.SortedFunc(slices.Values(tp.registrations), func(a, b *pulumirpc.RegisterResourceRequest) int {
		return cmp.Or(cmp.Compare(a.GetType(), b.GetType()), cmp.Compare(a.GetName(), b.GetName()))
	})
}

// child returns the inputs of the only child of the type.
func (tp *testPlugin) child(t *testing.T, token string) resource.PropertyMap {
	t.Helper()
	for _, r := range tp.registered() {
		if r.GetType() == token {
			return unmarshal(t, r.GetObject())
		}
	}
	t.Fatalf("no %s is registered", token)
	return nil
}
