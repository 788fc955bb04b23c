//go:build ignore

package sdks

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The compiler refuses each line that ends with what it is to say, and no other.
var _ = []cicd.RobotAccountArgs{
	{AssumableRoles: pulumi.StringArray{1}},                  // want: cannot use 1 (constant of type int)
	{AssumableRole: pulumi.StringArray{}},                    // want: unknown field AssumableRole
	{AssumableRoles: pulumi.String("deploy")},                // want: does not implement pulumi.StringArrayInput
	{Tags: pulumi.StringMap{"owner": pulumi.Bool(true)}},     // want: does not implement pulumi.StringInput
	{UserName: pulumi.Bool(true)},                            // want: does not implement pulumi.StringPtrInput
	{UserName: "cicd-bot", GroupName: pulumi.String("cicd")}, // want: string does not implement pulumi.StringPtrInput
}
