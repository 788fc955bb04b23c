//go:build unix

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestAddLine checks that the demo can edit the example in every language, which it adds one line to.
func TestAddLine(t *testing.T) {
	t.Parallel()
	repo, err := lab.Repo()
	if err != nil {
		t.Fatal(err)
	}
	for _, language := range lab.Languages {
		dir, example := t.TempDir(), filepath.Join(repo, "examples", accessKey+"-"+language)
		if err := os.CopyFS(dir, os.DirFS(example)); err != nil {
			t.Fatal(err)
		}
		line, err := addLine(dir, language, byHand[language].revoked)
		if err != nil {
			t.Errorf("%s: %v", language, err)
			continue
		}
		lines := func(dir string) []string {
			text, err := os.ReadFile(filepath.Join(dir, byHand[language].file))
			if err != nil {
				t.Fatal(err)
			}
			return strings.Split(string(text), "\n")
		}
		if before, after := lines(example), lines(dir); len(after) != len(before)+1 || !strings.Contains(strings.Join(after, "\n"), line) {
			t.Errorf("%s: the line %q makes the program\n%s", language, line, strings.Join(after, "\n"))
		}
	}
}
