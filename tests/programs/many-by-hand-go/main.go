package main

import (
	"encoding/json"
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		identity, err := aws.GetCallerIdentity(ctx, nil)
		if err != nil {
			return err
		}
		policy, err := json.Marshal(map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{map[string]any{
				"Action":   []string{"sts:AssumeRole"},
				"Effect":   "Allow",
				"Resource": "arn:aws:iam::" + identity.AccountId + ":role/*",
			}},
		})
		if err != nil {
			return err
		}
		// The four resources of a RobotAccount, as many times as the configuration says, with one look-up for all.
		for i := range config.New(ctx, "").RequireInt("robots") {
			if err := robot(ctx, i, string(policy)); err != nil {
				return err
			}
		}
		return nil
	})
}

func robot(ctx *pulumi.Context, i int, policy string) error {
	name := fmt.Sprintf("robot%d", i)
	user, err := iam.NewUser(ctx, name, &iam.UserArgs{
		Name: pulumi.Sprintf("cicd-bot-%d", i),
		Tags: pulumi.StringMap{
			"purpose": pulumi.String("Account used to perform Pulumi stack updates on CI/CD."),
		},
	})
	if err != nil {
		return err
	}
	group, err := iam.NewGroup(ctx, name, &iam.GroupArgs{Name: pulumi.Sprintf("PulumiStackUpdaters-%d", i)})
	if err != nil {
		return err
	}
	if _, err := iam.NewGroupMembership(ctx, name, &iam.GroupMembershipArgs{
		Group: group.Name, Users: pulumi.StringArray{user.Name},
	}); err != nil {
		return err
	}
	_, err = iam.NewGroupPolicy(ctx, name, &iam.GroupPolicyArgs{Group: group.Name, Policy: pulumi.String(policy)})
	return err
}
