package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// report is what was measured.
type report struct {
	*options
	plugins map[string]*figures
	took    time.Duration
}

// A command is a command of the CLI that is timed.
type command struct {
	name, short string
	of          func(*timing) []float64
}

var commands = []command{
	{"pulumi preview", "preview", func(t *timing) []float64 { return t.preview }},
	{"pulumi up --skip-preview", "up", func(t *timing) []float64 { return t.up }},
}

// text is the report, in Markdown.
func (r *report) text(ctx context.Context) (string, error) {
	machine, err := r.machine(ctx)
	if err != nil {
		return "", err
	}
	var text strings.Builder
	fmt.Fprintf(&text, "# Performance\n\nWritten by `make bench`, and not by hand. All figures are of one run on one "+
		"machine. Each is the median of %d or more, taken in turns. What counts is how they compare.\n\n"+
		"![Seconds against robots](%s)\n\nBoth axes are logarithmic.\n", r.runs, filepath.Base(r.plotFile()))
	r.writeStacks(&text)
	r.writePlugins(&text)
	text.WriteString("\n## Machine and versions\n\n" + machine)
	return text.String(), nil
}

// ratio is how the component's program compares with the one by hand.
func (l *language) ratio(size int, c command) float64 {
	return median(c.of(l.component.timings[size])) / median(c.of(l.byHand.timings[size]))
}

// remarks say by language what its figures have in them.
var remarks = map[string]string{
	"Go": "The program is compiled and linked each time, with the AWS package if it is written by hand.",
	"YAML": "By hand, the language host reads the schema of the AWS plugin; that of the stand-in, where it is used, is " +
		"small.",
}

func (r *report) writeStacks(text *strings.Builder) {
	text.WriteString("\n## Against the same resources by hand\n\nHow long a command takes for a new stack of robots " +
		"with `RobotAccount`, compared with the same four resources on the AWS package, written by hand in the same " +
		"language: 0.5 is half of the time. In brackets are the seconds with `RobotAccount`. Names, engine, AWS plugin and " +
		"endpoint are the same, and so are the calls of AWS. `PULUMI_SKIP_CHECKPOINTS` is set: a file backend would write " +
		"the whole state at each step.\n\n| | |")
	for _, size := range r.sizes {
		text.WriteString(" " + robots(size) + " |")
	}
	text.WriteString("\n|---|---|" + strings.Repeat("---|", len(r.sizes)) + "\n")
	for _, l := range r.languages {
		for _, c := range commands {
			fmt.Fprintf(text, "| %s | %s |", l.name, c.short)
			for _, size := range r.sizes {
				fmt.Fprintf(text, " %.2f (%.2f) |", l.ratio(size, c), median(c.of(l.component.timings[size])))
			}
			text.WriteString("\n")
		}
	}
	text.WriteString("\n")
	most := r.sizes[len(r.sizes)-1]
	for _, l := range r.languages {
		fmt.Fprintf(text, "- **%s**: with %s, a preview takes %.2f of the time by hand, and an update %.2f.",
			l.name, robots(most), l.ratio(most, commands[0]), l.ratio(most, commands[1]))
		if remark := remarks[l.name]; remark != "" {
			text.WriteString(" " + remark)
		}
		text.WriteString("\n")
	}
}

// robots is a number of robots in words.
func robots(n int) string {
	if n == 1 {
		return "1 robot"
	}
	return fmt.Sprintf("%d robots", n)
}

func (r *report) writePlugins(text *strings.Builder) {
	fmt.Fprintf(text, "\n## The plugin alone\n\nCompared with the same component built plainly on pulumi-go-provider's "+
		"infer (`tests/bench/plain`), and with a plugin whose component is empty (`tests/bench/empty`). Constructs are of "+
		"robots with names, %d at a time, with a resource monitor that answers at once, on one core for the plugin.\n\n",
		parallel)
	text.WriteString("| | " + ours + " | to " + plain + " | " + empty + " | |\n|---|---|---|---|---|\n")
	row := func(what, format string, of func(*figures) []float64, sentence string) {
		cell := func(name string) string {
			if len(of(r.plugins[name])) == 0 {
				return ""
			}
			return fmt.Sprintf(format, median(of(r.plugins[name])))
		}
		ratio := median(of(r.plugins[ours])) / median(of(r.plugins[plain]))
		fmt.Fprintf(text, "| %s | %s | %.2f | %s | %s |\n", what, cell(ours), ratio, cell(empty), sentence)
	}
	row("cold start to the port", "%.1f ms", func(f *figures) []float64 { return f.port },
		"The engine starts the plugin once in each preview and update.")
	row("cold start to the schema", "%.1f ms", func(f *figures) []float64 { return f.schema },
		"Only programs in YAML, and commands such as `pulumi package add`, ask for the schema.")
	row("memory after the start", "%.1f MB", func(f *figures) []float64 { return scaled(f.started, 1e-6) },
		"One process serves all resources of a stack.")
	row("memory that each construct adds", "%.1f kB", func(f *figures) []float64 { return scaled(f.grown, 1e-3) },
		fmt.Sprintf("Over %d constructs: the plugin closes the connection that the SDK makes for each.", r.constructs))
	row("constructs a second", "%.0f", func(f *figures) []float64 { return f.rate },
		"A robot of a stack is one construct.")
	row("binary", "%.1f MB", func(f *figures) []float64 { return []float64{f.binary / 1e6} },
		"Most of it is the Pulumi SDK.")
	row("archive", "%.1f MB", func(f *figures) []float64 { return []float64{f.archive / 1e6} },
		"It is what the CLI downloads.")
}

func scaled(figures []float64, by float64) (all []float64) {
	for _, f := range figures {
		all = append(all, f*by)
	}
	return all
}

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
