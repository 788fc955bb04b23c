package rotation

import (
	"slices"
	"testing"
	"time"
)

// TestRevocation takes a user's revocation from update to update: on, off, on again and off again, by clocks that are
// right and wrong.
func TestRevocation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 15, 30, 0, 1, time.UTC)
	keys := []UserKey{{ID: "B", Created: now.Add(-time.Hour)}, {ID: "A", Created: now.Add(-2 * time.Hour)}}
	var v Revocation
	for i, step := range []struct {
		revoked bool
		clock   time.Duration
		newest  time.Duration
		want    Revocation
		changes bool
	}{
		{false, 0, 0, Revocation{}, false},
		{true, 0, 0, Revocation{Phase: Revoked, Keys: []string{"A", "B"}}, true},
		{true, time.Hour, 0, Revocation{Phase: Revoked, Keys: []string{"A", "B"}}, false},
		// Five minutes, rounded up to a second.
		{false, 0, 0, Revocation{Phase: Ended, Before: time.Date(2026, 11, 26, 15, 35, 1, 0, time.UTC)}, true},
		{false, time.Hour, 0, Revocation{Phase: Ended, Before: time.Date(2026, 11, 26, 15, 35, 1, 0, time.UTC)}, false},
		{true, 0, 0, Revocation{Revoked, []string{"A", "B"}, time.Date(2026, 11, 26, 15, 35, 1, 0, time.UTC)}, true},
		// A clock that is a day behind: AWS's date of the newest key tells more.
		{false, -24 * time.Hour, time.Hour, Revocation{Phase: Ended, Before: time.Date(2026, 11, 26, 16, 30, 1, 0, time.UTC)}, true},
		{true, 0, 0, Revocation{Revoked, []string{"A", "B"}, time.Date(2026, 11, 26, 16, 30, 1, 0, time.UTC)}, true},
		// One that is behind, and nothing tells: never earlier than before.
		{false, -24 * time.Hour, 0, Revocation{Phase: Ended, Before: time.Date(2026, 11, 26, 16, 30, 1, 0, time.UTC)}, true},
	} {
		listed := slices.Clone(keys)
		if step.newest != 0 {
			listed[0].Created = now.Add(step.newest)
		}
		next, changes := v.Next(step.revoked, Request{Keys: listed, Now: now.Add(step.clock)})
		if next.Phase != step.want.Phase || !slices.Equal(next.Keys, step.want.Keys) || !next.Before.Equal(step.want.Before) ||
			changes != step.changes {
			t.Errorf("step %d: %+v, %v", i, next, changes)
		}
		v = next
	}
}

// TestTokensUntil checks until when tokens would work again.
func TestTokensUntil(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 15, 30, 0, 0, time.UTC)
	for _, tt := range []struct {
		v    Revocation
		want time.Time
	}{
		{Revocation{}, time.Time{}},
		{Revocation{Phase: Revoked}, now.Add(36 * time.Hour)},
		{Revocation{Phase: Revoked, Before: now.AddDate(0, 0, -9)}, now.Add(36 * time.Hour)},
		{Revocation{Phase: Ended, Before: now.Add(-35 * time.Hour)}, now.Add(time.Hour)},
		{Revocation{Phase: Ended, Before: now.Add(-36 * time.Hour)}, time.Time{}},
	} {
		if got := tt.v.TokensUntil(now); !got.Equal(tt.want) {
			t.Errorf("%+v: %v", tt.v, got)
		}
	}
}

// TestSwitchedOn checks which keys that were there at the beginning of a revocation its end switches on.
func TestSwitchedOn(t *testing.T) {
	t.Parallel()
	created := time.Date(2026, 11, 26, 15, 30, 0, 0, time.UTC)
	key := func(id string) UserKey { return UserKey{ID: id, Created: created} }
	planned := created.AddDate(0, 0, -9)
	for name, tt := range map[string]struct {
		j     Journal
		keys  []UserKey
		there []string
		want  []string
	}{
		"the first key": {Journal{Generation: 1, First: 1, PlannedAt: planned}, []UserKey{key("A")}, []string{"A"}, []string{"A"}},
		"both keys": {
			Journal{Generation: 2, First: 1, Previous: 1, PreviousStatus: Active, Before: []string{"A"}, PlannedAt: planned},
			[]UserKey{key("A"), key("B")}, []string{"A", "B"}, []string{"A", "B"},
		},
		"a previous key that stays off": {
			Journal{Generation: 2, First: 1, Previous: 1, PreviousStatus: Inactive, Before: []string{"A"}, PlannedAt: planned},
			[]UserKey{key("A"), key("B")}, []string{"A", "B"}, []string{"B"},
		},
		"rotated once": {
			Journal{Generation: 2, First: 1, Previous: 1, PreviousStatus: Active, Before: []string{"A"}, PlannedAt: planned},
			[]UserKey{key("A"), key("B")}, []string{"A"}, []string{"A"},
		},
		"rotated twice": {
			Journal{Generation: 3, First: 1, Previous: 2, PreviousStatus: Active, PreviousBefore: []string{"A"}, Before: []string{"A", "B"}, PlannedAt: planned},
			[]UserKey{key("B"), key("C")}, []string{"A"}, nil,
		},
		"a key of others": {
			Journal{Generation: 1, First: 1, Before: []string{"X"}, PlannedAt: planned}, []UserKey{key("X"), key("A")}, []string{"X"}, nil,
		},
	} {
		v := Revocation{Phase: Revoked, Keys: tt.there}
		if got := ids(v.SwitchedOn(tt.j, Request{Keys: tt.keys, KeysKnown: true, Now: created})); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestRevokedPreviousKey checks that a revoked key is switched off at once, where it would be deleted at the end of the
// update, and deleted when the revocation ends.
func TestRevokedPreviousKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	update := func(days int, revoked bool) {
		t.Helper()
		r := w.request(days, 2)
		r.Previous, r.Revoked = Deleted, revoked
		if step, err := w.journal.Next(r); err != nil || step.CutsOff {
			t.Errorf("cuts off: %v, %v", step.CutsOff, err)
		}
		w.must(r)
	}
	for range 2 {
		update(1, true)
		w.has(2, 1, 2)
		if w.journal.PreviousStatus != Inactive {
			t.Errorf("revoked, the previous key is %s", w.journal.PreviousStatus)
		}
	}
	update(1, false)
	w.has(2, 0, 1)
}
