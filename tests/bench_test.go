package tests

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// TestPluginKeepsNothing says that constructs leave less than 10 kB each in the plugin.
func TestPluginKeepsNothing(t *testing.T) {
	t.Parallel()
	onlyLinuxTells(t, "how much memory a process holds")
	const (
		warm, constructs = 200, 2000
		most             = 10_000
	)
	e, p := startPlugin(t)
	check(t, p.Configure(t.Context(), e))
	var requests []*pulumirpc.ConstructRequest
	for i := range warm + constructs {
		req, err := e.Request("cicd:index:RobotAccount", fmt.Sprintf("robot%d", i), nil)
		check(t, err)
		requests = append(requests, req)
	}
	check(t, p.ConstructAll(t.Context(), 8, requests[:warm]))
	before, err := p.Memory()
	check(t, err)
	check(t, p.ConstructAll(t.Context(), 8, requests[warm:]))
	after, err := p.Memory()
	check(t, err)
	if each := (after - before) / constructs; each > most {
		t.Errorf("each construct leaves %d bytes", each)
	}
	if looked := e.LookUps.Load(); looked != 1 {
		t.Errorf("AWS is asked %d times who calls", looked)
	}
}

// TestBench takes the benchmark through its paces, with the least of everything: all that it measures is in its table.
func TestBench(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the benchmark runs on Linux only")
	}
	slots <- struct{}{}
	defer func() { <-slots }()
	// Where make puts it: what is up to date is not linked again.
	program, out := filepath.Join(repo(t), ".tools", "bin", "bench"), filepath.Join(t.TempDir(), "performance.md")
	succeed(t, filepath.Join(repo(t), "tests"), nil, "go", "build", "-o", program, "./bench")
	cmd := exec.CommandContext(t.Context(), program, "-runs", "1", "-sizes", "1", "-constructs", "50", "-programs", "YAML",
		"-out", out)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(out)
	check(t, err)
	// What the last whole run wrote has the same rows, and more.
	documented := read(t, repo(t), "docs", "performance.md")
	for line := range strings.Lines(string(text)) {
		row, isRow := strings.CutPrefix(line, "| ")
		what, _, _ := strings.Cut(row, " | ")
		if isRow && !strings.Contains(what, "50") && !strings.Contains(documented, "| "+what+" | ") {
			t.Errorf("docs/performance.md has no row for %q", what)
		}
	}
	for _, row := range []string{
		"preview of 1 robot, YAML", "memory that each construct adds", "rate of constructs", "cold start, to", "archive",
		"1 | preview", "1 | up", "cold start to the port", "cold start to the schema", "memory after the start",
		"constructs a second", "binary",
	} {
		if !strings.Contains(string(text), "\n| "+row) {
			t.Errorf("there is no row for %q in\n%s", row, text)
		}
	}
}
