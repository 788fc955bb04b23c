package provider

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// TestAccessKeyRotation takes the resource that remembers a robot's keys from update to update, as the engine does.
func TestAccessKeyRotation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	var said []string
	rotations := &accessKeyRotations{
		now: func() time.Time { return now },
		log: func(_ context.Context, _ resource.URN, text string) { said = append(said, text) },
	}
	urn := resource.NewURN("stack", "project", "", accessKeyRotationToken, "robot")
	asked := property.NewMap(map[string]property.Value{"userId": property.New("AIDA1")})
	var noted property.Map
	keys := []property.Value{property.New("H")}
	update := func(asked property.Map) property.Map {
		t.Helper()
		if !asked.Get("userKeys").IsComputed() {
			asked = asked.Set("userKeys", property.New(keys))
		}
		checked, err := rotations.Check(t.Context(), plugin.CheckRequest{
			URN: urn, Type: urn.Type(), Olds: resource.ToResourcePropertyMap(noted), News: resource.ToResourcePropertyMap(asked),
		})
		check(t, err)
		if len(checked.Failures) > 0 {
			t.Fatalf("the check fails: %v", checked.Failures)
		}
		diff, err := rotations.Diff(t.Context(), plugin.DiffRequest{
			URN: urn, Type: urn.Type(), OldInputs: resource.ToResourcePropertyMap(noted), NewInputs: checked.Properties,
		})
		check(t, err)
		next := resource.FromResourcePropertyMap(checked.Properties)
		if changed := !next.Equals(noted); (diff.Changes == plugin.DiffSome) != changed || (len(diff.DetailedDiff) > 0) != changed {
			t.Errorf("from %v to %v there is the difference %v", noted, next, diff)
		}
		noted = next
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

	lowered, err := rotations.Check(t.Context(), plugin.CheckRequest{
		URN: urn, Type: urn.Type(), Olds: resource.ToResourcePropertyMap(noted),
		News: resource.ToResourcePropertyMap(asked.Set("generation", property.New(9.0).WithSecret(true))),
	})
	check(t, err)
	const want = "invalid input:\n  - accessKey = [secret]: must be raised by one at a time: " +
		"the current key is of generation 5, and the next one is 6"
	if len(lowered.Failures) != 1 || lowered.Failures[0].Reason != want || lowered.Failures[0].Property != "" {
		t.Errorf("the failures are %v", lowered.Failures)
	}

	state := resource.ToResourcePropertyMap(noted)
	read, err := rotations.Read(t.Context(), plugin.ReadRequest{
		ID: "robot", URN: urn, Type: urn.Type(), Inputs: state, State: state,
	})
	check(t, err)
	if !read.Inputs.DeepEquals(state) || !read.Outputs.DeepEquals(state) || read.ID != "robot" {
		t.Errorf("read back, it is %v", read)
	}
	if len(said) != 4 || slices.ContainsFunc(said, func(s string) bool {
		return !strings.HasPrefix(s, "the access key is rotated, because ")
	}) {
		t.Errorf("the user is told %q", said)
	}
}

// TestNoOtherResources says that the package has no other custom resource: none is made up, and none is taken for
// deleted.
func TestNoOtherResources(t *testing.T) {
	t.Parallel()
	rotations, ctx := &accessKeyRotations{now: time.Now}, t.Context()
	const typ = tokens.Type("cicd:index:RobotAccount")
	urn := resource.NewURN("stack", "project", "", typ, "robot")
	for name, call := range map[string]func() error{
		"Check": func() error {
			_, err := rotations.Check(ctx, plugin.CheckRequest{URN: urn, Type: typ})
			return err
		},
		"Diff": func() error {
			_, err := rotations.Diff(ctx, plugin.DiffRequest{URN: urn, Type: typ})
			return err
		},
		"Create": func() error {
			_, err := rotations.Create(ctx, plugin.CreateRequest{URN: urn, Type: typ})
			return err
		},
		"Update": func() error {
			_, err := rotations.Update(ctx, plugin.UpdateRequest{URN: urn, Type: typ})
			return err
		},
		"Read": func() error {
			_, err := rotations.Read(ctx, plugin.ReadRequest{URN: urn, Type: typ})
			return err
		},
		"Delete": func() error {
			_, err := rotations.Delete(ctx, plugin.DeleteRequest{URN: urn, Type: typ})
			return err
		},
	} {
		if err := call(); err == nil || !strings.Contains(err.Error(), "no resource") {
			t.Errorf("%s of another type gives %v", name, err)
		}
	}
}
