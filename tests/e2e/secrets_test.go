package e2e

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/otelreceiver"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestSecretsStayHidden takes a key through its life with a plugin that logs and traces all it can, and then looks for
// the secrets in all that was written: states and their backups, outputs, event logs, errors, and what the plugin itself
// said. It does not look into the engine's own logs and traces, which have what AWS answered.
func TestSecretsStayHidden(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	written := map[string]string{}
	var secrets []string
	sinks := newSinks(t)
	sink := sinks[0]
	events := filepath.Join(t.TempDir(), "events.json")
	run := func(args ...string) bool {
		t.Helper()
		// An engine that ends tells the plugin to cancel all that comes.
		plugin := startLoggingPlugin(t, l, sink)
		defer plugin.end()
		cmd := s.Command(args...)
		cmd.Env = append(cmd.Env, "PULUMI_DEBUG_PROVIDERS=cicd:"+plugin.port, "PULUMI_DEBUG_COMMANDS=true")
		out, err := cmd.CombinedOutput()
		written[strings.Join(args, " ")] += string(out)
		return err == nil
	}
	// A key that only the holder of the private key can read.
	entity, public := pgpKey(t, 0)
	s.Give(values{"pgpKey": public})
	if !run("up", "--yes", "--skip-preview") {
		t.Fatalf("an update fails: %v", written)
	}
	secrets = append(secrets, decrypted(t, entity, s.KeyOutputs().EncryptedSecretAccessKey))
	stores := values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	for _, generation := range []int{2, 3, 4} {
		sink = sinks[generation%len(sinks)]
		stores["generation"] = generation
		s.Give(stores)
		if !run("preview", "--json") || !run("preview", "--diff") ||
			!run("up", "--yes", "--skip-preview", "--diff", "--json", "--event-log", events) || !run("refresh", "--yes", "--diff") {
			t.Fatalf("an update fails: %v", written)
		}
		o := s.KeyOutputs()
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
	for _, sink := range sinks {
		logs, spans := sink.logs.String(), harness.Read(t, sink.spans)
		written["the plugin's logs for "+sink.name], written["the plugin's spans for "+sink.name] = logs, spans
		if strings.Contains(logs, "http2: ") {
			t.Errorf("the plugin's logs for %s are of all that is sent and received", sink.name)
		}
		if !strings.Contains(spans, "RegisterResource") {
			t.Errorf("the plugin makes no spans for %s", sink.name)
		}
	}

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
	if states < 2 || len(secrets) != 4 || secrets[0] == secrets[1] || len(secrets[0]) < 20 {
		t.Errorf("the search went through %d states, for %d secrets", states, len(secrets))
	}
	// The search finds what there is to be found.
	if !run("stack", "output", "--show-secrets") || !strings.Contains(written["stack output --show-secrets"], secrets[3]) {
		t.Error("the secret is not even where it is asked for")
	}
	s.Give(nil)
	run("destroy", "--yes", "--skip-preview")
}

// TestTracesHideSecrets checks that the spans which the plugin adds to the CLI's file of traces have no secret, from an
// update that makes a key and from a rotation. In the file of --tracing, nothing tells whose span it is: for that,
// [TestSecretsStayHidden] gives the plugin a place for its own.
func TestTracesHideSecrets(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	traces := filepath.Join(t.TempDir(), "traces.json")
	var secrets []string
	for generation := 1; generation <= 2; generation++ {
		s.Give(values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"})
		out, err := s.Command("up", "--yes", "--skip-preview", "--otel-traces", "file://"+traces, "-v=9", "--logtostderr", "--logflow").
			CombinedOutput()
		if err != nil {
			t.Fatalf("an update fails: %s", out)
		}
		secrets = append(secrets, s.KeyOutputs().SecretAccessKey)
		if !strings.Contains(string(out), secrets[generation-1]) {
			t.Error("the CLI's own log has no secret any more: docs/delivery.md says that it has")
		}
		registered := 0
		for _, spans := range spansOf(t, traces, "cicd") {
			registered += strings.Count(spans, `"pulumirpc.ResourceMonitor/RegisterResource"`)
			for _, secret := range secrets {
				if strings.Contains(spans, secret) {
					t.Errorf("a span holds a secret: %s", strings.ReplaceAll(spans, secret, "[secret]"))
				}
			}
		}
		if registered < 5 {
			t.Errorf("the search went through the spans of %d registrations", registered)
		}
	}
}

// spansOf returns the spans of a service in a file that the CLI wrote, as JSON text.
func spansOf(t *testing.T, file, service string) (spans []string) {
	t.Helper()
	for line := range strings.Lines(harness.Read(t, file)) {
		var traces struct {
			ResourceSpans []struct {
				Resource   json.RawMessage
				ScopeSpans []struct{ Spans []json.RawMessage }
			}
		}
		harness.Check(t, json.Unmarshal([]byte(line), &traces))
		for _, of := range traces.ResourceSpans {
			if !strings.Contains(string(of.Resource), `{"key":"service.name","value":{"stringValue":"`+service+`"}}`) {
				continue
			}
			for _, scope := range of.ScopeSpans {
				for _, span := range scope.Spans {
					spans = append(spans, string(span))
				}
			}
		}
	}
	return spans
}

// A sink is where a plugin writes what it logs and traces.
type sink struct {
	// name is the option of the CLI that has it ask plugins for such traces.
	name string
	// args and env have a plugin write there.
	args, env []string
	logs      logs
	// spans is a file.
	spans string
}

// newSinks returns a sink of each kind that the plugin knows.
func newSinks(t *testing.T) [2]*sink {
	t.Helper()
	old := &sink{name: "--tracing", spans: filepath.Join(t.TempDir(), "spans.json")}
	exporter, err := otelreceiver.NewExporter("file://" + old.spans)
	harness.Check(t, err)
	// The bridge is not shut down: it would use a processor until the tests end.
	bridge, err := otelreceiver.StartAppDashBridge(exporter)
	harness.Check(t, err)
	old.args = []string{"-logtostderr", "-tracing", bridge.Endpoint()}

	otlp := &sink{name: "--otel-traces", spans: filepath.Join(t.TempDir(), "spans.json")}
	exporter, err = otelreceiver.NewExporter("file://" + otlp.spans)
	harness.Check(t, err)
	receiver, err := otelreceiver.Start(exporter, &otlp.logs)
	harness.Check(t, err)
	t.Cleanup(func() { harness.Check(t, receiver.Shutdown(context.Background())) })
	otlp.env = []string{
		"PULUMI_LOG_OTLP_ENDPOINT=" + receiver.Endpoint(), "PULUMI_OTEL_EXPORTER_OTLP_ENDPOINT=" + receiver.Endpoint(),
		"OTEL_BLRP_SCHEDULE_DELAY=10", // It never sends its last logs, and makes others wait for a second.
	}
	return [2]*sink{old, otlp}
}

// logs are what plugins have logged.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write notes what a plugin writes to its standard error.
func (l *logs) Write(text []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(text)
}

// ExportLogs notes what a plugin logs over OTLP.
func (l *logs) ExportLogs(_ context.Context, records plog.Logs) error {
	text, err := (&plog.ProtoMarshaler{}).MarshalLogs(records)
	if err == nil {
		_, err = l.Write(text)
	}
	return err
}

// Shutdown does nothing.
func (*logs) Shutdown(context.Context) error { return nil }

// String returns all of it.
func (l *logs) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// loggingPlugin is the package's plugin, started by hand, so that what it says is told from what the engine says.
type loggingPlugin struct {
	port string
	end  func()
}

// startLoggingPlugin starts the plugin with all logs and traces that it can write.
func startLoggingPlugin(t *testing.T, l *lab.Lab, to *sink) *loggingPlugin {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), filepath.Join(harness.Repo(t), "bin", "pulumi-resource-cicd"), "-v=9")
	cmd.Args = append(cmd.Args, to.args...)
	cmd.Env = append(os.Environ(), "GODEBUG=http2debug=2")
	for name, value := range l.Env() {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(cmd.Env, to.env...)
	cmd.Stderr = &to.logs
	out, err := cmd.StdoutPipe()
	harness.Check(t, err)
	harness.Check(t, cmd.Start())
	p := &loggingPlugin{end: sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt) // It sends the last spans, and ends.
		_ = cmd.Wait()
	})}
	t.Cleanup(p.end)
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the plugin does not start: %s", &to.logs)
	}
	p.port = lines.Text()
	go func() {
		for lines.Scan() {
			_, _ = to.logs.Write(lines.Bytes())
		}
	}()
	return p
}
