package serve

import (
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// TestClaim checks which claims of two components to one object are refused: those of which one adopts it, in one
// account and deployment.
func TestClaim(t *testing.T) {
	t.Parallel()
	account, other := iam.Account{Number: "123456789012"}, iam.Account{Number: "210987654321"}
	for name, tt := range map[string]struct {
		first, second bool
		account       iam.Account
		name          string
		monitor, want string
	}{
		"both adopt":                  {true, true, account, "user bot", "m", "a"},
		"the first adopts":            {true, false, account, "user bot", "m", "a"},
		"the second adopts":           {false, true, account, "user bot", "m", "a"},
		"none adopts":                 {false, false, account, "user bot", "m", ""},
		"another object":              {true, true, account, "group bot", "m", ""},
		"another account":             {true, true, other, "user bot", "m", ""},
		"the update, not the preview": {true, true, account, "user bot", "n", ""},
	} {
		s := newSession()
		d := &Deployment{session: s, aws: providerKey{monitor: "m"}}
		if got := d.Claim(account, "user bot", "a", tt.first); got != "" {
			t.Errorf("%s: the first claim conflicts with %q", name, got)
		}
		d = &Deployment{session: s, aws: providerKey{tt.monitor, "another provider"}}
		if got := d.Claim(tt.account, tt.name, "b", tt.second); got != tt.want {
			t.Errorf("%s: the second claim conflicts with %q", name, got)
		}
	}
}
