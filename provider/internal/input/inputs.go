// Package input reads the inputs of a component from their property values, which are their only form: it checks them
// against rules, lists every problem in one error, gives them typed to whoever makes policies of them, and passes them
// on to the component's children.
package input

import (
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/oidc"
)

// Inputs are the inputs of one component, and what is wrong with them.
type Inputs struct {
	values property.Map
	// jobs are the CI jobs that the inputs hold, by input.
	jobs map[string][]*oidc.Job
	// problems are the first of what is wrong, and more is how many there are beyond them.
	problems []problem
	more     int
}

// New returns the inputs of a component.
func New(values property.Map) *Inputs { return &Inputs{values: values, jobs: map[string][]*oidc.Job{}} }

// Get returns the value of an input, null if it is not given.
func (in *Inputs) Get(name string) property.Value { return in.values.Get(name) }

// Given reports whether an input is given, its value known or not. As everywhere in Pulumi, null is not given; a null
// of another resource is a problem that [Inputs.Check] reports, unless the input's rule is [OrNull].
func (in *Inputs) Given(name string) bool { return !in.values.Get(name).IsNull() }

// Known reports whether the inputs are known as far as they are given.
func (in *Inputs) Known(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return in.values.Get(name).HasComputed() })
}

// Unknown returns the names of the inputs that are unknown, or have a part that is.
func (in *Inputs) Unknown() []string {
	var names []string
	for name, v := range in.values.AllStable {
		if v.HasComputed() {
			names = append(names, name)
		}
	}
	return names
}

// String returns an input that has passed the rule of a string, or an empty string if it is not given or unknown.
func (in *Inputs) String(name string) string {
	if v := in.values.Get(name); v.IsString() {
		return v.AsString()
	}
	return ""
}

// Bool returns an input that has passed the rule of a boolean, or false if it is not given or unknown.
func (in *Inputs) Bool(name string) bool {
	v := in.values.Get(name)
	return v.IsBool() && v.AsBool()
}

// Strings returns an input that has passed the rule of a list of strings, or nil if it is not given. It is to be known.
func (in *Inputs) Strings(name string) []string {
	v := in.values.Get(name)
	if !v.IsArray() {
		return nil
	}
	elements := make([]string, 0, v.AsArray().Len())
	for _, element := range v.AsArray().All {
		if element.IsString() {
			elements = append(elements, element.AsString())
		}
	}
	return elements
}

// All returns the elements of a list, each as secret as the list and with its dependencies, or nil if the list is not
// given or unknown.
func (in *Inputs) All(name string) []property.Value {
	v := in.values.Get(name)
	if !v.IsArray() {
		return nil
	}
	var elements []property.Value
	for _, element := range v.AsArray().All {
		elements = append(elements, inherit(v, element))
	}
	return elements
}

// Map returns the values of a map, each as secret as the map and with its dependencies, or nil if the map is not given
// or unknown.
func (in *Inputs) Map(name string) map[string]property.Value { return parts(in.values.Get(name)) }

// parts returns the values of a map, each as secret as the map and with its dependencies, or nil if it is no map.
func parts(v property.Value) map[string]property.Value {
	if !v.IsMap() {
		return nil
	}
	values := make(map[string]property.Value, v.AsMap().Len())
	for key, value := range v.AsMap().All {
		values[key] = inherit(v, value)
	}
	return values
}

// Object returns the inputs that an input holds, or nil if it is not given.
func (in *Inputs) Object(name string) *Inputs {
	fields := in.Map(name)
	if fields == nil {
		return nil
	}
	return New(property.NewMap(fields))
}

// inherit returns a part of a value, as secret as the whole and with its dependencies.
func inherit(whole, part property.Value) property.Value {
	return part.WithSecret(whole.Secret() || part.Secret()).
		WithDependencies(append(slices.Clone(whole.Dependencies()), part.Dependencies()...))
}

// isLost reports whether a value is null because an output of another resource is.
func isLost(v property.Value) bool { return v.IsNull() && len(v.Dependencies()) > 0 }

// isLeftOut reports whether a value is a null of the program itself, which depends on nothing.
func isLeftOut(v property.Value) bool { return v.IsNull() && len(v.Dependencies()) == 0 }

// Location is where a value stands, and whether it is, or lies within, a secret.
type Location struct {
	path   resource.PropertyPath
	secret bool
}

// At returns the location of an input.
func At(name string) Location { return Location{path: resource.PropertyPath{name}} }

// Element returns the location of an element of the value at a location.
func (at Location) Element(key any) Location {
	return Location{append(slices.Clone(at.path), key), at.secret}
}
