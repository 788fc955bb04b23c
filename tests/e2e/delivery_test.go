package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// A delivery is a stack of an example that delivers an access key to GitHub. The plugin in tests/github is in GitHub's
// place.
type delivery struct {
	*harness.Stack
	// file is the program, and head and tail are what comes before and after the inputs of its AccessKey.
	file, head, tail string
	// input is how the program gives an input.
	input string
	// folder is where the plugin keeps the secrets.
	folder string
}

// deliveries are, by language, the file of the example, how the inputs of its AccessKey begin and end, and how it gives
// one. In the objects of both languages, JSON is understood.
var deliveries = map[string]struct{ file, begin, end, input string }{
	"typescript": {"index.ts", "    userName: robot.userName,\n", "});\n", "    %s: %s,\n"},
	"yaml":       {"Pulumi.yaml", "      userName: ${robot.userName}\n", "\n  # ", "      %s: %s\n"},
}

func newDelivery(t *testing.T, language, plugin string) *delivery {
	t.Helper()
	l := harness.NewLab(t)
	d := &delivery{Stack: harness.ProgramStack(t, l, language, "examples/access-key-github-"+language), folder: t.TempDir()}
	harness.Check(t, d.Workspace().SetEnvVars(map[string]string{"TEST_GITHUB_FOLDER": d.folder}))
	dir := d.Workspace().WorkDir()
	project := filepath.Join(dir, "Pulumi.yaml")
	text := harness.Read(t, project) + fmt.Sprintf("\nplugins:\n  providers:\n    - {name: github, path: %q}\n", plugin)
	harness.Check(t, os.WriteFile(project, []byte(text), 0o600))

	example := deliveries[language]
	d.file = filepath.Join(dir, example.file)
	head, rest, found := strings.Cut(harness.Read(t, d.file), example.begin)
	_, tail, ended := strings.Cut(rest, example.end)
	if !found || !ended {
		t.Fatalf("%s has no inputs of an AccessKey", d.file)
	}
	d.head, d.tail, d.input = head+example.begin, example.end+tail, example.input
	return d
}

// give gives the AccessKey these inputs, and the name of the user.
func (d *delivery) give(inputs values) {
	d.T.Helper()
	program := d.head
	for name, value := range inputs {
		text, err := json.Marshal(value)
		harness.Check(d.T, err)
		program += fmt.Sprintf(d.input, name, text)
	}
	harness.Check(d.T, os.WriteFile(d.file, []byte(program+d.tail), 0o600))
}

// next has the plugin refuse each delivery, kill the CLI before it, or do neither.
func (d *delivery) next(fault string) {
	d.T.Helper()
	harness.Check(d.T, os.WriteFile(filepath.Join(d.folder, "next"), []byte(fault), 0o600))
}

// held returns the pair that GitHub holds, which is the same wherever it holds one.
func (d *delivery) held() (held pair) {
	d.T.Helper()
	files, err := os.ReadDir(d.folder)
	harness.Check(d.T, err)
	for _, file := range files {
		var p pair
		if file.Name() == "next" {
			continue
		}
		harness.Check(d.T, json.Unmarshal([]byte(harness.Read(d.T, d.folder, file.Name())), &p))
		if held != (pair{}) && p != held {
			d.T.Errorf("GitHub holds %s as %s, and elsewhere %s", p.ID, file.Name(), held.ID)
		}
		held = p
	}
	return held
}

// delivers runs an update, and checks that GitHub then holds a new pair that AWS takes: one that was issued together.
func (d *delivery) delivers(what string, before pair) pair {
	d.T.Helper()
	d.MustUp()
	now := d.held()
	if now.ID == before.ID || now.Secret == before.Secret || !works(d.T, d.Lab, now.ID, now.Secret) {
		d.T.Errorf("%s: after %q, GitHub holds %q, which is to be new and to work", what, before.ID, now.ID)
	}
	return now
}

// keeps checks that GitHub holds the pair that it held before, and that AWS takes it.
func (d *delivery) keeps(what string, before pair) {
	d.T.Helper()
	if now := d.held(); now != before || !works(d.T, d.Lab, now.ID, now.Secret) {
		d.T.Errorf("%s: after %q, GitHub holds %q, which is to be the same and to work", what, before.ID, now.ID)
	}
}

// refused runs an update whose deliveries GitHub refuses.
func (d *delivery) refused() {
	d.T.Helper()
	d.next("refuse")
	if _, _, err := d.TryUp(); err == nil || !strings.Contains(err.Error(), "403 Resource not accessible") {
		d.T.Errorf("the delivery is refused, and the update ends with %v", err)
	}
	d.next("")
}

// killed runs an update that is killed before it delivers.
func (d *delivery) killed() {
	d.T.Helper()
	d.next("kill")
	cmd := d.Lab.Command(d.T.Context(), d.Workspace().WorkDir(), "up", "--yes", "--skip-preview")
	cmd.Env = append(cmd.Env, "TEST_GITHUB_FOLDER="+d.folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	out, err := cmd.CombinedOutput()
	lab.EndSession(cmd.Process.Pid)
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
		d.T.Errorf("the update is not killed: %v\n%s", err, out)
	}
	harness.Check(d.T, d.Cancel(d.T.Context()))
	d.next("")
}

// TestDelivery takes the examples that deliver a key to GitHub through rotations and failures. The update that makes a
// key delivers it. Where it does not get that far, the pair that GitHub holds goes on working, and the next update
// delivers. At every step, GitHub holds a pair that was issued together.
func TestDelivery(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "which processes an update has")
	plugin := t.TempDir()
	harness.Succeed(t, filepath.Join(harness.Repo(t), "tests"), nil, "go", "build",
		"-o", filepath.Join(plugin, "pulumi-resource-github"), "./github")
	for language := range deliveries {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			d := newDelivery(t, language, plugin)
			first := d.delivers("the first update", pair{})

			d.give(values{"generation": 2, "previous": "deleted", "handOver": "7d"})
			second := d.delivers("generation", first)
			if !works(t, d.Lab, first.ID, first.Secret) {
				t.Error("the first key does not work during the hand-over")
			}
			d.Lab.AgeKeys(61 * 24 * time.Hour)
			d.give(values{"generation": 2, "rotateEvery": "60d"})
			third := d.delivers("rotateEvery", second)

			// Even without a hand-over, the old key is not deleted before the new one is delivered.
			d.give(values{"generation": 3, "previous": "deleted"})
			d.refused()
			d.keeps("refused", third)
			d.killed()
			d.keeps("killed", third)
			fourth := d.delivers("after both", third)
			if works(t, d.Lab, third.ID, third.Secret) {
				t.Error("previous is deleted, and the third key works")
			}

			// Revoked, GitHub holds what it held. A key that is made meanwhile is delivered, and the update says that it
			// does not work yet.
			const dead = "the new access key is switched off until revoked is false"
			d.give(values{"generation": 3, "revoked": true})
			result, _ := d.MustUp()
			if held := d.held(); held != fourth || strings.Contains(result.StdOut, dead) {
				t.Errorf("revoked, after %s GitHub holds %s, and the update says\n%s", fourth.ID, held.ID, result.StdOut)
			}
			d.give(values{"generation": 4, "revoked": true})
			result, _ = d.MustUp()
			fifth := d.held()
			_, diagnostics, _ := strings.Cut(result.StdOut, "Diagnostics:")
			if fifth.ID == fourth.ID || works(t, d.Lab, fifth.ID, fifth.Secret) || strings.Count(diagnostics, dead) != 1 {
				t.Errorf("after %s, GitHub holds %s, and the update says\n%s", fourth.ID, fifth.ID, result.StdOut)
			}
			d.give(values{"generation": 4})
			d.MustUp()
			d.keeps("not revoked any more", fifth)
			hides(t, d.Lab, fifth.Secret, map[string]string{"the output": result.StdOut + result.StdErr})

			if language == "yaml" {
				d.Unchanged()
				d.replaces(fifth)
			}
			d.MustDestroy()
			if held := d.held(); held != (pair{}) {
				t.Errorf("after destroy, GitHub holds %s", held.ID)
			}
		})
	}
}

// replaces checks what an older package of GitHub does, which replaces a secret that has another value: with
// deleteBeforeReplace, GitHub holds no pair until an update succeeds, and never an old one.
func (d *delivery) replaces(before pair) {
	d.T.Helper()
	tail := strings.NewReplacer(
		"      value:\n", "      plaintextValue:\n",
		"    name: tools\n", "    name: tools\n    options: {deleteBeforeReplace: true}\n",
	).Replace(d.tail)
	if strings.Count(tail, "\n") != strings.Count(d.tail, "\n")+1 || strings.Contains(tail, "      value:") {
		d.T.Fatalf("the program is %s", tail)
	}
	d.tail = tail
	d.give(values{"generation": 5})
	d.refused()
	if held := d.held(); held != (pair{}) {
		d.T.Errorf("refused, GitHub holds %s", held.ID)
	}
	d.delivers("after the refusal", before)
}
