package main

import (
	"context"
	"fmt"
	"net/url"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// getRole is aws_iam_role as a data source. Its id is the name that it was asked for, its name the role's.
var getRole = functionType{
	token:    "aws:iam/getRole:getRole",
	doc:      "An IAM role.",
	args:     map[string]argument{"name": {doc: "The role's name.", required: true}},
	unserved: []string{"tags"},
	outputs: map[string]result{
		"arn":                 {doc: "The role's ARN."},
		"assumeRolePolicy":    {doc: "The trust policy."},
		"createDate":          {doc: "When the role was created."},
		"description":         {doc: "The role's description."},
		"id":                  {doc: "The name that was asked for."},
		"maxSessionDuration":  {doc: "The longest session, in seconds.", kind: kindInt},
		"name":                {doc: "The role's name."},
		"path":                {doc: "The role's path."},
		"permissionsBoundary": {doc: "The ARN of the policy that bounds the role's permissions."},
		"roleLastUseds": {
			doc:    "When and where the role was last used.",
			object: "aws:iam/getRoleRoleLastUsed:getRoleRoleLastUsed",
			fields: map[string]string{
				"lastUsedDate": "When the role was last used.", "region": "Where the role was last used.",
			},
		},
		"tags":     {doc: "The role's tags.", kind: kindStringMap},
		"uniqueId": {doc: "The role's unique id."},
	},
	call: func(ctx context.Context, c *awsClients, args values) (values, error) {
		name := str(args["name"])
		out, err := c.iam.GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String(name)})
		if isNoSuchEntity(err) {
			err = errNotFound
		}
		if err != nil {
			return nil, fmt.Errorf("reading IAM Role (%s): %w", name, err)
		}
		r := out.Role
		trust, err := url.QueryUnescape(aws.ToString(r.AssumeRolePolicyDocument))
		if err != nil {
			return nil, fmt.Errorf("parsing assume role policy document: %w", err)
		}
		boundary, lastUsed := "", []property.Value{}
		if r.PermissionsBoundary != nil {
			boundary = aws.ToString(r.PermissionsBoundary.PermissionsBoundaryArn)
		}
		if last := r.RoleLastUsed; last != nil {
			fields := map[string]string{"lastUsedDate": "", "region": aws.ToString(last.Region)}
			if last.LastUsedDate != nil {
				fields["lastUsedDate"] = last.LastUsedDate.Format(time.RFC3339)
			}
			lastUsed = append(lastUsed, stringMap(fields))
		}
		return values{
			"arn": property.New(aws.ToString(r.Arn)), "assumeRolePolicy": property.New(trust),
			"createDate":         property.New(aws.ToTime(r.CreateDate).Format(time.RFC3339)),
			"description":        property.New(aws.ToString(r.Description)),
			"maxSessionDuration": property.New(float64(aws.ToInt32(r.MaxSessionDuration))),
			"id":                 property.New(name), "name": property.New(aws.ToString(r.RoleName)),
			"path": property.New(aws.ToString(r.Path)), "permissionsBoundary": property.New(boundary),
			"roleLastUseds": property.New(lastUsed), "tags": stringMap(tagMap(r.Tags, iamTagParts)),
			"uniqueId": property.New(aws.ToString(r.RoleId)),
		}, nil
	},
}
