package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// A program makes as many robots as its configuration says.
type program struct {
	name, runtime string
	// folder is where it lies in the repository. Without one, write writes it into dir for each number of robots.
	folder string
	write  func(dir string, robots int) error
	// compiled says that it is compiled before it is measured, and not in each preview and update.
	compiled bool
	// timings are by the number of robots.
	timings map[int]*timing

	lab *lab.Lab
	dir string
}

// timing is what a program takes for a number of robots, in seconds.
type timing struct{ preview, up []float64 }

// A language has two programs that do the same: one has the component, and the other the component's four resources,
// written by hand.
type language struct {
	name              string
	component, byHand *program
}

func languages() []*language {
	of := func(name, runtime string, compiled bool) *language {
		return &language{
			name,
			&program{name: name, runtime: runtime, folder: "tests/programs/many-" + runtime, compiled: compiled},
			&program{
				name: name + ", by hand", runtime: runtime, folder: "tests/programs/many-by-hand-" + runtime, compiled: compiled,
			},
		}
	}
	return []*language{
		of("TypeScript", "typescript", false),
		of("Python", "python", false),
		of("Go", "go", false),
		of("Go, compiled before", "go", true),
		{
			"YAML",
			&program{name: "YAML", write: writeComponents},
			&program{name: "YAML, by hand", write: writeByHand},
		},
	}
}

// programs are those of all languages that are measured.
func (o *options) programs() (all []*program) {
	for _, l := range o.languages {
		all = append(all, l.component, l.byHand)
	}
	return all
}

// measureStacks times every program with every number of robots, one program after the other in each round.
func (o *options) measureStacks(ctx context.Context, folder string) error {
	// A file backend writes the whole state at each step: of 500 robots, for minutes, whoever made them.
	for _, setting := range []string{"PULUMI_EXPERIMENTAL", "PULUMI_SKIP_CHECKPOINTS"} {
		if err := os.Setenv(setting, "true"); err != nil {
			return err
		}
	}
	defer func() {
		for _, p := range o.programs() {
			if p.lab != nil {
				p.lab.Close()
			}
		}
	}()
	for _, p := range o.programs() {
		fmt.Printf("stacks: preparing %s\n", p.name)
		if err := p.open(ctx, folder); err != nil {
			return err
		}
		// The first run fills the caches of the language host and of the disk.
		if _, _, err := p.run(ctx, 1); err != nil {
			return err
		}
		p.timings = map[int]*timing{}
	}
	for _, robots := range o.sizes {
		for round := range o.runs {
			for _, p := range o.programs() {
				preview, up, err := p.run(ctx, robots)
				if err != nil {
					return err
				}
				if round == 0 {
					p.timings[robots] = &timing{}
				}
				t := p.timings[robots]
				t.preview, t.up = append(t.preview, preview.Seconds()), append(t.up, up.Seconds())
				fmt.Printf("stacks: %d robots, run %d of %d, %s: preview %.2f s, up %.2f s\n",
					robots, round+1, o.runs, p.name, preview.Seconds(), up.Seconds())
			}
		}
	}
	return nil
}

// open gives the program an account of its own, and its packages.
func (p *program) open(ctx context.Context, folder string) (err error) {
	home := filepath.Join(folder, strings.NewReplacer(" ", "-", ",", "").Replace(p.name))
	if p.lab, err = lab.New(ctx, home); err != nil {
		return err
	}
	if p.folder == "" {
		p.dir = filepath.Join(p.lab.Dir, "programs", "many")
		return os.MkdirAll(p.dir, 0o700)
	}
	if p.dir, err = p.lab.Program(ctx, p.runtime, p.folder); err != nil || !p.compiled {
		return err
	}
	return lab.Compile(ctx, p.dir)
}

// writeComponents writes the program in YAML, which has no loops, with the component.
func writeComponents(dir string, robots int) error {
	resources := map[string]any{}
	for i := range robots {
		resources[fmt.Sprintf("robot%d", i)] = map[string]any{"type": robotAccount, "properties": map[string]any{
			"userName": fmt.Sprintf("cicd-bot-%d", i), "groupName": fmt.Sprintf("PulumiStackUpdaters-%d", i),
		}}
	}
	return writeProject(dir, map[string]any{"resources": resources})
}

// writeByHand writes the program in YAML with the component's resources.
func writeByHand(dir string, robots int) error {
	resources := map[string]any{}
	for i := range robots {
		name := fmt.Sprintf("robot%d", i)
		add := func(kind string, properties map[string]any) {
			resources[name+kind] = map[string]any{"type": "aws:iam:" + kind, "name": name, "properties": properties}
		}
		add("User", map[string]any{
			"name": fmt.Sprintf("cicd-bot-%d", i),
			"tags": map[string]any{"purpose": "Account used to perform Pulumi stack updates on CI/CD."},
		})
		add("Group", map[string]any{"name": fmt.Sprintf("PulumiStackUpdaters-%d", i)})
		add("GroupMembership", map[string]any{
			"group": "${" + name + "Group.name}", "users": []string{"${" + name + "User.name}"},
		})
		add("GroupPolicy", map[string]any{"group": "${" + name + "Group.name}", "policy": "${policy}"})
	}
	return writeProject(dir, map[string]any{"resources": resources, "variables": map[string]any{
		"identity": map[string]any{"fn::invoke": map[string]any{"function": "aws:getCallerIdentity"}},
		"policy": map[string]any{"fn::toJSON": map[string]any{
			"Version": "2012-10-17",
			"Statement": []any{map[string]any{
				"Action": []string{"sts:AssumeRole"}, "Effect": "Allow", "Resource": "arn:aws:iam::${identity.accountId}:role/*",
			}},
		}},
	}})
}

// writeProject writes a project in YAML.
func writeProject(dir string, project map[string]any) error {
	project["name"], project["runtime"] = "many", "yaml"
	// JSON is YAML.
	text, err := json.Marshal(project)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "Pulumi.yaml"), text, 0o600)
}

// run times a preview and an update that make robots in an empty account.
func (p *program) run(ctx context.Context, robots int) (preview, up time.Duration, err error) {
	if p.write != nil {
		if err := p.write(p.dir, robots); err != nil {
			return 0, 0, err
		}
	}
	if err := p.lab.Reset(ctx); err != nil {
		return 0, 0, err
	}
	for _, left := range []string{filepath.Join(p.lab.Dir, "state", ".pulumi"), filepath.Join(p.dir, "Pulumi.dev.yaml")} {
		if err := os.RemoveAll(left); err != nil {
			return 0, 0, err
		}
	}
	if _, err := p.pulumi(ctx, "stack", "init"); err != nil {
		return 0, 0, err
	}
	if _, err := p.pulumi(ctx, "config", "set", "robots", strconv.Itoa(robots)); err != nil {
		return 0, 0, err
	}
	if preview, err = p.pulumi(ctx, "preview"); err != nil {
		return 0, 0, err
	}
	p.lab.Calls()
	if up, err = p.pulumi(ctx, "up", "--yes", "--skip-preview"); err != nil {
		return 0, 0, err
	}
	made := map[string]int{}
	for _, action := range p.lab.Writes() {
		made[action]++
	}
	// All programs do the same, so that they can be compared.
	if want := map[string]int{
		"CreateUser": robots, "CreateGroup": robots, "AddUserToGroup": robots, "PutGroupPolicy": robots,
	}; !maps.Equal(made, want) {
		return 0, 0, fmt.Errorf("%s: the update makes %v, and not %v", p.name, made, want)
	}
	return preview, up, nil
}

// pulumi times a command of the CLI.
func (p *program) pulumi(ctx context.Context, args ...string) (time.Duration, error) {
	start := time.Now()
	out, err := p.lab.Command(ctx, p.dir, args...).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: pulumi %s: %w\n%s", p.name, args[0], err, out)
	}
	return time.Since(start), nil
}
