package provider

import (
	"strings"
	"testing"

	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// TestSDKHidesFailedHooks checks that the Pulumi SDK still returns no error for a resource whose hook could not be
// registered; when it fails, delete workaround_unregistered.go.
func TestSDKHidesFailedHooks(t *testing.T) {
	t.Parallel()
	tp := startComponent(t, func(ctx *pulumi.Context, name string) (*RobotAccount, error) {
		robot := &RobotAccount{}
		if err := ctx.RegisterComponentResource(robotAccountToken, name, robot); err != nil {
			return nil, err
		}
		hook, err := ctx.RegisterResourceHook("hook", func(*pulumi.ResourceHookArgs) error { return nil }, nil)
		if err != nil {
			return nil, err
		}
		_, err = awsiam.NewAccessKey(ctx, name, &awsiam.AccessKeyArgs{User: pulumi.String("bot")}, pulumi.Parent(robot),
			pulumi.ResourceHooks(&pulumi.ResourceHookBinding{BeforeCreate: []*pulumi.ResourceHook{hook}}))
		return robot, err
	})
	tp.noHooks = true
	if _, err := tp.Construct(t.Context(), tp.robotRequest(t, nil)); err != nil {
		t.Errorf("the Pulumi SDK tells that a hook could not be registered: delete workaround_unregistered.go. It says: %v", err)
	}
	for _, r := range tp.registered() {
		if strings.HasPrefix(r.GetType(), "aws:") {
			t.Errorf("%s is registered without its hook", r.GetType())
		}
	}
}
