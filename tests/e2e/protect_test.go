package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestProtection checks what protection does to a robot, a role and a provider, whether it is their own or their
// parent's: scopes and policies change, a permission that is taken out goes, and no object of theirs is replaced or
// deleted.
func TestProtection(t *testing.T) {
	t.Parallel()
	for _, by := range []string{"itself", "parent"} {
		t.Run(by, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			createPolicies(t, l, "old")
			robot := &cicd.RobotAccountArgs{GroupName: pulumi.String("robots")}
			role := &cicd.DeploymentRoleArgs{
				Trusted:           pulumi.ToStringArray([]string{accountIAM + "user/bot"}),
				RoleName:          pulumi.String("deploy"),
				ManagedPolicyArns: pulumi.ToStringArray([]string{accountIAM + "policy/old"}),
				InlinePolicies:    pulumi.Map{"a": pulumi.String(harness.AssumePolicy("*"))},
			}
			provider := &cicd.OidcProviderArgs{Issuer: pulumi.String(githubIssuer)}
			protect := true
			s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
				option := pulumi.Protect(protect)
				if by == "parent" {
					parent, err := newTeam(ctx, "team", option)
					if err != nil {
						return err
					}
					option = pulumi.Parent(parent)
				}
				if _, err := cicd.NewRobotAccount(ctx, "robot", robot, option); err != nil {
					return err
				}
				if _, err := cicd.NewOidcProvider(ctx, "ci", provider, option); err != nil {
					return err
				}
				_, err := cicd.NewDeploymentRole(ctx, "role", role, option)
				return err
			})
			does := func(calls ...string) {
				t.Helper()
				l.Writes()
				s.MustUp()
				if writes := slices.Sorted(slices.Values(l.Writes())); !slices.Equal(writes, calls) {
					t.Errorf("the calls are %v, and not %v", writes, calls)
				}
			}
			refused := func(what string, run func() error) {
				t.Helper()
				l.Writes()
				if err := run(); err == nil || !strings.Contains(err.Error(), "protect") {
					t.Errorf("%s: the error is %v", what, err)
				}
				if writes := l.Writes(); len(writes) > 0 {
					t.Errorf("%s: the calls are %v", what, writes)
				}
			}
			preview := func() error {
				_, err := s.Preview(t.Context())
				return err
			}
			s.MustUp()
			for urn, r := range s.Resources() {
				permission := strings.Contains(urn, "rolePolicy")
				if ours := strings.Contains(urn, "cicd:index:"); ours && !strings.Contains(urn, "pulumi:providers") && r.Protect == permission {
					t.Errorf("%s is protected: %v", urn, r.Protect)
				}
			}

			robot.AssumableRoles = pulumi.ToStringArray([]string{"cicd/*"})
			does("PutGroupPolicy")
			role.ManagedPolicyArns, role.InlinePolicies = nil, pulumi.Map{}
			does("DeleteRolePolicy", "DetachRolePolicy")
			role.InlinePolicies = pulumi.Map{"a": pulumi.String(harness.AssumePolicy("*"))}
			does("PutRolePolicy")

			// Somebody protected the policy. The next update lifts that, and the one after it takes the policy out.
			for urn := range s.Resources() {
				if strings.Contains(urn, "rolePolicy:RolePolicy") {
					out, err := l.Command(t.Context(), s.Workspace().WorkDir(), "state", "protect", urn, "--yes").CombinedOutput()
					if err != nil {
						t.Fatalf("%v\n%s", err, out)
					}
				}
			}
			does()
			role.InlinePolicies = pulumi.Map{}
			does("DeleteRolePolicy")

			robot.GroupName = pulumi.String("others")
			refused("another group", preview)
			robot.GroupName = pulumi.String("robots")
			role.RoleName = pulumi.String("other")
			refused("another role", preview)
			role.RoleName = pulumi.String("deploy")
			provider.Issuer = pulumi.String(gitlabIssuer)
			refused("another issuer", preview)
			provider.Issuer = pulumi.String(githubIssuer)
			refused("destroy", func() error {
				_, err := s.PreviewDestroy(t.Context())
				return err
			})
			protect = false
			does()
			s.MustDestroy()
		})
	}
}
