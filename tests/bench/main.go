// Command bench measures the package against programs and plugins that do the same without it, prints one table, and
// writes it to docs/performance.md. Run it with "make bench".
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
	flag.IntVar(&o.runs, "runs", 5, "how often each figure is taken; the median of them counts")
	sizes := flag.String("sizes", "1,10,100,500", "how many robots a stack has, in ascending order")
	flag.IntVar(&o.constructs, "constructs", 3000, "how many constructs a plugin is measured with")
	flag.StringVar(&o.out, "out", "", "the file to write the table to (default: docs/performance.md)")
	only := flag.String("programs", "", "leave out the programs whose name has no part in this list of names")
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
	programs         []*program
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
	o.programs = slices.DeleteFunc(programs(), func(p *program) bool {
		return only != "" && p.name != seed && !slices.ContainsFunc(strings.Split(only, ","), func(part string) bool {
			return strings.HasSuffix(p.name, part)
		})
	})
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
	if r.stacks, err = o.measureStacks(ctx, folder); err != nil {
		return err
	}
	r.took = time.Since(began)
	text, err := r.text(ctx)
	if err != nil {
		return err
	}
	fmt.Println()
	fmt.Print(text)
	return os.WriteFile(o.out, []byte(text), 0o600)
}

// median is the middle of the figures, of which there is at least one.
func median(figures []float64) float64 {
	sorted := slices.Sorted(slices.Values(figures))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}
