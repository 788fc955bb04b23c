package input

import (
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// A Rule checks one value and reports its problems. It is called for a value that is given and known as a whole; what
// is unknown within a list or map it passes over. It is called for a null of another resource too, and refuses it as a
// value of the wrong type: the absence of an input can grant more than any value, and no preview would have shown it.
type Rule func(in *Inputs, at Location, v property.Value)

// Rules are the inputs of a component, or the fields of an object, with their rules. No other name is taken.
type Rules map[string]Rule

// Check checks the inputs against the rules.
func (in *Inputs) Check(rules Rules) { in.checkFields(Location{}, in.values, rules) }

// CheckAgain checks some of the inputs once more, against rules that know more than those of [Inputs.Check].
func (in *Inputs) CheckAgain(rules Rules, names ...string) {
	for _, name := range names {
		if in.Given(name) {
			in.check(At(name), in.values.Get(name), rules[name])
		}
	}
}

// checkFields checks the fields of the object at a location, or the inputs themselves.
func (in *Inputs) checkFields(at Location, object property.Map, rules Rules) {
	for name, v := range object.AllStable {
		switch check, recognised := rules[name]; {
		case !recognised && in.isFull():
			in.more++ // What was meant by each of many takes long to find.
		case !recognised && at.secret:
			in.ReportWhole(Location{path: at.path[:1]}, errors.New("has a key that is not an input of this resource"))
		case !recognised:
			in.ReportWhole(at.Element(name), unrecognised(name, rules))
		case !isLeftOut(v):
			in.check(at.Element(name), v, check)
		}
	}
}

// Require reports inputs that are not given, each with what is to be done about it.
func (in *Inputs) Require(name, fix string) {
	if isLeftOut(in.values.Get(name)) {
		in.ReportWhole(At(name), errors.New("is required: "+fix))
	}
}

// CheckGeneratedName reports an input that is not given and for which the resource's own name cannot stand in.
func (in *Inputs) CheckGeneratedName(input, name string, check func(string) error) {
	const suffix = "-1234567"
	if in.Given(input) {
		return
	}
	if err := check(name + suffix); err != nil {
		in.ReportWhole(At(input), fmt.Errorf("is required: the default, the resource's name %q with %d random characters, %w",
			shorten(name, maxShown), len(suffix), err))
	}
}

// RejectSecretNames reports secret inputs that name children: a list of strings, or the keys of a map. The engine keeps
// names in plain text and shows them. A name that hides the value is no way out: with the secrecy, the name would
// change, and that detaches what stays attached.
func (in *Inputs) RejectSecretNames(names ...string) {
	for _, name := range names {
		v := in.values.Get(name)
		if v.Secret() || (!v.IsMap() && v.HasSecrets()) {
			in.Report(Location{At(name).path, true}, v, errors.New("must not be secret: it becomes part of resource names, "+
				"which are stored in plain text; if it is not sensitive, use your language's unsecret function"))
			in.values = in.values.Delete(name) // One problem is enough.
		}
	}
}

// RejectComputedObject reports an object that is unknown as a whole: which fields it has decides which resources there
// are. Its fields may be unknown.
func (in *Inputs) RejectComputedObject(name string) {
	if v := in.values.Get(name); v.IsComputed() {
		in.Report(At(name), v, errors.New("must be a literal object; only its fields may be outputs"))
		in.values = in.values.Delete(name)
	}
}

func (in *Inputs) check(at Location, v property.Value, check Rule) {
	at.secret = at.secret || v.Secret()
	if !v.IsComputed() {
		check(in, at, v)
	}
}

// Text is the rule of a string.
func Text(check func(string) error) Rule {
	return func(in *Inputs, at Location, v property.Value) {
		if !v.IsString() {
			in.reportKind(at, v, "a string")
		} else if err := check(v.AsString()); err != nil {
			in.Report(at, v, err)
		}
	}
}

// Boolean is the rule of a boolean.
func Boolean(in *Inputs, at Location, v property.Value) {
	if !v.IsBool() {
		in.reportKind(at, v, "a boolean")
	}
}

// Integer is the rule of a whole number.
func Integer(check func(int) error) Rule {
	return func(in *Inputs, at Location, v property.Value) {
		if !v.IsNumber() {
			in.reportKind(at, v, "a whole number")
			return
		}
		// Beyond this, a float64 no longer holds every whole number.
		const most = 1 << 53
		n := v.AsNumber()
		if n != math.Trunc(n) || math.Abs(n) > most {
			in.Report(at, v, errors.New("must be a whole number"))
		} else if err := check(int(n)); err != nil {
			in.Report(at, v, err)
		}
	}
}

// OneOf is the rule of a string that is one of a few words.
func OneOf[S ~string](words ...S) Rule {
	texts := make([]string, len(words))
	for i, word := range words {
		texts[i] = string(word)
	}
	return Text(func(s string) error { return rule.CheckOneOf(s, texts) })
}

// Object is the rule of an object with rules for its fields, of which those named are required.
func Object(fields Rules, required ...string) Rule {
	return func(in *Inputs, at Location, v property.Value) {
		if !v.IsMap() {
			in.reportKind(at, v, "an object")
			return
		}
		object := property.NewMap(parts(v))
		for _, name := range required {
			if isLeftOut(object.Get(name)) {
				in.ReportWhole(at.Element(name), errors.New("is required"))
			}
		}
		in.checkFields(at, object, fields)
	}
}

// OrNull is the rule of an input whose absence grants nothing: a null of another resource is taken for an input that is
// left out.
func OrNull(check Rule) Rule {
	return func(in *Inputs, at Location, v property.Value) {
		if !v.IsNull() {
			check(in, at, v)
		}
	}
}

// AtMost is the rule of a list that has at most so many elements, because no more fit into what is made of it. No
// element of a longer one is looked at.
func AtMost(most int, into string, check Rule) Rule {
	return func(in *Inputs, at Location, v property.Value) {
		if v.IsArray() && v.AsArray().Len() > most {
			in.Report(at, v, fmt.Errorf("must have at most %d elements, and has %d: no more fit into %s", most,
				v.AsArray().Len(), into))
			return
		}
		check(in, at, v)
	}
}

// List is the rule of a list of strings.
func List(check func(string) error) Rule {
	return func(in *Inputs, at Location, v property.Value) {
		if !v.IsArray() {
			in.reportKind(at, v, "a list of strings")
			return
		}
		for i, element := range v.AsArray().All {
			in.check(at.Element(i), element, Text(check))
		}
	}
}

// NonEmpty is the rule of a list of strings that has at least one element; the reason says what an empty one would
// mean.
func NonEmpty(check func(string) error, reason string) Rule {
	list := List(check)
	return func(in *Inputs, at Location, v property.Value) {
		if v.IsArray() && v.AsArray().Len() == 0 {
			in.Report(at, v, errors.New("must have at least one element: "+reason))
		}
		list(in, at, v)
	}
}

// Tags is the rule of tags that are merged over defaults, and over those that the AWS provider puts on every resource.
func Tags(defaults, ofProvider map[string]string) Rule {
	return func(in *Inputs, at Location, v property.Value) {
		if !v.IsMap() {
			in.reportKind(at, v, "a map of strings")
			return
		}
		var keys []string
		for key := range v.AsMap().AllStable {
			keys = append(keys, key)
		}
		if err := iam.CheckTagKeys(defaults, ofProvider, keys); err != nil {
			in.Report(at, v, err)
		}
		if len(keys) > iam.MaxTags {
			return
		}
		for key, value := range v.AsMap().AllStable {
			element := at.Element(key)
			if err := iam.CheckTagKey(key); err != nil {
				in.Report(Location{element.path, at.secret || value.HasSecrets()}, value, err)
			}
			in.check(element, value, Text(iam.CheckTagValue))
		}
	}
}

func unrecognised(name string, rules Rules) error {
	violation := rule.Broken("is not an input of this resource")
	if meant := rule.Nearest(name, maps.Keys(rules)); meant != "" {
		return violation.WithHint("%s", rule.DidYouMean(meant))
	}
	return violation
}
