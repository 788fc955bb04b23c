package harness

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/config"
	"github.com/pulumi/pulumi/sdk/v3/go/common/workspace"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// cli is the CLI for all stacks.
var cli = sync.OnceValues(func() (auto.PulumiCommand, error) { return auto.NewPulumiCommand(nil) })

// frugal is the CLI for the stacks of a lab without what the Automation API asks it after each update: the history,
// which no test wants to know, and the outputs, twice. Each answer would cost a fifth of a second of CPU.
type frugal struct {
	auto.PulumiCommand
	lab *lab.Lab
}

// Run runs a command of the CLI.
func (f frugal) Run(
	ctx context.Context, workdir string, stdin io.Reader, out, errs []io.Writer, env []string, args ...string,
) (stdout, stderr string, code int, err error) {
	command := strings.Join(args, " ")
	if strings.HasPrefix(command, "stack history ") {
		return "[]", "", 0, nil
	}
	if strings.HasPrefix(command, "stack output ") {
		show := strings.Contains(command, " --show-secrets")
		if outputs, known := readOutputs(ctx, f.lab, workdir, args[len(args)-1], show); known {
			return outputs, "", 0, nil
		}
	}
	return f.PulumiCommand.Run(ctx, workdir, stdin, out, errs, env, args...)
}

// State returns the state of the stack dev of the program in a folder, from its file.
func State(t *testing.T, l *lab.Lab, dir string) apitype.DeploymentV3 {
	t.Helper()
	state, err := readState(l, dir, "dev")
	Check(t, err)
	return state
}

// readState reads the state of a stack of the program in a folder, from its file.
func readState(l *lab.Lab, dir, stack string) (apitype.DeploymentV3, error) {
	var state struct {
		Checkpoint struct{ Latest apitype.DeploymentV3 }
	}
	project, err := workspace.LoadProject(filepath.Join(dir, "Pulumi.yaml"))
	if err != nil {
		return state.Checkpoint.Latest, err
	}
	text, err := os.ReadFile(filepath.Join(l.Dir, "state", ".pulumi", "stacks", project.Name.String(), stack+".json"))
	if err == nil {
		err = json.Unmarshal(text, &state)
	}
	return state.Checkpoint.Latest, err
}

// readOutputs reads the outputs of a stack of the program in a folder from its state, as "stack output --json" prints
// them. It does not know outputs that the CLI prints in another form than the state has.
func readOutputs(ctx context.Context, l *lab.Lab, dir, stack string, show bool) (outputs string, known bool) {
	state, err := readState(l, dir, stack)
	if err != nil {
		return "", false
	}
	values := map[string]any{}
	for _, r := range state.Resources {
		if r.Type != resource.RootStackType {
			continue
		}
		for name, value := range r.Outputs {
			stored, err := json.Marshal(value)
			switch {
			case err != nil || state.SecretsProviders == nil:
				return "", false
			case !strings.Contains(string(stored), resource.SigKey):
				values[name] = value
			case !show && strings.Contains(string(stored), resource.SecretSig):
				values[name] = "[secret]"
			default:
				if values[name], err = decrypt(ctx, state.SecretsProviders, stored); err != nil {
					return "", false
				}
			}
		}
	}
	text, err := json.Marshal(values)
	return string(text), err == nil
}

// decrypt decrypts a value in a state that is nothing but a secret.
func decrypt(ctx context.Context, provider *apitype.SecretsProvidersV1, stored []byte) (value any, err error) {
	var secret struct{ Ciphertext string }
	var settings struct{ EncryptedKey []byte }
	if err := errors.Join(json.Unmarshal(stored, &secret), json.Unmarshal(provider.State, &settings)); err != nil {
		return nil, err
	}
	key, err := lab.DecryptKey(settings.EncryptedKey)
	if err != nil {
		return nil, err
	}
	text, err := config.NewSymmetricCrypter(key).DecryptValue(ctx, secret.Ciphertext)
	switch {
	case err != nil:
		return nil, err
	case strings.Contains(text, resource.SigKey):
		return nil, errors.New("the secret holds what is no plain value")
	}
	err = json.Unmarshal([]byte(text), &value)
	return value, err
}
