package main

import (
	"context"
	"fmt"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

var (
	iamName     = regexp.MustCompile(`^[0-9A-Za-z=,.@\-_+]+$`)
	iamNameHint = "must only contain alphanumeric characters, hyphens, underscores, commas, periods, @ symbols, " +
		"plus and equals signs"
)

// group is aws_iam_group: everything changes in place.
var group = &resourceType{
	token: "aws:iam/group:Group",
	doc:   "An IAM group.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "The group's name; renamed in place.",
			autoname: true, pattern: iamName, hint: iamNameHint,
		},
		"path":     {kind: kindString, doc: "The group's path; moved in place.", dflt: property.New("/"), optional: true},
		"arn":      {kind: kindString, doc: "The group's ARN.", output: true},
		"uniqueId": {kind: kindString, doc: "The group's unique id.", output: true},
	},
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		out, err := c.iam.CreateGroup(ctx, &iam.CreateGroupInput{
			GroupName: aws.String(name), Path: aws.String(str(in["path"])),
		})
		if err != nil {
			return "", fmt.Errorf("creating IAM group (%s): %w", name, err)
		}
		return aws.ToString(out.Group.GroupName), nil
	},
	read: func(ctx context.Context, c *awsClients, id string, _ values) (values, error) {
		out, err := c.iam.GetGroup(ctx, &iam.GetGroupInput{GroupName: aws.String(id)})
		if isNoSuchEntity(err) {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM group (%s): %w", id, err)
		}
		return values{
			"name":     property.New(aws.ToString(out.Group.GroupName)),
			"path":     property.New(aws.ToString(out.Group.Path)),
			"arn":      property.New(aws.ToString(out.Group.Arn)),
			"uniqueId": property.New(aws.ToString(out.Group.GroupId)),
		}, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, old, in values, _ map[string]bool) (string, error) {
		_, err := c.iam.UpdateGroup(ctx, &iam.UpdateGroupInput{
			GroupName:    aws.String(str(old["name"])),
			NewGroupName: aws.String(str(in["name"])),
			NewPath:      aws.String(str(in["path"])),
		})
		if err != nil {
			return "", fmt.Errorf("updating IAM group (%s): %w", id, err)
		}
		return str(in["name"]), nil
	},
	delete: func(ctx context.Context, c *awsClients, id string, _ values) error {
		_, err := c.iam.DeleteGroup(ctx, &iam.DeleteGroupInput{GroupName: aws.String(id)})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("deleting IAM group (%s): %w", id, err)
		}
		return nil
	},
	// Terraform's custom diff of the group makes the ARN unknown; that of the user does not.
	unstable: func(map[string]bool) []string { return []string{"arn"} },
}
