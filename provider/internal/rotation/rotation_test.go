package rotation

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func TestParseInterval(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]time.Duration{
		"1d": day, "90d": 90 * day, "3650d": 3650 * day,
	} {
		if got, err := ParseInterval(s); err != nil || got != want {
			t.Errorf("%q is %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "0d", "d", "90", "90h", "3651d", "9999d", "-1d", "+1d", " 90d", "90d ", "1.5d", "09d", "90D"} {
		var violation *iam.Violation
		if err := CheckInterval(s); !errors.As(err, &violation) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// history is a robot's life: the requests of one update after the other.
type history struct {
	t       *testing.T
	journal Journal
	now     time.Time
	// slots are the IDs of the user's keys.
	slots [Slots]string
	// killed says that updates are ended before they make a key.
	killed bool
}

func begin(t *testing.T, generation int) *history {
	t.Helper()
	h := &history{t: t, now: start}
	h.journal = Begin(h.request(generation))
	h.make()
	return h
}

// make does what the engine does of the journal: it makes the current key, and deletes what is not kept.
func (h *history) make() {
	key := h.journal.Current
	h.slots[key.Slot()] = fmt.Sprint("K", key.Generation)
	if !h.journal.PreviousKept {
		h.slots[1-key.Slot()] = ""
	}
}

func (h *history) request(generation int) Request {
	r := Request{Generation: generation, KeepPrevious: true, UserID: "AIDA1", Now: h.now}
	for _, id := range h.slots {
		if id != "" {
			r.UserKeys = append(r.UserKeys, id)
		}
	}
	return r
}

// update runs an update after some days, and returns why it rotates.
func (h *history) update(days int, r Request) string {
	h.t.Helper()
	h.now = h.now.Add(time.Duration(days) * day)
	r.Now = h.now
	r.UserKeys = h.request(0).UserKeys
	reason := h.journal.Due(r)
	next := h.journal.Next(r)
	if again := next.Next(r); !reflect.DeepEqual(again, next) || next.Due(r) != "" {
		h.t.Errorf("run again, the update goes on from %+v to %+v", next, again)
	}
	h.journal = next
	if !h.killed {
		h.make()
	}
	return reason
}

func (h *history) is(current, previous int) {
	h.t.Helper()
	got := 0
	if h.journal.PreviousKept {
		got = h.journal.Previous.Generation
	}
	if h.journal.Current.Generation != current || got != previous {
		h.t.Errorf("the keys are of generation %d and %d, not %d and %d", h.journal.Current.Generation, got, current, previous)
	}
	if got != 0 && h.journal.Current.Slot() == h.journal.Previous.Slot() {
		h.t.Error("both keys are in one slot")
	}
}

func TestRotationByHand(t *testing.T) {
	t.Parallel()
	h := begin(t, 5)
	h.is(5, 0)
	if reason := h.update(1000, h.request(5)); reason != "" {
		t.Errorf("nothing asks for a rotation, and it is due because %s", reason)
	}
	if reason := h.update(0, h.request(6)); reason != "generation is raised from 5 to 6" {
		t.Errorf("it is due because %q", reason)
	}
	h.is(6, 5)
	h.update(0, h.request(7))
	h.is(7, 6)
}

func TestRotationByAge(t *testing.T) {
	t.Parallel()
	h := begin(t, 1)
	every := func(generation int) Request {
		r := h.request(generation)
		r.Every = 90 * day
		return r
	}
	h.update(89, every(1))
	h.is(1, 0)
	if reason := h.update(1, every(1)); reason != "the current key is 90 days old" {
		t.Errorf("it is due because %q", reason)
	}
	h.is(2, 1)
	h.update(89, every(1))
	h.is(2, 1)
	h.update(500, every(1))
	h.is(3, 2)
	// By hand, one more; and the age counts from there.
	h.update(10, every(2))
	h.is(4, 3)
	h.update(80, every(2))
	h.is(4, 3)
	// No longer by age.
	h.update(1000, h.request(2))
	h.is(4, 3)
}

func TestGenerationIsRaisedByOne(t *testing.T) {
	t.Parallel()
	h := begin(t, 3)
	for generation, want := range map[int]string{
		1: "must not be lowered: it was 3", 2: "must not be lowered", 3: "", 4: "",
		5: "must be raised by one at a time: the current key is of generation 3, and the next one is 4",
	} {
		err := h.journal.CheckGeneration(generation)
		if (want == "") != (err == nil) || (err != nil && !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
	// After rotations by age, any number up to the next generation is one more rotation.
	r := h.request(3)
	r.Every = day
	h.update(1, r)
	h.update(1, r)
	h.is(5, 4)
	for generation, want := range map[int]bool{2: false, 3: true, 4: true, 5: true, 6: true, 7: false} {
		if err := h.journal.CheckGeneration(generation); (err == nil) != want {
			t.Errorf("generation %d after rotations by age: %v", generation, err)
		}
	}
	h.update(0, h.request(4))
	h.is(6, 5)
}

func TestPreviousOnceDeletedStaysSo(t *testing.T) {
	t.Parallel()
	h := begin(t, 1)
	h.update(0, h.request(2))
	h.is(2, 1)
	deleted := h.request(2)
	deleted.KeepPrevious = false
	h.update(0, deleted)
	h.is(2, 0)
	h.update(0, h.request(2))
	h.is(2, 0)
	deleted.Generation = 3
	h.update(0, deleted)
	h.is(3, 0)
	h.update(0, h.request(4))
	h.is(4, 3)
}

func TestPGPKeyBelongsToItsKey(t *testing.T) {
	t.Parallel()
	h := begin(t, 1)
	r := h.request(1)
	r.PGPKey = "a"
	if reason := h.update(0, r); reason != "pgpKey has changed" {
		t.Errorf("it is due because %q", reason)
	}
	if h.journal.Current.PGPKey != "a" || h.journal.Previous.PGPKey != "" {
		t.Errorf("the keys are %+v", h.journal)
	}
	unknown := h.request(1)
	unknown.PGPKeyUnknown = true
	h.update(0, unknown)
	h.is(2, 1)
	h.update(0, h.request(1))
	if h.journal.Current.PGPKey != "" || h.journal.Previous.PGPKey != "a" {
		t.Errorf("the keys are %+v", h.journal)
	}
}

func TestAnotherUserHasNoPreviousKey(t *testing.T) {
	t.Parallel()
	h := begin(t, 1)
	h.update(0, h.request(2))
	r := h.request(2)
	r.UserID = "AIDA2"
	h.update(0, r)
	h.is(3, 0)
	if h.journal.Previous != nil || h.journal.UserID != "AIDA2" {
		t.Errorf("the journal is %+v", h.journal)
	}
}

// TestUnfinishedRotation says that a rotation which was ended before it made its key is never taken for done: whatever
// comes next, the key that works is not in the slot that the next one takes.
func TestUnfinishedRotation(t *testing.T) {
	t.Parallel()
	h := begin(t, 1)
	h.update(0, h.request(2))
	h.killed = true
	h.slots[1] = "" // The first key made room for the third.
	h.update(0, h.request(3))
	h.is(3, 2)
	h.update(0, h.request(4))
	h.is(5, 2)
	h.killed = false
	h.update(0, h.request(4))
	h.is(5, 2)
	h.update(0, h.request(5))
	h.is(6, 5)

	// The key was made, and nobody noted it; the next rotation takes it for the previous one, until it is deleted.
	h.update(0, h.request(7))
	h.is(7, 6)
	h.slots[0] = "K6"
	h.killed = true
	h.update(0, h.request(8))
	h.slots[0] = ""
	if reason := h.update(0, h.request(8)); reason != "an earlier rotation was not finished" && reason != "" {
		t.Errorf("it is due because %q", reason)
	}
	if h.journal.Current.Slot() == 1 {
		t.Errorf("the new key takes the slot of the one that works: %+v", h.journal)
	}

	// A key that was deleted by hand is followed by one in its slot.
	h = begin(t, 1)
	h.update(0, h.request(2))
	h.slots[0] = ""
	h.update(0, h.request(3))
	h.is(4, 1)
}

func TestUnknownGenerationKeepsTheKey(t *testing.T) {
	t.Parallel()
	h := begin(t, 4)
	h.update(0, h.request(0))
	h.is(4, 0)
	if j := Begin(Request{}); j.Current.Generation != 1 {
		t.Errorf("a journal begins with %+v", j)
	}
}

func keysOf(ids ...string) []UserKey {
	keys := make([]UserKey, len(ids))
	for i, id := range ids {
		keys[i] = UserKey{ID: id, Created: start.Add(time.Duration(i) * time.Hour)}
	}
	return keys
}

// TestForeignKeys tells the stack's keys from others, in every situation in which an update makes one. Keys are
// listed from the oldest to the newest.
func TestForeignKeys(t *testing.T) {
	t.Parallel()
	first := func(before ...string) Journal { return Journal{Current: Key{Generation: 1, Before: before}} }
	second := func(before1, before2 []string) Journal {
		return Journal{
			Current: Key{Generation: 2, Before: before2}, Previous: &Key{Generation: 1, Before: before1}, PreviousKept: true,
		}
	}
	for name, tt := range map[string]struct {
		journal              Journal
		keys                 []UserKey
		unrecorded, inTheWay []string
	}{
		"first key":                          {first(), nil, nil, nil},
		"first key, interrupted":             {first(), keysOf("O"), []string{"O"}, nil},
		"first key, beside one by hand":      {first("H"), keysOf("H"), nil, nil},
		"first key, beside two by hand":      {first("H", "I"), keysOf("H", "I"), nil, []string{"H", "I"}},
		"second key":                         {second(nil, []string{"K1"}), keysOf("K1"), nil, nil},
		"second key, interrupted":            {second(nil, []string{"K1"}), keysOf("K1", "O"), []string{"O"}, nil},
		"second key, one by hand before":     {second([]string{"H"}, []string{"H", "K1"}), keysOf("H", "K1"), nil, []string{"H"}},
		"second key, one by hand since":      {second(nil, []string{"K1", "H"}), keysOf("K1", "H"), nil, []string{"H"}},
		"second key, previous gone, by hand": {second(nil, []string{"H"}), keysOf("H"), nil, nil},
		"third key, old one deleted":         {second([]string{"K0"}, []string{"K0", "K1"}), keysOf("K1"), nil, nil},
		"third key, old one still listed":    {second([]string{"K0"}, []string{"K0", "K1"}), keysOf("K0", "K1"), nil, []string{"K0"}},
		"third key, interrupted":             {second([]string{"K0"}, []string{"K0", "K1"}), keysOf("K1", "O"), []string{"O"}, nil},
	} {
		if got := tt.journal.Unrecorded(tt.keys); !slices.Equal(got, tt.unrecorded) {
			t.Errorf("%s: unrecorded are %v, not %v", name, got, tt.unrecorded)
		}
		if len(tt.unrecorded) > 0 {
			continue
		}
		if got := tt.journal.InTheWay(tt.keys); !slices.Equal(got, tt.inTheWay) {
			t.Errorf("%s: in the way are %v, not %v", name, got, tt.inTheWay)
		}
	}
}

func TestKeysBeside(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ before, after, want []string }{
		"none":                           {nil, []string{"K"}, nil},
		"not listed yet":                 {nil, nil, nil},
		"another one":                    {nil, []string{"L", "K"}, []string{"L"}},
		"another one, K not listed yet":  {nil, []string{"L"}, []string{"L"}},
		"previous":                       {[]string{"P"}, []string{"P", "K"}, nil},
		"deleted, and still listed":      {[]string{"D", "P"}, []string{"D", "P", "K"}, nil},
		"another one, and one from then": {[]string{"P"}, []string{"P", "L", "K"}, []string{"L"}},
	} {
		if got := Beside(keysOf(tt.before...), keysOf(tt.after...), "K"); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, not %v", name, got, tt.want)
		}
	}
}

func TestUnmanagedKeys(t *testing.T) {
	t.Parallel()
	one := Journal{Current: Key{Generation: 1}}
	two := Journal{Current: Key{Generation: 2, Before: []string{"K1"}}, Previous: &Key{Generation: 1}, PreviousKept: true}
	for name, tt := range map[string]struct {
		journal           Journal
		keys              []UserKey
		current, previous string
		want              []string
	}{
		"one key":                            {one, keysOf("K1"), "K1", "", nil},
		"one key, one by hand":               {one, keysOf("H", "K1"), "K1", "", []string{"H"}},
		"one key, not made yet":              {one, keysOf("H"), "", "", []string{"H"}},
		"two keys":                           {two, keysOf("K1", "K2"), "K2", "K1", nil},
		"previous about to be deleted":       {two, keysOf("K1", "K2"), "K2", "", nil},
		"previous deleted, another one made": {two, keysOf("K2", "H"), "K2", "", []string{"H"}},
	} {
		if got := tt.journal.Unmanaged(tt.keys, tt.current, tt.previous); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, not %v", name, got, tt.want)
		}
	}
}
