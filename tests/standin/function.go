package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// functionType is one function that is served.
type functionType struct {
	token, doc string
	args       map[string]argument
	// unserved are arguments of the official function that this stand-in does not have.
	unserved []string
	outputs  map[string]result
	call     func(ctx context.Context, c *awsClients, args values) (values, error)
}

// argument is one argument of a function, a string.
type argument struct {
	doc      string
	required bool
}

// result is one output of a function: a value of a kind, which is a string unless it is given, or a list of objects of
// strings.
type result struct {
	doc    string
	kind   kind
	object string            // the token of the objects' type, where it is a list of objects
	fields map[string]string // their properties, with what they mean
}

// unusedID is the argument of the functions that read what there is only one of.
var unusedID = map[string]argument{"id": {doc: "Unused: there is only one."}}

// errNotFound is what Terraform says of something that is not there.
var errNotFound = errors.New("couldn't find resource")

// check is what a function is called with, and what is wrong with it.
func (f functionType) check(given property.Map) (values, []p.CheckFailure) {
	var failures []p.CheckFailure
	fail := func(name, format string, a ...any) {
		failures = append(failures, p.CheckFailure{Property: name, Reason: fmt.Sprintf(format, a...)})
	}
	args := values{}
	for name, v := range given.AllStable {
		_, ok := f.args[name]
		switch {
		case slices.Contains(f.unserved, name):
			fail(name, "%q is not implemented by this stand-in for the aws plugin", name)
			continue
		case !ok:
			fail(name, "invalid or unknown key: %s has no argument %q", f.token, name)
			continue
		}
		v, err := kindString.coerce(plain(v))
		switch {
		case v.IsNull():
		case err != nil:
			fail(name, "%v", err)
		case v.IsComputed():
			fail(name, "the argument is not known yet")
		default:
			args[name] = v
		}
	}
	for _, name := range sortedKeys(f.args) {
		if given.Get(name).IsNull() && f.args[name].required {
			fail(name, "missing required property %q", name)
		}
	}
	return args, failures
}

// spec is the function's part of the schema; it adds the types of the objects that it answers to types.
func (f functionType) spec(types map[string]schema.ComplexTypeSpec) schema.FunctionSpec {
	inputs := &schema.ObjectTypeSpec{Type: "object", Properties: map[string]schema.PropertySpec{}}
	for _, name := range sortedKeys(f.args) {
		inputs.Properties[name] = schema.PropertySpec{TypeSpec: kindString.spec(), Description: f.args[name].doc}
		if f.args[name].required {
			inputs.Required = append(inputs.Required, name)
		}
	}
	outputs := map[string]schema.PropertySpec{}
	for name, r := range f.outputs {
		property := schema.PropertySpec{TypeSpec: r.kind.spec(), Description: r.doc}
		if r.object != "" {
			property.TypeSpec = schema.TypeSpec{Type: "array", Items: &schema.TypeSpec{Ref: "#/types/" + r.object}}
			types[r.object] = r.objectSpec()
		}
		outputs[name] = property
	}
	return schema.FunctionSpec{
		Description: f.doc,
		Inputs:      inputs,
		Outputs:     &schema.ObjectTypeSpec{Type: "object", Properties: outputs, Required: sortedKeys(outputs)},
	}
}

func (r result) objectSpec() schema.ComplexTypeSpec {
	properties := map[string]schema.PropertySpec{}
	for name, doc := range r.fields {
		properties[name] = schema.PropertySpec{TypeSpec: kindString.spec(), Description: doc}
	}
	return schema.ComplexTypeSpec{ObjectTypeSpec: schema.ObjectTypeSpec{
		Type: "object", Properties: properties, Required: sortedKeys(properties),
	}}
}
