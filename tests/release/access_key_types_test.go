package release

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestAccessKeyTypes checks with the compilers and the type checker of the languages that each output can be given to
// what requires a value, that TypeScript refuses a value of previous that does not exist, and that the examples that
// deliver a key fit the official packages of GitHub and GitLab. TestSDKDotnetBuild checks those in C#.
func TestAccessKeyTypes(t *testing.T) {
	t.Parallel()
	for language, run := range map[string]func(*testing.T, string){
		"typescript": typesNodejs, "python": typesPython, "go": typesGo, "csharp": typesDotnet,
	} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			run(t, t.TempDir())
		})
	}
}

func typesNodejs(t *testing.T, dir string) {
	t.Helper()
	copyFolder(t, "sdk/nodejs", filepath.Join(dir, "sdk"))
	modules, file := os.Getenv("CICD_NODE_MODULES"), filepath.Join(dir, "index.ts")
	harness.Check(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	example := harness.Read(t, harness.Repo(t), "examples", "access-key-github-typescript", "index.ts")
	harness.Check(t, os.WriteFile(filepath.Join(dir, "github.ts"), []byte(example), 0o600))
	harness.Check(t, os.WriteFile(filepath.Join(dir, "tsconfig.json"), []byte(`{
		"extends": "./sdk/tsconfig.json",
		"compilerOptions": {"strict": true, "noEmit": true, "paths": {"@pulumi-cicd/cicd": ["./sdk/index.ts"]}},
		"files": ["index.ts", "github.ts"]
	}`), 0o600))
	harness.Check(t, os.WriteFile(file, []byte(`
import * as pulumi from "@pulumi/pulumi";
import * as aws from "@pulumi/aws";
import * as github from "@pulumi/github";
import * as cicd from "@pulumi-cicd/cicd";

const key = new cicd.AccessKey("key", { userName: "bot", previous: "deleted", handOver: "7d" });
new cicd.AccessKey("enum", { userName: "bot", previous: cicd.PreviousKey.Inactive });

for (const text of [
    key.accessKeyId, key.secretAccessKey, key.encryptedSecretAccessKey, key.previousAccessKeyId, key.rotatedAt,
    key.rotateAfter, key.secretArn,
]) {
    new aws.secretsmanager.SecretVersion("required", { secretId: text, secretString: text });
    new cicd.AccessKey("required", { userName: text });
}
const generation: pulumi.Output<number> = key.generation;
const names: pulumi.Output<string[]> = key.ssmParameterNames;
new aws.iam.GroupMembership("required", { group: pulumi.interpolate`+"`${generation}`"+`, users: names });

new cicd.AccessKey("mistyped", { userName: "bot", previous: "inactve" }); // want: Type '"inactve"' is not assignable to type
new cicd.AccessKey("no user", {}); // want: is not assignable to parameter of type 'AccessKeyArgs'
new cicd.RobotAccount("as before", { accessKey: {} }); // want: 'accessKey' does not exist in type 'RobotAccountArgs'
new github.ActionsSecret("nowhere", { secretName: "KEY", value: key.accessKeyId }); // want: is not assignable to parameter of type 'ActionsSecretArgs'
`), 0o600))
	out, err := harness.Execute(t, dir, nil, "node", filepath.Join(modules, "typescript", "bin", "tsc"), "--pretty", "false",
		"--project", dir)
	if err == nil {
		t.Error("tsc finds nothing wrong")
	}
	complains(t, out, file)
}

func typesPython(t *testing.T, dir string) {
	t.Helper()
	root, file := harness.Repo(t), filepath.Join(dir, "right.py")
	copyFolder(t, "sdk/python/pulumi_cicd", filepath.Join(dir, "site", "pulumi_cicd"))
	harness.Check(t, os.WriteFile(file, []byte(`
import pulumi
import pulumi_aws as aws
import pulumi_cicd as cicd
import pulumi_github as github
import pulumi_gitlab as gitlab

key = cicd.AccessKey("key", user_name="bot", previous=cicd.PreviousKey.DELETED, hand_over="7d")
texts: list[pulumi.Output[str]] = [
    key.access_key_id,
    key.secret_access_key,
    key.encrypted_secret_access_key,
    key.previous_access_key_id,
    key.rotated_at,
    key.rotate_after,
    key.secret_arn,
]
for text in texts:
    aws.secretsmanager.SecretVersion("required", aws.secretsmanager.SecretVersionArgs(secret_id=text, secret_string=text))
    cicd.AccessKey("required", cicd.AccessKeyArgs(user_name=text))
generation: pulumi.Output[int] = key.generation
names: pulumi.Output[list[str]] = key.ssm_parameter_names.apply(lambda names: list(names))
group = pulumi.Output.format("{}", generation)
aws.iam.GroupMembership("required", aws.iam.GroupMembershipArgs(group=group, users=names))

cicd.AccessKeyArgs()  # want: Missing named argument "user_name"
github.ActionsSecretArgs(value=key.secret_access_key)  # want: Missing named argument "repository"
gitlab.ProjectVariableArgs(value=key.secret_access_key)  # want: Missing named argument "project"
`), 0o600))
	args := []string{
		"-m", "mypy", "--strict", "--no-error-summary", "--no-pretty", "--hide-error-context",
		"--cache-dir", filepath.Join(root, ".tools", "mypy"), file,
	}
	for _, example := range []string{"access_key", "access_key_github", "access_key_gitlab"} {
		program := filepath.Join(dir, example+".py")
		folder := strings.ReplaceAll(example, "_", "-") + "-python"
		harness.Check(t, os.WriteFile(program, []byte(harness.Read(t, root, "examples", folder, "__main__.py")), 0o600))
		args = append(args, program)
	}
	// mypy takes a minute without its cache.
	out, err := harness.Execute(t, dir, []string{"PYTHONPATH=" + filepath.Join(dir, "site")},
		os.Getenv("CICD_TOOLS_PYTHON"), args...)
	if err == nil {
		t.Error("mypy finds nothing wrong")
	}
	complains(t, out, file)
}

func typesGo(t *testing.T, dir string) {
	t.Helper()
	file := filepath.Join(dir, "right.go")
	harness.Check(t, os.WriteFile(file, []byte(`package right

import (
	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// required has what a resource requires: no pointers.
type required struct {
	Texts      []pulumi.StringInput
	Generation pulumi.IntInput
	Names      pulumi.StringArrayInput
}

func right(ctx *pulumi.Context) (required, error) {
	key, err := cicd.NewAccessKey(ctx, "key", &cicd.AccessKeyArgs{
		UserName: pulumi.String("bot"), Previous: cicd.PreviousKeyDeleted, HandOver: pulumi.String("7d"),
	})
	if err != nil {
		return required{}, err
	}
	r := required{[]pulumi.StringInput{
		key.AccessKeyId, key.SecretAccessKey, key.EncryptedSecretAccessKey, key.PreviousAccessKeyId, key.RotatedAt,
		key.RotateAfter, key.SecretArn,
	}, key.Generation, key.SsmParameterNames}
	for _, text := range r.Texts {
		if _, err := cicd.NewAccessKey(ctx, "required", &cicd.AccessKeyArgs{UserName: text}); err != nil {
			return r, err
		}
	}
	return r, nil
}
`), 0o600))
	env := []string{"GOWORK=off", "GOFLAGS=-mod=readonly"}
	harness.Succeed(t, filepath.Join(harness.Repo(t), "sdk", "go", "cicd"), env, "go", "vet", file)
	// The module of the tests pins the packages.
	for _, example := range []string{"access-key-github-go", "access-key-gitlab-go"} {
		program := filepath.Join(harness.Repo(t), "examples", example, "main.go")
		harness.Succeed(t, filepath.Join(harness.Repo(t), "tests"), env, "go", "vet", program)
	}
}

// publishedSDK is how an example asks for the C# SDK.
var publishedSDK = regexp.MustCompile(`<PackageReference Include="PulumiCicd\.Cicd" Version="[^"]*" />`)

func typesDotnet(t *testing.T, dir string) {
	t.Helper()
	harness.NeedsDotnet(t)
	copyFolder(t, "sdk/dotnet", filepath.Join(dir, "sdk"))
	program := copyFolder(t, "examples/access-key-csharp", filepath.Join(dir, "program"))
	project := filepath.Join(program, "access-key.csproj")
	text := publishedSDK.ReplaceAllString(harness.Read(t, project), `<ProjectReference Include="../sdk/PulumiCicd.Cicd.csproj" />`)
	harness.Check(t, os.WriteFile(project, []byte(text), 0o600))
	harness.Check(t, os.WriteFile(filepath.Join(program, "Required.cs"), []byte(`#nullable enable
using Pulumi;
using PulumiCicd.Cicd;

internal static class Required
{
    internal static void Text(Input<string> text) => _ = new AccessKey("required", new AccessKeyArgs { UserName = text });

    internal static Input<int> Generation(AccessKey key) => key.Generation;

    internal static InputList<string> Names(AccessKey key) => key.SsmParameterNames;

    internal static void Right()
    {
        var key = new AccessKey("key", new AccessKeyArgs
        {
            UserName = "bot", Previous = PreviousKey.Deleted, HandOver = "7d",
        });
        Output<string>[] texts =
        {
            key.AccessKeyId, key.SecretAccessKey, key.EncryptedSecretAccessKey, key.PreviousAccessKeyId, key.RotatedAt,
            key.RotateAfter, key.SecretArn,
        };
        foreach (Output<string> text in texts)
        {
            Text(text);
        }
    }
}
`), 0o600))
	harness.Succeed(t, program, dotnetEnv, "dotnet", "build", "-warnaserror:nullable")
}
