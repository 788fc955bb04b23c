package main

import (
	"fmt"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		// As many robot accounts as the configuration says.
		for i := range config.New(ctx, "").RequireInt("robots") {
			_, err := cicd.NewRobotAccount(ctx, fmt.Sprintf("robot%d", i), &cicd.RobotAccountArgs{
				UserName:  pulumi.String(fmt.Sprintf("cicd-bot-%d", i)),
				GroupName: pulumi.String(fmt.Sprintf("PulumiStackUpdaters-%d", i)),
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}
