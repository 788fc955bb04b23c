// Package clock has what AWS's clock and that of the machine which runs an update share: how far they lie apart, and
// the second, in which AWS tells when credentials were issued.
package clock

import "time"

// Skew is how far AWS's clock and that of the machine which runs an update may lie apart.
const Skew = 5 * time.Minute

// WholeSecond returns a time in UTC, rounded up to a second: credentials of a later part of its second say that they
// were issued when the second began.
func WholeSecond(t time.Time) time.Time {
	return t.UTC().Add(time.Second - time.Nanosecond).Truncate(time.Second)
}
