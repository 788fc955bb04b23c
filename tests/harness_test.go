// Package tests runs RobotAccount end to end: the real Pulumi CLI and language hosts, the AWS plugin that
// tools/toolchain.mk found or built, and an AWS account emulated by moto. Run it with "make test".
package tests

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/engine"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

func TestMain(m *testing.M) {
	if os.Getenv("CICD_AWS_PLUGIN_KIND") == "" {
		fmt.Fprintln(os.Stderr, "the tests need the tools of tools/toolchain.mk: run \"make test\"")
		os.Exit(1)
	}
	// Programs in Go are linked at each preview and update: without what only a debugger reads, in two thirds of the time.
	if err := os.Setenv("GOFLAGS", os.Getenv("GOFLAGS")+" -ldflags=-w"); err != nil {
		panic(err)
	}
	fmt.Printf("AWS plugin: %s %s\n", os.Getenv("CICD_AWS_PLUGIN_KIND"), os.Getenv("CICD_AWS_PLUGIN_VERSION"))
	end := lab.KeepServers()
	code := m.Run()
	end()
	os.Exit(code)
}

// slots limits how many stacks run at once: each update keeps an engine, a language host and two plugins busy.
var slots = make(chan struct{}, 4)

func newLab(t *testing.T) *lab.Lab {
	t.Helper()
	slots <- struct{}{}
	t.Cleanup(func() { <-slots })
	return newAccount(t, lab.Account)
}

// newAccount starts a lab besides the one that a test has.
func newAccount(t *testing.T, number string) *lab.Lab {
	t.Helper()
	l, err := lab.NewAccount(t.Context(), t.TempDir(), number)
	check(t, err)
	t.Cleanup(l.Close)
	return l
}

// startPlugin starts the plugin, and what it talks to instead of Pulumi's engine, until the test ends.
func startPlugin(t *testing.T) (*engine.Engine, *engine.Plugin) {
	t.Helper()
	e, err := engine.Start()
	check(t, err)
	t.Cleanup(e.Close)
	p, err := e.StartPlugin(t.Context(), filepath.Join(repo(t), "bin", "pulumi-resource-cicd"))
	check(t, err)
	t.Cleanup(p.Close)
	return e, p
}

// onlyLinuxTells skips a test elsewhere, where it would take a library to know something of processes.
func onlyLinuxTells(t *testing.T, what string) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells, without a library, " + what)
	}
}

// stack is a Pulumi stack in a lab.
type stack struct {
	auto.Stack
	t   *testing.T
	lab *lab.Lab
}

// cli is the CLI for all stacks.
var cli = sync.OnceValues(func() (auto.PulumiCommand, error) {
	command, err := auto.NewPulumiCommand(nil)
	return frugal{command, &sync.Map{}}, err
})

// frugal is the CLI without what the Automation API asks it after each update and no test wants to know. Each answer
// would cost half a second.
type frugal struct {
	auto.PulumiCommand
	// outputs are the outputs of stacks without secrets, by working folder.
	outputs *sync.Map
}

// Run runs a command of the CLI.
func (f frugal) Run(
	ctx context.Context, workdir string, stdin io.Reader, out, errs []io.Writer, env []string, args ...string,
) (stdout, stderr string, code int, err error) {
	command := strings.Join(args, " ")
	if strings.HasPrefix(command, "stack history ") {
		return "[]", "", 0, nil
	}
	// The outputs are asked for without secrets, and right after that with them.
	outputs, shown := strings.HasPrefix(command, "stack output "), strings.Contains(command, " --show-secrets")
	if plain, ok := f.outputs.LoadAndDelete(workdir); ok && outputs && shown {
		return plain.(string), "", 0, nil
	}
	stdout, stderr, code, err = f.PulumiCommand.Run(ctx, workdir, stdin, out, errs, env, args...)
	if outputs && !shown && err == nil && !strings.Contains(stdout, "[secret]") {
		f.outputs.Store(workdir, stdout)
	}
	return stdout, stderr, code, err
}

// programStack makes a stack of a program in the repository.
func programStack(t *testing.T, l *lab.Lab, language, folder string) *stack {
	t.Helper()
	dir, err := l.Program(t.Context(), language, folder)
	check(t, err)
	command, err := cli()
	check(t, err)
	s, err := auto.UpsertStackLocalSource(t.Context(), "dev", dir, auto.EnvVars(l.Env()), auto.Pulumi(command))
	check(t, err)
	return &stack{s, t, l}
}

// eachLanguage runs a test for each language that the examples are in, side by side. C# is skipped where there is no
// dotnet.
func eachLanguage(t *testing.T, test func(t *testing.T, language string)) {
	t.Helper()
	for _, language := range append(slices.Clone(lab.Languages), "csharp") {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			if language == "csharp" {
				needsDotnet(t)
			}
			test(t, language)
		})
	}
}

// inlineStack makes a stack of a function.
func inlineStack(t *testing.T, l *lab.Lab, program pulumi.RunFunc) *stack {
	t.Helper()
	command, err := cli()
	check(t, err)
	s, err := auto.UpsertStackInlineSource(t.Context(), "dev", "robot-account", program,
		auto.Pulumi(command), auto.EnvVars(l.Env()), auto.WorkDir(t.TempDir()), auto.Project(workspace.Project{
			Name: tokens.PackageName("robot-account"), Runtime: workspace.NewProjectRuntimeInfo("go", nil),
		}))
	check(t, err)
	return &stack{s, t, l}
}

// A step is what the engine does, or would do, to one resource.
type step struct {
	op, typ, name string
	// diff are the properties that change.
	diff []string
}

func (s step) String() string {
	text := s.op + " " + s.typ + " " + s.name
	if len(s.diff) > 0 {
		text += " [" + strings.Join(s.diff, " ") + "]"
	}
	return text
}

// steps collects the steps on custom resources that are not "same", until the channel is closed.
func collect(stream <-chan events.EngineEvent) <-chan []step {
	result := make(chan []step, 1)
	go func() {
		var all []step
		for e := range stream {
			if e.ResourcePreEvent == nil {
				continue
			}
			m := e.ResourcePreEvent.Metadata
			if m.Op == apitype.OpSame || m.Op == apitype.OpRead || !strings.HasPrefix(m.Type, "aws:") {
				continue
			}
			urn := strings.Split(m.URN, "::")
			s := step{op: string(m.Op), typ: m.Type[strings.LastIndex(m.Type, ":")+1:], name: urn[len(urn)-1]}
			// A replacement is told in several steps: one of them is enough, and its order is the engine's affair.
			if m.Op != apitype.OpCreateReplacement && m.Op != apitype.OpDeleteReplaced {
				s.diff = changed(m.DetailedDiff)
				all = append(all, s)
			}
		}
		slices.SortFunc(all, func(a, b step) int { return cmp.Compare(a.String(), b.String()) })
		result <- all
	}()
	return result
}

// changed returns the properties in a diff. Where AWS plugins differ is left out: how deep their paths go, and
// whether they name tagsAll, which follows from tags.
func changed(diff map[string]apitype.PropertyDiff) (properties []string) {
	for path := range diff {
		property := path
		if i := strings.IndexAny(path, ".["); i > 0 {
			property = path[:i]
		}
		if property != "tagsAll" && !slices.Contains(properties, property) {
			properties = append(properties, property)
		}
	}
	slices.Sort(properties)
	return properties
}

func (s *stack) up(opts ...optup.Option) (auto.UpResult, []step) {
	s.t.Helper()
	res, steps, err := s.tryUp(opts...)
	if err != nil {
		s.t.Fatal(err)
	}
	return res, steps
}

func (s *stack) tryUp(opts ...optup.Option) (auto.UpResult, []step, error) {
	stream := make(chan events.EngineEvent)
	steps := collect(stream)
	res, err := s.Up(s.t.Context(), append(opts, optup.EventStreams(stream))...)
	return res, <-steps, err
}

func (s *stack) preview(opts ...optpreview.Option) []step {
	s.t.Helper()
	stream := make(chan events.EngineEvent)
	steps := collect(stream)
	_, err := s.Preview(s.t.Context(), append(opts, optpreview.EventStreams(stream))...)
	check(s.t, err)
	return <-steps
}

// unchanged says that neither a preview nor a refresh finds anything to do.
func (s *stack) unchanged() {
	s.t.Helper()
	if _, err := s.Preview(s.t.Context(), optpreview.ExpectNoChanges()); err != nil {
		s.t.Errorf("a second preview: %v", err)
	}
	if _, err := s.Refresh(s.t.Context(), optrefresh.ExpectNoChanges()); err != nil {
		s.t.Errorf("a refresh: %v", err)
	}
}

// destroy destroys the stack, and says that the account is empty then.
func (s *stack) destroy() {
	s.t.Helper()
	_, err := s.Destroy(s.t.Context(), optdestroy.Remove())
	check(s.t, err)
	if a := account(s.t, s.lab); len(a.Users)+len(a.Groups) != 0 {
		s.t.Errorf("after destroy the account holds %s", pretty(s.t, a))
	}
}

// resources returns the resources in the stack's state by URN.
func (s *stack) resources() map[string]apitype.ResourceV3 {
	s.t.Helper()
	exported, err := s.Export(s.t.Context())
	check(s.t, err)
	var d apitype.DeploymentV3
	check(s.t, json.Unmarshal(exported.Deployment, &d))
	all := map[string]apitype.ResourceV3{}
	for _, r := range d.Resources {
		all[string(r.URN)] = r
	}
	return all
}

func account(t *testing.T, l *lab.Lab) *lab.Contents {
	t.Helper()
	a, err := l.Contents(context.WithoutCancel(t.Context()))
	check(t, err)
	return a
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func pretty(t *testing.T, v any) string {
	t.Helper()
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	check(t, enc.Encode(v))
	return text.String()
}

// same says that two values have the same JSON.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if g, w := pretty(t, got), pretty(t, want); g != w {
		t.Errorf("%s: got\n%snot\n%s", what, g, w)
	}
}

// samePolicy says that two policy documents mean the same to IAM.
func samePolicy(t *testing.T, got, want string) {
	t.Helper()
	g, err := lab.Canonical(got)
	check(t, err)
	w, err := lab.Canonical(want)
	check(t, err)
	if g != w {
		t.Errorf("the policy is\n%s\nand not\n%s", g, w)
	}
}
