package provider

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
)

// startComponent starts the plugin with a component of its own.
func startComponent(
	t *testing.T, register func(*pulumi.Context, string) (*RobotAccount, error),
) *testPlugin {
	t.Helper()
	return startPlugin(t, map[tokens.Type]component{robotAccountToken: {
		check: func(*input.Inputs, string) {},
		construct: func(c *construction) (pulumi.ComponentResource, error) {
			return register(c.Context, c.name)
		},
	}}, time.Now)
}

func TestPanicBecomesAnError(t *testing.T) {
	t.Parallel()
	calls := 0
	tp := startComponent(t, func(ctx *pulumi.Context, name string) (*RobotAccount, error) {
		calls++
		switch calls {
		case 1:
			var none []string
			_ = none[calls] //nolint:govet // It is to panic.
		case 2:
			panic("s3cr3t")
		}
		robot := &RobotAccount{}
		return robot, ctx.RegisterComponentResource(robotAccountToken, name, robot)
	})
	for _, want := range []string{"index out of range", "panic: string"} {
		_, err := tp.Construct(t.Context(), tp.robotRequest(t, nil))
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "please report it") {
			t.Errorf("a panic gives %v, without %q", err, want)
		}
		if strings.Contains(err.Error(), "s3cr3t") {
			t.Errorf("the error shows the panic's value: %v", err)
		}
	}
	if _, err := tp.Construct(t.Context(), tp.robotRequest(t, nil)); err != nil {
		t.Errorf("the plugin is of no use after a panic: %v", err)
	}
}

// TestCancellationIsNotBlamedOnTheComponent checks that a component whose child is cancelled, because the update failed
// elsewhere, has no error of its own.
func TestCancellationIsNotBlamedOnTheComponent(t *testing.T) {
	t.Parallel()
	failed := make(chan struct{})
	tp := startComponent(t, func(*pulumi.Context, string) (*RobotAccount, error) {
		defer close(failed)
		return nil, fmt.Errorf("awaiting input property %q: %w", "group",
			status.Error(codes.Canceled, context.Canceled.Error()))
	})
	ended := make(chan error, 1)
	go func() {
		_, err := tp.Construct(t.Context(), tp.robotRequest(t, nil))
		ended <- err
	}()
	<-failed
	_, err := tp.Cancel(t.Context(), &emptypb.Empty{})
	check(t, err)
	if err := <-ended; err != nil {
		t.Errorf("a cancellation gives %v", err)
	}
}

// TestCancelWaitsForConstructs says that the engine, which hangs up once it has cancelled, has been told before what
// became of each construct.
func TestCancelWaitsForConstructs(t *testing.T) {
	t.Parallel()
	started := make(chan struct{})
	tp := startComponent(t, func(ctx *pulumi.Context, _ string) (*RobotAccount, error) {
		close(started)
		<-ctx.Context().Done()
		time.Sleep(100 * time.Millisecond) // It takes its time.
		return nil, ctx.Context().Err()
	})
	ended := make(chan error, 1)
	go func() {
		_, err := tp.Construct(t.Context(), tp.robotRequest(t, nil))
		ended <- err
	}()
	<-started
	_, err := tp.Cancel(t.Context(), &emptypb.Empty{})
	check(t, err)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("a construct that is cancelled gives %v", err)
		}
	default:
		t.Error("Cancel returns before the construct has")
	}
	began := time.Now()
	if _, err := tp.Cancel(t.Context(), &emptypb.Empty{}); err != nil || time.Since(began) > 50*time.Millisecond {
		t.Errorf("with nothing under way, Cancel takes %v and gives %v", time.Since(began), err)
	}
}

// TestCancelAfterAFailure checks that an engine which cancels because a construct has failed gets an answer to the
// constructs that it sends meanwhile, and shows no error of theirs.
func TestCancelAfterAFailure(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	if _, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{"path": strs("x")})); err == nil {
		t.Fatal("a path that is a list is taken")
	}
	cancelled := make(chan time.Time)
	go func() {
		_, err := tp.Cancel(t.Context(), &emptypb.Empty{})
		if err != nil {
			t.Error(err)
		}
		cancelled <- time.Now()
	}()
	time.Sleep(50 * time.Millisecond)
	if _, err := tp.Construct(t.Context(), tp.robotRequest(t, nil)); err != nil {
		t.Errorf("a construct that comes meanwhile gives %v", err)
	}
	if answered := time.Now(); !answered.Before(<-cancelled) {
		t.Error("Cancel returns before the construct has")
	}
}

// TestAttachAfterCancel says that a plugin which an engine has attached to serves the next one: each preview and each
// update attaches, and cancels when it ends.
func TestAttachAfterCancel(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Cancel(t.Context(), &emptypb.Empty{})
	check(t, err)
	// The engine that cancelled shows no error of what its program still asks for.
	if _, err := tp.Construct(t.Context(), tp.robotRequest(t, nil)); err != nil || len(tp.registered()) > 0 {
		t.Errorf("a construct after Cancel gives %v, and registers %v", err, tp.registered())
	}
	_, err = tp.Attach(t.Context(), &pulumirpc.PluginAttach{Address: tp.engineAddress})
	check(t, err)
	for _, req := range []*pulumirpc.ConstructRequest{tp.robotRequest(t, nil), tp.keyRequest(t, nil)} {
		_, err := tp.Construct(t.Context(), req)
		check(t, err)
	}
}

func TestPanicInAnApplyBecomesAnError(t *testing.T) {
	t.Parallel()
	var none []string
	for want, f := range map[string]func(any) (string, error){
		"index out of range":               guarded(func(i int) (string, error) { return none[i], nil }),
		"a int where a string is expected": guarded(func(s string) (string, error) { return s, nil }),
	} {
		if _, err := f(1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("it gives %v, and not %q", err, want)
		}
	}
}

func TestOldEngineIsRefused(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	req := tp.robotRequest(t, nil)
	req.AcceptsOutputValues = false
	if _, err := tp.Construct(t.Context(), req); status.Code(err) != codes.FailedPrecondition {
		t.Errorf("an engine that does not accept output values gets %v", err)
	}
}

// TestMalformedRequests checks that requests which no engine sends are answered with an error, and that the plugin is
// of use afterwards.
func TestMalformedRequests(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	noKind := &structpb.Struct{Fields: map[string]*structpb.Value{"userName": {}}}
	for want, call := range map[string]func() error{
		"names no resource monitor": func() error {
			req := tp.robotRequest(t, nil)
			req.MonitorEndpoint = ""
			_, err := tp.Construct(t.Context(), req)
			return err
		},
		"has no method": func() error {
			_, err := tp.ResourceProviderClient.Call(t.Context(), &pulumirpc.CallRequest{Tok: "cicd:index:none"})
			return err
		},
		"panic: string": func() error { // The SDK's.
			_, err := tp.Check(t.Context(), &pulumirpc.CheckRequest{News: noKind})
			return err
		},
		"no such resource": func() error {
			_, err := tp.Delete(t.Context(), &pulumirpc.DeleteRequest{Urn: "urn:pulumi:a::b"})
			return err
		},
		"has no component": func() error {
			_, err := tp.Construct(t.Context(), tp.request(t, strings.Repeat("long", 1<<20), nil))
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 100_000 {
			t.Errorf("the error does not say %q: %.500v", want, err)
		}
	}
	// The reference of a provider resource that is none does not reach the access key.
	for _, urn := range []string{"x", "urn:pulumi:stack::project::a:b:C::x"} {
		_, err := tp.Configure(t.Context(), &pulumirpc.ConfigureRequest{Urn: &urn, Id: &urn})
		check(t, err)
		_, err = tp.Construct(t.Context(), tp.keyRequest(t, nil))
		check(t, err)
	}
}

func TestAliasesReachTheComponent(t *testing.T) {
	t.Parallel()
	const team = "urn:pulumi:stack::project::my:index:Team::team"
	spec := func(s *pulumirpc.Alias_Spec) *pulumirpc.Alias {
		return &pulumirpc.Alias{Alias: &pulumirpc.Alias_Spec_{Spec: s}}
	}
	given := []*pulumirpc.Alias{
		{Alias: &pulumirpc.Alias_Urn{Urn: "urn:pulumi:a::b::" + robotAccountToken + "::c"}},
		spec(&pulumirpc.Alias_Spec{Name: "old", Parent: &pulumirpc.Alias_Spec_NoParent{}}),
		spec(&pulumirpc.Alias_Spec{Parent: &pulumirpc.Alias_Spec_NoParent{NoParent: true}}),
		spec(&pulumirpc.Alias_Spec{Parent: &pulumirpc.Alias_Spec_ParentUrn{ParentUrn: team}}),
		spec(&pulumirpc.Alias_Spec{Type: "a:b:C", Stack: "s", Project: "p", Parent: &pulumirpc.Alias_Spec_NoParent{}}),
	}
	tp := startProvider(t)
	req := tp.robotRequest(t, resource.PropertyMap{})
	req.Aliases = given
	_, err := tp.Construct(t.Context(), req)
	check(t, err)
	i := slices.IndexFunc(tp.registered(), func(r *pulumirpc.RegisterResourceRequest) bool {
		return r.GetType() == robotAccountToken
	})
	if aliases := tp.registered()[i].GetAliases(); !slices.EqualFunc(aliases, given, func(a, b *pulumirpc.Alias) bool {
		return proto.Equal(a, b)
	}) {
		t.Errorf("the component is registered with the aliases %v, not %v", aliases, given)
	}
}

// TestConstructsLeaveNothingOpen says that constructs leave no goroutines, and so no connections, behind.
func TestConstructsLeaveNothingOpen(t *testing.T) {
	tp := startProvider(t) // Not in parallel with tests that come and go.
	construct := func(times int) int {
		t.Helper()
		for range times {
			for _, req := range []*pulumirpc.ConstructRequest{tp.robotRequest(t, nil), tp.keyRequest(t, nil)} {
				_, err := tp.Construct(t.Context(), req)
				check(t, err)
			}
		}
		// What was closed takes a moment to end.
		count := runtime.NumGoroutine()
		for range 100 {
			time.Sleep(10 * time.Millisecond)
			count = min(count, runtime.NumGoroutine())
		}
		return count
	}
	before := construct(1)
	if after := construct(50); after > before+20 {
		t.Errorf("after 100 constructs there are %d goroutines, and %d before", after, before)
	}
}

// TestOneLookUp says that AWS is asked for the caller's identity once for each provider of a deployment, however many
// robots and roles there are.
func TestOneLookUp(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	const other = "urn:pulumi:stack::project::pulumi:providers:aws::other::" + testProviderID
	var constructs sync.WaitGroup
	for _, provider := range []string{"", other} {
		for range 20 {
			constructs.Go(func() {
				req := tp.robotRequest(t, nil)
				if provider != "" {
					req.Providers = map[string]string{"aws": provider}
				}
				if _, err := tp.Construct(t.Context(), req); err != nil {
					t.Error(err)
				}
			})
		}
	}
	constructs.Wait()
	asked := map[string]int{}
	for _, invoke := range tp.invokes {
		if strings.HasSuffix(invoke.Token, ":getCallerIdentity") {
			asked[invoke.Provider]++
		}
	}
	if len(asked) != 2 || asked[""] != 1 || asked[other] != 1 {
		t.Errorf("the identity is asked for %v times, by provider", asked)
	}
}

// TestOneVersionCheck checks that the constructs of a deployment ask for the version of the CLI once, and register one
// error hook.
func TestOneVersionCheck(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	for range 3 {
		_, err := tp.Construct(t.Context(), tp.robotRequest(t, nil))
		check(t, err)
	}
	if tp.versionCalls != 1 || tp.hookCalls != 1 {
		t.Errorf("three constructs ask %d times, and register %d hooks", tp.versionCalls, tp.hookCalls)
	}
}

// TestOneLookUpFails says that the error of a look-up is told once, however many wait for it.
func TestOneLookUpFails(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	tp.callerARN = "none"
	const count = 20
	errs := make(chan error, count)
	for range count {
		go func() {
			_, err := tp.Construct(t.Context(), tp.robotRequest(t, nil))
			errs <- err
		}()
	}
	// The engine cancels the others once one has told.
	told := 0
	if err := <-errs; err == nil || !strings.Contains(err.Error(), "look up the AWS account: ") {
		t.Errorf("the error is %v", err)
	}
	_, err := tp.Cancel(t.Context(), &emptypb.Empty{})
	check(t, err)
	for range count - 1 {
		if err := <-errs; err != nil && !strings.Contains(err.Error(), "see the other errors") {
			told++
		}
	}
	if told != 0 {
		t.Errorf("the error is told %d more times", told)
	}
}
