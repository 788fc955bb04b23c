package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
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

		// Its access key. The first update after 60 days creates a new key. The old key works for 7 more days, and the
		// first update after that deletes it. Secrets Manager and SSM hold the current key.
		key, err := cicd.NewAccessKey(ctx, "robot", &cicd.AccessKeyArgs{
			UserName:       robot.UserName,
			RotateEvery:    pulumi.String("60d"),
			Previous:       cicd.PreviousKeyDeleted,
			HandOver:       pulumi.String("7d"),
			SecretsManager: &cicd.AccessKeySecretArgs{Name: pulumi.String("cicd/cicd-bot")},
			SsmPath:        pulumi.String("/cicd/cicd-bot"),
		})
		if err != nil {
			return err
		}

		ctx.Export("accessKeyId", key.AccessKeyId)
		ctx.Export("secretAccessKey", key.SecretAccessKey)
		ctx.Export("previousAccessKeyId", key.PreviousAccessKeyId)
		ctx.Export("rotatedAt", key.RotatedAt)
		ctx.Export("rotateAfter", key.RotateAfter)
		ctx.Export("secretArn", key.SecretArn)
		ctx.Export("ssmParameterNames", key.SsmParameterNames)
		return nil
	})
}
