package provider

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/input"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/pgp"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
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
	SSMSlot            pulumi.IntOutput         `pulumi:"ssmSlot"`
	RetiringSecret     pulumi.StringOutput      `pulumi:"retiringSecret"`
	HasSecret          pulumi.BoolOutput        `pulumi:"hasSecret"`
	HasParameters      pulumi.BoolOutput        `pulumi:"hasParameters"`
	SecretName         pulumi.StringOutput      `pulumi:"secretName"`
	SSMPath            pulumi.StringOutput      `pulumi:"ssmPath"`
	Revocation         pulumi.StringOutput      `pulumi:"revocation"`
	RevokedBefore      pulumi.StringOutput      `pulumi:"revokedBefore"`
}

// journalProvider serves the resource. A component registers it with what an update asks for:
//
//	userName, generation, rotateEvery, previous, handOver, revoked, pgpKey   the component's inputs, or null
//	secretName, ssmPath   the names of its stores, or null
//	userKeys     the user's keys as [ID, creation date, status], or null while they are unknown
//	preview      whether this is a preview
//
// Check turns that into the journal, which the engine keeps as the resource's inputs and outputs. The component's
// inputs are not part of it, so that an update plan holds: what only the clock or AWS knows is unknown in the preview
// that changes it.
type journalProvider struct{ now func() time.Time }

// serveWith adds the resource to a provider.
func (r *journalProvider) serveWith(provider p.Provider) p.Provider {
	provider.Check = func(ctx context.Context, req p.CheckRequest) (p.CheckResponse, error) {
		return r.check(p.GetLogger(ctx), req)
	}
	provider.Diff = r.diff
	provider.Create = r.create
	provider.Update = r.update
	provider.Read = r.read
	provider.Delete = func(ctx context.Context, req p.DeleteRequest) error { return r.delete(p.GetLogger(ctx), req) }
	return provider
}

// checkType refuses resources of other types.
func (*journalProvider) checkType(urn resource.URN) error {
	if !urn.IsValid() || urn.Type() != journalToken {
		return status.Errorf(codes.NotFound, "the package %s has no such resource: %.200q", Name, urn)
	}
	return nil
}

// check returns the journal of an update.
func (r *journalProvider) check(log logger, req p.CheckRequest) (p.CheckResponse, error) {
	if err := r.checkType(req.Urn); err != nil {
		return p.CheckResponse{}, err
	}
	asked, state := req.Inputs, req.State
	request, err := journalRequest(asked, r.now())
	if err != nil {
		return p.CheckResponse{}, err
	}
	keys := journalPGPKeys{current: asked.Get("pgpKey")}
	step := rotation.Begin(request)
	if state.Len() > 0 {
		journal, err := readJournal(state)
		if err != nil {
			return unreadableJournal(err), nil
		}
		if request.Generation != 0 {
			if err := journal.CheckGeneration(request.Generation); err != nil {
				// The path names the component's input. The engine adds nothing to a failure without a property, such as
				// a value that is secret.
				in := input.New(asked)
				if in.Given("generation") {
					in.ReportInput("generation", err)
				} else {
					in.ReportWhole(input.At("generation"), rule.Broken("must not be left out; it was %d", journal.Requested))
				}
				return journalFailure(in.Problems()), nil
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
	preview := asked.Get("preview").IsBool() && asked.Get("preview").AsBool()
	revocation, ofClock, err := nextRevocation(log, state, asked, step, request)
	if err != nil {
		return unreadableJournal(err), nil
	}
	stores, retiring := nextStores(state, asked, request.Revoked && !step.Planned)
	tellJournal(log, step, request, retiring)
	written := writeJournal(step, keys, stores, revocation)
	if step.Planned {
		ofClock = append(ofClock, "before", "plannedAt")
	}
	for _, name := range ofClock {
		if preview {
			written = written.Set(name, property.New(property.Computed))
		}
	}
	return p.CheckResponse{Inputs: written}, nil
}

// nextRevocation returns the revocation after an update, and which parts of it only the clock and AWS know. It warns of
// keys that may have leaked and are switched on, and of tokens that may work again.
func nextRevocation(
	log logger, state, asked property.Map, step rotation.Step, r rotation.Request,
) (next rotation.Revocation, ofClock []string, err error) {
	last, err := readRevocation(state)
	if err != nil {
		return last, nil, err
	}
	if user := stringOf(state.Get("userName")); state.Len() > 0 && user != r.User {
		warnOfTokens(log, user, last, r.Now)
		last = rotation.Revocation{} // The policy is of the old user, and goes with its keys.
	}
	if asked.Get(revokedInput).IsComputed() {
		return last, nil, nil
	}
	next, changes := last.Next(r.Revoked, r)
	if changes && next.Phase == rotation.Ended {
		if on := last.SwitchedOn(step.Journal, r); len(on) > 0 {
			log.Warning(fmt.Sprintf("this update switches on access keys that were there when the user %q was revoked: %s. If "+
				"one of them leaked, set revoked again, and raise generation until that key is gone", r.User, describeKeys(on)))
		}
		return next, []string{"revokedBefore"}, nil
	}
	if changes {
		ofClock = []string{"revokedKeys"}
	}
	return next, ofClock, nil
}

// warnOfTokens warns that the revocation of a user's session tokens is taken away, if tokens may be left.
func warnOfTokens(log logger, user string, v rotation.Revocation, now time.Time) {
	if until := v.TokensUntil(now); !until.IsZero() {
		log.Warning(fmt.Sprintf("the policy that revokes session tokens of the user %q is taken away: unless the user is "+
			"deleted too, revoked tokens work again until %s; keep this resource until then", user,
			until.UTC().Format(time.RFC3339)))
	}
}

// A logger tells the user something about the resource.
type logger interface {
	Info(text string)
	Warning(text string)
}

// tellJournal says in the preview and in the update what the update does.
func tellJournal(log logger, step rotation.Step, request rotation.Request, retiringSecret string) {
	if step.Reason != "" {
		log.Info("the access key is rotated: " + step.Reason)
	}
	if step.CutsOff {
		log.Warning(fmt.Sprintf("previous is %q and there is no handOver: whoever uses the old access key is cut off in "+
			"this update; set handOver, such as \"7d\", to keep the old key active for that long, or leave previous %q in "+
			"this update and change it in a later one", request.Previous, rotation.Active))
	}
	if step.Reason != "" && request.Revoked {
		log.Warning("revoked is true: the new access key is switched off until revoked is false, and whoever gets it from " +
			"this update cannot use it before")
	}
	if len(step.Leftover) > 0 {
		log.Warning(unmanagedText(step.User, step.Leftover))
	}
	if retiringSecret != "" {
		log.Info(fmt.Sprintf("the next update deletes the secret %q, with a recovery window of %d days", retiringSecret,
			store.RecoveryWindow))
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

func journalFailure(reason string) p.CheckResponse {
	return p.CheckResponse{Failures: []p.CheckFailure{{Reason: reason}}}
}

func unreadableJournal(err error) p.CheckResponse {
	return journalFailure("the stack's state of this access key cannot be read: " + err.Error())
}

// diff compares two journals. Every change is in place.
func (r *journalProvider) diff(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	diff := p.DiffResponse{DetailedDiff: map[string]p.PropertyDiff{}}
	for name, v := range req.Inputs.AllStable {
		if !req.OldInputs.Get(name).Equals(v) {
			diff.HasChanges = true
			diff.DetailedDiff[name] = p.PropertyDiff{Kind: p.Update, InputDiff: true}
		}
	}
	return diff, r.checkType(req.Urn)
}

// create makes nothing but an ID.
func (r *journalProvider) create(_ context.Context, req p.CreateRequest) (p.CreateResponse, error) {
	if err := r.checkType(req.Urn); err != nil {
		return p.CreateResponse{}, err
	}
	return p.CreateResponse{ID: req.Urn.Name(), Properties: req.Properties}, nil
}

// update has the engine record the journal. When the engine skips the update because --continue-on-error goes on after
// an error elsewhere, CLI 3.274.1 asks what it would have returned, with what the component registered instead of
// Check's answer. The journal stays as it is then: if it became unknown, the component would register no key, and the
// engine would delete the one that exists.
func (r *journalProvider) update(_ context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
	if _, unchecked := req.Inputs.GetOk("preview"); unchecked {
		return p.UpdateResponse{Properties: req.State}, r.checkType(req.Urn)
	}
	return p.UpdateResponse{Properties: req.Inputs}, r.checkType(req.Urn)
}

// read returns what the engine has recorded.
func (r *journalProvider) read(_ context.Context, req p.ReadRequest) (p.ReadResponse, error) {
	return p.ReadResponse{ID: req.ID, Properties: req.Properties, Inputs: req.Inputs}, r.checkType(req.Urn)
}

// delete has nothing to delete. It warns if session tokens may work again.
func (r *journalProvider) delete(log logger, req p.DeleteRequest) error {
	if err := r.checkType(req.Urn); err != nil {
		return err
	}
	if revocation, err := readRevocation(req.Properties); err == nil {
		warnOfTokens(log, stringOf(req.Properties.Get("userName")), revocation, r.now())
	}
	return nil
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
	if v := in.Get(revokedInput); v.IsBool() {
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

// journalPGPKeys are the public keys of the current key and of the one before it. Each key keeps the public key that it
// was created with, because another one would replace the key. They are carried as they were given, secret or unknown.
type journalPGPKeys struct{ current, previous property.Value }

// writeJournal returns the journal as the resource's inputs. Nothing is left out, because in a preview the Pulumi SDK
// takes what is left out for unknown.
func writeJournal(
	step rotation.Step, keys journalPGPKeys, stores map[string]property.Value, revocation rotation.Revocation,
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
	journal := map[string]property.Value{
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
		"plannedAt":          property.New(step.PlannedAt.UTC().Format(time.RFC3339)),
		"revocation":         property.New(string(revocation.Phase)),
		"revokedKeys":        list(revocation.Keys),
		"revokedBefore":      property.New(""),
	}
	if !revocation.Before.IsZero() {
		journal["revokedBefore"] = property.New(revocation.Before.UTC().Format(time.RFC3339))
	}
	maps.Copy(journal, stores)
	return property.NewMap(journal)
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

// readRevocation reads what [writeJournal] wrote of a revocation.
func readRevocation(state property.Map) (v rotation.Revocation, err error) {
	v.Phase = rotation.Phase(stringOf(state.Get("revocation")))
	if v.Phase == rotation.NeverRevoked {
		return v, nil
	}
	if v.Keys, err = readStrings(state.Get("revokedKeys")); err != nil {
		return v, fmt.Errorf("revokedKeys: %w", err)
	}
	if before := stringOf(state.Get("revokedBefore")); before != "" {
		if v.Before, err = time.Parse(time.RFC3339, before); err != nil {
			return v, fmt.Errorf("revokedBefore: %w", err)
		}
	}
	return v, nil
}

// nextStores returns what the journal says of the stores after an update, and the name of the secret that the next
// update deletes. While a name is unknown, it is taken for the old one. If they are kept, nothing changes.
func nextStores(
	state, asked property.Map, keep bool,
) (journal map[string]property.Value, retiringSecret string) {
	journal = map[string]property.Value{}
	for _, s := range []struct{ name, slot, has string }{
		{"secretName", "secretSlot", "hasSecret"}, {"ssmPath", "ssmSlot", "hasParameters"},
	} {
		slots := store.Slots{Name: stringOf(state.Get(s.name))}
		if v := state.Get(s.slot); v.IsNumber() && v.AsNumber() == 1 {
			slots.Slot = 1
		}
		wanted := asked.Get(s.name)
		switch {
		case keep:
			wanted = property.New(slots.Name).WithSecret(state.Get(s.name).Secret())
		case wanted.IsNull():
			wanted = property.New("")
		case wanted.IsComputed() && slots.Name != "":
			wanted = property.New(slots.Name)
		}
		slots = slots.Next(stringOf(wanted))
		journal[s.name], journal[s.slot] = wanted, property.New(float64(slots.Slot))
		journal[s.has] = property.New(wanted.IsComputed() || slots.Name != "")
		if s.name == "secretName" {
			retiringSecret = slots.Retiring
		}
	}
	if keep {
		retiringSecret = stringOf(state.Get("retiringSecret"))
	}
	journal["retiringSecret"] = property.New(retiringSecret)
	return journal, retiringSecret
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
		return nil, fmt.Errorf("must be a list of strings, and is %s", input.Kind(v))
	}
	elements := make([]string, 0, v.AsArray().Len())
	for _, element := range v.AsArray().All {
		if !element.IsString() {
			return nil, fmt.Errorf("must be a list of strings, and has %s", input.Kind(element))
		}
		elements = append(elements, element.AsString())
	}
	return elements, nil
}
