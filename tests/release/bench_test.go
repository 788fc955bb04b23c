package release

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestBench takes the benchmark through its paces, with the least of everything: all that it measures is in its table.
func TestBench(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the benchmark runs on Linux only")
	}
	harness.TakeSlot(t)
	// Where make puts it: what is up to date is not linked again.
	program, out := filepath.Join(harness.Repo(t), ".tools", "bin", "bench"), filepath.Join(t.TempDir(), "performance.md")
	harness.Succeed(t, filepath.Join(harness.Repo(t), "tests"), nil, "go", "build", "-o", program, "./bench")
	cmd := exec.CommandContext(t.Context(), program, "-runs", "1", "-sizes", "1", "-constructs", "50", "-programs", "YAML",
		"-out", out)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(out)
	harness.Check(t, err)
	// What the last whole run wrote has the same rows, and more.
	documented := harness.Read(t, harness.Repo(t), "docs", "performance.md")
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
