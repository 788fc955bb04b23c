package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// A program makes as many robots as it is told to.
type program struct {
	name, language string
	// folder is where it lies in the repository. Without one, it is written.
	folder string
	// compiled says that it is compiled before it is measured, and not in each preview and update.
	compiled bool

	lab *lab.Lab
	dir string
}

// seed is the name of the program that the others are held against.
const seed = "seed, TypeScript"

func programs() []*program {
	return []*program{
		{name: seed, language: "typescript", folder: "tests/programs/many-seed-typescript"},
		{name: "RobotAccount, TypeScript", language: "typescript", folder: "tests/programs/many-typescript"},
		{name: "RobotAccount, Python", language: "python", folder: "tests/programs/many-python"},
		{name: "RobotAccount, Go", language: "go", folder: "tests/programs/many-go"},
		{name: "RobotAccount, Go compiled before", language: "go", folder: "tests/programs/many-go", compiled: true},
		{name: "RobotAccount, YAML", language: "yaml"},
	}
}

// timing is what one program takes for a number of robots, in seconds.
type timing struct{ preview, up []float64 }

// measureStacks times every program with every number of robots, one program after the other in each round. The result
// is by program and number.
func (o *options) measureStacks(ctx context.Context, folder string) (map[string]map[int]*timing, error) {
	// A file backend writes the whole state at each step: of 500 robots, for minutes, whoever made them.
	for _, setting := range []string{"PULUMI_EXPERIMENTAL", "PULUMI_SKIP_CHECKPOINTS"} {
		if err := os.Setenv(setting, "true"); err != nil {
			return nil, err
		}
	}
	all := map[string]map[int]*timing{}
	defer func() {
		for _, p := range o.programs {
			if p.lab != nil {
				p.lab.Close()
			}
		}
	}()
	for _, p := range o.programs {
		fmt.Printf("stacks: preparing %s\n", p.name)
		if err := p.open(ctx, folder); err != nil {
			return nil, err
		}
		// The first run fills the caches of the language host and of the disk.
		if _, _, err := p.run(ctx, 1); err != nil {
			return nil, err
		}
		all[p.name] = map[int]*timing{}
	}
	for _, robots := range o.sizes {
		for round := range o.runs {
			for _, p := range o.programs {
				preview, up, err := p.run(ctx, robots)
				if err != nil {
					return nil, err
				}
				if round == 0 {
					all[p.name][robots] = &timing{}
				}
				t := all[p.name][robots]
				t.preview, t.up = append(t.preview, preview.Seconds()), append(t.up, up.Seconds())
				fmt.Printf("stacks: %d robots, run %d of %d, %s: preview %.2f s, up %.2f s\n",
					robots, round+1, o.runs, p.name, preview.Seconds(), up.Seconds())
			}
		}
	}
	return all, nil
}

// open gives the program an account of its own, and its packages.
func (p *program) open(ctx context.Context, folder string) (err error) {
	home := filepath.Join(folder, strings.NewReplacer(" ", "-", ",", "").Replace(p.name))
	if p.lab, err = lab.New(ctx, home); err != nil {
		return err
	}
	if p.folder == "" {
		return nil
	}
	if p.dir, err = p.lab.Program(ctx, p.language, p.folder); err != nil || !p.compiled {
		return err
	}
	return lab.Compile(ctx, p.dir)
}

// write writes the program, if it has to be another one for each number of robots: YAML has no loops.
func (p *program) write(robots int) (err error) {
	if p.folder != "" {
		return nil
	}
	resources := map[string]lab.Resource{}
	for i := range robots {
		resources[fmt.Sprintf("robot%d", i)] = lab.Resource{Type: robotAccount, Properties: map[string]any{
			"userName": fmt.Sprintf("cicd-bot-%d", i), "groupName": fmt.Sprintf("PulumiStackUpdaters-%d", i),
		}}
	}
	p.dir, err = p.lab.WriteProgram("many", resources)
	return err
}

// run times a preview and an update that make robots in an empty account.
func (p *program) run(ctx context.Context, robots int) (preview, up time.Duration, err error) {
	if err := p.write(robots); err != nil {
		return 0, 0, err
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
	users := 0
	for _, action := range p.lab.Writes() {
		if action == "CreateUser" {
			users++
		}
	}
	if users != robots {
		return 0, 0, fmt.Errorf("%s: %d users are made, and not %d", p.name, users, robots)
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
