package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// groupPolicy is aws_iam_group_policy: only the document changes in place.
var groupPolicy = &resourceType{
	token: "aws:iam/groupPolicy:GroupPolicy",
	doc:   "An inline policy of an IAM group.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "The policy's name; replaces.",
			autoname: true, forceNew: true,
		},
		"group": {kind: kindString, doc: "The group's name; replaces.", required: true, forceNew: true},
		"policy": {
			kind: kindPolicy, doc: "The policy document; changed in place.", required: true, normal: normalizeLegacyPolicy,
		},
	},
	unserved: []string{"namePrefix"},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		if err := putGroupPolicy(ctx, c, str(in["group"]), name, str(in["policy"])); err != nil {
			return "", err
		}
		return str(in["group"]) + ":" + name, nil
	},
	read: func(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
		group, name, err := parsePolicyID("group", id)
		if err != nil {
			return nil, err
		}
		out, err := c.iam.GetGroupPolicy(ctx, &iam.GetGroupPolicyInput{
			GroupName: aws.String(group), PolicyName: aws.String(name),
		})
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM group policy (%s): %w", id, err)
		}
		document, err := storedPolicy(str(prior["policy"]), aws.ToString(out.PolicyDocument), normalizeLegacyPolicy)
		if err != nil {
			return nil, fmt.Errorf("reading IAM group policy (%s): %w", id, err)
		}
		return values{
			"name":   property.New(name),
			"group":  property.New(group),
			"policy": property.New(document),
		}, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, _, in values, _ map[string]bool) (string, error) {
		group, name, err := parsePolicyID("group", id)
		if err != nil {
			return "", err
		}
		return id, putGroupPolicy(ctx, c, group, name, str(in["policy"]))
	},
	delete: func(ctx context.Context, c *awsClients, id string, _ values) error {
		group, name, err := parsePolicyID("group", id)
		if err != nil {
			return err
		}
		_, err = c.iam.DeleteGroupPolicy(ctx, &iam.DeleteGroupPolicyInput{
			GroupName: aws.String(group), PolicyName: aws.String(name),
		})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM group policy (%s): %w", id, err)
		}
		return nil
	},
}

func putGroupPolicy(ctx context.Context, c *awsClients, group, name, document string) error {
	document, err := normalizeLegacyPolicy(document)
	if err != nil {
		return fmt.Errorf("putting IAM group (%s) policy (%s): %w", group, name, err)
	}
	_, err = c.iam.PutGroupPolicy(ctx, &iam.PutGroupPolicyInput{
		GroupName: aws.String(group), PolicyName: aws.String(name), PolicyDocument: aws.String(document),
	})
	if err != nil {
		return fmt.Errorf("putting IAM group (%s) policy (%s): %w", group, name, err)
	}
	return nil
}

// parsePolicyID is the group, role or user that the id of one of its policies names, and the policy.
func parsePolicyID(kind, id string) (owner, name string, err error) {
	owner, name, _ = strings.Cut(id, ":")
	if owner == "" || name == "" {
		return "", "", fmt.Errorf("the id of a %s policy must have the form %[1]s:policy, not %q", kind, id)
	}
	return owner, name, nil
}
