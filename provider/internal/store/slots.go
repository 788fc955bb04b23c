package store

// Slots are the two places for a store of one access key, such as its secret. A store with another name is another
// resource of Pulumi's, in the other slot: where the new name is refused, the old store is left, and going back to the
// old name finds it.
//
// Pulumi deletes a secret by what the state says of its recovery window. So a secret that gets another name, or is not
// wanted any more, is given a recovery window in one update, and deleted by the next.
type Slots struct {
	// Name is the name of the store that holds the key, or empty if there is none.
	Name string
	// Slot is the slot of that store, 0 or 1.
	Slot int
	// Retiring is the name of the store in the other slot, which held the key until this update, or empty if there is
	// none.
	Retiring string
}

// Next returns the slots after an update that wants the key in the store of a name, or in none.
func (s Slots) Next(name string) Slots {
	if name == s.Name {
		return Slots{Name: name, Slot: s.Slot}
	}
	return Slots{Name: name, Slot: 1 - s.Slot, Retiring: s.Name}
}
