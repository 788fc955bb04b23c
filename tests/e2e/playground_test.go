//go:build unix

package e2e

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestPlayground checks that commands in a playground meet its account, that it ends as they do, and that nothing is left
// of it or of what they have started.
func TestPlayground(t *testing.T) {
	t.Parallel()
	const up = "pulumi up --yes --skip-preview"
	for name, c := range map[string]struct {
		flags, stdin, want string
		code               int
	}{
		"commands":                {flags: up + " && pulumi stack output userArn", want: "\narn:aws:iam::123456789012:user/cicd-bot\n"},
		"standard input":          {stdin: up + "\npulumi stack output groupName\n", want: "\nPulumiStackUpdaters\n"},
		"commands that fail":      {flags: "exit 3", code: 3},
		"a shell that is killed":  {flags: "kill -KILL $$", code: 1},
		"a process that is left":  {flags: "sleep 600 >/dev/null 2>&1 & echo started", want: "\nstarted\n"},
		"a process that detaches": {flags: "setsid sleep 600 >/dev/null 2>&1 & echo started", want: "\nstarted\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), demoProgram(t), "-playground", "-run", c.flags)
			cmd.Stdin = strings.NewReader(c.stdin)
			d := start(t, cmd)
			out := d.rest()
			err := d.cmd.Wait()
			if d.cmd.ProcessState.ExitCode() != c.code || !strings.Contains("\n"+out, c.want) {
				t.Errorf("it ends with %v, and says %s%s", err, out, &d.errors)
			}
			d.leavesNothing(t)
		})
	}
}

// TestMakePlayground checks that make hands commands on as they are, and nothing of its own to them.
func TestMakePlayground(t *testing.T) {
	t.Parallel()
	said := harness.Succeed(t, t.TempDir(), nil, "make", "-C", harness.Repo(t), "playground",
		`RUN=pulumi stack ls --json | grep '"name": "playground"'; echo "make: ${MAKEFLAGS-none} ${MAKELEVEL-none}"`)
	for _, want := range []string{`"name": "playground"`, "\nmake: none none\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q: %s", want, said)
		}
	}
}

// TestPlaygroundOfProgram checks that README's program runs in a playground, and that its folder is the same afterwards.
func TestPlaygroundOfProgram(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "my robot")
	harness.Check(t, os.CopyFS(dir, os.DirFS(filepath.Join(harness.Repo(t), "examples", "robot-account-yaml"))))
	robot, rest, _ := strings.Cut(harness.Read(t, dir, "Pulumi.yaml"), "\noutputs:\n")
	program := robot + "      assumableRoles: [\"cicd/*\"]\n"
	for _, block := range harness.CodeBlocks(harness.Read(t, harness.Repo(t), "README.md")) {
		if block.Language == "yaml" {
			program += block.Text
		}
	}
	program += "\noutputs:\n  keyId: ${key.accessKeyId}\n  trustPolicy: ${production.trustPolicy}\n" + rest
	write := func(file, text string) {
		harness.Check(t, os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600))
	}
	write("Pulumi.yaml", program)
	run := func(want ...string) {
		t.Helper()
		d := startDemo(t, "yaml", "-playground", "-program", dir, "-run",
			"pulumi config set colour red && pulumi up --yes --skip-preview && ls && pulumi stack output")
		out := d.rest()
		if err := d.cmd.Wait(); err != nil {
			t.Errorf("it ends with %v, and says %s%s", err, out, &d.errors)
		}
		for _, want := range want {
			if !strings.Contains(out, want) {
				t.Errorf("it does not say %q: %s", want, out)
			}
		}
		d.leavesNothing(t)
	}
	run("\nPulumi.playground.yaml\n", " AKIA", `"aws:PrincipalArn":"arn:aws:iam::123456789012:user/cicd-bot"`,
		"arn:aws:iam::123456789012:role/cicd/*")
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 1 {
		t.Errorf("the folder holds %v (%v)", files, err)
	}
	// It may have settings for a stack of this name, in a folder of its choice.
	const settings, own = "settings/Pulumi.playground.yaml", "config:\n  robot-account:size: large\n"
	write("Pulumi.yaml", "stackConfigDir: settings\n"+program)
	harness.Check(t, os.Mkdir(filepath.Join(dir, "settings"), 0o700))
	write(settings, own)
	run()
	if left := harness.Read(t, dir, settings); left != own {
		t.Errorf("the settings are\n%s", left)
	}
}

// TestPlaygroundWithoutSDK checks that a playground tells the owner of a program how to get the SDK that the program does
// not have yet.
func TestPlaygroundWithoutSDK(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"typescript", "python", "go"} {
		dir := filepath.Join(t.TempDir(), "my [robot]")
		harness.Check(t, os.CopyFS(dir, os.DirFS(filepath.Join(harness.Repo(t), "examples", "robot-account-"+language))))
		for _, installed := range []bool{false, true} {
			if installed {
				for _, folder := range []string{"node_modules/@pulumi-cicd/cicd", "venv"} {
					harness.Check(t, os.MkdirAll(filepath.Join(dir, folder), 0o700))
				}
				if language == "go" {
					harness.Succeed(t, dir, nil, "go", "mod", "edit", "-replace",
						"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd="+filepath.Join(harness.Repo(t), "sdk", "go", "cicd"))
				}
			}
			d := startDemo(t, language, "-playground", "-program", dir, "-run", "true")
			out := d.rest()
			if err := d.cmd.Wait(); err != nil || strings.Contains(out, ` install PROGRAM="$PWD"`) == installed {
				t.Errorf("%s: it ends with %v, and says %s%s", language, err, out, &d.errors)
			}
		}
	}
}

// TestPlaygroundShell checks that, on a terminal, a playground is a shell with the settings of its user, but for those that
// would lead it to another account, and that it ends with what it has started when its user leaves it.
func TestPlaygroundShell(t *testing.T) {
	t.Parallel()
	const terminal = "import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))"
	cmd := exec.CommandContext(t.Context(), os.Getenv("CICD_TOOLS_PYTHON"), "-c", terminal, demoProgram(t), "-playground")
	home := t.TempDir()
	harness.Check(t, os.WriteFile(filepath.Join(home, ".bashrc"),
		[]byte("export AWS_PROFILE=production AWS_ACCESS_KEY_ID=real SETTING=mine\n"), 0o600))
	cmd.Env = append(os.Environ(), "HOME="+home, "TERM=dumb")
	input, err := cmd.StdinPipe()
	harness.Check(t, err)
	d := start(t, cmd)
	d.await(t, "sets up another terminal")
	_, err = io.WriteString(input, `setsid sleep 600 >/dev/null 2>&1 &
pulumi up --yes --skip-preview --non-interactive
pulumi stack output userArn
echo "settings $SETTING $AWS_ACCESS_KEY_ID ${AWS_PROFILE-none}"
exit 3
`)
	harness.Check(t, err)
	out := strings.ReplaceAll(d.rest(), "\r", "")
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("it ends with %v: %s", err, &d.errors)
	}
	for _, want := range []string{"(playground) ", "\narn:aws:iam::123456789012:user/cicd-bot\n", "\nsettings mine test none\n"} {
		if !strings.Contains(out, want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}
	d.leavesNothing(t)
}

// TestPlaygroundInterrupted stops a playground in the middle of an update, by a Ctrl-C and by a signal to it alone.
func TestPlaygroundInterrupted(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		signal syscall.Signal
		target func(pid int) int
	}{
		"Ctrl-C":  {syscall.SIGINT, func(pid int) int { return -pid }},
		"SIGTERM": {syscall.SIGTERM, func(pid int) int { return pid }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, "yaml", "-playground", "-run", "pulumi up --yes --skip-preview; echo the next command")
			d.await(t, "aws:iam:User robot creating")
			moto := d.find(t, "moto.server")
			// Time stands still in the account, so that the update is not over before the signal comes.
			harness.Check(t, syscall.Kill(moto, syscall.SIGSTOP))
			harness.Check(t, syscall.Kill(c.target(d.cmd.Process.Pid), c.signal))
			harness.Check(t, syscall.Kill(moto, syscall.SIGCONT))
			out := d.rest()
			err := d.cmd.Wait()
			if want := 128 + int(c.signal); d.cmd.ProcessState.ExitCode() != want {
				t.Errorf("it ends with %v, and not with the code %d: %s", err, want, &d.errors)
			}
			if strings.Contains(out, "the next command") {
				t.Errorf("it goes on: %s", out)
			}
			d.leavesNothing(t)
		})
	}
}
