package release

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// dependencies is the command that gives a copied example its dependencies, as its project file and "pulumi new" say it.
const dependencies = `make -C CLONE install PROGRAM="$PWD"`

// TestExampleTemplates checks that "pulumi new" can take each example as a template: it says what the example is, asks
// for the region, and says in one line how its dependencies are had. The page of the examples lists it.
func TestExampleTemplates(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(harness.Repo(t), "examples", "*", "Pulumi.yaml"))
	harness.Check(t, err)
	if len(files) == 0 {
		t.Fatal("there are no examples")
	}
	list := harness.Read(t, harness.Repo(t), "examples", "README.md")
	for _, file := range files {
		folder := filepath.Base(filepath.Dir(file))
		if family := folder[:strings.LastIndexByte(folder, '-')]; !strings.Contains(list, "\n| `"+family+"-*` | ") {
			t.Errorf("examples/README.md does not list %s", family)
		}
		project, err := workspace.LoadProject(file)
		harness.Check(t, err)
		template := project.Template
		if template == nil || project.Description == nil {
			t.Errorf("%s has no template or no description", file)
			continue
		}
		if template.Description != *project.Description {
			t.Errorf("%s describes the template as %q, and the project as %q", file, template.Description, *project.Description)
		}
		if template.Config["aws:region"].Default == "" || template.Config["aws:region"].Description == "" {
			t.Errorf("%s does not ask for the region: %v", file, template.Config)
		}
		if !strings.HasSuffix(template.Quickstart, ": "+dependencies) || strings.Contains(template.Quickstart, "\n") {
			t.Errorf("%s does not end its quickstart with %q: %q", file, dependencies, template.Quickstart)
		}
	}
}

// TestExampleInstalls makes a project of the example of each language with "pulumi new", outside of the repository and
// for a CLI that has no plugin of this package, gives it its dependencies by the command that "pulumi new" says, and
// runs it. The packages of other projects come from the package registries.
func TestExampleInstalls(t *testing.T) {
	t.Parallel()
	for _, language := range append(slices.Clone(lab.Languages), "csharp") {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			if language == "csharp" {
				harness.NeedsDotnet(t)
			}
			l := harness.NewLab(t)
			dir, home := filepath.Join(l.Dir, "programs", "my-robot"), newHome(t)
			example := filepath.Join(harness.Repo(t), "examples", "robot-account-"+language)
			said := harness.Succeed(t, l.Dir, homeEnv(home), "pulumi", "new", example, "--generate-only", "--yes",
				"--non-interactive", "--name", "my-robot", "--dir", dir)
			if !strings.Contains(said, dependencies) {
				t.Fatalf("pulumi new does not say %q:\n%s", dependencies, said)
			}
			// PULUMI_PYTHON_CMD would have programs run with the packages of the tools.
			env := append(homeEnv(home), "PULUMI_PYTHON_CMD=")
			harness.Succeed(t, dir, env, "bash", "-c", strings.Replace(dependencies, "CLONE", harness.Repo(t), 1))
			installed, err := filepath.Glob(filepath.Join(home, "plugins", "resource-cicd-v*", pluginProgram))
			if err != nil || len(installed) != 1 {
				t.Errorf("the plugins %v are installed: %v", installed, err)
			}
			s := folderStack(t, l, dir, home, "PULUMI_PYTHON_CMD=")
			s.MustUp()
			harness.CheckSeed(t, harness.Account(t, l))
			s.MustDestroy()
		})
	}
}

// TestProgramTypes checks the types of the programs in TypeScript with their settings, which all have in common. Most
// tests run them without.
func TestProgramTypes(t *testing.T) {
	t.Parallel()
	dir, modules := t.TempDir(), os.Getenv("CICD_NODE_MODULES")
	harness.Check(t, os.Symlink(modules, filepath.Join(dir, "node_modules")))
	var files []string
	for _, folder := range []string{"examples", "tests/programs"} {
		programs, err := filepath.Glob(filepath.Join(harness.Repo(t), folder, "*-typescript"))
		harness.Check(t, err)
		for _, program := range programs {
			name := filepath.Join(folder, filepath.Base(program))
			copyFolder(t, name, filepath.Join(dir, name))
			files = append(files, filepath.Join(name, "index.ts"))
			if harness.Read(t, dir, name, "tsconfig.json") != harness.Read(t, dir, filepath.Dir(files[0]), "tsconfig.json") {
				t.Errorf("%s and %s have different settings", files[0], name)
			}
		}
	}
	harness.Check(t, os.WriteFile(filepath.Join(dir, "tsconfig.json"), []byte(harness.Pretty(t, map[string]any{
		"extends": "./" + filepath.Dir(files[0]) + "/tsconfig.json", "files": files,
		"compilerOptions": map[string]any{"noEmit": true, "skipLibCheck": true},
	})), 0o600))
	harness.Succeed(t, dir, nil, "node", filepath.Join(modules, "typescript", "bin", "tsc"), "--project", dir)
}

// TestInstallRefuses checks that "make install" does nothing for a folder that holds no program.
func TestInstallRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	said, err := harness.Execute(t, dir, nil, "make", "-C", harness.Repo(t), "install", "PROGRAM="+dir)
	if err == nil || !strings.Contains(said, `PROGRAM="`+dir+`" is not a folder with a Pulumi.yaml`) {
		t.Errorf("make install ends with %v: %s", err, said)
	}
}

// TestInstallWithoutPulumi checks that "make install" says what it leaves out where there is no pulumi on PATH.
func TestInstallWithoutPulumi(t *testing.T) {
	t.Parallel()
	var path []string
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, "pulumi")); err == nil {
			dir = withoutPulumi(t, dir)
		}
		path = append(path, dir)
	}
	said := harness.Succeed(t, t.TempDir(), []string{"PATH=" + strings.Join(path, string(filepath.ListSeparator))},
		"make", "-C", harness.Repo(t), "install", "PROGRAM=examples/robot-account-yaml")
	if !strings.Contains(said, "there is no pulumi on PATH") {
		t.Errorf("make install says %s", said)
	}
}

// withoutPulumi returns a folder with what a folder of programs holds, but for the CLI.
func withoutPulumi(t *testing.T, dir string) string {
	t.Helper()
	others := t.TempDir()
	files, err := os.ReadDir(dir)
	harness.Check(t, err)
	for _, file := range files {
		if file.Name() != "pulumi" {
			harness.Check(t, os.Symlink(filepath.Join(dir, file.Name()), filepath.Join(others, file.Name())))
		}
	}
	return others
}
