// Package harness has the helpers of the end-to-end tests: stacks that the real Pulumi CLI and language hosts run, with
// the AWS plugin that tools/toolchain.mk found or built, in an AWS account that moto emulates. Most take a *testing.T
// and fail the test themselves.
package harness

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/engine"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// Main runs the tests of a package: its TestMain calls nothing else.
func Main(m *testing.M) {
	if os.Getenv("CICD_AWS_PLUGIN_KIND") == "" {
		fmt.Fprintln(os.Stderr, "the tests need the tools of tools/toolchain.mk: run \"make test\"")
		os.Exit(1)
	}
	// Some may be set with "go env -w" only. Without them, a test that runs make would build another plugin, and install
	// it while others run.
	flags, err := exec.CommandContext(context.Background(), "go", "env", "GOFLAGS").Output()
	if err != nil {
		panic(err)
	}
	for name, value := range map[string]string{
		// Programs in Go are linked at each preview and update: without what only a debugger reads, in two thirds of the
		// time.
		"GOFLAGS": strings.TrimSpace(string(flags)) + " -ldflags=-w",
		// The CLI and its plugins end before they hold much memory. With less garbage collection they take a fifth less
		// CPU. Tests that measure memory set it back.
		"GOGC": "400",
	} {
		if err := os.Setenv(name, value); err != nil {
			panic(err)
		}
	}
	fmt.Printf("AWS plugin: %s %s\n", os.Getenv("CICD_AWS_PLUGIN_KIND"), os.Getenv("CICD_AWS_PLUGIN_VERSION"))
	end := lab.KeepServers()
	code := m.Run()
	end()
	os.Exit(code)
}

// NewLab starts a lab for a stack, and closes it when the test ends.
func NewLab(t *testing.T, options ...lab.Option) *lab.Lab {
	t.Helper()
	return NewAccount(t, lab.Account, options...)
}

// LagVariable is the environment variable that has every lab tell changes of users and access keys only after some
// time, such as 1s, as AWS does.
const LagVariable = "CICD_LAB_LAG"

// AWS7Variable is the environment variable that has all stacks made with version 7 of the AWS provider, if it is 1,
// but for those of programs that have version 6 among their packages.
const AWS7Variable = "CICD_LAB_AWS7"

// UseAWS7 gives a lab the AWS plugin of version 7 too, which programs without an AWS package get then.
func UseAWS7(l *lab.Lab) { l.PulumiHome = os.Getenv("CICD_AWS7_HOME") }

// AWSVersions are the versions of the AWS plugin.
func AWSVersions() (six, seven string) {
	return os.Getenv("CICD_AWS_PLUGIN_VERSION"), os.Getenv("CICD_AWS7_PLUGIN_VERSION")
}

// Limit is how long a test may run its programs. One that hangs fails alone, and not with its whole package.
const Limit = 10 * time.Minute

// NewAccount starts a lab with another account number, beside the one that a test has.
func NewAccount(t *testing.T, number string, options ...lab.Option) *lab.Lab {
	t.Helper()
	l, err := lab.NewAccount(t.Context(), t.TempDir(), number, options...)
	Check(t, err)
	t.Cleanup(l.Close)
	limit := time.AfterFunc(Limit, func() {
		t.Errorf("the test does not end within %v: what it runs is killed", Limit)
		for _, pid := range lab.ProcessesWith("PULUMI_BACKEND_URL=" + l.Env()["PULUMI_BACKEND_URL"]) {
			if process, err := os.FindProcess(pid); err == nil {
				_ = process.Kill()
			}
		}
	})
	t.Cleanup(func() { limit.Stop() })
	if os.Getenv(AWS7Variable) == "1" {
		UseAWS7(l)
	}
	if lag := os.Getenv(LagVariable); lag != "" {
		d, err := time.ParseDuration(lag)
		Check(t, err)
		l.LagKeys(d)
		l.LagNewUsers(d)
		l.NewKeysTake(d)
		l.IAMWait = 2 * d
	}
	return l
}

// StartPlugin starts the plugin, and what it talks to instead of Pulumi's engine, until the test ends.
func StartPlugin(t *testing.T) (*engine.Engine, *engine.Plugin) {
	t.Helper()
	e, err := engine.Start()
	Check(t, err)
	t.Cleanup(e.Close)
	p, err := e.StartPlugin(t.Context(), filepath.Join(Repo(t), "bin", "pulumi-resource-cicd"))
	Check(t, err)
	t.Cleanup(p.Close)
	return e, p
}

// OnlyLinuxTells skips the test on other systems, which tell such things about processes only through a library.
func OnlyLinuxTells(t *testing.T, what string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells, without a library, " + what)
	}
}

// NeedsDotnet skips a test where there is no dotnet.
func NeedsDotnet(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("dotnet"); err != nil {
		t.Skip("nothing in C# is built or run: there is no dotnet on PATH")
	}
}

// Repo returns the repository's folder.
func Repo(t *testing.T) string {
	t.Helper()
	dir, err := lab.Repo()
	Check(t, err)
	return dir
}
