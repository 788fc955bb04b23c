package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsarn "github.com/aws/aws-sdk-go-v2/aws/arn"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// rolePolicy is aws_iam_role_policy: only the document changes in place.
var rolePolicy = &resourceType{
	token: "aws:iam/rolePolicy:RolePolicy",
	doc:   "An inline policy of an IAM role.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "The policy's name; replaces.",
			autoname: true, forceNew: true,
			pattern: regexp.MustCompile(`^[\w+=,.@-]{1,128}$`),
			hint:    "must have at most 128 characters of alphanumerics and +=,.@-_",
		},
		"role": {kind: kindRole, doc: "The role's name; replaces.", required: true, forceNew: true, check: refuseARN},
		"policy": {
			kind: kindPolicy, doc: "The policy document; changed in place.", required: true, normal: normalizeLegacyPolicy,
		},
	},
	unserved: []string{"namePrefix"},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		if err := putRolePolicy(ctx, c, str(in["role"]), name, str(in["policy"])); err != nil {
			return "", err
		}
		return str(in["role"]) + ":" + name, nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		role, name, err := parsePolicyID("role", id)
		if err != nil {
			return nil, err
		}
		out, err := c.iam.GetRolePolicy(ctx, &iam.GetRolePolicyInput{
			RoleName: aws.String(role), PolicyName: aws.String(name),
		})
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM Role Policy (%s): %w", id, err)
		}
		document, err := storedPolicy(str(prior["policy"]), aws.ToString(out.PolicyDocument), normalizeLegacyPolicy)
		if err != nil {
			return nil, fmt.Errorf("reading IAM Role Policy (%s): %w", id, err)
		}
		return values{
			"name":   property.New(name),
			"role":   property.New(role),
			"policy": property.New(document),
		}, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, _, in values, _ map[string]bool) (string, error) {
		role, name, err := parsePolicyID("role", id)
		if err != nil {
			return "", err
		}
		return id, putRolePolicy(ctx, c, role, name, str(in["policy"]))
	},
	delete: func(ctx context.Context, c *awsClients, id string, _ values) error {
		role, name, err := parsePolicyID("role", id)
		if err != nil {
			return err
		}
		_, err = c.iam.DeleteRolePolicy(ctx, &iam.DeleteRolePolicyInput{
			RoleName: aws.String(role), PolicyName: aws.String(name),
		})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM Role Policy (%s): %w", id, err)
		}
		return nil
	},
}

func putRolePolicy(ctx context.Context, c *awsClients, role, name, document string) error {
	document, err := normalizeLegacyPolicy(document)
	if err == nil {
		_, err = c.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: aws.String(role), PolicyName: aws.String(name), PolicyDocument: aws.String(document),
		})
	}
	if err != nil {
		return fmt.Errorf("putting IAM Role (%s) Policy (%s): %w", role, name, err)
	}
	return nil
}

// refuseARN refuses a role's ARN where its name belongs.
func refuseARN(role property.Value) error {
	if awsarn.IsARN(str(role)) {
		return errors.New("must be the role's name not its ARN")
	}
	return nil
}
