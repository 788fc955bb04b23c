package provider

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// TestAccessKeyJournal takes the resource that remembers a user's keys from update to update, as the engine does.
func TestAccessKeyJournal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	log := &testLogger{}
	journals := &journalProvider{now: func() time.Time { return now }}
	urn := resource.NewURN("stack", "project", "", journalToken, "robot")
	request := property.NewMap(map[string]property.Value{"userName": property.New("bot"), "preview": property.New(false)})
	var recorded property.Map
	key := func(id string) property.Value {
		return property.New([]property.Value{property.New(id), property.New(now.Format(time.RFC3339)), property.New("Active")})
	}
	keys := []property.Value{key("H")}
	ask := func(asked property.Map) p.CheckResponse {
		t.Helper()
		if asked.Get("userKeys").IsNull() {
			asked = asked.Set("userKeys", property.New(keys))
		}
		checked, err := journals.check(log, p.CheckRequest{Urn: urn, State: recorded, Inputs: asked})
		check(t, err)
		return checked
	}
	update := func(asked property.Map) property.Map {
		t.Helper()
		now = now.Add(time.Minute)
		checked := ask(asked)
		if len(checked.Failures) > 0 {
			t.Fatalf("the check fails: %v", checked.Failures)
		}
		diff, err := journals.diff(t.Context(), p.DiffRequest{Urn: urn, OldInputs: recorded, Inputs: checked.Inputs})
		check(t, err)
		next := checked.Inputs
		if changed := !next.Equals(recorded); diff.HasChanges != changed || (len(diff.DetailedDiff) > 0) != changed {
			t.Errorf("from %v to %v there is the difference %v", recorded, next, diff)
		}
		if generation := next.Get("generation"); !generation.Equals(recorded.Get("generation")) {
			keys = []property.Value{keys[len(keys)-1], key(fmt.Sprint("K", generation.AsNumber()))}
		}
		recorded = next
		return recorded
	}
	is := func(name string, want property.Value) {
		t.Helper()
		if got := recorded.Get(name); !got.Equals(want) {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}
	number, text := property.New[float64], property.New[string]

	first := update(request)
	is("generation", number(1))
	is("before", property.New([]property.Value{text("H")}))
	is("previousGeneration", number(0))
	is("plannedAt", text("2026-01-02T03:05:05Z"))
	if again := update(request); !again.Equals(first) {
		t.Errorf("an update that asks for nothing changes %v to %v", first, again)
	}

	// The update records what was checked, and what was never checked changes nothing: the engine skips that update.
	next := ask(request.Set("generation", number(2))).Inputs
	for _, tt := range []struct{ asked, want property.Map }{{next, next}, {request.Set("generation", number(2)), first}} {
		resp, err := journals.update(t.Context(), p.UpdateRequest{Urn: urn, State: first, Inputs: tt.asked, DryRun: true})
		check(t, err)
		if !resp.Properties.Equals(tt.want) {
			t.Errorf("asked for %v, the update returns %v", tt.asked, resp.Properties)
		}
	}

	// What only AWS and the clock know is unknown in the preview that changes it, and the rest is known.
	preview := ask(request.Set("preview", property.New(true)).Set("generation", number(2))).Inputs
	for name, v := range preview.All {
		if unknown := name == "before" || name == "plannedAt"; v.HasComputed() != unknown {
			t.Errorf("in a preview, %s is %v", name, v)
		}
	}
	if same := ask(request.Set("preview", property.New(true))).Inputs; !same.Equals(first) {
		t.Errorf("a preview that changes nothing gives %v", same)
	}

	// A public key is carried as it was given, and what is unknown changes nothing.
	secret := text(publicKey(t, 0)).WithSecret(true)
	update(request.Set("pgpKey", secret))
	is("generation", number(2))
	is("pgpKey", secret)
	is("previousPgpKey", text(""))
	is("previous", text("active"))
	encrypted := recorded
	unknown := property.New(property.Computed)
	for _, name := range []string{"generation", "rotateEvery", "previous", "handOver", "revoked", "pgpKey", "userKeys"} {
		if now := update(request.Set("pgpKey", secret).Set(name, unknown)); !now.Equals(encrypted) {
			t.Errorf("with an unknown %s it is %v, not %v", name, now, encrypted)
		}
	}
	other := text(publicKey(t, 0))
	update(request.Set("pgpKey", other))
	is("pgpKey", other)
	is("previousPgpKey", secret)

	// A public key that has expired stops only an update that creates a key with it.
	expired := text(publicKey(t, time.Second))
	if failures := ask(request.Set("pgpKey", expired)).Failures; len(failures) != 1 ||
		!strings.HasPrefix(failures[0].Reason, "pgpKey: must be an OpenPGP public key that has not expired") {
		t.Errorf("an expired public key: %v", failures)
	}
	recorded = recorded.Set("pgpKey", expired)
	update(request.Set("pgpKey", expired).Set("previous", text("inactive")))
	is("previous", text("inactive"))
	if failures := ask(request.Set("pgpKey", expired).Set("generation", number(4))).Failures; len(failures) != 1 {
		t.Errorf("a rotation with an expired public key: %v", failures)
	}
	recorded = recorded.Set("pgpKey", other)

	// By age, and the previous key deleted.
	now = now.Add(90 * 24 * time.Hour)
	keys = keys[1:]
	aged := request.Set("pgpKey", other).Set("rotateEvery", text("90d"))
	update(aged)
	is("generation", number(4))
	is("previousGeneration", number(3))
	update(aged.Set("previous", text("deleted")))
	is("generation", number(4))
	is("previousGeneration", number(0))
	if len(log.warnings) != 0 {
		t.Errorf("the user is warned %q", log.warnings)
	}
	keys = keys[1:]
	update(aged.Set("previous", text("deleted")).Set("generation", number(5)))
	if len(log.warnings) != 1 || !strings.Contains(log.warnings[0], `previous is "deleted" and there is no handOver`) ||
		!strings.Contains(log.warnings[0], `leave previous "active" in this update and change it in a later one`) {
		t.Errorf("the user is warned %q", log.warnings)
	}

	// A key that is made while all are switched off is delivered switched off.
	restored := recorded
	log.warnings, keys = nil, keys[1:]
	revoked := request.Set("pgpKey", other).Set("generation", number(5)).Set("revoked", property.New(true))
	update(revoked)
	if len(log.warnings) != 0 {
		t.Errorf("revoked, the user is warned %q", log.warnings)
	}
	update(revoked.Set("generation", number(6)))
	if len(log.warnings) != 1 || !strings.Contains(log.warnings[0], "the new access key is switched off until revoked is false") {
		t.Errorf("revoked and rotated, the user is warned %q", log.warnings)
	}
	recorded = restored

	// A user who is about to be replaced is another one.
	update(aged.Set("userName", unknown).Set("userKeys", unknown).Set("generation", number(5)))
	is("generation", number(6))
	is("first", number(6))
	is("userName", unknown)
	recorded = recorded.Set("userName", text("bot"))

	lowered := ask(request.Set("generation", number(9).WithSecret(true))).Failures
	const want = "invalid input:\n  - generation = [secret]: must be raised by one at a time; " +
		"the current key is of generation 6, so the next is 7"
	if len(lowered) != 1 || lowered[0].Reason != want || lowered[0].Property != "" {
		t.Errorf("the failures are %v", lowered)
	}

	read, err := journals.read(t.Context(), p.ReadRequest{ID: "robot", Urn: urn, Inputs: recorded, Properties: recorded})
	check(t, err)
	if !read.Inputs.Equals(recorded) || !read.Properties.Equals(recorded) || read.ID != "robot" {
		t.Errorf("read back, it is %v", read)
	}
	if len(log.infos) < 5 || slices.ContainsFunc(log.infos, func(s string) bool {
		return !strings.HasPrefix(s, "the access key is rotated: ")
	}) {
		t.Errorf("the user is told %q", log.infos)
	}

	// A journal that nobody can have written is refused.
	for name, wrong := range map[string]property.Value{
		"generation": number(1e300), "first": number(math.NaN()), "requested": number(-1), "previousGeneration": number(0.5),
		"before": text("K1"), "plannedAt": text("yesterday"), "previousBefore": property.New([]property.Value{number(1)}),
	} {
		right := recorded
		recorded = recorded.Set(name, wrong)
		failures := ask(request.Set("generation", number(6))).Failures
		if len(failures) != 1 || !strings.Contains(failures[0].Reason, "cannot be read: "+name) {
			t.Errorf("%s: %v", name, failures)
		}
		recorded = right
	}
}

// publicKey returns an OpenPGP public key with a lifetime from two days ago, or without an end.
func publicKey(t *testing.T, lifetime time.Duration) string {
	t.Helper()
	entity, err := openpgp.NewEntity("CI", "", "ci@example.com", &packet.Config{
		Time:            func() time.Time { return time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC) },
		KeyLifetimeSecs: uint32(lifetime.Seconds()),
	})
	check(t, err)
	var raw bytes.Buffer
	check(t, entity.Serialize(&raw))
	return base64.StdEncoding.EncodeToString(raw.Bytes())
}

// testLogger remembers what the user is told.
type testLogger struct{ infos, warnings []string }

func (l *testLogger) Info(text string)    { l.infos = append(l.infos, text) }
func (l *testLogger) Warning(text string) { l.warnings = append(l.warnings, text) }

// TestNoOtherResources checks that the package has no other custom resource: none is made up, and none is taken for
// deleted. A malformed URN is an error.
func TestNoOtherResources(t *testing.T) {
	t.Parallel()
	tp, ctx := startProvider(t), t.Context()
	for _, urn := range []string{
		"urn:pulumi:stack::project::cicd:index:RobotAccount::robot", "", "urn", "urn:pulumi:stack", "urn:pulumi:a::b::::", "::::::",
	} {
		for name, call := range map[string]func() error{
			"Check": func() error {
				_, err := tp.Check(ctx, &pulumirpc.CheckRequest{Urn: urn})
				return err
			},
			"Diff": func() error {
				_, err := tp.Diff(ctx, &pulumirpc.DiffRequest{Urn: urn})
				return err
			},
			"Create": func() error {
				_, err := tp.Create(ctx, &pulumirpc.CreateRequest{Urn: urn})
				return err
			},
			"Update": func() error {
				_, err := tp.Update(ctx, &pulumirpc.UpdateRequest{Urn: urn})
				return err
			},
			"Read": func() error {
				_, err := tp.Read(ctx, &pulumirpc.ReadRequest{Urn: urn, Id: "robot"})
				return err
			},
			"Delete": func() error {
				_, err := tp.Delete(ctx, &pulumirpc.DeleteRequest{Urn: urn, Id: "robot"})
				return err
			},
		} {
			if err := call(); err == nil || !strings.Contains(err.Error(), "no such resource") {
				t.Errorf("%s of %q gives %v", name, urn, err)
			}
		}
	}
}
