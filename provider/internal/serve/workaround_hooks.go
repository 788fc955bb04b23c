package serve

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// hooks are where constructs register their resource hooks. The Pulumi SDK starts a server for the hooks of each of its
// contexts, so at each construct, and never ends it. Here, the constructs of a deployment share one.
//
// Needless once pulumi.Context.Close ends the callback server: TestSDKLeavesHookServersOpen fails then. Seen in
// v3.259.0; no upstream issue is known.
type hooks struct {
	// ended is done when the session is over; no hook is registered after that.
	ended context.Context

	mu sync.Mutex
	// contexts are those that hooks are registered with, by the address of the resource monitor.
	contexts map[string]*pulumi.Context
}

// RegisterHook registers a hook for a construct, by a name that is unique in the stack. The callback is released when
// the construct returns: the engine calls no hook of a resource that is registered.
func (d *Deployment) RegisterHook(
	ctx *pulumi.Context, name string, call func(*pulumi.ResourceHookArgs) error,
) (*pulumi.ResourceHook, error) {
	shared, err := d.session.hooks.contextFor(d.aws.monitor)
	if err != nil {
		return nil, fmt.Errorf("register hooks: %w", err)
	}
	return shared.RegisterResourceHook(name, released(ctx, call), nil)
}

// RegisterOnError registers a hook for errors of a construct's resources, as [Deployment.RegisterHook] does. The
// engine does not try again what failed, and shows the hook's error, if it has one, instead of the resource's.
func (d *Deployment) RegisterOnError(
	ctx *pulumi.Context, name string, call func(*pulumi.ErrorHookArgs) error,
) (*pulumi.ErrorHook, error) {
	shared, err := d.session.hooks.contextFor(d.aws.monitor)
	if err != nil {
		return nil, fmt.Errorf("register hooks: %w", err)
	}
	call = released(ctx, call)
	return shared.RegisterErrorHook(name, func(args *pulumi.ErrorHookArgs) (bool, error) { return false, call(args) })
}

// released returns a function that calls another one until the construct of ctx returns, and then lets go of it. A
// panic is an error.
func released[Args any](ctx *pulumi.Context, call func(Args) error) func(Args) error {
	var held atomic.Pointer[func(Args) error]
	held.Store(&call)
	context.AfterFunc(ctx.Context(), func() { held.Store(nil) })
	return func(args Args) (err error) {
		defer RecoverAsError(&err)
		call := held.Load()
		if call == nil {
			return errors.New("the resource is not under construction any more")
		}
		return (*call)(args)
	}
}

// contextFor returns the context for hooks of the deployment with a resource monitor.
func (h *hooks) contextFor(monitor string) (*pulumi.Context, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if shared := h.contexts[monitor]; shared != nil {
		return shared, nil
	}
	shared, err := pulumi.NewContext(h.ended, pulumi.RunInfo{MonitorAddr: monitor})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(h.ended, func() { _ = shared.Close() })
	h.contexts[monitor] = shared
	return shared, nil
}
