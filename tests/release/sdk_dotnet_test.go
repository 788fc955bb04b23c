package release

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// csharpMembers are the members of every component in the C# SDK, in lower case. An input or output of that name would
// hide one or not compile.
var csharpMembers = []string{
	"id", "urn", "getresourcename", "getresourcetype", "registeroutputs", "equals", "gethashcode", "gettype", "tostring",
	"memberwiseclone", "finalize", "referenceequals",
}

// TestSDKDotnetCompiles checks, without a compiler, that the schema has nothing of which Pulumi's C# generator makes
// code that does not compile.
func TestSDKDotnetCompiles(t *testing.T) {
	t.Parallel()
	var spec schema.PackageSpec
	harness.Check(t, json.Unmarshal([]byte(harness.Read(t, harness.Repo(t), "schema.json")), &spec))
	for token, r := range spec.Resources {
		class := strings.ToLower(token[strings.LastIndex(token, ":")+1:])
		for name, output := range r.Properties {
			if output.Secret {
				t.Errorf("%s: the schema calls the output %s secret. The C# generator then writes the option "+
					"AdditionalSecretOutputs, which the options of components lack. The plugin returns the value as a secret instead", token, name)
			}
		}
		for _, properties := range []map[string]schema.PropertySpec{r.Properties, r.InputProperties} {
			for name := range properties {
				// C# names are in Pascal case, so that no keyword of C# is among them.
				if lower := strings.ToLower(name); lower == class || slices.Contains(csharpMembers, lower) {
					t.Errorf("%s: C# takes no property %s: it is the name of the class or of a member that every component has", token, name)
				}
			}
		}
	}
	for token, typ := range spec.Types {
		class := strings.ToLower(token[strings.LastIndex(token, ":")+1:])
		for name := range typ.Properties {
			if strings.ToLower(name) == class {
				t.Errorf("%s: C# takes no property %s: it is the name of the class", token, name)
			}
		}
	}
}

// dotnetDefaults finds the options that a component's constructor sets.
var dotnetDefaults = regexp.MustCompile(`(?s)var defaultOptions = new \w+Options\s*\{(.*?)\n            \};`)

// TestSDKDotnetOptions checks that the constructors of components set only options that components have.
func TestSDKDotnetOptions(t *testing.T) {
	t.Parallel()
	for _, component := range []string{"RobotAccount", "AccessKey", "DeploymentRole"} {
		text := harness.Read(t, harness.Repo(t), "sdk", "dotnet", component+".cs")
		options := dotnetDefaults.FindStringSubmatch(text)
		if options == nil {
			t.Errorf("%s.cs has no options:\n%s", component, text)
			continue
		}
		for _, set := range regexp.MustCompile(`(?m)^ {16}(\w+) =`).FindAllStringSubmatch(options[1], -1) {
			if !slices.Contains([]string{"Version", "PluginDownloadURL", "Aliases"}, set[1]) {
				t.Errorf("%s.cs sets the option %s, which ComponentResourceOptions lacks: the SDK does not compile", component, set[1])
			}
		}
		if !strings.Contains(options[1], "PluginDownloadURL = ") {
			t.Errorf("%s.cs: no options are found in %s", component, options[1])
		}
	}
}

// TestSDKDotnetPack packs the C# SDK as a release does.
func TestSDKDotnetPack(t *testing.T) {
	t.Parallel()
	harness.NeedsDotnet(t)
	dir := t.TempDir()
	sdk := copyFolder(t, "sdk/dotnet", filepath.Join(dir, "sdk"))
	harness.Succeed(t, harness.Repo(t), dotnetEnv, "tools/pack-dotnet", sdk, filepath.Join(dir, "packages"))
}

// dotnetEnv has dotnet say only what matters.
var dotnetEnv = []string{"DOTNET_CLI_TELEMETRY_OPTOUT=1", "DOTNET_NOLOGO=1"}

// TestExamplesSupportedDotnet checks that the examples in C# start on a newer .NET than they are made for: .NET 8 went
// out of support on 2026-11-10.
func TestExamplesSupportedDotnet(t *testing.T) {
	t.Parallel()
	projects, err := filepath.Glob(filepath.Join(harness.Repo(t), "examples", "*-csharp", "*.csproj"))
	harness.Check(t, err)
	if len(projects) < 3 {
		t.Errorf("there are the projects %v", projects)
	}
	for _, project := range projects {
		text, err := os.ReadFile(project)
		harness.Check(t, err)
		if !strings.Contains(string(text), "<RollForward>Major</RollForward>") {
			t.Errorf("%s does not start where only a newer .NET is installed", project)
		}
	}
}
