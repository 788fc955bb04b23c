package main

import (
	"fmt"
	"regexp"
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

// nameFromPrefix is Terraform's name for a namePrefix: the prefix, the time in 18 digits and a counter in 8.
func nameFromPrefix(prefix string) string {
	now := time.Now().UTC()
	return fmt.Sprintf("%s%s%04d%08x", prefix, now.Format("20060102150405"), now.Nanosecond()/100000, nameCounter.Add(1))
}

var uniqueSuffix = regexp.MustCompile(`^(.+)[0-9]{18}[0-9a-f]{8}$`)

// prefixFromName is the namePrefix that such a name has, and "" for any other name.
func prefixFromName(name string) string {
	if m := uniqueSuffix.FindStringSubmatch(name); m != nil {
		return m[1]
	}
	return ""
}
