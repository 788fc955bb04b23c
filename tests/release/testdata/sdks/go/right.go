//go:build ignore

// Package sdks is compiled by TestGoSDK, file by file, within the module of the Go SDK.
package sdks

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// Right passes outputs of other resources as whole inputs, as elements of lists and as values of maps.
func Right(ctx *pulumi.Context) ([]pulumi.StringOutput, error) {
	roleArn := pulumi.String("arn:aws:iam::123456789012:role/deploy").ToStringOutput()
	robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
		UserName:       roleArn,
		AssumableRoles: pulumi.StringArray{roleArn, pulumi.String("deploy"), pulumi.Sprintf("cicd/%s", roleArn)},
		SourceIps:      pulumi.ToStringArray([]string{"203.0.113.0/24"}),
		Tags:           pulumi.StringMap{"owner": roleArn, "purpose": pulumi.String("robot")},
		ForceDestroy:   pulumi.Bool(true),
	}, pulumi.Protect(true))
	if err != nil {
		return nil, err
	}
	// No input is required.
	if _, err := cicd.NewRobotAccount(ctx, "defaults", nil); err != nil {
		return nil, err
	}
	// No output is optional.
	return []pulumi.StringOutput{
		robot.UserName, robot.UserArn, robot.UserUniqueId,
		robot.GroupName, robot.GroupArn, robot.GroupUniqueId,
		robot.PolicyName, robot.Policy,
	}, nil
}
