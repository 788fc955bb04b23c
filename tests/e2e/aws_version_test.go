package e2e

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// aws7 are programs on version 7 of the AWS package, by language: a user of theirs with an access key and a role by the
// default AWS provider, and a robot by an explicit one. AWS7 is the version.
var aws7 = map[string]string{
	"typescript": `import * as aws from "@pulumi/aws";
import * as cicd from "@pulumi-cicd/cicd";
const own = new aws.iam.User("own");
const robot = new cicd.RobotAccount("robot");
new cicd.AccessKey("robot", { userName: robot.userName, secretsManager: { name: "robot" }, ssmPath: "/robot" });
new cicd.DeploymentRole("role", { trusted: [own.arn, robot.userArn] });
const provider = new aws.Provider("given", { region: "us-east-1" });
const given = new cicd.RobotAccount("given", {}, { provider });
new cicd.AccessKey("given", { userName: given.userName, ssmPath: "/given" }, { providers: [provider] });
new cicd.DeploymentRole("given", { trusted: [given.userArn] }, { provider });
`,
	"python": `import pulumi
import pulumi_aws as aws
import pulumi_cicd as cicd
own = aws.iam.User("own")
robot = cicd.RobotAccount("robot")
cicd.AccessKey("robot", user_name=robot.user_name, secrets_manager={"name": "robot"}, ssm_path="/robot")
cicd.DeploymentRole("role", trusted=[own.arn, robot.user_arn])
provider = aws.Provider("given", region="us-east-1")
one, several = pulumi.ResourceOptions(provider=provider), pulumi.ResourceOptions(providers=[provider])
given = cicd.RobotAccount("given", opts=one)
cicd.AccessKey("given", user_name=given.user_name, ssm_path="/given", opts=several)
cicd.DeploymentRole("given", trusted=[given.user_arn], opts=one)
`,
	// The AWS package of version 7 takes half a minute to compile: the program has it in go.mod, and registers what it
	// would register.
	"go": `package main

import (
	_ "github.com/pulumi/pulumi-aws/sdk/v7/go/aws/config"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
)

type user struct {
	pulumi.CustomResourceState
	Arn pulumi.StringOutput ` + "`pulumi:\"arn\"`" + `
}

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		var own user
		if err := ctx.RegisterResource("aws:iam/user:User", "own", pulumi.Map{}, &own, pulumi.Version("AWS7")); err != nil {
			return err
		}
		robot, err := cicd.NewRobotAccount(ctx, "robot", nil)
		if err != nil {
			return err
		}
		_, err = cicd.NewAccessKey(ctx, "robot", &cicd.AccessKeyArgs{
			UserName: robot.UserName, SsmPath: pulumi.String("/robot"),
			SecretsManager: &cicd.AccessKeySecretArgs{Name: pulumi.String("robot")},
		})
		if err != nil {
			return err
		}
		_, err = cicd.NewDeploymentRole(ctx, "role", &cicd.DeploymentRoleArgs{
			Trusted: pulumi.StringArray{own.Arn, robot.UserArn},
		})
		if err != nil {
			return err
		}
		var provider pulumi.ProviderResourceState
		err = ctx.RegisterResource("pulumi:providers:aws", "given", pulumi.Map{"region": pulumi.String("us-east-1")},
			&provider, pulumi.Version("AWS7"))
		if err != nil {
			return err
		}
		given, err := cicd.NewRobotAccount(ctx, "given", nil, pulumi.Provider(&provider))
		if err != nil {
			return err
		}
		_, err = cicd.NewAccessKey(ctx, "given", &cicd.AccessKeyArgs{
			UserName: given.UserName, SsmPath: pulumi.String("/given"),
		}, pulumi.Providers(&provider))
		if err != nil {
			return err
		}
		_, err = cicd.NewDeploymentRole(ctx, "given", &cicd.DeploymentRoleArgs{
			Trusted: pulumi.StringArray{given.UserArn},
		}, pulumi.Provider(&provider))
		return err
	})
}
`,
	"yaml": `name: robot-account
runtime: yaml
resources:
  own: {type: "aws:iam:User"}
  robot: {type: "cicd:RobotAccount"}
  key: {type: "cicd:AccessKey", name: robot, properties: {userName: "${robot.userName}", secretsManager: {name: robot}, ssmPath: /robot}}
  role: {type: "cicd:DeploymentRole", properties: {trusted: ["${own.arn}", "${robot.userArn}"]}}
  provider: {type: "pulumi:providers:aws", name: given, properties: {region: us-east-1}, options: {version: AWS7}}
  given: {type: "cicd:RobotAccount", options: {provider: "${provider}"}}
  givenKey: {type: "cicd:AccessKey", name: given, properties: {userName: "${given.userName}", ssmPath: /given}, options: {providers: ["${provider}"]}}
  givenRole: {type: "cicd:DeploymentRole", name: given, properties: {trusted: ["${given.userArn}"]}, options: {provider: "${provider}"}}
`,
}

// aws7Stack makes a stack of a program on AWS 7, where the plugins of both versions are installed.
func aws7Stack(t *testing.T, language, program string) *harness.Stack {
	t.Helper()
	l := harness.NewLab(t)
	harness.UseAWS7(l)
	_, seven := harness.AWSVersions()
	file := map[string]string{"typescript": "index.ts", "python": "__main__.py", "go": "main.go", "yaml": "Pulumi.yaml"}[language]
	s := harness.ProgramStack(t, l, language, "examples/robot-account-"+language)
	dir := s.Workspace().WorkDir()
	harness.Check(t, os.WriteFile(filepath.Join(dir, file), []byte(strings.ReplaceAll(program, "AWS7", seven)), 0o600))
	env, err := lab.UseAWS7(t.Context(), language, dir)
	harness.Check(t, err)
	for name, value := range env {
		s.Workspace().SetEnvVar(name, value)
	}
	return s
}

// awsProviders returns the names and versions of the AWS providers in a stack's state. Those of default providers are
// without what the engine adds.
func awsProviders(s *harness.Stack) (found []string) {
	s.T.Helper()
	for urn, r := range s.Resources() {
		if _, name, ok := strings.Cut(urn, "::pulumi:providers:aws::"); ok {
			if strings.HasPrefix(name, "default_") {
				name = "default"
			}
			if version, ok := r.Inputs["version"].(string); ok {
				name += " " + version
			}
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// TestAWS7 checks that programs on AWS 7 have robots, keys and roles made by their AWS providers, the default one and an
// explicit one, and get no other provider.
func TestAWS7(t *testing.T) {
	t.Parallel()
	for _, language := range lab.Languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			s := aws7Stack(t, language, aws7[language])
			harness.Check(t, s.SetConfigWithOptions(t.Context(), "aws:assumeRoles[0].roleArn",
				auto.ConfigValue{Value: "arn:aws:iam::123456789012:role/deployer"}, &auto.ConfigOptions{Path: true}))
			s.MustUp()
			_, seven := harness.AWSVersions()
			want := []string{"default " + seven, "given " + seven}
			if language == "yaml" {
				// The program names no version, which is the newest that is installed.
				want[0] = "default"
			}
			harness.Same(t, "AWS providers", awsProviders(s), want)
			if !slices.ContainsFunc(s.Lab.Calls(), func(c lab.Call) bool { return c.Action == "AssumeRole" }) {
				t.Error("no role was assumed")
			}
			s.MustDestroy()
		})
	}
}

// setAWSVersion sets the version of the AWS provider in a stack's configuration.
func setAWSVersion(s *harness.Stack, version string, secret bool) {
	s.T.Helper()
	harness.Check(s.T, s.SetConfig(s.T.Context(), "cicd:awsVersion", auto.ConfigValue{Value: version, Secret: secret}))
}

// TestMoveToAWS7 checks that a stack with a robot, its access key and a role moves from version 6 of the AWS provider to
// version 7 with updates in place, none of which changes a key or what a store holds. A robot with an explicit provider
// of version 6 stays with it. Nothing depends on the setting once the program is not run.
func TestMoveToAWS7(t *testing.T) {
	t.Parallel()
	six, seven := harness.AWSVersions()
	for name, options := range map[string][]optup.Option{"plain": nil, "refreshed": {optup.Refresh(), optup.RunProgram(true)}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			harness.UseAWS7(l)
			s := harness.NewKeyStack(t, l)
			s.WriteWith(harness.Values{
				"robot": harness.Values{"type": "cicd:RobotAccount", "properties": harness.Values{"userName": "cicd-bot"}},
				"role": harness.Values{"type": "cicd:DeploymentRole", "properties": harness.Values{
					"trusted": []string{"${robot.userArn}"}, "tags": harness.Values{"team": "delivery"},
				}},
				"old":   harness.Values{"type": "pulumi:providers:aws", "options": harness.Values{"version": six}},
				"other": harness.Values{"type": "cicd:RobotAccount", "options": harness.Values{"provider": "${old}"}},
			}, harness.Values{"secretsManager": harness.Values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"})
			setAWSVersion(s.Stack, six, false)
			result, _ := s.MustUp()
			key := harness.ReadKeyOutputs(t, result.Outputs)
			harness.Same(t, "AWS providers", awsProviders(s.Stack), []string{"default " + six, "old " + six})
			l.Calls()

			setAWSVersion(s.Stack, seven, false)
			result, steps := s.MustUp(options...)
			for _, step := range steps {
				if !strings.HasPrefix(step.String(), "refresh ") && !strings.HasPrefix(step.String(), "update ") {
					t.Errorf("the update has the step %s", step)
				}
			}
			harness.Same(t, "AWS providers", awsProviders(s.Stack), []string{"default " + seven, "old " + six})
			harness.Same(t, "the outputs", harness.ReadKeyOutputs(t, result.Outputs), key)
			s.Keeps(key)
			writes := l.Writes()
			if name == "plain" {
				// The parameters have a region now, and are put again as they are.
				writes = slices.DeleteFunc(writes, func(action string) bool { return action == "PutParameter" })
			}
			if len(writes) > 0 {
				t.Errorf("the update calls %v", writes)
			}
			s.Unchanged()

			harness.Check(t, s.RemoveConfig(t.Context(), "cicd:awsVersion"))
			_, err := s.Refresh(t.Context())
			harness.Check(t, err)
			s.MustDestroy()
		})
	}
}

// TestAWSVersionRefused checks what is told of a version that the package does not know, and of one that does not know
// the stack's configuration. Nothing is made.
func TestAWSVersionRefused(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	harness.UseAWS7(l)
	six, _ := harness.AWSVersions()
	s := harness.ProgramStack(t, l, "yaml", "examples/robot-account-yaml")
	refused := func(want string) {
		t.Helper()
		_, err := s.Preview(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "8.1.2") {
			t.Errorf("the error is %v, without %q", err, want)
		}
	}
	setAWSVersion(s, "8.1.2", true)
	refused("property awsVersion value {&{{[secret]}}} has a problem: must be a version 6 or 7 of the AWS provider")
	setAWSVersion(s, six, false)
	harness.Check(t, s.SetConfigWithOptions(t.Context(), "aws:assumeRoles[0].roleArn",
		auto.ConfigValue{Value: "arn:aws:iam::123456789012:role/deployer"}, &auto.ConfigOptions{Path: true}))
	refused("assumeRoles")
	if calls := l.Calls(); len(calls) > 0 {
		t.Errorf("AWS is called: %v", calls)
	}
}
