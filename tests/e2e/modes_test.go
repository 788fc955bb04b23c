package e2e

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

const (
	modesURN    = "urn:pulumi:dev::modes::"
	changingURN = modesURN + "aws:iam/group:Group::changing"
	newRoleURN  = modesURN + "aws:iam/role:Role::new"
	accountIAM  = "arn:aws:iam::123456789012:"
)

// modesProgram returns a program with each component and a group beside them. Its second version has a role that is new,
// from which an input of each component comes.
func modesProgram(version int) map[string]lab.Resource {
	resource := func(typ string, properties map[string]any) lab.Resource {
		return lab.Resource{Type: typ, Properties: properties}
	}
	if version == 1 {
		return map[string]lab.Resource{
			"changing": resource("aws:iam:Group", map[string]any{"path": "/1/"}),
			"robot":    resource("cicd:RobotAccount", map[string]any{"assumableRoles": []string{"cicd/*"}, "tags": map[string]any{"a": "b"}}),
			"key":      resource("cicd:AccessKey", map[string]any{"userName": "${robot.userName}"}),
			"role": resource("cicd:DeploymentRole", map[string]any{
				"trusted": []string{"${robot.userArn}"}, "managedPolicyArns": []string{accountIAM + "policy/old"},
				"inlinePolicies": map[string]any{"inline": harness.AssumePolicy("*")},
			}),
			"provider": resource("cicd:OidcProvider", map[string]any{
				"issuer": "https://ci.example.com", "audiences": []string{"old"},
			}),
		}
	}
	return map[string]lab.Resource{
		"changing": resource("aws:iam:Group", map[string]any{"path": "/2/"}),
		"new":      resource("aws:iam:Role", map[string]any{"name": "new", "assumeRolePolicy": trustsAccount}),
		"robot": resource("cicd:RobotAccount", map[string]any{
			"assumableRoles": []string{"cicd/*", "${new.arn}"}, "tags": map[string]any{"a": "${new.name}"},
		}),
		"key": resource("cicd:AccessKey", map[string]any{"userName": "${robot.userName}", "ssmPath": "/ci/${new.name}"}),
		"role": resource("cicd:DeploymentRole", map[string]any{
			"trusted":           []string{"${robot.userArn}", "${new.arn}"},
			"managedPolicyArns": []string{accountIAM + "policy/old", accountIAM + "policy/${new.name}"},
			"inlinePolicies": map[string]any{"inline": map[string]any{"Version": "2012-10-17", "Statement": []any{
				map[string]any{"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "${new.arn}"},
			}}},
		}),
		"provider": resource("cicd:OidcProvider", map[string]any{
			"issuer": "https://ci.example.com", "audiences": []string{"old", "${new.name}"},
		}),
	}
}

// TestEngineModes checks each mode of the engine with each component. A component whose input is unknown, because the
// resource that it comes from is skipped or fails, stays as it was, and the next plain update does the rest.
func TestEngineModes(t *testing.T) {
	t.Parallel()
	plain := []string{
		"AddClientIDToOpenIDConnectProvider", "AttachRolePolicy", "CreateRole", "PutGroupPolicy", "PutParameter", "PutParameter", "PutRolePolicy", "TagUser",
		"UpdateAssumeRolePolicy", "UpdateGroup",
	}
	without := func(name string) []string {
		return slices.DeleteFunc(slices.Clone(plain), func(call string) bool { return call == name })
	}
	for name, mode := range map[string]struct {
		commands [][]string
		// refused is a call that AWS refuses meanwhile.
		refused string
		// problem is part of the error of the last command.
		problem string
		// calls are those that write, in the order of the alphabet.
		calls []string
	}{
		"plain":   {commands: [][]string{{"up", "--yes", "--skip-preview"}}, calls: plain},
		"preview": {commands: [][]string{{"up", "--yes"}}, calls: plain},
		"plan": {
			commands: [][]string{{"preview", "--save-plan", "plan.json"}, {"up", "--yes", "--skip-preview", "--plan", "plan.json"}},
			calls:    plain,
		},
		"strict":     {commands: [][]string{{"up", "--yes", "--strict"}}, calls: plain},
		"refresh":    {commands: [][]string{{"up", "--yes", "--refresh"}}, calls: plain},
		"parallel 1": {commands: [][]string{{"up", "--yes", "--parallel", "1"}}, calls: plain},
		"run-program": {
			commands: [][]string{{"refresh", "--yes"}, {"up", "--yes", "--run-program", "--refresh"}}, calls: plain,
		},
		"target": {commands: [][]string{{"up", "--yes", "--target", changingURN}}, calls: []string{"UpdateGroup"}},
		"target the new role": {
			commands: [][]string{{"up", "--yes", "--target", newRoleURN}}, calls: []string{"CreateRole"},
		},
		"exclude": {commands: [][]string{{"up", "--yes", "--exclude", changingURN}}, calls: without("UpdateGroup")},
		// The engine calls the provider without what is unknown, which is to remove it.
		"exclude the new role": {
			commands: [][]string{{"up", "--yes", "--skip-preview", "--parallel", "1", "--exclude", newRoleURN}},
			problem:  "assumableRoles, tags: must be known in an update", calls: []string{"UpdateGroup"},
		},
		"exclude the new role and components": {
			commands: [][]string{{"up", "--yes", "--exclude", newRoleURN, "--exclude", "**cicd:index**"}},
			calls:    []string{"UpdateGroup"},
		},
		"continue-on-error": {
			commands: [][]string{{"up", "--yes", "--skip-preview", "--continue-on-error"}}, refused: "UpdateGroup",
			problem: "UpdateGroup", calls: without("UpdateGroup"),
		},
		"continue-on-error of the new role": {
			commands: [][]string{{"up", "--yes", "--skip-preview", "--continue-on-error"}}, refused: "CreateRole",
			problem: "CreateRole", calls: []string{"UpdateGroup"},
		},
		"destroy": {
			commands: [][]string{{"destroy", "--yes", "--run-program"}}, calls: []string{
				"DeleteAccessKey", "DeleteGroup", "DeleteGroup", "DeleteGroupPolicy", "DeleteOpenIDConnectProvider", "DeleteRole", "DeleteRolePolicy", "DeleteUser",
				"DetachRolePolicy", "RemoveUserFromGroup",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			createPolicies(t, l, "old", "new")
			dir := ""
			write := func(version int) {
				var err error
				dir, err = l.WriteProgram("modes", modesProgram(version))
				harness.Check(t, err)
			}
			run := func(problem string, args ...string) {
				t.Helper()
				out, err := l.Command(t.Context(), dir, args...).CombinedOutput()
				text := string(out)
				if (err != nil) != (problem != "") || !strings.Contains(text, problem) || strings.Contains(text, "grpc") ||
					strings.Contains(text, "panic") || strings.Contains(text, "cicd:index:RobotAccount resource") {
					t.Fatalf("pulumi %v: %v\n%s", args, err, text)
				}
			}
			write(1)
			run("", "stack", "init", "--secrets-provider", lab.SecretsProvider)
			run("", "up", "--yes", "--skip-preview")
			write(2)
			l.Writes()
			if mode.refused != "" {
				l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
					if call.Action == mode.refused {
						lab.Refuse(w, call, http.StatusForbidden, "AccessDenied", "not allowed")
						return
					}
					serve(w)
				})
			}
			for i, command := range mode.commands {
				problem := ""
				if i == len(mode.commands)-1 {
					problem = mode.problem
				}
				run(problem, command...)
			}
			if calls := slices.Sorted(slices.Values(l.Writes())); !slices.Equal(calls, mode.calls) {
				t.Errorf("the calls are\n%v\nand not\n%v", calls, mode.calls)
			}
			l.Inject(nil)
			run("", "up", "--yes", "--skip-preview")
			run("", "preview", "--expect-no-changes")
		})
	}
}
