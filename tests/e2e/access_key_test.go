package e2e

import (
	"bytes"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// values are an object in a program.
type values = harness.Values

// keyStack is a [harness.KeyStack] with what only these tests do.
type keyStack struct{ *harness.KeyStack }

func newKeyStack(t *testing.T, l *lab.Lab) *keyStack {
	t.Helper()
	return &keyStack{harness.NewKeyStack(t, l)}
}

// works reports whether AWS takes an access key, with policies enforced.
func works(t *testing.T, l *lab.Lab, id, secret string) bool {
	t.Helper()
	harness.Check(t, l.Enforce(t.Context(), true))
	_, err := sts.NewFromConfig(l.ConfigFor(id, secret, "")).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	harness.Check(t, l.Enforce(t.Context(), false))
	return err == nil
}

// TestAccessKeyLife takes one robot through all that its access key can be, update by update.
func TestAccessKeyLife(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)

	none := s.Next(nil)
	harness.Same(t, "the outputs of a robot without a key", none, harness.KeyOutputs{})
	s.Holds()

	first := s.Settled(values{})
	s.Holds(first.AccessKeyID + harness.Active)
	if first.Generation != 1 || first.PreviousAccessKeyID != "" || first.RotateAfter != "" ||
		!works(t, l, first.AccessKeyID, first.SecretAccessKey) {
		t.Errorf("the first key is %+v", first)
	}

	// By hand, three times: each time the new key comes first, and the key before goes on working.
	before := first
	for generation := 2; generation <= 4; generation++ {
		l.Calls()
		now := s.Settled(values{"generation": generation})
		s.Holds(before.AccessKeyID+harness.Active, now.AccessKeyID+harness.Active)
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
	aged := s.Next(values{"generation": 4, "rotateEvery": "90d"})
	rotatedAt, err := time.Parse(time.RFC3339, aged.RotatedAt)
	harness.Check(t, err)
	if aged.AccessKeyID != fourth.AccessKeyID || aged.RotateAfter != rotatedAt.AddDate(0, 0, 90).Format(time.RFC3339) {
		t.Errorf("with rotateEvery, the key is %+v", aged)
	}
	if manual := s.Next(values{"generation": 4}); manual.AccessKeyID != fourth.AccessKeyID {
		t.Errorf("back to manual, the key is %+v", manual)
	}
	s.Next(values{"generation": 4, "rotateEvery": "90d"})

	// By age: the preview shows it and does not do it.
	s.Age(89)
	s.Unchanged()
	s.Age(1)
	steps := s.MustPreview()
	if want := "replace AccessKey key-1"; !slices.ContainsFunc(steps, func(step harness.Step) bool {
		return strings.HasPrefix(step.String(), want)
	}) || len(steps) != 1 {
		t.Errorf("the preview shows the steps %v", steps)
	}
	s.Holds(fourth.PreviousAccessKeyID+harness.Active, fourth.AccessKeyID+harness.Active)
	fifth := s.Settled(values{"generation": 4, "rotateEvery": "90d"})
	s.Holds(fourth.AccessKeyID+harness.Active, fifth.AccessKeyID+harness.Active)
	if fifth.Generation != 5 {
		t.Errorf("rotated by age, the key is %+v", fifth)
	}

	// The key before the current one, in each of its values; deleted, it does not come back.
	s.Next(values{"generation": 4, "previous": "inactive"})
	s.Holds(fourth.AccessKeyID+harness.Inactive, fifth.AccessKeyID+harness.Active)
	s.Next(values{"generation": 4, "previous": "active"})
	s.Holds(fourth.AccessKeyID+harness.Active, fifth.AccessKeyID+harness.Active)
	if gone := s.Settled(values{"generation": 4, "previous": "deleted"}); gone.PreviousAccessKeyID != "" {
		t.Errorf("the previous key is deleted, and is %q", gone.PreviousAccessKeyID)
	}
	s.Holds(fifth.AccessKeyID + harness.Active)
	s.Next(values{"generation": 4})
	s.Holds(fifth.AccessKeyID + harness.Active)
	sixth := s.Next(values{"generation": 5, "previous": "inactive"})
	s.Holds(fifth.AccessKeyID+harness.Inactive, sixth.AccessKeyID+harness.Active)

	// Revoked, rotated meanwhile, and back.
	s.Next(values{"generation": 5, "revoked": true})
	s.Holds(fifth.AccessKeyID+harness.Inactive, sixth.AccessKeyID+harness.Inactive)
	seventh := s.Settled(values{"generation": 6, "revoked": true})
	s.Holds(sixth.AccessKeyID+harness.Inactive, seventh.AccessKeyID+harness.Inactive)
	s.Next(values{"generation": 6, "previous": "inactive"})
	s.Holds(sixth.AccessKeyID+harness.Inactive, seventh.AccessKeyID+harness.Active)

	// Encrypted to a key that is thrown away.
	entity, err := openpgp.NewEntity("CI", "", "ci@example.com", nil)
	harness.Check(t, err)
	var public bytes.Buffer
	harness.Check(t, entity.Serialize(&public))
	eighth := s.Settled(values{"generation": 6, "pgpKey": base64.StdEncoding.EncodeToString(public.Bytes())})
	s.Holds(seventh.AccessKeyID+harness.Active, eighth.AccessKeyID+harness.Active)
	secret := decrypted(t, entity, eighth.EncryptedSecretAccessKey)
	if eighth.SecretAccessKey != "" || !works(t, l, eighth.AccessKeyID, secret) {
		t.Errorf("encrypted, the key is %+v", eighth)
	}
	ninth := s.Next(values{"generation": 6})
	s.Holds(eighth.AccessKeyID+harness.Active, ninth.AccessKeyID+harness.Active)
	if ninth.EncryptedSecretAccessKey != "" || ninth.SecretAccessKey == "" {
		t.Errorf("no longer encrypted, the key is %+v", ninth)
	}

	// In both stores, which follow a rotation.
	stores := values{"generation": 6, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
	kept := s.Next(stores)
	if kept.AccessKeyID != ninth.AccessKeyID {
		t.Errorf("stores make a new key, %s", kept.AccessKeyID)
	}
	s.Keeps(kept)
	stores["generation"] = 10
	tenth := s.Settled(stores)
	s.Holds(ninth.AccessKeyID+harness.Active, tenth.AccessKeyID+harness.Active)
	s.Keeps(tenth)

	// Removed, and begun again at a generation above 1: there is one key.
	s.Next(nil)
	s.Holds()
	if a := harness.Account(t, l); len(a.Secrets)+len(a.Parameters) != 0 {
		t.Errorf("what is left is %s", harness.Pretty(t, a))
	}
	again := s.Settled(values{"generation": 5})
	s.Holds(again.AccessKeyID + harness.Active)
	if again.Generation != 5 || again.PreviousAccessKeyID != "" {
		t.Errorf("begun again, the key is %+v", again)
	}
	s.MustDestroy()
}

// TestAccessKeyGeneration says that a generation is neither lowered nor raised by more than one.
func TestAccessKeyGeneration(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	first := s.Next(values{"generation": 3})
	for generation, want := range map[int]string{
		2: "generation = 2: must not be lowered; it was 3",
		5: "generation = 5: must be raised by one at a time; the current key is of generation 3, so the next is 4",
	} {
		s.Give(values{"generation": generation})
		_, err := s.Preview(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("generation %d: %v", generation, err)
		}
		if _, _, err := s.TryUp(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("generation %d: %v", generation, err)
		}
	}
	s.Give(values{})
	s.fails("generation: must not be left out; it was 3")
	s.Holds(first.AccessKeyID + harness.Active)
	s.MustDestroy()
}

// TestAccessKeyOfRenamedUser says that a user with another name gets keys of its own, and that none of the old one's
// is left: AWS would let the keys live on under the new name, where the AWS provider does not look for them.
func TestAccessKeyOfRenamedUser(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	s.Next(values{})
	old := s.Next(values{"generation": 2})
	s.Write("renamed", values{"generation": 2})
	result, _ := s.MustUp()
	s.Unchanged()
	now := harness.ReadKeyOutputs(t, result.Outputs)
	a := harness.Account(t, s.Lab)
	if len(a.Users) != 1 || a.Users[0].Name != "renamed" || now.AccessKeyID == old.AccessKeyID || now.Generation != 3 {
		t.Errorf("renamed, the key is %+v, in the account %s", now, harness.Pretty(t, a))
	}
	s.Holds(now.AccessKeyID + harness.Active)
	s.MustDestroy()
}

// TestAccessKeyBesideOthers says what an update says of keys that it did not make, and that it names the right ones.
func TestAccessKeyBesideOthers(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := newKeyStack(t, l)
	s.Next(nil)
	admin := iam.NewFromConfig(l.Config())
	byHand := func() string {
		key, err := admin.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: aws.String("cicd-bot")})
		harness.Check(t, err)
		return *key.AccessKey.AccessKeyId
	}
	fails := func(want ...string) {
		t.Helper()
		_, _, err := s.TryUp()
		for _, want := range want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("the update says nothing of %q: %v", want, err)
			}
		}
	}
	command := func(id string) string {
		return "aws iam delete-access-key --user-name cicd-bot --access-key-id " + id
	}

	// Two by hand leave no room for the first key.
	other, another := byHand(), byHand()
	s.Give(values{})
	fails("has no room for another access key", other, another, ". Delete one when nobody uses it", command(""))
	s.DeleteKey("cicd-bot", another)

	// One by hand leaves room for the first key, and is named.
	result, _ := s.MustUp()
	first := harness.ReadKeyOutputs(t, result.Outputs)
	if want := "neither rotates nor revokes: " + other + " (created "; !strings.Contains(result.StdOut, want) {
		t.Errorf("the update does not say %q:\n%s", want, result.StdOut)
	}
	s.Holds(other+harness.Active, first.AccessKeyID+harness.Active)

	// It leaves none for the second one.
	s.Give(values{"generation": 2})
	fails("has no room for another access key", "because AWS allows 2: "+other, command(other))
	s.Holds(other+harness.Active, first.AccessKeyID+harness.Active)
	s.DeleteKey("cicd-bot", other)
	second := s.Settled(values{"generation": 2})
	s.Holds(first.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)

	// The previous key, deleted by hand, is not made again.
	s.DeleteKey("cicd-bot", first.AccessKeyID)
	_, err := s.Refresh(t.Context())
	harness.Check(t, err)
	if s.Settled(values{"generation": 2}).PreviousAccessKeyID != "" {
		t.Error("a previous key that was deleted by hand is still there")
	}
	s.Holds(second.AccessKeyID + harness.Active)

	// One made by hand while the robot has another is told from the robot's, which is older.
	third := byHand()
	s.Give(values{"generation": 3, "previous": "deleted"})
	fails("has no room for another access key", "Keep the one that the output accessKeyId names", third)
	s.DeleteKey("cicd-bot", third)
	s.Next(values{"generation": 3, "previous": "deleted"})
	s.MustDestroy()
}

// TestAccessKeyOfProtectedRobot says that protection stops a destroy in its preview, and does not keep the key from
// being rotated.
func TestAccessKeyOfProtectedRobot(t *testing.T) {
	t.Parallel()
	s := newKeyStack(t, harness.NewLab(t))
	s.Options = values{"protect": true}
	var now harness.KeyOutputs
	for generation := 1; generation <= 3; generation++ {
		s.Give(values{"generation": generation, "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"})
		result, _ := s.MustUp()
		now = harness.ReadKeyOutputs(t, result.Outputs)
	}
	if _, err := s.PreviewDestroy(t.Context()); err == nil || !strings.Contains(err.Error(), "protect") {
		t.Errorf("the preview lets a protected robot be destroyed: %v", err)
	}
	s.Holds(now.PreviousAccessKeyID+harness.Active, now.AccessKeyID+harness.Active)
	s.Options = nil
	s.Next(values{
		"generation": 3, "previous": "deleted", "secretsManager": values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
	})
	s.MustDestroy()
}
