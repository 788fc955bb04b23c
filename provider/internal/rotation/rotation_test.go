package rotation

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// lag is how long AWS may take to list a new key, and settled how long after a rotation it surely does.
const (
	lag     = 10 * time.Second
	settled = 6 * lag
)

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
		var violation *rule.Violation
		if err := CheckInterval(s); !errors.As(err, &violation) {
			t.Errorf("%q: %v", s, err)
		}
	}
}

// A world is a user's keys in AWS, the stack's state, and the one place that holds the current key.
type world struct {
	t       *testing.T
	now     time.Time
	journal *Journal
	aws     []UserKey
	// listed is what AWS lists, if that lags behind.
	listed *[]UserKey
	// slots are the keys in the state.
	slots [Slots]struct {
		generation int
		id         string
	}
	delivered string
	number    int
	// steps is how many steps an update takes before it is killed. It is negative for one that is not.
	steps int
}

var errKilled = errors.New("killed")

// step fails when the update is to be killed.
func (w *world) step() error {
	w.steps--
	if w.steps == -1 {
		return errKilled
	}
	return nil
}

func (w *world) list() []UserKey {
	if w.listed != nil {
		return slices.Clone(*w.listed)
	}
	return slices.Clone(w.aws)
}

func (w *world) create() string {
	w.number++
	w.now = w.now.Add(time.Second)
	id := fmt.Sprint("K", w.number)
	if w.aws = append(w.aws, UserKey{id, w.now, true}); len(w.aws) > Slots {
		w.t.Errorf("the user has %d keys", len(w.aws))
	}
	return id
}

func (w *world) delete(id string) {
	if id == w.delivered {
		w.t.Errorf("the delivered key %s is deleted", id)
	}
	w.aws = exclude(w.aws, []string{id})
}

// request returns a request with a generation, after some days.
func (w *world) request(days, generation int) Request {
	w.now = w.now.Add(time.Duration(days)*day + settled)
	return Request{
		User: "bot", Generation: generation, Previous: Active, Keys: w.list(), KeysKnown: true, Now: w.now, Lag: lag,
	}
}

// blocked is the error of an update that cannot create the current key.
type blocked struct {
	keys       []UserKey
	unrecorded bool
}

func (b blocked) Error() string { return fmt.Sprint("blocked by ", b.keys) }

// update does what the component and the engine do, and returns why the key is rotated.
func (w *world) update(r Request) (string, error) {
	w.t.Helper()
	next := Begin(r)
	if w.journal != nil {
		if err := w.journal.CheckGeneration(r.Generation); err != nil {
			return "", err
		}
		var err error
		if next, err = w.journal.Next(r); err != nil {
			return "", err
		}
	}
	if err := w.step(); err != nil {
		return "", err
	}
	w.journal = &next.Journal
	j, previous := next.Journal, ""
	if j.PreviousStatus == Active {
		slot := w.slots[Slot(j.Previous)]
		if slot.generation != j.Previous {
			if lost := j.LostPrevious(w.list()); len(lost) > 0 {
				return "", blocked{lost, true}
			}
			return "", fmt.Errorf("the state has generation %d in the slot of the previous key, %d", slot.generation, j.Previous)
		}
		previous = slot.id
	}
	current := &w.slots[Slot(j.Generation)]
	if current.generation != j.Generation {
		if err := w.step(); err != nil {
			return "", err
		}
		if current.id != "" {
			w.delete(current.id)
		}
		current.generation, current.id = 0, ""
		if err := w.step(); err != nil {
			return "", err
		}
		if keys, unrecorded := j.Blocking(w.list(), previous); len(keys) > 0 {
			return "", blocked{keys, unrecorded}
		}
		id := w.create()
		if err := w.step(); err != nil {
			return "", err
		}
		current.generation, current.id = j.Generation, id
	}
	if err := w.step(); err != nil {
		return "", err
	}
	w.delivered = current.id
	if j.PreviousStatus == Inactive {
		if err := w.step(); err != nil {
			return "", err
		}
		slot := w.slots[Slot(j.Previous)]
		if slot.generation != j.Previous {
			if lost := j.LostPrevious(w.list()); len(lost) > 0 {
				return "", blocked{lost, true}
			}
			return "", fmt.Errorf("the state has generation %d in the slot of the previous key, %d", slot.generation, j.Previous)
		}
		for i := range w.aws {
			w.aws[i].Active = w.aws[i].Active && w.aws[i].ID != slot.id
		}
	}
	for slot := range w.slots {
		if slot == Slot(j.Generation) || j.Previous != 0 && slot == Slot(j.Previous) || w.slots[slot].id == "" {
			continue
		}
		if err := w.step(); err != nil {
			return "", err
		}
		w.delete(w.slots[slot].id)
		w.slots[slot].generation, w.slots[slot].id = 0, ""
	}
	return next.Reason, nil
}

// must runs an update that succeeds, and returns why the key is rotated.
func (w *world) must(r Request) string {
	w.t.Helper()
	w.steps = -1
	reason, err := w.update(r)
	if err != nil {
		w.t.Fatal(err)
	}
	return reason
}

// has checks the generation of the current key, that of the previous one, and how many keys there are.
func (w *world) has(current, previous, keys int) {
	w.t.Helper()
	if w.journal.Generation != current || w.journal.Previous != previous || len(w.aws) != keys {
		w.t.Errorf("the keys are of generation %d and %d, and AWS has %v", w.journal.Generation, w.journal.Previous, w.aws)
	}
}

func newWorld(t *testing.T, generation int) *world {
	t.Helper()
	w := &world{t: t, now: start}
	w.must(w.request(0, generation))
	return w
}

func TestRotationByHand(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 5)
	w.has(5, 0, 1)
	if reason := w.must(w.request(1000, 5)); reason != "" {
		t.Errorf("it rotates because %s", reason)
	}
	if reason := w.must(w.request(0, 6)); reason != "generation is raised from 5 to 6" {
		t.Errorf("it rotates because %q", reason)
	}
	w.has(6, 5, 2)
	w.must(w.request(0, 7))
	w.has(7, 6, 2)
	if got := Begin(Request{}).Generation; got != 1 {
		t.Errorf("a journal begins with generation %d", got)
	}
	unknown := w.request(0, 0)
	unknown.Generation = 0
	if step, err := w.journal.Next(unknown); err != nil || step.Generation != 7 {
		t.Errorf("an unknown generation gives %+v, %v", step, err)
	}
}

// TestRotationByAge checks that AWS's date of the current key tells its age, whatever the clock of an earlier update
// said.
func TestRotationByAge(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	every := func(days, generation int) Request {
		r := w.request(days, generation)
		r.Every = 90 * day
		return r
	}
	w.must(every(89, 1))
	w.has(1, 0, 1)
	if reason := w.must(every(1, 1)); reason != "it is 90 days old" {
		t.Errorf("it rotates because %q", reason)
	}
	w.has(2, 1, 2)
	w.must(every(89, 1))
	w.has(2, 1, 2)
	w.must(every(500, 1))
	w.has(3, 2, 2)
	// By hand once more; the age counts from there.
	w.must(every(10, 2))
	w.has(4, 3, 2)
	w.must(every(80, 2))
	w.has(4, 3, 2)
	// No longer by age, and by age again.
	w.must(w.request(1000, 2))
	w.has(4, 3, 2)
	w.journal.PlannedAt = start.AddDate(10, 0, 0)
	w.must(every(0, 2))
	w.has(5, 4, 2)
	// A revoked key is not rotated by age, and is by hand.
	revoked := every(100, 2)
	revoked.Revoked = true
	w.must(revoked)
	w.has(5, 4, 2)
	revoked = every(0, 6)
	revoked.Revoked = true
	w.must(revoked)
	w.has(6, 5, 2)
}

func TestGenerationIsRaisedByOne(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 3)
	for generation, want := range map[int]string{
		1: "must not be lowered; it was 3", 2: "must not be lowered", 3: "", 4: "",
		5: "must be raised by one at a time; the current key is of generation 3, so the next is 4",
	} {
		err := w.journal.CheckGeneration(generation)
		if (want == "") != (err == nil) || (err != nil && !strings.HasPrefix(err.Error(), want)) {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
	// After rotations by age, any number up to the next generation is one more rotation.
	for range 2 {
		r := w.request(1, 3)
		r.Every = day
		w.must(r)
	}
	w.has(5, 4, 2)
	for generation, want := range map[int]bool{2: false, 3: true, 4: true, 5: true, 6: true, 7: false} {
		if err := w.journal.CheckGeneration(generation); (err == nil) != want {
			t.Errorf("generation %d after rotations by age: %v", generation, err)
		}
	}
	w.must(w.request(0, 4))
	w.has(6, 5, 2)
}

func TestPrevious(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	with := func(days, generation int, previous Status, handOver time.Duration) Request {
		r := w.request(days, generation)
		r.Previous, r.HandOver = previous, handOver
		return r
	}
	status := func(want Status) {
		t.Helper()
		if w.journal.PreviousStatus != want {
			t.Errorf("the previous key is %q, not %q", w.journal.PreviousStatus, want)
		}
	}
	w.must(with(0, 2, Inactive, 0))
	status(Inactive)
	w.must(with(0, 2, Active, 0))
	status(Active)
	w.must(with(0, 2, Deleted, 0))
	w.has(2, 0, 1)
	// A deleted key stays deleted.
	w.must(with(0, 2, Active, 0))
	w.has(2, 0, 1)
	w.must(with(0, 3, Deleted, 0))
	w.has(3, 0, 1)

	// With a hand-over, the previous key stays active for so long.
	for generation, end := range map[int]Status{4: Inactive, 5: Deleted} {
		w.must(with(0, w.journal.Generation+1, end, 7*day))
		status(Active)
		w.must(with(6, w.journal.Generation, end, 7*day))
		status(Active)
		w.must(with(1, w.journal.Generation, end, 7*day))
		if end == Inactive {
			status(Inactive)
			w.must(with(0, w.journal.Generation, end, 30*day))
			status(Active)
		} else {
			w.has(w.journal.Generation, 0, 1)
		}
		_ = generation
	}

	// Only a rotation without a hand-over cuts off.
	for _, tt := range []struct {
		previous Status
		handOver time.Duration
		want     bool
	}{{Active, 0, false}, {Inactive, 0, true}, {Deleted, 0, true}, {Deleted, day, false}} {
		step, err := w.journal.Next(with(0, w.journal.Generation+1, tt.previous, tt.handOver))
		if err != nil || step.CutsOff != tt.want || step.Reason == "" {
			t.Errorf("%q with %v: %+v, %v", tt.previous, tt.handOver, step, err)
		}
	}
}

// TestBoundaries checks what happens at exactly the time that a rule names, and a second before.
func TestBoundaries(t *testing.T) {
	t.Parallel()
	second := Journal{
		Requested: 2, Generation: 2, First: 1, User: "bot", Previous: 1, PreviousStatus: Active, Before: []string{"K1"},
		PlannedAt: start,
	}
	moved := Journal{Requested: 1, Generation: 1, First: 1, User: "bot", Before: []string{"K1"}, PlannedAt: start}
	request := Request{User: "bot", Generation: 2, Previous: Active, KeysKnown: true, Lag: lag, Keys: []UserKey{
		{"K1", start.Add(-day), true}, {"K2", start, true},
	}}
	rotated := func(step Step) bool { return step.Planned }
	for name, tt := range map[string]struct {
		journal Journal
		at      time.Duration
		change  func(*Request)
		happens func(Step) bool
	}{
		"rotateEvery": {second, 90 * day, func(r *Request) { r.Every = 90 * day }, rotated},
		"handOver": {
			second, 7 * day, func(r *Request) { r.Previous, r.HandOver = Inactive, 7*day },
			func(s Step) bool { return s.PreviousStatus == Inactive },
		},
		"rotateEvery of a key that was moved into the slot": {
			moved, day, func(r *Request) { r.Generation, r.Every, r.Keys = 1, day, r.Keys[:1] }, rotated,
		},
		"a previous key that AWS does not list": {
			second, settled, func(r *Request) { r.Keys = r.Keys[1:] }, func(s Step) bool { return s.Previous == 0 },
		},
	} {
		r := request
		tt.change(&r)
		for before, want := range map[time.Duration]bool{0: true, time.Second: false} {
			r.Now = start.Add(tt.at - before)
			if step, err := tt.journal.Next(r); err != nil || tt.happens(step) != want {
				t.Errorf("%s, %v before: %+v, %v", name, before, step, err)
			}
		}
	}
	// A key of another user that is 5 minutes older than the generation can be the stack's, as far as clocks agree.
	for age, want := range map[time.Duration]bool{5 * time.Minute: true, 5*time.Minute + time.Second: false} {
		r := request
		r.User, r.Now, r.Keys = "robot", start.Add(day), []UserKey{{"K9", start.Add(-age), true}}
		_, err := second.Next(r)
		if renamed := new(RenamedError); errors.As(err, &renamed) != want {
			t.Errorf("a key that is %v older: %v", age, err)
		}
	}
}

// TestPreviousThatIsGone checks that a previous key that AWS does not list is forgotten, and not one that AWS does not
// list yet.
func TestPreviousThatIsGone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.must(w.request(0, 2))
	r := w.request(0, 2)
	r.Keys = r.Keys[1:]
	r.Now = w.journal.PlannedAt.Add(settled - time.Second)
	if step, err := w.journal.Next(r); err != nil || step.Previous != 1 {
		t.Errorf("too soon: %+v, %v", step, err)
	}
	r.KeysKnown, r.Now = false, w.now
	if step, err := w.journal.Next(r); err != nil || step.Previous != 1 {
		t.Errorf("unknown keys: %+v, %v", step, err)
	}
	r.KeysKnown = true
	if step, err := w.journal.Next(r); err != nil || step.Previous != 0 {
		t.Errorf("gone: %+v, %v", step, err)
	}
	r.Keys = nil
	r.Generation = 3
	if step, err := w.journal.Next(r); err != nil || step.Previous != 0 || step.Generation != 4 {
		t.Errorf("both gone, rotated: %+v, %v", step, err)
	}
}

func TestPGPKeyRotates(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	r := w.request(0, 1)
	r.PGPKeyChanged = true
	if reason := w.must(r); reason != "pgpKey changes" {
		t.Errorf("it rotates because %q", reason)
	}
	w.has(2, 1, 2)
	r = w.request(0, 1)
	r.PGPKeyChanged, r.Revoked = true, true
	w.must(r)
	w.has(2, 1, 2)
}

func TestAnotherUserHasNoPreviousKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.must(w.request(0, 2))
	for user, reason := range map[string]string{"other": `userName changes from "bot" to "other"`, "": "its user is replaced"} {
		r := w.request(0, 2)
		r.User, r.Keys = user, nil
		step, err := w.journal.Next(r)
		if err != nil || step.Generation != 3 || step.First != 3 || step.Previous != 0 || step.User != user || step.Reason != reason {
			t.Errorf("user %q: %+v, %v", user, step, err)
		}
	}
}

// TestUserRenamedInPlace checks that keys that came along with a new name are not taken for another user's.
func TestUserRenamedInPlace(t *testing.T) {
	t.Parallel()
	for generations := 1; generations <= 2; generations++ {
		w := newWorld(t, 1)
		if generations == 2 {
			w.must(w.request(0, 2))
		}
		r := w.request(0, generations)
		r.User = "renamed"
		var renamed *RenamedError
		if _, err := w.journal.Next(r); !errors.As(err, &renamed) || len(renamed.Keys) != generations {
			t.Errorf("with %d keys: %v", generations, err)
		}
		// A key that is older than the stack's is the other user's own.
		r.Keys = []UserKey{{ID: "theirs", Created: w.journal.PlannedAt.Add(-time.Hour), Active: true}}
		if step, err := w.journal.Next(r); err != nil || step.First != generations+1 {
			t.Errorf("with %d keys, a user with an older key: %+v, %v", generations, step, err)
		}
	}
}

// TestUnfinishedRotation checks that a rotation that was killed before AWS created its key is never taken for done:
// the key that works is not in the slot that the next one takes.
func TestUnfinishedRotation(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 1)
	w.must(w.request(0, 2))
	w.steps = 2
	if _, err := w.update(w.request(0, 3)); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	w.has(3, 2, 1)
	for _, tt := range []struct {
		previous     Status
		active, want bool
	}{{Active, true, false}, {Deleted, true, true}, {Inactive, true, true}, {Deleted, false, false}} {
		r := w.request(0, 4)
		r.Previous, r.Keys[0].Active = tt.previous, tt.active
		if step, err := w.journal.Next(r); err != nil || step.CutsOff != tt.want {
			t.Errorf("%+v: the only key that is left is cut off: %v, %v", tt, step.CutsOff, err)
		}
	}
	w.must(w.request(0, 4))
	w.has(5, 2, 2)
	w.must(w.request(0, 5))
	w.has(6, 5, 2)

	// A current key that was deleted by hand is followed by one in its slot.
	w.delivered = ""
	w.delete(w.slots[0].id)
	w.must(w.request(0, 7))
	w.has(8, 5, 2)

	// A first key that was never created has no previous one.
	w = &world{t: t, now: start, steps: 1}
	if _, err := w.update(w.request(0, 1)); !errors.Is(err, errKilled) {
		t.Fatal(err)
	}
	w.must(w.request(0, 2))
	w.has(2, 0, 1)
}

// TestLaggingList checks that "not listed yet" is not taken for "never created".
func TestLaggingList(t *testing.T) {
	t.Parallel()
	for _, previous := range Statuses() {
		w := newWorld(t, 1)
		leaked := w.list()
		request := func(generation int) Request {
			r := w.request(0, generation)
			r.Previous = previous
			return r
		}
		w.must(request(2))
		w.listed = &leaked
		r := request(3)
		r.Now = w.journal.PlannedAt.Add(lag / 2)
		w.steps = -1
		if _, err := w.update(r); !errors.Is(err, ErrNotListed) {
			t.Errorf("%s: %v", previous, err)
		}
		w.listed = nil
		w.must(request(3))
		if w.journal.Generation != 3 || slices.ContainsFunc(w.aws, func(k UserKey) bool { return k.ID == leaked[0].ID }) {
			t.Errorf("%s: two rotations leave %v", previous, w.aws)
		}
	}
}

// TestMovedKey checks that a key that was moved into the slot together with its secret is the previous one after the
// first rotation, by hand and by age.
func TestMovedKey(t *testing.T) {
	t.Parallel()
	for _, byAge := range []bool{false, true} {
		w := &world{t: t, now: start}
		w.slots[1].generation, w.slots[1].id = 1, w.create()
		w.delivered = w.slots[1].id
		w.must(w.request(100, 1))
		w.has(1, 0, 1)
		r := w.request(1, 1)
		if byAge {
			r.Every = 90 * day
		} else {
			r.Generation = 2
		}
		w.must(r)
		w.has(2, 1, 2)
	}
}

// TestRandomHistories runs updates that are killed anywhere, with every kind of request, while AWS's list may lag, and
// somebody does what the errors say. The key that was delivered exists at every moment, AWS never has a third key, and
// an update that is not killed ends with what it asks for.
func TestRandomHistories(t *testing.T) {
	t.Parallel()
	const histories, updates = 3000, 14
	kills, blocks := 0, 0
	for seed := range uint64(histories) {
		random := rand.New(rand.NewPCG(1, seed)) //nolint:gosec // The same each time.
		w := &world{t: t, now: start}
		generation := 1 + random.IntN(3)
		previous, handOver, killed := Active, time.Duration(0), false
		for range updates {
			r := w.request(random.IntN(100), 0)
			if w.journal != nil && random.IntN(2) == 0 {
				generation = max(generation, w.journal.Generation) + 1
				if w.journal.CheckGeneration(generation) != nil {
					generation = w.journal.Requested
				}
			}
			r.Generation = generation
			if !killed && random.IntN(2) == 0 {
				// Not after a kill. An update that first ends a hand-over and at the same time rotates once more cannot
				// tell whether the engine knows the current key. It ends the old one as it was asked to.
				previous, handOver = Statuses()[random.IntN(3)], 0
				if previous != Active {
					handOver = []time.Duration{0, 7 * day}[random.IntN(2)]
				}
			}
			r.Previous, r.HandOver = previous, handOver
			r.Every = []time.Duration{0, 60 * day}[random.IntN(2)]
			w.steps = random.IntN(8)
			if random.IntN(2) == 0 {
				w.steps = -1
			}
			_, err := w.update(r)
			killed = errors.Is(err, errKilled)
			if killed {
				kills++
				if w.journal == nil {
					continue
				}
				if current := w.slots[Slot(w.journal.Generation)]; current.generation == w.journal.Generation {
					// A key that the engine recorded and that was not delivered counts: if another rotation is asked for
					// now, it is the one that stays.
					w.delivered = current.id
				}
				continue
			}
			for tries := 0; err != nil && tries < 3; tries++ {
				var b blocked
				if !errors.As(err, &b) || len(b.keys) != 1 {
					t.Fatalf("seed %d: %v, of %+v", seed, err, w.journal)
				}
				blocks++
				w.delete(b.keys[0].ID)
				w.now = w.now.Add(settled)
				r.Keys, r.Now, w.steps = w.list(), w.now, -1
				_, err = w.update(r)
			}
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			want := 1
			if w.journal.Previous != 0 {
				want++
			}
			if len(w.aws) > want {
				// The next update names the key that nobody knows.
				step, err := w.journal.Next(w.request(0, generation))
				if err != nil || len(step.Leftover) != 1 {
					t.Fatalf("seed %d: nothing is said of %v: %+v, %v", seed, w.aws, step, err)
				}
				w.delete(step.Leftover[0].ID)
			}
			if len(w.aws) != want || w.delivered != w.slots[Slot(w.journal.Generation)].id {
				t.Fatalf("seed %d: AWS has %v after %+v", seed, w.aws, w.journal)
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	if kills < histories || blocks < histories/20 {
		t.Errorf("there were %d kills and %d keys that nobody knew", kills, blocks)
	}
}

func keysOf(ids ...string) []UserKey {
	keys := make([]UserKey, len(ids))
	for i, id := range ids {
		keys[i] = UserKey{ID: id, Created: start.Add(time.Duration(i) * time.Hour)}
	}
	return keys
}

// TestBlocking checks which keys keep the current one from being created. Keys are listed from the oldest to the
// newest.
func TestBlocking(t *testing.T) {
	t.Parallel()
	first := func(before ...string) Journal { return Journal{Generation: 1, First: 1, Before: before} }
	second := func(before ...string) Journal { return Journal{Generation: 2, First: 1, Previous: 1, Before: before} }
	for name, tt := range map[string]struct {
		journal    Journal
		keys       []UserKey
		previous   string
		want       []string
		unrecorded bool
	}{
		"first key":                         {first(), nil, "", nil, false},
		"first key, killed":                 {first(), keysOf("O"), "", []string{"O"}, true},
		"first key, beside one by hand":     {first("H"), keysOf("H"), "", nil, false},
		"first key, beside two by hand":     {first("H", "I"), keysOf("H", "I"), "", []string{"H", "I"}, false},
		"second key":                        {second("K1"), keysOf("K1"), "K1", nil, false},
		"second key, killed":                {second("K1"), keysOf("K1", "O"), "K1", []string{"O"}, true},
		"second key, killed, deleted mode":  {second("K1"), keysOf("K1", "O"), "", []string{"O"}, true},
		"second key, one by hand":           {second("H", "K1"), keysOf("H", "K1"), "K1", []string{"H"}, false},
		"second key, by hand, deleted mode": {second("H", "K1"), keysOf("H", "K1"), "", []string{"H", "K1"}, false},
		"second key, planned on a stale list": {
			second(), keysOf("K1"), "", nil, false,
		},
		"second key, killed, on a stale list": {second(), keysOf("K1", "O"), "K1", []string{"O"}, true},
		"second key, previous gone":           {second("H"), keysOf("H"), "", nil, false},
		"third key, old one still listed":     {second("K0", "K1"), keysOf("K0", "K1"), "K1", []string{"K0"}, false},
		"a restored state":                    {second("K1"), keysOf("K3", "K4"), "", []string{"K3", "K4"}, true},
	} {
		keys, unrecorded := tt.journal.Blocking(tt.keys, tt.previous)
		if got := ids(keys); !slices.Equal(got, append([]string{}, tt.want...)) || unrecorded != tt.unrecorded {
			t.Errorf("%s: %v, %v, not %v", name, got, unrecorded, tt.want)
		}
	}
}

func TestCreatedAlongside(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ before, after, want []string }{
		"none":                           {nil, []string{"K"}, []string{}},
		"not listed yet":                 {nil, nil, []string{}},
		"another one":                    {nil, []string{"L", "K"}, []string{"L"}},
		"another one, K not listed yet":  {nil, []string{"L"}, []string{"L"}},
		"previous":                       {[]string{"P"}, []string{"P", "K"}, []string{}},
		"another one, and one from then": {[]string{"P"}, []string{"P", "L", "K"}, []string{"L"}},
	} {
		if got := ids(CreatedAlongside(keysOf(tt.before...), keysOf(tt.after...), "K")); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, not %v", name, got, tt.want)
		}
	}
}

func TestUnmanagedKeys(t *testing.T) {
	t.Parallel()
	one := Journal{Generation: 1, First: 1, Before: []string{"H"}}
	two := Journal{Generation: 2, First: 1, Before: []string{"K1"}}
	for name, tt := range map[string]struct {
		journal           Journal
		keys              []UserKey
		current, previous string
		want              []string
	}{
		"one key":                            {one, keysOf("K1"), "K1", "", []string{}},
		"one key, one by hand":               {one, keysOf("H", "K1"), "K1", "", []string{"H"}},
		"one key, not created yet":           {one, keysOf("H"), "", "", []string{"H"}},
		"two keys":                           {two, keysOf("K1", "K2"), "K2", "K1", []string{}},
		"previous about to be deleted":       {two, keysOf("K1", "K2"), "K2", "", []string{}},
		"previous deleted, another one made": {two, keysOf("K2", "H"), "K2", "", []string{"H"}},
	} {
		if got := ids(tt.journal.Unmanaged(tt.keys, tt.current, tt.previous)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, not %v", name, got, tt.want)
		}
	}
}
