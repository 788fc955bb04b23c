// Package rotation decides when the access key of an IAM user is replaced, and which of the user's keys belong to the
// stack. It is pure: it knows nothing of Pulumi, calls nothing and reads no clock.
//
// AWS allows two access keys per user, so there are two slots. The key of generation g lives in slot g mod 2: it takes
// the place of the key of generation g-2, and the current key, of generation g-1, is not touched while its successor is
// created.
// Source: IAM User Guide, "Manage access keys for IAM users" and "IAM and AWS STS quotas".
package rotation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/clock"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Slots is the number of access keys that AWS allows per user.
const Slots = 2

// Slot returns the slot in which the key of a generation lives.
func Slot(generation int) int { return generation % Slots }

// A Status says what the key before the current one is.
type Status string

// The statuses of a previous key.
const (
	Active   Status = "active"
	Inactive Status = "inactive"
	Deleted  Status = "deleted"
)

// Statuses lists every [Status].
func Statuses() []Status { return []Status{Active, Inactive, Deleted} }

// A Journal is what the stack's state remembers of a user's keys from one update to the next. The engine records it
// before it creates a key, so an update that is killed in between creates the key when it runs again.
type Journal struct {
	// Requested is the generation that the program asked for last.
	Requested int
	// Generation is that of the current key, which exists or is about to be created.
	Generation int
	// First is the generation of the user's first key. No key precedes it.
	First int
	// User is the name of the user.
	User string
	// Previous is the generation of the key before the current one, or 0 if that key is gone or never was.
	Previous int
	// PreviousStatus is the status of that key, Active or Inactive. It is empty if Previous is 0.
	PreviousStatus Status
	// Held reports that the previous key was kept active although the request ends it, because the update before did not
	// do all that it had to.
	Held bool
	// PreviousBefore lists the IDs of the keys that AWS listed when the previous generation was planned.
	PreviousBefore []string
	// Before lists the IDs of the keys that AWS listed for the user when the current generation was planned.
	Before []string
	// PlannedAt is when the current generation was planned, by the clock of the machine that ran the update.
	PlannedAt time.Time
}

// A Request is what an update asks for.
type Request struct {
	// User is the name of the user, or empty while it is unknown in a preview. A name becomes unknown when the user is
	// about to be replaced.
	User string
	// Generation is at least 1, or 0 while it is unknown in a preview.
	Generation int
	// Every is the age at which the current key is rotated, or 0 for never.
	Every time.Duration
	// Previous is what the key before the current one is to be.
	Previous Status
	// HandOver is how long that key stays active after a rotation.
	HandOver time.Duration
	// Revoked suspends every rotation that the generation does not ask for.
	Revoked bool
	// PGPKeyChanged reports that secrets are encrypted to another public key than that of the current key.
	PGPKeyChanged bool
	// Keys are the user's keys as AWS lists them. They are not known in a preview in which the user does not exist yet.
	Keys      []UserKey
	KeysKnown bool
	// Now is the time, and Lag how long AWS may take to list a new key.
	Now time.Time
	Lag time.Duration
}

// A Step is the journal after an update, and what the update does.
type Step struct {
	Journal
	// Planned reports that a new generation was planned: the journal has new values in Before and PlannedAt.
	Planned bool
	// Reason says why the key is rotated. It is empty if it is not.
	Reason string
	// CutsOff reports that this rotation ends the old key without a hand-over.
	CutsOff bool
	// Leftover are keys that should be gone since an earlier update: an update was killed after AWS had created them and
	// before the engine could record them, or the engine could not delete them.
	Leftover []UserKey
}

// ErrNotListed is returned for a rotation that is asked for so soon after the last one that AWS may not list the
// current key yet. Whether that key exists decides which slot the next one takes.
var ErrNotListed = errors.New("AWS does not list the access key that the last update created yet; " +
	"run the update again in a minute")

// A RenamedError is returned for another user who has keys that can be the stack's own: the user was renamed in place,
// and the keys came along. The engine would delete them by the old name, which AWS takes for done, and they would go on
// working.
type RenamedError struct {
	From, To string
	Keys     []UserKey
}

// Error says what to do.
func (e *RenamedError) Error() string {
	return fmt.Sprintf("userName: changes from %q to %q, who has access keys that can be this component's own: %s. If "+
		"the user was renamed, they would go on working: undo the change, give the user the resource option "+
		"replaceOnChanges: [\"name\"], and rename it then. If it is another user, delete its keys, or give it an "+
		"AccessKey of its own", e.From, e.To, strings.Join(ids(e.Keys), ", "))
}

// Begin returns the journal of a user who had no key of this stack until now.
func Begin(r Request) Step {
	generation := max(r.Generation, 1)
	return Step{Journal: Journal{
		Requested: generation, Generation: generation, First: generation, User: r.User,
		Before: ids(r.Keys), PlannedAt: r.Now,
	}, Planned: true}
}

// CheckGeneration reports whether the program may ask for a generation: it never goes back, and one update rotates
// once.
func (j Journal) CheckGeneration(generation int) error {
	switch next := j.Generation + 1; {
	case generation < j.Requested:
		return rule.Broken("must not be lowered; it was %d", j.Requested)
	case generation > max(next, j.Requested+1):
		return rule.Broken(
			"must be raised by one at a time; the current key is of generation %d, so the next is %d", j.Generation, next)
	}
	return nil
}

// Next returns the journal after an update whose generation has passed [Journal.CheckGeneration].
func (j Journal) Next(r Request) (Step, error) {
	if r.Revoked && r.Previous == Deleted {
		// A deletion comes at the end of an update, and not after an error. A revoked key is switched off at once, and
		// deleted when the revocation ends.
		r.Previous = Inactive
	}
	next := Step{Journal: j, Reason: j.reason(r)}
	next.Requested = max(r.Generation, j.Requested)
	if next.Reason == "" {
		next.endPrevious(r)
		if j.Previous == 0 && j.Generation != j.First && !j.isRecent(r) {
			next.Leftover = byAge(intersect(r.Keys, j.Before))
		}
		return next, nil
	}
	if own := j.ownKeysOfAnother(r); len(own) > 0 {
		return Step{}, &RenamedError{j.User, r.User, own}
	}
	next.Planned = true
	next.User, next.Before, next.PlannedAt = r.User, ids(r.Keys), r.Now
	missing := r.User == j.User && r.KeysKnown && j.isMissing(r.Keys)
	if missing && j.isRecent(r) {
		return Step{}, ErrNotListed
	}
	switch {
	case r.User != j.User, missing && j.Generation == j.First:
		next.Generation++
		next.First = next.Generation
		next.setPrevious(Deleted)
	case j.isUnfinished(r):
		next.Generation++
		next.setPrevious(Deleted)
	case missing:
		// The current key was never created. The new one takes its slot, because the other slot may hold the only key
		// that works.
		next.Generation += Slots
		switch {
		case len(r.Keys) == 0:
			next.setPrevious(Deleted)
		case next.Previous != 0 && r.HandOver == 0:
			next.CutsOff = r.Previous != Active && slices.ContainsFunc(r.Keys, func(k UserKey) bool { return k.Active })
			next.setPrevious(r.Previous)
		}
	default:
		next.Previous, next.PreviousBefore = j.Generation, j.Before
		next.setPrevious(Active)
		next.Generation++
		if r.HandOver == 0 && r.Previous != Active {
			if next.Held = !j.isSettled(r); !next.Held {
				next.CutsOff = !r.Revoked
				next.setPrevious(r.Previous)
			}
		}
	}
	return next, nil
}

// reason returns why the request asks for a new key, or an empty string if it does not.
func (j Journal) reason(r Request) string {
	switch {
	case r.User == "":
		return "its user is replaced"
	case r.User != j.User:
		return fmt.Sprintf("userName changes from %q to %q", j.User, r.User)
	case j.isUnfinished(r):
		return "an earlier rotation was not finished"
	case r.Generation > j.Requested:
		return fmt.Sprintf("generation is raised from %d to %d", j.Requested, r.Generation)
	case r.Revoked:
		return ""
	case r.PGPKeyChanged:
		return "pgpKey changes"
	}
	if current, ok := j.current(r); ok && r.Every > 0 {
		if age := r.Now.Sub(current.Created); age >= r.Every {
			return fmt.Sprintf("it is %d days old", int(age/day))
		}
	}
	return ""
}

// current returns the current key, if AWS lists it: the oldest of the keys that were not listed when the generation
// was planned. AWS's date tells its age, because the clock of one update may have been wrong.
func (j Journal) current(r Request) (UserKey, bool) {
	since := exclude(r.Keys, j.Before)
	if len(since) == 0 && j.Generation == j.First && r.Now.Sub(j.PlannedAt) >= day {
		// A key that somebody moved into the slot was there before the journal was. For a day, the key may just as
		// well be one that is not the stack's, beside one that was never created.
		if all := byAge(r.Keys); len(all) > 0 {
			return all[len(all)-1], true
		}
	}
	if len(since) == 0 {
		return UserKey{}, false
	}
	return byAge(since)[0], true
}

// ownKeysOfAnother returns the keys of another user that can be the stack's own: the journal lists them, or they are
// not older than the current generation, as far as clocks agree.
func (j Journal) ownKeysOfAnother(r Request) []UserKey {
	if r.User == j.User {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(r.Keys), func(k UserKey) bool {
		return !slices.Contains(j.Before, k.ID) && !slices.Contains(j.PreviousBefore, k.ID) &&
			k.Created.Before(j.PlannedAt.Add(-clock.Skew))
	})
}

// isMissing reports whether AWS lists no key that can be the current one. A user's first key may have been moved into
// the slot and be older than the journal.
func (j Journal) isMissing(keys []UserKey) bool {
	if j.Generation == j.First {
		return len(keys) == 0
	}
	return len(exclude(keys, j.Before)) == 0
}

// isSettled reports whether AWS shows that the last update did all that it had to, ending a previous key included. If
// it did not, the engine may not know the current key. Then that key stays active for one more update: registering it
// before its successor finds out, and nothing is deleted until then.
func (j Journal) isSettled(r Request) bool {
	if j.Previous == 0 {
		return len(r.Keys) <= 1
	}
	isActive := func(k UserKey) bool { return k.Active }
	return !j.Held && (j.PreviousStatus != Inactive || r.Revoked || !slices.ContainsFunc(j.LostPrevious(r.Keys), isActive))
}

// isRecent reports whether AWS may not list the current key yet. The key is created some time after it was planned,
// when its slot is free and AWS is not throttling. A time in the future comes from a wrong clock.
func (j Journal) isRecent(r Request) bool {
	const untilCreated = 5
	since := r.Now.Sub(j.PlannedAt)
	return since >= 0 && since < (1+untilCreated)*r.Lag
}

// isPreviousGone reports whether AWS lists no key that can be the previous one.
func (j Journal) isPreviousGone(r Request) bool {
	return j.Previous != 0 && r.KeysKnown && !j.isRecent(r) && len(r.Keys) < Slots && len(j.LostPrevious(r.Keys)) == 0
}

// isUnfinished reports whether neither the current key nor the previous one exists, and an older key does. It is in the
// slot of the current key, and is the only one that works: the next key takes the other slot.
func (j Journal) isUnfinished(r Request) bool {
	return j.isPreviousGone(r) && len(r.Keys) > 0 && len(exclude(r.Keys, j.Before)) == 0
}

// endPrevious ends the previous key when its hand-over is over, and forgets it when AWS lists no such key any more.
func (j *Journal) endPrevious(r Request) {
	if j.Previous == 0 {
		return
	}
	if j.isPreviousGone(r) {
		j.setPrevious(Deleted)
		return
	}
	if r.Previous != Active && r.HandOver > 0 {
		current, ok := j.current(r)
		if !ok {
			return // Nothing tells when the hand-over began.
		}
		if r.Now.Sub(current.Created) < r.HandOver {
			j.setPrevious(Active)
			return
		}
	}
	j.setPrevious(r.Previous)
}

// setPrevious gives the previous key a status. A deleted key is never created again: nobody would have its secret.
func (j *Journal) setPrevious(status Status) {
	j.Held, j.PreviousStatus = false, status
	if status == Deleted {
		j.Previous, j.PreviousStatus, j.PreviousBefore = 0, "", nil
	}
}
