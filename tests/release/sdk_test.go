package release

import (
	"archive/zip"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// offline is a setting of the environment that makes HTTP impossible: nothing listens on the port that is discard.
var offline = []string{"HTTP_PROXY=http://127.0.0.1:9", "HTTPS_PROXY=http://127.0.0.1:9", "NO_PROXY="}

// copyFolder copies a folder of the repository, for programs that write beside what they read. It returns the copy.
func copyFolder(t *testing.T, folder, dir string) string {
	t.Helper()
	harness.Check(t, os.CopyFS(dir, os.DirFS(filepath.Join(harness.Repo(t), folder))))
	return dir
}

// complaintRE matches a complaint of a compiler: a file, a line, often a column, and what is wrong.
var complaintRE = regexp.MustCompile(`^([^\s:(][^:(]*)[:(](\d+)(?:[:,]\d+)*\)?: (.*)$`)

// complains says that a compiler complains of the lines of a file that end with a comment "want: TEXT", with
// that text, and of nothing else in this or any other file.
func complains(t *testing.T, output, file string) {
	t.Helper()
	want := map[int]string{}
	for i, line := range strings.Split(harness.Read(t, file), "\n") {
		if _, text, ok := strings.Cut(line, " want: "); ok {
			want[i+1] = text
		}
	}
	got := map[int]string{}
	for line := range strings.Lines(output) {
		m := complaintRE.FindStringSubmatch(strings.TrimSpace(line))
		if len(m) == 0 || strings.HasPrefix(m[3], "note:") || strings.HasPrefix(line, " ") {
			continue
		}
		if filepath.Base(m[1]) != filepath.Base(file) {
			t.Errorf("there is something wrong with %s", line)
			continue
		}
		n, err := strconv.Atoi(m[2])
		harness.Check(t, err)
		got[n] += m[3] + "\n"
	}
	for _, n := range slices.Sorted(maps.Keys(want)) {
		if !strings.Contains(got[n], want[n]) {
			t.Errorf("%s:%d: the compiler says %q, and not %q", filepath.Base(file), n, got[n], want[n])
		}
	}
	for n, text := range got {
		if want[n] == "" {
			t.Errorf("%s:%d: the compiler complains: %s", filepath.Base(file), n, text)
		}
	}
	if len(want) == 0 || t.Failed() {
		t.Logf("all that the compiler says:\n%s", output)
	}
}

// TestSDKNodejs says that the Node.js SDK compiles with its own settings, and that its types let through what is
// right and nothing that is wrong.
func TestSDKNodejs(t *testing.T) {
	t.Parallel()
	dir := copyFolder(t, "tests/release/testdata/sdks/nodejs", filepath.Join(t.TempDir(), "program"))
	copyFolder(t, "sdk/nodejs", filepath.Join(dir, "sdk"))
	modules := os.Getenv("CICD_NODE_MODULES")
	harness.Check(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	// The SDK is the copy, and not what "make tools" has installed some time ago.
	harness.Check(t, os.WriteFile(filepath.Join(dir, "tsconfig.json"), []byte(`{
		"extends": "./sdk/tsconfig.json",
		"compilerOptions": {"strict": true, "noEmit": true, "paths": {"@pulumi-cicd/cicd": ["./sdk/index.ts"]}},
		"files": ["sdk/index.ts", "sdk/provider.ts", "sdk/robotAccount.ts", "sdk/utilities.ts", "right.ts", "wrong.ts"]
	}`), 0o600))
	out, err := harness.Execute(t, dir, nil, "node", filepath.Join(modules, "typescript", "bin", "tsc"), "--pretty", "false",
		"--project", dir)
	if err == nil {
		t.Errorf("tsc finds nothing wrong")
	}
	complains(t, out, filepath.Join(dir, "wrong.ts"))
}

// TestSDKPython says that the Python SDK can be built and installed as it is published, and that its types let
// through what is right and nothing that is wrong.
func TestSDKPython(t *testing.T) {
	t.Parallel()
	root, dir, python := harness.Repo(t), t.TempDir(), os.Getenv("CICD_TOOLS_PYTHON")
	// setuptools reads and builds in the folder of the sources.
	sources := copyFolder(t, "sdk/python", filepath.Join(dir, "sources"))

	// The wheel is made from the source distribution, so that neither lacks a file.
	harness.Succeed(t, dir, offline, python, "-m", "build", "--no-isolation", "--outdir", filepath.Join(dir, "dist"), sources)
	wheels, err := filepath.Glob(filepath.Join(dir, "dist", "pulumi_cicd-*-py3-none-any.whl"))
	harness.Check(t, err)
	if len(wheels) != 1 {
		t.Fatalf("there are the wheels %v", wheels)
	}
	wheel, err := zip.OpenReader(wheels[0])
	harness.Check(t, err)
	defer wheel.Close()
	for _, name := range []string{"pulumi_cicd/py.typed", "pulumi_cicd/pulumi-plugin.json"} {
		if _, err := fs.Stat(wheel, name); err != nil {
			t.Errorf("the wheel: %v", err)
		}
	}

	site := filepath.Join(dir, "site")
	harness.Succeed(t, dir, offline, python, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation",
		"--target", site, sources)
	env := []string{"PYTHONPATH=" + site}
	where := harness.Succeed(t, dir, env, python, "-c", "import pulumi_cicd; print(pulumi_cicd.RobotAccount, pulumi_cicd.__file__)")
	if !strings.Contains(where, site) {
		t.Fatalf("Python finds %s", where)
	}
	fixtures := filepath.Join(root, "tests", "release", "testdata", "sdks", "python")
	// mypy takes half a minute without its cache.
	out, err := harness.Execute(t, dir, env, python, "-m", "mypy", "--strict", "--no-error-summary", "--no-pretty",
		"--hide-error-context", "--cache-dir", filepath.Join(root, ".tools", "mypy"),
		filepath.Join(fixtures, "right.py"), filepath.Join(fixtures, "wrong.py"))
	if err == nil {
		t.Errorf("mypy finds nothing wrong")
	}
	complains(t, out, filepath.Join(fixtures, "wrong.py"))
}

// TestSDKGo says that the Go SDK builds from its own module, and that its types let through what is right and
// nothing that is wrong.
func TestSDKGo(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	sdk := filepath.Join(root, "sdk", "go", "cicd")
	fixtures := filepath.Join(root, "tests", "release", "testdata", "sdks", "go")
	env := []string{"GOWORK=off", "GOFLAGS=-mod=readonly"}
	harness.Succeed(t, sdk, env, "go", "build", "./...")
	harness.Succeed(t, sdk, env, "go", "vet", "./...")
	harness.Succeed(t, sdk, env, "go", "vet", filepath.Join(fixtures, "right.go"))
	out, err := harness.Execute(t, sdk, env, "go", "build", filepath.Join(fixtures, "wrong.go"))
	if err == nil {
		t.Errorf("go finds nothing wrong")
	}
	complains(t, out, filepath.Join(fixtures, "wrong.go"))
}

// TestSDKDotnet says of the text of the C# SDK what needs no compiler.
func TestSDKDotnet(t *testing.T) {
	t.Parallel()
	sdk := filepath.Join(harness.Repo(t), "sdk", "dotnet")
	for file, wants := range map[string][]string{
		"RobotAccount.cs": {
			"namespace PulumiCicd.Cicd\n",
			`[CicdResourceType("cicd:index:RobotAccount")]`,
			"public partial class RobotAccount : global::Pulumi.ComponentResource\n",
			"public RobotAccount(string name, RobotAccountArgs? args = null, ComponentResourceOptions? options = null)\n",
			"public InputList<string> AssumableRoles\n",
			"public InputList<string> SourceIps\n",
			"public InputMap<string> Tags\n",
			"public Input<string>? UserName { get; set; }\n",
			"public Input<bool>? ForceDestroy { get; set; }\n",
			"public Output<string> UserArn { get; private set; } = null!;\n",
		},
		// NuGet and the compiler name package and assembly after the project's file.
		"PulumiCicd.Cicd.csproj": {"<Authors>pulumi-cicd</Authors>", `<PackageReference Include="Pulumi"`},
	} {
		text := harness.Read(t, sdk, file)
		for _, want := range wants {
			if !strings.Contains(text, want) {
				t.Errorf("%s does not say %q", file, want)
			}
		}
	}
	if text := harness.Read(t, sdk, "PulumiCicd.Cicd.csproj"); regexp.MustCompile("<(PackageId|AssemblyName)>").MatchString(text) {
		t.Errorf("the project gives its package or assembly another name:\n%s", text)
	}
}

// TestSDKDotnetBuild builds the C# SDK, and against it the examples and a program with outputs.
func TestSDKDotnetBuild(t *testing.T) {
	t.Parallel()
	harness.NeedsDotnet(t)
	dir := t.TempDir()
	copyFolder(t, "sdk/dotnet", filepath.Join(dir, "sdk"))
	examples, err := filepath.Glob(filepath.Join(harness.Repo(t), "examples", "*-csharp"))
	harness.Check(t, err)
	if len(examples) == 0 {
		t.Fatal("there are no examples")
	}
	for _, example := range examples {
		name := filepath.Base(example)
		program := copyFolder(t, "examples/"+name, filepath.Join(dir, name))
		harness.Check(t, os.CopyFS(program, os.DirFS(filepath.Join(harness.Repo(t), "tests", "release", "testdata", "sdks", "dotnet"))))
		// The example takes the SDK from the folder, as long as it is not published.
		project := filepath.Join(program, strings.TrimSuffix(name, "-csharp")+".csproj")
		text := harness.Read(t, project)
		if !publishedSDK.MatchString(text) {
			t.Fatalf("%s does not ask for the SDK:\n%s", name, text)
		}
		text = publishedSDK.ReplaceAllString(text, `<ProjectReference Include="../sdk/PulumiCicd.Cicd.csproj" />`)
		harness.Check(t, os.WriteFile(project, []byte(text), 0o600))
		harness.Succeed(t, program, dotnetEnv, "dotnet", "build")
	}
}

// TestSDKSchema says what the schema promises to registries and to programs.
func TestSDKSchema(t *testing.T) {
	t.Parallel()
	text := harness.Read(t, harness.Repo(t), "schema.json")
	var spec schema.PackageSpec
	harness.Check(t, json.Unmarshal([]byte(text), &spec))
	// Once published, a name cannot be taken back.
	names := map[string]any{"name": spec.Name, "publisher": spec.Publisher}
	for language, keys := range map[string][]string{
		"nodejs": {"packageName"}, "python": {"packageName"}, "go": {"importBasePath"}, "csharp": {"rootNamespace", "namespaces"},
	} {
		var settings map[string]any
		harness.Check(t, json.Unmarshal(spec.Language[language], &settings))
		for _, key := range keys {
			names[language+" "+key] = settings[key]
		}
	}
	harness.Same(t, "the names", names, map[string]any{
		"name": "cicd", "publisher": "pulumi-cicd",
		"nodejs packageName":   "@pulumi-cicd/cicd",
		"python packageName":   "pulumi_cicd",
		"go importBasePath":    "github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd",
		"csharp rootNamespace": "PulumiCicd", "csharp namespaces": map[string]any{"cicd": "Cicd"},
	})
	if spec.Version != "" || strings.Contains(text, `"version"`) {
		t.Errorf("the schema has a version, which a release would change")
	}
	if spec.Description == "" || len(spec.Resources) == 0 {
		t.Errorf("the package has the description %q and %d resources", spec.Description, len(spec.Resources))
	}

	for token, r := range spec.Resources {
		if r.Description == "" || !r.IsComponent {
			t.Errorf("%s is a component: %v, and has the description %q", token, r.IsComponent, r.Description)
		}
		for kind, properties := range map[string]map[string]schema.PropertySpec{
			"input": r.InputProperties, "output": r.Properties,
		} {
			if len(properties) == 0 {
				t.Errorf("%s has no %s", token, kind)
			}
			for name, property := range properties {
				if property.Description == "" {
					t.Errorf("the %s %s of %s has no description", kind, name, token)
				}
				if path := plain(&property.TypeSpec); kind == "input" && path != "" {
					t.Errorf("%s%s of %s takes no output", name, path, token)
				}
			}
		}
	}
	for token, typ := range spec.Types {
		if typ.Description == "" {
			t.Errorf("the type %s has no description", token)
		}
		for name, property := range typ.Properties {
			if property.Description == "" {
				t.Errorf("the property %s of %s has no description", name, token)
			}
			if path := plain(&property.TypeSpec); path != "" {
				t.Errorf("%s%s of %s takes no output", name, path, token)
			}
		}
	}
}

// plain returns the path to what in a type takes no output: " itself", or the way to its elements.
func plain(typ *schema.TypeSpec) string {
	switch {
	case typ == nil:
		return ""
	case typ.Plain:
		return " itself"
	}
	if path := plain(typ.Items); path != "" {
		return "[]" + path
	}
	if path := plain(typ.AdditionalProperties); path != "" {
		return ".*" + path
	}
	return ""
}

// TestSDKServedSchema says that the plugin serves the schema that the SDKs are generated from.
func TestSDKServedSchema(t *testing.T) {
	t.Parallel()
	root := harness.Repo(t)
	cmd := exec.CommandContext(t.Context(), "pulumi", "package", "get-schema", filepath.Join(root, "bin", "pulumi-resource-cicd"))
	cmd.Dir = t.TempDir()
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		t.Fatalf("%v: %s", err, exit.Stderr)
	}
	harness.Check(t, err)
	var served, tracked map[string]any
	harness.Check(t, json.Unmarshal(out, &served))
	harness.Check(t, json.Unmarshal([]byte(harness.Read(t, root, "schema.json")), &tracked))
	if version, _ := served["version"].(string); version == "" {
		t.Errorf("the plugin's schema has no version")
	}
	delete(served, "version")
	harness.Same(t, "the served schema", served, tracked)
}

// TestSDKGeneration says that the generator writes what is in the repository, the same each time, without network.
func TestSDKGeneration(t *testing.T) {
	t.Parallel()
	root, dir := harness.Repo(t), t.TempDir()
	var first map[string]string
	for _, name := range []string{"first", "second"} {
		out := filepath.Join(dir, name)
		harness.Check(t, os.Mkdir(out, 0o700))
		harness.Succeed(t, root, append(offline, "GOWORK=off"), "go", "-C", "cmd/pulumi-gen-cicd", "run", "-trimpath", ".",
			"-root", root, "-out", out)
		var names []string
		harness.Check(t, filepath.WalkDir(out, func(path string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				path, err = filepath.Rel(out, path)
				names = append(names, path)
			}
			return err
		}))
		files := readFiles(t, out, names)
		if first == nil {
			first = files
		}
		sameFiles(t, "the second generation", files, "the first", first)
	}

	tracked := harness.Succeed(t, root, nil, "git", "ls-files", "--cached", "--others", "--exclude-standard",
		"schema.json", "sdk", "docs/reference.md")
	want := readFiles(t, root, strings.Fields(tracked))
	// "make sdk" has "go mod tidy" complete these two.
	for _, name := range []string{"go.mod", "go.sum"} {
		name = filepath.Join("sdk", "go", "cicd", name)
		if first[name] == "" || want[name] == "" {
			t.Errorf("there is no %s", name)
		}
		delete(first, name)
		delete(want, name)
	}
	sameFiles(t, "what is generated", first, `the repository ("make sdk" brings it up to date)`, want)
}

// readFiles returns the texts of files in a folder by their names, which are relative to it.
func readFiles(t *testing.T, dir string, names []string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, name := range names {
		files[filepath.FromSlash(name)] = harness.Read(t, dir, filepath.FromSlash(name))
	}
	return files
}

// sameFiles says that two folders hold the same.
func sameFiles(t *testing.T, what string, got map[string]string, whatElse string, want map[string]string) {
	t.Helper()
	if len(got) == 0 {
		t.Errorf("%s is nothing", what)
	}
	names := maps.Clone(got)
	maps.Copy(names, want)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		g, inGot := got[name]
		w, inWant := want[name]
		if g != w || inGot != inWant {
			t.Errorf("%s and %s differ in %s", what, whatElse, name)
		}
	}
}
