package main

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		var inputs struct {
			UserName, GroupName, PolicyName, Path, PermissionsBoundary *string

			ForceDestroy              *bool
			Tags                      map[string]string
			AssumableRoles, SourceIps []string
		}
		config.New(ctx, "").RequireObject("inputs", &inputs)

		// A robot account whose inputs are the configuration's.
		args := &cicd.RobotAccountArgs{
			UserName:            pulumi.StringPtrFromPtr(inputs.UserName),
			GroupName:           pulumi.StringPtrFromPtr(inputs.GroupName),
			PolicyName:          pulumi.StringPtrFromPtr(inputs.PolicyName),
			Path:                pulumi.StringPtrFromPtr(inputs.Path),
			PermissionsBoundary: pulumi.StringPtrFromPtr(inputs.PermissionsBoundary),
			ForceDestroy:        pulumi.BoolPtrFromPtr(inputs.ForceDestroy),
		}
		if inputs.Tags != nil {
			args.Tags = pulumi.ToStringMap(inputs.Tags)
		}
		if inputs.AssumableRoles != nil {
			args.AssumableRoles = pulumi.ToStringArray(inputs.AssumableRoles)
		}
		if inputs.SourceIps != nil {
			args.SourceIps = pulumi.ToStringArray(inputs.SourceIps)
		}
		robot, err := cicd.NewRobotAccount(ctx, "robot", args)
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
