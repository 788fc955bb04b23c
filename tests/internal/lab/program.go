package lab

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// Languages are the languages that programs can run in here.
var Languages = []string{"typescript", "python", "go", "yaml"}

// Repo returns the repository's folder: the nearest one above the working folder that holds PulumiPlugin.yaml.
func Repo() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "PulumiPlugin.yaml")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the working folder is not in the repository")
		}
		dir = parent
	}
	return "", err
}

// Program copies a program of the repository into the lab, with the packages that it depends on: those that
// "make tools" fetched and built. It returns the copy's folder.
func (l *Lab) Program(ctx context.Context, language, folder string) (string, error) {
	repo, err := Repo()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(l.Dir, "programs", filepath.Base(folder))
	if err := os.CopyFS(dir, os.DirFS(filepath.Join(repo, folder))); err != nil {
		return "", fmt.Errorf("copy the program %s: %w", folder, err)
	}
	switch language {
	case "typescript":
		err = os.Symlink(os.Getenv("CICD_NODE_MODULES"), filepath.Join(dir, "node_modules"))
	case "python":
		err = os.Symlink(filepath.Join(repo, ".tools", "venv"), filepath.Join(dir, "venv"))
	case "go", "csharp":
		err = installSDK(ctx, repo, dir)
	}
	if err != nil {
		return "", fmt.Errorf("give the program %s its packages: %w", folder, err)
	}
	return dir, nil
}

// UseAWS7 gives a copy of a program the AWS package of version 7, and returns what the program needs in its
// environment.
func UseAWS7(ctx context.Context, language, dir string) (map[string]string, error) {
	switch language {
	case "typescript":
		return nil, linkAWS7(os.Getenv("CICD_NODE_MODULES"), filepath.Join(dir, "node_modules"))
	case "python":
		repo, err := Repo()
		return map[string]string{"PYTHONPATH": filepath.Join(repo, ".tools", "python-aws7")}, err
	case "go":
		const smallest = "github.com/pulumi/pulumi-aws/sdk/v7/go/aws/config"
		return nil, inModule(ctx, dir, "get", smallest+"@v"+os.Getenv("CICD_AWS7_PLUGIN_VERSION"))
	}
	return nil, nil
}

// linkAWS7 makes a folder node_modules of the packages in another one, with the AWS package of version 7, which
// tools/toolchain.mk puts beside it.
func linkAWS7(from, to string) error {
	if err := os.Remove(to); err != nil {
		return err
	}
	// Packages of a scope are in a folder of its own.
	packages, err := filepath.Glob(filepath.Join(from, "[^.@]*"))
	if err != nil {
		return err
	}
	scoped, err := filepath.Glob(filepath.Join(from, "@*", "*"))
	if err != nil {
		return err
	}
	for _, path := range append(packages, scoped...) {
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if name == filepath.Join("@pulumi", "aws") {
			path = filepath.Join(from, "..", "aws7", "node_modules", name)
		}
		link := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o700); err != nil {
			return err
		}
		if err := os.Symlink(path, link); err != nil {
			return err
		}
	}
	return nil
}

// Compile compiles a copy of a program in Go, which the language host would do once more in each preview and update.
func Compile(ctx context.Context, dir string) error {
	const binary = "program"
	cmd := exec.CommandContext(ctx, "go", "build", "-o", binary, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("compile the program in %s: %w\n%s", dir, err, out)
	}
	file := filepath.Join(dir, "Pulumi.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	text = bytes.Replace(text, []byte("runtime: go\n"),
		[]byte("runtime:\n  name: go\n  options:\n    binary: "+binary+"\n"), 1)
	return os.WriteFile(file, text, 0o600)
}

// A Resource is a resource of a program in YAML.
type Resource struct {
	Type string `json:"type"`
	// Name is the resource's name, if it is another one than its key.
	Name       string         `json:"name,omitempty"`
	Properties map[string]any `json:"properties,omitempty"`
	Options    map[string]any `json:"options,omitempty"`
}

// WriteProgram writes a program in YAML, of resources by name, to a folder of the lab, and returns the folder.
func (l *Lab) WriteProgram(name string, resources map[string]Resource) (string, error) {
	// JSON is YAML.
	text, err := json.Marshal(map[string]any{"name": name, "runtime": "yaml", "resources": resources})
	if err != nil {
		return "", err
	}
	dir := filepath.Join(l.Dir, "programs", name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return dir, os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), text, 0o600)
}

// installSDK gives a program the SDK as it is in the repository, as "make install" does.
func installSDK(ctx context.Context, repo, dir string) error {
	out, err := exec.CommandContext(ctx, filepath.Join(repo, "tools", "install-sdk"), dir).CombinedOutput()
	if err != nil {
		return fmt.Errorf("install the SDK: %w\n%s", err, out)
	}
	return nil
}

// inModule runs the go command in a program's module.
func inModule(ctx context.Context, dir string, args ...string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go %v: %w\n%s", args, err, out)
	}
	return nil
}
