package harness

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// Stack is a Pulumi stack in a lab. Its own methods fail the test that it was made for.
type Stack struct {
	auto.Stack
	T   *testing.T
	Lab *lab.Lab
}

// LocalStack makes a stack of the program in a folder, which has none yet.
func LocalStack(t *testing.T, l *lab.Lab, dir string) *Stack {
	t.Helper()
	env := l.Env()
	// To check the types of a program takes three seconds of CPU in each of its runs. TestProgramTypes checks them.
	env["PULUMI_NODEJS_TRANSPILE_ONLY"] = "true"
	return NewStack(t, l, dir, env)
}

// NewStack makes a stack of the program in a folder, which has none yet, with an environment for the CLI.
func NewStack(t *testing.T, l *lab.Lab, dir string, env map[string]string) *Stack {
	t.Helper()
	command, err := cli()
	Check(t, err)
	s, err := auto.NewStackLocalSource(t.Context(), "dev", dir, auto.EnvVars(env), auto.Pulumi(frugal{command, l}),
		auto.SecretsProvider(lab.SecretsProvider))
	Check(t, err)
	return &Stack{s, t, l}
}

// ProgramStack makes a stack of a program in the repository.
func ProgramStack(t *testing.T, l *lab.Lab, language, folder string) *Stack {
	t.Helper()
	dir, err := l.Program(t.Context(), language, folder)
	Check(t, err)
	return LocalStack(t, l, dir)
}

// InlineStack makes a stack of a function.
func InlineStack(t *testing.T, l *lab.Lab, program pulumi.RunFunc) *Stack {
	t.Helper()
	command, err := cli()
	Check(t, err)
	// The engine finds no packages in a function.
	version, seven := AWSVersions()
	if l.PulumiHome != "" {
		version = seven
	}
	settings := workspace.ProjectStack{Config: config.Map{
		config.MustMakeKey("cicd", "awsVersion"): config.NewValue(version),
	}}
	s, err := auto.NewStackInlineSource(t.Context(), "dev", "robot-account", program,
		auto.Stacks(map[string]workspace.ProjectStack{"dev": settings}),
		auto.Pulumi(frugal{command, l}), auto.EnvVars(l.Env()), auto.WorkDir(t.TempDir()),
		auto.SecretsProvider(lab.SecretsProvider), auto.Project(workspace.Project{
			Name: tokens.PackageName("robot-account"), Runtime: workspace.NewProjectRuntimeInfo("go", nil),
		}))
	Check(t, err)
	return &Stack{s, t, l}
}

// A Step is what the engine does, or would do, to one resource.
type Step struct {
	op, typ, name string
	// diff are the properties that change.
	diff []string
}

// String returns the operation, the resource's type and name, and the properties that change.
func (s Step) String() string {
	text := s.op + " " + s.typ + " " + s.name
	if len(s.diff) > 0 {
		text += " [" + strings.Join(s.diff, " ") + "]"
	}
	return text
}

// collect collects the steps on custom resources that are not "same", until the channel is closed.
func collect(stream <-chan events.EngineEvent) <-chan []Step {
	result := make(chan []Step, 1)
	go func() {
		var all []Step
		for e := range stream {
			if e.ResourcePreEvent == nil {
				continue
			}
			m := e.ResourcePreEvent.Metadata
			if m.Op == apitype.OpSame || m.Op == apitype.OpRead || !strings.HasPrefix(m.Type, "aws:") {
				continue
			}
			urn := strings.Split(m.URN, "::")
			s := Step{op: string(m.Op), typ: m.Type[strings.LastIndex(m.Type, ":")+1:], name: urn[len(urn)-1]}
			// A replacement is told in several steps: one of them is enough, and its order is the engine's affair.
			if m.Op != apitype.OpCreateReplacement && m.Op != apitype.OpDeleteReplaced {
				s.diff = changed(m.DetailedDiff)
				all = append(all, s)
			}
		}
		slices.SortFunc(all, func(a, b Step) int { return cmp.Compare(a.String(), b.String()) })
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

// MustUp runs an update, which is to succeed, and returns the outputs and the steps.
func (s *Stack) MustUp(opts ...optup.Option) (auto.UpResult, []Step) {
	s.T.Helper()
	res, steps, err := s.TryUp(opts...)
	if err != nil {
		s.T.Fatal(err)
	}
	return res, steps
}

// TryUp runs an update, which may fail.
func (s *Stack) TryUp(opts ...optup.Option) (auto.UpResult, []Step, error) {
	stream := make(chan events.EngineEvent)
	steps := collect(stream)
	res, err := s.Up(s.T.Context(), append(opts, optup.EventStreams(stream))...)
	return res, <-steps, err
}

// MustPreview runs a preview, which is to succeed, and returns the steps.
func (s *Stack) MustPreview(opts ...optpreview.Option) []Step {
	s.T.Helper()
	stream := make(chan events.EngineEvent)
	steps := collect(stream)
	_, err := s.Preview(s.T.Context(), append(opts, optpreview.EventStreams(stream))...)
	Check(s.T, err)
	return <-steps
}

// Unchanged checks that neither a preview nor a refresh finds anything to do.
func (s *Stack) Unchanged() {
	s.T.Helper()
	if _, err := s.Preview(s.T.Context(), optpreview.ExpectNoChanges()); err != nil {
		s.T.Errorf("a second preview: %v", err)
	}
	if _, err := s.Refresh(s.T.Context(), optrefresh.ExpectNoChanges()); err != nil {
		s.T.Errorf("a refresh: %v", err)
	}
}

// MustDestroy destroys the stack, and checks that neither its state nor the account holds anything then.
func (s *Stack) MustDestroy() {
	s.T.Helper()
	_, err := s.Destroy(s.T.Context())
	Check(s.T, err)
	if state := State(s.T, s.Lab, s.Workspace().WorkDir()); len(state.Resources) != 0 {
		s.T.Errorf("after destroy the state holds %s", Pretty(s.T, state))
	}
	if a := Account(s.T, s.Lab); len(a.Users)+len(a.Groups) != 0 {
		s.T.Errorf("after destroy the account holds %s", Pretty(s.T, a))
	}
}

// Resources returns the resources in the stack's state by URN.
func (s *Stack) Resources() map[string]apitype.ResourceV3 {
	s.T.Helper()
	exported, err := s.Export(s.T.Context())
	Check(s.T, err)
	var d apitype.DeploymentV3
	Check(s.T, json.Unmarshal(exported.Deployment, &d))
	all := map[string]apitype.ResourceV3{}
	for _, r := range d.Resources {
		all[string(r.URN)] = r
	}
	return all
}
