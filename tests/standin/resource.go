package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// kind is the type of a property, and what makes two of its values the same.
type kind string

const (
	kindString    kind = "a string"
	kindBool      kind = "a boolean"
	kindInt       kind = "a whole number"
	kindStrings   kind = "a list of strings" // a set: Terraform ignores the order
	kindList      kind = "an ordered list of strings"
	kindStringMap kind = "an object of strings"
	kindPolicy    kind = "a JSON string or an object" // compared by meaning
	kindRole      kind = "a string or a role"         // the bridge takes a role's name from the role itself
	kindIssuer    kind = "a URL"                      // IAM answers it without its scheme
	kindObject    kind = "an object"                  // in the configuration only
	kindObjects   kind = "a list of objects"          // in the configuration and in outputs only
)

// prop is one property of a resource.
type prop struct {
	kind     kind
	doc      string
	required bool // the official package requires it as an input
	forceNew bool // changing it replaces the resource
	secret   bool // a secret in the state, whether or not the program marks it
	computed bool // an input that the service sets where the program does not: its absence is no change
	output   bool // not an input
	optional bool // can be missing from the outputs
	autoname bool // generated where absent
	dflt     property.Value
	pattern  *regexp.Regexp
	hint     string                     // what pattern means
	check    func(property.Value) error // further rules; its error does not quote a secret
	// needed is what Terraform says where the input is missing, though the official package does not require it.
	needed string
	// normal is the form in which Terraform's plan, and so the outputs of a preview, have what the program gave.
	normal func(string) (string, error)
	// replacesIf says which changes replace the resource, where not all of them do.
	replacesIf func(old, now property.Value) bool
}

// values are a resource's properties, without secret marks.
type values = map[string]property.Value

// resourceType is one resource that is served: its properties, and the API calls that keep it.
type resourceType struct {
	token, doc string
	props      map[string]prop
	// unserved are inputs of the official resource that this stand-in does not have.
	unserved []string
	noImport bool
	// deleteFirst: a replacement waits for the delete, because the two would be the same thing to AWS.
	deleteFirst bool
	// answered: the answer to the creation has all outputs, and Terraform does not read the resource after it.
	answered bool

	// create adds to in what AWS says in no other answer, such as a secret, so that read finds it in prior. With an
	// id and an error, the resource was made and gets into the state, though something failed after it.
	create func(ctx context.Context, c *awsClients, in values) (id string, err error)
	// read answers the properties that the API knows, and nil where the resource is gone. What only the
	// program knows it takes from prior, which is the state or, after create, the inputs.
	read func(ctx context.Context, c *awsClients, id string, prior values) (values, error)
	// update makes the changed inputs real and answers the id, which a rename changes.
	update func(ctx context.Context, c *awsClients, id string, old, in values, changed map[string]bool) (string, error)
	delete func(ctx context.Context, c *awsClients, id string, state values) error
	// importID is the id in the state for the one that an import names, with what read wants in prior.
	importID func(ctx context.Context, c *awsClients, named string) (id string, prior values, err error)
	// unstable are the outputs that an update of these inputs can change.
	unstable func(changed map[string]bool) []string
}

const (
	defaultsKey = "__defaults" // the bridge's list of the inputs that the program did not set
	// The bridge keeps Terraform's id in the outputs: it follows a rename, the engine's does not.
	idKey = "id"
)

func isNoSuchEntity(err error) bool {
	var notFound *types.NoSuchEntityException
	return errors.As(err, &notFound)
}

func (r *resourceType) hasTags() bool { _, ok := r.props["tagsAll"]; return ok }

// inputs are the names of the resource's inputs, sorted.
func (r *resourceType) inputs() []string {
	var out []string
	for _, name := range sortedKeys(r.props) {
		if !r.props[name].output {
			out = append(out, name)
		}
	}
	return out
}

// check validates the inputs and fills in what the program left out, as the bridge does.
func (r *resourceType) check(ctx context.Context, req p.CheckRequest, provider *configured) p.CheckResponse {
	var failures []p.CheckFailure
	fail := func(name, format string, a ...any) {
		failures = append(failures, p.CheckFailure{Property: name, Reason: fmt.Sprintf(format, a...)})
	}
	in, refused := values{}, map[string]bool{}
	for _, name := range sortedKeys(req.Inputs.AsMap()) {
		v := req.Inputs.Get(name)
		if name == defaultsKey || v.IsNull() {
			continue
		}
		property, ok := r.props[name]
		switch {
		case slices.Contains(r.unserved, name):
			fail(name, "%q is not implemented by this stand-in for the aws plugin", name)
			continue
		case !ok || property.output:
			fail(name, "invalid or unknown key: %s has no input %q", r.token, name)
			continue
		}
		v, err := property.kind.coerce(v)
		if err != nil {
			fail(name, "%v", err)
			refused[name] = true
			continue
		}
		in[name] = v
		if v.IsString() && property.pattern != nil && !property.pattern.MatchString(v.AsString()) {
			fail(name, "invalid value for %s (%s)", name, property.hint)
		}
		if property.check != nil && !v.HasComputed() {
			if err := property.check(v); err != nil {
				fail(name, "invalid value for %s (%v)", name, err)
			}
		}
		if v.IsString() && property.kind == kindPolicy {
			if err := validatePolicy(v.AsString()); err != nil {
				fail(name, "%q %v", name, err)
			}
		}
	}
	for _, name := range r.inputs() {
		property := r.props[name]
		if _, ok := in[name]; !ok && property.required && !refused[name] {
			fail(name, "missing required property %q", name)
		} else if !ok && property.needed != "" && !refused[name] {
			fail(name, "%s", property.needed)
		}
	}

	r.fillRegion(in, provider.region, fail)

	// An old default is kept; without a list of defaults, as after a refresh, every old value counts as one.
	old := plainMap(req.State)
	oldDefaults, listed := strs(old.Get(defaultsKey)), old.Get(defaultsKey).IsArray()
	defaulted := []string{}
	for _, name := range r.inputs() {
		property := r.props[name]
		if _, ok := in[name]; ok {
			continue
		}
		if !property.autoname && property.dflt.IsNull() {
			continue
		}
		value := property.dflt
		if v, ok := old.GetOk(name); ok && (!listed || slices.Contains(oldDefaults, name)) {
			value = v
		} else if property.autoname {
			generated, err := autoname(req.Urn, randomSeed(ctx, req))
			if err != nil {
				fail(name, "%v", err)
				continue
			}
			value = stringValue(generated)
		}
		in[name] = value
		defaulted = append(defaulted, name)
	}
	for name, v := range in {
		in[name] = v.WithSecret(v.Secret() || r.props[name].secret)
	}
	if r.hasTags() {
		in[mergedTagsKey] = mergeTags(provider.defaultTags, in["tags"])
	}
	in[defaultsKey] = stringArray(defaulted)
	return p.CheckResponse{Inputs: property.NewMap(in), Failures: failures}
}

func stringValue(s string) property.Value { return property.New(s) }

// equal says whether two values of a property are the same to Terraform.
func (k kind) equal(a, b property.Value) bool {
	if a.HasComputed() || b.HasComputed() {
		return false
	}
	if isEmpty(a) && isEmpty(b) {
		return true
	}
	switch k {
	case kindStrings:
		return sameSet(strs(a), strs(b))
	case kindStringMap:
		return maps.Equal(strMap(a), strMap(b))
	case kindPolicy:
		return equivalentPolicies(str(a), str(b))
	case kindIssuer:
		return strings.TrimPrefix(str(a), issuerScheme) == strings.TrimPrefix(str(b), issuerScheme)
	default:
		return a.Equals(b)
	}
}

// replaces says whether a change of the input replaces the resource.
func (r *resourceType) replaces(name string, state, in values) bool {
	property := r.props[name]
	return property.forceNew || (property.replacesIf != nil && property.replacesIf(state[name], in[name]))
}

// changes are the inputs in which in differs from the state.
func (r *resourceType) changes(state, in values, ignore []string) map[string]bool {
	changed := map[string]bool{}
	for name, property := range r.props {
		if (property.output && name != "tagsAll") || slices.Contains(ignore, name) {
			continue
		}
		want, set := in[name]
		if !set && (property.computed || name == "tagsAll") {
			continue // After a refresh, the inputs lack it.
		}
		if !set {
			// Imported inputs lack their defaults, and the engine compares them with the state in a refresh.
			want = property.dflt
		}
		if !property.kind.equal(state[name], want) {
			changed[name] = true
		}
	}
	return changed
}

func (r *resourceType) diff(req p.DiffRequest) p.DiffResponse {
	state, in := plainMap(req.State).AsMap(), planInputs(req.Inputs)
	changed := r.changes(state, in, req.IgnoreChanges)
	detailed := map[string]p.PropertyDiff{}
	replace := false
	for name := range changed {
		forceNew := r.replaces(name, state, in)
		replace = replace || forceNew
		diffKind := p.Update
		switch {
		case isEmpty(state[name]):
			diffKind = p.Add
		case isEmpty(in[name]):
			diffKind = p.Delete
		}
		if forceNew {
			diffKind = map[p.DiffKind]p.DiffKind{
				p.Update: p.UpdateReplace, p.Add: p.AddReplace, p.Delete: p.DeleteReplace,
			}[diffKind]
		}
		detailed[name] = p.PropertyDiff{Kind: diffKind}
	}
	return p.DiffResponse{
		HasChanges:          len(changed) > 0,
		DetailedDiff:        detailed,
		DeleteBeforeReplace: replace && (r.deleteFirst || r.nameTaken(in)),
	}
}

// nameTaken says whether the program chose the name of a resource that could have had a generated one. Two
// such resources cannot exist at once, so the bridge deletes before it replaces, whatever it was that changed.
func (r *resourceType) nameTaken(in values) bool {
	if !in[defaultsKey].IsArray() {
		return false
	}
	defaulted := strs(in[defaultsKey])
	for name := range in {
		if r.props[name].autoname && !slices.Contains(defaulted, name) {
			return true
		}
	}
	return false
}

// outputs are what goes into the state: what was read, the id, and secret marks where the inputs have them.
func (r *resourceType) outputs(read values, id property.Value, marked property.Map) property.Map {
	out := values{idKey: id}
	for name, v := range read {
		if _, ok := r.props[name]; ok && !v.IsNull() {
			out[name] = v
		}
	}
	for name, v := range out {
		out[name] = v.WithSecret(marked.Get(name).HasSecrets() || r.props[name].secret)
	}
	return property.NewMap(out)
}

// mergedTagsKey has tagsAll among the inputs. Under its own name, the engine would make the output secret with the
// tags, and that of the official plugin, which is no input, is not.
const mergedTagsKey = "__tagsAll"

// planInputs are what Terraform plans with: the inputs, and tagsAll.
func planInputs(inputs property.Map) values {
	in := plainMap(inputs).AsMap()
	if tags, ok := in[mergedTagsKey]; ok {
		in["tagsAll"] = tags
		delete(in, mergedTagsKey)
	}
	return in
}

// planned are the inputs in the form that Terraform plans with.
func (r *resourceType) planned(in values) values {
	out := maps.Clone(in)
	for name, v := range in {
		if normal := r.props[name].normal; normal != nil && v.IsString() {
			if text, err := normal(v.AsString()); err == nil {
				out[name] = property.New(text)
			}
		}
	}
	return out
}

// preview is the outputs before they are known: every input, and unknown for the rest.
func (r *resourceType) preview(in values) values {
	out := values{}
	for name, property := range r.props {
		v, ok := in[name]
		switch {
		case ok:
			out[name] = v
		case property.output || property.computed:
			out[name] = unknown
		}
	}
	return out
}

var unknown = property.New(property.Computed)

func (r *resourceType) doCreate(ctx context.Context, c *awsClients, req p.CreateRequest) (p.CreateResponse, error) {
	in := r.planned(planInputs(req.Properties))
	if req.DryRun {
		return p.CreateResponse{Properties: r.outputs(r.preview(in), unknown, req.Properties)}, nil
	}
	if req.Properties.Len() > 0 && property.New(req.Properties).HasComputed() {
		return p.CreateResponse{}, fmt.Errorf("creating %s: an input is still unknown", r.token)
	}
	id, err := r.create(ctx, c, in)
	if err != nil && id == "" {
		return p.CreateResponse{}, err
	}
	read := in
	if err == nil && !r.answered {
		read, err = r.readNew(ctx, c, id, in)
	}
	if err != nil {
		// The resource exists, so it has to get into the state.
		return p.CreateResponse{
			ID: id, Properties: r.outputs(in, stringValue(id), req.Properties),
			PartialState: &p.InitializationFailed{Reasons: []string{err.Error()}},
		}, err
	}
	return p.CreateResponse{ID: id, Properties: r.outputs(read, stringValue(id), req.Properties)}, nil
}

// propagation is how long Terraform waits for AWS to find what was just made, and propagationPause how long this does
// before it asks again. Terraform asks ever more rarely.
var propagation, propagationPause = 2 * time.Minute, time.Second / 2

// readNew reads what was just made, which AWS may not find at first.
func (r *resourceType) readNew(ctx context.Context, c *awsClients, id string, in values) (values, error) {
	for deadline := time.Now().Add(propagation); ; {
		read, err := r.readAll(ctx, c, id, in)
		if err != nil || read != nil {
			return read, err
		}
		if time.Now().After(deadline) {
			return nil, fmt.Errorf("%s (%s) is not there after its creation", r.token, id)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(propagationPause):
		}
	}
}

// readAll is read, with the region of a resource that has one.
func (r *resourceType) readAll(ctx context.Context, c *awsClients, id string, prior values) (values, error) {
	read, err := r.read(ctx, c, id, prior)
	if _, has := r.props[regionKey]; has && read != nil {
		read[regionKey] = property.New(c.region)
	}
	return read, err
}

// terraformID is the id in the state if there is one, since the engine's does not follow a rename.
func terraformID(id string, state property.Map) string {
	if s := str(state.Get(idKey)); s != "" {
		return s
	}
	return id
}

func (r *resourceType) doRead(ctx context.Context, c *awsClients, req p.ReadRequest) (p.ReadResponse, error) {
	refresh := req.Properties.Len() > 0
	if !refresh && r.noImport {
		return p.ReadResponse{}, fmt.Errorf("%s does not support import, in the official plugin either", r.token)
	}
	state, old := plainMap(req.Properties).AsMap(), plainMap(req.Inputs).AsMap()
	id := terraformID(req.ID, req.Properties)
	if !refresh && r.importID != nil {
		var err error
		if id, state, err = r.importID(ctx, c, id); err != nil {
			return p.ReadResponse{}, err
		}
	}
	read, err := r.readAll(ctx, c, id, state)
	if err != nil || read == nil {
		return p.ReadResponse{}, err
	}
	in := values{}
	if refresh {
		for name, was := range state {
			// Terraform leaves the state's text, in whatever form, where AWS has one that means the same.
			if r.props[name].kind == kindPolicy && kindPolicy.equal(was, read[name]) {
				read[name] = was
			}
		}
		// Only what was an input stays one; a policy keeps the program's text, as drift shows in the outputs.
		for name, was := range old {
			now, ok := read[name]
			switch {
			case name == defaultsKey:
			case ok && r.props[name].kind != kindPolicy && !r.props[name].kind.equal(was, now):
				in[name] = now
			case ok || isEmpty(was):
				in[name] = was
			}
		}
	} else {
		for _, name := range r.inputs() {
			v, property := read[name], r.props[name]
			if isEmpty(v) || v.Equals(property.dflt) {
				continue
			}
			in[name] = v
		}
		in[defaultsKey] = stringArray([]string{})
	}
	for name, v := range in {
		in[name] = v.WithSecret(req.Inputs.Get(name).HasSecrets() || r.props[name].secret)
	}
	marked := req.Inputs
	if marked.Len() == 0 {
		marked = req.Properties
	}
	return p.ReadResponse{
		ID: id, Properties: r.outputs(read, stringValue(id), marked), Inputs: property.NewMap(in),
	}, nil
}

func (r *resourceType) doUpdate(ctx context.Context, c *awsClients, req p.UpdateRequest) (p.UpdateResponse, error) {
	state, in := plainMap(req.State).AsMap(), r.planned(planInputs(req.Inputs))
	changed := r.changes(state, in, req.IgnoreChanges)
	for name := range changed {
		if r.replaces(name, state, in) {
			return p.UpdateResponse{}, fmt.Errorf("updating %s (%s): %s cannot change in place", r.token, req.ID, name)
		}
	}
	id := terraformID(req.ID, req.State)
	merged := maps.Clone(state)
	for name := range changed {
		if v, ok := in[name]; ok {
			merged[name] = v
		} else {
			delete(merged, name)
		}
	}
	if req.DryRun {
		if r.unstable != nil {
			for _, name := range r.unstable(changed) {
				merged[name] = unknown
			}
		}
		return p.UpdateResponse{Properties: r.outputs(merged, stringValue(id), req.Inputs)}, nil
	}
	if property.New(req.Inputs).HasComputed() {
		return p.UpdateResponse{}, fmt.Errorf("updating %s (%s): an input is still unknown", r.token, id)
	}
	newID, updateErr := r.update(ctx, c, id, state, in, changed)
	if newID != "" {
		id = newID
	}
	read, readErr := r.readAll(ctx, c, id, merged)
	if readErr == nil && read == nil {
		readErr = fmt.Errorf("%s (%s) did not exist while it was updated", r.token, id)
	}
	if err := errors.Join(updateErr, readErr); err != nil {
		if read == nil {
			read = state
		}
		return p.UpdateResponse{
			Properties:   r.outputs(read, stringValue(id), req.Inputs),
			PartialState: &p.InitializationFailed{Reasons: []string{err.Error()}},
		}, err
	}
	return p.UpdateResponse{Properties: r.outputs(read, stringValue(id), req.Inputs)}, nil
}

func (r *resourceType) doDelete(ctx context.Context, c *awsClients, req p.DeleteRequest) error {
	return r.delete(ctx, c, terraformID(req.ID, req.Properties), plainMap(req.Properties).AsMap())
}
