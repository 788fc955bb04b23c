package main

import (
	"context"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getDefaultTags needs no API call: they are the provider's own.
var getDefaultTags = functionType{
	token: "aws:index/getDefaultTags:getDefaultTags",
	doc:   "The tags that the provider puts on every resource.",
	args:  unusedID,
	outputs: map[string]result{
		"id":   {doc: "The partition's name."},
		"tags": {kind: kindStringMap, doc: "The tags."},
	},
	call: func(_ context.Context, c *awsClients, _ values) (values, error) {
		return values{"id": property.New(c.partition.name), "tags": stringMap(strMap(c.defaultTags))}, nil
	},
}
