// Command plain is the robot account of the seed as a component provider that is built in the plainest way, on
// pulumi-go-provider's infer: what the benchmark holds the package's plugin against. It checks nothing.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	provider, err := infer.NewProviderBuilder().WithComponents(infer.ComponentF(newRobotAccount)).Build()
	if err == nil {
		err = provider.Run(context.Background(), "cicd", "0.1.0")
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// RobotAccount is an IAM user in a group that allows nothing but assuming roles.
type RobotAccount struct {
	pulumi.ResourceState

	UserName      pulumi.StringOutput `pulumi:"userName"`
	UserArn       pulumi.StringOutput `pulumi:"userArn"`
	UserUniqueID  pulumi.StringOutput `pulumi:"userUniqueId"`
	GroupName     pulumi.StringOutput `pulumi:"groupName"`
	GroupArn      pulumi.StringOutput `pulumi:"groupArn"`
	GroupUniqueID pulumi.StringOutput `pulumi:"groupUniqueId"`
	PolicyName    pulumi.StringOutput `pulumi:"policyName"`
	Policy        pulumi.StringOutput `pulumi:"policy"`
}

// RobotAccountArgs are the inputs of a [RobotAccount].
type RobotAccountArgs struct {
	UserName  pulumi.StringPtrInput `pulumi:"userName,optional"`
	GroupName pulumi.StringPtrInput `pulumi:"groupName,optional"`
}

// Annotate names the component.
func (r *RobotAccount) Annotate(a infer.Annotator) { a.SetToken("index", "RobotAccount") }

func newRobotAccount(
	ctx *pulumi.Context, name string, args RobotAccountArgs, opts ...pulumi.ResourceOption,
) (*RobotAccount, error) {
	robot := &RobotAccount{}
	if err := ctx.RegisterComponentResource("cicd:index:RobotAccount", name, robot, opts...); err != nil {
		return nil, err
	}
	child := pulumi.Parent(robot)
	caller, err := aws.GetCallerIdentity(ctx, &aws.GetCallerIdentityArgs{}, child)
	if err != nil {
		return nil, err
	}
	user, err := iam.NewUser(ctx, name, &iam.UserArgs{
		Name: args.UserName,
		Tags: pulumi.StringMap{"purpose": pulumi.String("Account used to perform Pulumi stack updates on CI/CD.")},
	}, child)
	if err != nil {
		return nil, err
	}
	group, err := iam.NewGroup(ctx, name, &iam.GroupArgs{Name: args.GroupName}, child)
	if err != nil {
		return nil, err
	}
	_, err = iam.NewGroupMembership(ctx, name, &iam.GroupMembershipArgs{
		Group: group.Name,
		Users: pulumi.StringArray{user.Name},
	}, child)
	if err != nil {
		return nil, err
	}
	document, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []map[string]any{{
			"Effect":   "Allow",
			"Action":   []string{"sts:AssumeRole"},
			"Resource": fmt.Sprintf("arn:aws:iam::%s:role/*", caller.AccountId),
		}},
	})
	if err != nil {
		return nil, err
	}
	policy, err := iam.NewGroupPolicy(ctx, name, &iam.GroupPolicyArgs{
		Group:  group.Name,
		Policy: pulumi.String(document),
	}, child)
	if err != nil {
		return nil, err
	}
	robot.UserName, robot.UserArn, robot.UserUniqueID = user.Name, user.Arn, user.UniqueId
	robot.GroupName, robot.GroupArn, robot.GroupUniqueID = group.Name, group.Arn, group.UniqueId
	robot.PolicyName, robot.Policy = policy.Name, policy.Policy
	return robot, nil
}
