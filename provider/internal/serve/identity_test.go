package serve

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// TestIdentities says that an account is looked up once for each provider, however many ask for it, and that one of
// them is told why it could not be.
func TestIdentities(t *testing.T) {
	t.Parallel()
	cause := errors.New("no credentials")
	for name, want := range map[string]struct {
		identity Identity
		err      error
	}{
		"found":     {Identity{Account: &iam.Account{Number: "123456789012", Partition: "aws"}}, nil},
		"unknown":   {Identity{}, nil},
		"not found": {Identity{}, cause},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const callers = 20
			var (
				all            identities
				lookUps, told  atomic.Int64
				waiting, ended sync.WaitGroup
			)
			providers := []providerKey{{"monitor", ""}, {"monitor", "other"}, {"other", ""}}
			waiting.Add(callers * len(providers))
			for _, key := range providers {
				for range callers {
					ended.Go(func() {
						waiting.Done()
						waiting.Wait() // All ask at once.
						identity, err := all.get(key, func() (Identity, error) {
							lookUps.Add(1)
							return want.identity, want.err
						})
						if identity.Account != want.identity.Account {
							t.Errorf("the identity is %v", identity)
						}
						switch {
						case want.err == nil && err == nil, want.err != nil && errors.Is(err, errFailedElsewhere):
						case want.err != nil && errors.Is(err, cause):
							told.Add(1)
						default:
							t.Errorf("the error is %v", err)
						}
					})
				}
			}
			ended.Wait()
			count := int64(len(providers))
			if lookUps.Load() != count || want.err != nil && told.Load() != count {
				t.Errorf("%d look-ups for %d providers, and %d were told", lookUps.Load(), count, told.Load())
			}
		})
	}
}
