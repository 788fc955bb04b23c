package provider

import (
	"context"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
)

// accessKeyRotationToken is the type of the resource that remembers, in the stack's state, which keys a robot
// has. It is no part of the schema: programs have no use for it.
const accessKeyRotationToken = Name + ":index:AccessKeyRotation"

// accessKeyRotation is a custom resource that makes nothing. Components keep nothing from one update to the
// next, so the journal of a robot's keys is this resource's: Check, which the engine calls with what was noted
// last, decides whether this update rotates, and the engine notes it before the key is made.
type accessKeyRotation struct {
	pulumi.CustomResourceState

	Generation         pulumi.IntOutput         `pulumi:"generation"`
	RotatedAt          pulumi.StringOutput      `pulumi:"rotatedAt"`
	PGPKey             pulumi.StringOutput      `pulumi:"pgpKey"`
	Before             pulumi.StringArrayOutput `pulumi:"before"`
	PreviousGeneration pulumi.IntOutput         `pulumi:"previousGeneration"`
	PreviousPGPKey     pulumi.StringOutput      `pulumi:"previousPgpKey"`
	PreviousBefore     pulumi.StringArrayOutput `pulumi:"previousBefore"`
	PreviousKept       pulumi.BoolOutput        `pulumi:"previousKept"`
}

// accessKeyRotations serves the resource. Its inputs are what an update asks for:
//
//	generation, rotateEvery, previous, pgpKey   as in the component's accessKey, or null
//	userId                                      the unique ID of the user
//	userKeys                                    the IDs of the keys that the user has
//
// Check makes the journal of them, which is what the engine keeps as the resource's inputs and outputs.
type accessKeyRotations struct {
	packageProvider
	now func() time.Time
	// log tells the user something about a resource.
	log func(ctx context.Context, urn resource.URN, text string)
}

// only refuses resources of other types.
func (*accessKeyRotations) only(typ tokens.Type) error {
	if typ != accessKeyRotationToken {
		return status.Errorf(codes.NotFound, "the package %s has no resource %q", Name, typ)
	}
	return nil
}

// Check returns the journal of an update. In a preview, what is not known yet is left as it was, so that the preview
// shows what is known.
func (r *accessKeyRotations) Check(
	ctx context.Context, req plugin.CheckRequest,
) (resp plugin.CheckResponse, err error) {
	defer recoverAsError(&err)
	if err := r.only(req.Type); err != nil {
		return plugin.CheckResponse{}, err
	}
	asks, state := resource.FromResourcePropertyMap(req.News), resource.FromResourcePropertyMap(req.Olds)
	asked := rotationRequest(asks, r.now())
	pgpKey := asks.Get("pgpKey")
	noted, ok := readJournal(state)
	if !ok {
		return journalChecked(rotation.Begin(asked), pgpKey, property.Value{}), nil
	}
	if asked.Generation != 0 {
		if err := noted.CheckGeneration(asked.Generation); err != nil {
			in, generation := &inputs{}, asks.Get("generation")
			at := location{resource.PropertyPath{accessKeyInput, "generation"}, generation.Secret()}
			in.report(at, generation, err)
			// Without a property, so that the engine adds nothing to the text, such as a value that is secret.
			return plugin.CheckResponse{Failures: []plugin.CheckFailure{{Reason: in.text()}}}, nil
		}
	}
	next, previousPGPKey := noted.Next(asked), state.Get("previousPgpKey")
	// The public keys are carried as they were given, secret or not known yet.
	if reason := noted.Due(asked); reason == "" {
		pgpKey = state.Get("pgpKey")
	} else {
		r.log(ctx, req.URN, "the access key is rotated, because "+reason)
		if next.Previous != nil && next.Previous.Generation == noted.Current.Generation {
			previousPGPKey = state.Get("pgpKey")
		}
	}
	return journalChecked(next, pgpKey, previousPGPKey), nil
}

// journalChecked is what Check answers with a journal.
func journalChecked(j rotation.Journal, pgpKey, previousPGPKey property.Value) plugin.CheckResponse {
	return plugin.CheckResponse{Properties: resource.ToResourcePropertyMap(writeJournal(j, pgpKey, previousPGPKey))}
}

// Diff compares two journals, all of which is updated in place.
func (r *accessKeyRotations) Diff(_ context.Context, req plugin.DiffRequest) (plugin.DiffResponse, error) {
	if err := r.only(req.Type); err != nil {
		return plugin.DiffResponse{}, err
	}
	return diffMaps(resource.FromResourcePropertyMap(req.OldInputs), resource.FromResourcePropertyMap(req.NewInputs)), nil
}

// Create makes nothing but an ID.
func (r *accessKeyRotations) Create(_ context.Context, req plugin.CreateRequest) (plugin.CreateResponse, error) {
	return plugin.CreateResponse{ID: resource.ID(req.URN.Name()), Properties: req.Properties}, r.only(req.Type)
}

// Update has the engine note the journal.
func (r *accessKeyRotations) Update(_ context.Context, req plugin.UpdateRequest) (plugin.UpdateResponse, error) {
	return plugin.UpdateResponse{Properties: req.NewInputs}, r.only(req.Type)
}

// Read finds what the engine has noted.
func (r *accessKeyRotations) Read(_ context.Context, req plugin.ReadRequest) (plugin.ReadResponse, error) {
	return plugin.ReadResponse{
		ReadResult: plugin.ReadResult{ID: req.ID, Inputs: req.Inputs, Outputs: req.State},
	}, r.only(req.Type)
}

// Delete has nothing to delete.
func (r *accessKeyRotations) Delete(_ context.Context, req plugin.DeleteRequest) (plugin.DeleteResponse, error) {
	return plugin.DeleteResponse{}, r.only(req.Type)
}

// rotationRequest reads the resource's inputs, which the component has checked.
func rotationRequest(in property.Map, now time.Time) rotation.Request {
	r := rotation.Request{KeepPrevious: true, Now: now}
	if v := in.Get("generation"); v.IsNumber() {
		r.Generation = int(v.AsNumber())
	} else if v.IsNull() {
		r.Generation = 1
	}
	if v := in.Get("rotateEvery"); v.IsString() {
		r.Every, _ = rotation.ParseInterval(v.AsString())
	}
	if v := in.Get("previous"); v.IsString() {
		r.KeepPrevious = v.AsString() != previousDeleted
	}
	if v := in.Get("pgpKey"); v.IsString() {
		r.PGPKey = v.AsString()
	} else {
		r.PGPKeyUnknown = v.IsComputed()
	}
	if v := in.Get("userId"); v.IsString() {
		r.UserID = v.AsString()
	}
	r.UserKeys = stringsOf(in.Get("userKeys"))
	return r
}

// readJournal reads what [writeJournal] wrote, if it did.
func readJournal(in property.Map) (rotation.Journal, bool) {
	number := func(name string) int {
		if v := in.Get(name); v.IsNumber() {
			return int(v.AsNumber())
		}
		return 0
	}
	text := func(name string) string {
		if v := in.Get(name); v.IsString() {
			return v.AsString()
		}
		return ""
	}
	rotatedAt, err := time.Parse(time.RFC3339, text("rotatedAt"))
	if err != nil || number("generation") == 0 {
		return rotation.Journal{}, false
	}
	j := rotation.Journal{
		Requested: number("requested"),
		RotatedAt: rotatedAt,
		UserID:    text("userId"),
		Current: rotation.Key{
			Generation: number("generation"), PGPKey: text("pgpKey"), Before: stringsOf(in.Get("before")),
		},
	}
	if generation := number("previousGeneration"); generation != 0 {
		j.Previous = &rotation.Key{
			Generation: generation, PGPKey: text("previousPgpKey"), Before: stringsOf(in.Get("previousBefore")),
		}
		kept := in.Get("previousKept")
		j.PreviousKept = kept.IsBool() && kept.AsBool()
	}
	return j, true
}

// writeJournal returns the journal as the resource's inputs, with the public keys as they were given. Nothing
// is left out, since in a preview the Pulumi SDK takes what is left out for not known.
func writeJournal(j rotation.Journal, pgpKey, previousPGPKey property.Value) property.Map {
	var previous rotation.Key
	if j.Previous != nil {
		previous = *j.Previous
	} else {
		previousPGPKey = property.Value{}
	}
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
	return property.NewMap(map[string]property.Value{
		"requested":          number(j.Requested),
		"rotatedAt":          property.New(j.RotatedAt.UTC().Format(time.RFC3339)),
		"userId":             property.New(j.UserID),
		"generation":         number(j.Current.Generation),
		"pgpKey":             text(pgpKey),
		"before":             list(j.Current.Before),
		"previousGeneration": number(previous.Generation),
		"previousPgpKey":     text(previousPGPKey),
		"previousBefore":     list(previous.Before),
		"previousKept":       property.New(j.PreviousKept),
	})
}

// diffMaps returns the difference of two maps, all of it updated in place.
func diffMaps(from, to property.Map) plugin.DiffResult {
	diff := plugin.DiffResult{Changes: plugin.DiffNone, DetailedDiff: map[string]plugin.PropertyDiff{}}
	note := func(name string, kind plugin.DiffKind) {
		diff.Changes = plugin.DiffSome
		diff.DetailedDiff[name] = plugin.PropertyDiff{Kind: kind, InputDiff: true}
	}
	for name, v := range to.AllStable {
		if old, ok := from.GetOk(name); !ok {
			note(name, plugin.DiffAdd)
		} else if !old.Equals(v) {
			note(name, plugin.DiffUpdate)
		}
	}
	for name := range from.AllStable {
		if _, ok := to.GetOk(name); !ok {
			note(name, plugin.DiffDelete)
		}
	}
	return diff
}

// stringsOf returns the elements of a list of strings, or none if it is not known.
func stringsOf(v property.Value) []string {
	var elements []string
	if v.IsArray() {
		for _, element := range v.AsArray().All {
			if element.IsString() {
				elements = append(elements, element.AsString())
			}
		}
	}
	return elements
}
