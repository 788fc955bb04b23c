package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// groupMembership is aws_iam_group_membership, which takes the whole of a group's members for its own.
var groupMembership = &resourceType{
	token: "aws:iam/groupMembership:GroupMembership",
	doc:   "The members of an IAM group, all of them.",
	props: map[string]prop{
		"name": {
			kind: kindString, doc: "A name for the membership, which AWS never sees; replaces.",
			autoname: true, forceNew: true,
		},
		"group": {kind: kindString, doc: "The group's name; replaces.", required: true, forceNew: true},
		"users": {kind: kindStrings, doc: "The names of the members; changed in place.", required: true},
	},
	noImport: true,
	create: func(ctx context.Context, c *awsClients, in values) (string, error) {
		name := str(in["name"])
		if err := addUsers(ctx, c, str(in["group"]), sorted(strs(in["users"]))); err != nil {
			return "", fmt.Errorf("creating IAM group membership (%s): %w", name, err)
		}
		return name, nil
	},
	read: func(ctx context.Context, c *awsClients, _ string, prior values) (values, error) {
		group := str(prior["group"])
		var users []string
		pages := iam.NewGetGroupPaginator(c.iam, &iam.GetGroupInput{GroupName: aws.String(group)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if isNoSuchEntity(err) {
				return nil, nil
			}
			if err != nil {
				return nil, fmt.Errorf("reading IAM group membership (%s): %w", group, err)
			}
			for _, u := range page.Users {
				users = append(users, aws.ToString(u.UserName))
			}
		}
		// The API's order means nothing: the known one stays, and a new one is sorted.
		members := stringArray(sorted(users))
		if sameSet(users, strs(prior["users"])) {
			members = prior["users"]
		}
		return values{"name": prior["name"], "group": property.New(group), "users": members}, nil
	},
	update: func(ctx context.Context, c *awsClients, id string, old, in values, _ map[string]bool) (string, error) {
		group, before, now := str(old["group"]), strs(old["users"]), strs(in["users"])
		if err := removeUsers(ctx, c, group, difference(before, now)); err != nil {
			return "", fmt.Errorf("updating IAM group membership (%s): %w", id, err)
		}
		if err := addUsers(ctx, c, group, difference(now, before)); err != nil {
			return "", fmt.Errorf("updating IAM group membership (%s): %w", id, err)
		}
		return id, nil
	},
	delete: func(ctx context.Context, c *awsClients, id string, state values) error {
		if err := removeUsers(ctx, c, str(state["group"]), sorted(strs(state["users"]))); err != nil {
			return fmt.Errorf("deleting IAM group membership (%s): %w", id, err)
		}
		return nil
	},
}

func addUsers(ctx context.Context, c *awsClients, group string, users []string) error {
	for _, user := range users {
		_, err := c.iam.AddUserToGroup(ctx, &iam.AddUserToGroupInput{
			GroupName: aws.String(group), UserName: aws.String(user),
		})
		if err != nil {
			return fmt.Errorf("adding user (%s) to group (%s): %w", user, group, err)
		}
	}
	return nil
}

// removeUsers ends memberships; one that is gone, with its user, its group or alone, is none to end.
func removeUsers(ctx context.Context, c *awsClients, group string, users []string) error {
	for _, user := range users {
		_, err := c.iam.RemoveUserFromGroup(ctx, &iam.RemoveUserFromGroupInput{
			GroupName: aws.String(group), UserName: aws.String(user),
		})
		if err != nil && !isNoSuchEntity(err) {
			return fmt.Errorf("removing user (%s) from group (%s): %w", user, group, err)
		}
	}
	return nil
}
