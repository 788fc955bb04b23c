//go:build unix

package e2e

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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
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
  inline policy      assume-roles
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
		wantReport,
		"\n$ pulumi destroy --yes --skip-preview\n",
		demoIsEmpty,
	} {
		_, after, ok := strings.Cut(out, want)
		if !ok {
			t.Fatalf("the demo does not say\n%s\nin\n%s", want, out)
		}
		out = after
	}
	d.leavesNothing(t)
}

// demoIsEmpty is how the demo ends.
const demoIsEmpty = "\nThe account is empty again: its APIs list no user, group, role, provider, secret or parameter.\n"

// TestDemoExamples runs the demo of the other examples to its end.
func TestDemoExamples(t *testing.T) {
	t.Parallel()
	for example, want := range map[string][]string{
		"access-key": {
			`\n  access keys +AKIA[A-Z0-9]+ \(active\)\n`, `\nsecret +cicd/cicd-bot\n`,
			`\nparameter +/cicd/cicd-bot/AWS_SECRET_ACCESS_KEY\n  type +SecureString\n`,
			`waits 2s .* In AWS it waits 10 s\n`,
			`\nThe program says "generation: 2" now`,
			`\ncalls of AWS STS +[1-9]\d+\n  that failed +0\n  with the keys +AKIA[A-Z0-9]+, AKIA[A-Z0-9]+\n` +
				`keys before +AKIA[A-Z0-9]+ \(active\)\nkeys after +AKIA[A-Z0-9]+ \(active\), AKIA[A-Z0-9]+ \(active\)\n` +
				`keys at most +2\n`,
			`The program says "revoked: true" now`,
			`\nthe key, before +works\n  after +InvalidClientTokenId\na session token of it, before +works\n  after +AccessDenied\n` +
				`a session of the role, before +works\n  after +works\n`,
		},
		"deployment-role": {
			`\nrole +production\n  ARN +arn:aws:iam::123456789012:role/cicd/production\n`,
			`\n  allows +sts:AssumeRole\n    to +arn:aws:iam::123456789012:root\n` +
				`    condition +aws:PrincipalArn ArnEquals arn:aws:iam::123456789012:user/cicd-bot\n`,
			`\nrole +staging\n`,
		},
		"keyless": {
			`\nprovider +token.actions.githubusercontent.com\n`,
			`\n  allows +sts:AssumeRoleWithWebIdentity\n    to +arn:aws:iam::123456789012:oidc-provider/gitlab.com\n`,
			`\nsub +repo:acme@4021/shop@170033:environment:production\n(?s:.*?)\n\$ pulumi up (?s:.*?)    \+ 2 created\n`,
			`\nsub +repo:acme-evil@6660/shop@660066:environment:production\n(?s:.*?)\n\$ pulumi up (?s:.*?)` +
				`AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity`,
			`\nthe job of acme/shop +signed in, and deployed /shop/release\n` +
				`the job of acme-evil/shop +AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity\n` +
				`  because +the role does not trust the subject repo:acme-evil@6660/shop@660066:environment:production\n` +
				`the value of /shop/release +1.2\n`,
		},
	} {
		t.Run(example, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, "yaml", "-example", example)
			out := d.rest()
			if err := d.cmd.Wait(); err != nil {
				t.Errorf("the demo fails: %v\n%s", err, &d.errors)
			}
			for _, want := range append(want, regexp.QuoteMeta(demoIsEmpty)) {
				if !regexp.MustCompile(want).MatchString(out) {
					t.Errorf("the demo does not say %q in\n%s", want, out)
				}
			}
			d.leavesNothing(t)
		})
	}
}

// TestDemoRefusesLanguage says that the demo does nothing for a language that it does not know.
func TestDemoRefusesLanguage(t *testing.T) {
	t.Parallel()
	for name, command := range map[string]*exec.Cmd{
		"demo": exec.CommandContext(t.Context(), demoProgram(t), "-language", "cobol"),
		"make": exec.CommandContext(t.Context(), "make", "-C", harness.Repo(t), "demo", "LANGUAGE=cobol"),
	} {
		var stdout, stderr bytes.Buffer
		command.Stdout, command.Stderr = &stdout, &stderr
		var failed *exec.ExitError
		if err := command.Run(); !errors.As(err, &failed) {
			t.Errorf("%s: ends with %v", name, err)
		}
		for _, want := range append([]string{`demo: it cannot run a program in "cobol": `}, lab.Languages...) {
			if !strings.Contains(stderr.String(), want) {
				t.Errorf("%s: the error does not say %q, but %q", name, want, &stderr)
			}
		}
		if strings.Contains(stdout.String(), "building") || strings.Contains(stdout.String(), "Starting") {
			t.Errorf("%s: it goes to work: %s", name, &stdout)
		}
	}
}

// TestDemoRefusesExample says that an example that there is not is told before anything is built.
func TestDemoRefusesExample(t *testing.T) {
	t.Parallel()
	out, err := exec.CommandContext(t.Context(), "make", "-C", harness.Repo(t), "demo", "EXAMPLE=robot").CombinedOutput()
	if err == nil || !strings.Contains(string(out), `there is no example "robot"`) || strings.Contains(string(out), "building") {
		t.Errorf("make demo ends with %v: %s", err, out)
	}
}

// TestDemoInterrupted stops the demo in the middle of an update: with Ctrl-C, which every process of the terminal gets,
// with a signal to the demo alone, and with Ctrl-C while a call of an AWS API has no answer, so that Pulumi cannot end
// itself. It does so too in a rotation, while a client calls AWS. Nothing is left in any case.
func TestDemoInterrupted(t *testing.T) {
	t.Parallel()
	group, process := func(pid int) int { return -pid }, func(pid int) int { return pid }
	// A moment is what the demo has said by then, and what it would say next.
	type moment struct {
		example string
		said    []string
		next    string
	}
	update := moment{"robot-account", []string{"Updating (dev):", "aws:iam:User robot creating"}, "What the account holds"}
	rotation := moment{
		"access-key", []string{"The program says", "Updating (dev):", "aws:iam:AccessKey robot-0 creating"}, "as that client saw it",
	}
	for _, c := range []struct {
		name   string
		signal syscall.Signal
		target func(pid int) int
		hangs  bool
		moment moment
	}{
		{"Ctrl-C", syscall.SIGINT, group, false, update},
		{"Ctrl-C in a call that hangs", syscall.SIGINT, group, true, update},
		{"Ctrl-C in a rotation", syscall.SIGINT, group, false, rotation},
		{"Ctrl-C in a rotation that hangs", syscall.SIGINT, group, true, rotation},
		{"SIGINT", syscall.SIGINT, process, false, update},
		{"SIGTERM", syscall.SIGTERM, process, false, update},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := startDemo(t, "yaml", "-example", c.moment.example)
			for _, said := range c.moment.said {
				d.await(t, said)
			}
			moto := d.find(t, "moto.server")
			// Time stands still in the account, so that the update is not over before the signal comes.
			harness.Check(t, syscall.Kill(moto, syscall.SIGSTOP))
			for _, program := range []string{"pulumi up --yes", "pulumi-resource-aws", "pulumi-resource-cicd"} {
				d.find(t, program)
			}
			harness.Check(t, syscall.Kill(c.target(d.cmd.Process.Pid), c.signal))
			if !c.hangs {
				harness.Check(t, syscall.Kill(moto, syscall.SIGCONT))
			}
			out := d.rest()
			err := d.cmd.Wait()
			if want := 128 + int(c.signal); d.cmd.ProcessState.ExitCode() != want {
				t.Errorf("the demo ends with %v, and not with the code %d", err, want)
			}
			if want := "demo: stopped: " + c.signal.String(); !strings.Contains(d.errors.String(), want) {
				t.Errorf("the demo does not say %q but\n%s", want, &d.errors)
			}
			if strings.Contains(out, c.moment.next) {
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
func startDemo(t *testing.T, language string, flags ...string) *demoRun {
	t.Helper()
	return start(t, exec.CommandContext(t.Context(), demoProgram(t), append(flags, "-language", language)...))
}

// demoLimit is how long a demo may take. One that hangs fails its own test, and not the whole package.
const demoLimit = 5 * time.Minute

// start starts a command that runs the demo.
func start(t *testing.T, cmd *exec.Cmd) *demoRun {
	t.Helper()
	d := &demoRun{cmd: cmd, mark: "CICD_DEMO_TEST=" + rand.Text()}
	// A test that fails on the way leaves no more behind than one that does not.
	d.cmd.Cancel = func() error { return d.cmd.Process.Signal(syscall.SIGTERM) }
	d.cmd.Dir, d.cmd.Env = harness.Repo(t), append(d.cmd.Environ(), d.mark)
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	d.cmd.Stderr = &d.errors
	out, err := d.cmd.StdoutPipe()
	harness.Check(t, err)
	d.out = bufio.NewReader(out)
	harness.Check(t, d.cmd.Start())
	limit := time.AfterFunc(demoLimit, func() { _ = d.cmd.Process.Kill() })
	t.Cleanup(func() { limit.Stop() })
	d.dir = filepath.Join(harness.Repo(t), regexp.MustCompile(`\.tools/\w+-\d+`).FindString(d.await(t, "Starting an AWS account")))
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

// find returns the process of the demo that has a text in its command line.
func (d *demoRun) find(t *testing.T, text string) int {
	t.Helper()
	all := d.processes(t)
	for pid, command := range all {
		if strings.Contains(command, text) {
			return pid
		}
	}
	t.Fatalf("among the processes is no %q: %v", text, all)
	return 0
}

// processes returns the command lines of the demo and of all that it has started.
func (d *demoRun) processes(t *testing.T) map[int]string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells the environment of processes")
	}
	commands := map[int]string{}
	for _, pid := range lab.ProcessesWith(d.mark) {
		command, _ := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/cmdline")
		commands[pid] = strings.ReplaceAll(string(command), "\x00", " ")
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
		t.Errorf("these processes are left: %v", left)
	}
}

// demoProgram builds the demo, unless it is there and up to date, and returns its file.
func demoProgram(t *testing.T) string {
	t.Helper()
	program, err := builtDemo()
	harness.Check(t, err)
	return program
}

var builtDemo = sync.OnceValues(func() (string, error) {
	repo, err := lab.Repo()
	if err != nil {
		return "", err
	}
	program := filepath.Join(repo, ".tools", "test-demo")
	cmd := exec.Command("go", "build", "-o", program, "./demo")
	cmd.Dir = filepath.Join(repo, "tests")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the demo: %w\n%s", err, out)
	}
	return program, nil
})
