package release

import (
	"encoding/xml"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestBench runs the benchmark with the least of everything, and checks that its page has all that it measures, and the
// plot beside it. What the last whole run wrote has the same rows, and more.
func TestBench(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("the benchmark runs on Linux only")
	}
	// Where make puts it: what is up to date is not linked again.
	program, folder := filepath.Join(harness.Repo(t), ".tools", "bin", "bench"), t.TempDir()
	harness.Succeed(t, filepath.Join(harness.Repo(t), "tests"), nil, "go", "build", "-o", program, "./bench")
	harness.Succeed(t, harness.Repo(t), nil, program, "-runs", "1", "-sizes", "1", "-constructs", "50", "-languages", "YAML",
		"-out", filepath.Join(folder, "performance.md"))
	text := harness.Read(t, folder, "performance.md")
	documented := harness.Read(t, harness.Repo(t), "docs", "performance.md")
	for _, row := range []string{
		"| YAML | preview | ", "| YAML | up | ", "- **YAML**: ", "| cold start to the port | ",
		"| cold start to the schema | ", "| memory after the start | ", "| memory that each construct adds | ",
		"| constructs a second | ", "| binary | ", "| archive | ", "![Seconds against robots](performance.svg)",
	} {
		for name, page := range map[string]string{"the page": text, "docs/performance.md": documented} {
			if !strings.Contains(page, "\n"+row) {
				t.Errorf("%s has no row %q", name, row)
			}
		}
	}
	for name, file := range map[string]string{
		"the plot": folder, "docs/performance.svg": filepath.Join(harness.Repo(t), "docs"),
	} {
		plot := harness.Read(t, file, "performance.svg")
		harness.Check(t, xml.Unmarshal([]byte(plot), new(struct{ XMLName xml.Name })))
		for _, label := range []string{"YAML", "YAML, by hand", "robots", "seconds", "pulumi preview", "pulumi up --skip-preview"} {
			if !strings.Contains(plot, ">"+label+"<") {
				t.Errorf("%s says nothing of %q", name, label)
			}
		}
	}
}
