package provider

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// A session is what the plugin keeps for one engine, until that cancels it.
type session struct {
	// cancelled ends all that is under way.
	cancelled  context.Context
	cancel     context.CancelFunc
	identities *identities
	hooks      *hooks
}

func newSession() *session {
	cancelled, cancel := context.WithCancel(context.Background())
	return &session{
		cancelled: cancelled, cancel: cancel, identities: &identities{},
		hooks: &hooks{ended: cancelled, contexts: map[string]*pulumi.Context{}},
	}
}

// A setting is where a construct takes place: the session, and the deployment with its AWS provider.
type setting struct {
	session *session
	deployment
}

type settingKey struct{}

// settingOf returns the setting of the construct that a context is of.
func settingOf(ctx *pulumi.Context) setting {
	s, _ := ctx.Value(settingKey{}).(setting)
	return s
}

// hooks are where constructs register their resource hooks. The Pulumi SDK v3.259.0 starts a server for the hooks of
// each of its contexts, at each construct then, and never ends it: here, those of a deployment share one. An SDK whose
// contexts ended it when they are closed would make this needless.
type hooks struct {
	// ended is when no hook is registered any more.
	ended context.Context

	mu sync.Mutex
	// contexts are those that hooks are registered with, by the address of the resource monitor.
	contexts map[string]*pulumi.Context
}

// registerHook registers a hook for a construct. What it holds is let go when the construct has ended: the engine calls
// no hook of a resource that is registered.
func registerHook(
	ctx *pulumi.Context, name string, call func(*pulumi.ResourceHookArgs) error,
) (*pulumi.ResourceHook, error) {
	s := settingOf(ctx)
	shared, err := s.session.hooks.in(s.monitor)
	if err != nil {
		return nil, fmt.Errorf("register hooks: %w", err)
	}
	var held atomic.Pointer[func(*pulumi.ResourceHookArgs) error]
	held.Store(&call)
	context.AfterFunc(ctx.Context(), func() { held.Store(nil) })
	return shared.RegisterResourceHook(name, func(args *pulumi.ResourceHookArgs) (err error) {
		defer recoverAsError(&err)
		call := held.Load()
		if call == nil {
			return errors.New("the resource is not under construction any more")
		}
		return (*call)(args)
	}, nil)
}

// in returns the context for hooks of the deployment with a resource monitor.
func (h *hooks) in(monitor string) (*pulumi.Context, error) {
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
