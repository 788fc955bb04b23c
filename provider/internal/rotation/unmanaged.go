package rotation

import (
	"cmp"
	"slices"
	"time"
)

// UserKey is an access key as AWS lists it.
type UserKey struct {
	ID      string
	Created time.Time
}

// Unrecorded returns the IDs of the keys that the user got since the current key was planned. It is for an
// update that is about to make the current key: then AWS made these for an update that was ended before it
// could note them, or somebody made them by hand.
func (j Journal) Unrecorded(keys []UserKey) []string {
	return ids(without(keys, j.Current.Before))
}

// InTheWay returns the IDs of the keys that leave no room for the current one, and are not the key before it.
// It is for an update that is about to make the current key, has found nothing unrecorded, and has deleted the
// key whose place it takes.
func (j Journal) InTheWay(keys []UserKey) []string {
	if len(keys) < Slots {
		return nil
	}
	if j.Previous == nil {
		return ids(keys)
	}
	return ids(without(keys, j.own(keys, *j.Previous)))
}

// Unmanaged returns the IDs of the keys that are not the stack's, which has the current key, if it is made, and
// the previous one, if it is kept. Of keys that were listed before the current one was made, Beside tells.
func (j Journal) Unmanaged(keys []UserKey, current, previous string) []string {
	rest := without(keys, []string{current, previous})
	if j.Previous != nil {
		// The key before the current one may be about to be deleted.
		rest = without(rest, j.own(keys, *j.Previous))
	}
	return ids(rest)
}

// Beside returns the IDs of the keys that a user got while the current key was made, where before are those that the
// user had until then. Where AWS's answer is lost, the call is made again, and AWS makes another key.
func Beside(before, after []UserKey, current string) []string {
	return ids(without(after, append(ids(before), current)))
}

// OfPrevious returns the ID of the key before the current one, if it is among those given. It is for an update that
// finds that key to be missing from the stack's state.
func (j Journal) OfPrevious(keys []UserKey) []string {
	if j.Previous == nil {
		return nil
	}
	return j.own(keys, *j.Previous)
}

// own returns the ID of the key that was made for k, if it is among those given: the oldest of the keys that the
// user got since k was planned, and had when the current one was. No other key can be older, because k was not
// made while the user had one that was not there when k was planned.
func (j Journal) own(keys []UserKey, k Key) []string {
	since := slices.DeleteFunc(without(keys, k.Before), func(key UserKey) bool {
		return !slices.Contains(j.Current.Before, key.ID)
	})
	if len(since) == 0 {
		return nil
	}
	oldest := slices.MinFunc(since, func(a, b UserKey) int { return a.Created.Compare(b.Created) })
	return []string{oldest.ID}
}

func without(keys []UserKey, known []string) []UserKey {
	return slices.DeleteFunc(slices.Clone(keys), func(k UserKey) bool { return slices.Contains(known, k.ID) })
}

func ids(keys []UserKey) []string {
	var ids []string
	for _, k := range slices.SortedFunc(slices.Values(keys), func(a, b UserKey) int {
		return cmp.Or(a.Created.Compare(b.Created), cmp.Compare(a.ID, b.ID))
	}) {
		ids = append(ids, k.ID)
	}
	return ids
}
