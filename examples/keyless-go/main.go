package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// The account's trust in the tokens of GitHub Actions and of gitlab.com. It allows nothing by itself.
		github, err := cicd.NewOidcProvider(ctx, "github", &cicd.OidcProviderArgs{
			Issuer: pulumi.String("https://token.actions.githubusercontent.com"),
		})
		if err != nil {
			return err
		}
		gitlab, err := cicd.NewOidcProvider(ctx, "gitlab", &cicd.OidcProviderArgs{
			Issuer: pulumi.String("https://gitlab.com"),
		})
		if err != nil {
			return err
		}

		// An IAM user for the system that has no OpenID Connect. It may assume the role for staging, and do nothing else.
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName:       pulumi.String("cicd-bot"),
			GroupName:      pulumi.String("PulumiStackUpdaters"),
			AssumableRoles: pulumi.StringArray{pulumi.String("cicd/staging")},
		})
		if err != nil {
			return err
		}

		// The robot may assume this role, and so may jobs of the repository acme/shop that name the environment staging.
		staging, err := cicd.NewDeploymentRole(ctx, "staging", &cicd.DeploymentRoleArgs{
			RoleName: pulumi.String("staging"),
			Path:     pulumi.String("/cicd/"),
			Trusted:  pulumi.StringArray{robot.UserArn},
			TrustedJobs: cicd.TrustedJobArray{cicd.TrustedJobArgs{Github: cicd.GithubJobArgs{
				Issuer:       github.Issuer,
				Repository:   pulumi.String("acme/shop"),
				OwnerId:      pulumi.String("4021"),
				RepositoryId: pulumi.String("170033"),
				Environment:  pulumi.String("staging"),
			}}},
			ManagedPolicyArns: pulumi.StringArray{pulumi.String("arn:aws:iam::aws:policy/PowerUserAccess")},
		})
		if err != nil {
			return err
		}

		// Only jobs of the repository that name the environment production may assume this one.
		production, err := cicd.NewDeploymentRole(ctx, "production", &cicd.DeploymentRoleArgs{
			RoleName: pulumi.String("production"),
			Path:     pulumi.String("/cicd/"),
			TrustedJobs: cicd.TrustedJobArray{cicd.TrustedJobArgs{Github: cicd.GithubJobArgs{
				Issuer:       github.Issuer,
				Repository:   pulumi.String("acme/shop"),
				OwnerId:      pulumi.String("4021"),
				RepositoryId: pulumi.String("170033"),
				Environment:  pulumi.String("production"),
			}}},
			ManagedPolicyArns: pulumi.StringArray{pulumi.String("arn:aws:iam::aws:policy/PowerUserAccess")},
		})
		if err != nil {
			return err
		}

		// Only pipelines of the GitLab project acme/website for protected tags such as v1.2 may assume this one.
		website, err := cicd.NewDeploymentRole(ctx, "website", &cicd.DeploymentRoleArgs{
			RoleName: pulumi.String("website"),
			Path:     pulumi.String("/cicd/"),
			TrustedJobs: cicd.TrustedJobArray{cicd.TrustedJobArgs{Gitlab: cicd.GitlabJobArgs{
				Issuer:       gitlab.Issuer,
				Project:      pulumi.String("acme/website"),
				ProjectId:    pulumi.String("51001"),
				Tag:          pulumi.String("v*"),
				ProtectedRef: pulumi.Bool(true),
			}}},
			ManagedPolicyArns: pulumi.StringArray{pulumi.String("arn:aws:iam::aws:policy/AmazonS3FullAccess")},
		})
		if err != nil {
			return err
		}

		ctx.Export("userArn", robot.UserArn)
		ctx.Export("stagingRoleArn", staging.RoleArn)
		ctx.Export("productionRoleArn", production.RoleArn)
		ctx.Export("productionTrustPolicy", production.TrustPolicy)
		ctx.Export("websiteRoleArn", website.RoleArn)
		return nil
	})
}
