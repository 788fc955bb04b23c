package chaos

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestAccessKeyInterrupted checks what follows an update that is interrupted while it waits for its new key to work,
// when another rotation is asked for at once. AWS does not list the new key yet: it is not taken for one that was never
// made, so the first key, which may have leaked, is gone in the end.
func TestAccessKeyInterrupted(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "which processes an update has")
	s := newKeyStack(t, harness.NewLab(t))
	inputs := func(generation int) values {
		return values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	}
	leaked := s.Next(inputs(1))
	const wait = 8 * time.Second
	harness.Check(t, s.Workspace().SetEnvVars(map[string]string{"CICD_IAM_WAIT": wait.String()}))

	s.Give(inputs(2))
	cmd := s.Command("up", "--yes", "--skip-preview")
	cmd.Env = append(cmd.Env, "CICD_IAM_WAIT="+wait.String())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	harness.Check(t, cmd.Start())
	s.Lab.Calls()
	s.Lab.Inject(harness.FirstOf("CreateAccessKey", func(w http.ResponseWriter, _ lab.Call, serve func(http.ResponseWriter)) {
		// The key is listed so long after AWS made it, and not after the update planned it.
		time.Sleep(3 * time.Second)
		serve(w)
		time.AfterFunc(700*time.Millisecond, func() { signal(cmd.Process.Pid, "pulumi", syscall.SIGINT) })
	}))
	err := cmd.Wait()
	s.Lab.Inject(nil)
	lab.EndSession(cmd.Process.Pid)
	if writes := s.KeyWrites(); err == nil || !slices.Equal(writes, []string{"CreateAccessKey"}) {
		t.Errorf("interrupted, the update ends with %v after the calls %v:\n%s", err, writes, out.String())
	}
	if strings.Contains(out.String(), "grpc:") {
		t.Errorf("the update says:\n%s", out.String())
	}

	s.Lab.LagKeys(wait)
	s.Give(inputs(3))
	third, times := s.Retry()
	if third.Generation != 3 || third.PreviousAccessKeyID == leaked.AccessKeyID {
		t.Errorf("after the leaked key %s, and run again %d times, it ends with %+v", leaked.AccessKeyID, times, third)
	}
	s.Lab.LagKeys(0)
	s.Holds(third.PreviousAccessKeyID+harness.Active, third.AccessKeyID+harness.Active)
	s.Keeps(third)
	s.Unchanged()
	s.MustDestroy()
}

// values are an object in a program.
type values = harness.Values

// keyStack is a [harness.KeyStack] with what only these tests do.
type keyStack struct{ *harness.KeyStack }

func newKeyStack(t *testing.T, l *lab.Lab) *keyStack {
	t.Helper()
	return &keyStack{harness.NewKeyStack(t, l)}
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
	harness.OnlyLinuxTells(t, "which plugins the CLI has started")
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	inputs := func(generation int) values {
		return values{
			"generation": generation, "previous": "inactive",
			"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		}
	}
	s.Next(inputs(1))
	s.Next(inputs(2))
	l.Calls()
	before := s.Next(inputs(3))
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
		s.Give(inputs(generation))
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
		s.Holds(before.AccessKeyID+harness.Inactive, now.AccessKeyID+harness.Active)
		s.Keeps(now)
		before = now
	}
	// The engine or the AWS plugin did not live to see the key that AWS had made.
	if named < 2 {
		t.Errorf("%d updates of %d named a key", named, len(kills))
	}
	s.Unchanged()
	s.MustDestroy()
}

// TestKilledFirstKeys kills the engine and the AWS plugin once AWS has done each of the calls that a robot's first key
// and its stores take, and then does what the guides say. Each time it ends with one key, which both stores hold.
func TestKilledFirstKeys(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "which plugins the CLI has started")
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	inputs := values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	s.Next(nil)
	l.Calls()
	s.Next(inputs)
	writes := l.Writes()
	t.Logf("a first key makes the calls %v", writes)
	s.Next(nil)

	left := map[string]int{}
	for write := range writes {
		for _, victim := range []string{"pulumi", "pulumi-resource-aws"} {
			what := fmt.Sprintf("%s killed after call %d", victim, write)
			s.Give(inputs)
			if out := s.killedUpdate(kill{victim, write, true}); strings.Contains(out, "Updated") {
				t.Errorf("%s: the update ended by itself:\n%s", what, out)
			}
			now, deleted := s.recover(what)
			for kind, n := range deleted {
				left[kind] += n
			}
			s.Holds(now.AccessKeyID + harness.Active)
			s.Keeps(now)
			s.Next(nil)
			s.Holds()
		}
	}
	for _, kind := range []string{"key", "secret", "parameter"} {
		if left[kind] == 0 {
			t.Errorf("no %s was left over, of %v", kind, left)
		}
	}
	s.MustDestroy()
}

// TestLostKeys loses AWS's answer once it has made a key, so that the AWS plugin asks for another one. A first key is
// made, and the other one named by the same update. A rotation has no room for two, and the next update names the lost
// one.
func TestLostKeys(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	lost := kill{"", 0, true}
	s.Next(nil)

	s.Give(values{})
	out := s.killedUpdate(lost)
	other, first := unmanaged.FindStringSubmatch(out), s.KeyOutputs()
	if other == nil {
		t.Fatalf("the update names no other key:\n%s", out)
	}
	s.Holds(other[1]+harness.Active, first.AccessKeyID+harness.Active)
	s.DeleteKey("cicd-bot", other[1])

	s.Give(values{"generation": 2})
	if out = s.killedUpdate(lost); !strings.Contains(out, "LimitExceeded") {
		t.Errorf("the rotation does not say that there is no room:\n%s", out)
	}
	second, named := s.recover("the answer lost")
	if named["key"] != 1 || len(named) != 1 {
		t.Errorf("%v were named", named)
	}
	s.Holds(first.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)
	s.Unchanged()
	s.MustDestroy()
}

var unmanaged = regexp.MustCompile(`neither rotates nor revokes: (\S+)`)

// killedUpdate runs an update with a kill in it, and returns its output.
func (s *keyStack) killedUpdate(k kill) string {
	s.T.Helper()
	cmd := s.Command("up", "--yes", "--skip-preview")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	harness.Check(s.T, cmd.Start())
	var write atomic.Int64
	write.Store(-1)
	s.Lab.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
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
	s.Lab.Inject(nil)
	lab.EndSession(cmd.Process.Pid)
	return out.String()
}

// recover does after a killed update what the guides say, and returns the outputs and how many of what the errors
// named.
func (s *keyStack) recover(what string) (outputs harness.KeyOutputs, named map[string]int) {
	s.T.Helper()
	out, err := s.Command("cancel", "--yes").CombinedOutput()
	if err != nil {
		s.T.Errorf("%s: cancel: %v\n%s", what, err, out)
	}
	named = map[string]int{}
	// What is left over of one kind may be found only once that of another is gone.
	for range 6 {
		if out, err = s.Command("up", "--yes", "--skip-preview").CombinedOutput(); err == nil {
			return s.KeyOutputs(), named
		}
		found := s.DeleteNamed(string(out))
		if len(found) == 0 {
			break
		}
		for kind, n := range found {
			named[kind] += n
		}
	}
	s.T.Fatalf("%s: the next update fails, after %v were named and deleted:\n%s", what, named, out)
	return outputs, named
}

// TestAnotherRotationAfterAKill asks for one more rotation where the one before was killed: the key that works is not
// deleted before another one does.
func TestAnotherRotationAfterAKill(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "which plugins the CLI has started")
	s := newKeyStack(t, harness.NewLab(t))
	s.Next(nil)
	s.Next(values{})
	working := s.Next(values{"generation": 2})

	// Before AWS made the key.
	s.Give(values{"generation": 3})
	s.killedUpdate(kill{"pulumi", 0, true})
	s.Holds(working.AccessKeyID + harness.Active)
	s.Give(values{"generation": 4})
	now, named := s.recover("killed before the key was made")
	s.Holds(working.AccessKeyID+harness.Active, now.AccessKeyID+harness.Active)
	if len(named) != 0 || now.PreviousAccessKeyID != working.AccessKeyID {
		t.Errorf("it ends with %+v, after %v were named", now, named)
	}
	s.Unchanged()

	// After AWS made it, and before it was noted. The working key stays until the update that makes another one.
	working = now
	s.Give(values{"generation": now.Generation + 1})
	s.killedUpdate(kill{"pulumi", 1, true})
	s.Give(values{"generation": now.Generation + 2})
	s.Lab.Calls()
	now, named = s.recover("killed after the key was made")
	if named["key"] != 1 || now.AccessKeyID == working.AccessKeyID {
		t.Errorf("it ends with %+v, after %v were named", now, named)
	}
	s.Holds(now.AccessKeyID + harness.Active)
	writes := s.Lab.Writes()
	// The command that the error names deletes a key first; the last call deletes the one that worked.
	if want := []string{"DeleteAccessKey", "CreateAccessKey", "DeleteAccessKey"}; !slices.Equal(writes, want) {
		t.Errorf("it takes the calls %v, not %v", writes, want)
	}
	s.Unchanged()
	s.MustDestroy()
}

// TestKilledRevocations kills the engine and the AWS plugin at every call that a revocation or its end makes, before AWS
// has done it and after. Each time the next update converges: both keys and the policy of the session tokens are as the
// program says.
func TestKilledRevocations(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "which plugins the CLI has started")
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	s.Next(values{})
	key := s.Next(values{"generation": 2})
	inputs := func(revoked bool) values { return values{"generation": 2, "revoked": revoked} }
	client := iam.NewFromConfig(l.Config())
	policy := func() string {
		t.Helper()
		policies := harness.Account(t, l).Users[0].Policies
		if len(policies) != 1 {
			t.Fatalf("the user has the policies %v", policies)
		}
		got, err := client.GetUserPolicy(t.Context(), &iam.GetUserPolicyInput{UserName: aws.String("cicd-bot"), PolicyName: &policies[0]})
		harness.Check(t, err)
		return *got.PolicyDocument
	}
	// Two keys and the policy, in any order.
	const writes = 3
	for _, revoked := range []bool{true, false} {
		status, condition := harness.Inactive, "Null"
		if !revoked {
			status, condition = harness.Active, "DateLessThan"
		}
		for write := range writes {
			for _, k := range []kill{{"pulumi", write, false}, {"pulumi", write, true}, {"pulumi-resource-aws", write, true}} {
				what := fmt.Sprintf("revoked %v, %s killed at call %d, after it: %v", revoked, k.victim, write, k.after)
				s.Next(inputs(!revoked))
				s.Give(inputs(revoked))
				if out := s.killedUpdate(k); strings.Contains(out, "Updated") {
					t.Errorf("%s: the update ended by itself:\n%s", what, out)
				}
				if _, named := s.recover(what); len(named) > 0 {
					t.Errorf("%s: %v were named", what, named)
				}
				s.Holds(key.PreviousAccessKeyID+status, key.AccessKeyID+status)
				if got := policy(); !strings.Contains(got, condition) {
					t.Errorf("%s: the policy is %s", what, got)
				}
			}
		}
	}
	s.Unchanged()
	s.MustDestroy()
}
