package chaos

import (
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestKilledAdoption kills updates that take over a robot and a role, after every second of the calls that they make. The next
// update ends with the same user, group and role, and neither deletes nor makes one.
func TestKilledAdoption(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "which plugins the CLI has started")
	l := harness.NewLab(t)
	client := awsiam.NewFromConfig(l.Config())
	const trust = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",` +
		`"Principal":{"AWS":"arn:aws:iam::123456789012:root"}}]}`
	// begin makes a robot and a role by hand, and a stack that is about to adopt them.
	begin := func(name string) *fleet {
		t.Helper()
		_, userErr := client.CreateUser(t.Context(), &awsiam.CreateUserInput{UserName: &name, Path: aws.String("/old/")})
		harness.Check(t, userErr)
		_, groupErr := client.CreateGroup(t.Context(), &awsiam.CreateGroupInput{GroupName: &name})
		harness.Check(t, groupErr)
		_, roleErr := client.CreateRole(t.Context(), &awsiam.CreateRoleInput{
			RoleName: &name, AssumeRolePolicyDocument: aws.String(trust),
		})
		harness.Check(t, roleErr)
		dir, err := l.WriteProgram(name, map[string]lab.Resource{
			"robot": {Type: "cicd:RobotAccount", Properties: map[string]any{
				"userName": name, "groupName": name, "policyName": "assume", "adopt": true,
			}},
			"role": {Type: "cicd:DeploymentRole", Properties: map[string]any{
				"roleName": name, "trusted": []string{"${robot.userArn}"}, "adopt": true,
				"inlinePolicies": map[string]any{"deploy": assume("deployed")},
			}},
		})
		harness.Check(t, err)
		f := &fleet{t: t, lab: l, dir: dir}
		f.run("stack", "init", "--secrets-provider", lab.SecretsProvider)
		l.Calls()
		return f
	}
	f := begin("whole")
	f.run("up", "--yes", "--skip-preview")
	calls := len(l.Calls())
	ids := func() (all []string) {
		account := harness.Account(t, l)
		for _, u := range account.Users {
			all = append(all, u.ID)
		}
		for _, g := range account.Groups {
			all = append(all, g.ID)
		}
		for _, r := range account.Roles {
			all = append(all, r.ID)
		}
		return all
	}
	hits := 0
	for call := 0; call < calls; call += 2 {
		victim := []string{"pulumi", "pulumi-resource-aws", "pulumi-resource-cicd"}[call/2%3]
		f := begin(fmt.Sprintf("killed%d", call))
		before := ids()
		e := end{victim: victim, signal: syscall.SIGKILL, call: call, after: true}
		out, _, hit := f.endedUp(e)
		if hit {
			hits++
		}
		if victim == "pulumi" && hit {
			f.run("cancel", "--yes")
		}
		if next, err := f.up(); err != nil {
			t.Errorf("%v: the next update: %v\n%s\nafter\n%s", e, err, next, out)
		}
		for _, call := range l.Calls() {
			if slices.Contains([]string{"User", "Group", "Role"}, strings.TrimPrefix(strings.TrimPrefix(call.Action, "Create"), "Delete")) {
				t.Errorf("%v: %s is called", e, call.Action)
			}
		}
		if after := ids(); !slices.Equal(after, before) {
			t.Errorf("%v: the users, groups and roles are %v, and not %v", e, after, before)
		}
		f.run("preview", "--expect-no-changes")
	}
	if hits < calls*3/8 {
		t.Errorf("only %d updates were hit", hits)
	}
}
