package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// report is what was measured.
type report struct {
	*options
	plugins map[string]*figures
	stacks  map[string]map[int]*timing
	took    time.Duration
}

// A target is a limit that the package is held to.
type target struct {
	what, limit, measured string
	met                   bool
	// reason says why it is not met, if it is not.
	reason string
}

// text is the report, in Markdown.
func (r *report) text(ctx context.Context) (string, error) {
	machine, err := r.machine(ctx)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	text.WriteString("# Performance\n\n" +
		"Written by `make bench`, and not by hand. All figures are of one run on one machine, and each is the median of " +
		strconv.Itoa(r.runs) + " or more, taken in turns. What counts is how they compare.\n\n")
	text.WriteString("## Targets\n\n| target | limit | measured | |\n|---|---|---|---|\n")
	var reasons []string
	for _, t := range r.targets() {
		verdict := "met"
		if !t.met {
			verdict = "**not met**"
			reasons = append(reasons, "- "+t.what+": "+t.reason)
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s |\n", t.what, t.limit, t.measured, verdict)
	}
	if len(reasons) > 0 {
		text.WriteString("\nWhy some are not met:\n\n" + strings.Join(reasons, "\n") + "\n")
	}
	r.writeStacks(&text)
	r.writePlugins(&text)
	text.WriteString("\n## Machine and versions\n\n" + machine)
	return text.String(), nil
}

// ratio is how a program's previews or updates of a number of robots compare with the seed's.
func (r *report) ratio(name string, size int, of func(*timing) []float64) float64 {
	return median(of(r.stacks[name][size])) / median(of(r.stacks[seed][size]))
}

func previews(t *timing) []float64 { return t.preview }
func updates(t *timing) []float64  { return t.up }

// targets are what the package is held to, as far as it was measured.
func (r *report) targets() (all []target) {
	for _, limit := range []struct {
		robots int
		most   float64
	}{{100, 0.5}, {1, 1}} {
		for _, p := range r.programs[1:] {
			if r.stacks[p.name][limit.robots] == nil {
				continue
			}
			ratio, language := r.ratio(p.name, limit.robots, previews), strings.TrimPrefix(p.name, "RobotAccount, ")
			all = append(all, target{
				what:  fmt.Sprintf("preview of %s, %s, to the seed's", robots(limit.robots), language),
				limit: fmt.Sprintf("%.2f", limit.most), measured: fmt.Sprintf("%.2f", ratio), met: ratio <= limit.most,
				reason: r.previewReason(p, limit.robots),
			})
		}
	}
	mine, other, floor := r.plugins[ours], r.plugins[plain], r.plugins[empty]
	grown, rate := median(mine.grown), median(mine.rate)/median(other.rate)
	start, least := median(mine.port)/median(other.port), median(floor.port)/median(other.port)
	return append(all,
		target{
			what: "memory that each construct adds", limit: "10 kB", measured: kB(grown), met: grown <= 10e3,
			reason: "it leaks.",
		},
		target{
			what: "rate of constructs, to plain infer's", limit: "1.40", measured: fmt.Sprintf("%.2f", rate), met: rate >= 1.4,
			reason: fmt.Sprintf("a component without anything in it, neither resources nor outputs, takes the Pulumi SDK "+
				"%.0f%% of the time already: it makes a connection to the resource monitor for each construct. One that took "+
				"a connection from its caller would save most of that.", 100*median(mine.rate)/median(floor.rate)),
		},
		target{
			what: "cold start, to plain infer's", limit: "0.50", measured: fmt.Sprintf("%.2f", start), met: start <= 0.5,
			reason: fmt.Sprintf("a plugin that links the Pulumi SDK and does nothing takes %.2f. %.0f%% of what its packages "+
				"do before it begins are schemas of project files, which the SDK compiles in every program. The rest is "+
				"pulumi-go-provider, which this plugin is built on, too.",
				least, 100*median(floor.schemas)),
		},
		target{
			what: "archive", limit: "8.0 MB", measured: mB(mine.archive), met: mine.archive <= 8e6,
			reason: fmt.Sprintf("that of a plugin that links the Pulumi SDK and does nothing has %s. The SDK brings a Git "+
				"client, terminal interfaces, exporters of traces and more, and uses reflection in a way that keeps all "+
				"their methods.", mB(floor.archive)),
		},
	)
}

// robots is a number of robots in words.
func robots(n int) string {
	if n == 1 {
		return "1 robot"
	}
	return fmt.Sprintf("%d robots", n)
}

// previewReason says why a preview takes longer than it should.
func (r *report) previewReason(p *program, size int) string {
	yaml := "RobotAccount, YAML"
	if r.stacks[yaml] == nil || p.name == yaml {
		return "see the figures below."
	}
	reason := fmt.Sprintf("the engine and the plugins do the same for the program in YAML, which takes %.2f in all; the "+
		"rest is the language's own.", r.ratio(yaml, size, previews))
	if one := r.stacks[p.name][1]; one != nil && size > 1 {
		reason += fmt.Sprintf(" With one robot, the program takes %.2f already.",
			median(one.preview)/median(r.stacks[seed][size].preview))
	}
	switch p.language {
	case "typescript":
		reason += " The SDK for Node.js makes four promises with a stack trace each for every property of a resource, " +
			"and a robot account has more properties than the four resources of the seed together."
	case "go":
		reason += " A program in Go is compiled and linked in each preview; one that is compiled before is not."
	}
	return reason
}

func (r *report) writeStacks(text *strings.Builder) {
	text.WriteString("\n## Stacks\n\nSeconds that `pulumi preview`, and then `pulumi up --skip-preview`, take for a " +
		"stack that is new, and in brackets the ratio to the seed's program: its four resources as many times, written in " +
		"TypeScript on `@pulumi/aws`, with the same names, engine, AWS plugin and endpoint. `PULUMI_SKIP_CHECKPOINTS` is " +
		"set for all: a file backend would write the whole state at each step.\n\n| robots | |")
	for _, p := range r.programs {
		text.WriteString(" " + p.name + " |")
	}
	text.WriteString("\n|---|---|" + strings.Repeat("---|", len(r.programs)) + "\n")
	for _, size := range r.sizes {
		for _, row := range []struct {
			what string
			of   func(*timing) []float64
		}{{"preview", previews}, {"up", updates}} {
			fmt.Fprintf(text, "| %d | %s |", size, row.what)
			for _, p := range r.programs {
				fmt.Fprintf(text, " %.2f (%.2f) |", median(row.of(r.stacks[p.name][size])), r.ratio(p.name, size, row.of))
			}
			text.WriteString("\n")
		}
	}
}

func (r *report) writePlugins(text *strings.Builder) {
	fmt.Fprintf(text, "\n## The plugin alone\n\nAgainst the same component built plainly on pulumi-go-provider's infer "+
		"(`tests/bench/plain`), and a plugin with a component that is empty (`tests/bench/empty`). Constructs are of "+
		"robots with names, %d at a time, with a resource monitor that answers at once, on one core for the plugin.\n\n",
		parallel)
	text.WriteString("| | " + ours + " | " + plain + " | ratio | " + empty + " |\n|---|---|---|---|---|\n")
	row := func(what, format string, of func(*figures) []float64) {
		cell := func(name string) string {
			if len(of(r.plugins[name])) == 0 {
				return ""
			}
			return fmt.Sprintf(format, median(of(r.plugins[name])))
		}
		ratio := median(of(r.plugins[ours])) / median(of(r.plugins[plain]))
		fmt.Fprintf(text, "| %s | %s | %s | %.2f | %s |\n", what, cell(ours), cell(plain), ratio, cell(empty))
	}
	row("cold start to the port, ms", "%.1f", func(f *figures) []float64 { return f.port })
	row("cold start to the schema, ms", "%.1f", func(f *figures) []float64 { return f.schema })
	row("memory after the start, MB", "%.1f", func(f *figures) []float64 { return scaled(f.started, 1e-6) })
	row("constructs a second", "%.0f", func(f *figures) []float64 { return f.rate })
	row(fmt.Sprintf("memory that each of %d constructs adds, kB", r.constructs), "%.1f",
		func(f *figures) []float64 { return scaled(f.grown, 1e-3) })
	row("binary, MB", "%.1f", func(f *figures) []float64 { return []float64{f.binary / 1e6} })
	row("archive (tar.gz), MB", "%.1f", func(f *figures) []float64 { return []float64{f.archive / 1e6} })
}

func scaled(figures []float64, by float64) (all []float64) {
	for _, f := range figures {
		all = append(all, f*by)
	}
	return all
}

func kB(bytes float64) string { return fmt.Sprintf("%.1f kB", bytes/1e3) }
func mB(bytes float64) string { return fmt.Sprintf("%.1f MB", bytes/1e6) }

// machine says what the figures were taken with.
func (r *report) machine(ctx context.Context) (string, error) {
	var text strings.Builder
	line := func(what, value string) { fmt.Fprintf(&text, "- %s: %s\n", what, value) }
	line("date", time.Now().UTC().Format(time.DateOnly))
	line("processor", fmt.Sprintf("%d cores, %s", runtime.NumCPU(), field("/proc/cpuinfo", "model name")))
	line("memory", field("/proc/meminfo", "MemTotal"))
	line("system", runtime.GOOS+"/"+runtime.GOARCH)
	for _, version := range [][]string{
		{"pulumi", "version"}, {"go", "env", "GOVERSION"}, {"node", "--version"},
		{os.Getenv("CICD_TOOLS_PYTHON"), "--version"},
	} {
		out, err := exec.CommandContext(ctx, version[0], version[1:]...).Output()
		if err != nil {
			return "", fmt.Errorf("ask %s for its version: %w", version[0], err)
		}
		name := version[0]
		if name == os.Getenv("CICD_TOOLS_PYTHON") {
			name = "python"
		}
		line(name, strings.TrimSpace(string(out)))
	}
	line("AWS plugin", os.Getenv("CICD_AWS_PLUGIN_KIND")+" "+os.Getenv("CICD_AWS_PLUGIN_VERSION"))
	cmd := exec.CommandContext(ctx, "go", "list", "-m", "github.com/pulumi/pulumi/sdk/v3",
		"github.com/pulumi/pulumi-go-provider", "github.com/pulumi/pulumi-aws/sdk/v6", "google.golang.org/grpc")
	cmd.Dir = r.repo
	modules, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("list the modules: %w", err)
	}
	for module := range strings.Lines(string(modules)) {
		path, version, _ := strings.Cut(strings.TrimSpace(module), " ")
		line(path, version)
	}
	line("took", r.took.Round(time.Second).String())
	return text.String(), nil
}

// field returns the first value of a name in a file of Linux.
func field(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}
