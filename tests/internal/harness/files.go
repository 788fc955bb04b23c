package harness

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Execute runs a program in a folder, for no longer than [Limit], and returns all that it says.
func Execute(t *testing.T, dir string, env []string, program string, args ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	// What it has started may keep its output open.
	cmd.WaitDelay = time.Minute
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// Succeed runs a program as Execute does, and fails the test if the program fails.
func Succeed(t *testing.T, dir string, env []string, program string, args ...string) string {
	t.Helper()
	out, err := Execute(t, dir, env, program, args...)
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return out
}

// Read returns the text of a file, whose path may be in parts.
func Read(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	Check(t, err)
	return string(text)
}

// CodeBlock is a fenced block of Markdown, and the number of its first line.
type CodeBlock struct {
	Language, Text string
	Line           int
}

// CodeBlocks returns the fenced blocks of a text in Markdown.
func CodeBlocks(markdown string) (blocks []CodeBlock) {
	var block *CodeBlock
	for i, line := range strings.Split(markdown, "\n") {
		fence, isFence := strings.CutPrefix(line, "```")
		switch {
		case isFence && block == nil:
			// Short names are in use as well.
			language, _, _ := strings.Cut(fence, " ")
			switch language {
			case "ts":
				language = "typescript"
			case "py":
				language = "python"
			case "cs", "c#":
				language = "csharp"
			case "yml":
				language = "yaml"
			}
			block = &CodeBlock{Language: language, Line: i + 1}
		case isFence:
			blocks = append(blocks, *block)
			block = nil
		case block != nil:
			block.Text += line + "\n"
		}
	}
	return blocks
}
