package provider

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/agext/levenshtein"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/util/rpcutil/rpcerror"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	perrors "github.com/pulumi/pulumi/sdk/v3/go/pulumi/errors"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// A rule checks one input and reports its problems. It is called for inputs that are given, and never for a
// value that is not known yet: a rule skips those within lists and maps too.
type rule func(in *inputs, at location, v property.Value)

// rules are the inputs of a component by name: no other input is taken.
type rules map[string]rule

// inputs are the inputs of one component as the engine sent them, and what is wrong with them.
type inputs struct {
	values property.Map
	// preview says that values may be unknown yet.
	preview  bool
	problems []problem
}

// location is where a value stands, and whether it is, or lies within, a secret.
type location struct {
	path   resource.PropertyPath
	secret bool
}

// problem is one broken rule.
type problem struct{ path, value, rule string }

// marshalling keeps all that values can be.
var marshalling = plugin.MarshalOptions{
	KeepUnknowns: true, KeepSecrets: true, KeepOutputValues: true, KeepResources: true, KeepByteString: true,
}

// takeInputs checks the inputs of a component before the Pulumi SDK reads them, because components have no Check of
// their own, puts those of the request into the form that the SDK reads, and returns them.
func takeInputs(
	req *pulumirpc.ConstructRequest, check func(in *inputs, name string) error,
) (property.Map, error) {
	given, err := plugin.UnmarshalProperties(req.GetInputs(), marshalling)
	if err != nil {
		return property.Map{}, fmt.Errorf("read the inputs: %w", err)
	}
	values := withDependencies(resource.FromResourcePropertyMap(given), req.GetInputDependencies())
	if err := check(&inputs{values: values, preview: req.GetDryRun()}, req.GetName()); err != nil {
		return property.Map{}, rpcerror.WrapDetailedError(err)
	}
	parent := resource.URN(req.GetParent())
	values = openPolicies(openLists(rootUnknowns(values, parent)))
	if v, ok := values.GetOk(secretsManagerInput); ok {
		if v.IsNull() {
			values = values.Delete(secretsManagerInput)
		} else {
			values = values.Set(secretsManagerInput, openObject(v, parent))
		}
	}
	// Each value has its dependencies by now.
	req.InputDependencies = nil
	if req.Inputs, err = plugin.MarshalProperties(resource.ToResourcePropertyMap(values), marshalling); err != nil {
		return property.Map{}, fmt.Errorf("write the inputs: %w", err)
	}
	return values, nil
}

// withDependencies adds to each value what it depends on, besides what is among its own dependencies and those of its
// parts.
func withDependencies(
	values property.Map, all map[string]*pulumirpc.ConstructRequest_PropertyDependencies,
) property.Map {
	for name, on := range all {
		v, ok := values.GetOk(name)
		if !ok {
			continue
		}
		noted, own := dependencies(v), v.Dependencies()
		for _, urn := range on.GetUrns() {
			if urn := resource.URN(urn); !slices.Contains(noted, urn) {
				own = append(own, urn)
			}
		}
		values = values.Set(name, v.WithDependencies(own))
	}
	return values
}

// rootUnknowns makes the inputs that are not known, and depend on nothing, depend on the parent, which exists
// whenever the component does. The Pulumi SDK v3.259.0 takes an unknown list or map only if it has a
// dependency, and otherwise fails the preview for want of a list.
func rootUnknowns(values property.Map, parent resource.URN) property.Map {
	for name, v := range values.All {
		if v.IsComputed() && len(v.Dependencies()) == 0 {
			values = values.Set(name, v.WithDependencies([]resource.URN{parent}))
		}
	}
	return values
}

// openLists moves secrecy and dependencies from lists to their elements, because the Pulumi SDK v3.259.0 takes a
// list that depends on something for known although elements of it are not.
func openLists(values property.Map) property.Map {
	for name, v := range values.All {
		if !v.IsArray() || (!v.Secret() && len(v.Dependencies()) == 0) {
			continue
		}
		var elements []property.Value
		for _, element := range v.AsArray().All {
			elements = append(elements, element.
				WithSecret(v.Secret() || element.Secret()).
				WithDependencies(append(v.Dependencies(), element.Dependencies()...)))
		}
		values = values.Set(name, property.New(elements))
	}
	return values
}

// openObject moves secrecy and dependencies from an object to its values, because the Pulumi SDK v3.259.0 takes
// an object of inputs only if it is a plain one. Values that are null are left out: with a dependency, the SDK takes
// them for given.
func openObject(v property.Value, parent resource.URN) property.Value {
	if !v.IsMap() {
		return v
	}
	values := rootUnknowns(v.AsMap(), parent)
	for name, value := range values.All {
		if value.IsNull() {
			values = values.Delete(name)
			continue
		}
		values = values.Set(name, openObject(value.
			WithSecret(v.Secret() || value.Secret()).
			WithDependencies(append(slices.Clone(v.Dependencies()), value.Dependencies()...)), parent))
	}
	return property.New(values)
}

// valueOrZero returns the value of an optional input, which the SDK gives as it is or as a pointer.
func valueOrZero[T any](v any) T {
	if pointer, _ := v.(*T); pointer != nil {
		return *pointer
	}
	value, _ := v.(T)
	return value
}

type inputsKey struct{}

// newInputs returns the inputs of the component that is being constructed.
func newInputs(ctx *pulumi.Context) *inputs {
	values, _ := ctx.Value(inputsKey{}).(property.Map)
	return &inputs{values: values, preview: ctx.DryRun()}
}

// refuseUnknown reports every input that has no rule.
func (in *inputs) refuseUnknown(rules rules) {
	in.refuseUnknownIn(location{}, in.values, rules)
}

// refuseUnknownIn reports every value of the object at a location that has no rule.
func (in *inputs) refuseUnknownIn(at location, object property.Map, rules rules) {
	for name := range object.AllStable {
		if _, known := rules[name]; known {
			continue
		}
		if at.secret {
			in.reportWhole(at.path[:1].String(), errors.New("has a key that is no input of this resource"))
			continue
		}
		in.problems = append(in.problems, unknownInput(at.element(name).path, name, rules))
	}
}

// refuseUnknownObject reports an object that is not known as a whole. Its values may be unknown in a preview, but
// which of them it has decides which resources there are.
func (in *inputs) refuseUnknownObject(at location, v property.Value) {
	if v.IsComputed() {
		in.report(at, v, errors.New("must be an object in the program; its values may come from other resources"))
	}
}

// apply checks every input that is given and has a rule. As everywhere in Pulumi, null is an input that is
// not given.
func (in *inputs) apply(rules rules) {
	for name, v := range in.values.AllStable {
		if check, ok := rules[name]; ok && in.given(name) {
			in.check(location{path: resource.PropertyPath{name}}, v, check)
		}
	}
}

// checkGeneratedName reports an input that is not given, and that the resource's own name cannot stand in for.
func (in *inputs) checkGeneratedName(input, name string, check func(string) error) {
	// The name of the resource, with a hyphen and seven random characters.
	const suffix = "-1234567"
	if in.given(input) {
		return
	}
	if err := check(name + suffix); err != nil {
		in.reportWhole(input, fmt.Errorf(
			"is not given, and the resource's own name %q with a suffix of %d characters cannot stand in: it %w",
			name, len(suffix), err))
	}
}

// given reports whether the input is there, its value known or not.
func (in *inputs) given(name string) bool {
	v, ok := in.values.GetOk(name)
	return ok && !v.IsNull()
}

func (in *inputs) check(at location, v property.Value, check rule) {
	at.secret = at.secret || v.Secret()
	switch {
	case !v.IsComputed():
		check(in, at, v)
	case !in.preview:
		// The Pulumi SDK drops what is unknown in an update, and the default would take its place.
		in.report(at, v, errors.New("must be known in an update: what it comes from is not there, "+
			"perhaps because it was left out of the targets"))
	}
}

// report adds a problem with the value at a location. What is secret is not shown, and neither is the key of
// a secret map.
func (in *inputs) report(at location, v property.Value, err error) {
	broken := problem{path: at.path.String(), value: show(v), rule: err.Error()}
	if at.secret {
		broken.path, broken.value = at.path[:1].String(), "[secret]"
		var violation *iam.Violation
		if errors.As(err, &violation) {
			broken.rule = violation.Rule
		}
	}
	in.problems = append(in.problems, broken)
}

// reportWhole adds a problem with an input that has no one value to show.
func (in *inputs) reportWhole(name string, err error) {
	in.problems = append(in.problems, problem{path: name, rule: err.Error()})
}

// strings returns an input that has passed the rule of a list of strings, or nil where it is not given, and
// whether all of it is known.
func (in *inputs) strings(name string) (elements []string, known bool) {
	if !in.given(name) {
		return nil, true
	}
	v := in.values.Get(name)
	if v.HasComputed() {
		return nil, false
	}
	for _, element := range v.AsArray().All {
		elements = append(elements, element.AsString())
	}
	return elements, true
}

// err returns one error that lists every problem, or nil.
func (in *inputs) err() error {
	if len(in.problems) == 0 {
		return nil
	}
	// The details of this error stay empty: for each of them the engine prints the value it sent, secrets too.
	return perrors.NewInputPropertiesError(in.text())
}

// text returns the list of all problems, of which there is at least one.
func (in *inputs) text() string {
	var text strings.Builder
	if len(in.problems) == 1 {
		text.WriteString("invalid input:")
	} else {
		fmt.Fprintf(&text, "%d invalid inputs:", len(in.problems))
	}
	for _, broken := range in.problems {
		text.WriteString("\n  - " + broken.path)
		if broken.value != "" {
			text.WriteString(" = " + broken.value)
		}
		text.WriteString(": " + broken.rule)
	}
	return text.String()
}

// text is the rule of a string.
func text(check func(string) error) rule {
	return func(in *inputs, at location, v property.Value) {
		if !v.IsString() {
			in.report(at, v, fmt.Errorf("must be a string, and is %s", kind(v)))
		} else if err := check(v.AsString()); err != nil {
			in.report(at, v, err)
		}
	}
}

// boolean is the rule of a boolean.
func boolean(in *inputs, at location, v property.Value) {
	if !v.IsBool() {
		in.report(at, v, fmt.Errorf("must be a boolean, and is %s", kind(v)))
	}
}

// integer is the rule of a whole number.
func integer(check func(int) error) rule {
	return func(in *inputs, at location, v property.Value) {
		if !v.IsNumber() {
			in.report(at, v, fmt.Errorf("must be a whole number, and is %s", kind(v)))
			return
		}
		// Beyond this, a float64 no longer holds every whole number.
		const most = 1 << 53
		n := v.AsNumber()
		if n != math.Trunc(n) || math.Abs(n) > most {
			in.report(at, v, errors.New("must be a whole number"))
		} else if err := check(int(n)); err != nil {
			in.report(at, v, err)
		}
	}
}

// object is the rule of an object with a rule for each of its values, of which those named are required. It is
// an object in the program, although its values may come from other resources: which resources are made
// depends on what it has.
func object(fields rules, required ...string) rule {
	return func(in *inputs, at location, v property.Value) {
		if !v.IsMap() {
			in.report(at, v, fmt.Errorf("must be an object, and is %s", kind(v)))
			return
		}
		values := v.AsMap()
		in.refuseUnknownIn(at, values, fields)
		for _, name := range required {
			if value, ok := values.GetOk(name); !ok || value.IsNull() {
				in.reportWhole(at.element(name).path.String(), errors.New("is required"))
			}
		}
		for name, value := range values.AllStable {
			if check, ok := fields[name]; ok && !value.IsNull() {
				in.check(at.element(name), value, check)
			}
		}
	}
}

// list is the rule of a list of strings that has at least one element. The reason says what an empty one
// would mean. Without a reason, a list may be empty.
func list(check func(string) error, emptyReason string) rule {
	return func(in *inputs, at location, v property.Value) {
		if !v.IsArray() {
			in.report(at, v, fmt.Errorf("must be a list of strings, and is %s", kind(v)))
			return
		}
		if v.AsArray().Len() == 0 && emptyReason != "" {
			in.report(at, v, errors.New("must have at least one element: "+emptyReason))
		}
		for i, element := range v.AsArray().All {
			in.check(at.element(i), element, text(check))
		}
	}
}

// tagMap is the rule of tags that are merged over defaults.
func tagMap(defaults map[string]string) rule {
	return func(in *inputs, at location, v property.Value) {
		if !v.IsMap() {
			in.report(at, v, fmt.Errorf("must be a map of strings, and is %s", kind(v)))
			return
		}
		var keys []string
		for key, value := range v.AsMap().AllStable {
			keys = append(keys, key)
			if err := iam.CheckTagKey(key); err != nil {
				in.report(location{at.element(key).path, at.secret || value.HasSecrets()}, value, err)
			}
			in.check(at.element(key), value, text(iam.CheckTagValue))
		}
		if err := iam.CheckTagKeys(defaults, keys); err != nil {
			in.report(at, v, err)
		}
	}
}

func (at location) element(key any) location {
	return location{append(slices.Clone(at.path), key), at.secret}
}

func unknownInput(path resource.PropertyPath, name string, rules rules) problem {
	unknown := problem{path: path.String(), rule: "is no input of this resource"}
	nearest, distance := "", 4 // Farther names are no typing errors.
	for known := range rules {
		d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(known), nil)
		if d < distance || (d == distance && known < nearest) {
			nearest, distance = known, d
		}
	}
	if nearest != "" {
		unknown.rule += fmt.Sprintf(" (did you mean %q?)", nearest)
	}
	return unknown
}

// show returns a value as it stands in an error: shortened, and containers by their kind only, since what
// they hold may be secret.
func show(v property.Value) string {
	const most = 100
	switch {
	case v.IsString():
		s := v.AsString()
		if utf8.RuneCountInString(s) > most {
			s = string([]rune(s)[:most]) + "..."
		}
		return fmt.Sprintf("%q", s)
	case v.IsBool():
		return fmt.Sprint(v.AsBool())
	case v.IsNumber():
		return fmt.Sprint(v.AsNumber())
	case v.IsNull():
		return "null"
	default:
		return kind(v)
	}
}

// kind returns the type of a value in the words of the errors above.
func kind(v property.Value) string {
	switch {
	case v.IsNull():
		return "null"
	case v.IsComputed():
		return "unknown"
	case v.IsBool():
		return "a boolean"
	case v.IsNumber():
		return "a number"
	case v.IsString():
		return "a string"
	case v.IsArray():
		return "a list"
	case v.IsMap():
		return "a map"
	case v.IsAsset():
		return "an asset"
	case v.IsArchive():
		return "an archive"
	default:
		return "a resource"
	}
}
