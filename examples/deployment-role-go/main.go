package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// An IAM user that may assume the roles under /cicd/, and do nothing else.
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName:       pulumi.String("cicd-bot"),
			GroupName:      pulumi.String("PulumiStackUpdaters"),
			AssumableRoles: pulumi.StringArray{pulumi.String("cicd/*")},
		})
		if err != nil {
			return err
		}

		// One role for each deployment target, with its own permissions, which only the robot may assume.
		staging, err := cicd.NewDeploymentRole(ctx, "staging", &cicd.DeploymentRoleArgs{
			RoleName: pulumi.String("staging"),
			Path:     pulumi.String("/cicd/"),
			Trusted:  pulumi.StringArray{robot.UserArn},
			InlinePolicies: pulumi.Map{
				"deploy": policy(
					allow("arn:aws:s3:::example-staging", "s3:ListBucket"),
					allow("arn:aws:s3:::example-staging/*", "s3:PutObject", "s3:DeleteObject"),
				),
			},
		})
		if err != nil {
			return err
		}

		// In production nothing is deleted, sessions last an hour at most, and each has a name that begins with "gha-".
		production, err := cicd.NewDeploymentRole(ctx, "production", &cicd.DeploymentRoleArgs{
			RoleName:           pulumi.String("production"),
			Path:               pulumi.String("/cicd/"),
			Trusted:            pulumi.StringArray{robot.UserArn},
			SessionNames:       pulumi.StringArray{pulumi.String("gha-*")},
			MaxSessionDuration: pulumi.Int(3600),
			InlinePolicies: pulumi.Map{
				"deploy": policy(
					allow("arn:aws:s3:::example-production", "s3:ListBucket"),
					allow("arn:aws:s3:::example-production/*", "s3:PutObject"),
				),
			},
		})
		if err != nil {
			return err
		}

		ctx.Export("userArn", robot.UserArn)
		ctx.Export("stagingRoleArn", staging.RoleArn)
		ctx.Export("productionRoleArn", production.RoleArn)
		ctx.Export("productionTrustPolicy", production.TrustPolicy)
		return nil
	})
}

// policy returns a policy document of statements.
func policy(statements ...pulumi.Input) pulumi.Map {
	return pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": pulumi.Array(statements)}
}

// allow returns a statement that allows actions on a resource.
func allow(resource string, actions ...string) pulumi.Map {
	return pulumi.Map{
		"Effect":   pulumi.String("Allow"),
		"Action":   pulumi.ToStringArray(actions),
		"Resource": pulumi.String(resource),
	}
}
