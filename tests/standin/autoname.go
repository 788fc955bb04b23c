package main

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// The bridge's settings for the AWS package: "-", seven hexadecimal digits, and at most 255 characters.
const (
	autonameSeparator = "-"
	autonameDigits    = 7
	autonameMax       = 255
)

// autoname is the bridge's generated name: the resource's logical name and random digits from the seed.
func autoname(u urn.URN, seed []byte) (string, error) {
	name, err := resource.NewUniqueName(seed, u.Name()+autonameSeparator, autonameDigits, autonameMax, nil)
	if err != nil {
		return "", fmt.Errorf("generating a name for %s: %w", u.Name(), err)
	}
	return name, nil
}

var nameCounter atomic.Uint32

// uniqueName is Terraform's name after a prefix: the time in 18 digits and a counter in 8.
func uniqueName(prefix string) string {
	now := time.Now().UTC()
	return fmt.Sprintf("%s%s%04d%08x", prefix, now.Format("20060102150405"), now.Nanosecond()/100000, nameCounter.Add(1))
}
