package tests

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	awsiam "github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

const (
	day = 24 * time.Hour

	// The URNs of the access key that a keyStack has, and of its children, up to the slot's number.
	keyURN  = "urn:pulumi:dev::robot-account::cicd:index:AccessKey::key"
	slotURN = "urn:pulumi:dev::robot-account::cicd:index:AccessKey$aws:iam/accessKey:AccessKey::key-"
)

// fails runs an update that is to fail and to say all this, and returns what it says.
func (s *keyStack) fails(want ...string) string {
	s.t.Helper()
	_, _, err := s.tryUp()
	if err == nil {
		s.t.Fatalf("the update succeeds, and should say %q", want)
	}
	s.says(err.Error(), want...)
	return err.Error()
}

func (s *keyStack) says(text string, want ...string) {
	s.t.Helper()
	var missing []string
	for _, want := range want {
		if !strings.Contains(text, want) {
			missing = append(missing, want)
		}
	}
	if len(missing) > 0 {
		s.t.Errorf("it does not say %q:\n%s", missing, text)
	}
}

// keyWrites returns the calls since the last time that change a key or what a store holds, in order.
func (s *keyStack) keyWrites() []string {
	return slices.DeleteFunc(s.lab.Writes(), func(action string) bool {
		return !strings.HasSuffix(action, "AccessKey") && !strings.HasPrefix(action, "Put") && action != "CreateSecret" &&
			action != "DeleteSecret" && action != "DeleteParameter"
	})
}

// untouched says that no call since the last time changed a key or what a store holds.
func (s *keyStack) untouched(what string) {
	s.t.Helper()
	if writes := s.keyWrites(); len(writes) > 0 {
		s.t.Errorf("%s: there were the calls %v", what, writes)
	}
}

// ordered says that in a list one thing comes before another, both of which it has.
func ordered(t *testing.T, list []string, first, then string) {
	t.Helper()
	last := -1
	for i, element := range list {
		if element == first {
			last = i
		}
	}
	if next := slices.Index(list, then); last < 0 || next < last {
		t.Errorf("in %v, not every %s comes before every %s", list, first, then)
	}
}

// edit changes the stack's state.
func (s *keyStack) edit(change func(all []apitype.ResourceV3) []apitype.ResourceV3) {
	s.t.Helper()
	exported, err := s.Export(s.t.Context())
	check(s.t, err)
	var d apitype.DeploymentV3
	check(s.t, json.Unmarshal(exported.Deployment, &d))
	d.Resources = change(d.Resources)
	exported.Deployment, err = json.Marshal(d)
	check(s.t, err)
	check(s.t, s.Import(s.t.Context(), exported))
}

// editJournal changes a property of the journal in the stack's state, and returns what it was.
func (s *keyStack) editJournal(property string, value any) (was any) {
	s.t.Helper()
	found := false
	s.edit(func(all []apitype.ResourceV3) []apitype.ResourceV3 {
		for _, r := range all {
			if r.Type == "cicd:index:AccessKeyRotation" {
				was, found = r.Inputs[property]
				r.Inputs[property], r.Outputs[property] = value, value
			}
		}
		return all
	})
	if !found {
		s.t.Fatalf("the state has no journal with %s", property)
	}
	return was
}

// pulumi runs a command of the CLI, which is to succeed, and returns what it says.
func (s *keyStack) pulumi(args ...string) string {
	s.t.Helper()
	out, err := s.command(args...).CombinedOutput()
	if err != nil {
		s.t.Fatalf("pulumi %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// user makes an IAM user by hand.
func (s *keyStack) user(name string, tags ...types.Tag) {
	s.t.Helper()
	_, err := iam.NewFromConfig(s.lab.Config()).CreateUser(s.t.Context(), &iam.CreateUserInput{UserName: &name, Tags: tags})
	check(s.t, err)
}

// keyByHand makes an access key by hand, and returns its ID.
func (s *keyStack) keyByHand(user string) string {
	s.t.Helper()
	made, err := iam.NewFromConfig(s.lab.Config()).CreateAccessKey(s.t.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	check(s.t, err)
	return *made.AccessKey.AccessKeyId
}

// planned previews an update, and then runs it by the plan of that preview, later.
func (s *keyStack) planned(meanwhile func()) (keyOutputs, error) {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "plan.json")
	_, err := s.Preview(s.t.Context(), optpreview.Plan(file))
	check(s.t, err)
	s.lab.Calls()
	if meanwhile != nil {
		meanwhile()
	}
	// No time of the plan is that of the update.
	time.Sleep(2 * time.Second)
	result, _, err := s.tryUp(optup.Plan(file))
	if err != nil {
		return keyOutputs{}, err
	}
	return readKeyOutputs(s.t, result.Outputs), nil
}

// TestAccessKeyPlans checks that every kind of update does what the plan of its preview says, and that a key that falls
// due between the two is left alone until there is a new plan.
func TestAccessKeyPlans(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	var now keyOutputs
	holds := func(what string, generation, keys int) {
		t.Helper()
		before := now
		var err error
		if now, err = s.planned(nil); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if held := keysOf(t, s.lab); now.Generation != generation || len(held) != keys {
			t.Errorf("%s: the user has the keys %v, and it ends with %+v", what, held, now)
		}
		if (now.Generation != before.Generation) != (now.AccessKeyID != before.AccessKeyID) {
			t.Errorf("%s: from %+v to %+v", what, before, now)
		}
	}

	// The user's name is given, or made by Pulumi.
	s.write("cicd-bot", values{})
	holds("the first key of a user with a name", 1, 1)
	s.pulumi("destroy", "--yes", "--skip-preview")
	now = keyOutputs{}
	s.write("", values{})
	holds("the first key of a user", 1, 1)

	s.write("", values{"generation": 2})
	holds("a rotation by hand", 2, 2)
	aged := values{"generation": 2, "rotateEvery": "90d"}
	s.write("", aged)
	holds("by age", 2, 2)
	s.age(90)
	holds("a rotation by age", 3, 2)
	aged["previous"], aged["handOver"] = "deleted", "7d"
	s.write("", aged)
	holds("a hand-over", 3, 2)
	s.age(7)
	holds("the end of the hand-over", 3, 1)
	aged["revoked"] = true
	s.write("", aged)
	holds("revoked", 3, 1)
	s.holds(now.AccessKeyID + inactive)
	delete(aged, "revoked")
	aged["secretsManager"], aged["ssmPath"] = values{"name": "cicd/bot"}, "/cicd/bot"
	s.write("", aged)
	holds("stores", 3, 1)
	s.holds(now.AccessKeyID + active)
	s.keeps(now)

	// The key was made 7 days ago.
	before := now
	_, err := s.planned(func() { s.lab.AgeKeys(83 * day) })
	if err == nil || !strings.Contains(err.Error(), "violates plan") {
		t.Errorf("a key that falls due after the plan: %v", err)
	}
	s.untouched("a key that falls due after the plan")
	s.holds(before.AccessKeyID + active)
	holds("a new plan", 4, 2)
	s.keeps(now)

	// A plan that the update makes itself.
	aged["generation"] = 4
	s.write("", aged)
	s.pulumi("up", "--yes", "--strict")
	now = s.outputs()
	if now.Generation != 5 {
		t.Errorf("with --strict it ends with %+v", now)
	}
	s.keeps(now)
	s.destroy()
}

// TestAccessKeyWrongClock checks that a journal from an update with a wrong clock neither keeps a key from being
// rotated nor ends a hand-over early, and that one with numbers that make no sense stops the update before it touches a
// key.
func TestAccessKeyWrongClock(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	inputs := values{"rotateEvery": "90d", "previous": "inactive", "handOver": "7d"}
	first := s.next(inputs)
	future := time.Now().AddDate(10, 0, 0).UTC().Format(time.RFC3339)

	s.editJournal("plannedAt", future)
	s.lab.AgeKeys(89 * day)
	if now := s.next(inputs); now.AccessKeyID != first.AccessKeyID {
		t.Errorf("after 89 days the key is %+v", now)
	}
	s.lab.AgeKeys(day)
	second := s.next(inputs)
	if second.Generation != 2 || second.PreviousAccessKeyID != first.AccessKeyID {
		t.Errorf("after 90 days the key is %+v", second)
	}
	s.holds(first.AccessKeyID+active, second.AccessKeyID+active)

	for _, clock := range []string{future, "2001-01-01T00:00:00Z"} {
		s.editJournal("plannedAt", clock)
		s.next(inputs)
		s.holds(first.AccessKeyID+active, second.AccessKeyID+active)
	}
	s.editJournal("plannedAt", future)
	s.lab.AgeKeys(7 * day)
	s.next(inputs)
	s.holds(first.AccessKeyID+inactive, second.AccessKeyID+active)

	for _, tt := range []struct {
		property string
		value    any
	}{
		{"generation", 1e300}, {"generation", -1}, {"generation", 1.5}, {"first", 0}, {"requested", -1},
		{"previousGeneration", -1}, {"plannedAt", "soon"},
	} {
		was := s.editJournal(tt.property, tt.value)
		s.lab.Calls()
		inputs["generation"] = 2
		s.give(inputs)
		s.fails("the stack's state of this access key cannot be read: " + tt.property)
		s.untouched(fmt.Sprintf("%s = %v", tt.property, tt.value))
		s.editJournal(tt.property, was)
	}
	third := s.next(values{"generation": 2})
	s.holds(second.AccessKeyID+active, third.AccessKeyID+active)
	s.destroy()
}

// TestAccessKeyLaggingList checks that two rotations within seconds end every key that existed before them, while AWS
// lists keys as they were some seconds ago. An update that says so may have to be run again.
func TestAccessKeyLaggingList(t *testing.T) {
	t.Parallel()
	for _, previous := range []string{"active", "inactive", "deleted"} {
		t.Run(previous, func(t *testing.T) {
			t.Parallel()
			s := newKeyStack(t, newLab(t))
			check(t, s.Workspace().SetEnvVars(map[string]string{"CICD_IAM_WAIT": "3s"}))
			leaked := s.next(values{"previous": previous})
			s.lab.LagKeys(3 * time.Second)
			rotate := func(generation int) keyOutputs {
				t.Helper()
				s.give(values{"generation": generation, "previous": previous})
				now, _ := s.again()
				return now
			}
			second := rotate(2)
			third := rotate(3)
			if third.Generation != 3 {
				t.Errorf("two rotations end with %+v", third)
			}
			for _, key := range keysOf(t, s.lab) {
				if strings.HasPrefix(key, leaked.AccessKeyID) {
					t.Errorf("the first key of three is there after two rotations, %s", key)
				}
			}
			// Whatever was left for the next update is done then.
			time.Sleep(4 * time.Second)
			last := s.next(values{"generation": 3, "previous": previous})
			if last.AccessKeyID != third.AccessKeyID {
				t.Errorf("another update makes another key, %+v", last)
			}
			switch previous {
			case "active":
				s.holds(second.AccessKeyID+active, third.AccessKeyID+active)
			case "inactive":
				s.holds(second.AccessKeyID+inactive, third.AccessKeyID+active)
			case "deleted":
				s.holds(third.AccessKeyID + active)
			}
			s.lab.LagKeys(0)
			s.destroy()
		})
	}
}

// again runs an update, and runs it again for as long as it says that, which it counts.
func (s *keyStack) again() (outputs keyOutputs, times int) {
	s.t.Helper()
	for ; ; times++ {
		result, _, err := s.tryUp()
		if err == nil {
			return readKeyOutputs(s.t, result.Outputs), times
		}
		if !strings.Contains(err.Error(), "run the update again in a minute") || times > 10 {
			s.t.Fatalf("after %d times: %v", times, err)
		}
		time.Sleep(time.Second)
	}
}

// TestAccessKeyInterrupted checks what follows an update that is interrupted while it waits for its new key to work,
// when another rotation is asked for at once. AWS does not list the new key yet: it is not taken for one that was never
// made, so the first key, which may have leaked, is gone in the end.
func TestAccessKeyInterrupted(t *testing.T) {
	t.Parallel()
	onlyLinuxTells(t, "which processes an update has")
	s := newKeyStack(t, newLab(t))
	inputs := func(generation int) values {
		return values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	}
	leaked := s.next(inputs(1))
	const wait = 8 * time.Second
	check(t, s.Workspace().SetEnvVars(map[string]string{"CICD_IAM_WAIT": wait.String()}))

	s.give(inputs(2))
	cmd := s.command("up", "--yes", "--skip-preview")
	cmd.Env = append(cmd.Env, "CICD_IAM_WAIT="+wait.String())
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	check(t, cmd.Start())
	s.lab.Calls()
	s.lab.Inject(firstOf("CreateAccessKey", func(w http.ResponseWriter, _ lab.Call, serve func(http.ResponseWriter)) {
		// The key is listed so long after AWS made it, and not after the update planned it.
		time.Sleep(3 * time.Second)
		serve(w)
		time.AfterFunc(700*time.Millisecond, func() { signal(cmd.Process.Pid, "pulumi", syscall.SIGINT) })
	}))
	err := cmd.Wait()
	s.lab.Inject(nil)
	endSession(cmd.Process.Pid)
	if writes := s.keyWrites(); err == nil || !slices.Equal(writes, []string{"CreateAccessKey"}) {
		t.Errorf("interrupted, the update ends with %v after the calls %v:\n%s", err, writes, out.String())
	}
	if strings.Contains(out.String(), "grpc:") {
		t.Errorf("the update says:\n%s", out.String())
	}

	s.lab.LagKeys(wait)
	s.give(inputs(3))
	third, times := s.again()
	if third.Generation != 3 || third.PreviousAccessKeyID == leaked.AccessKeyID {
		t.Errorf("after the leaked key %s, and run again %d times, it ends with %+v", leaked.AccessKeyID, times, third)
	}
	s.lab.LagKeys(0)
	s.holds(third.PreviousAccessKeyID+active, third.AccessKeyID+active)
	s.keeps(third)
	s.unchanged()
	s.destroy()
}

// publicKey returns a new OpenPGP public key, which expires after some seconds, or never if they are 0.
func publicKey(t *testing.T, lifetime uint32) string {
	t.Helper()
	entity, err := openpgp.NewEntity("CI", "", "ci@example.com", &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: lifetime,
	})
	check(t, err)
	var public bytes.Buffer
	check(t, entity.Serialize(&public))
	return base64.StdEncoding.EncodeToString(public.Bytes())
}

// TestAccessKeyExpiredPGPKey checks that a public key that has expired since stops an update that makes a key with it,
// and no other.
func TestAccessKeyExpiredPGPKey(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	s.next(nil)
	const lifetime = 25
	expired := publicKey(t, lifetime)
	expires := time.Now().Add(lifetime * time.Second)
	with := func(generation int, more values) values {
		inputs := values{"generation": generation, "pgpKey": expired}
		maps.Copy(inputs, more)
		return inputs
	}
	first := s.next(with(1, nil))
	second := s.next(with(2, nil))
	time.Sleep(time.Until(expires.Add(time.Second)))

	s.settled(with(2, nil))
	for _, tt := range []struct {
		inputs values
		want   []string
	}{
		{values{"revoked": true}, []string{first.AccessKeyID + inactive, second.AccessKeyID + inactive}},
		{values{"previous": "inactive"}, []string{first.AccessKeyID + inactive, second.AccessKeyID + active}},
		{values{"previous": "active", "rotateEvery": "90d"}, []string{first.AccessKeyID + active, second.AccessKeyID + active}},
		{values{"previous": "deleted"}, []string{second.AccessKeyID + active}},
	} {
		s.next(with(2, tt.inputs))
		s.holds(tt.want...)
	}
	s.lab.Calls()
	s.give(with(3, nil))
	_, err := s.Preview(t.Context())
	if err == nil || !strings.Contains(err.Error(), "pgpKey: must be an OpenPGP public key that has not expired") {
		t.Errorf("the preview of a rotation: %v", err)
	}
	s.fails("pgpKey: must be an OpenPGP public key that has not expired")
	s.untouched("a rotation")
	s.holds(second.AccessKeyID + active)

	third := s.next(values{"generation": 2, "pgpKey": publicKey(t, 0)})
	if third.Generation != 3 || third.EncryptedSecretAccessKey == "" {
		t.Errorf("with another public key, the key is %+v", third)
	}
	s.holds(second.AccessKeyID+active, third.AccessKeyID+active)
	s.destroy()
}

// stateDelete is the command that takes a resource out of the state, as an error gives it.
var stateDelete = regexp.MustCompile(`pulumi state delete '([^']+)'`)

// TestAccessKeyTakenOver checks what becomes of keys that the component did not make and that were moved into a slot.
func TestAccessKeyTakenOver(t *testing.T) {
	t.Parallel()
	stores := func(generation int) values {
		return values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	}

	// One of the program, whose secret is in the state, stays, and is the previous key after the first rotation.
	t.Run("with its secret", func(t *testing.T) {
		t.Parallel()
		s := newKeyStack(t, newLab(t))
		s.writeProgram(values{"resources": values{
			"robot": values{"type": "cicd:RobotAccount", "properties": values{"userName": "cicd-bot"}},
			"own":   values{"type": "aws:iam:AccessKey", "properties": values{"user": "${robot.userName}"}},
		}, "outputs": values{"accessKeyId": "${own.id}", "secretAccessKey": "${own.secret}"}})
		result, _ := s.up()
		own := readKeyOutputs(t, result.Outputs)
		s.edit(func(all []apitype.ResourceV3) []apitype.ResourceV3 {
			i := slices.IndexFunc(all, func(r apitype.ResourceV3) bool { return r.URN.Name() == "own" })
			moved := all[i]
			moved.URN, moved.Parent = slotURN+"1", keyURN
			component := apitype.ResourceV3{URN: keyURN, Type: "cicd:index:AccessKey", Parent: all[i].Parent}
			return append(slices.Delete(all, i, i+1), component, moved)
		})
		s.lab.Calls()
		kept := s.next(stores(1))
		if kept.AccessKeyID != own.AccessKeyID || kept.SecretAccessKey != own.SecretAccessKey {
			t.Errorf("%s is taken over, and the key is %+v", own.AccessKeyID, kept)
		}
		s.holds(own.AccessKeyID + active)
		s.keeps(kept)
		if writes := s.keyWrites(); slices.ContainsFunc(writes, func(w string) bool { return strings.HasSuffix(w, "AccessKey") }) {
			t.Errorf("taking a key over takes the calls %v", writes)
		}
		second := s.settled(stores(2))
		s.holds(own.AccessKeyID+active, second.AccessKeyID+active)
		s.keeps(second)
		if second.PreviousAccessKeyID != own.AccessKeyID {
			t.Errorf("after the first rotation the key is %+v", second)
		}
		third := s.settled(stores(3))
		s.holds(second.AccessKeyID+active, third.AccessKeyID+active)
		s.keeps(third)
		s.destroy()
	})

	// So does one that an alias moves there, which a transform adds.
	t.Run("by an alias", func(t *testing.T) {
		t.Parallel()
		l := newLab(t)
		generation := 0
		s := inlineStack(t, l, func(ctx *pulumi.Context) error {
			robot, err := cicd.NewRobotAccount(ctx, "robot", nil)
			if err != nil {
				return err
			}
			if generation == 0 {
				own, err := awsiam.NewAccessKey(ctx, "own", &awsiam.AccessKeyArgs{User: robot.UserName})
				ctx.Export("accessKeyId", own.ID())
				return err
			}
			key, err := cicd.NewAccessKey(ctx, "key", &cicd.AccessKeyArgs{
				UserName: robot.UserName, Generation: pulumi.Int(generation),
			}, pulumi.Transforms([]pulumi.ResourceTransform{
				func(_ context.Context, args *pulumi.ResourceTransformArgs) *pulumi.ResourceTransformResult {
					if args.Name == "key-1" {
						own := pulumi.Alias{URN: pulumi.URN("urn:pulumi:dev::robot-account::aws:iam/accessKey:AccessKey::own")}
						args.Opts.Aliases = append(args.Opts.Aliases, own)
					}
					return &pulumi.ResourceTransformResult{Props: args.Props, Opts: args.Opts}
				},
			}))
			if err == nil {
				ctx.Export("accessKeyId", key.AccessKeyId)
			}
			return err
		})
		var ids []string
		for generation = range 4 {
			result, _ := s.up()
			ids = append(ids, result.Outputs["accessKeyId"].Value.(string)+active)
			want, held := slices.Clone(ids[max(0, len(ids)-2):]), keysOf(t, l)
			if generation == 1 {
				want = ids[:1]
			}
			slices.Sort(want)
			slices.Sort(held)
			if !slices.Equal(held, want) {
				t.Errorf("at generation %d, the user has the keys %v and not %v", generation, held, want)
			}
		}
		if ids[0] != ids[1] {
			t.Errorf("the key %s is taken over, and becomes %s", ids[0], ids[1])
		}
		s.unchanged()
		s.destroy()
	})

	// One that was imported has no secret: nothing is stored until the two commands of the error are run.
	t.Run("imported", func(t *testing.T) {
		t.Parallel()
		s := newKeyStack(t, newLab(t))
		s.next(nil)
		imported := s.keyByHand("cicd-bot")
		// The component has to be there as a parent.
		s.give(stores(1))
		s.lab.Inject(allOf("CreateAccessKey", func(w http.ResponseWriter, call lab.Call, _ func(http.ResponseWriter)) {
			lab.Refuse(w, call, http.StatusForbidden, "AccessDenied", "Not now.")
		}))
		s.fails("AccessDenied")
		s.lab.Inject(nil)
		s.pulumi("import", "aws:iam/accessKey:AccessKey", "key-1", imported, "--parent", "key="+keyURN, "--protect=false",
			"--generate-code=false", "--yes", "--skip-preview")
		s.refusesEmpty(imported)
		now := s.next(stores(1))
		s.holds(imported+active, now.AccessKeyID+active)
		s.keeps(now)
		s.deleteKey("cicd-bot", imported)
		s.settled(stores(1))
		s.holds(now.AccessKeyID + active)
		s.destroy()
	})

	// So has one that lost its secret. AWS listed it after the first update, so the next one takes it for left over.
	t.Run("without its secret", func(t *testing.T) {
		t.Parallel()
		s := newKeyStack(t, newLab(t))
		blank := s.next(values{})
		s.edit(func(all []apitype.ResourceV3) []apitype.ResourceV3 {
			for _, r := range all {
				if r.URN == slotURN+"1" {
					delete(r.Outputs, "secret")
				}
			}
			return all
		})
		s.give(stores(1))
		s.refusesEmpty(blank.AccessKeyID)
		s.fails(blank.AccessKeyID, "when nobody uses it", "aws iam delete-access-key")
		s.deleteKey("cicd-bot", blank.AccessKeyID)
		now := s.next(stores(1))
		s.holds(now.AccessKeyID + active)
		s.keeps(now)
		second := s.settled(stores(2))
		s.holds(now.AccessKeyID+active, second.AccessKeyID+active)
		s.keeps(second)
		s.destroy()
	})
}

// refusesEmpty says that the update stops at a key without a secret before any store is written, and does what its
// error says of the state.
func (s *keyStack) refusesEmpty(id string) {
	s.t.Helper()
	s.lab.Calls()
	text := s.fails("the access key "+id+" in the stack's state has no secret", "when nobody uses it")
	for _, write := range s.keyWrites() {
		// A secret without a value is no harm.
		if write != "CreateSecret" {
			s.t.Errorf("with a key without a secret there is the call %s", write)
		}
	}
	command := stateDelete.FindStringSubmatch(text)
	if len(command) != 2 || command[1] != slotURN+"1" {
		s.t.Fatalf("it names no command, or another resource, %q:\n%s", command, text)
	}
	s.pulumi("state", "delete", command[1], "--yes")
}

// TestAccessKeyOfRestoredState checks that a state of two rotations ago is told from others, and that what the update
// says leads to a working key in the stores without an end of the one in use before that.
func TestAccessKeyOfRestoredState(t *testing.T) {
	t.Parallel()
	for name, more := range map[string]values{
		"active": {}, "handed over": {"previous": "deleted", "handOver": "7d"}, "deleted": {"previous": "deleted"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newKeyStack(t, newLab(t))
			inputs := func(generation int) values {
				all := values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
				maps.Copy(all, more)
				return all
			}
			s.next(inputs(1))
			s.next(inputs(2))
			old, err := s.Export(t.Context())
			check(t, err)
			third := s.next(inputs(3))
			inUse := s.next(inputs(4))
			check(t, s.Import(t.Context(), old))

			s.give(inputs(2))
			s.lab.Calls()
			if name != "deleted" {
				_, _, err = s.tryUp(optup.Refresh())
				if err == nil {
					t.Fatal("an old state is taken for right")
				}
				s.says(err.Error(), third.AccessKeyID, inUse.AccessKeyID, "may be in use", "when nobody uses it",
					"an older state was restored", "--access-key-id ID")
				// Which of them is in use, is not for it to say.
				if strings.Contains(err.Error(), "--access-key-id AKIA") {
					t.Errorf("it gives the command that deletes one of them:\n%v", err)
				}
				s.untouched("an old state")
				s.holds(third.AccessKeyID+active, inUse.AccessKeyID+active)
				s.deleteKey("cicd-bot", third.AccessKeyID)
			}
			result, _ := s.up(optup.Refresh())
			now := readKeyOutputs(t, result.Outputs)
			s.says(result.StdOut, "neither rotates nor revokes: "+inUse.AccessKeyID)
			s.holds(inUse.AccessKeyID+active, now.AccessKeyID+active)
			if !works(t, s.lab, now.AccessKeyID, now.SecretAccessKey) || !works(t, s.lab, inUse.AccessKeyID, inUse.SecretAccessKey) {
				t.Errorf("the steps lead to %+v", now)
			}
			s.keeps(now)
			s.deleteKey("cicd-bot", inUse.AccessKeyID)
			s.settled(inputs(2))
			s.holds(now.AccessKeyID + active)
			s.keeps(s.next(inputs(3)))
			s.destroy()
		})
	}
}

// TestAccessKeyOfDeletedUser checks that an update says that somebody deleted the user, and how to go on.
func TestAccessKeyOfDeletedUser(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	inputs := values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	s.next(inputs)
	inputs["generation"] = 2
	gone := s.next(inputs)
	admin, user := iam.NewFromConfig(s.lab.Config()), account(t, s.lab).Users[0]
	for _, key := range user.AccessKeys {
		s.deleteKey(user.Name, key)
	}
	_, err := admin.RemoveUserFromGroup(t.Context(), &iam.RemoveUserFromGroupInput{UserName: &user.Name, GroupName: &user.Groups[0]})
	check(t, err)
	_, err = admin.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: &user.Name})
	check(t, err)

	s.lab.Calls()
	s.fails(`the IAM user "cicd-bot" does not exist`, "pulumi up --refresh")
	s.untouched("without its user")
	s.preview(optpreview.Refresh())
	result, _ := s.up(optup.Refresh())
	now := readKeyOutputs(t, result.Outputs)
	if now.AccessKeyID == gone.AccessKeyID || !works(t, s.lab, now.AccessKeyID, now.SecretAccessKey) {
		t.Errorf("the user is made again, and the key is %+v", now)
	}
	s.holds(now.AccessKeyID + active)
	s.keeps(now)
	s.unchanged()
	inputs["generation"] = now.Generation + 1
	s.next(inputs)
	s.destroy()
}

// TestAccessKeyProtection checks that a protected component rotates with each value of previous, that a key that
// somebody protected is no longer after one update, and that a destroy stops before it deletes anything.
func TestAccessKeyProtection(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	s.options = values{"protect": true}
	inputs := func(generation int, previous string) values {
		return values{
			"generation": generation, "previous": previous, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		}
	}
	before, generation := s.next(inputs(1, "active")), 1
	rotate := func(previous string) {
		t.Helper()
		generation++
		now := s.next(inputs(generation, previous))
		want := map[string][]string{
			"active":   {before.AccessKeyID + active, now.AccessKeyID + active},
			"inactive": {before.AccessKeyID + inactive, now.AccessKeyID + active},
			"deleted":  {now.AccessKeyID + active},
		}
		s.holds(want[previous]...)
		s.keeps(now)
		before = now
	}
	for _, previous := range []string{"deleted", "inactive", "active"} {
		rotate(previous)
		rotate(previous)
	}

	s.pulumi("state", "protect", slotURN+"0", slotURN+"1", "--yes")
	s.next(inputs(generation, "active"))
	rotate("active")
	rotate("deleted")

	s.lab.Calls()
	if out, err := s.command("destroy", "--yes").CombinedOutput(); err == nil || !strings.Contains(string(out), "protect") {
		t.Errorf("a protected component is destroyed: %v\n%s", err, out)
	}
	if writes := s.lab.Writes(); len(writes) > 0 {
		t.Errorf("a destroy that its preview stops makes the calls %v", writes)
	}
	// Revoking works all the same.
	revoked := inputs(generation, "deleted")
	revoked["revoked"] = true
	s.next(revoked)
	s.holds(before.AccessKeyID + inactive)
	s.options = nil
	s.next(inputs(generation, "deleted"))
	s.destroy()
}

// TestAccessKeyHandOver checks that the previous key works for the time of the hand-over and that the first update
// after that ends it, and that a rotation without one says that it cuts off.
func TestAccessKeyHandOver(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	const cutsOff = "is cut off in this update"
	inputs := values{}
	before := s.next(inputs)
	for i, previous := range []string{"deleted", "inactive"} {
		inputs = values{"generation": 2*i + 2, "previous": previous, "handOver": "7d"}
		s.give(inputs)
		preview, err := s.Preview(t.Context())
		check(t, err)
		result, _ := s.up()
		if strings.Contains(preview.StdOut+result.StdOut, "cut off") {
			t.Errorf("%s with a hand-over: a warning\n%s\n%s", previous, preview.StdOut, result.StdOut)
		}
		now := readKeyOutputs(t, result.Outputs)
		s.holds(before.AccessKeyID+active, now.AccessKeyID+active)
		if !works(t, s.lab, before.AccessKeyID, before.SecretAccessKey) || !works(t, s.lab, now.AccessKeyID, now.SecretAccessKey) {
			t.Errorf("%s: during the hand-over, not both of %v work", previous, keysOf(t, s.lab))
		}
		s.age(6)
		s.unchanged()
		s.age(1)
		steps := texts(s.preview())
		want := map[string]string{"deleted": "delete AccessKey key-%d", "inactive": "update AccessKey key-%d [status]"}[previous]
		if want = fmt.Sprintf(want, before.Generation%2); !slices.Equal(steps, []string{want}) {
			t.Errorf("%s: the preview of the end shows %v, not %s", previous, steps, want)
		}
		s.holds(before.AccessKeyID+active, now.AccessKeyID+active)
		s.settled(inputs)
		if previous == "deleted" {
			s.holds(now.AccessKeyID + active)
		} else {
			s.holds(before.AccessKeyID+inactive, now.AccessKeyID+active)
		}

		inputs = values{"generation": 2*i + 3, "previous": previous}
		s.give(inputs)
		preview, err = s.Preview(t.Context())
		check(t, err)
		result, _ = s.up()
		for what, out := range map[string]string{"preview": preview.StdOut, "update": result.StdOut} {
			// Before that, the CLI repeats what a resource says with each of its steps.
			_, out, _ = strings.Cut(out, "Diagnostics:")
			if n := strings.Count(out, cutsOff); n != 1 {
				t.Errorf("%s without a hand-over: the %s warns %d times\n%s", previous, what, n, out)
			}
		}
		before = readKeyOutputs(t, result.Outputs)
		// Nothing is rotated any more.
		result, _ = s.up()
		if strings.Contains(result.StdOut, "cut off") {
			t.Errorf("%s: an update that does not rotate warns\n%s", previous, result.StdOut)
		}
	}
	for _, wrong := range []values{{"handOver": "7d"}, {"handOver": "7d", "previous": "active"}} {
		s.give(wrong)
		s.fails("- handOver: has no effect while previous is \"active\"")
	}
	s.next(inputs)
	s.destroy()
}

// TestAccessKeyStoresRenamed checks that new stores are made before the old ones are deleted, and that the old ones are
// left where the new ones are refused. The next update deletes the old secret, whose key lives on, so that it can be
// restored.
func TestAccessKeyStoresRenamed(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	stores := func(secret, path string) values {
		return values{"secretsManager": values{"name": "cicd/" + secret}, "ssmPath": "/cicd/" + path}
	}
	pair := ""
	// hold says which secrets and parameters there are, and which of the secrets can be restored.
	hold := func(what string, secrets map[string]string, path string) {
		t.Helper()
		a, held, parameters := account(t, s.lab), map[string]string{}, []string{}
		for _, secret := range a.Secrets {
			if held[secret.Name] = secret.Value; secret.Deleted {
				held[secret.Name] = "deleted"
			}
		}
		for _, p := range a.Parameters {
			parameters = append(parameters, p.Name)
		}
		same(t, what+": the secrets", held, secrets)
		same(t, what+": the parameters", parameters, []string{path + "/AWS_ACCESS_KEY_ID", path + "/AWS_SECRET_ACCESS_KEY"})
	}
	first := s.settled(stores("a", "a"))
	pair = fmt.Sprintf(`{"AWS_ACCESS_KEY_ID":%q,"AWS_SECRET_ACCESS_KEY":%q}`, first.AccessKeyID, first.SecretAccessKey)
	hold("at first", map[string]string{"cicd/a": pair}, "/cicd/a")

	s.lab.Calls()
	if now := s.next(stores("b", "b")); now.AccessKeyID != first.AccessKeyID {
		t.Errorf("other stores make another key, %+v", now)
	}
	writes := s.lab.Writes()
	ordered(t, writes, "PutParameter", "DeleteParameter")
	if !slices.Contains(writes, "PutSecretValue") || slices.Contains(writes, "DeleteSecret") {
		t.Errorf("another name takes the calls %v", writes)
	}
	hold("renamed", map[string]string{"cicd/a": pair, "cicd/b": pair}, "/cicd/b")
	s.next(stores("b", "b"))
	s.unchanged()
	hold("after one more update", map[string]string{"cicd/a": "deleted", "cicd/b": pair}, "/cicd/b")

	// The new name is that of somebody else's.
	s.takeStores("taken", "ID", "SECRET")
	for want, inputs := range map[string]values{
		"ResourceExistsException": stores("taken", "b"), "ParameterAlreadyExists": stores("b", "taken"),
	} {
		s.lab.Calls()
		s.give(inputs)
		s.fails(want)
		for _, write := range s.keyWrites() {
			if strings.HasPrefix(write, "Delete") {
				t.Errorf("%s: there is the call %s", want, write)
			}
		}
	}
	s.forgetStores("taken", "ID", "SECRET")
	s.next(stores("b", "b"))
	s.next(stores("b", "b"))
	s.unchanged()
	hold("after two that were refused", map[string]string{"cicd/a": "deleted", "cicd/b": pair}, "/cicd/b")

	// Twice in a row, and back; and a rotation meanwhile.
	s.next(stores("c", "b"))
	s.next(stores("d", "b"))
	hold("twice in a row", map[string]string{"cicd/a": "deleted", "cicd/b": "deleted", "cicd/c": pair, "cicd/d": pair}, "/cicd/b")
	rotated := stores("c", "b")
	rotated["generation"] = 2
	now := s.next(rotated)
	pair = fmt.Sprintf(`{"AWS_ACCESS_KEY_ID":%q,"AWS_SECRET_ACCESS_KEY":%q}`, now.AccessKeyID, now.SecretAccessKey)
	s.next(rotated)
	hold("and back", map[string]string{
		"cicd/a": "deleted", "cicd/b": "deleted", "cicd/c": pair, "cicd/d": "deleted",
	}, "/cicd/b")

	// Taken out of the inputs.
	none := values{"generation": 2}
	s.next(none)
	s.next(none)
	s.unchanged()
	a := account(t, s.lab)
	if len(a.Secrets) != 4 || len(a.Parameters) != 0 || slices.ContainsFunc(a.Secrets, func(s lab.Secret) bool { return !s.Deleted }) {
		t.Errorf("taken out, the stores are %s", pretty(t, a))
	}
	// With their keys they go at once.
	last := stores("e", "e")
	last["generation"] = 2
	s.next(last)
	s.destroy()
	if a := account(t, s.lab); len(a.Secrets) != 4 || len(a.Parameters) != 0 {
		t.Errorf("what is left is %s", pretty(t, a))
	}
}

// TestAccessKeyStoresHalfRefused checks the way back from a path where AWS made one of the two parameters and refused
// the other.
func TestAccessKeyStoresHalfRefused(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	stores := func(path string) values {
		return values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/" + path}
	}
	now := s.next(stores("bot"))
	s.takeStores("taken", "SECRET")
	s.give(stores("taken"))
	s.fails("ParameterAlreadyExists")
	s.forgetStores("taken", "SECRET")
	s.give(stores("bot"))
	if _, _, err := s.tryUp(); err != nil {
		t.Errorf("the way back is closed: %v", err)
		// The guide: delete what the error names, and run the update again.
		s.deleteNamed(err.Error())
		s.up()
	}
	s.keeps(now)
	s.unchanged()
	s.destroy()
}

// takeStores makes a secret and parameters by hand, which are somebody else's.
func (s *keyStack) takeStores(name string, parts ...string) {
	s.t.Helper()
	_, err := secretsmanager.NewFromConfig(s.lab.Config()).CreateSecret(s.t.Context(),
		&secretsmanager.CreateSecretInput{Name: aws.String("cicd/" + name), SecretString: aws.String("theirs")})
	check(s.t, err)
	for _, part := range parts {
		_, err = ssm.NewFromConfig(s.lab.Config()).PutParameter(s.t.Context(), &ssm.PutParameterInput{
			Name: aws.String(parameterName(name, part)), Value: aws.String("theirs"), Type: ssmtypes.ParameterTypeString,
		})
		check(s.t, err)
	}
}

// forgetStores deletes for good what [keyStack.takeStores] made.
func (s *keyStack) forgetStores(name string, parts ...string) {
	s.t.Helper()
	_, err := secretsmanager.NewFromConfig(s.lab.Config()).DeleteSecret(s.t.Context(),
		&secretsmanager.DeleteSecretInput{SecretId: aws.String("cicd/" + name), ForceDeleteWithoutRecovery: aws.Bool(true)})
	check(s.t, err)
	for _, part := range parts {
		_, err = ssm.NewFromConfig(s.lab.Config()).DeleteParameter(s.t.Context(),
			&ssm.DeleteParameterInput{Name: aws.String(parameterName(name, part))})
		check(s.t, err)
	}
}

func parameterName(path, part string) string {
	return "/cicd/" + path + map[string]string{"ID": "/AWS_ACCESS_KEY_ID", "SECRET": "/AWS_SECRET_ACCESS_KEY"}[part]
}

// TestAccessKeyWorksOnceStored checks, with keys that AWS takes some seconds to know, that the pair works at the moment
// when it is written to a store, and before the previous key is ended.
func TestAccessKeyWorksOnceStored(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newKeyStack(t, l)
	s.administrator()
	check(t, s.Workspace().SetEnvVars(map[string]string{"CICD_IAM_WAIT": "5s"}))
	check(t, l.Enforce(t.Context(), true))
	s.next(nil)
	time.Sleep(4 * time.Second) // The administrator's key is new too.
	l.NewKeysTake(4 * time.Second)

	var mu sync.Mutex
	var newest pair
	seen := map[string]int{}
	l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		switch call.Action {
		case "CreateAccessKey":
			answer := httptest.NewRecorder()
			serve(answer)
			mu.Lock()
			newest = pairIn(answer.Body.String())
			mu.Unlock()
			maps.Copy(w.Header(), answer.Header())
			w.WriteHeader(answer.Code)
			_, _ = w.Write(answer.Body.Bytes())
			return
		case "PutSecretValue", "PutParameter", "DeleteAccessKey", "UpdateAccessKey":
			mu.Lock()
			now := newest
			seen[call.Action]++
			mu.Unlock()
			value := call.Params.Get("SecretString") + call.Params.Get("Value")
			if value != "" && !strings.Contains(value, now.ID) && !strings.Contains(value, now.Secret) {
				t.Errorf("%s writes something else than the new key %s", call.Action, now.ID)
			}
			if ended := call.Params.Get("AccessKeyId"); ended == now.ID {
				t.Errorf("%s of the new key", call.Action)
			}
			_, err := sts.NewFromConfig(l.ConfigFor(now.ID, now.Secret, "")).
				GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			if err != nil {
				t.Errorf("at %s, the new key does not work: %v", call.Action, err)
			}
		}
		serve(w)
	})
	for i, previous := range []string{"active", "inactive", "deleted"} {
		s.next(values{
			"generation": i + 1, "previous": previous, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		})
	}
	l.Inject(nil)
	same(t, "the calls", seen, map[string]int{"PutSecretValue": 3, "PutParameter": 6, "UpdateAccessKey": 1, "DeleteAccessKey": 2})
	s.next(nil)
	check(t, l.Enforce(t.Context(), false))
}

var madePair = regexp.MustCompile(`(?s)<AccessKeyId>([^<]+)</AccessKeyId>.*<SecretAccessKey>([^<]+)</SecretAccessKey>`)

// pairIn returns the access key in IAM's answer.
func pairIn(answer string) pair {
	if m := madePair.FindStringSubmatch(answer); m != nil {
		return pair{m[1], m[2]}
	}
	return pair{}
}

// TestAccessKeyOfOtherUsers checks that a user of the program and one made by hand get a key, rotate it and lose it,
// and that nothing else of them changes.
func TestAccessKeyOfOtherUsers(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	program := values{"own": values{"type": "aws:iam:User", "properties": values{"name": "own", "tags": values{"team": "a"}}}}
	s.writeWith(program, nil)
	s.up()
	s.user("made-by-hand", types.Tag{Key: aws.String("team"), Value: aws.String("b")})
	admin := iam.NewFromConfig(s.lab.Config())
	for _, name := range []string{"own", "made-by-hand"} {
		_, err := admin.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
			UserName: &name, PolicyName: aws.String("everything"), PolicyDocument: aws.String(everything),
		})
		check(t, err)
	}
	users := func() []lab.User {
		users := account(t, s.lab).Users
		for i := range users {
			users[i].Keys, users[i].AccessKeys = nil, nil
		}
		return users
	}
	before := users()
	give := func(inputs values) (outputs keyOutputs, said string) {
		t.Helper()
		s.writeWith(program, inputs)
		result, _ := s.up()
		s.unchanged()
		same(t, "the users", users(), before)
		return readKeyOutputs(t, result.Outputs), result.StdOut
	}
	for _, name := range []string{"${own.name}", "made-by-hand"} {
		first, _ := give(values{"userName": name})
		s.holds(first.AccessKeyID + active)
		second, _ := give(values{"userName": name, "generation": 2})
		s.holds(first.AccessKeyID+active, second.AccessKeyID+active)
		third, _ := give(values{"userName": name, "generation": 3, "previous": "deleted"})
		s.holds(third.AccessKeyID + active)
		if !works(t, s.lab, third.AccessKeyID, third.SecretAccessKey) {
			t.Errorf("the key of %s is %+v", name, third)
		}
		give(nil)
		s.holds()
	}
	// Beside a key that somebody else made.
	other := s.keyByHand("made-by-hand")
	now, said := give(values{"userName": "made-by-hand"})
	s.holds(other+active, now.AccessKeyID+active)
	s.says(said, "neither rotates nor revokes: "+other)
	give(values{"userName": "made-by-hand", "revoked": true})
	s.holds(other+active, now.AccessKeyID+inactive)
	give(nil)
	s.holds(other + active)
}

// TestAccessKeyOfUserRenamedInPlace checks that a key does not come along unnoticed when its user is renamed: the engine
// would delete it by the user's old name, which AWS takes for done.
func TestAccessKeyOfUserRenamedInPlace(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	give := func(name string, options values) {
		t.Helper()
		s.writeWith(values{
			"own": values{"type": "aws:iam:User", "properties": values{"name": name}, "options": options},
		}, values{"userName": "${own.name}", "previous": "deleted"})
	}
	inPlace, replaced := values{}, values{"replaceOnChanges": []string{"name"}}
	give("alpha", inPlace)
	result, _ := s.up()
	first := readKeyOutputs(t, result.Outputs)
	give("beta", inPlace)
	_, err := s.Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "access keys that can be this component's own: "+first.AccessKeyID) {
		t.Fatalf("renamed in place: %v", err)
	}
	s.holds(first.AccessKeyID + active)
	give("alpha", inPlace)
	s.up()
	s.unchanged()
	s.holds(first.AccessKeyID + active)

	give("alpha", replaced)
	s.up()
	give("beta", replaced)
	result, _ = s.up()
	s.holds(readKeyOutputs(t, result.Outputs).AccessKeyID + active)
	users := account(t, s.lab).Users
	if len(users) != 1 || users[0].Name != "beta" || works(t, s.lab, first.AccessKeyID, first.SecretAccessKey) {
		t.Errorf("replaced, the account holds %s", pretty(t, users))
	}
	s.writeWith(values{}, nil)
	s.destroy()
}

// TestAccessKeyMovesToAnotherUser checks that another user gets a key, and every store has it, before a key of the old
// user is deleted.
func TestAccessKeyMovesToAnotherUser(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	s.user("one")
	s.user("two")
	inputs := func(user string, generation int) values {
		return values{
			"userName": user, "generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		}
	}
	next := func(user string, generation int) keyOutputs {
		t.Helper()
		s.writeWith(values{}, inputs(user, generation))
		result, _ := s.up()
		return readKeyOutputs(t, result.Outputs)
	}
	next("one", 1)
	next("one", 2)
	s.lab.Calls()
	now := next("two", 2)
	writes := s.keyWrites()
	for _, made := range []string{"CreateAccessKey", "PutSecretValue", "PutParameter"} {
		ordered(t, writes, made, "DeleteAccessKey")
	}
	keys := map[string][]string{}
	for _, user := range account(t, s.lab).Users {
		keys[user.Name] = user.AccessKeys
	}
	same(t, "the keys by user", keys, map[string][]string{"one": nil, "two": {now.AccessKeyID}})
	s.keeps(now)
	s.unchanged()
}
