package iam

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Limits on tags: their number, and characters in a key and in a value.
// Source: "Tags for AWS Identity and Access Management resources", section "Rules for tagging in IAM and AWS STS".
const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

const tagCharacters = "letters, digits, spaces and _ . : / = + - @"

var tagRE = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// CheckTagKey reports whether s can be the key of a tag: 1 to 128 characters, not beginning with aws: in any case.
func CheckTagKey(s string) error {
	switch {
	case s == "":
		return violationf("must have a key of 1 to %d characters", maxTagKey)
	case !utf8.ValidString(s) || !tagRE.MatchString(s):
		return violationf("must have a key of %s", tagCharacters)
	case utf8.RuneCountInString(s) > maxTagKey:
		return violationf("must have a key of at most %d characters", maxTagKey)
	case len(s) >= 4 && strings.EqualFold(s[:4], "aws:"):
		return violationf("must not have a key that begins with \"aws:\", which AWS keeps to itself")
	}
	return nil
}

// CheckTagValue reports whether s can be the value of a tag: at most 256 characters.
func CheckTagValue(s string) error {
	switch {
	case !utf8.ValidString(s) || !tagRE.MatchString(s):
		return violationf("must consist of %s", tagCharacters)
	case utf8.RuneCountInString(s) > maxTagValue:
		return violationf("must have at most %d characters", maxTagValue)
	}
	return nil
}

// MergeTags returns tags over defaults: a default stands unless tags has its key, in whatever case, since
// IAM does not tell keys apart by case.
func MergeTags(defaults, tags map[string]string) map[string]string {
	merged := maps.Clone(tags)
	if merged == nil {
		merged = make(map[string]string, len(defaults))
	}
	for key, value := range defaults {
		if !hasFold(maps.Keys(tags), key) {
			merged[key] = value
		}
	}
	return merged
}

// CheckTagKeys reports whether the keys, with those of defaults merged in, can be the tags of one resource:
// at most 50, and none twice in different case.
func CheckTagKeys(defaults map[string]string, keys []string) error {
	count := len(keys)
	for key := range defaults {
		if !hasFold(slices.Values(keys), key) {
			count++
		}
	}
	if count > maxTags {
		if len(defaults) == 0 {
			return violationf("must have at most %d tags", maxTags)
		}
		return violationf("must have at most %d tags, the default ones included", maxTags)
	}
	sorted := slices.Sorted(slices.Values(keys))
	for i, key := range sorted {
		if other := slices.IndexFunc(sorted[:i], func(k string) bool { return strings.EqualFold(k, key) }); other >= 0 {
			return hinted("both "+sorted[other]+" and "+key+" are given",
				"must not have a key twice: IAM does not tell keys apart by case")
		}
	}
	return nil
}

func hasFold(keys func(func(string) bool), key string) bool {
	for k := range keys {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}
