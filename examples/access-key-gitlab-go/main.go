package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi-gitlab/sdk/v10/go/gitlab"
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

		// A variable of a project: for protected branches and one environment only, masked in logs and hidden in the
		// settings. The package does not say that the value is a secret.
		_, err = gitlab.NewProjectVariable(ctx, "shop", &gitlab.ProjectVariableArgs{
			Project:          pulumi.String("acme/shop"),
			Key:              pulumi.String("ROBOT_KEY"),
			Value:            pair,
			EnvironmentScope: pulumi.String("production"),
			Protected:        pulumi.Bool(true),
			Masked:           pulumi.Bool(true),
			Hidden:           pulumi.Bool(true),
			Raw:              pulumi.Bool(true),
		}, pulumi.AdditionalSecretOutputs([]string{"value"}))
		if err != nil {
			return err
		}

		ctx.Export("accessKeyId", key.AccessKeyId)
		ctx.Export("rotateAfter", key.RotateAfter)
		return nil
	})
}
