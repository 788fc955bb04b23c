package provider

import (
	"fmt"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// TestAccessKeyRotation takes the resource that remembers a robot's keys from update to update, as the engine does.
func TestAccessKeyRotation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	provider, err := newProvider(func() time.Time { return now })
	check(t, err)
	urn := resource.NewURN("stack", "project", "", accessKeyRotationToken, "robot")
	asked := property.NewMap(map[string]property.Value{"userId": property.New("AIDA1")})
	var noted property.Map
	keys := []property.Value{property.New("H")}
	update := func(asked property.Map) property.Map {
		t.Helper()
		if !asked.Get("userKeys").IsComputed() {
			asked = asked.Set("userKeys", property.New(keys))
		}
		checked, err := provider.Check(t.Context(), p.CheckRequest{Urn: urn, State: noted, Inputs: asked})
		check(t, err)
		if len(checked.Failures) > 0 {
			t.Fatalf("the check fails: %v", checked.Failures)
		}
		diff, err := provider.Diff(t.Context(), p.DiffRequest{
			Urn: urn, OldInputs: noted, State: noted, Inputs: checked.Inputs,
		})
		check(t, err)
		if changed := !checked.Inputs.Equals(noted); diff.HasChanges != changed || (len(diff.DetailedDiff) > 0) != changed {
			t.Errorf("from %v to %v there is the difference %v", noted, checked.Inputs, diff)
		}
		noted = checked.Inputs
		made := property.New(fmt.Sprint("K", noted.Get("generation").AsNumber()))
		if !keys[len(keys)-1].Equals(made) {
			keys = []property.Value{keys[len(keys)-1], made}
		}
		return noted
	}
	is := func(name string, want property.Value) {
		t.Helper()
		if got := noted.Get(name); !got.Equals(want) {
			t.Errorf("%s is %v, not %v", name, got, want)
		}
	}

	first := update(asked)
	is("generation", property.New(1.0))
	is("before", property.New([]property.Value{property.New("H")}))
	is("previousGeneration", property.New(0.0))
	now = now.Add(time.Hour)
	if again := update(asked); !again.Equals(first) {
		t.Errorf("an update that asks for nothing changes %v to %v", first, again)
	}

	// A public key is carried as it was given, and what is not known yet changes nothing.
	secret := property.New("key").WithSecret(true)
	update(asked.Set("pgpKey", secret))
	is("generation", property.New(2.0))
	is("pgpKey", secret)
	is("previousPgpKey", property.New(""))
	encrypted := noted
	unknown := property.New(property.Computed)
	for _, name := range []string{"generation", "rotateEvery", "previous", "pgpKey"} {
		if now := update(asked.Set("pgpKey", secret).Set(name, unknown)); !now.Equals(encrypted) {
			t.Errorf("with an unknown %s it is %v, not %v", name, now, encrypted)
		}
	}
	update(asked.Set("pgpKey", property.New("other")))
	is("pgpKey", property.New("other"))
	is("previousPgpKey", secret)

	// By age, and the previous key deleted.
	now = now.Add(90 * 24 * time.Hour)
	aged := asked.Set("pgpKey", property.New("other")).Set("rotateEvery", property.New("90d"))
	update(aged)
	is("generation", property.New(4.0))
	is("rotatedAt", property.New("2026-04-02T04:04:05Z"))
	is("previousKept", property.New(true))
	update(aged.Set("previous", property.New("deleted")))
	is("generation", property.New(4.0))
	is("previousKept", property.New(false))

	// A user who is yet to be made is another one.
	update(aged.Set("userId", unknown))
	is("generation", property.New(5.0))
	is("previousGeneration", property.New(0.0))

	lowered, err := provider.Check(t.Context(), p.CheckRequest{
		Urn: urn, State: noted, Inputs: asked.Set("generation", property.New(9.0).WithSecret(true)),
	})
	check(t, err)
	const want = "invalid input:\n  - accessKey = [secret]: must be raised by one at a time: " +
		"the current key is of generation 5, and the next one is 6"
	if len(lowered.Failures) != 1 || lowered.Failures[0].Reason != want || lowered.Failures[0].Property != "" {
		t.Errorf("the failures are %v", lowered.Failures)
	}

	read, err := provider.Read(t.Context(), p.ReadRequest{ID: "robot", Urn: urn, Inputs: noted, Properties: noted})
	check(t, err)
	if !read.Inputs.Equals(noted) || !read.Properties.Equals(noted) || read.ID != "robot" {
		t.Errorf("read back, it is %v", read)
	}
}
