package lab

import (
	"context"
	"os"
	"os/exec"
)

// Command is a command of the Pulumi CLI for the stack dev of the program in a folder.
func (l *Lab) Command(ctx context.Context, dir string, args ...string) *exec.Cmd {
	return CommandIn(ctx, l.Env(), dir, args...)
}

// CommandIn is what [Lab.Command] is, in another environment, such as that of [Lab.JobEnv].
func CommandIn(ctx context.Context, env map[string]string, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "pulumi", append(args, "--stack", "dev", "--non-interactive")...)
	cmd.Dir, cmd.Env = dir, os.Environ()
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	return cmd
}
