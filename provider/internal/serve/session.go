package serve

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// A session holds what the plugin keeps for one attached engine, until that engine calls Cancel.
type session struct {
	// ctx is done when the session is over.
	ctx        context.Context
	cancel     context.CancelFunc
	identities identities
	claims     claims
	hooks      *hooks
	// cliVersions are the ranges that the version of the Pulumi CLI is in.
	cliVersions sync.Map
	// limiter has a place for each construct that may run.
	limiter chan struct{}

	// failed says that a construct has returned an error.
	failed atomic.Bool

	mu      sync.Mutex
	running int
	// idle is closed when the last construct of an ended session returns. It is nil until the session ends.
	idle chan struct{}
}

func newSession() *session {
	ctx, cancel := context.WithCancel(context.Background())
	return &session{
		ctx: ctx, cancel: cancel, hooks: &hooks{ended: ctx, deployments: map[string]*deploymentHooks{}},
		limiter: make(chan struct{}, maxConstructs),
	}
}

// begin counts a construct, whose context ends with the session too. The construct calls end when it returns.
func (s *session) begin(ctx context.Context) (_ context.Context, end func()) {
	s.mu.Lock()
	s.running++
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.running--
		if s.running == 0 && s.idle != nil {
			close(s.idle)
			s.idle = nil
		}
	}
}

// end cancels the session's constructs and waits until they have returned, but no longer than the timeout. It reports
// whether there were any.
func (s *session) end(timeout time.Duration) (waited bool) {
	s.mu.Lock()
	idle := s.idle
	if s.running > 0 && idle == nil {
		idle = make(chan struct{})
		s.idle = idle
	}
	s.mu.Unlock()
	s.cancel()
	if idle == nil {
		return false
	}
	select {
	case <-idle:
	case <-time.After(timeout):
	}
	return true
}
