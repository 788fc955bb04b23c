//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

const (
	// playgroundStack is the stack that a program has in the playground. Stacks of its owner have other names.
	playgroundStack = "playground"
	// playgroundMark is the environment variable of all processes of a playground: its folder.
	playgroundMark = "CICD_PLAYGROUND"
)

// outside are the environment variables that no process of a playground has. The AWS CLI takes an empty AWS_PROFILE for
// the name of a profile, and what make asks of the makes that it starts is not for those of a playground.
var outside = []string{"AWS_PROFILE", "AWS_SESSION_TOKEN", "MAKEFLAGS", "MFLAGS", "MAKELEVEL"}

// A playground is where "pulumi up" of any program meets an account that moto emulates.
type playground struct {
	lab *lab.Lab
	// repo is the clone.
	repo string
	// dir is the folder of the program that it begins with, and env the environment of its processes.
	dir string
	env map[string]string
	cli cli
}

// play opens a playground for the program in a folder, or for a copy of the example. It runs the commands there, those
// on the standard input, or a shell, and ends with them everything that they have started.
func play(ctx context.Context, example, language, program, commands string) (err error) {
	l, end, err := open(ctx, "playground", lab.ManagedPolicies)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, end()) }()
	dir, isOwn := program, program != ""
	if !isOwn {
		dir, err = l.Program(ctx, language, "examples/"+example+"-"+language)
	} else if dir, err = filepath.Abs(dir); err == nil {
		var restore func()
		if restore, err = restoreSettings(dir); err == nil {
			defer restore()
		}
	}
	if err != nil {
		return err
	}
	env := l.Env()
	env["PULUMI_STACK"], env[playgroundMark] = playgroundStack, l.Dir
	for _, name := range outside {
		delete(env, name)
		if err := os.Unsetenv(name); err != nil {
			return err
		}
	}
	repo, err := lab.Repo()
	if err != nil {
		return err
	}
	p := playground{l, repo, dir, env, newCLI(env, dir, l.Dir)}
	if err := p.cli.quiet(ctx, "stack", "init", playgroundStack, "--no-select"); err != nil {
		return err
	}
	defer endProcesses(func() []int { return lab.ProcessesWith(playgroundMark + "=" + l.Dir) })
	if isOwn && lacksSDK(dir) {
		fmt.Printf("The program does not have this package's SDK yet. Before \"pulumi up\", run:\n  %s\n", p.install())
	}
	in, err := os.Stdin.Stat()
	switch {
	case err != nil:
		return err
	case commands != "":
		return p.run(ctx, nil, "-c", commands)
	case in.Mode()&os.ModeCharDevice == 0:
		return p.run(ctx, os.Stdin)
	}
	if err := p.welcome(isOwn); err != nil {
		return err
	}
	return p.shell(ctx)
}

// restoreSettings returns what puts the settings of the stack in the folder of a program back: often there are none.
func restoreSettings(dir string) (func(), error) {
	path := filepath.Join(dir, "Pulumi.yaml")
	project, err := workspace.LoadProject(path)
	if err != nil {
		return nil, fmt.Errorf("read the program's project file: %w", err)
	}
	file := workspace.ProjectStackPath(path, project, playgroundStack)
	held, err := os.ReadFile(file)
	return func() {
		switch {
		case err == nil:
			_ = os.WriteFile(file, held, 0o600)
		case errors.Is(err, fs.ErrNotExist):
			_ = os.Remove(file)
		}
	}, nil
}

// lacksSDK reports that the program in a folder, in another language than YAML, has not got this package's SDK.
func lacksSDK(dir string) bool {
	has := func(pattern string) bool {
		found, _ := fs.Glob(os.DirFS(dir), pattern)
		return len(found) > 0
	}
	module, _ := os.ReadFile(filepath.Join(dir, "go.mod"))
	return has("package.json") && !has("node_modules/@pulumi-cicd/cicd") ||
		has("requirements.txt") && !has("*venv") ||
		len(module) > 0 && !strings.Contains(string(module), "/sdk/go/cicd =>")
}

// An exited error is the end of commands with an exit code.
type exited int

func (e exited) Error() string {
	return fmt.Sprintf("the commands ended with the exit code %d", int(e))
}

// run has bash run commands.
func (p playground) run(ctx context.Context, in *os.File, args ...string) error {
	cmd := exec.CommandContext(ctx, "bash", args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, p.cli.env, os.Stdout, os.Stderr
	if in != nil {
		cmd.Stdin = in
	}
	err := cmd.Run()
	if failed := (*exec.ExitError)(nil); errors.As(err, &failed) {
		return exited(max(failed.ExitCode(), 1))
	}
	return err
}

// shell runs an interactive shell. However that ends is no error.
func (p playground) shell(ctx context.Context) error {
	setup := filepath.Join(p.lab.Dir, "bashrc")
	text := "[ ! -f ~/.bashrc ] || . ~/.bashrc\n. " + quote(p.envFile()) + "\nPS1='(playground) \\W\\$ '\n"
	if err := os.WriteFile(setup, []byte(text), 0o600); err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "bash", "--rcfile", setup, "-i")
	cmd.Dir, cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = p.dir, p.cli.env, os.Stdin, os.Stdout, os.Stderr
	// It is what a closed terminal sends. An interactive shell ignores others.
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGHUP) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return err
	}
	_ = cmd.Wait()
	return nil
}

// install is the command that gets the program in the current folder this package's SDK.
func (p playground) install() string { return "make -C " + quote(p.repo) + ` install PROGRAM="$PWD"` }

// envFile is the file that sets up a shell for the playground.
func (p playground) envFile() string { return filepath.Join(p.lab.Dir, "env") }

// welcome writes the file that sets up a shell, and says what there is to do.
func (p playground) welcome(isOwn bool) error {
	var text strings.Builder
	fmt.Fprintf(&text, ". %s\nunset %s\n", quote(filepath.Join(p.repo, ".tools", "env")), strings.Join(outside, " "))
	for _, name := range slices.Sorted(maps.Keys(p.env)) {
		fmt.Fprintf(&text, "export %s=%s\n", name, quote(p.env[name]))
	}
	if err := os.WriteFile(p.envFile(), []byte(text.String()), 0o600); err != nil {
		return err
	}
	fmt.Printf("\nThis shell meets an AWS account that moto emulates, at %s, and no other. The AWS plugin is\n"+
		"the %s %s. The account, Pulumi's state and what runs here end with the shell: exit, or Ctrl-D.\n\n",
		p.lab.Endpoint(), os.Getenv("CICD_AWS_PLUGIN_KIND"), os.Getenv("CICD_AWS_PLUGIN_VERSION"))
	row, end := newTable(os.Stdout)
	if isOwn {
		row("  pulumi up", "runs the program in this folder")
	} else {
		row("  pulumi up", "runs an example: this folder is a copy, which ends with the shell too")
	}
	row("  "+p.install(), "gets the program in a folder the SDK of this clone")
	row("  make -C "+p.repo+" playground PROGRAM=FOLDER", "begins in the folder of your own program, in another shell")
	row("  ls "+p.repo+"/examples", "shows the examples: copy one to a folder of yours")
	row("  . "+p.envFile(), "sets up another terminal for this account")
	return end()
}

// quote returns a text as a word of a shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
