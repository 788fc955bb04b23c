package rotation

import (
	"cmp"
	"slices"
	"time"
)

// A UserKey is an access key as AWS lists it.
type UserKey struct {
	ID      string
	Created time.Time
	Active  bool
}

// Blocking returns the keys that keep the current key from being created, the oldest first, and whether none of them
// was there when the generation was planned. Such a key was created by an update that was killed before the engine
// could record it, or by hand. The previous key, where its ID is known, blocks nothing.
func (j Journal) Blocking(keys []UserKey, previous string) (blocking []UserKey, unrecorded bool) {
	since := exclude(keys, append(slices.Clone(j.Before), previous))
	switch {
	case len(since) > 0 && (j.Generation == j.First || len(keys) >= Slots):
		return byAge(since), true
	case len(keys) >= Slots:
		return byAge(exclude(keys, []string{previous})), false
	}
	return nil, false
}

// LostPrevious returns the keys that may be the previous one, the oldest first, for an update that finds that key
// missing from the stack's state: those that AWS listed after the previous generation was planned and before the
// current one was.
func (j Journal) LostPrevious(keys []UserKey) []UserKey {
	return byAge(intersect(exclude(keys, j.PreviousBefore), j.Before))
}

// Unmanaged returns the keys that the stack does not manage, the oldest first. The stack manages the keys given by
// their IDs. A key that was there when the current one was planned may be the key before it, about to be deleted.
func (j Journal) Unmanaged(keys []UserKey, managed ...string) []UserKey {
	rest := exclude(keys, managed)
	if j.Generation != j.First {
		rest = exclude(rest, j.Before)
	}
	return byAge(rest)
}

// CreatedAlongside returns the keys that a user got while the current key was created. When AWS's answer is lost, the
// call is repeated, and AWS creates another key.
func CreatedAlongside(before, after []UserKey, current string) []UserKey {
	return byAge(exclude(after, append(ids(before), current)))
}

func exclude(keys []UserKey, known []string) []UserKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k UserKey) bool { return slices.Contains(known, k.ID) })
}

func intersect(keys []UserKey, known []string) []UserKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k UserKey) bool { return !slices.Contains(known, k.ID) })
}

// byAge returns the keys from the oldest to the newest.
func byAge(keys []UserKey) []UserKey {
	return slices.SortedFunc(slices.Values(keys), func(a, b UserKey) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	})
}

// ids returns the IDs of the keys, from the oldest to the newest. It returns no nil.
func ids(keys []UserKey) []string {
	all := make([]string, 0, len(keys))
	for _, k := range byAge(keys) {
		all = append(all, k.ID)
	}
	return all
}
