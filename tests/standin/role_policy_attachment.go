package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// rolePolicyAttachment is aws_iam_role_policy_attachment: everything replaces. Its id says nothing to AWS.
var rolePolicyAttachment = &resourceType{
	token: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
	doc:   "A managed policy of an IAM role.",
	props: map[string]prop{
		"role": {kind: kindRole, doc: "The role's name; replaces.", required: true, forceNew: true},
		"policyArn": {
			kind: kindString, doc: "The policy's ARN; replaces.", required: true, forceNew: true, check: checkARN,
		},
	},
	deleteFirst: true,
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		role, policy := str(in["role"]), str(in["policyArn"])
		_, err := c.iam.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{
			RoleName: aws.String(role), PolicyArn: aws.String(policy),
		})
		if err != nil {
			return "", fmt.Errorf("attaching IAM Policy (%s) to IAM Role (%s): %w", policy, role, err)
		}
		return uniqueName(role + "-"), nil
	},
	importID: func(_ context.Context, _ *awsClients, named string) (string, values, error) {
		role, policy, _ := strings.Cut(named, "/")
		if role == "" || policy == "" {
			return "", nil, fmt.Errorf("unexpected format of ID (%q), expected <role-name>/<policy_arn>", named)
		}
		return role + "-" + policy, values{"role": property.New(role), "policyArn": property.New(policy)}, nil
	},
	read: func(ctx context.Context, c *awsClients, _ string, prior values) (values, error) {
		role, policy := str(prior["role"]), str(prior["policyArn"])
		pages := iam.NewListAttachedRolePoliciesPaginator(c.iam, &iam.ListAttachedRolePoliciesInput{
			RoleName: aws.String(role),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if isNoSuchEntity(err) {
				return nil, nil
			}
			if err != nil {
				return nil, fmt.Errorf("reading IAM Role Policy Attachment (%s:%s): %w", role, policy, err)
			}
			for _, attached := range page.AttachedPolicies {
				if aws.ToString(attached.PolicyArn) == policy {
					return values{"role": prior["role"], "policyArn": prior["policyArn"]}, nil
				}
			}
		}
		return nil, nil
	},
	update: func(_ context.Context, _ *awsClients, id string, _, _ values, _ map[string]bool) (string, error) {
		return id, nil
	},
	delete: func(ctx context.Context, c *awsClients, _ string, state values) error {
		role, policy := str(state["role"]), str(state["policyArn"])
		_, err := c.iam.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{
			RoleName: aws.String(role), PolicyArn: aws.String(policy),
		})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("detaching IAM Policy (%s) from IAM Role (%s): %w", policy, role, err)
		}
		return nil
	},
}

func checkARN(arn property.Value) error {
	if !awsarn.IsARN(str(arn)) {
		return errors.New("is not an ARN")
	}
	return nil
}
