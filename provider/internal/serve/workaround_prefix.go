package serve

import (
	"errors"
	"regexp"
)

// awaiting is what the Pulumi SDK writes before the error of an output that a resource was waiting for.
var awaiting = regexp.MustCompile(`(marshaling properties: )?awaiting input property "[^"]*": `)

// withoutAwaiting returns an error without the SDK's words about which input was waited for, which mean nothing to a
// user: the error itself says what is wrong.
//
// Needless once the SDK leaves them out. Seen in v3.259.0; no upstream issue is known.
func withoutAwaiting(err error) error {
	if text := awaiting.ReplaceAllString(err.Error(), ""); text != err.Error() {
		return errors.New(text)
	}
	return err
}
