package e2e

import (
	"slices"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestTakenNames checks what is said of names that the account has already, also in another case, which AWS takes for
// the same name: the way on, while the robot and the role stay as they were.
func TestTakenNames(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	other := "somebody"
	_, err := awsiam.NewFromConfig(l.Config()).CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: &other})
	harness.Check(t, err)
	userName, groupName, roleName := "ci", "robots", "deploy"
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		if _, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName: pulumi.String(userName), GroupName: pulumi.String(groupName),
		}); err != nil {
			return err
		}
		_, err := cicd.NewDeploymentRole(ctx, "role", &cicd.DeploymentRoleArgs{
			RoleName: pulumi.String(roleName), Trusted: pulumi.ToStringArray([]string{accountIAM + "user/bot"}),
		})
		return err
	})
	s.MustUp()
	before := harness.Account(t, l)
	for _, tt := range []struct {
		name      *string
		to, third string
		says      string
	}{
		{&userName, "CI", "other", `userName: the account has the user "ci", and IAM does not tell names apart by case`},
		{&userName, other, "", "userName: the account has a user of this name already; choose another name, or take it over with adopt: true"},
		{&groupName, "Robots", "others", `groupName: the account has the group "robots"`},
		{&roleName, "Deploy", "release", `roleName: the account has the role "deploy"`},
	} {
		was := *tt.name
		*tt.name = tt.to
		_, _, err := s.TryUp()
		if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), "EntityAlreadyExists") {
			t.Errorf("from %s to %s: the error is %v", was, tt.to, err)
		}
		harness.Same(t, "the account", harness.Account(t, l), before)
		if tt.third != "" {
			*tt.name = tt.third
			s.MustUp()
			*tt.name = tt.to
			s.MustUp()
			before = harness.Account(t, l)
			continue
		}
		*tt.name = was
	}
	s.Unchanged()
	_, err = awsiam.NewFromConfig(l.Config()).DeleteUser(t.Context(), &awsiam.DeleteUserInput{UserName: &other})
	harness.Check(t, err)
	s.MustDestroy()
}

// TestSameNames checks that components of different types may have the same name, whichever comes first.
func TestSameNames(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	resources := map[string]lab.Resource{}
	add := func(key, component string, properties map[string]any) {
		t.Helper()
		resources[key] = lab.Resource{Type: "cicd:" + component, Name: "ci", Properties: properties}
		dir, err := l.WriteProgram("names", resources)
		harness.Check(t, err)
		if len(resources) == 1 {
			if out, err := l.Command(t.Context(), dir, "stack", "init", "--secrets-provider", lab.SecretsProvider).CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
		}
		for range 2 {
			if out, err := l.Command(t.Context(), dir, "up", "--yes", "--skip-preview").CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", component, err, out)
			}
		}
		a := harness.Account(t, l)
		if got := []int{len(a.Users), len(a.Roles), len(a.Providers)}; !slices.Equal(got, []int{
			has(resources, "RobotAccount"), has(resources, "DeploymentRole"), has(resources, "OidcProvider"),
		}) {
			t.Errorf("with %s, there are %v users, roles and providers", component, got)
		}
	}
	add("a", "DeploymentRole", map[string]any{"trusted": []string{accountIAM + "user/x"}})
	add("b", "OidcProvider", map[string]any{"issuer": "https://ci.example.com", "audiences": []string{"x"}})
	add("c", "RobotAccount", map[string]any{})
	add("d", "AccessKey", map[string]any{"userName": "${c.userName}"})
}

// has returns how many resources are of a component.
func has(resources map[string]lab.Resource, component string) (n int) {
	for _, r := range resources {
		if r.Type == "cicd:"+component {
			n++
		}
	}
	return n
}
