package serve

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	host "github.com/pulumi/pulumi/sdk/v3/go/pulumi/provider"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
)

// TestEndWaits says that the end of a session cancels its constructs and waits for them, and that there are none later.
func TestEndWaits(t *testing.T) {
	t.Parallel()
	s := newSession()
	var returned atomic.Int64
	const count = 10
	for range count {
		ctx, end := s.begin(t.Context())
		go func() {
			<-ctx.Done()
			time.Sleep(10 * time.Millisecond) // It takes its time.
			returned.Add(1)
			end()
		}()
	}
	s.end(time.Minute)
	if returned.Load() != count {
		t.Errorf("%d of %d constructs have returned", returned.Load(), count)
	}
	ctx, end := s.begin(t.Context())
	defer end()
	select {
	case <-ctx.Done():
	case <-time.After(30 * time.Second):
		t.Error("a construct after the end is not cancelled")
	}
}

// TestEndWaitsForItsOwn says that the end of a session does not wait for the constructs of another one, nor for one
// that never returns.
func TestEndWaitsForItsOwn(t *testing.T) {
	t.Parallel()
	stuck, s := newSession(), newSession()
	_, returns := stuck.begin(t.Context())
	defer returns()
	began := time.Now()
	s.end(time.Minute)
	if !stuck.end(10 * time.Millisecond) {
		t.Error("it does not say that it waited")
	}
	if waited := time.Since(began); waited > 30*time.Second {
		t.Errorf("it waits for %v", waited)
	}
}

// TestStuckConstructOfAnOldSession says that a construct which does not return is of no concern to the next engine.
func TestStuckConstructOfAnOldSession(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	started, release := make(chan struct{}), make(chan struct{})
	constructs := map[tokens.Type]host.ConstructFunc{
		componentType: constructWithChild,
		"test:index:Stuck": func(
			*pulumi.Context, string, string, host.ConstructInputs, pulumi.ResourceOption,
		) (*host.ConstructResult, error) {
			close(started)
			<-release
			return nil, errors.New("released")
		},
	}
	pkg := Package{Name: "test", Version: "1.0.0", Components: map[tokens.Type]Component{}}
	for typ, construct := range constructs {
		pkg.Components[typ] = func(*pulumirpc.ConstructRequest, *Deployment) (host.ConstructFunc, error) {
			return construct, nil
		}
	}
	server, err := NewServer(m.engine, pkg)
	check(t, err)
	returned := make(chan error, 1)
	go func() {
		req := m.request()
		req.Type = "test:index:Stuck"
		_, err := server.Construct(t.Context(), req)
		returned <- err
	}()
	<-started
	_, err = server.Attach(t.Context(), &pulumirpc.PluginAttach{Address: m.engineAddress})
	check(t, err)
	_, err = server.Construct(t.Context(), m.request())
	check(t, err)
	began := time.Now()
	_, err = server.Cancel(t.Context(), &emptypb.Empty{})
	check(t, err)
	if took := time.Since(began); took >= 2*time.Second {
		t.Errorf("Cancel waits for it, %v", took)
	}
	select {
	case err := <-returned:
		t.Errorf("it is not stuck, and gives %v", err)
	default:
	}
	close(release)
	<-returned
}

// TestCancelledElsewhere checks that a component whose child was cancelled, or whose look-up failed for another one,
// has an error only if the engine does not cancel what is running.
func TestCancelledElsewhere(t *testing.T) {
	t.Parallel()
	for _, cause := range []error{context.Canceled, errFailedElsewhere} {
		m := startMonitor(t)
		pkg := Package{Name: "test", Version: "1.0.0", Components: map[tokens.Type]Component{
			componentType: func(*pulumirpc.ConstructRequest, *Deployment) (host.ConstructFunc, error) {
				return func(
					*pulumi.Context, string, string, host.ConstructInputs, pulumi.ResourceOption,
				) (*host.ConstructResult, error) {
					return nil, cause
				}, nil
			},
		}}
		plugin, err := NewServer(m.engine, pkg)
		check(t, err)
		s, ok := plugin.(*server)
		if !ok {
			t.Fatalf("the server is a %T", plugin)
		}
		s.cancelling = time.Millisecond
		if _, err := s.Construct(t.Context(), m.request()); !errors.Is(err, errCancelled) {
			t.Errorf("%v: the error is %v", cause, err)
		}
		s.cancelling = time.Minute
		time.AfterFunc(10*time.Millisecond, func() { _, _ = s.Cancel(context.Background(), &emptypb.Empty{}) })
		if resp, err := s.Construct(t.Context(), m.request()); err != nil || resp.GetUrn() != componentURN {
			t.Errorf("%v, and cancelled: the answer is %v, %v", cause, resp, err)
		}
	}
}
