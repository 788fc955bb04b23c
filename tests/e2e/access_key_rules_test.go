package e2e

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
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
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
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
	s.T.Helper()
	_, _, err := s.TryUp()
	if err == nil {
		s.T.Fatalf("the update succeeds, and should say %q", want)
	}
	s.says(err.Error(), want...)
	return err.Error()
}

func (s *keyStack) says(text string, want ...string) {
	s.T.Helper()
	var missing []string
	for _, want := range want {
		if !strings.Contains(text, want) {
			missing = append(missing, want)
		}
	}
	if len(missing) > 0 {
		s.T.Errorf("it does not say %q:\n%s", missing, text)
	}
}

// untouched says that no call since the last time changed a key or what a store holds.
func (s *keyStack) untouched(what string) {
	s.T.Helper()
	if writes := s.KeyWrites(); len(writes) > 0 {
		s.T.Errorf("%s: there were the calls %v", what, writes)
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
	s.T.Helper()
	exported, err := s.Export(s.T.Context())
	harness.Check(s.T, err)
	var d apitype.DeploymentV3
	harness.Check(s.T, json.Unmarshal(exported.Deployment, &d))
	d.Resources = change(d.Resources)
	exported.Deployment, err = json.Marshal(d)
	harness.Check(s.T, err)
	harness.Check(s.T, s.Import(s.T.Context(), exported))
}

// editJournal changes a property of the journal in the stack's state, and returns what it was.
func (s *keyStack) editJournal(property string, value any) (was any) {
	s.T.Helper()
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
		s.T.Fatalf("the state has no journal with %s", property)
	}
	return was
}

// pulumi runs a command of the CLI, which is to succeed, and returns what it says.
func (s *keyStack) pulumi(args ...string) string {
	s.T.Helper()
	out, err := s.Command(args...).CombinedOutput()
	if err != nil {
		s.T.Fatalf("pulumi %v: %v\n%s", args, err, out)
	}
	return string(out)
}

// user makes an IAM user by hand.
func (s *keyStack) user(name string, tags ...types.Tag) {
	s.T.Helper()
	_, err := iam.NewFromConfig(s.Lab.Config()).CreateUser(s.T.Context(), &iam.CreateUserInput{UserName: &name, Tags: tags})
	harness.Check(s.T, err)
}

// keyByHand makes an access key by hand, and returns its ID.
func (s *keyStack) keyByHand(user string) string {
	s.T.Helper()
	made, err := iam.NewFromConfig(s.Lab.Config()).CreateAccessKey(s.T.Context(), &iam.CreateAccessKeyInput{UserName: &user})
	harness.Check(s.T, err)
	return *made.AccessKey.AccessKeyId
}

// planned previews an update, and then runs it by the plan of that preview, later.
func (s *keyStack) planned(meanwhile func()) (harness.KeyOutputs, error) {
	s.T.Helper()
	file := filepath.Join(s.T.TempDir(), "plan.json")
	_, err := s.Preview(s.T.Context(), optpreview.Plan(file))
	harness.Check(s.T, err)
	s.Lab.Calls()
	if meanwhile != nil {
		meanwhile()
	}
	// No time of the plan is that of the update.
	time.Sleep(2 * time.Second)
	result, _, err := s.TryUp(optup.Plan(file))
	if err != nil {
		return harness.KeyOutputs{}, err
	}
	return harness.ReadKeyOutputs(s.T, result.Outputs), nil
}

// TestAccessKeyPlans checks that every kind of update does what the plan of its preview says, and that a key that falls
// due between the two is left alone until there is a new plan.
func TestAccessKeyPlans(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	var now harness.KeyOutputs
	holds := func(what string, generation, keys int) {
		t.Helper()
		before := now
		var err error
		if now, err = s.planned(nil); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		if held := harness.KeysOf(t, s.Lab); now.Generation != generation || len(held) != keys {
			t.Errorf("%s: the user has the keys %v, and it ends with %+v", what, held, now)
		}
		if (now.Generation != before.Generation) != (now.AccessKeyID != before.AccessKeyID) {
			t.Errorf("%s: from %+v to %+v", what, before, now)
		}
	}

	// The user's name is given, or made by Pulumi.
	s.Write("cicd-bot", values{})
	holds("the first key of a user with a name", 1, 1)
	s.pulumi("destroy", "--yes", "--skip-preview")
	now = harness.KeyOutputs{}
	s.Write("", values{})
	holds("the first key of a user", 1, 1)

	s.Write("", values{"generation": 2})
	holds("a rotation by hand", 2, 2)
	aged := values{"generation": 2, "rotateEvery": "90d"}
	s.Write("", aged)
	holds("by age", 2, 2)
	s.Age(90)
	holds("a rotation by age", 3, 2)
	aged["previous"], aged["handOver"] = "deleted", "7d"
	s.Write("", aged)
	holds("a hand-over", 3, 2)
	s.Age(7)
	holds("the end of the hand-over", 3, 1)
	aged["revoked"] = true
	s.Write("", aged)
	holds("revoked", 3, 1)
	s.Holds(now.AccessKeyID + harness.Inactive)
	delete(aged, "revoked")
	aged["secretsManager"], aged["ssmPath"] = values{"name": "cicd/bot"}, "/cicd/bot"
	s.Write("", aged)
	holds("stores", 3, 1)
	s.Holds(now.AccessKeyID + harness.Active)
	s.Keeps(now)

	// The key was made 7 days ago.
	before := now
	_, err := s.planned(func() { s.Lab.AgeKeys(83 * day) })
	if err == nil || !strings.Contains(err.Error(), "violates plan") {
		t.Errorf("a key that falls due after the plan: %v", err)
	}
	s.untouched("a key that falls due after the plan")
	s.Holds(before.AccessKeyID + harness.Active)
	holds("a new plan", 4, 2)
	s.Keeps(now)

	// A plan that the update makes itself.
	aged["generation"] = 4
	s.Write("", aged)
	s.pulumi("up", "--yes", "--strict")
	now = s.KeyOutputs()
	if now.Generation != 5 {
		t.Errorf("with --strict it ends with %+v", now)
	}
	s.Keeps(now)
	s.MustDestroy()
}

// TestAccessKeyWrongClock checks that a journal from an update with a wrong clock neither keeps a key from being
// rotated nor ends a hand-over early, and that one with numbers that make no sense stops the update before it touches a
// key.
func TestAccessKeyWrongClock(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	inputs := values{"rotateEvery": "90d", "previous": "inactive", "handOver": "7d"}
	first := s.Next(inputs)
	future := time.Now().AddDate(10, 0, 0).UTC().Format(time.RFC3339)

	s.editJournal("plannedAt", future)
	s.Lab.AgeKeys(89 * day)
	if now := s.Next(inputs); now.AccessKeyID != first.AccessKeyID {
		t.Errorf("after 89 days the key is %+v", now)
	}
	s.Lab.AgeKeys(day)
	second := s.Next(inputs)
	if second.Generation != 2 || second.PreviousAccessKeyID != first.AccessKeyID {
		t.Errorf("after 90 days the key is %+v", second)
	}
	s.Holds(first.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)

	for _, clock := range []string{future, "2001-01-01T00:00:00Z"} {
		s.editJournal("plannedAt", clock)
		s.Next(inputs)
		s.Holds(first.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)
	}
	s.editJournal("plannedAt", future)
	s.Lab.AgeKeys(7 * day)
	s.Next(inputs)
	s.Holds(first.AccessKeyID+harness.Inactive, second.AccessKeyID+harness.Active)

	for _, tt := range []struct {
		property string
		value    any
	}{
		{"generation", 1e300}, {"generation", -1}, {"generation", 1.5}, {"first", 0}, {"requested", -1},
		{"previousGeneration", -1}, {"plannedAt", "soon"},
	} {
		was := s.editJournal(tt.property, tt.value)
		s.Lab.Calls()
		inputs["generation"] = 2
		s.Give(inputs)
		s.fails("the stack's state of this access key cannot be read: " + tt.property)
		s.untouched(fmt.Sprintf("%s = %v", tt.property, tt.value))
		s.editJournal(tt.property, was)
	}
	third := s.Next(values{"generation": 2})
	s.Holds(second.AccessKeyID+harness.Active, third.AccessKeyID+harness.Active)
	s.MustDestroy()
}

// TestAccessKeyLaggingList checks that two rotations within seconds end every key that existed before them, while AWS
// lists keys as they were some seconds ago. An update that says so may have to be run again.
func TestAccessKeyLaggingList(t *testing.T) {
	t.Parallel()
	for _, previous := range []string{"active", "inactive", "deleted"} {
		t.Run(previous, func(t *testing.T) {
			t.Parallel()
			s := newKeyStack(t, harness.NewLab(t))
			harness.Check(t, s.Workspace().SetEnvVars(map[string]string{"CICD_IAM_WAIT": "3s"}))
			leaked := s.Next(values{"previous": previous})
			s.Lab.LagKeys(3 * time.Second)
			rotate := func(generation int) harness.KeyOutputs {
				t.Helper()
				s.Give(values{"generation": generation, "previous": previous})
				now, _ := s.Retry()
				return now
			}
			second := rotate(2)
			third := rotate(3)
			if third.Generation != 3 {
				t.Errorf("two rotations end with %+v", third)
			}
			for _, key := range harness.KeysOf(t, s.Lab) {
				if strings.HasPrefix(key, leaked.AccessKeyID) {
					t.Errorf("the first key of three is there after two rotations, %s", key)
				}
			}
			// Whatever was left for the next update is done then.
			time.Sleep(4 * time.Second)
			last := s.Next(values{"generation": 3, "previous": previous})
			if last.AccessKeyID != third.AccessKeyID {
				t.Errorf("another update makes another key, %+v", last)
			}
			switch previous {
			case "active":
				s.Holds(second.AccessKeyID+harness.Active, third.AccessKeyID+harness.Active)
			case "inactive":
				s.Holds(second.AccessKeyID+harness.Inactive, third.AccessKeyID+harness.Active)
			case "deleted":
				s.Holds(third.AccessKeyID + harness.Active)
			}
			s.Lab.LagKeys(0)
			s.MustDestroy()
		})
	}
}

// publicKey returns a new OpenPGP public key, which expires after some seconds, or never if they are 0.
func publicKey(t *testing.T, lifetime uint32) string {
	t.Helper()
	_, public := pgpKey(t, lifetime)
	return public
}

// pgpKey returns a new OpenPGP key and its public part, which expires as [publicKey]'s does.
func pgpKey(t *testing.T, lifetime uint32) (key *openpgp.Entity, public string) {
	t.Helper()
	key, err := openpgp.NewEntity("CI", "", "ci@example.com", &packet.Config{
		Algorithm: packet.PubKeyAlgoEdDSA, KeyLifetimeSecs: lifetime,
	})
	harness.Check(t, err)
	var text bytes.Buffer
	harness.Check(t, key.Serialize(&text))
	return key, base64.StdEncoding.EncodeToString(text.Bytes())
}

// decrypted returns what was encrypted to a key and then written in base64.
func decrypted(t *testing.T, key *openpgp.Entity, text string) string {
	t.Helper()
	encrypted, err := base64.StdEncoding.DecodeString(text)
	harness.Check(t, err)
	message, err := openpgp.ReadMessage(bytes.NewReader(encrypted), openpgp.EntityList{key}, nil, nil)
	harness.Check(t, err)
	plain, err := io.ReadAll(message.UnverifiedBody)
	harness.Check(t, err)
	return string(plain)
}

// TestAccessKeyExpiredPGPKey checks that a public key that has expired since stops an update that makes a key with it,
// and no other.
func TestAccessKeyExpiredPGPKey(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	s.Next(nil)
	const lifetime = 25
	expired := publicKey(t, lifetime)
	expires := time.Now().Add(lifetime * time.Second)
	with := func(generation int, more values) values {
		inputs := values{"generation": generation, "pgpKey": expired}
		maps.Copy(inputs, more)
		return inputs
	}
	first := s.Next(with(1, nil))
	second := s.Next(with(2, nil))
	time.Sleep(time.Until(expires.Add(time.Second)))

	s.Settled(with(2, nil))
	for _, tt := range []struct {
		inputs values
		want   []string
	}{
		{values{"revoked": true}, []string{first.AccessKeyID + harness.Inactive, second.AccessKeyID + harness.Inactive}},
		{values{"previous": "inactive"}, []string{first.AccessKeyID + harness.Inactive, second.AccessKeyID + harness.Active}},
		{values{"previous": "active", "rotateEvery": "90d"}, []string{first.AccessKeyID + harness.Active, second.AccessKeyID + harness.Active}},
		{values{"previous": "deleted"}, []string{second.AccessKeyID + harness.Active}},
	} {
		s.Next(with(2, tt.inputs))
		s.Holds(tt.want...)
	}
	s.Lab.Calls()
	s.Give(with(3, nil))
	_, err := s.Preview(t.Context())
	if err == nil || !strings.Contains(err.Error(), "pgpKey: must be an OpenPGP public key that has not expired") {
		t.Errorf("the preview of a rotation: %v", err)
	}
	s.fails("pgpKey: must be an OpenPGP public key that has not expired")
	s.untouched("a rotation")
	s.Holds(second.AccessKeyID + harness.Active)

	third := s.Next(values{"generation": 2, "pgpKey": publicKey(t, 0)})
	if third.Generation != 3 || third.EncryptedSecretAccessKey == "" {
		t.Errorf("with another public key, the key is %+v", third)
	}
	s.Holds(second.AccessKeyID+harness.Active, third.AccessKeyID+harness.Active)
	s.MustDestroy()
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
		s := newKeyStack(t, harness.NewLab(t))
		s.WriteProgram(values{"resources": values{
			"robot": values{"type": "cicd:RobotAccount", "properties": values{"userName": "cicd-bot"}},
			"own":   values{"type": "aws:iam:AccessKey", "properties": values{"user": "${robot.userName}"}},
		}, "outputs": values{"accessKeyId": "${own.id}", "secretAccessKey": "${own.secret}"}})
		result, _ := s.MustUp()
		own := harness.ReadKeyOutputs(t, result.Outputs)
		s.edit(func(all []apitype.ResourceV3) []apitype.ResourceV3 {
			i := slices.IndexFunc(all, func(r apitype.ResourceV3) bool { return r.URN.Name() == "own" })
			moved := all[i]
			moved.URN, moved.Parent = slotURN+"1", keyURN
			component := apitype.ResourceV3{URN: keyURN, Type: "cicd:index:AccessKey", Parent: all[i].Parent}
			return append(slices.Delete(all, i, i+1), component, moved)
		})
		s.Lab.Calls()
		kept := s.Next(stores(1))
		if kept.AccessKeyID != own.AccessKeyID || kept.SecretAccessKey != own.SecretAccessKey {
			t.Errorf("%s is taken over, and the key is %+v", own.AccessKeyID, kept)
		}
		s.Holds(own.AccessKeyID + harness.Active)
		s.Keeps(kept)
		if writes := s.KeyWrites(); slices.ContainsFunc(writes, func(w string) bool { return strings.HasSuffix(w, "AccessKey") }) {
			t.Errorf("taking a key over takes the calls %v", writes)
		}
		second := s.Settled(stores(2))
		s.Holds(own.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)
		s.Keeps(second)
		if second.PreviousAccessKeyID != own.AccessKeyID {
			t.Errorf("after the first rotation the key is %+v", second)
		}
		third := s.Settled(stores(3))
		s.Holds(second.AccessKeyID+harness.Active, third.AccessKeyID+harness.Active)
		s.Keeps(third)
		s.MustDestroy()
	})

	// So does one that an alias moves there, which a transform adds.
	t.Run("by an alias", func(t *testing.T) {
		t.Parallel()
		l := harness.NewLab(t)
		generation := 0
		s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
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
			result, _ := s.MustUp()
			ids = append(ids, result.Outputs["accessKeyId"].Value.(string)+harness.Active)
			want, held := slices.Clone(ids[max(0, len(ids)-2):]), harness.KeysOf(t, l)
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
		s.Unchanged()
		s.MustDestroy()
	})

	// One that was imported has no secret: nothing is stored until the two commands of the error are run.
	t.Run("imported", func(t *testing.T) {
		t.Parallel()
		s := newKeyStack(t, harness.NewLab(t))
		s.Next(nil)
		imported := s.keyByHand("cicd-bot")
		// The component has to be there as a parent.
		s.Give(stores(1))
		s.Lab.Inject(harness.AllOf("CreateAccessKey", func(w http.ResponseWriter, call lab.Call, _ func(http.ResponseWriter)) {
			lab.Refuse(w, call, http.StatusForbidden, "AccessDenied", "Not now.")
		}))
		s.fails("AccessDenied")
		s.Lab.Inject(nil)
		s.pulumi("import", "aws:iam/accessKey:AccessKey", "key-1", imported, "--parent", "key="+keyURN, "--protect=false",
			"--generate-code=false", "--yes", "--skip-preview")
		s.refusesEmpty(imported)
		now := s.Next(stores(1))
		s.Holds(imported+harness.Active, now.AccessKeyID+harness.Active)
		s.Keeps(now)
		s.DeleteKey("cicd-bot", imported)
		s.Settled(stores(1))
		s.Holds(now.AccessKeyID + harness.Active)
		s.MustDestroy()
	})

	// So has one that lost its secret. AWS listed it after the first update, so the next one takes it for left over.
	t.Run("without its secret", func(t *testing.T) {
		t.Parallel()
		s := newKeyStack(t, harness.NewLab(t))
		blank := s.Next(values{})
		s.edit(func(all []apitype.ResourceV3) []apitype.ResourceV3 {
			for _, r := range all {
				if r.URN == slotURN+"1" {
					delete(r.Outputs, "secret")
				}
			}
			return all
		})
		s.Give(stores(1))
		s.refusesEmpty(blank.AccessKeyID)
		s.fails(blank.AccessKeyID, "when nobody uses it", "aws iam delete-access-key")
		s.DeleteKey("cicd-bot", blank.AccessKeyID)
		now := s.Next(stores(1))
		s.Holds(now.AccessKeyID + harness.Active)
		s.Keeps(now)
		second := s.Settled(stores(2))
		s.Holds(now.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)
		s.Keeps(second)
		s.MustDestroy()
	})
}

// refusesEmpty says that the update stops at a key without a secret before any store is written, and does what its
// error says of the state.
func (s *keyStack) refusesEmpty(id string) {
	s.T.Helper()
	s.Lab.Calls()
	text := s.fails("the access key "+id+" in the stack's state has no secret", "when nobody uses it")
	for _, write := range s.KeyWrites() {
		// A secret without a value is no harm.
		if write != "CreateSecret" {
			s.T.Errorf("with a key without a secret there is the call %s", write)
		}
	}
	command := stateDelete.FindStringSubmatch(text)
	if len(command) != 2 || command[1] != slotURN+"1" {
		s.T.Fatalf("it names no command, or another resource, %q:\n%s", command, text)
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
			s := newKeyStack(t, harness.NewLab(t))
			inputs := func(generation int) values {
				all := values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
				maps.Copy(all, more)
				return all
			}
			s.Next(inputs(1))
			s.Next(inputs(2))
			old, err := s.Export(t.Context())
			harness.Check(t, err)
			third := s.Next(inputs(3))
			inUse := s.Next(inputs(4))
			harness.Check(t, s.Import(t.Context(), old))

			s.Give(inputs(2))
			s.Lab.Calls()
			if name != "deleted" {
				_, _, err = s.TryUp(optup.Refresh())
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
				s.Holds(third.AccessKeyID+harness.Active, inUse.AccessKeyID+harness.Active)
				s.DeleteKey("cicd-bot", third.AccessKeyID)
			}
			result, _ := s.MustUp(optup.Refresh())
			now := harness.ReadKeyOutputs(t, result.Outputs)
			s.says(result.StdOut, "neither rotates nor revokes: "+inUse.AccessKeyID)
			s.Holds(inUse.AccessKeyID+harness.Active, now.AccessKeyID+harness.Active)
			if !works(t, s.Lab, now.AccessKeyID, now.SecretAccessKey) || !works(t, s.Lab, inUse.AccessKeyID, inUse.SecretAccessKey) {
				t.Errorf("the steps lead to %+v", now)
			}
			s.Keeps(now)
			s.DeleteKey("cicd-bot", inUse.AccessKeyID)
			s.Settled(inputs(2))
			s.Holds(now.AccessKeyID + harness.Active)
			s.Keeps(s.Next(inputs(3)))
			s.MustDestroy()
		})
	}
}

// TestAccessKeyOfDeletedUser checks that an update says that somebody deleted the user, and how to go on.
func TestAccessKeyOfDeletedUser(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	inputs := values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	s.Next(inputs)
	inputs["generation"] = 2
	gone := s.Next(inputs)
	admin, user := iam.NewFromConfig(s.Lab.Config()), harness.Account(t, s.Lab).Users[0]
	for _, key := range user.AccessKeys {
		s.DeleteKey(user.Name, key)
	}
	_, err := admin.RemoveUserFromGroup(t.Context(), &iam.RemoveUserFromGroupInput{UserName: &user.Name, GroupName: &user.Groups[0]})
	harness.Check(t, err)
	_, err = admin.DeleteUser(t.Context(), &iam.DeleteUserInput{UserName: &user.Name})
	harness.Check(t, err)

	s.Lab.Calls()
	s.fails(`the IAM user "cicd-bot" does not exist`, "pulumi up --refresh")
	s.untouched("without its user")
	s.MustPreview(optpreview.Refresh())
	result, _ := s.MustUp(optup.Refresh())
	now := harness.ReadKeyOutputs(t, result.Outputs)
	if now.AccessKeyID == gone.AccessKeyID || !works(t, s.Lab, now.AccessKeyID, now.SecretAccessKey) {
		t.Errorf("the user is made again, and the key is %+v", now)
	}
	s.Holds(now.AccessKeyID + harness.Active)
	s.Keeps(now)
	s.Unchanged()
	inputs["generation"] = now.Generation + 1
	s.Next(inputs)
	s.MustDestroy()
}

// TestAccessKeyProtection checks that a protected component rotates with each value of previous, that a key that
// somebody protected is no longer after one update, and that a destroy stops before it deletes anything.
func TestAccessKeyProtection(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	s.Options = values{"protect": true}
	inputs := func(generation int, previous string) values {
		return values{
			"generation": generation, "previous": previous, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		}
	}
	before, generation := s.Next(inputs(1, "active")), 1
	rotate := func(previous string) {
		t.Helper()
		generation++
		now := s.Next(inputs(generation, previous))
		want := map[string][]string{
			"active":   {before.AccessKeyID + harness.Active, now.AccessKeyID + harness.Active},
			"inactive": {before.AccessKeyID + harness.Inactive, now.AccessKeyID + harness.Active},
			"deleted":  {now.AccessKeyID + harness.Active},
		}
		s.Holds(want[previous]...)
		s.Keeps(now)
		before = now
	}
	for _, previous := range []string{"deleted", "inactive", "active"} {
		rotate(previous)
		rotate(previous)
	}

	s.pulumi("state", "protect", slotURN+"0", slotURN+"1", "--yes")
	s.Next(inputs(generation, "active"))
	rotate("active")
	rotate("deleted")

	s.Lab.Calls()
	if out, err := s.Command("destroy", "--yes").CombinedOutput(); err == nil || !strings.Contains(string(out), "protect") {
		t.Errorf("a protected component is destroyed: %v\n%s", err, out)
	}
	if writes := s.Lab.Writes(); len(writes) > 0 {
		t.Errorf("a destroy that its preview stops makes the calls %v", writes)
	}
	// Revoking works all the same.
	revoked := inputs(generation, "deleted")
	revoked["revoked"] = true
	s.Next(revoked)
	s.Holds(before.AccessKeyID + harness.Inactive)
	s.Options = nil
	s.Next(inputs(generation, "deleted"))
	s.MustDestroy()
}

// TestAccessKeyHandOver checks that the previous key works for the time of the hand-over and that the first update
// after that ends it, and that a rotation without one says that it cuts off.
func TestAccessKeyHandOver(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	const cutsOff = "is cut off in this update"
	inputs := values{}
	before := s.Next(inputs)
	for i, previous := range []string{"deleted", "inactive"} {
		inputs = values{"generation": 2*i + 2, "previous": previous, "handOver": "7d"}
		s.Give(inputs)
		preview, err := s.Preview(t.Context())
		harness.Check(t, err)
		result, _ := s.MustUp()
		if strings.Contains(preview.StdOut+result.StdOut, "cut off") {
			t.Errorf("%s with a hand-over: a warning\n%s\n%s", previous, preview.StdOut, result.StdOut)
		}
		now := harness.ReadKeyOutputs(t, result.Outputs)
		s.Holds(before.AccessKeyID+harness.Active, now.AccessKeyID+harness.Active)
		if !works(t, s.Lab, before.AccessKeyID, before.SecretAccessKey) || !works(t, s.Lab, now.AccessKeyID, now.SecretAccessKey) {
			t.Errorf("%s: during the hand-over, not both of %v work", previous, harness.KeysOf(t, s.Lab))
		}
		s.Age(6)
		s.Unchanged()
		s.Age(1)
		steps := texts(s.MustPreview())
		want := map[string]string{"deleted": "delete AccessKey key-%d", "inactive": "update AccessKey key-%d [status]"}[previous]
		if want = fmt.Sprintf(want, before.Generation%2); !slices.Equal(steps, []string{want}) {
			t.Errorf("%s: the preview of the end shows %v, not %s", previous, steps, want)
		}
		s.Holds(before.AccessKeyID+harness.Active, now.AccessKeyID+harness.Active)
		s.Settled(inputs)
		if previous == "deleted" {
			s.Holds(now.AccessKeyID + harness.Active)
		} else {
			s.Holds(before.AccessKeyID+harness.Inactive, now.AccessKeyID+harness.Active)
		}

		inputs = values{"generation": 2*i + 3, "previous": previous}
		s.Give(inputs)
		preview, err = s.Preview(t.Context())
		harness.Check(t, err)
		result, _ = s.MustUp()
		for what, out := range map[string]string{"preview": preview.StdOut, "update": result.StdOut} {
			// Before that, the CLI repeats what a resource says with each of its steps.
			_, out, _ = strings.Cut(out, "Diagnostics:")
			if n := strings.Count(out, cutsOff); n != 1 {
				t.Errorf("%s without a hand-over: the %s warns %d times\n%s", previous, what, n, out)
			}
		}
		before = harness.ReadKeyOutputs(t, result.Outputs)
		// Nothing is rotated any more.
		result, _ = s.MustUp()
		if strings.Contains(result.StdOut, "cut off") {
			t.Errorf("%s: an update that does not rotate warns\n%s", previous, result.StdOut)
		}
	}
	for _, wrong := range []values{{"handOver": "7d"}, {"handOver": "7d", "previous": "active"}} {
		s.Give(wrong)
		s.fails("- handOver: has no effect while previous is \"active\"")
	}
	s.Next(inputs)
	s.MustDestroy()
}

// TestAccessKeyStoresRenamed checks that new stores are made before the old ones are deleted, and that the old ones are
// left where the new ones are refused. The next update deletes the old secret, whose key lives on, so that it can be
// restored.
func TestAccessKeyStoresRenamed(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	stores := func(secret, path string) values {
		return values{"secretsManager": values{"name": "cicd/" + secret}, "ssmPath": "/cicd/" + path}
	}
	pair := ""
	// hold says which secrets and parameters there are, and which of the secrets can be restored.
	hold := func(what string, secrets map[string]string, path string) {
		t.Helper()
		a, held, parameters := harness.Account(t, s.Lab), map[string]string{}, []string{}
		for _, secret := range a.Secrets {
			if held[secret.Name] = secret.Value; secret.Deleted {
				held[secret.Name] = "deleted"
			}
		}
		for _, p := range a.Parameters {
			parameters = append(parameters, p.Name)
		}
		harness.Same(t, what+": the secrets", held, secrets)
		harness.Same(t, what+": the parameters", parameters, []string{path + "/AWS_ACCESS_KEY_ID", path + "/AWS_SECRET_ACCESS_KEY"})
	}
	first := s.Settled(stores("a", "a"))
	pair = fmt.Sprintf(`{"AWS_ACCESS_KEY_ID":%q,"AWS_SECRET_ACCESS_KEY":%q}`, first.AccessKeyID, first.SecretAccessKey)
	hold("at first", map[string]string{"cicd/a": pair}, "/cicd/a")

	s.Lab.Calls()
	if now := s.Next(stores("b", "b")); now.AccessKeyID != first.AccessKeyID {
		t.Errorf("other stores make another key, %+v", now)
	}
	writes := s.Lab.Writes()
	ordered(t, writes, "PutParameter", "DeleteParameter")
	if !slices.Contains(writes, "PutSecretValue") || slices.Contains(writes, "DeleteSecret") {
		t.Errorf("another name takes the calls %v", writes)
	}
	hold("renamed", map[string]string{"cicd/a": pair, "cicd/b": pair}, "/cicd/b")
	s.Next(stores("b", "b"))
	s.Unchanged()
	hold("after one more update", map[string]string{"cicd/a": "deleted", "cicd/b": pair}, "/cicd/b")

	// The new name is that of somebody else's.
	s.takeStores("taken", "ID", "SECRET")
	// The update back from a refused name asks for a secret of that name once more, to delete it in the next.
	for _, refused := range []struct {
		want   string
		inputs values
	}{
		{"ResourceExistsException", stores("taken", "b")},
		{"ResourceExistsException", stores("b", "b")},
		{"ParameterAlreadyExists", stores("b", "taken")},
	} {
		want := refused.want
		s.Lab.Calls()
		s.Give(refused.inputs)
		s.fails(want)
		for _, write := range s.KeyWrites() {
			if strings.HasPrefix(write, "Delete") {
				t.Errorf("%s: there is the call %s", want, write)
			}
		}
	}
	s.forgetStores("taken", "ID", "SECRET")
	s.Next(stores("b", "b"))
	s.Next(stores("b", "b"))
	s.Unchanged()
	hold("after two that were refused", map[string]string{"cicd/a": "deleted", "cicd/b": pair}, "/cicd/b")

	// Twice in a row, and back; and a rotation meanwhile.
	s.Next(stores("c", "b"))
	s.Next(stores("d", "b"))
	hold("twice in a row", map[string]string{"cicd/a": "deleted", "cicd/b": "deleted", "cicd/c": pair, "cicd/d": pair}, "/cicd/b")
	rotated := stores("c", "b")
	rotated["generation"] = 2
	now := s.Next(rotated)
	pair = fmt.Sprintf(`{"AWS_ACCESS_KEY_ID":%q,"AWS_SECRET_ACCESS_KEY":%q}`, now.AccessKeyID, now.SecretAccessKey)
	s.Next(rotated)
	hold("and back", map[string]string{
		"cicd/a": "deleted", "cicd/b": "deleted", "cicd/c": pair, "cicd/d": "deleted",
	}, "/cicd/b")

	// Taken out of the inputs.
	none := values{"generation": 2}
	s.Next(none)
	s.Next(none)
	s.Unchanged()
	a := harness.Account(t, s.Lab)
	if len(a.Secrets) != 4 || len(a.Parameters) != 0 || slices.ContainsFunc(a.Secrets, func(s lab.Secret) bool { return !s.Deleted }) {
		t.Errorf("taken out, the stores are %s", harness.Pretty(t, a))
	}
	// With their keys they go at once.
	last := stores("e", "e")
	last["generation"] = 2
	s.Next(last)
	s.MustDestroy()
	if a := harness.Account(t, s.Lab); len(a.Secrets) != 4 || len(a.Parameters) != 0 {
		t.Errorf("what is left is %s", harness.Pretty(t, a))
	}
}

// TestAccessKeyStoresHalfRefused checks the way back from a path where AWS made one of the two parameters and refused
// the other.
func TestAccessKeyStoresHalfRefused(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	stores := func(path string) values {
		return values{"secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/" + path}
	}
	now := s.Next(stores("bot"))
	s.takeStores("taken", "SECRET")
	s.Give(stores("taken"))
	s.fails("ParameterAlreadyExists")
	s.forgetStores("taken", "SECRET")
	s.Give(stores("bot"))
	if _, _, err := s.TryUp(); err != nil {
		t.Errorf("the way back is closed: %v", err)
		// The guide: delete what the error names, and run the update again.
		s.DeleteNamed(err.Error())
		s.MustUp()
	}
	s.Keeps(now)
	s.Unchanged()
	s.MustDestroy()
}

// takeStores makes a secret and parameters by hand, which are somebody else's.
func (s *keyStack) takeStores(name string, parts ...string) {
	s.T.Helper()
	_, err := secretsmanager.NewFromConfig(s.Lab.Config()).CreateSecret(s.T.Context(),
		&secretsmanager.CreateSecretInput{Name: aws.String("cicd/" + name), SecretString: aws.String("theirs")})
	harness.Check(s.T, err)
	for _, part := range parts {
		_, err = ssm.NewFromConfig(s.Lab.Config()).PutParameter(s.T.Context(), &ssm.PutParameterInput{
			Name: aws.String(parameterName(name, part)), Value: aws.String("theirs"), Type: ssmtypes.ParameterTypeString,
		})
		harness.Check(s.T, err)
	}
}

// forgetStores deletes for good what [keyStack.takeStores] made.
func (s *keyStack) forgetStores(name string, parts ...string) {
	s.T.Helper()
	_, err := secretsmanager.NewFromConfig(s.Lab.Config()).DeleteSecret(s.T.Context(),
		&secretsmanager.DeleteSecretInput{SecretId: aws.String("cicd/" + name), ForceDeleteWithoutRecovery: aws.Bool(true)})
	harness.Check(s.T, err)
	for _, part := range parts {
		_, err = ssm.NewFromConfig(s.Lab.Config()).DeleteParameter(s.T.Context(),
			&ssm.DeleteParameterInput{Name: aws.String(parameterName(name, part))})
		harness.Check(s.T, err)
	}
}

func parameterName(path, part string) string {
	return "/cicd/" + path + map[string]string{"ID": "/AWS_ACCESS_KEY_ID", "SECRET": "/AWS_SECRET_ACCESS_KEY"}[part]
}

// TestAccessKeyWorksOnceStored checks, with keys that AWS takes some seconds to know, that the pair works at the moment
// when it is written to a store, and before the previous key is ended.
func TestAccessKeyWorksOnceStored(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	s.administrator()
	harness.Check(t, s.Workspace().SetEnvVars(map[string]string{"CICD_IAM_WAIT": "5s"}))
	harness.Check(t, l.Enforce(t.Context(), true))
	s.Next(nil)
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
		s.Next(values{
			"generation": i + 1, "previous": previous, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		})
	}
	l.Inject(nil)
	harness.Same(t, "the calls", seen, map[string]int{"PutSecretValue": 3, "PutParameter": 6, "UpdateAccessKey": 1, "DeleteAccessKey": 2})
	s.Next(nil)
	harness.Check(t, l.Enforce(t.Context(), false))
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
// and that nothing else of them changes but for a policy while they are revoked.
func TestAccessKeyOfOtherUsers(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	program := values{"own": values{"type": "aws:iam:User", "properties": values{"name": "own", "tags": values{"team": "a"}}}}
	s.WriteWith(program, nil)
	s.MustUp()
	s.user("made-by-hand", types.Tag{Key: aws.String("team"), Value: aws.String("b")})
	admin := iam.NewFromConfig(s.Lab.Config())
	for _, name := range []string{"own", "made-by-hand"} {
		_, err := admin.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
			UserName: &name, PolicyName: aws.String("everything"), PolicyDocument: aws.String(everything),
		})
		harness.Check(t, err)
	}
	revoked := false
	users := func() []lab.User {
		users := harness.Account(t, s.Lab).Users
		for i := range users {
			users[i].Keys, users[i].AccessKeys = nil, nil
			users[i].Policies = slices.DeleteFunc(users[i].Policies, func(name string) bool {
				return revoked && strings.HasPrefix(name, "cicd-revoke-tokens-")
			})
		}
		return users
	}
	before := users()
	give := func(inputs values) (outputs harness.KeyOutputs, said string) {
		t.Helper()
		s.WriteWith(program, inputs)
		result, _ := s.MustUp()
		s.Unchanged()
		harness.Same(t, "the users", users(), before)
		return harness.ReadKeyOutputs(t, result.Outputs), result.StdOut
	}
	for _, name := range []string{"${own.name}", "made-by-hand"} {
		first, _ := give(values{"userName": name})
		s.Holds(first.AccessKeyID + harness.Active)
		second, _ := give(values{"userName": name, "generation": 2})
		s.Holds(first.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)
		third, _ := give(values{"userName": name, "generation": 3, "previous": "deleted"})
		s.Holds(third.AccessKeyID + harness.Active)
		if !works(t, s.Lab, third.AccessKeyID, third.SecretAccessKey) {
			t.Errorf("the key of %s is %+v", name, third)
		}
		give(nil)
		s.Holds()
	}
	// Beside a key that somebody else made.
	other := s.keyByHand("made-by-hand")
	now, said := give(values{"userName": "made-by-hand"})
	s.Holds(other+harness.Active, now.AccessKeyID+harness.Active)
	s.says(said, "neither rotates nor revokes: "+other)
	revoked = true
	give(values{"userName": "made-by-hand", "revoked": true})
	revoked = false
	s.Holds(other+harness.Active, now.AccessKeyID+harness.Inactive)
	give(nil)
	s.Holds(other + harness.Active)
}

// TestAccessKeyOfUserRenamedInPlace checks that a key does not come along unnoticed when its user is renamed: the engine
// would delete it by the user's old name, which AWS takes for done.
func TestAccessKeyOfUserRenamedInPlace(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	give := func(name string, options values) {
		t.Helper()
		s.WriteWith(values{
			"own": values{"type": "aws:iam:User", "properties": values{"name": name}, "options": options},
		}, values{"userName": "${own.name}", "previous": "deleted"})
	}
	inPlace, replaced := values{}, values{"replaceOnChanges": []string{"name"}}
	give("alpha", inPlace)
	result, _ := s.MustUp()
	first := harness.ReadKeyOutputs(t, result.Outputs)
	give("beta", inPlace)
	_, err := s.Up(t.Context())
	if err == nil || !strings.Contains(err.Error(), "access keys that can be this component's own: "+first.AccessKeyID) {
		t.Fatalf("renamed in place: %v", err)
	}
	s.Holds(first.AccessKeyID + harness.Active)
	give("alpha", inPlace)
	s.MustUp()
	s.Unchanged()
	s.Holds(first.AccessKeyID + harness.Active)

	give("alpha", replaced)
	s.MustUp()
	give("beta", replaced)
	result, _ = s.MustUp()
	s.Holds(harness.ReadKeyOutputs(t, result.Outputs).AccessKeyID + harness.Active)
	users := harness.Account(t, s.Lab).Users
	if len(users) != 1 || users[0].Name != "beta" || works(t, s.Lab, first.AccessKeyID, first.SecretAccessKey) {
		t.Errorf("replaced, the account holds %s", harness.Pretty(t, users))
	}
	s.WriteWith(values{}, nil)
	s.MustDestroy()
}

// TestAccessKeyMovesToAnotherUser checks that another user gets a key, and every store has it, before a key of the old
// user is deleted.
func TestAccessKeyMovesToAnotherUser(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	s.user("one")
	s.user("two")
	inputs := func(user string, generation int) values {
		return values{
			"userName": user, "generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		}
	}
	next := func(user string, generation int) harness.KeyOutputs {
		t.Helper()
		s.WriteWith(values{}, inputs(user, generation))
		result, _ := s.MustUp()
		return harness.ReadKeyOutputs(t, result.Outputs)
	}
	next("one", 1)
	next("one", 2)
	s.Lab.Calls()
	now := next("two", 2)
	writes := s.KeyWrites()
	for _, made := range []string{"CreateAccessKey", "PutSecretValue", "PutParameter"} {
		ordered(t, writes, made, "DeleteAccessKey")
	}
	keys := map[string][]string{}
	for _, user := range harness.Account(t, s.Lab).Users {
		keys[user.Name] = user.AccessKeys
	}
	harness.Same(t, "the keys by user", keys, map[string][]string{"one": nil, "two": {now.AccessKeyID}})
	s.Keeps(now)
	s.Unchanged()
}
