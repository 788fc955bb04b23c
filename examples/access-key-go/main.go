package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// A robot account for the roles under /cicd/, with an access key. The first update after 90 days rotates the
		// key. The one before it goes on working until the next rotation. Secrets Manager and SSM hold the current one.
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName:       pulumi.String("cicd-bot"),
			AssumableRoles: pulumi.ToStringArray([]string{"cicd/*"}),
			AccessKey: &cicd.AccessKeyArgs{
				RotateEvery:    pulumi.String("90d"),
				SecretsManager: &cicd.AccessKeySecretArgs{Name: pulumi.String("cicd/cicd-bot")},
				SsmPath:        pulumi.String("/cicd/cicd-bot"),
			},
		})
		if err != nil {
			return err
		}

		ctx.Export("accessKeyId", robot.AccessKeyId)
		ctx.Export("secretAccessKey", robot.SecretAccessKey)
		ctx.Export("previousAccessKeyId", robot.PreviousAccessKeyId)
		ctx.Export("accessKeyRotateAfter", robot.AccessKeyRotateAfter)
		ctx.Export("secretArn", robot.SecretArn)
		ctx.Export("ssmParameterNames", robot.SsmParameterNames)
		return nil
	})
}
