package tests

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestNeverWithoutAKey rotates while somebody calls AWS without pause, with the key that the secret holds and with
// policies enforced: every call succeeds. The user never has more than two keys.
func TestNeverWithoutAKey(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newKeyStack(t, l)
	key := s.administrator()
	check(t, l.Enforce(t.Context(), true))
	admin := l.ConfigFor(*key.AccessKeyId, *key.SecretAccessKey, "")

	inputs := func(generation int, previous string) values {
		return values{"generation": generation, "previous": previous, "secretsManager": values{"name": "cicd/bot"}}
	}
	s.next(inputs(1, "inactive"))

	var most atomic.Int64
	l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		serve(w)
		if call.Action != "CreateAccessKey" && call.Action != "DeleteAccessKey" {
			return
		}
		keys, err := iam.NewFromConfig(admin).ListAccessKeys(context.Background(),
			&iam.ListAccessKeysInput{UserName: aws.String("cicd-bot")})
		if err != nil {
			t.Errorf("list the keys: %v", err)
			return
		}
		most.Store(max(most.Load(), int64(len(keys.AccessKeyMetadata))))
	})

	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	calls := 0
	wg.Go(func() {
		secrets := secretsmanager.NewFromConfig(admin)
		read := func() (pair pair) {
			held, err := secrets.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{SecretId: aws.String("cicd/bot")})
			if err == nil {
				err = json.Unmarshal([]byte(*held.SecretString), &pair)
			}
			if err != nil {
				t.Errorf("read the secret: %v", err)
			}
			return pair
		}
		for ctx.Err() == nil {
			held := read()
			_, err := sts.NewFromConfig(l.ConfigFor(held.ID, held.Secret, "")).
				GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			// Between reading the secret and using the key, a rotation may have replaced both.
			if err != nil && read() == held {
				t.Errorf("the current key %s fails: %v", held.ID, err)
			}
			calls++
		}
	})
	for i, previous := range []string{"inactive", "active", "deleted", "deleted", "inactive"} {
		s.next(inputs(i+2, previous))
	}
	stop()
	wg.Wait()
	if calls < 20 || most.Load() != 2 {
		t.Errorf("there were %d calls with the current key, and %d keys at most", calls, most.Load())
	}
	l.Inject(nil)
	s.next(nil)
	check(t, l.Enforce(t.Context(), false))
}

// pair is an access key as the stores hold it.
type pair struct {
	ID     string `json:"AWS_ACCESS_KEY_ID"`
	Secret string `json:"AWS_SECRET_ACCESS_KEY"`
}

// administrator makes an IAM user who may do everything, for an account whose policies are enforced, and has the stack
// use the user's key.
func (s *keyStack) administrator() *types.AccessKey {
	s.t.Helper()
	client, name := iam.NewFromConfig(s.lab.Config()), aws.String("administrator")
	_, err := client.CreateUser(s.t.Context(), &iam.CreateUserInput{UserName: name})
	check(s.t, err)
	_, err = client.PutUserPolicy(s.t.Context(), &iam.PutUserPolicyInput{
		UserName: name, PolicyName: name, PolicyDocument: aws.String(everything),
	})
	check(s.t, err)
	made, err := client.CreateAccessKey(s.t.Context(), &iam.CreateAccessKeyInput{UserName: name})
	check(s.t, err)
	check(s.t, s.Workspace().SetEnvVars(map[string]string{
		"AWS_ACCESS_KEY_ID": *made.AccessKey.AccessKeyId, "AWS_SECRET_ACCESS_KEY": *made.AccessKey.SecretAccessKey,
	}))
	return made.AccessKey
}

// A kill ends a process in the middle of an update, at one of its calls of AWS.
type kill struct {
	// victim is the program's name. There may be none: then it is only AWS's answer that is lost.
	victim string
	// write is the number of the call, among those that change something.
	write int
	// after says that AWS has done what it was called for. The answer never arrives.
	after bool
}

// TestKilledRotations kills the engine and the plugins at every call that a rotation makes, before AWS has done it and
// after, and then does what the guide says: "pulumi cancel" if the stack is locked, "pulumi up", and the one command
// that its error names, if there is one. Each time it ends as if nothing had happened.
func TestKilledRotations(t *testing.T) {
	t.Parallel()
	onlyLinuxTells(t, "which plugins the CLI has started")
	l := newLab(t)
	s := newKeyStack(t, l)
	inputs := func(generation int) values {
		return values{
			"generation": generation, "previous": "inactive",
			"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		}
	}
	s.next(inputs(1))
	s.next(inputs(2))
	l.Calls()
	before := s.next(inputs(3))
	writes := l.Writes()
	t.Logf("a rotation makes the calls %v", writes)

	var kills []kill
	for write, action := range writes {
		for _, after := range []bool{false, true} {
			kills = append(kills, kill{"pulumi", write, after})
			if action == "CreateAccessKey" {
				kills = append(kills, kill{"pulumi-resource-aws", write, after}, kill{"pulumi-resource-cicd", write, after})
			}
		}
	}
	named := 0
	for i, k := range kills {
		generation := i + 4
		s.give(inputs(generation))
		what := fmt.Sprintf("%s killed at %s, after it: %v", k.victim, writes[k.write], k.after)
		out := s.killedUpdate(k)
		if strings.Contains(out, "Updated") {
			t.Errorf("%s: the update ended by itself:\n%s", what, out)
		}
		now, left := s.recover(what)
		named += left["key"]
		if left["key"] > 1 || left["secret"]+left["parameter"] > 0 {
			t.Errorf("%s: %v were named", what, left)
		}
		if now.Generation != generation || now.PreviousAccessKeyID != before.AccessKeyID {
			t.Errorf("%s: it ends with %+v", what, now)
		}
		s.holds(before.AccessKeyID+inactive, now.AccessKeyID+active)
		s.keeps(now)
		before = now
	}
	// The engine or the AWS plugin did not live to see the key that AWS had made.
	if named < 2 {
		t.Errorf("%d updates of %d named a key", named, len(kills))
	}
	s.unchanged()
	s.destroy()
}

// TestKilledFirstKeys kills the engine and the AWS plugin once AWS has done each of the calls that a robot's first key
// and its stores take, and then does what the guides say. Each time it ends with one key, which both stores hold.
func TestKilledFirstKeys(t *testing.T) {
	t.Parallel()
	onlyLinuxTells(t, "which plugins the CLI has started")
	l := newLab(t)
	s := newKeyStack(t, l)
	inputs := values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	s.next(nil)
	l.Calls()
	s.next(inputs)
	writes := l.Writes()
	t.Logf("a first key makes the calls %v", writes)
	s.next(nil)

	left := map[string]int{}
	for write := range writes {
		for _, victim := range []string{"pulumi", "pulumi-resource-aws"} {
			what := fmt.Sprintf("%s killed after call %d", victim, write)
			s.give(inputs)
			if out := s.killedUpdate(kill{victim, write, true}); strings.Contains(out, "Updated") {
				t.Errorf("%s: the update ended by itself:\n%s", what, out)
			}
			now, deleted := s.recover(what)
			for kind, n := range deleted {
				left[kind] += n
			}
			s.holds(now.AccessKeyID + active)
			s.keeps(now)
			s.next(nil)
			s.holds()
		}
	}
	for _, kind := range []string{"key", "secret", "parameter"} {
		if left[kind] == 0 {
			t.Errorf("no %s was left over, of %v", kind, left)
		}
	}
	s.destroy()
}

// TestLostKeys loses AWS's answer once it has made a key, so that the AWS plugin asks for another one. A first key is
// made, and the other one named by the same update. A rotation has no room for two, and the next update names the lost
// one.
func TestLostKeys(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	lost := kill{"", 0, true}
	s.next(nil)

	s.give(values{})
	out := s.killedUpdate(lost)
	other, first := unmanaged.FindStringSubmatch(out), s.outputs()
	if other == nil {
		t.Fatalf("the update names no other key:\n%s", out)
	}
	s.holds(other[1]+active, first.AccessKeyID+active)
	s.deleteKey("cicd-bot", other[1])

	s.give(values{"generation": 2})
	if out = s.killedUpdate(lost); !strings.Contains(out, "LimitExceeded") {
		t.Errorf("the rotation does not say that there is no room:\n%s", out)
	}
	second, named := s.recover("the answer lost")
	if named["key"] != 1 || len(named) != 1 {
		t.Errorf("%v were named", named)
	}
	s.holds(first.AccessKeyID+active, second.AccessKeyID+active)
	s.unchanged()
	s.destroy()
}

var unmanaged = regexp.MustCompile(`neither rotates nor revokes: (\S+)`)

// killedUpdate runs an update with a kill in it, and returns its output.
func (s *keyStack) killedUpdate(k kill) string {
	s.t.Helper()
	cmd := s.command("up", "--yes", "--skip-preview")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	check(s.t, cmd.Start())
	var write atomic.Int64
	write.Store(-1)
	s.lab.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		if !call.IsWrite() || write.Add(1) != int64(k.write) {
			serve(w)
			return
		}
		if k.after {
			serve(httptest.NewRecorder())
		}
		if k.victim != "" {
			signal(cmd.Process.Pid, k.victim, syscall.SIGKILL)
		}
		panic(http.ErrAbortHandler) // Whoever is left gets no answer.
	})
	_ = cmd.Wait()
	s.lab.Inject(nil)
	endSession(cmd.Process.Pid)
	return out.String()
}

// What an error names that AWS made and Pulumi could not note: a key, with the command that deletes it, a secret and a
// parameter.
var (
	deleteCommand   = regexp.MustCompile(`aws iam delete-access-key --user-name (\S+) --access-key-id (\S+)`)
	secretExists    = regexp.MustCompile(`Secrets Manager Secret \((\S+)\):.*ResourceExistsException`)
	parameterExists = regexp.MustCompile(`SSM Parameter \((\S+)\):.*ParameterAlreadyExists`)
)

// recover does after a killed update what the guides say, and returns the outputs and how many of what the errors
// named.
func (s *keyStack) recover(what string) (outputs keyOutputs, named map[string]int) {
	s.t.Helper()
	out, err := s.command("cancel", "--yes").CombinedOutput()
	if err != nil {
		s.t.Errorf("%s: cancel: %v\n%s", what, err, out)
	}
	named = map[string]int{}
	// What is left over of one kind may be found only once that of another is gone.
	for range 6 {
		if out, err = s.command("up", "--yes", "--skip-preview").CombinedOutput(); err == nil {
			return s.outputs(), named
		}
		found := s.deleteNamed(string(out))
		if len(found) == 0 {
			break
		}
		for kind, n := range found {
			named[kind] += n
		}
	}
	s.t.Fatalf("%s: the next update fails, after %v were named and deleted:\n%s", what, named, out)
	return outputs, named
}

// deleteNamed deletes what an update's errors name, and returns how many there were of what.
func (s *keyStack) deleteNamed(out string) map[string]int {
	s.t.Helper()
	ctx, config, found := s.t.Context(), s.lab.Config(), map[string]int{}
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
	each("key", deleteCommand, func(match []string) { s.deleteKey(match[1], match[2]) })
	each("secret", secretExists, func(match []string) {
		_, err := secretsmanager.NewFromConfig(config).DeleteSecret(ctx,
			&secretsmanager.DeleteSecretInput{SecretId: &match[1], ForceDeleteWithoutRecovery: aws.Bool(true)})
		check(s.t, err)
	})
	each("parameter", parameterExists, func(match []string) {
		_, err := ssm.NewFromConfig(config).DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: &match[1]})
		check(s.t, err)
	})
	return found
}

// outputs returns the stack's outputs.
func (s *keyStack) outputs() keyOutputs {
	s.t.Helper()
	outputs, err := s.Outputs(s.t.Context())
	check(s.t, err)
	return readKeyOutputs(s.t, outputs)
}

// command is a command of the Pulumi CLI for the stack.
func (s *keyStack) command(args ...string) *exec.Cmd {
	return s.lab.Command(s.t.Context(), s.dir, args...)
}

// TestAnotherRotationAfterAKill asks for one more rotation where the one before was killed: the key that works is not
// deleted before another one does.
func TestAnotherRotationAfterAKill(t *testing.T) {
	t.Parallel()
	onlyLinuxTells(t, "which plugins the CLI has started")
	s := newKeyStack(t, newLab(t))
	s.next(nil)
	s.next(values{})
	working := s.next(values{"generation": 2})

	// Before AWS made the key.
	s.give(values{"generation": 3})
	s.killedUpdate(kill{"pulumi", 0, true})
	s.holds(working.AccessKeyID + active)
	s.give(values{"generation": 4})
	now, named := s.recover("killed before the key was made")
	s.holds(working.AccessKeyID+active, now.AccessKeyID+active)
	if len(named) != 0 || now.PreviousAccessKeyID != working.AccessKeyID {
		t.Errorf("it ends with %+v, after %v were named", now, named)
	}
	s.unchanged()

	// After AWS made it, and before it was noted. The working key stays until the update that makes another one.
	working = now
	s.give(values{"generation": now.Generation + 1})
	s.killedUpdate(kill{"pulumi", 1, true})
	s.give(values{"generation": now.Generation + 2})
	s.lab.Calls()
	now, named = s.recover("killed after the key was made")
	if named["key"] != 1 || now.AccessKeyID == working.AccessKeyID {
		t.Errorf("it ends with %+v, after %v were named", now, named)
	}
	s.holds(now.AccessKeyID + active)
	writes := s.lab.Writes()
	// The command that the error names deletes a key first; the last call deletes the one that worked.
	if want := []string{"DeleteAccessKey", "CreateAccessKey", "DeleteAccessKey"}; !slices.Equal(writes, want) {
		t.Errorf("it takes the calls %v, not %v", writes, want)
	}
	s.unchanged()
	s.destroy()
}
