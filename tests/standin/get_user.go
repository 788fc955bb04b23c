package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getUser is aws_iam_user as a data source. The name that it answers is the one that it was asked for, whose letter
// case may differ from that of the user's name in the ARN.
var getUser = functionType{
	token:    "aws:iam/getUser:getUser",
	doc:      "An IAM user.",
	args:     map[string]argument{"userName": {doc: "The user's name.", required: true}},
	unserved: []string{"tags"},
	outputs: map[string]result{
		"arn":                 {doc: "The user's ARN."},
		"id":                  {doc: "The user's unique id."},
		"path":                {doc: "The user's path."},
		"permissionsBoundary": {doc: "The ARN of the policy that bounds the user's permissions."},
		"tags":                {doc: "The user's tags.", kind: kindStringMap},
		"userId":              {doc: "The user's unique id."},
		"userName":            {doc: "The name that was asked for."},
	},
	call: func(ctx context.Context, c *awsClients, args values) (values, error) {
		name := str(args["userName"])
		out, err := c.iam.GetUser(ctx, &iam.GetUserInput{UserName: aws.String(name)})
		if isNoSuchEntity(err) {
			err = errNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM User (%s): %w", name, err)
		}
		u, boundary := out.User, ""
		if u.PermissionsBoundary != nil {
			boundary = aws.ToString(u.PermissionsBoundary.PermissionsBoundaryArn)
		}
		return values{
			"arn": property.New(aws.ToString(u.Arn)), "id": property.New(aws.ToString(u.UserId)),
			"path": property.New(aws.ToString(u.Path)), "permissionsBoundary": property.New(boundary),
			"tags":   stringMap(tagMap(u.Tags, iamTagParts)),
			"userId": property.New(aws.ToString(u.UserId)), "userName": property.New(name),
		}, nil
	},
}
