package provider

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// TestAccessKeyJournal takes the resource that remembers a user's keys from update to update, as the engine does.
func TestAccessKeyJournal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var infos, warnings []string
	journals := &journalProvider{
		now: func() time.Time { return now },
		log: func(_ context.Context, severity diag.Severity, _ resource.URN, text string) {
			if severity == diag.Warning {
				warnings = append(warnings, text)
			} else {
				infos = append(infos, text)
			}
		},
	}
	urn := resource.NewURN("stack", "project", "", journalToken, "robot")
	request := property.NewMap(map[string]property.Value{"userName": property.New("bot"), "preview": property.New(false)})
	var recorded property.Map
	key := func(id string) property.Value {
		return property.New([]property.Value{property.New(id), property.New(now.Format(time.RFC3339)), property.New("Active")})
	}
	keys := []property.Value{key("H")}
	ask := func(asked property.Map) plugin.CheckResponse {
		t.Helper()
		if asked.Get("userKeys").IsNull() {
			asked = asked.Set("userKeys", property.New(keys))
		}
		checked, err := journals.Check(t.Context(), plugin.CheckRequest{
			URN: urn, Type: urn.Type(), Olds: resource.ToResourcePropertyMap(recorded), News: resource.ToResourcePropertyMap(asked),
		})
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
		diff, err := journals.Diff(t.Context(), plugin.DiffRequest{
			URN: urn, Type: urn.Type(), OldInputs: resource.ToResourcePropertyMap(recorded), NewInputs: checked.Properties,
		})
		check(t, err)
		next := resource.FromResourcePropertyMap(checked.Properties)
		if changed := !next.Equals(recorded); (diff.Changes == plugin.DiffSome) != changed || (len(diff.DetailedDiff) > 0) != changed {
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
	number, text := func(n float64) property.Value { return property.New(n) }, func(s string) property.Value { return property.New(s) }

	first := update(request)
	is("generation", number(1))
	is("before", property.New([]property.Value{text("H")}))
	is("previousGeneration", number(0))
	is("plannedAt", text("2026-01-02T03:05:05Z"))
	if again := update(request); !again.Equals(first) {
		t.Errorf("an update that asks for nothing changes %v to %v", first, again)
	}

	// What only AWS and the clock know is unknown in the preview that changes it, and the rest is known.
	preview := resource.FromResourcePropertyMap(ask(request.Set("preview", property.New(true)).Set("generation", number(2))).Properties)
	for name, v := range preview.All {
		if unknown := name == "before" || name == "plannedAt"; v.HasComputed() != unknown {
			t.Errorf("in a preview, %s is %v", name, v)
		}
	}
	if same := ask(request.Set("preview", property.New(true))).Properties; !resource.FromResourcePropertyMap(same).Equals(first) {
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
	if len(warnings) != 0 {
		t.Errorf("the user is warned %q", warnings)
	}
	keys = keys[1:]
	update(aged.Set("previous", text("deleted")).Set("generation", number(5)))
	if len(warnings) != 1 || !strings.Contains(warnings[0], `previous is "deleted" and there is no handOver`) {
		t.Errorf("the user is warned %q", warnings)
	}

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

	state := resource.ToResourcePropertyMap(recorded)
	read, err := journals.Read(t.Context(), plugin.ReadRequest{
		ID: "robot", URN: urn, Type: urn.Type(), Inputs: state, State: state,
	})
	check(t, err)
	if !read.Inputs.DeepEquals(state) || !read.Outputs.DeepEquals(state) || read.ID != "robot" {
		t.Errorf("read back, it is %v", read)
	}
	if len(infos) < 5 || slices.ContainsFunc(infos, func(s string) bool {
		return !strings.HasPrefix(s, "the access key is rotated: ")
	}) {
		t.Errorf("the user is told %q", infos)
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

// TestNoOtherResources says that the package has no other custom resource: none is made up, and none is taken for
// deleted.
func TestNoOtherResources(t *testing.T) {
	t.Parallel()
	journals, ctx := &journalProvider{now: time.Now}, t.Context()
	const typ = tokens.Type("cicd:index:RobotAccount")
	urn := resource.NewURN("stack", "project", "", typ, "robot")
	for name, call := range map[string]func() error{
		"Check": func() error {
			_, err := journals.Check(ctx, plugin.CheckRequest{URN: urn, Type: typ})
			return err
		},
		"Diff": func() error {
			_, err := journals.Diff(ctx, plugin.DiffRequest{URN: urn, Type: typ})
			return err
		},
		"Create": func() error {
			_, err := journals.Create(ctx, plugin.CreateRequest{URN: urn, Type: typ})
			return err
		},
		"Update": func() error {
			_, err := journals.Update(ctx, plugin.UpdateRequest{URN: urn, Type: typ})
			return err
		},
		"Read": func() error {
			_, err := journals.Read(ctx, plugin.ReadRequest{URN: urn, Type: typ})
			return err
		},
		"Delete": func() error {
			_, err := journals.Delete(ctx, plugin.DeleteRequest{URN: urn, Type: typ})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "no resource") {
			t.Errorf("%s of another type gives %v", name, err)
		}
	}
}
