package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// goSDK is the module of the Go SDK.
const goSDK = "github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"

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
// tools/setup and make fetched and built. It returns the copy's folder.
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
	case "go":
		err = l.useGoSDK(ctx, dir, filepath.Join(repo, "sdk", "go", "cicd"))
	}
	if err != nil {
		return "", fmt.Errorf("give the program %s its packages: %w", folder, err)
	}
	return dir, nil
}

// useGoSDK has a program's module take the Go SDK from a folder, as long as it is not published.
func (l *Lab) useGoSDK(ctx context.Context, dir, sdk string) error {
	sums, err := os.ReadFile(filepath.Join(sdk, "go.sum"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{{"mod", "edit", "-replace", goSDK + "=" + sdk}, {"mod", "tidy"}} {
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("go %v: %w\n%s", args, err, out)
		}
	}
	return nil
}
