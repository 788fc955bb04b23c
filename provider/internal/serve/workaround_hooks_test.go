package serve

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// TestSDKLeavesHookServersOpen checks that the Pulumi SDK still leaves the server for the hooks of a context running
// when that is closed; when it fails, delete workaround_hooks.go.
func TestSDKLeavesHookServersOpen(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	opened, err := pulumi.NewContext(ctx, pulumi.RunInfo{MonitorAddr: m.address})
	check(t, err)
	_, err = opened.RegisterResourceHook("hook", func(*pulumi.ResourceHookArgs) error { return nil }, nil)
	check(t, err)
	server := m.nextHook(t).GetCallback().GetTarget()
	check(t, opened.Close())
	cancel()
	if !staysTrue(func() bool {
		conn, err := (&net.Dialer{Timeout: 10 * time.Second}).DialContext(t.Context(), "tcp", server)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}) {
		t.Error("the Pulumi SDK ends the server for hooks: delete workaround_hooks.go")
	}
}

// TestHooksShareAServer says that the constructs of a deployment have one server for hooks.
func TestHooksShareAServer(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	d := m.deployment(t)
	servers := map[string]bool{}
	for range 3 {
		ctx, end := d.session.begin(t.Context())
		_, err := d.RegisterHook(newContext(ctx, t, m), "hook", func(*pulumi.ResourceHookArgs) error { return nil })
		check(t, err)
		servers[m.nextHook(t).GetCallback().GetTarget()] = true
		end()
	}
	if len(servers) != 1 {
		t.Errorf("there are %d servers", len(servers))
	}
}

// TestHookAfterTheConstruct says that a hook is called until its construct returns, and is an error from then on.
func TestHookAfterTheConstruct(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	d := m.deployment(t)
	ctx, end := d.session.begin(t.Context())
	calls := 0
	hook, err := d.RegisterHook(newContext(ctx, t, m), "hook", func(*pulumi.ResourceHookArgs) error {
		calls++
		return nil
	})
	check(t, err)
	check(t, hook.Callback(nil))
	if calls != 1 {
		t.Errorf("it is called %d times", calls)
	}
	end()
	if !becomesTrue(func() bool {
		err = hook.Callback(nil)
		return err != nil
	}) || !strings.Contains(err.Error(), "not under construction") {
		t.Errorf("after the construct, it gives %v", err)
	}
}

// TestErrorHookAfterTheConstruct checks that an error hook is called until its construct returns, asks for no second
// try, and turns a panic into an error.
func TestErrorHookAfterTheConstruct(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	d := m.deployment(t)
	ctx, end := d.session.begin(t.Context())
	var called []string
	hook, err := d.RegisterOnError(newContext(ctx, t, m), "hook", func(args *pulumi.ErrorHookArgs) error {
		called = append(called, args.Errors[0]) // It panics without an error.
		return nil
	})
	check(t, err)
	if retry, err := hook.Callback(&pulumi.ErrorHookArgs{Errors: []string{"it failed"}}); err != nil || retry {
		t.Errorf("it asks for a second try: %v, and gives %v", retry, err)
	}
	if retry, err := hook.Callback(&pulumi.ErrorHookArgs{}); err == nil || retry {
		t.Errorf("with a panic, it asks for a second try: %v, and gives %v", retry, err)
	}
	if !slices.Equal(called, []string{"it failed"}) {
		t.Errorf("it is called with %q", called)
	}
	end()
	if !becomesTrue(func() bool {
		_, err = hook.Callback(&pulumi.ErrorHookArgs{Errors: []string{"too late"}})
		return err != nil
	}) || !strings.Contains(err.Error(), "not under construction") {
		t.Errorf("after the construct, it gives %v", err)
	}
}

// deployment returns a deployment with the resource monitor.
func (m *testMonitor) deployment(t *testing.T) *Deployment {
	t.Helper()
	session := newSession()
	t.Cleanup(session.cancel)
	return &Deployment{session: session, aws: providerKey{monitor: m.address}}
}

// newContext returns the SDK's context of a construct.
func newContext(ctx context.Context, t *testing.T, m *testMonitor) *pulumi.Context {
	t.Helper()
	opened, err := pulumi.NewContext(ctx, pulumi.RunInfo{MonitorAddr: m.address})
	check(t, err)
	t.Cleanup(func() { check(t, opened.Close()) })
	return opened
}

// nextHook waits for a hook to be registered.
func (m *testMonitor) nextHook(t *testing.T) *pulumirpc.RegisterResourceHookRequest {
	t.Helper()
	select {
	case hook := <-m.hooks:
		return hook
	case <-time.After(30 * time.Second):
		t.Fatal("no hook is registered")
		return nil
	}
}
