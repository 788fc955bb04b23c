package harness

import (
	"context"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"
)

// cli is the CLI for all stacks.
var cli = sync.OnceValues(func() (auto.PulumiCommand, error) {
	command, err := auto.NewPulumiCommand(nil)
	return frugal{command}, err
})

// frugal is the CLI without what the Automation API asks it after each update: the history, which no test wants to
// know, and the outputs, twice. Each answer would cost a fifth of a second of CPU.
type frugal struct{ auto.PulumiCommand }

// Run runs a command of the CLI.
func (f frugal) Run(
	ctx context.Context, workdir string, stdin io.Reader, out, errs []io.Writer, env []string, args ...string,
) (stdout, stderr string, code int, err error) {
	command := strings.Join(args, " ")
	if strings.HasPrefix(command, "stack history ") {
		return "[]", "", 0, nil
	}
	if strings.HasPrefix(command, "stack output ") {
		outputs, known := readOutputs(workdir, env, args[len(args)-1])
		// Only the CLI can decrypt secrets.
		if known && (!strings.Contains(outputs, hidden) || !strings.Contains(command, " --show-secrets")) {
			return outputs, "", 0, nil
		}
	}
	return f.PulumiCommand.Run(ctx, workdir, stdin, out, errs, env, args...)
}

// hidden is what the CLI shows of an output that is secret.
const hidden = "[secret]"

// readOutputs reads the outputs of the stack of a name from the state in its file backend, as "stack output --json"
// prints them. It does not know them where they hold what the CLI does not print as it is stored.
func readOutputs(workdir string, env []string, stack string) (outputs string, known bool) {
	project, err := workspace.LoadProject(filepath.Join(workdir, "Pulumi.yaml"))
	if err != nil {
		return "", false
	}
	var backend *url.URL
	for _, variable := range env {
		if value, ok := strings.CutPrefix(variable, "PULUMI_BACKEND_URL="); ok {
			if backend, err = url.Parse(value); err != nil {
				return "", false
			}
		}
	}
	if backend == nil {
		return "", false
	}
	text, err := os.ReadFile(filepath.Join(backend.Path, ".pulumi", "stacks", project.Name.String(), stack+".json"))
	if err != nil {
		return "", false
	}
	var state struct {
		Checkpoint struct{ Latest apitype.DeploymentV3 }
	}
	if json.Unmarshal(text, &state) != nil {
		return "", false
	}
	values := map[string]any{}
	for _, r := range state.Checkpoint.Latest.Resources {
		if r.Type != resource.RootStackType {
			continue
		}
		for name, value := range r.Outputs {
			stored, err := json.Marshal(value)
			switch {
			case err != nil:
				return "", false
			case strings.Contains(string(stored), resource.SecretSig):
				values[name] = hidden
			case strings.Contains(string(stored), resource.SigKey):
				return "", false
			default:
				values[name] = value
			}
		}
	}
	text, err = json.Marshal(values)
	return string(text), err == nil
}
