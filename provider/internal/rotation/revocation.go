package rotation

import (
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/clock"
)

// A Phase is how far the revocation of a user's session tokens has got.
type Phase string

// The phases of a revocation: of a user whose tokens were never revoked, of one whose tokens can do nothing, and of one
// whose later tokens work again.
const (
	NeverRevoked Phase = ""
	Revoked      Phase = "revoked"
	Ended        Phase = "ended"
)

// LongestToken is how long a session token of a user can live.
// Source: AWS STS API Reference, "GetSessionToken", DurationSeconds.
const LongestToken = 36 * time.Hour

// A Revocation is what the stack's state remembers of the revocation of a user's keys and session tokens. A token that
// was issued before or during a revocation never works again.
type Revocation struct {
	Phase Phase
	// Keys lists the IDs of the keys that the user had when the revocation began.
	Keys []string
	// Before is set once a revocation has ended: tokens that were issued before it stay revoked. In whole seconds.
	Before time.Time
}

// Next returns the revocation after an update that asks for it or not, and whether it begins or ends. The keys are
// known in an update.
func (v Revocation) Next(revoked bool, r Request) (next Revocation, changes bool) {
	switch {
	case revoked && v.Phase != Revoked:
		return Revocation{Revoked, ids(r.Keys), v.Before}, true
	case !revoked && v.Phase == Revoked:
		before := r.Now.Add(clock.Skew)
		for _, key := range r.Keys {
			before = latest(before, key.Created)
		}
		return Revocation{Ended, nil, clock.WholeSecond(latest(before, v.Before))}, true
	}
	return v, false
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// TokensUntil returns when the last revoked token expires: until then, tokens would work again if the revocation were
// taken away now. It is the zero time if all have expired.
func (v Revocation) TokensUntil(now time.Time) time.Time {
	switch until := v.Before.Add(LongestToken); {
	case v.Phase == Revoked:
		return now.Add(LongestToken)
	case v.Phase == Ended && until.After(now):
		return until
	}
	return time.Time{}
}

// SwitchedOn returns the keys that an update to a journal switches on although they were there when the revocation
// began, the oldest first: one of them may be the one that leaked.
func (v Revocation) SwitchedOn(j Journal, r Request) []UserKey {
	var on []UserKey
	if current, ok := j.current(r); ok {
		on = append(on, current)
	}
	if j.PreviousStatus == Active {
		on = append(on, j.LostPrevious(r.Keys)...)
	}
	return byAge(intersect(on, v.Keys))
}
