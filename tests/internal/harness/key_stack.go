package harness

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// Values are an object in a program.
type Values = map[string]any

// KeyStack is a stack of a robot account and an access key of it, whose inputs a test changes from update to update.
type KeyStack struct {
	*Stack
	dir string
	// Options are the resource options of the access key.
	Options Values
}

// NewKeyStack makes a stack of the robot cicd-bot, without an access key yet.
func NewKeyStack(t *testing.T, l *lab.Lab) *KeyStack {
	t.Helper()
	s := &KeyStack{Stack: &Stack{T: t, Lab: l}, dir: t.TempDir()}
	s.Give(nil)
	s.Stack = LocalStack(t, l, s.dir)
	return s
}

// Give writes a program that gives the robot cicd-bot an access key with these inputs, or none.
func (s *KeyStack) Give(key Values) {
	s.T.Helper()
	s.Write("cicd-bot", key)
}

// Write writes a program of a robot account, whose user may have no name of its own, and an access key with these
// inputs, if there are any.
func (s *KeyStack) Write(userName string, key Values) {
	s.T.Helper()
	robot := Values{}
	if userName != "" {
		robot["userName"] = userName
	}
	s.WriteWith(Values{"robot": Values{"type": "cicd:RobotAccount", "properties": robot}}, key)
}

// WriteWith writes a program of these resources, and of an access key with these inputs, if there are any. Unless they
// name another user, it is the robot's.
func (s *KeyStack) WriteWith(resources, key Values) {
	s.T.Helper()
	resources, outputs := maps.Clone(resources), Values{}
	if key != nil {
		properties := maps.Clone(key)
		if properties["userName"] == nil {
			properties["userName"] = "${robot.userName}"
		}
		resource := Values{"type": "cicd:AccessKey", "properties": properties}
		if s.Options != nil {
			resource["options"] = s.Options
		}
		resources["key"] = resource
		for _, name := range []string{
			"accessKeyId", "secretAccessKey", "encryptedSecretAccessKey", "previousAccessKeyId", "generation",
			"rotatedAt", "rotateAfter", "secretArn", "ssmParameterNames",
		} {
			outputs[name] = "${key." + name + "}"
		}
	}
	s.WriteProgram(Values{"resources": resources, "outputs": outputs})
}

// WriteProgram writes a program in YAML, which JSON is too.
func (s *KeyStack) WriteProgram(program Values) {
	s.T.Helper()
	program["name"], program["runtime"] = "robot-account", "yaml"
	text, err := json.Marshal(program)
	Check(s.T, err)
	Check(s.T, os.WriteFile(filepath.Join(s.dir, "Pulumi.yaml"), text, 0o600))
}

// Next runs an update in which the robot has an access key with these inputs, or none.
func (s *KeyStack) Next(accessKey Values) KeyOutputs {
	s.T.Helper()
	s.Give(accessKey)
	result, _ := s.MustUp()
	return ReadKeyOutputs(s.T, result.Outputs)
}

// Settled runs an update as Next does, and checks that another one would find nothing to do.
func (s *KeyStack) Settled(accessKey Values) KeyOutputs {
	s.T.Helper()
	outputs := s.Next(accessKey)
	s.Unchanged()
	return outputs
}

// KeyOutputs are the outputs of a KeyStack.
type KeyOutputs struct {
	AccessKeyID              string `json:"accessKeyId"`
	SecretAccessKey          string
	EncryptedSecretAccessKey string
	PreviousAccessKeyID      string `json:"previousAccessKeyId"`
	Generation               int
	RotatedAt                string
	RotateAfter              string
	SecretArn                string
	SsmParameterNames        []string
}

// ReadKeyOutputs reads outputs, and checks that the secret access key and no other is a secret.
func ReadKeyOutputs(t *testing.T, outputs auto.OutputMap) (read KeyOutputs) {
	t.Helper()
	all := Values{}
	for name, output := range outputs {
		all[name] = output.Value
		if output.Value != nil && output.Secret != (name == "secretAccessKey") {
			t.Errorf("the output %s is a secret: %v", name, output.Secret)
		}
	}
	text, err := json.Marshal(all)
	Check(t, err)
	Check(t, json.Unmarshal(text, &read))
	return read
}

// Holds checks that the user has these keys, each an ID and its status, from the oldest to the newest.
func (s *KeyStack) Holds(want ...string) {
	s.T.Helper()
	got := KeysOf(s.T, s.Lab)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.T.Errorf("the user has the keys %v, not %v", got, want)
	}
}

// KeysOf returns the ID and the status of each access key in an account.
func KeysOf(t *testing.T, l *lab.Lab) (keys []string) {
	t.Helper()
	for _, user := range Account(t, l).Users {
		for _, key := range user.Keys {
			keys = append(keys, key.ID+" "+key.Status)
		}
	}
	return keys
}

// What follows the ID of a key in what KeysOf returns.
const (
	Active   = " Active"
	Inactive = " Inactive"
)

// DeleteKey deletes a key of a user by hand.
func (s *KeyStack) DeleteKey(user, id string) {
	s.T.Helper()
	_, err := iam.NewFromConfig(s.Lab.Config()).DeleteAccessKey(s.T.Context(),
		&iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &id})
	Check(s.T, err)
}

// Age makes all keys older by some days, and refreshes the stack.
func (s *KeyStack) Age(days int) {
	s.T.Helper()
	s.Lab.AgeKeys(time.Duration(days) * 24 * time.Hour)
	_, err := s.Refresh(s.T.Context())
	Check(s.T, err)
}

// Keeps checks that both stores hold the current key and nothing else.
func (s *KeyStack) Keeps(o KeyOutputs) {
	s.T.Helper()
	a := Account(s.T, s.Lab)
	pair := fmt.Sprintf(`{"AWS_ACCESS_KEY_ID":%q,"AWS_SECRET_ACCESS_KEY":%q}`, o.AccessKeyID, o.SecretAccessKey)
	if len(a.Secrets) != 1 || a.Secrets[0].Value != pair || a.Secrets[0].Name != "cicd/bot" ||
		a.Secrets[0].ARN != o.SecretArn {
		s.T.Errorf("Secrets Manager holds %s", Pretty(s.T, a.Secrets))
	}
	var parameters []string
	for _, p := range a.Parameters {
		parameters = append(parameters, p.Name+"="+p.Type+" "+p.Value)
	}
	want := []string{
		"/cicd/bot/AWS_ACCESS_KEY_ID=SecureString " + o.AccessKeyID,
		"/cicd/bot/AWS_SECRET_ACCESS_KEY=SecureString " + o.SecretAccessKey,
	}
	if !slices.Equal(parameters, want) ||
		!slices.Equal(o.SsmParameterNames, []string{"/cicd/bot/AWS_ACCESS_KEY_ID", "/cicd/bot/AWS_SECRET_ACCESS_KEY"}) {
		s.T.Errorf("Parameter Store holds %v, named %v", parameters, o.SsmParameterNames)
	}
}

// What an error names that AWS made and Pulumi could not note: a key, with the command that deletes it, a secret and a
// parameter.
var (
	deleteCommand   = regexp.MustCompile(`aws iam delete-access-key --user-name (\S+) --access-key-id (\S+)`)
	secretExists    = regexp.MustCompile(`Secrets Manager Secret \((\S+)\):.*ResourceExistsException`)
	parameterExists = regexp.MustCompile(`SSM Parameter \((\S+)\):.*ParameterAlreadyExists`)
)

// DeleteNamed deletes the keys, secrets and parameters that an update's errors name, and returns how many of each.
func (s *KeyStack) DeleteNamed(out string) map[string]int {
	s.T.Helper()
	ctx, config, found := s.T.Context(), s.Lab.Config(), map[string]int{}
	each := func(kind string, named *regexp.Regexp, remove func(match []string)) {
		// Told as it happens, and once more at the end.
		removed := map[string]bool{}
		for _, match := range named.FindAllStringSubmatch(out, -1) {
			if id := strings.Join(match[1:], " "); !removed[id] {
				removed[id] = true
				found[kind]++
				remove(match)
			}
		}
	}
	each("key", deleteCommand, func(match []string) { s.DeleteKey(match[1], match[2]) })
	each("secret", secretExists, func(match []string) {
		_, err := secretsmanager.NewFromConfig(config).DeleteSecret(ctx,
			&secretsmanager.DeleteSecretInput{SecretId: &match[1], ForceDeleteWithoutRecovery: aws.Bool(true)})
		Check(s.T, err)
	})
	each("parameter", parameterExists, func(match []string) {
		_, err := ssm.NewFromConfig(config).DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &match[1]})
		Check(s.T, err)
	})
	return found
}

// KeyOutputs returns the stack's outputs.
func (s *KeyStack) KeyOutputs() KeyOutputs {
	s.T.Helper()
	outputs, err := s.Outputs(s.T.Context())
	Check(s.T, err)
	return ReadKeyOutputs(s.T, outputs)
}

// Command returns a command of the Pulumi CLI for the stack.
func (s *KeyStack) Command(args ...string) *exec.Cmd {
	return s.Lab.Command(s.T.Context(), s.dir, args...)
}

// KeyWrites returns the calls since the last time that change a key or what a store holds, in order.
func (s *KeyStack) KeyWrites() []string {
	return slices.DeleteFunc(s.Lab.Writes(), func(action string) bool {
		return !strings.HasSuffix(action, "AccessKey") && !strings.HasPrefix(action, "Put") && action != "CreateSecret" &&
			action != "DeleteSecret" && action != "DeleteParameter"
	})
}

// Retry runs an update, and runs it again for as long as its error asks for that. It returns how many times it did.
func (s *KeyStack) Retry() (outputs KeyOutputs, times int) {
	s.T.Helper()
	for ; ; times++ {
		result, _, err := s.TryUp()
		if err == nil {
			return ReadKeyOutputs(s.T, result.Outputs), times
		}
		if !strings.Contains(err.Error(), "run the update again in a minute") || times > 10 {
			s.T.Fatalf("after %d times: %v", times, err)
		}
		time.Sleep(time.Second)
	}
}
