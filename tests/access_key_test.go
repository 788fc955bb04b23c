package tests

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// values are an object of a program.
type values = map[string]any

// keyStack is a stack of a robot account and an access key of it, whose inputs a test changes from update to update.
type keyStack struct {
	*stack
	dir string
	// options are those of the access key.
	options values
}

func newKeyStack(t *testing.T, l *lab.Lab) *keyStack {
	t.Helper()
	s := &keyStack{stack: &stack{t: t, lab: l}, dir: t.TempDir()}
	s.give(nil)
	command, err := cli()
	check(t, err)
	local, err := auto.UpsertStackLocalSource(t.Context(), "dev", s.dir, auto.EnvVars(l.Env()), auto.Pulumi(command))
	check(t, err)
	s.Stack = local
	return s
}

// give gives the robot cicd-bot an access key with these inputs, or none.
func (s *keyStack) give(key values) {
	s.t.Helper()
	s.write("cicd-bot", key)
}

// write writes a program of a robot account, whose user may have no name of its own, and an access key with these
// inputs, if there are any.
func (s *keyStack) write(userName string, key values) {
	s.t.Helper()
	robot := values{}
	if userName != "" {
		robot["userName"] = userName
	}
	s.writeWith(values{"robot": values{"type": "cicd:RobotAccount", "properties": robot}}, key)
}

// writeWith writes a program of these resources, and of an access key with these inputs, if there are any. Unless they
// name another user, it is the robot's.
func (s *keyStack) writeWith(resources, key values) {
	s.t.Helper()
	resources, outputs := maps.Clone(resources), values{}
	if key != nil {
		properties := maps.Clone(key)
		if properties["userName"] == nil {
			properties["userName"] = "${robot.userName}"
		}
		resource := values{"type": "cicd:AccessKey", "properties": properties}
		if s.options != nil {
			resource["options"] = s.options
		}
		resources["key"] = resource
		for _, name := range []string{
			"accessKeyId", "secretAccessKey", "encryptedSecretAccessKey", "previousAccessKeyId", "generation",
			"rotatedAt", "rotateAfter", "secretArn", "ssmParameterNames",
		} {
			outputs[name] = "${key." + name + "}"
		}
	}
	s.writeProgram(values{"resources": resources, "outputs": outputs})
}

// writeProgram writes a program in YAML, which JSON is too.
func (s *keyStack) writeProgram(program values) {
	s.t.Helper()
	program["name"], program["runtime"] = "robot-account", "yaml"
	text, err := json.Marshal(program)
	check(s.t, err)
	check(s.t, os.WriteFile(filepath.Join(s.dir, "Pulumi.yaml"), text, 0o600))
}

// next runs an update with the input accessKey.
func (s *keyStack) next(accessKey values) keyOutputs {
	s.t.Helper()
	s.give(accessKey)
	result, _ := s.up()
	return readKeyOutputs(s.t, result.Outputs)
}

// settled runs an update with the input accessKey, after which another one finds nothing to do.
func (s *keyStack) settled(accessKey values) keyOutputs {
	s.t.Helper()
	outputs := s.next(accessKey)
	s.unchanged()
	return outputs
}

// keyOutputs are the outputs of the stack.
type keyOutputs struct {
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

func readKeyOutputs(t *testing.T, outputs auto.OutputMap) (read keyOutputs) {
	t.Helper()
	all := values{}
	for name, output := range outputs {
		all[name] = output.Value
		if output.Value != nil && output.Secret != (name == "secretAccessKey") {
			t.Errorf("the output %s is a secret: %v", name, output.Secret)
		}
	}
	text, err := json.Marshal(all)
	check(t, err)
	check(t, json.Unmarshal(text, &read))
	return read
}

// holds says that the user has these keys, each an ID and its status, from the oldest to the newest.
func (s *keyStack) holds(want ...string) {
	s.t.Helper()
	got := keysOf(s.t, s.lab)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("the user has the keys %v, not %v", got, want)
	}
}

func keysOf(t *testing.T, l *lab.Lab) (keys []string) {
	t.Helper()
	for _, user := range account(t, l).Users {
		for _, key := range user.Keys {
			keys = append(keys, key.ID+" "+key.Status)
		}
	}
	return keys
}

const (
	active   = " Active"
	inactive = " Inactive"
)

// deleteKey deletes a key of a user by hand.
func (s *keyStack) deleteKey(user, id string) {
	s.t.Helper()
	_, err := iam.NewFromConfig(s.lab.Config()).DeleteAccessKey(s.t.Context(),
		&iam.DeleteAccessKeyInput{UserName: &user, AccessKeyId: &id})
	check(s.t, err)
}

// age makes all keys older by some days, and has Pulumi's state know it.
func (s *keyStack) age(days int) {
	s.t.Helper()
	s.lab.AgeKeys(time.Duration(days) * 24 * time.Hour)
	_, err := s.Refresh(s.t.Context())
	check(s.t, err)
}

// works reports whether AWS takes an access key, with policies enforced.
func works(t *testing.T, l *lab.Lab, id, secret string) bool {
	t.Helper()
	check(t, l.Enforce(t.Context(), true))
	_, err := sts.NewFromConfig(l.ConfigFor(id, secret, "")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	check(t, l.Enforce(t.Context(), false))
	return err == nil
}

// TestAccessKeyLife takes one robot through all that its access key can be, update by update.
func TestAccessKeyLife(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newKeyStack(t, l)

	none := s.next(nil)
	same(t, "the outputs of a robot without a key", none, keyOutputs{})
	s.holds()

	first := s.settled(values{})
	s.holds(first.AccessKeyID + active)
	if first.Generation != 1 || first.PreviousAccessKeyID != "" || first.RotateAfter != "" ||
		!works(t, l, first.AccessKeyID, first.SecretAccessKey) {
		t.Errorf("the first key is %+v", first)
	}

	// By hand, three times: each time the new key comes first, and the key before goes on working.
	before := first
	for generation := 2; generation <= 4; generation++ {
		l.Calls()
		now := s.settled(values{"generation": generation})
		s.holds(before.AccessKeyID+active, now.AccessKeyID+active)
		if now.Generation != generation || now.PreviousAccessKeyID != before.AccessKeyID ||
			!works(t, l, now.AccessKeyID, now.SecretAccessKey) || !works(t, l, before.AccessKeyID, before.SecretAccessKey) {
			t.Errorf("generation %d is %+v", generation, now)
		}
		if writes := l.Writes(); writes[len(writes)-1] != "CreateAccessKey" || len(writes) > 2 {
			t.Errorf("generation %d takes the calls %v", generation, writes)
		}
		before = now
	}
	fourth := before

	// From manual to by age and back: the key stays.
	aged := s.next(values{"generation": 4, "rotateEvery": "90d"})
	rotatedAt, err := time.Parse(time.RFC3339, aged.RotatedAt)
	check(t, err)
	if aged.AccessKeyID != fourth.AccessKeyID || aged.RotateAfter != rotatedAt.AddDate(0, 0, 90).Format(time.RFC3339) {
		t.Errorf("with rotateEvery, the key is %+v", aged)
	}
	if manual := s.next(values{"generation": 4}); manual.AccessKeyID != fourth.AccessKeyID {
		t.Errorf("back to manual, the key is %+v", manual)
	}
	s.next(values{"generation": 4, "rotateEvery": "90d"})

	// By age: the preview shows it and does not do it.
	s.age(89)
	s.unchanged()
	s.age(1)
	steps := s.preview()
	if want := "replace AccessKey key-1"; !slices.ContainsFunc(steps, func(step step) bool {
		return strings.HasPrefix(step.String(), want)
	}) || len(steps) != 1 {
		t.Errorf("the preview shows the steps %v", steps)
	}
	s.holds(fourth.PreviousAccessKeyID+active, fourth.AccessKeyID+active)
	fifth := s.settled(values{"generation": 4, "rotateEvery": "90d"})
	s.holds(fourth.AccessKeyID+active, fifth.AccessKeyID+active)
	if fifth.Generation != 5 {
		t.Errorf("rotated by age, the key is %+v", fifth)
	}

	// The key before the current one, in each of its values; deleted, it does not come back.
	s.next(values{"generation": 4, "previous": "inactive"})
	s.holds(fourth.AccessKeyID+inactive, fifth.AccessKeyID+active)
	s.next(values{"generation": 4, "previous": "active"})
	s.holds(fourth.AccessKeyID+active, fifth.AccessKeyID+active)
	if gone := s.settled(values{"generation": 4, "previous": "deleted"}); gone.PreviousAccessKeyID != "" {
		t.Errorf("the previous key is deleted, and is %q", gone.PreviousAccessKeyID)
	}
	s.holds(fifth.AccessKeyID + active)
	s.next(values{"generation": 4})
	s.holds(fifth.AccessKeyID + active)
	sixth := s.next(values{"generation": 5, "previous": "inactive"})
	s.holds(fifth.AccessKeyID+inactive, sixth.AccessKeyID+active)

	// Revoked, rotated meanwhile, and back.
	s.next(values{"generation": 5, "revoked": true})
	s.holds(fifth.AccessKeyID+inactive, sixth.AccessKeyID+inactive)
	seventh := s.settled(values{"generation": 6, "revoked": true})
	s.holds(sixth.AccessKeyID+inactive, seventh.AccessKeyID+inactive)
	s.next(values{"generation": 6, "previous": "inactive"})
	s.holds(sixth.AccessKeyID+inactive, seventh.AccessKeyID+active)

	// Encrypted to a key that is thrown away.
	entity, err := openpgp.NewEntity("CI", "", "ci@example.com", nil)
	check(t, err)
	var public bytes.Buffer
	check(t, entity.Serialize(&public))
	eighth := s.settled(values{"generation": 6, "pgpKey": base64.StdEncoding.EncodeToString(public.Bytes())})
	s.holds(seventh.AccessKeyID+active, eighth.AccessKeyID+active)
	encrypted, err := base64.StdEncoding.DecodeString(eighth.EncryptedSecretAccessKey)
	check(t, err)
	message, err := openpgp.ReadMessage(bytes.NewReader(encrypted), openpgp.EntityList{entity}, nil, nil)
	check(t, err)
	secret, err := io.ReadAll(message.UnverifiedBody)
	check(t, err)
	if eighth.SecretAccessKey != "" || !works(t, l, eighth.AccessKeyID, string(secret)) {
		t.Errorf("encrypted, the key is %+v", eighth)
	}
	ninth := s.next(values{"generation": 6})
	s.holds(eighth.AccessKeyID+active, ninth.AccessKeyID+active)
	if ninth.EncryptedSecretAccessKey != "" || ninth.SecretAccessKey == "" {
		t.Errorf("no longer encrypted, the key is %+v", ninth)
	}

	// In both stores, which follow a rotation.
	stores := values{"generation": 6, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	kept := s.next(stores)
	if kept.AccessKeyID != ninth.AccessKeyID {
		t.Errorf("stores make a new key, %s", kept.AccessKeyID)
	}
	s.keeps(kept)
	stores["generation"] = 10
	tenth := s.settled(stores)
	s.holds(ninth.AccessKeyID+active, tenth.AccessKeyID+active)
	s.keeps(tenth)

	// Removed, and begun again at a generation above 1: there is one key.
	s.next(nil)
	s.holds()
	if a := account(t, l); len(a.Secrets)+len(a.Parameters) != 0 {
		t.Errorf("what is left is %s", pretty(t, a))
	}
	again := s.settled(values{"generation": 5})
	s.holds(again.AccessKeyID + active)
	if again.Generation != 5 || again.PreviousAccessKeyID != "" {
		t.Errorf("begun again, the key is %+v", again)
	}
	s.destroy()
}

// keeps says that both stores hold the current key and nothing else.
func (s *keyStack) keeps(o keyOutputs) {
	s.t.Helper()
	a := account(s.t, s.lab)
	pair := fmt.Sprintf(`{"AWS_ACCESS_KEY_ID":%q,"AWS_SECRET_ACCESS_KEY":%q}`, o.AccessKeyID, o.SecretAccessKey)
	if len(a.Secrets) != 1 || a.Secrets[0].Value != pair || a.Secrets[0].Name != "cicd/bot" || a.Secrets[0].ARN != o.SecretArn {
		s.t.Errorf("Secrets Manager holds %s", pretty(s.t, a.Secrets))
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
		s.t.Errorf("Parameter Store holds %v, named %v", parameters, o.SsmParameterNames)
	}
}

// TestAccessKeyGeneration says that a generation is neither lowered nor raised by more than one.
func TestAccessKeyGeneration(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	first := s.next(values{"generation": 3})
	for generation, want := range map[int]string{
		2: "generation = 2: must not be lowered; it was 3",
		5: "generation = 5: must be raised by one at a time; the current key is of generation 3, so the next is 4",
	} {
		s.give(values{"generation": generation})
		_, err := s.Preview(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("generation %d: %v", generation, err)
		}
		if _, _, err := s.tryUp(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
	s.give(values{})
	s.fails("generation: must not be left out; it was 3")
	s.holds(first.AccessKeyID + active)
	s.destroy()
}

// TestAccessKeyOfRenamedUser says that a user with another name gets keys of its own, and that none of the old one's
// is left: AWS would let the keys live on under the new name, where the AWS provider does not look for them.
func TestAccessKeyOfRenamedUser(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	s.next(values{})
	old := s.next(values{"generation": 2})
	s.write("renamed", values{"generation": 2})
	result, _ := s.up()
	s.unchanged()
	now := readKeyOutputs(t, result.Outputs)
	a := account(t, s.lab)
	if len(a.Users) != 1 || a.Users[0].Name != "renamed" || now.AccessKeyID == old.AccessKeyID || now.Generation != 3 {
		t.Errorf("renamed, the key is %+v, in the account %s", now, pretty(t, a))
	}
	s.holds(now.AccessKeyID + active)
	s.destroy()
}

// TestAccessKeyBesideOthers says what an update says of keys that it did not make, and that it names the right ones.
func TestAccessKeyBesideOthers(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := newKeyStack(t, l)
	s.next(nil)
	admin := iam.NewFromConfig(l.Config())
	byHand := func() string {
		key, err := admin.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("cicd-bot")})
		check(t, err)
		return *key.AccessKey.AccessKeyId
	}
	fails := func(want ...string) {
		t.Helper()
		_, _, err := s.tryUp()
		for _, want := range want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the update says nothing of %q: %v", want, err)
			}
		}
	}
	command := func(id string) string {
		return "aws iam delete-access-key --user-name cicd-bot --access-key-id " + id
	}

	// One by hand leaves room for the first key, and is named.
	other := byHand()
	s.give(values{})
	result, _ := s.up()
	first := readKeyOutputs(t, result.Outputs)
	if want := "neither rotates nor revokes: " + other + " (created "; !strings.Contains(result.StdOut, want) {
		t.Errorf("the update does not say %q:\n%s", want, result.StdOut)
	}
	s.holds(other+active, first.AccessKeyID+active)

	// It leaves none for the second one.
	s.give(values{"generation": 2})
	fails("has no room for another access key", "because AWS allows 2: "+other, command(other))
	s.holds(other+active, first.AccessKeyID+active)
	s.deleteKey("cicd-bot", other)
	second := s.settled(values{"generation": 2})
	s.holds(first.AccessKeyID+active, second.AccessKeyID+active)

	// The previous key, deleted by hand, is not made again.
	s.deleteKey("cicd-bot", first.AccessKeyID)
	_, err := s.Refresh(t.Context())
	check(t, err)
	if s.settled(values{"generation": 2}).PreviousAccessKeyID != "" {
		t.Error("a previous key that was deleted by hand is still there")
	}
	s.holds(second.AccessKeyID + active)

	// One made by hand while the robot has another is told from the robot's, which is older.
	third := byHand()
	s.give(values{"generation": 3, "previous": "deleted"})
	fails("has no room for another access key", "Keep the one that the output accessKeyId names", third)
	s.deleteKey("cicd-bot", third)
	s.next(values{"generation": 3, "previous": "deleted"})
	s.destroy()
}

// TestAccessKeyOfProtectedRobot says that protection stops a destroy in its preview, and does not keep the key from
// being rotated.
func TestAccessKeyOfProtectedRobot(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, newLab(t))
	s.options = values{"protect": true}
	var now keyOutputs
	for generation := 1; generation <= 3; generation++ {
		s.give(values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"})
		result, _ := s.up()
		now = readKeyOutputs(t, result.Outputs)
	}
	if _, err := s.PreviewDestroy(t.Context()); err == nil || !strings.Contains(err.Error(), "protect") {
		t.Errorf("the preview lets a protected robot be destroyed: %v", err)
	}
	s.holds(now.PreviousAccessKeyID+active, now.AccessKeyID+active)
	s.options = nil
	s.next(values{
		"generation": 3, "previous": "deleted", "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
	})
	s.destroy()
}
