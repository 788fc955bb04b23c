package main

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// mergeTags is tagsAll: the provider's default tags under the resource's own, unknown if either is.
func mergeTags(defaults, own property.Value) property.Value {
	if defaults.HasComputed() || own.HasComputed() {
		return property.New(property.Computed)
	}
	merged := strMap(defaults)
	maps.Copy(merged, strMap(own))
	return stringMap(merged).WithSecret(own.HasSecrets() || defaults.HasSecrets())
}

// apiTags are tags as an API takes them, in a fixed order; nil for none.
func apiTags[T any](tags map[string]string, tag func(key, value *string) T) []T {
	var out []T
	for _, key := range sortedKeys(tags) {
		out = append(out, tag(aws.String(key), aws.String(tags[key])))
	}
	return out
}

func iamTag(key, value *string) types.Tag { return types.Tag{Key: key, Value: value} }

// tagMap is what an API answered as tags.
func tagMap[T any](tags []T, parts func(T) (key, value *string)) map[string]string {
	out := map[string]string{}
	for _, t := range tags {
		key, value := parts(t)
		out[aws.ToString(key)] = aws.ToString(value)
	}
	return out
}

func iamTagParts(t types.Tag) (key, value *string) { return t.Key, t.Value }

// setTags puts the API's tags into read: all of them into tagsAll, and into tags without those that only the
// provider's default tags brought, which are in prior's tagsAll and not in its tags.
func setTags(read, prior values, all map[string]string) {
	read["tagsAll"] = stringMap(all)
	own, before := maps.Clone(all), strMap(prior["tags"])
	for key, value := range strMap(prior["tagsAll"]) {
		if _, mine := before[key]; !mine && own[key] == value {
			delete(own, key)
		}
	}
	if len(own) > 0 || !prior["tags"].IsNull() {
		read["tags"] = stringMap(own)
	}
}

// tagChanges are the calls that lead from the old tags to the new: the keys to remove, and the tags to set.
func tagChanges(old, now property.Value) (remove []string, set map[string]string) {
	before, after := strMap(old), strMap(now)
	set = map[string]string{}
	for key, value := range after {
		if was, ok := before[key]; !ok || value != was {
			set[key] = value
		}
	}
	return difference(sortedKeys(before), sortedKeys(after)), set
}
