package e2e

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestSecretsStayHidden takes a key through its life with a plugin that logs all it can, and then looks for the secrets
// in all that was written: states and their backups, outputs, event logs, errors, and what the plugin itself said. It
// does not look into the engine's own trace, which prints what AWS answered.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	written := map[string]string{}
	var secrets []string
	events := filepath.Join(t.TempDir(), "events.json")
	run := func(args ...string) bool {
		t.Helper()
		// An engine that ends tells the plugin to cancel all that comes.
		plugin := startLoggingPlugin(t, l)
		defer plugin.end()
		cmd := s.Command(args...)
		cmd.Env = append(cmd.Env, "PULUMI_DEBUG_PROVIDERS=cicd:"+plugin.port, "PULUMI_DEBUG_COMMANDS=true")
		out, err := cmd.CombinedOutput()
		written[strings.Join(args, " ")] += string(out)
		written["the plugin"] += plugin.said()
		return err == nil
	}
	stores := values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	for _, generation := range []int{1, 2, 3} {
		stores["generation"] = generation
		s.Give(stores)
		if !run("preview", "--json") || !run("preview", "--diff") ||
			!run("up", "--yes", "--skip-preview", "--diff", "--json", "--event-log", events) || !run("refresh", "--yes", "--diff") {
			t.Fatalf("an update fails: %v", written)
		}
		outputs, err := s.Outputs(t.Context())
		harness.Check(t, err)
		o := harness.ReadKeyOutputs(t, outputs)
		s.Keeps(o)
		secrets = append(secrets, o.SecretAccessKey)
		text, err := os.ReadFile(events)
		harness.Check(t, err)
		written["events"] += string(text)
	}
	// An error, with the secrets at hand.
	stores["generation"] = 1
	s.Give(stores)
	if run("up", "--yes", "--skip-preview") {
		t.Error("a generation is lowered")
	}
	run("stack", "output")
	harness.Check(t, filepath.WalkDir(l.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(name) //nolint:gosec // The test's own folder.
		written[name] = string(text)
		return err
	}))
	t.Logf("the plugin said %d characters", len(written["the plugin"]))

	states := 0
	for name, text := range written {
		if strings.Contains(text, "rotatedAt") && strings.HasPrefix(name, l.Dir) {
			states++
		}
		for _, secret := range secrets {
			for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte(secret)), strings.ReplaceAll(secret, "/", `\/`)} {
				if before, after, found := strings.Cut(text, form); found {
					before = before[max(strings.LastIndexByte(before, '\n'), len(before)-200)+1:]
					after, _, _ = strings.Cut(after, "\n")
					t.Errorf("%s holds a secret: %s[secret]%.100s", name, before, after)
				}
			}
		}
	}
	if states < 2 || len(secrets) != 3 || secrets[0] == secrets[1] || len(secrets[0]) < 20 {
		t.Errorf("the search went through %d states, for %d secrets", states, len(secrets))
	}
	// The search finds what there is to be found.
	if !run("stack", "output", "--show-secrets") || !strings.Contains(written["stack output --show-secrets"], secrets[2]) {
		t.Error("the secret is not even where it is asked for")
	}
	s.Give(nil)
	run("destroy", "--yes", "--skip-preview")
}

// loggingPlugin is the package's plugin, started by hand, so that what it says is told from what the engine says.
type loggingPlugin struct {
	port string
	end  func()
	mu   sync.Mutex
	text bytes.Buffer
}

// Write notes what the plugin says.
func (p *loggingPlugin) Write(text []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(text)
}

func (p *loggingPlugin) said() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

func startLoggingPlugin(t *testing.T, l *lab.Lab) *loggingPlugin {
	t.Helper()
	p := &loggingPlugin{}
	cmd := exec.CommandContext(t.Context(), filepath.Join(harness.Repo(t), "bin", "pulumi-resource-cicd"), "-v=9", "-logtostderr")
	cmd.Env = os.Environ()
	for name, value := range l.Env() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Stderr = p
	out, err := cmd.StdoutPipe()
	harness.Check(t, err)
	harness.Check(t, cmd.Start())
	p.end = sync.OnceFunc(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	t.Cleanup(p.end)
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the plugin does not start: %s", p.said())
	}
	p.port = lines.Text()
	go func() {
		for lines.Scan() {
			_, _ = p.Write(lines.Bytes())
		}
	}()
	return p
}
