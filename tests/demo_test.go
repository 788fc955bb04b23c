//go:build unix

package tests

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// wantReport is the demo's table, but for the random name of the policy.
const wantReport = `
user                 cicd-bot
  ARN                arn:aws:iam::123456789012:user/cicd-bot
  tag                purpose: Account used to perform Pulumi stack updates on CI/CD.
  own policies       none
  access keys        none
  member of          PulumiStackUpdaters
group                PulumiStackUpdaters
  ARN                arn:aws:iam::123456789012:group/PulumiStackUpdaters
  managed policies   none
  inline policy      robot-*
    allows           sts:AssumeRole
    on               arn:aws:iam::123456789012:role/*
    condition        none
`

// TestDemo runs the demo to its end: it shows what it runs, says what the account holds, and leaves nothing behind.
func TestDemo(t *testing.T) {
	t.Parallel()
	d := startDemo(t, "yaml")
	out := d.rest()
	if err := d.cmd.Wait(); err != nil {
		t.Errorf("the demo fails: %v\n%s", err, &d.errors)
	}
	for _, want := range []string{
		"\n$ pulumi up --yes\n",
		regexp.MustCompile(`robot-\*`).ReplaceAllLiteralString(wantReport, policyName(t, out)),
		"\n$ pulumi destroy --yes --skip-preview\n",
		"\nThe account is empty again: the IAM API lists no user and no group.\n",
	} {
		before, after, ok := strings.Cut(out, want)
		if !ok {
			t.Fatalf("the demo does not say, or not in this place,\n%s\nbut\n%s", want, out)
		}
		out = before[len(before):] + after
	}
	d.leavesNothing(t)
}

// policyName returns the random name of the policy, in which the table may differ from run to run.
func policyName(t *testing.T, out string) string {
	t.Helper()
	match := regexp.MustCompile(`inline policy +(robot-[0-9a-f]{7})\n`).FindStringSubmatch(out)
	if match == nil {
		t.Fatalf("the demo names no policy\n%s", out)
	}
	return match[1]
}

// TestDemoRefusesLanguage says that the demo does nothing for a language that it does not know.
func TestDemoRefusesLanguage(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]*exec.Cmd{
		"demo": exec.Command(demoProgram(t), "-language", "cobol"),
		"make": exec.Command("make", "-C", repo(t), "demo", "LANGUAGE=cobol"),
	} {
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		var failed *exec.ExitError
		if err := command.Run(); !errors.As(err, &failed) {
			t.Errorf("%s: ends with %v", name, err)
		}
		const want = `demo: there is no example in "cobol": `
		if !strings.Contains(stderr.String(), want) || !strings.Contains(stderr.String(), strings.Join(lab.Languages, ", ")) {
			t.Errorf("%s: the error is %s", name, &stderr)
		}
		if strings.Contains(stdout.String(), "building") || strings.Contains(stdout.String(), "Starting") {
			t.Errorf("%s: it goes to work: %s", name, &stdout)
		}
	}
}

// TestDemoInterrupted stops the demo in the middle of an update, as Ctrl-C does, which every process of the terminal
// gets, and as somebody does who tells the demo alone. Nothing is left of either.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		target func(pid int) int
	}{
		{"Ctrl-C", syscall.SIGINT, func(pid int) int { return -pid }},
		{"SIGINT", syscall.SIGINT, func(pid int) int { return pid }},
		{"SIGTERM", syscall.SIGTERM, func(pid int) int { return pid }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, "yaml")
			d.await(t, "Updating (dev):")
			running := strings.Join(d.processes(t), "\n")
			for _, want := range []string{"moto.server", "pulumi up --yes", "pulumi-resource-aws", "pulumi-resource-cicd"} {
				if !strings.Contains(running, want) {
					t.Fatalf("during the update there is no %s in\n%s", want, running)
				}
			}
			check(t, syscall.Kill(c.target(d.cmd.Process.Pid), c.signal))
			out := d.rest()
			err := d.cmd.Wait()
			if want := 128 + int(c.signal); d.cmd.ProcessState.ExitCode() != want {
				t.Errorf("the demo ends with %v, and not with the code %d", err, want)
			}
			if want := "demo: stopped: " + c.signal.String(); !strings.Contains(d.errors.String(), want) {
				t.Errorf("the demo does not say %q but\n%s", want, &d.errors)
			}
			if strings.Contains(out, "What the account holds") {
				t.Errorf("the demo goes on\n%s", out)
			}
			d.leavesNothing(t)
		})
	}
}

// demoRun is a running demo.
type demoRun struct {
	cmd    *exec.Cmd
	out    *bufio.Reader
	errors bytes.Buffer
	// mark is in the environment of the demo, and so of everything that it starts.
	mark string
	// dir is the temporary folder.
	dir string
}

// startDemo starts the demo in a process group of its own, like a shell does.
func startDemo(t *testing.T, language string) *demoRun {
	t.Helper()
	slots <- struct{}{}
	t.Cleanup(func() { <-slots })
	d := &demoRun{mark: "CICD_DEMO_TEST=" + rand.Text(), cmd: exec.CommandContext(t.Context(), demoProgram(t), "-language", language)}
	d.cmd.Dir, d.cmd.Env = repo(t), append(os.Environ(), d.mark)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Stderr = &d.errors
	out, err := d.cmd.StdoutPipe()
	check(t, err)
	d.out = bufio.NewReader(out)
	check(t, d.cmd.Start())
	d.dir = filepath.Join(repo(t), regexp.MustCompile(`\.tools/demo-\d+`).FindString(d.await(t, "Starting an AWS account")))
	if _, err := os.Stat(d.dir); err != nil {
		t.Errorf("the demo does not say where its temporary folder is: %v", err)
	}
	return d
}

// await reads the output up to a line that contains a text, and returns it.
func (d *demoRun) await(t *testing.T, text string) string {
	t.Helper()
	for {
		line, err := d.out.ReadString('\n')
		if strings.Contains(line, text) {
			return line
		}
		if err != nil {
			t.Fatalf("the demo never says %q: %v\n%s", text, err, &d.errors)
		}
	}
}

// rest returns the output from here to the end.
func (d *demoRun) rest() string {
	var text strings.Builder
	_, _ = d.out.WriteTo(&text)
	return text.String()
}

// processes returns the command lines of the processes that the demo has started, and of the demo.
func (d *demoRun) processes(t *testing.T) (commands []string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the environment of processes")
	}
	environments, err := filepath.Glob("/proc/[0-9]*/environ")
	check(t, err)
	for _, path := range environments {
		env, err := os.ReadFile(path)
		if err != nil || !slices.Contains(strings.Split(string(env), "\x00"), d.mark) {
			continue
		}
		command, _ := os.ReadFile(filepath.Join(filepath.Dir(path), "cmdline"))
		commands = append(commands, fmt.Sprintf("%s %s", filepath.Base(filepath.Dir(path)),
			strings.ReplaceAll(string(command), "\x00", " ")))
	}
	return commands
}

// leavesNothing says that nothing is left of a demo that has ended.
func (d *demoRun) leavesNothing(t *testing.T) {
	t.Helper()
	if _, err := os.Stat(d.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder %s is left (%v)", d.dir, err)
	}
	if left := d.processes(t); len(left) > 0 {
		t.Errorf("these processes are left:\n%s", strings.Join(left, "\n"))
	}
}

// demoProgram builds the demo.
func demoProgram(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "demo")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, "./demo").CombinedOutput()
	if err != nil {
		t.Fatalf("build the demo: %v\n%s", err, out)
	}
	return program
}

func repo(t *testing.T) string {
	t.Helper()
	dir, err := lab.Repo()
	check(t, err)
	return dir
}
