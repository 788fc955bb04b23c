package e2e

import (
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestNullOfAnotherResource checks that an output which is unknown in a preview, and null in the update, is no input
// that is left out: nothing is created that it was to restrict. A null that comes from no resource is.
func TestNullOfAnotherResource(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	none := func(output pulumi.StringOutput) pulumi.StringPtrOutput {
		return output.ApplyT(func(string) *string { return nil }).(pulumi.StringPtrOutput)
	}
	// The engine may cancel the second of two components that fail at once.
	component := ""
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		source, err := cicd.NewRobotAccount(ctx, "source", &cicd.RobotAccountArgs{
			UserName: pulumi.String("source"), PermissionsBoundary: none(pulumi.String("").ToStringOutput()),
		})
		if err != nil {
			return err
		}
		// A preview does not know this output.
		output := source.UserUniqueId
		noList := output.ApplyT(func(string) []string { return nil }).(pulumi.StringArrayOutput)
		if component == "robot" {
			_, err = cicd.NewRobotAccount(ctx, component, &cicd.RobotAccountArgs{
				UserName: pulumi.String("robot"), PermissionsBoundary: none(output), AssumableRoles: noList, SourceIps: noList,
			})
			return err
		}
		_, err = cicd.NewDeploymentRole(ctx, component, &cicd.DeploymentRoleArgs{
			Trusted: pulumi.StringArray{source.UserArn}, ExternalId: none(output), SessionNames: noList,
			InlinePolicies: pulumi.Map{"deploy": pulumi.Map{
				"Version": pulumi.String("2012-10-17"), "Statement": pulumi.Map{
					"Effect": pulumi.String("Allow"), "Action": pulumi.String("s3:*"), "Resource": pulumi.String("*"),
					"Condition": pulumi.Map{"StringEquals": pulumi.Map{"aws:PrincipalTag/team": none(output)}},
				},
			}},
		})
		return err
	})
	for _, component = range []string{"robot", "role"} {
		s.MustPreview()
	}
	for name, wants := range map[string][]string{
		"robot": {"assumableRoles = null", "sourceIps = null", "permissionsBoundary = null"},
		"role": {
			"externalId = null", "sessionNames = null",
			"leave it out (Statement.Condition.StringEquals.aws:PrincipalTag/team)",
		},
	} {
		component = name
		_, _, err := s.TryUp()
		if err == nil {
			t.Fatalf("the update of the %s succeeds", name)
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("the error does not say %q: %v", want, err)
			}
		}
	}
	a := harness.Account(t, l)
	if len(a.Users) != 1 || a.Users[0].Name != "source" || len(a.Roles) != 0 {
		t.Errorf("the account holds %s", harness.Pretty(t, a))
	}
}
