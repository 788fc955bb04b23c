package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getCallerIdentity is one real call of STS every time.
var getCallerIdentity = functionType{
	token: "aws:index/getCallerIdentity:getCallerIdentity",
	doc:   "The account, user and ARN that the provider's credentials belong to.",
	args:  unusedID,
	outputs: map[string]result{
		"accountId": {doc: "The number of the account."},
		"arn":       {doc: "The ARN of the caller."},
		"id":        {doc: "The number of the account."},
		"userId":    {doc: "The unique id of the caller."},
	},
	call: func(ctx context.Context, c *awsClients, _ values) (values, error) {
		out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return nil, fmt.Errorf("getting the caller's identity: %w", err)
		}
		return values{
			"accountId": property.New(aws.ToString(out.Account)),
			"arn":       property.New(aws.ToString(out.Arn)),
			"id":        property.New(aws.ToString(out.Account)),
			"userId":    property.New(aws.ToString(out.UserId)),
		}, nil
	},
}
