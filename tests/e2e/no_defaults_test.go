package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// noDefaults are programs that give a robot and its access key the AWS provider and the package's own, by file and
// language.
var noDefaults = map[string]map[string]string{
	"typescript": {"index.ts": `import * as aws from "@pulumi/aws";
import * as cicd from "@pulumi-cicd/cicd";
const providers = [new aws.Provider("aws", { region: "us-east-1" }), new cicd.Provider("cicd")];
const robot = new cicd.RobotAccount("robot", {}, { providers });
new cicd.AccessKey("robot", { userName: robot.userName }, { providers });
`},
	"python": {"__main__.py": `import pulumi
import pulumi_aws as aws
import pulumi_cicd as cicd
# Pulumi's Python SDK passes on only the package's own provider if that is among several. A parent's reach the resource.
team = pulumi.ComponentResource("acme:index:Team", "team", opts=pulumi.ResourceOptions(
    providers=[aws.Provider("aws", region="us-east-1"), cicd.Provider("cicd")]))
child = pulumi.ResourceOptions(parent=team)
robot = cicd.RobotAccount("robot", opts=child)
cicd.AccessKey("robot", user_name=robot.user_name, opts=child)
`},
	"yaml": {"Pulumi.yaml": `name: robot-account
runtime: yaml
resources:
  aws: {type: "pulumi:providers:aws", properties: {region: us-east-1}}
  cicd: {type: "pulumi:providers:cicd"}
  robot: {type: "cicd:RobotAccount", options: {providers: ["${aws}", "${cicd}"]}}
  key: {type: "cicd:AccessKey", name: robot, properties: {userName: "${robot.userName}"}, options: {providers: ["${aws}", "${cicd}"]}}
`},
}

// withoutDefaults is that program in Go.
func withoutDefaults(ctx *pulumi.Context) error {
	awsProvider, err := aws.NewProvider(ctx, "aws", &aws.ProviderArgs{Region: pulumi.String("us-east-1")})
	if err != nil {
		return err
	}
	own, err := cicd.NewProvider(ctx, "cicd", nil)
	if err != nil {
		return err
	}
	providers := pulumi.Providers(awsProvider, own)
	robot, err := cicd.NewRobotAccount(ctx, "robot", nil, providers)
	if err != nil {
		return err
	}
	_, err = cicd.NewAccessKey(ctx, "robot", &cicd.AccessKeyArgs{UserName: robot.UserName}, providers)
	return err
}

// TestNoDefaultProviders checks that a robot and its access key need no default provider of any package, in each language:
// the AWS provider and the package's own are enough.
func TestNoDefaultProviders(t *testing.T) {
	t.Parallel()
	for _, language := range lab.Languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			var s *harness.Stack
			if language == "go" {
				s = harness.InlineStack(t, l, withoutDefaults)
			} else {
				s = harness.ProgramStack(t, l, language, "examples/robot-account-"+language)
				for name, text := range noDefaults[language] {
					harness.Check(t, os.WriteFile(filepath.Join(s.Workspace().WorkDir(), name), []byte(text), 0o600))
				}
			}
			harness.Check(t, s.SetConfigWithOptions(t.Context(), "pulumi:disable-default-providers[0]", auto.ConfigValue{Value: "*"},
				&auto.ConfigOptions{Path: true}))
			s.MustPreview()
			s.MustUp()
			s.Unchanged()
			for urn := range s.Resources() {
				// The engine's own provider, pulumi, cannot be given.
				if strings.Contains(urn, "pulumi:providers:") && strings.Contains(urn, "::default") &&
					!strings.Contains(urn, "pulumi:providers:pulumi::") {
					t.Errorf("there is a default provider, %s", urn)
				}
			}
			s.MustDestroy()
		})
	}
}
