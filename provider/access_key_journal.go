package provider

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/diag"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/pgp"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/store"
)

// journalToken is the type of the resource that remembers, in the stack's state, which keys a user has. It is not in
// the schema: programs have no use for it.
const journalToken = Name + ":index:AccessKeyRotation"

// journalResource is a custom resource that creates nothing. A component sees no state, so the journal of a user's
// keys is this resource's: Check, which the engine calls with what it recorded last, decides whether this update
// rotates, and the engine records the answer before it creates the key.
type journalResource struct {
	pulumi.CustomResourceState

	Generation         pulumi.IntOutput         `pulumi:"generation"`
	First              pulumi.IntOutput         `pulumi:"first"`
	PGPKey             pulumi.StringOutput      `pulumi:"pgpKey"`
	PreviousGeneration pulumi.IntOutput         `pulumi:"previousGeneration"`
	Previous           pulumi.StringOutput      `pulumi:"previous"`
	PreviousPGPKey     pulumi.StringOutput      `pulumi:"previousPgpKey"`
	PreviousBefore     pulumi.StringArrayOutput `pulumi:"previousBefore"`
	Before             pulumi.StringArrayOutput `pulumi:"before"`
	SecretSlot         pulumi.IntOutput         `pulumi:"secretSlot"`
	RetiringSecret     pulumi.StringOutput      `pulumi:"retiringSecret"`
}

// journalProvider serves the resource. A component registers it with what an update asks for:
//
//	userName, generation, rotateEvery, previous, handOver, revoked, pgpKey   the component's inputs, or null
//	secretName   the name in its input secretsManager, or null
//	userKeys     the user's keys as [ID, creation date, status], or null while they are not known
//	preview      whether this is a preview
//
// Check turns that into the journal, which the engine keeps as the resource's inputs and outputs. The component's
// inputs are not part of it, so that an update plan holds: what only the clock or AWS knows is unknown in the preview
// that changes it.
type journalProvider struct {
	packageProvider
	now func() time.Time
	// log tells the user something about a resource.
	log func(ctx context.Context, severity diag.Severity, urn resource.URN, text string)
}

// checkType refuses resources of other types.
func (*journalProvider) checkType(typ tokens.Type) error {
	if typ != journalToken {
		return status.Errorf(codes.NotFound, "the package %s has no resource %q", Name, typ)
	}
	return nil
}

// Check returns the journal of an update.
func (r *journalProvider) Check(ctx context.Context, req plugin.CheckRequest) (resp plugin.CheckResponse, err error) {
	defer recoverAsError(&err)
	if err := r.checkType(req.Type); err != nil {
		return plugin.CheckResponse{}, err
	}
	asked, state := resource.FromResourcePropertyMap(req.News), resource.FromResourcePropertyMap(req.Olds)
	request, err := journalRequest(asked, r.now())
	if err != nil {
		return plugin.CheckResponse{}, err
	}
	keys := journalPGPKeys{current: asked.Get("pgpKey")}
	step := rotation.Begin(request)
	secrets := readSecrets(state)
	if state.Len() > 0 {
		journal, err := readJournal(state)
		if err != nil {
			return journalFailure("the stack's state of this access key cannot be read: " + err.Error()), nil
		}
		if request.Generation != 0 {
			if err := journal.CheckGeneration(request.Generation); err != nil {
				// The path names the component's input. The engine adds nothing to a failure without a property, such as
				// a value that is secret.
				in, generation := &inputs{}, asked.Get("generation")
				in.report(location{resource.PropertyPath{"generation"}, generation.Secret()}, generation, err)
				return journalFailure(in.text()), nil
			}
		}
		given := keys.current
		keys = journalPGPKeys{current: state.Get("pgpKey"), previous: state.Get("previousPgpKey")}
		request.PGPKeyChanged = !given.IsComputed() && stringOf(given) != stringOf(keys.current)
		if asked.Get("previous").IsComputed() {
			request.Previous = journal.PreviousStatus
		}
		if step, err = journal.Next(request); err != nil {
			return journalFailure(err.Error()), nil
		}
		if step.Planned {
			if step.Previous == journal.Generation {
				keys.previous = keys.current
			}
			keys.current = given
		}
	}
	if step.Planned {
		if err := checkPGPKey(keys.current, r.now()); err != nil {
			return journalFailure(err.Error()), nil
		}
	}
	secretName := asked.Get("secretName")
	if secretName.IsComputed() && secrets.Name != "" {
		secretName = property.New(secrets.Name)
	}
	secrets = secrets.Next(stringOf(secretName))
	r.tell(ctx, req.URN, step, request)
	if secrets.Retiring != "" {
		r.log(ctx, diag.Info, req.URN, fmt.Sprintf("the next update deletes the secret %q, with a recovery window of %d days",
			secrets.Retiring, store.RecoveryWindow))
	}
	written := writeJournal(step, keys, secrets, secretName)
	if preview := asked.Get("preview"); step.Planned && preview.IsBool() && preview.AsBool() {
		for _, name := range []string{"before", "plannedAt"} {
			written = written.Set(name, property.New(property.Computed))
		}
	}
	return plugin.CheckResponse{Properties: resource.ToResourcePropertyMap(written)}, nil
}

// tell says in the preview and in the update what a rotation does.
func (r *journalProvider) tell(ctx context.Context, urn resource.URN, step rotation.Step, request rotation.Request) {
	if step.Reason != "" {
		r.log(ctx, diag.Info, urn, "the access key is rotated: "+step.Reason)
	}
	if step.CutsOff {
		r.log(ctx, diag.Warning, urn, fmt.Sprintf("previous is %q and there is no handOver: whoever uses the old access "+
			"key is cut off in this update; set handOver, such as \"7d\", to keep the old key active for that long",
			request.Previous))
	}
	if len(step.Leftover) > 0 {
		r.log(ctx, diag.Warning, urn, unmanagedText(step.User, step.Leftover))
	}
}

// checkPGPKey reports whether a secret can be encrypted to a public key now. It is asked only in an update that creates
// a key, so that a public key that has expired since stops no other update.
func checkPGPKey(v property.Value, now time.Time) error {
	if key := stringOf(v); key != "" {
		if err := pgp.CheckUsable(key, now); err != nil {
			return fmt.Errorf("pgpKey: %w", err)
		}
	}
	return nil
}

func journalFailure(reason string) plugin.CheckResponse {
	return plugin.CheckResponse{Failures: []plugin.CheckFailure{{Reason: reason}}}
}

// Diff compares two journals. Every change is in place.
func (r *journalProvider) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	if err := r.checkType(req.Type); err != nil {
		return plugin.DiffResponse{}, err
	}
	diff := plugin.DiffResponse{Changes: plugin.DiffNone, DetailedDiff: map[string]plugin.PropertyDiff{}}
	from, to := resource.FromResourcePropertyMap(req.OldInputs), resource.FromResourcePropertyMap(req.NewInputs)
	for name, v := range to.AllStable {
		if !from.Get(name).Equals(v) {
			diff.Changes = plugin.DiffSome
			diff.DetailedDiff[name] = plugin.PropertyDiff{Kind: plugin.DiffUpdate, InputDiff: true}
		}
	}
	return diff, nil
}

// Create makes nothing but an ID.
func (r *journalProvider) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	return plugin.CreateResponse{ID: resource.ID(req.URN.Name()), Properties: req.Properties}, r.checkType(req.Type)
}

// Update has the engine record the journal.
func (r *journalProvider) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	return plugin.UpdateResponse{Properties: req.NewInputs}, r.checkType(req.Type)
}

// Read returns what the engine has recorded.
func (r *journalProvider) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	return plugin.ReadResponse{
		ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State},
	}, r.checkType(req.Type)
}

// Delete has nothing to delete.
func (r *journalProvider) Delete(_ context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{}, r.checkType(req.Type)
}

// journalRequest reads what an update asks for. The component has checked its inputs.
func journalRequest(in property.Map, now time.Time) (rotation.Request, error) {
	r := rotation.Request{
		User: stringOf(in.Get("userName")), Generation: 1, Previous: rotation.Active, Now: now, Lag: iamWait(),
	}
	if v := in.Get("generation"); v.IsNumber() {
		r.Generation = int(v.AsNumber())
	} else if v.IsComputed() {
		r.Generation = 0
	}
	if v := in.Get("previous"); v.IsString() {
		r.Previous = rotation.Status(v.AsString())
	}
	if v := in.Get("revoked"); v.IsBool() {
		r.Revoked = v.AsBool()
	}
	for name, interval := range map[string]*time.Duration{"rotateEvery": &r.Every, "handOver": &r.HandOver} {
		if v := in.Get(name); v.IsString() {
			var err error
			if *interval, err = rotation.ParseInterval(v.AsString()); err != nil {
				return r, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if keys := in.Get("userKeys"); keys.IsArray() {
		r.KeysKnown = true
		for _, key := range keys.AsArray().All {
			parts, err := readStrings(key)
			if err != nil || len(parts) != 3 {
				return r, errors.New("userKeys: each must have an ID, a date and a status")
			}
			created, err := time.Parse(time.RFC3339, parts[1])
			if err != nil {
				return r, fmt.Errorf("userKeys: %w", err)
			}
			r.Keys = append(r.Keys, rotation.UserKey{ID: parts[0], Created: created, Active: parts[2] == statusActive})
		}
	}
	return r, nil
}

// journalPGPKeys are the public keys of the current key and of the one before it. Each key keeps the public key that
// it was created with, because another one would replace the key. They are carried as they were given, secret or unknown.
type journalPGPKeys struct{ current, previous property.Value }

// writeJournal returns the journal as the resource's inputs. Nothing is left out, because in a preview the Pulumi SDK
// takes what is left out for unknown.
func writeJournal(
	step rotation.Step, keys journalPGPKeys, secrets store.Secrets, secretName property.Value,
) property.Map {
	number := func(n int) property.Value { return property.New(float64(n)) }
	text := func(v property.Value) property.Value {
		if v.IsNull() {
			return property.New("")
		}
		return v
	}
	list := func(elements []string) property.Value {
		values := make([]property.Value, len(elements))
		for i, element := range elements {
			values[i] = property.New(element)
		}
		return property.New(values)
	}
	user := property.New(step.User)
	if step.User == "" {
		user = property.New(property.Computed)
	}
	if step.Previous == 0 {
		keys.previous = property.Value{}
	}
	return property.NewMap(map[string]property.Value{
		"requested":          number(step.Requested),
		"generation":         number(step.Generation),
		"first":              number(step.First),
		"userName":           user,
		"pgpKey":             text(keys.current),
		"previousGeneration": number(step.Previous),
		"previous":           property.New(string(step.PreviousStatus)),
		"previousPgpKey":     text(keys.previous),
		"held":               property.New(step.Held),
		"previousBefore":     list(step.PreviousBefore),
		"before":             list(step.Before),
		"secretName":         text(secretName),
		"secretSlot":         number(secrets.Slot),
		"retiringSecret":     property.New(secrets.Retiring),
		"plannedAt":          property.New(step.PlannedAt.UTC().Format(time.RFC3339)),
	})
}

// readJournal reads what [writeJournal] wrote. What it did not write is an error: a journal that is guessed would
// rotate keys that are in use.
func readJournal(state property.Map) (j rotation.Journal, err error) {
	number := func(name string, least int) int {
		v := state.Get(name)
		if !v.IsNumber() || v.AsNumber() != math.Trunc(v.AsNumber()) || v.AsNumber() < float64(least) ||
			v.AsNumber() > 2*maxGeneration {
			err = fmt.Errorf("%s is no generation", name)
			return 0
		}
		return int(v.AsNumber())
	}
	j = rotation.Journal{
		Requested:      number("requested", 1),
		Generation:     number("generation", 1),
		First:          number("first", 1),
		User:           stringOf(state.Get("userName")),
		Previous:       number("previousGeneration", 0),
		PreviousStatus: rotation.Status(stringOf(state.Get("previous"))),
	}
	if err != nil {
		return j, err
	}
	if held := state.Get("held"); held.IsBool() {
		j.Held = held.AsBool()
	}
	for name, list := range map[string]*[]string{"before": &j.Before, "previousBefore": &j.PreviousBefore} {
		if *list, err = readStrings(state.Get(name)); err != nil {
			return j, fmt.Errorf("%s: %w", name, err)
		}
	}
	if j.PlannedAt, err = time.Parse(time.RFC3339, stringOf(state.Get("plannedAt"))); err != nil {
		return j, fmt.Errorf("plannedAt: %w", err)
	}
	return j, nil
}

// readSecrets reads the secrets that [writeJournal] wrote, or none.
func readSecrets(state property.Map) store.Secrets {
	s := store.Secrets{Name: stringOf(state.Get("secretName")), Retiring: stringOf(state.Get("retiringSecret"))}
	if slot := state.Get("secretSlot"); slot.IsNumber() && slot.AsNumber() == 1 {
		s.Slot = 1
	}
	return s
}

// stringOf returns a string, or an empty one for a value that is null or unknown.
func stringOf(v property.Value) string {
	if v.IsString() {
		return v.AsString()
	}
	return ""
}

// readStrings returns the elements of a list of strings.
func readStrings(v property.Value) ([]string, error) {
	if !v.IsArray() {
		return nil, fmt.Errorf("must be a list of strings, and is %s", kind(v))
	}
	elements := make([]string, 0, v.AsArray().Len())
	for _, element := range v.AsArray().All {
		if !element.IsString() {
			return nil, fmt.Errorf("must be a list of strings, and has %s", kind(element))
		}
		elements = append(elements, element.AsString())
	}
	return elements, nil
}
