package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/engine"
)

// The plugins that are measured: the package's, one that is built plainly on infer, and one whose component is empty.
const (
	ours  = "this plugin"
	plain = "plain infer"
	empty = "SDK alone"
)

var plugins = []string{ours, plain, empty}

// resourcesOf is how many resources each construct registers: the component, and what is in it.
var resourcesOf = map[string]int{ours: 5, plain: 5, empty: 1}

// robotAccount is the type that the plugins construct.
const robotAccount = "cicd:index:RobotAccount"

// parallel is how many constructs are under way at once, as with 16 resources at a time.
const parallel = 16

// figures are what one plugin takes.
type figures struct {
	binary, archive float64 // Bytes.
	// port and schema are how long it takes from its start until it says its port, and its schema, in milliseconds.
	port, schema []float64
	// started is the memory that it holds after its start, and grown what each construct adds, in bytes.
	started, grown []float64
	// rate is how many constructs there are in a second.
	rate []float64
}

// measurePlugins measures the plugins, one after the other in each round.
func (o *options) measurePlugins(ctx context.Context, folder string) (map[string]*figures, error) {
	files, err := o.buildPlugins(ctx)
	if err != nil {
		return nil, err
	}
	notices := filepath.Join(folder, "THIRD_PARTY_NOTICES")
	if err := o.writeNotices(ctx, notices); err != nil {
		return nil, err
	}
	all := map[string]*figures{}
	for _, name := range plugins {
		f := &figures{}
		all[name] = f
		if f.binary, f.archive, err = o.size(ctx, folder, files[name], notices); err != nil {
			return nil, err
		}
	}
	for round := range o.runs {
		fmt.Printf("plugins: starts, run %d of %d\n", round+1, o.runs)
		for range startsInARound {
			for _, name := range plugins {
				if err := all[name].start(ctx, files[name], name != empty); err != nil {
					return nil, fmt.Errorf("start %s: %w", name, err)
				}
			}
		}
	}
	// A core for the plugin, and the others for the engine: otherwise how fast that is would be measured too.
	restore, err := leaveCore(0)
	if err != nil {
		return nil, err
	}
	defer restore()
	for round := range o.runs {
		for _, name := range plugins {
			if err := all[name].construct(ctx, files[name], o.constructs, resourcesOf[name]); err != nil {
				return nil, fmt.Errorf("construct with %s: %w", name, err)
			}
			fmt.Printf("plugins: %d constructs, run %d of %d, %s: %.0f a second\n",
				o.constructs, round+1, o.runs, name, all[name].rate[round])
		}
	}
	return all, nil
}

// startsInARound is how often a plugin is started in each round: a start takes too little time for one to be a measure.
const startsInARound = 4

// buildPlugins builds the plugins with the flags of the releases, and returns their files. Those that are there and up
// to date are not linked again.
func (o *options) buildPlugins(ctx context.Context) (map[string]string, error) {
	files := map[string]string{ours: filepath.Join(o.repo, "bin", "pulumi-resource-cicd")}
	for name, pkg := range map[string]string{plain: "./bench/plain", empty: "./bench/empty"} {
		fmt.Printf("plugins: building %s\n", name)
		files[name] = filepath.Join(o.repo, ".tools", "bin", "bench-"+filepath.Base(pkg))
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags", "grpcnotrace", "-ldflags", "-s -w",
			"-o", files[name], pkg)
		cmd.Dir = filepath.Join(o.repo, "tests")
		if out, err := cmd.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("build %s: %w\n%s", pkg, err, out)
		}
	}
	return files, nil
}

// writeNotices writes the licenses that a release has beside the plugin.
func (o *options) writeNotices(ctx context.Context, file string) error {
	cmd := exec.CommandContext(ctx, filepath.Join(o.repo, "tools", "notices"), "texts")
	cmd.Stderr = os.Stderr
	texts, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("write the notices: %w", err)
	}
	return os.WriteFile(file, texts, 0o600)
}

// size returns the size of a plugin, and of its archive as in a release, in bytes. All have the same notices.
func (o *options) size(ctx context.Context, folder, file, notices string) (binary, archive float64, err error) {
	folder, err = os.MkdirTemp(folder, "archive-")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	content, packed := filepath.Join(folder, "content"), filepath.Join(folder, "packed.tar.gz")
	if err := os.Mkdir(content, 0o700); err != nil {
		return 0, 0, err
	}
	for name, from := range map[string]string{
		"pulumi-resource-cicd": file, "LICENSE": filepath.Join(o.repo, "LICENSE"), "THIRD_PARTY_NOTICES": notices,
	} {
		if err := os.Link(from, filepath.Join(content, name)); err != nil {
			return 0, 0, err
		}
	}
	packer := filepath.Join(o.repo, "tools", "archive.py")
	cmd := exec.CommandContext(ctx, os.Getenv("CICD_TOOLS_PYTHON"), packer, packed, content)
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, 0, fmt.Errorf("pack %s: %w\n%s", file, err, out)
	}
	for name, size := range map[string]*float64{file: &binary, packed: &archive} {
		info, err := os.Stat(name)
		if err != nil {
			return 0, 0, err
		}
		*size = float64(info.Size())
	}
	return binary, archive, nil
}

// start starts a plugin and ends it again.
func (f *figures) start(ctx context.Context, file string, hasSchema bool) error {
	e, err := engine.Start()
	if err != nil {
		return err
	}
	defer e.Close()
	began := time.Now()
	p, err := e.StartPlugin(ctx, file)
	if err != nil {
		return err
	}
	defer p.Close()
	f.port = append(f.port, milliseconds(time.Since(began)))
	if hasSchema {
		if _, err := p.GetSchema(ctx, &pulumirpc.GetSchemaRequest{}); err != nil {
			return err
		}
		f.schema = append(f.schema, milliseconds(time.Since(began)))
	}
	return nil
}

// construct has a plugin construct robots, each of so many resources.
func (f *figures) construct(ctx context.Context, file string, count, resources int) error {
	e, err := engine.Start()
	if err != nil {
		return err
	}
	defer e.Close()
	var p *engine.Plugin
	if err := onCore(0, func() (err error) {
		p, err = e.StartPlugin(ctx, file)
		return err
	}); err != nil {
		return err
	}
	defer p.Close()
	if err := p.Configure(ctx, e); err != nil {
		return err
	}
	started, err := p.Memory()
	if err != nil {
		return err
	}
	// The first ones are for what a plugin makes once.
	const first = 100
	requests := make([]*pulumirpc.ConstructRequest, 0, first+count)
	for i := range first + count {
		name := "robot" + strconv.Itoa(i)
		req, err := e.Request(robotAccount, name, map[string]any{"userName": name, "groupName": name})
		if err != nil {
			return err
		}
		requests = append(requests, req)
	}
	if err := p.ConstructAll(ctx, parallel, requests[:first]); err != nil {
		return err
	}
	before, err := p.Memory()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := p.ConstructAll(ctx, parallel, requests[first:]); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := p.Memory()
	if err != nil {
		return err
	}
	if made, want := e.Resources.Load(), int64(resources*len(requests)); made != want {
		return fmt.Errorf("%d resources are registered, and not %d", made, want)
	}
	f.started = append(f.started, float64(started))
	f.grown = append(f.grown, float64(after-before)/float64(count))
	f.rate = append(f.rate, float64(count)/took.Seconds())
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
