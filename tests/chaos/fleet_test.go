package chaos

import (
	"fmt"
	"maps"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// fleet is a stack of many robots, with generated names, that is run by the CLI as a user would, so that all of it can
// be killed.
type fleet struct {
	t   *testing.T
	lab *lab.Lab
	dir string
	// robots are those that the program has: the roles that each may assume, by name.
	robots map[string]string
	// trusted are the robots that have a deployment role.
	trusted []string
	// path is that of all robots and deployment roles.
	path string
	// policy is the ARN of what is attached to the deployment roles.
	policy string
	// env are more settings of the CLI.
	env []string
}

// withoutCheckpoints are the settings with which a file backend writes the state at the end of an update only, and not
// at each step too, which takes a third of the CPU with 25 robots. An update that is killed needs those.
var withoutCheckpoints = []string{"PULUMI_EXPERIMENTAL=true", "PULUMI_SKIP_CHECKPOINTS=true"}

// newFleet makes a stack without robots. The AWS plugin makes each call a few times only, so that it ends before long.
func newFleet(t *testing.T, l *lab.Lab, project string) *fleet {
	t.Helper()
	policy, document := project+deployer, assume("deployed")
	made, err := awsiam.NewFromConfig(l.Config()).CreatePolicy(t.Context(), &awsiam.CreatePolicyInput{
		PolicyName: &policy, PolicyDocument: &document,
	})
	harness.Check(t, err)
	f := &fleet{t: t, lab: l, path: "/", policy: *made.Policy.Arn}
	f.write(project)
	f.run("stack", "init", "--secrets-provider", lab.SecretsProvider)
	f.run("config", "set", "aws:maxRetries", "4")
	return f
}

// deployer ends the name of a robot's deployment role.
const deployer = "-deployer"

// assume is a policy that allows assuming a role, which is what robots have and, to have something, their roles.
func assume(role string) string {
	return harness.AssumePolicy("arn:aws:iam::123456789012:role/" + role)
}

// write writes the program.
func (f *fleet) write(project string) {
	f.t.Helper()
	resources := map[string]lab.Resource{}
	for name, role := range f.robots {
		resources[name] = lab.Resource{Type: "cicd:RobotAccount", Properties: map[string]any{
			"assumableRoles": []string{role}, "path": f.path,
		}}
	}
	for _, name := range f.trusted {
		resources[name+deployer] = lab.Resource{Type: "cicd:DeploymentRole", Properties: map[string]any{
			"trusted": []string{"${" + name + ".userArn}"}, "path": f.path,
			"managedPolicyArns": []string{f.policy},
			"inlinePolicies":    map[string]any{"deploy": assume(f.robots[name])},
		}}
	}
	var err error
	f.dir, err = f.lab.WriteProgram(project, resources)
	harness.Check(f.t, err)
}

// command returns a command of the CLI.
func (f *fleet) command(args ...string) *exec.Cmd {
	cmd := f.lab.Command(f.t.Context(), f.dir, args...)
	cmd.Env = append(cmd.Env, f.env...)
	return cmd
}

// run runs a command of the CLI that has to succeed.
func (f *fleet) run(args ...string) string {
	f.t.Helper()
	out, err := f.command(args...).CombinedOutput()
	if err != nil {
		f.t.Fatalf("pulumi %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// up runs an update, and returns its output and whether it succeeds.
func (f *fleet) up() (string, error) {
	out, err := f.command("up", "--yes", "--skip-preview").CombinedOutput()
	return string(out), err
}

// isWhole says that the account holds each of the robots of the fleets once, and nothing else, and that the states say
// the same.
func isWhole(t *testing.T, l *lab.Lab, what string, fleets ...*fleet) {
	t.Helper()
	a := harness.Account(t, l)
	robots, roles := 0, 0
	for _, f := range fleets {
		robots += len(f.robots)
		roles += len(f.trusted)
		known := map[string]int{}
		state := harness.State(f.t, f.lab, f.dir)
		for _, r := range state.Resources {
			known[string(r.Type)]++
		}
		if len(state.PendingOperations) > 0 {
			t.Errorf("%s: the state has operations that are not ended: %v", what, state.PendingOperations)
		}
		for typ, want := range map[string]int{
			"cicd:index:RobotAccount": len(f.robots), "aws:iam/user:User": len(f.robots), "aws:iam/group:Group": len(f.robots),
			"aws:iam/groupMembership:GroupMembership": len(f.robots), "aws:iam/groupPolicy:GroupPolicy": len(f.robots),
			"cicd:index:DeploymentRole": len(f.trusted), "aws:iam/role:Role": len(f.trusted),
			"aws:iam/rolePolicy:RolePolicy": len(f.trusted), "aws:iam/rolePolicyAttachment:RolePolicyAttachment": len(f.trusted),
		} {
			if known[typ] != want {
				t.Errorf("%s: the state has %d of %s, and the program %d", what, known[typ], typ, want)
			}
		}
		for name, role := range f.robots {
			if !f.has(a, name, role) {
				t.Errorf("%s: the robot %s, for %s, is not whole in %s", what, name, role, harness.Pretty(t, a))
			}
		}
	}
	if len(a.Users) != robots || len(a.Groups) != robots || len(a.Roles) != roles {
		t.Errorf("%s: %d robots, of which %d have deployment roles, have %d users, %d groups and %d roles: %s", what,
			robots, roles, len(a.Users), len(a.Groups), len(a.Roles), harness.Pretty(t, a))
	}
}

// has reports whether an account holds a robot, with its deployment role if it has one.
func (f *fleet) has(a *lab.Contents, name, role string) bool {
	for _, user := range a.Users {
		if !strings.HasPrefix(user.Name, name+"-") || len(user.Groups) != 1 || user.Path != f.path {
			continue
		}
		for _, group := range a.Groups {
			policies := slices.Collect(maps.Values(group.Policies))
			if group.Name == user.Groups[0] && strings.HasPrefix(group.Name, name+"-") && group.Path == f.path &&
				slices.Equal(policies, []string{harness.Canonical(f.t, assume(role))}) {
				return !slices.Contains(f.trusted, name) || f.hasDeployer(a, user, name, role)
			}
		}
	}
	return false
}

// hasDeployer reports whether an account holds the deployment role of a robot, whose user is given.
func (f *fleet) hasDeployer(a *lab.Contents, user lab.User, name, role string) bool {
	trust := harness.Canonical(f.t, harness.TrustPolicy(strings.TrimPrefix(user.Path, "/")+user.Name, ""))
	policies := map[string]string{"deploy": harness.Canonical(f.t, assume(role))}
	return slices.ContainsFunc(a.Roles, func(r lab.Role) bool {
		return strings.HasPrefix(r.Name, name+deployer+"-") && r.Path == f.path && r.Trust == trust &&
			maps.Equal(r.Policies, policies) && slices.Equal(r.Attached, []string{f.policy})
	})
}

// change has a program with other robots: of as many, a few are gone and as many are new, and all are changed, as are
// the deployment roles, which one in three has.
func (f *fleet) change(project string, robots, round int) {
	f.t.Helper()
	renewed := 1 + robots/10
	f.robots, f.trusted = map[string]string{}, nil
	for i := range robots {
		number := round*renewed + i
		name := fmt.Sprintf("robot%d", number)
		f.robots[name] = fmt.Sprintf("role%d", round)
		if number%3 == 0 {
			f.trusted = append(f.trusted, name)
		}
	}
	f.path = []string{"/", "/cicd/"}[round%2]
	f.write(project)
}

// none has a program without robots.
func (f *fleet) none() { f.robots, f.trusted = nil, nil }

// repair does what the guide says after an update that was cut off: the lock is given up, users, groups and roles that
// AWS made and Pulumi does not know are deleted, and what Pulumi was about to note is struck off. It returns how many
// there were that Pulumi had noted that it was about to make, and how many others.
func (f *fleet) repair() (noted, others int) {
	f.t.Helper()
	locks, err := filepath.Glob(filepath.Join(f.lab.Dir, "state", ".pulumi", "locks", "*", "*", "*", "*"))
	harness.Check(f.t, err)
	if len(locks) > 0 {
		f.run("cancel", "--yes")
	}
	state := harness.State(f.t, f.lab, f.dir)
	known, pending := map[string]bool{}, map[string]bool{}
	for _, r := range state.Resources {
		known[string(r.Type)+" "+string(r.ID)] = true
	}
	for _, operation := range state.PendingOperations {
		name, _ := operation.Resource.Inputs["name"].(string)
		pending[string(operation.Resource.Type)+" "+name] = operation.Type == apitype.OperationTypeCreating
	}
	client, ctx := awsiam.NewFromConfig(f.lab.Config()), f.t.Context()
	left := func(typ, name string, remove func() error) {
		switch object := typ + " " + name; {
		case known[object]:
			return
		case pending[object]:
			noted++
		default:
			others++
		}
		if err := remove(); err != nil {
			f.t.Errorf("delete %s, which Pulumi does not know: %v", name, err)
		}
	}
	a := harness.Account(f.t, f.lab)
	for _, user := range a.Users {
		left("aws:iam/user:User", user.Name, func() error {
			_, err := client.DeleteUser(ctx, &awsiam.DeleteUserInput{UserName: &user.Name})
			return err
		})
	}
	for _, group := range a.Groups {
		left("aws:iam/group:Group", group.Name, func() error {
			_, err := client.DeleteGroup(ctx, &awsiam.DeleteGroupInput{GroupName: &group.Name})
			return err
		})
	}
	for _, role := range a.Roles {
		left("aws:iam/role:Role", role.Name, func() error {
			_, err := client.DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: &role.Name})
			return err
		})
	}
	if len(state.PendingOperations) > 0 {
		f.run("refresh", "--yes", "--non-interactive", "--clear-pending-creates")
	}
	return noted, others
}
