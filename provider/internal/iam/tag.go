package iam

import (
	"iter"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// MaxTags is how many tags a resource may have.
// Source: "Tags for AWS Identity and Access Management resources", section "Rules for tagging in IAM and AWS STS".
const MaxTags = 50

// Limits on tags: characters in a key and in a value.
// Source: "Tags for AWS Identity and Access Management resources", section "Rules for tagging in IAM and AWS STS".
const (
	maxTagKey   = 128
	maxTagValue = 256
)

const tagCharacters = "letters, digits, spaces and _ . : / = + - @"

var tagRE = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)

// CheckTagKey reports whether s can be the key of a tag: 1 to 128 characters, not beginning with aws: in any case.
func CheckTagKey(s string) error {
	switch {
	case s == "":
		return rule.Broken("must have a key of 1 to %d characters", maxTagKey)
	case utf8.RuneCountInString(s) > maxTagKey:
		return rule.Broken("must have a key of at most %d characters", maxTagKey)
	case !utf8.ValidString(s) || !tagRE.MatchString(s):
		return rule.Broken("must have a key of %s", tagCharacters)
	case len(s) >= 4 && strings.EqualFold(s[:4], "aws:"):
		return rule.Broken("must not have a key that begins with \"aws:\", which AWS keeps to itself")
	}
	return nil
}

// CheckTagValue reports whether s can be the value of a tag: at most 256 characters.
func CheckTagValue(s string) error {
	switch {
	case utf8.RuneCountInString(s) > maxTagValue:
		return rule.Broken("must have at most %d characters", maxTagValue)
	case !utf8.ValidString(s) || !tagRE.MatchString(s):
		return rule.Broken("must consist of %s", tagCharacters)
	}
	return nil
}

// MissingTags returns the defaults that tags with the keys leave in force: a key counts in whatever case, because IAM
// does not tell keys apart by case.
func MissingTags(defaults map[string]string, keys iter.Seq[string]) map[string]string {
	missing := maps.Clone(defaults)
	for key := range defaults {
		if hasFold(keys, key) {
			delete(missing, key)
		}
	}
	return missing
}

// CheckTagKeys reports whether the keys can be the tags of one resource, beside those of defaults that they leave in
// force and those that the AWS provider puts on every resource: at most 50, and none twice in different case.
func CheckTagKeys(defaults, ofProvider map[string]string, keys []string) error {
	all := map[string]bool{}
	for _, more := range []iter.Seq[string]{
		slices.Values(keys), maps.Keys(ofProvider),
		maps.Keys(MissingTags(defaults, slices.Values(slices.AppendSeq(slices.Clone(keys), maps.Keys(ofProvider))))),
	} {
		for key := range more {
			all[key] = true
		}
	}
	if len(all) > MaxTags {
		if len(all) == len(keys) {
			return rule.Broken("must have at most %d tags", MaxTags)
		}
		return rule.Broken("must have at most %d tags, the default ones included", MaxTags)
	}
	sorted := slices.Sorted(maps.Keys(all))
	for i, key := range sorted {
		other := slices.IndexFunc(sorted[:i], func(k string) bool { return strings.EqualFold(k, key) })
		switch {
		case other < 0:
		case slices.Contains(keys, key) && slices.Contains(keys, sorted[other]):
			return rule.Broken("must not have a key twice: IAM does not tell keys apart by case").
				WithHint("both %s and %s are given", sorted[other], key)
		case slices.Contains(keys, key) || slices.Contains(keys, sorted[other]):
			return rule.Broken("must not have a key that differs only by case from a default tag of the AWS provider, because "+
				"IAM takes both for the same key; write it as the provider does").WithHint("%s and %s", sorted[other], key)
		}
	}
	return nil
}

func hasFold(keys iter.Seq[string], key string) bool {
	for k := range keys {
		if strings.EqualFold(k, key) {
			return true
		}
	}
	return false
}
