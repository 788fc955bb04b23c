package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// userPolicy is aws_iam_user_policy: only the document changes in place.
var userPolicy = &resourceType{
	token: "aws:iam/userPolicy:UserPolicy",
	doc:   "An inline policy of an IAM user.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "The policy's name; replaces.",
			autoname: true, forceNew: true,
		},
		"user": {kind: kindString, doc: "The user's name; replaces.", required: true, forceNew: true},
		"policy": {
			kind: kindPolicy, doc: "The policy document; changed in place.", required: true, normal: normalizeLegacyPolicy,
		},
	},
	unserved: []string{"namePrefix"},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		if err := putUserPolicy(ctx, c, str(in["user"]), name, str(in["policy"])); err != nil {
			return "", err
		}
		return str(in["user"]) + ":" + name, nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		user, name, err := parsePolicyID("user", id)
		if err != nil {
			return nil, err
		}
		out, err := c.iam.GetUserPolicy(ctx, &iam.GetUserPolicyInput{
			UserName: aws.String(user), PolicyName: aws.String(name),
		})
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM User Policy (%s): %w", id, err)
		}
		document, err := storedPolicy(str(prior["policy"]), aws.ToString(out.PolicyDocument), normalizeLegacyPolicy)
		if err != nil {
			return nil, fmt.Errorf("reading IAM User Policy (%s): %w", id, err)
		}
		return values{
			"name":   property.New(name),
			"user":   property.New(user),
			"policy": property.New(document),
		}, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, _, in values, _ map[string]bool) (string, error) {
		user, name, err := parsePolicyID("user", id)
		if err != nil {
			return "", err
		}
		return id, putUserPolicy(ctx, c, user, name, str(in["policy"]))
	},
	delete: func(ctx context.Context, c *awsClients, id string, _ values) error {
		user, name, err := parsePolicyID("user", id)
		if err != nil {
			return err
		}
		_, err = c.iam.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{
			UserName: aws.String(user), PolicyName: aws.String(name),
		})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM User Policy (%s): %w", id, err)
		}
		return nil
	},
}

func putUserPolicy(ctx context.Context, c *awsClients, user, name, document string) error {
	document, err := normalizeLegacyPolicy(document)
	if err == nil {
		_, err = c.iam.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
			UserName: aws.String(user), PolicyName: aws.String(name), PolicyDocument: aws.String(document),
		})
	}
	if err != nil {
		return fmt.Errorf("putting IAM User (%s) Policy (%s): %w", user, name, err)
	}
	return nil
}
