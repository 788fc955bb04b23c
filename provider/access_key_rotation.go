package provider

import (
	"context"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

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

// withAccessKeyRotation serves the resource. Its inputs are what an update asks for:
//
//	generation, rotateEvery, previous, pgpKey   as in the component's accessKey, or null
//	userId                                      the unique ID of the user
//	userKeys                                    the IDs of the keys that the user has
//
// Check makes the journal of them, which is what the engine keeps as the resource's inputs and outputs.
func withAccessKeyRotation(provider p.Provider, now func() time.Time) p.Provider {
	inner := provider
	provider.Check = func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		if req.Urn.Type() != accessKeyRotationToken {
			return inner.Check(ctx, req)
		}
		return checkAccessKeyRotation(ctx, req, now())
	}
	provider.Diff = func(ctx context.Context, req p.DiffRequest) (p.DiffResponse, error) {
		if req.Urn.Type() != accessKeyRotationToken {
			return inner.Diff(ctx, req)
		}
		return diffMaps(req.OldInputs, req.Inputs), nil
	}
	provider.Create = func(ctx context.Context, req p.CreateRequest) (p.CreateResponse, error) {
		if req.Urn.Type() != accessKeyRotationToken {
			return inner.Create(ctx, req)
		}
		return p.CreateResponse{ID: req.Urn.Name(), Properties: req.Properties}, nil
	}
	provider.Update = func(ctx context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
		if req.Urn.Type() != accessKeyRotationToken {
			return inner.Update(ctx, req)
		}
		return p.UpdateResponse{Properties: req.Inputs}, nil
	}
	provider.Read = func(ctx context.Context, req p.ReadRequest) (p.ReadResponse, error) {
		if req.Urn.Type() != accessKeyRotationToken {
			return inner.Read(ctx, req)
		}
		return p.ReadResponse{ID: req.ID, Properties: req.Properties, Inputs: req.Inputs}, nil
	}
	provider.Delete = func(ctx context.Context, req p.DeleteRequest) error {
		if req.Urn.Type() != accessKeyRotationToken {
			return inner.Delete(ctx, req)
		}
		return nil
	}
	return provider
}

// checkAccessKeyRotation returns the journal of an update. In a preview, what is not known yet is left as it
// was, so that the preview shows what is known.
func checkAccessKeyRotation(ctx context.Context, req p.CheckRequest, now time.Time) (p.CheckResponse, error) {
	asked := rotationRequest(req.Inputs, now)
	pgpKey := req.Inputs.Get("pgpKey")
	noted, ok := readJournal(req.State)
	if !ok {
		return p.CheckResponse{Inputs: writeJournal(rotation.Begin(asked), pgpKey, property.Value{})}, nil
	}
	if asked.Generation != 0 {
		if err := noted.CheckGeneration(asked.Generation); err != nil {
			in, generation := &inputs{}, req.Inputs.Get("generation")
			at := location{resource.PropertyPath{accessKeyInput, "generation"}, generation.Secret()}
			in.report(at, generation, err)
			// Without a property, so that the engine adds nothing to the text, such as a value that is secret.
			return p.CheckResponse{Failures: []p.CheckFailure{{Reason: in.text()}}}, nil
		}
	}
	next, previousPGPKey := noted.Next(asked), req.State.Get("previousPgpKey")
	// The public keys are carried as they were given, secret or not known yet.
	if reason := noted.Due(asked); reason == "" {
		pgpKey = req.State.Get("pgpKey")
	} else {
		p.GetLogger(ctx).Infof("the access key is rotated, because %s", reason)
		if next.Previous != nil && next.Previous.Generation == noted.Current.Generation {
			previousPGPKey = req.State.Get("pgpKey")
		}
	}
	return p.CheckResponse{Inputs: writeJournal(next, pgpKey, previousPGPKey)}, nil
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
func diffMaps(from, to property.Map) p.DiffResponse {
	diff := p.DiffResponse{DetailedDiff: map[string]p.PropertyDiff{}}
	for name, v := range to.AllStable {
		if old, ok := from.GetOk(name); !ok {
			diff.DetailedDiff[name] = p.PropertyDiff{Kind: p.Add, InputDiff: true}
		} else if !old.Equals(v) {
			diff.DetailedDiff[name] = p.PropertyDiff{Kind: p.Update, InputDiff: true}
		}
	}
	for name := range from.AllStable {
		if _, ok := to.GetOk(name); !ok {
			diff.DetailedDiff[name] = p.PropertyDiff{Kind: p.Delete, InputDiff: true}
		}
	}
	diff.HasChanges = len(diff.DetailedDiff) > 0
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
