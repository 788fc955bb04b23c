// Package rotation decides when the access key of an IAM user is followed by another one, and which of the
// keys that the user has are not the stack's own. It is pure: it knows nothing of Pulumi, calls nothing and
// reads no clock.
//
// AWS gives a user two keys at most, so there are two slots. The key of generation g lives in slot g mod 2,
// where it takes the place of the key of generation g-2, so that the current key, of generation g-1, is not
// touched while its successor is made.
// Source: IAM User Guide, "Manage access keys for IAM users" and "IAM and AWS STS quotas".
package rotation

import (
	"fmt"
	"slices"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// Slots is the number of access keys that AWS gives a user.
const Slots = 2

// Journal is what is remembered of a user's keys from one update to the next. It is written before a key is
// made: an update that is ended between the two makes the key when it is run again.
type Journal struct {
	// Requested is the generation that was asked for last.
	Requested int
	// RotatedAt is when the current generation began.
	RotatedAt time.Time
	// UserID is the unique ID of the user who has the keys.
	UserID string
	// Current is the key that is in use, or is to be made.
	Current Key
	// Previous is the key before the current one, as far as it is remembered.
	Previous *Key
	// PreviousKept says that the key before the current one still exists.
	PreviousKept bool
}

// Key is what is remembered of one key.
type Key struct {
	Generation int
	// PGPKey is the public key that the secret is encrypted to, or empty. It belongs to the key that was made
	// with it: another one for a key that exists would replace that key.
	PGPKey string
	// Before are the IDs of the keys that the user had when this one was planned. A key that is not among them,
	// while this one is yet to be made, is one that the stack does not know.
	Before []string
}

// Slot returns the number of the slot that the key lives in.
func (k Key) Slot() int { return k.Generation % Slots }

// Request is what an update asks for.
type Request struct {
	// Generation is at least 1, or 0 where it is not known yet, in a preview.
	Generation int
	// Every is how old a key becomes at most, or 0 for any age.
	Every time.Duration
	// KeepPrevious says that the key before the current one goes on to exist.
	KeepPrevious bool
	// PGPKey is the public key that secrets are encrypted to, or empty.
	PGPKey string
	// PGPKeyUnknown says that PGPKey is not known yet, in a preview.
	PGPKeyUnknown bool
	// UserID is the unique ID of the user, or empty where it is not known yet, in a preview.
	UserID string
	// UserKeys are the IDs of the keys that the user has now.
	UserKeys []string
	// Now is the time.
	Now time.Time
}

// Begin returns the journal of a user who has had no key of the stack yet.
func Begin(r Request) Journal {
	generation := max(r.Generation, 1)
	return Journal{
		Requested: generation,
		RotatedAt: r.Now,
		UserID:    r.UserID,
		Current:   Key{Generation: generation, PGPKey: r.PGPKey, Before: r.UserKeys},
	}
}

// CheckGeneration reports whether the generation can follow what the journal holds: a generation never goes
// back, and an update rotates once.
func (j Journal) CheckGeneration(generation int) error {
	switch next := j.Current.Generation + 1; {
	case generation < j.Requested:
		return &iam.Violation{Rule: fmt.Sprintf("must not be lowered: it was %d", j.Requested)}
	case generation > max(next, j.Requested+1):
		return &iam.Violation{Rule: fmt.Sprintf(
			"must be raised by one at a time: the current key is of generation %d, and the next one is %d",
			j.Current.Generation, next)}
	}
	return nil
}

// Due returns why the request asks for a new key, or an empty string if it does not.
func (j Journal) Due(r Request) string {
	switch {
	case r.UserID != j.UserID:
		return "the user is replaced, with all of its keys"
	case j.pending(r) && j.previousGone(r):
		return "an earlier rotation was not finished"
	case r.Generation > j.Requested:
		return fmt.Sprintf("generation is raised from %d to %d", j.Requested, r.Generation)
	case !r.PGPKeyUnknown && r.PGPKey != j.Current.PGPKey:
		return "pgpKey has changed"
	case r.Every > 0 && !r.Now.Before(j.RotatedAt.Add(r.Every)):
		return fmt.Sprintf("the current key is %d days old", int(r.Now.Sub(j.RotatedAt)/day))
	}
	return ""
}

// pending reports whether the current key is not there: the user has no key but those that were there when it was
// planned. Then an update was ended before it made the key, or somebody deleted it.
func (j Journal) pending(r Request) bool {
	return !slices.ContainsFunc(r.UserKeys, func(id string) bool { return !slices.Contains(j.Current.Before, id) })
}

// previousGone reports whether the key before the current one is not there, although it is kept.
func (j Journal) previousGone(r Request) bool {
	return j.PreviousKept && !slices.ContainsFunc(r.UserKeys, func(id string) bool {
		return slices.Contains(j.Current.Before, id) && !slices.Contains(j.Previous.Before, id)
	})
}

// Next returns the journal after an update that asks for r, which has passed [Journal.CheckGeneration]. Where the
// current key is not there, the new one takes its slot, and not the one of a key that may be the only one to work.
func (j Journal) Next(r Request) Journal {
	next := j
	next.Requested = max(r.Generation, j.Requested)
	if j.Due(r) != "" {
		next.RotatedAt = r.Now
		next.UserID = r.UserID
		next.Current = Key{Generation: j.Current.Generation + 1, PGPKey: r.PGPKey, Before: r.UserKeys}
		switch {
		case r.UserID != j.UserID, j.pending(r) && j.previousGone(r):
			next.Previous, next.PreviousKept = nil, false
		case j.pending(r):
			next.Current.Generation = j.Current.Generation + Slots
		default:
			previous := j.Current
			next.Previous, next.PreviousKept = &previous, true
		}
	}
	// What is deleted stays so, whatever is asked for later: a key made in its place would be nobody's.
	next.PreviousKept = next.PreviousKept && r.KeepPrevious
	return next
}
