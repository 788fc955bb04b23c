package serve

import (
	"context"
	"sync"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// A session holds what the plugin keeps for one attached engine, until that engine calls Cancel.
type session struct {
	// ctx is done when the session is over.
	ctx        context.Context
	cancel     context.CancelFunc
	constructs sync.WaitGroup
	identities identities
	hooks      *hooks

	mu    sync.Mutex
	ended bool
}

func newSession() *session {
	ctx, cancel := context.WithCancel(context.Background())
	return &session{ctx: ctx, cancel: cancel, hooks: &hooks{ended: ctx, contexts: map[string]*pulumi.Context{}}}
}

// begin counts a construct, whose context ends with the session too. The construct calls end when it returns.
func (s *session) begin(ctx context.Context) (_ context.Context, end func()) {
	s.mu.Lock()
	counted := !s.ended
	if counted {
		s.constructs.Add(1)
	}
	s.mu.Unlock()
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
		if counted {
			s.constructs.Done()
		}
	}
}

// end cancels the session's constructs and waits until they have returned, but no longer than the timeout. It reports
// whether there were any.
func (s *session) end(timeout time.Duration) (waited bool) {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.cancel()
	returned := make(chan struct{})
	go func() {
		s.constructs.Wait()
		close(returned)
	}()
	select {
	case <-returned:
		return false
	case <-time.After(time.Millisecond):
	}
	select {
	case <-returned:
	case <-time.After(timeout):
	}
	return true
}
