package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getAccessKeys is aws_iam_access_keys. The keys are a set to Terraform, whose order says nothing about their age:
// here it is that of their ids.
var getAccessKeys = functionType{
	token: "aws:iam/getAccessKeys:getAccessKeys",
	doc:   "The access keys of an IAM user, without their secrets.",
	args:  map[string]argument{"user": {doc: "The user's name.", required: true}},
	outputs: map[string]result{
		"accessKeys": {
			doc:    "The access keys.",
			object: "aws:iam/getAccessKeysAccessKey:getAccessKeysAccessKey",
			fields: map[string]string{
				"accessKeyId": "The id of the key.",
				"createDate":  "When the key was created.",
				"status":      "Whether the key is Active or Inactive.",
			},
		},
		"id":   {doc: "The user's name."},
		"user": {doc: "The user's name."},
	},
	call: func(ctx context.Context, c *awsClients, args values) (values, error) {
		user := str(args["user"])
		keys, err := accessKeysOf(ctx, c.iam, user)
		if isNoSuchEntity(err) {
			// Terraform says no more than this of a user who is not there.
			err = errNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM Access Keys (%s): %w", user, err)
		}
		slices.SortFunc(keys, func(a, b types.AccessKeyMetadata) int {
			return cmp.Compare(aws.ToString(a.AccessKeyId), aws.ToString(b.AccessKeyId))
		})
		list := make([]property.Value, 0, len(keys))
		for _, key := range keys {
			list = append(list, stringMap(map[string]string{
				"accessKeyId": aws.ToString(key.AccessKeyId),
				"createDate":  aws.ToTime(key.CreateDate).Format(time.RFC3339),
				"status":      string(key.Status),
			}))
		}
		return values{"accessKeys": property.New(list), "id": property.New(user), "user": property.New(user)}, nil
	},
}
