// Command bench measures the package against programs and plugins that do the same without it, and writes a page with a
// plot: docs/performance.md and docs/performance.svg. Run it with "make bench".
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 3, "how often each figure is taken; the median of them counts")
	sizes := flag.String("sizes", "1,10,100,500", "how many robots a stack has, in ascending order")
	flag.IntVar(&o.constructs, "constructs", 3000, "how many constructs a plugin is measured with")
	flag.StringVar(&o.out, "out", "", "the file of the page, which has the plot beside it (default: docs/performance.md)")
	only := flag.String("languages", "", "the languages to measure, such as Python,YAML (default: all)")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := o.parse(*sizes, *only)
	if err == nil {
		err = o.run(ctx)
	}
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// options are what is asked for.
type options struct {
	runs, constructs int
	sizes            []int
	languages        []*language
	out, repo        string
}

func (o *options) parse(sizes, only string) (err error) {
	if os.Getenv("CICD_PULUMI") == "" {
		return errors.New(`it needs the tools of tools/toolchain.mk: run "make bench"`)
	}
	for _, size := range strings.Split(sizes, ",") {
		n, err := strconv.Atoi(size)
		if err != nil || n < 1 || o.runs < 1 || o.constructs < 1 {
			return errors.New("sizes, runs and constructs are numbers from 1")
		}
		o.sizes = append(o.sizes, n)
	}
	for _, l := range languages() {
		if only == "" || slices.Contains(strings.Split(only, ","), l.name) {
			o.languages = append(o.languages, l)
		}
	}
	if len(o.languages) == 0 {
		return fmt.Errorf("there is no language of %q", only)
	}
	if o.repo, err = lab.Repo(); err != nil {
		return err
	}
	if o.out == "" {
		o.out = filepath.Join(o.repo, "docs", "performance.md")
	}
	return nil
}

func (o *options) run(ctx context.Context) error {
	began := time.Now()
	folder, err := os.MkdirTemp(filepath.Join(o.repo, ".tools"), "bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	r := report{options: o}
	if r.plugins, err = o.measurePlugins(ctx, folder); err != nil {
		return err
	}
	if err := o.measureStacks(ctx, folder); err != nil {
		return err
	}
	r.took = time.Since(began)
	text, err := r.text(ctx)
	if err != nil {
		return err
	}
	fmt.Println()
	fmt.Print(text)
	if err := o.plot(o.plotFile()); err != nil {
		return fmt.Errorf("plot: %w", err)
	}
	return os.WriteFile(o.out, []byte(text), 0o600)
}

// plotFile is where the plot goes: beside the page.
func (o *options) plotFile() string { return strings.TrimSuffix(o.out, filepath.Ext(o.out)) + ".svg" }

// median is the middle of the figures, of which there is at least one.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
