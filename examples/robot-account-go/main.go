package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// An IAM user without permissions of its own, in a group that allows nothing but assuming roles.
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName:  pulumi.String("cicd-bot"),
			GroupName: pulumi.String("PulumiStackUpdaters"),
		})
		if err != nil {
			return err
		}

		ctx.Export("userName", robot.UserName)
		ctx.Export("userArn", robot.UserArn)
		ctx.Export("groupName", robot.GroupName)
		ctx.Export("policy", robot.Policy)
		return nil
	})
}
