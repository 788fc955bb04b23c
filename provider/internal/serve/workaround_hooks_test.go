package serve

import (
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
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

// TestOnError checks that one hook serves all constructs of a deployment, and calls the function of the resource that
// failed until its construct returns. It asks for no second try, and turns a panic into an error.
func TestOnError(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	d := m.deployment(t)
	ctx, end := d.session.begin(t.Context())
	var called []string
	register := func(urn resource.URN) *pulumi.ErrorHook {
		hook, err := d.OnError(newContext(ctx, t, m), urn, func(args *pulumi.ErrorHookArgs) error {
			called = append(called, string(urn)+": "+args.Errors[0]) // It panics without an error.
			return nil
		})
		check(t, err)
		return hook
	}
	hook := register("one")
	if register("other") != hook {
		t.Error("the constructs have a hook each")
	}
	failed := &pulumi.ErrorHookArgs{URN: "one", Errors: []string{"it failed"}}
	for _, args := range []*pulumi.ErrorHookArgs{failed, {URN: "third", Errors: failed.Errors}} {
		if retry, err := hook.Callback(args); err != nil || retry {
			t.Errorf("it asks for a second try: %v, and gives %v", retry, err)
		}
	}
	if want := []string{"one: it failed"}; !slices.Equal(called, want) {
		t.Errorf("it calls %q", called)
	}
	if retry, err := hook.Callback(&pulumi.ErrorHookArgs{URN: "other"}); err == nil || retry {
		t.Errorf("with a panic, it asks for a second try: %v, and gives %v", retry, err)
	}
	end()
	if !becomesTrue(func() bool {
		called = nil
		_, err := hook.Callback(failed)
		return err == nil && called == nil
	}) {
		t.Errorf("after the construct, it calls %q", called)
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
