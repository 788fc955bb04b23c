package serve

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
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
	// deployments are the hooks of deployments, by the address of the resource monitor.
	deployments map[string]*deploymentHooks
}

// deploymentHooks are the hooks of a deployment, and the context that they are registered with.
type deploymentHooks struct {
	*pulumi.Context
	// errorHook registers the hook for errors once. It calls the functions in onError, which are by URN.
	errorHook func() (*pulumi.ErrorHook, error)
	onError   sync.Map
}

// RegisterHook registers a hook for a construct, by a name that is unique in the stack. The callback is released when
// the construct returns: the engine calls no hook of a resource that is registered.
func (d *Deployment) RegisterHook(
	ctx *pulumi.Context, name string, call func(*pulumi.ResourceHookArgs) error,
) (*pulumi.ResourceHook, error) {
	shared, err := d.session.hooks.of(d)
	if err != nil {
		return nil, fmt.Errorf("register hooks: %w", err)
	}
	return shared.RegisterResourceHook(name, released(ctx, call), nil)
}

// released returns a function that calls another one until the construct of ctx returns, and then lets go of it. A
// panic is an error.
func released(
	ctx *pulumi.Context, call func(*pulumi.ResourceHookArgs) error,
) func(*pulumi.ResourceHookArgs) error {
	var held atomic.Pointer[func(*pulumi.ResourceHookArgs) error]
	held.Store(&call)
	context.AfterFunc(ctx.Context(), func() { held.Store(nil) })
	return func(args *pulumi.ResourceHookArgs) (err error) {
		defer RecoverAsError(&err)
		call := held.Load()
		if call == nil {
			return errors.New("the resource is not under construction any more")
		}
		return (*call)(args)
	}
}

// OnError has a function called after an error of the resource with a URN, until the construct returns. It returns the
// hook for that, which the constructs of a deployment share: the engine takes as long to register a hook as to register
// a resource. The engine does not try again what failed, and shows the error of the function, if it has one, instead of
// the resource's.
func (d *Deployment) OnError(
	ctx *pulumi.Context, urn resource.URN, call func(*pulumi.ErrorHookArgs) error,
) (*pulumi.ErrorHook, error) {
	shared, err := d.session.hooks.of(d)
	if err != nil {
		return nil, fmt.Errorf("register hooks: %w", err)
	}
	shared.onError.Store(urn, call)
	context.AfterFunc(ctx.Context(), func() { shared.onError.Delete(urn) })
	return shared.errorHook()
}

// explain calls the function for the resource that failed.
func (h *deploymentHooks) explain(args *pulumi.ErrorHookArgs) (retry bool, err error) {
	defer RecoverAsError(&err)
	held, _ := h.onError.Load(resource.URN(args.URN))
	if call, exists := held.(func(*pulumi.ErrorHookArgs) error); exists {
		err = call(args)
	}
	return false, err
}

// of returns the hooks of a deployment.
func (h *hooks) of(d *Deployment) (*deploymentHooks, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if shared := h.deployments[d.aws.monitor]; shared != nil {
		return shared, nil
	}
	ctx, err := pulumi.NewContext(h.ended, pulumi.RunInfo{MonitorAddr: d.aws.monitor})
	if err != nil {
		return nil, err
	}
	context.AfterFunc(h.ended, func() { _ = ctx.Close() })
	shared := &deploymentHooks{Context: ctx}
	shared.errorHook = sync.OnceValues(func() (*pulumi.ErrorHook, error) {
		// Hooks have names that are unique in the stack, which other processes of this plugin may serve too.
		return ctx.RegisterErrorHook("explain errors of resources of "+cmp.Or(d.Self, "this plugin"), shared.explain)
	})
	h.deployments[d.aws.monitor] = shared
	return shared, nil
}
