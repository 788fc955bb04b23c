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

// iamTags are the tags of tagsAll as the API takes them, in a fixed order.
func iamTags(tagsAll property.Value) []types.Tag {
	var out []types.Tag
	tags := strMap(tagsAll)
	for _, key := range sortedKeys(tags) {
		out = append(out, types.Tag{Key: aws.String(key), Value: aws.String(tags[key])})
	}
	return out
}

// setTags puts the API's tags into read: all of them into tagsAll, and into tags without those that only the
// provider's default tags brought, which are in prior's tagsAll and not in its tags.
func setTags(read, prior values, tags []types.Tag) {
	all := map[string]string{}
	for _, t := range tags {
		all[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
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
func tagChanges(old, now property.Value) (remove []string, set []types.Tag) {
	before, after := strMap(old), strMap(now)
	remove = difference(sortedKeys(before), sortedKeys(after))
	for _, key := range sortedKeys(after) {
		if value, ok := before[key]; !ok || value != after[key] {
			set = append(set, types.Tag{Key: aws.String(key), Value: aws.String(after[key])})
		}
	}
	return remove, set
}
