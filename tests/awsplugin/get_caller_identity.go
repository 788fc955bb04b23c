package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// getCallerIdentity is one real call of STS every time.
var getCallerIdentity = functionType{
	token: "aws:index/getCallerIdentity:getCallerIdentity",
	doc:   "The account, user and ARN that the provider's credentials belong to.",
	outputs: map[string]string{
		"accountId": "The number of the account.",
		"arn":       "The ARN of the caller.",
		"id":        "The number of the account.",
		"userId":    "The unique id of the caller.",
	},
	call: func(ctx context.Context, c *awsClients) (map[string]string, error) {
		out, err := c.sts.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
		if err != nil {
			return nil, fmt.Errorf("getting the caller's identity: %w", err)
		}
		return map[string]string{
			"accountId": aws.ToString(out.Account),
			"arn":       aws.ToString(out.Arn),
			"id":        aws.ToString(out.Account),
			"userId":    aws.ToString(out.UserId),
		}, nil
	},
}
