//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// grace is how long the CLI has to end itself, and its plugins, once it is told to.
const grace = 10 * time.Second

// cli runs the Pulumi CLI on one program.
type cli struct {
	dir string
	env []string
}

// newCLI takes a folder for temporary files: a compiler that is stopped leaves some.
func newCLI(env map[string]string, dir, temp string) cli {
	c := cli{dir, append(os.Environ(), "PULUMI_STACK=dev", "TMPDIR="+temp)}
	if colors() {
		c.env = append(c.env, "PULUMI_OPTION_COLOR=always")
	}
	for name, value := range env {
		c.env = append(c.env, name+"="+value)
	}
	return c
}

// with returns the CLI with more environment variables, each as NAME=value.
func (c cli) with(variables ...string) cli {
	c.env = slices.Concat(c.env, variables)
	return c
}

// colors reports whether the output goes to a terminal that shows colors. The CLI cannot tell.
func colors() bool {
	out, err := os.Stdout.Stat()
	_, off := os.LookupEnv("NO_COLOR")
	return err == nil && out.Mode()&os.ModeCharDevice != 0 && !off && os.Getenv("TERM") != "dumb"
}

// run runs a command of the CLI, and shows it.
func (c cli) run(ctx context.Context, args ...string) error {
	fmt.Printf("\n$ pulumi %s\n", strings.Join(args, " "))
	return c.command(ctx, os.Stdout, args)
}

// quiet runs a command of the CLI, and shows nothing unless it fails.
func (c cli) quiet(ctx context.Context, args ...string) error {
	var out bytes.Buffer
	err := c.command(ctx, &out, args)
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, &out)
	}
	return err
}

// command runs a command of the CLI in a session of its own, so that a Ctrl-C, which goes to every process of the
// terminal, reaches it exactly once: a second one would have it leave without stopping its plugins. Its output goes
// through a pipe, since on a terminal the CLI asks for the color of the background, and waits for the answer.
func (c cli) command(ctx context.Context, out io.Writer, args []string) error {
	pipe := &struct{ io.Writer }{out}
	cmd := exec.CommandContext(ctx, "pulumi", args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = c.dir, c.env, pipe, pipe
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = grace
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the Pulumi CLI: %w", err)
	}
	err := cmd.Wait()
	endProcesses(func() []int { return lab.ProcessesOf(cmd.Process.Pid) })
	if err != nil {
		return fmt.Errorf("pulumi %s: %w", args[0], err)
	}
	return nil
}

// endProcesses ends those processes that are left of a CLI that had no time to clean up, or of a shell.
func endProcesses(left func() []int) {
	for end := time.Now().Add(grace); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		pids := left()
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
