package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// A robot account that may assume the roles under /cicd/.
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName:       pulumi.String("cicd-bot"),
			AssumableRoles: pulumi.StringArray{pulumi.String("cicd/*")},
		})
		if err != nil {
			return err
		}

		// Its access key. The first update after 60 days creates a new key and delivers it. The old key works for 7 more
		// days, and the first update after that deletes it.
		key, err := cicd.NewAccessKey(ctx, "robot", &cicd.AccessKeyArgs{
			UserName:    robot.UserName,
			RotateEvery: pulumi.String("60d"),
			Previous:    cicd.PreviousKeyDeleted,
			HandOver:    pulumi.String("7d"),
		})
		if err != nil {
			return err
		}

		// The ID and the secret as one value. Two values would change one after the other.
		pair := pulumi.JSONMarshal(pulumi.StringMap{
			"AWS_ACCESS_KEY_ID":     key.AccessKeyId,
			"AWS_SECRET_ACCESS_KEY": key.SecretAccessKey,
		})

		// A secret of a repository. Everybody who can push to the repository can read it.
		_, err = github.NewActionsSecret(ctx, "tools", &github.ActionsSecretArgs{
			Repository: pulumi.String("tools"),
			SecretName: pulumi.String("ROBOT_KEY"),
			Value:      pair,
		})
		if err != nil {
			return err
		}

		ctx.Export("accessKeyId", key.AccessKeyId)
		ctx.Export("rotateAfter", key.RotateAfter)
		return nil
	})
}
