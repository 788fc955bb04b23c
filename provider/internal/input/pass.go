package input

import (
	"context"
	"fmt"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// The functions of this file give values to other resources: secret, unknown and depending on others as they were
// given. An input that is not given is nil.

// Text passes on a string.
func (in *Inputs) Text(name string) pulumi.StringPtrInput {
	if !in.Given(name) {
		return nil
	}
	return AsText(in.values.Get(name))
}

// Boolean passes on a boolean.
func (in *Inputs) Boolean(name string) pulumi.BoolPtrInput {
	if !in.Given(name) {
		return nil
	}
	return As[pulumi.BoolOutput](output(in.values.Get(name), property.Value.AsBool))
}

// Integer passes on a whole number.
func (in *Inputs) Integer(name string) pulumi.IntPtrInput {
	if !in.Given(name) {
		return nil
	}
	return As[pulumi.IntOutput](output(in.values.Get(name), func(v property.Value) int { return int(v.AsNumber()) }))
}

// TextMap passes on a map of strings, with what merge, if it is given, adds to it.
func (in *Inputs) TextMap(
	name string, merge func(map[string]property.Value) map[string]property.Value,
) pulumi.StringMapInput {
	v := in.values.Get(name)
	if v.IsComputed() {
		return As[pulumi.StringMapOutput](output(v, func(property.Value) map[string]string { return nil }))
	}
	values := in.Map(name)
	if merge != nil {
		values = merge(values)
	}
	texts := pulumi.StringMap{}
	for key, value := range values {
		texts[key] = AsText(value)
	}
	if len(texts) == 0 {
		return nil
	}
	return texts
}

// TextList passes on a list of strings.
func (in *Inputs) TextList(name string) pulumi.StringArrayInput {
	if !in.Given(name) {
		return nil
	}
	if v := in.values.Get(name); v.IsComputed() {
		return As[pulumi.StringArrayOutput](output(v, func(property.Value) []string { return nil }))
	}
	texts := pulumi.StringArray{}
	for _, element := range in.All(name) {
		texts = append(texts, AsText(element))
	}
	return texts
}

// AsText returns a string as an input.
func AsText(v property.Value) pulumi.StringOutput {
	return As[pulumi.StringOutput](output(v, property.Value.AsString))
}

// Derived returns a string that follows from inputs: as secret as they are, depending on what they depend on, and
// unknown unless it is known.
func (in *Inputs) Derived(text string, known bool, names ...string) pulumi.StringOutput {
	v := property.New(text)
	if !known {
		v = property.New(property.Computed)
	}
	for _, name := range names {
		from := in.values.Get(name)
		v = v.WithSecret(v.Secret() || from.HasSecrets()).WithDependencies(append(v.Dependencies(), dependencies(from)...))
	}
	return AsText(v)
}

// As returns an output as the type that it is known to have. Another type is a defect, and panics.
func As[O pulumi.Output](output pulumi.Output) O {
	typed, ok := output.(O)
	if !ok {
		panic(fmt.Errorf("an output is a %T, and not a %T", output, typed))
	}
	return typed
}

// output returns a value as an output. It reads the value if that is known.
func output[T any](v property.Value, read func(property.Value) T) pulumi.Output {
	var out pulumi.Output
	on := resources(v.Dependencies())
	if v.IsComputed() {
		out = pulumi.UnsafeUnknownOutput(on).ApplyT(func(any) (t T) { return t })
	} else {
		known := read(v)
		out = pulumi.Bool(true).ToBoolOutput().ApplyT(func(bool) T { return known })
		if len(on) > 0 {
			out = pulumi.OutputWithDependencies(context.Background(), out, on...)
		}
	}
	if v.Secret() {
		out = pulumi.ToSecret(out)
	}
	return out
}

// dependencies returns what a value and its parts depend on.
func dependencies(v property.Value) []resource.URN {
	all := slices.Clone(v.Dependencies())
	switch {
	case v.IsArray():
		for _, element := range v.AsArray().All {
			all = append(all, dependencies(element)...)
		}
	case v.IsMap():
		for _, value := range v.AsMap().All {
			all = append(all, dependencies(value)...)
		}
	}
	return all
}

// DependingOn returns a value that depends on the resources too, other than those that it or its parts already depend
// on.
func DependingOn(v property.Value, urns []resource.URN) property.Value {
	known, own := make(map[resource.URN]bool), v.Dependencies()
	for _, urn := range dependencies(v) {
		known[urn] = true
	}
	for _, urn := range urns {
		if !known[urn] {
			own = append(own, urn)
		}
	}
	return v.WithDependencies(own)
}

// ForgetDependencies returns what an input and its parts depend on, and has them depend on nothing.
func (in *Inputs) ForgetDependencies(name string) []resource.URN {
	v := in.values.Get(name)
	in.values = in.values.Set(name, withoutDependencies(v))
	return dependencies(v)
}

func withoutDependencies(v property.Value) property.Value {
	switch {
	case v.IsArray():
		elements := make([]property.Value, 0, v.AsArray().Len())
		for _, element := range v.AsArray().All {
			elements = append(elements, withoutDependencies(element))
		}
		return property.New(elements).WithSecret(v.Secret())
	case v.IsMap():
		values := make(map[string]property.Value, v.AsMap().Len())
		for key, value := range v.AsMap().All {
			values[key] = withoutDependencies(value)
		}
		return property.New(values).WithSecret(v.Secret())
	}
	return v.WithDependencies(nil)
}

// A dependency is a resource that an output depends on, of which only the URN is known.
type dependency struct {
	pulumi.CustomResourceState
	urn resource.URN
}

// URN returns the URN.
func (d *dependency) URN() pulumi.URNOutput { return pulumi.URN(d.urn).ToURNOutput() }

func resources(urns []resource.URN) []pulumi.Resource {
	var all []pulumi.Resource
	for _, urn := range urns {
		all = append(all, &dependency{urn: urn})
	}
	return all
}
