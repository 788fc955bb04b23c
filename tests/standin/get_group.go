package main

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getGroup is aws_iam_group as a data source. The name that it answers is the one that it was asked for. Of a group
// that is not there it says what IAM says.
var getGroup = functionType{
	token: "aws:iam/getGroup:getGroup",
	doc:   "An IAM group and its users.",
	args:  map[string]argument{"groupName": {doc: "The group's name.", required: true}},
	outputs: map[string]result{
		"arn":       {doc: "The group's ARN."},
		"groupId":   {doc: "The group's unique id."},
		"groupName": {doc: "The name that was asked for."},
		"id":        {doc: "The group's unique id."},
		"path":      {doc: "The group's path."},
		"users": {
			doc:    "The users in the group.",
			object: "aws:iam/getGroupUser:getGroupUser",
			fields: map[string]string{
				"arn": "The user's ARN.", "path": "The user's path.", "userId": "The user's unique id.",
				"userName": "The user's name.",
			},
		},
	},
	call: func(ctx context.Context, c *awsClients, args values) (values, error) {
		name := str(args["groupName"])
		var found *types.Group
		users := []property.Value{}
		pages := iam.NewGetGroupPaginator(c.iam, &iam.GetGroupInput{GroupName: aws.String(name)})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return nil, fmt.Errorf("getting group: %w", err)
			}
			found = page.Group
			for _, u := range page.Users {
				users = append(users, stringMap(map[string]string{
					"arn": aws.ToString(u.Arn), "path": aws.ToString(u.Path), "userId": aws.ToString(u.UserId),
					"userName": aws.ToString(u.UserName),
				}))
			}
		}
		return values{
			"arn": property.New(aws.ToString(found.Arn)), "path": property.New(aws.ToString(found.Path)),
			"groupId": property.New(aws.ToString(found.GroupId)), "id": property.New(aws.ToString(found.GroupId)),
			"groupName": property.New(name), "users": property.New(users),
		}, nil
	},
}
