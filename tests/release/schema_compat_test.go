package release

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestSchemaCompat says that programs and stacks that were written against the last release still work, or that
// testdata/schema-breaks.txt lists what breaks them.
//
// testdata/schema-released.json is the schema.json of the last release. Nothing is released yet: it is the schema as
// it was when this test was made, and stands for 0.1.0.
func TestSchemaCompat(t *testing.T) {
	t.Parallel()
	meant := map[string]bool{}
	for line := range strings.Lines(harness.Read(t, "testdata", "schema-breaks.txt")) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			meant[line] = true
		}
	}
	released, err := parseSchema(harness.Read(t, "testdata", "schema-released.json"))
	harness.Check(t, err)
	now, err := parseSchema(harness.Read(t, harness.Repo(t), "schema.json"))
	harness.Check(t, err)
	if len(released.Resources) == 0 {
		t.Errorf("the released schema has no resources")
	}
	for _, problem := range breaks(released, now) {
		if !meant[problem] {
			t.Errorf("a program of the last release breaks: %s", problem)
		}
		delete(meant, problem)
	}
	for line := range meant {
		t.Errorf("testdata/schema-breaks.txt lists what is no breaking change: %s", line)
	}
}

func parseSchema(text string) (*schema.PackageSpec, error) {
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(text), &spec); err != nil {
		return nil, fmt.Errorf("read the schema: %w", err)
	}
	return &spec, nil
}

// comparison collects how a schema breaks programs that were written against an older one.
type comparison struct {
	problems []string
	// inputTypes and outputTypes are the references to the types that programs give, and that they get.
	inputTypes, outputTypes map[string]bool
}

// breaks tells, sorted, how a package breaks programs and stacks that were written against an older version of it.
// What it only adds, or says in other words, breaks none.
func breaks(before, now *schema.PackageSpec) []string {
	c := &comparison{inputTypes: map[string]bool{}, outputTypes: map[string]bool{}}
	c.values("package name", before.Name, now.Name)
	c.values("package namespace", before.Namespace, now.Namespace)
	c.values("publisher", before.Publisher, now.Publisher)
	c.values("module format", moduleFormat(before), moduleFormat(now))
	c.languages("package", before.Language, now.Language)

	c.properties("config", "variable", before.Config.Variables, now.Config.Variables)
	c.becameRequired("config", "variable", before.Config.Required, now.Config.Required)
	if before.Provider != nil {
		provider := now.Provider
		if provider == nil {
			provider = &schema.ResourceSpec{}
		}
		c.resource("provider", before.Provider, provider)
	}
	for token, was := range before.Resources {
		if is, ok := now.Resources[token]; ok {
			c.resource("resource "+token, &was, &is)
		} else {
			c.add("resource %s: removed", token)
		}
		c.reach(c.inputTypes, before, was.InputProperties)
		c.reach(c.outputTypes, before, was.Properties)
	}
	for token, was := range before.Functions {
		if is, ok := now.Functions[token]; ok {
			c.function("function "+token, &was, &is)
		} else {
			c.add("function %s: removed", token)
		}
		c.reach(c.inputTypes, before, object(was.Inputs).Properties)
		c.reach(c.outputTypes, before, result(&was).Properties)
	}
	for token, was := range before.Types {
		if is, ok := now.Types[token]; ok {
			c.complexType(token, &was, &is)
		} else {
			c.add("type %s: removed", token)
		}
	}
	slices.Sort(c.problems)
	return slices.Compact(c.problems)
}

func (c *comparison) add(format string, args ...any) {
	c.problems = append(c.problems, fmt.Sprintf(format, args...))
}

// values says that a value is the same as before.
func (c *comparison) values(where string, was, is any) {
	if !reflect.DeepEqual(was, is) {
		c.add("%s: changed from %s to %s", where, compact(was), compact(is))
	}
}

// languages says that what the generators of the SDKs were told is still told. Names of packages are among it.
func (c *comparison) languages(where string, was, is map[string]schema.RawMessage) {
	for language, settings := range was {
		var before, now any
		if json.Unmarshal(settings, &before) != nil {
			c.add("%s, language %s: unreadable", where, language)
		}
		if settings, ok := is[language]; ok && json.Unmarshal(settings, &now) != nil {
			c.add("%s, language %s: unreadable", where, language)
		}
		c.settings(where+", language "+language, before, now)
	}
}

func (c *comparison) settings(where string, was, is any) {
	before, ok := was.(map[string]any)
	if !ok {
		c.values(where, was, is)
		return
	}
	now, _ := is.(map[string]any)
	for key, value := range before {
		c.settings(where+", "+key, value, now[key])
	}
}

func (c *comparison) resource(where string, was, is *schema.ResourceSpec) {
	c.values(where+", component", was.IsComponent, is.IsComponent)
	c.properties(where, "input", was.InputProperties, is.InputProperties)
	c.becameRequired(where, "input", was.RequiredInputs, is.RequiredInputs)
	c.plain(where, "input", was.InputProperties, was.PlainInputs, is.PlainInputs)
	c.properties(where, "output", was.Properties, is.Properties)
	c.noLongerRequired(where, "output", was.Required, is.Required)
	c.languages(where, was.Language, is.Language)
	for method, function := range was.Methods {
		c.values(where+", method "+method, function, is.Methods[method])
	}
}

func (c *comparison) function(where string, was, is *schema.FunctionSpec) {
	before, now := object(was.Inputs), object(is.Inputs)
	c.properties(where, "input", before.Properties, now.Properties)
	c.becameRequired(where, "input", before.Required, now.Required)
	c.plain(where, "input", before.Properties, before.Plain, now.Plain)
	c.values(where+", arguments by position", was.MultiArgumentInputs, is.MultiArgumentInputs)
	before, now = result(was), result(is)
	c.properties(where, "output", before.Properties, now.Properties)
	c.noLongerRequired(where, "output", before.Required, now.Required)
	c.languages(where, was.Language, is.Language)
}

func (c *comparison) complexType(token string, was, is *schema.ComplexTypeSpec) {
	where, reference := "type "+token, "#/types/"+token
	c.values(where+", kind", was.Type, is.Type)
	c.properties(where, "property", was.Properties, is.Properties)
	c.plain(where, "property", was.Properties, was.Plain, is.Plain)
	if c.inputTypes[reference] || !c.outputTypes[reference] {
		c.becameRequired(where, "property", was.Required, is.Required)
	}
	if c.outputTypes[reference] || !c.inputTypes[reference] {
		c.noLongerRequired(where, "property", was.Required, is.Required)
	}
	c.languages(where, was.Language, is.Language)
	for _, value := range was.Enum {
		i := slices.IndexFunc(is.Enum, func(v schema.EnumValueSpec) bool { return reflect.DeepEqual(v.Value, value.Value) })
		if i < 0 {
			c.add("%s, value %s: removed", where, compact(value.Value))
		} else {
			c.values(where+", value "+compact(value.Value)+", name", value.Name, is.Enum[i].Name)
		}
	}
}

// properties says that properties are still there, and of the same types.
func (c *comparison) properties(where, kind string, was, is map[string]schema.PropertySpec) {
	for name, before := range was {
		here := where + ", " + kind + " " + name
		now, ok := is[name]
		if !ok {
			c.add("%s: removed", here)
			continue
		}
		if b, n := typeText(&before.TypeSpec, false), typeText(&now.TypeSpec, false); b != n {
			c.add("%s: type changed from %s to %s", here, b, n)
		} else if b, n := typeText(&before.TypeSpec, true), typeText(&now.TypeSpec, true); b != n {
			c.add("%s: plain-ness changed from %s to %s", here, b, n)
		}
		c.values(here+", constant", before.Const, now.Const)
		c.languages(here, before.Language, now.Language)
	}
}

func (c *comparison) becameRequired(where, kind string, was, is []string) {
	for _, name := range is {
		if !slices.Contains(was, name) {
			c.add("%s, %s %s: became required", where, kind, name)
		}
	}
}

func (c *comparison) noLongerRequired(where, kind string, was, is []string) {
	for _, name := range was {
		if !slices.Contains(is, name) {
			c.add("%s, %s %s: no longer required", where, kind, name)
		}
	}
}

// plain says that the properties there were are still in the list of the plain ones, or still not.
func (c *comparison) plain(where, kind string, properties map[string]schema.PropertySpec, was, is []string) {
	for name := range properties {
		if before, now := slices.Contains(was, name), slices.Contains(is, name); before != now {
			c.add("%s, %s %s: plain-ness changed from %t to %t", where, kind, name, before, now)
		}
	}
}

// reach adds the types that properties refer to, and those that these refer to.
func (c *comparison) reach(types map[string]bool, spec *schema.PackageSpec, properties map[string]schema.PropertySpec) {
	for _, property := range properties {
		c.reachType(types, spec, &property.TypeSpec)
	}
}

func (c *comparison) reachType(types map[string]bool, spec *schema.PackageSpec, typ *schema.TypeSpec) {
	if typ == nil {
		return
	}
	c.reachType(types, spec, typ.Items)
	c.reachType(types, spec, typ.AdditionalProperties)
	for i := range typ.OneOf {
		c.reachType(types, spec, &typ.OneOf[i])
	}
	if token, ok := strings.CutPrefix(typ.Ref, "#/types/"); ok && !types[typ.Ref] {
		types[typ.Ref] = true
		c.reach(types, spec, spec.Types[token].Properties)
	}
}

// typeText writes a type, with or without what takes no outputs.
func typeText(typ *schema.TypeSpec, plain bool) string {
	var text string
	switch {
	case len(typ.OneOf) > 0:
		var types []string
		for i := range typ.OneOf {
			types = append(types, typeText(&typ.OneOf[i], plain))
		}
		slices.Sort(types)
		text = "one of " + strings.Join(types, " or ")
		if d := typ.Discriminator; d != nil {
			text += fmt.Sprintf(" by %s %v", d.PropertyName, d.Mapping)
		}
	case typ.Ref != "":
		text = typ.Ref
	case typ.Items != nil:
		text = "array of " + typeText(typ.Items, plain)
	case typ.AdditionalProperties != nil:
		text = "map of " + typeText(typ.AdditionalProperties, plain)
	default:
		text = typ.Type
	}
	if plain && typ.Plain {
		text = "plain " + text
	}
	return text
}

// object returns what may be missing.
func object(spec *schema.ObjectTypeSpec) *schema.ObjectTypeSpec {
	if spec == nil {
		return &schema.ObjectTypeSpec{}
	}
	return spec
}

// result returns the outputs of a function. One that returns a bare value has an output without a name.
func result(f *schema.FunctionSpec) *schema.ObjectTypeSpec {
	switch {
	case f.ReturnType != nil && f.ReturnType.ObjectTypeSpec != nil:
		return f.ReturnType.ObjectTypeSpec
	case f.ReturnType != nil && f.ReturnType.TypeSpec != nil:
		return &schema.ObjectTypeSpec{Properties: map[string]schema.PropertySpec{"": {TypeSpec: *f.ReturnType.TypeSpec}}}
	default:
		return object(f.Outputs)
	}
}

func moduleFormat(spec *schema.PackageSpec) string {
	if spec.Meta == nil {
		return ""
	}
	return spec.Meta.ModuleFormat
}

func compact(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

// compatSchema is a package with something of everything that breaks can tell of.
const compatSchema = `{
	"name": "p", "namespace": "ns", "publisher": "us", "meta": {"moduleFormat": "(.*)"},
	"language": {
		"nodejs": {"packageName": "@us/p"}, "csharp": {"rootNamespace": "Us", "namespaces": {"p": "P"}}
	},
	"config": {"variables": {"region": {"type": "string"}}},
	"provider": {"inputProperties": {"token": {"type": "string"}}},
	"types": {
		"p:index:In": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]},
		"p:index:Out": {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "required": ["a"]},
		"p:index:Deep": {"type": "object", "properties": {"a": {"type": "string"}}},
		"p:index:Level": {"type": "string", "enum": [{"name": "Low", "value": "low"}, {"name": "High", "value": "high"}]}
	},
	"resources": {"p:index:R": {
		"isComponent": true,
		"inputProperties": {
			"names": {"type": "array", "items": {"type": "string"}},
			"size": {"type": "integer", "plain": true},
			"either": {"oneOf": [{"type": "string"}, {"type": "integer"}]},
			"in": {"type": "array", "items": {"$ref": "#/types/p:index:In"}},
			"level": {"$ref": "#/types/p:index:Level"},
			"kind": {"type": "string", "const": "k"}
		},
		"requiredInputs": ["names"],
		"properties": {
			"arn": {"type": "string"},
			"out": {"$ref": "#/types/p:index:Out"}
		},
		"required": ["arn"],
		"methods": {"find": "p:index:R/find"}
	}},
	"functions": {
		"p:index:get": {
			"inputs": {"type": "object", "properties": {"id": {"type": "string"}, "at": {"type": "string"}}, "required": ["id"]},
			"outputs": {"type": "object", "properties": {"arn": {"type": "string"}}, "required": ["arn"]}
		},
		"p:index:R/find": {"outputs": {"type": "string"}}
	}
}`

// TestSchemaCompatBreaks changes a schema in each way that breaks a program, and in those that break none.
func TestSchemaCompatBreaks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		// Each two are a text of the schema and the one that takes its place.
		change []string
		want   []string
	}{
		"nothing": {},
		"another package name": {
			[]string{`"name": "p",`, `"name": "q",`}, []string{`package name: changed from "p" to "q"`},
		},
		"another namespace":     {[]string{`"ns"`, `"other"`}, []string{`package namespace: changed from "ns" to "other"`}},
		"another publisher":     {[]string{`"publisher": "us"`, `"publisher": "me"`}, []string{`publisher: changed from "us" to "me"`}},
		"another module format": {[]string{`(.*)`, `(.*)/`}, []string{`module format: changed from "(.*)" to "(.*)/"`}},
		"another npm package": {
			[]string{`@us/p`, `@us/q`}, []string{`package, language nodejs, packageName: changed from "@us/p" to "@us/q"`},
		},
		"no npm package": {
			[]string{`"nodejs": {"packageName": "@us/p"}, `, ``},
			[]string{`package, language nodejs, packageName: changed from "@us/p" to null`},
		},
		"another C# namespace": {
			[]string{`{"p": "P"}`, `{"p": "Q"}`}, []string{`package, language csharp, namespaces, p: changed from "P" to "Q"`},
		},
		"a further setting": {[]string{`{"p": "P"}`, `{"p": "P", "q": "Q"}`}, nil},

		"a config variable gone": {
			[]string{`"region": {"type": "string"}`, ``}, []string{`config, variable region: removed`},
		},
		"a config variable required": {
			[]string{`"config": {`, `"config": {"defaults": ["region"], `}, []string{`config, variable region: became required`},
		},
		"a setting of the provider gone": {
			[]string{`"token": {"type": "string"}`, ``}, []string{`provider, input token: removed`},
		},
		"the provider's settings gone": {
			[]string{`"provider": {"inputProperties": {"token": {"type": "string"}}},`, ``},
			[]string{`provider, input token: removed`},
		},

		"another resource token": {[]string{`"p:index:R":`, `"p:index:S":`}, []string{`resource p:index:R: removed`}},
		"another resource token by case": {
			[]string{`"p:index:R":`, `"p:index:r":`}, []string{`resource p:index:R: removed`},
		},
		"no component": {
			[]string{`"isComponent": true,`, ``}, []string{`resource p:index:R, component: changed from true to false`},
		},
		"an input gone": {
			[]string{`"kind": {"type": "string", "const": "k"}`, `"kinds": {"type": "string"}`},
			[]string{`resource p:index:R, input kind: removed`},
		},
		"a further input": {[]string{`"level": {`, `"more": {"type": "string"}, "level": {`}, nil},
		"a further required input": {
			[]string{`"level": {`, `"more": {"type": "string"}, "level": {`, `["names"]`, `["names", "more"]`},
			[]string{`resource p:index:R, input more: became required`},
		},
		"an input required": {
			[]string{`"requiredInputs": ["names"]`, `"requiredInputs": ["level", "names"]`},
			[]string{`resource p:index:R, input level: became required`},
		},
		"an input no longer required": {[]string{`"requiredInputs": ["names"],`, ``}, nil},
		"an input of another type": {
			[]string{`"size": {"type": "integer"`, `"size": {"type": "number"`},
			[]string{`resource p:index:R, input size: type changed from integer to number`},
		},
		"elements of another type": {
			[]string{`{"type": "array", "items": {"type": "string"}}`, `{"type": "array", "items": {"type": "integer"}}`},
			[]string{`resource p:index:R, input names: type changed from array of string to array of integer`},
		},
		"an array that is a map": {
			[]string{`{"type": "array", "items": {"type": "string"}}`, `{"type": "object", "additionalProperties": {"type": "string"}}`},
			[]string{`resource p:index:R, input names: type changed from array of string to map of string`},
		},
		"a union of fewer types": {
			[]string{`{"oneOf": [{"type": "string"}, {"type": "integer"}]}`, `{"type": "string"}`},
			[]string{`resource p:index:R, input either: type changed from one of integer or string to string`},
		},
		"a union in another order": {
			[]string{`[{"type": "string"}, {"type": "integer"}]`, `[{"type": "integer"}, {"type": "string"}]`}, nil,
		},
		"elements that are plain": {
			[]string{`{"type": "array", "items": {"type": "string"}}`, `{"type": "array", "items": {"type": "string", "plain": true}}`},
			[]string{`resource p:index:R, input names: plain-ness changed from array of string to array of plain string`},
		},
		"an input that is no longer plain": {
			[]string{`"integer", "plain": true`, `"integer"`},
			[]string{`resource p:index:R, input size: plain-ness changed from plain integer to integer`},
		},
		"an input in the list of plain ones": {
			[]string{`"requiredInputs"`, `"plainInputs": ["level"], "requiredInputs"`},
			[]string{`resource p:index:R, input level: plain-ness changed from false to true`},
		},
		"another constant": {
			[]string{`"const": "k"`, `"const": "l"`}, []string{`resource p:index:R, input kind, constant: changed from "k" to "l"`},
		},
		"an output gone": {
			[]string{`"arn": {"type": "string"},`, ``, `"required": ["arn"],`, ``},
			[]string{
				`resource p:index:R, output arn: no longer required`, `resource p:index:R, output arn: removed`,
			},
		},
		"an output no longer required": {
			[]string{`"required": ["arn"],`, ``}, []string{`resource p:index:R, output arn: no longer required`},
		},
		"an output required": {[]string{`"required": ["arn"],`, `"required": ["arn", "out"],`}, nil},
		"an output of another type": {
			[]string{`"arn": {"type": "string"},`, `"arn": {"type": "boolean"},`},
			[]string{`resource p:index:R, output arn: type changed from string to boolean`},
		},
		"a method gone": {
			[]string{`{"find": "p:index:R/find"}`, `{}`},
			[]string{`resource p:index:R, method find: changed from "p:index:R/find" to ""`},
		},
		"another description": {[]string{`"isComponent": true`, `"isComponent": true, "description": "Other words."`}, nil},

		"a function gone": {[]string{`"p:index:get"`, `"p:index:getAll"`}, []string{`function p:index:get: removed`}},
		"an argument gone": {
			[]string{`, "at": {"type": "string"}`, ``}, []string{`function p:index:get, input at: removed`},
		},
		"an argument required": {
			[]string{`"required": ["id"]`, `"required": ["id", "at"]`}, []string{`function p:index:get, input at: became required`},
		},
		"a result gone": {
			[]string{`{"arn": {"type": "string"}}, "required"`, `{}, "required"`},
			[]string{`function p:index:get, output arn: removed`},
		},
		"a result no longer required": {
			[]string{`{"arn": {"type": "string"}}, "required": ["arn"]`, `{"arn": {"type": "string"}}`},
			[]string{`function p:index:get, output arn: no longer required`},
		},
		"a bare result of another type": {
			[]string{`"outputs": {"type": "string"}`, `"outputs": {"type": "integer"}`},
			[]string{`function p:index:R/find, output : type changed from string to integer`},
		},

		"a type gone":         {[]string{`"p:index:Deep":`, `"p:index:Deeper":`}, []string{`type p:index:Deep: removed`}},
		"a type used instead": {[]string{`{"$ref": "#/types/p:index:Out"}`, `{"$ref": "#/types/p:index:In"}`}, []string{`resource p:index:R, output out: type changed from #/types/p:index:Out to #/types/p:index:In`}},
		"a property gone": {
			[]string{`"p:index:Deep": {"type": "object", "properties": {"a"`, `"p:index:Deep": {"type": "object", "properties": {"c"`},
			[]string{`type p:index:Deep, property a: removed`},
		},
		"a property that programs give required": {
			[]string{`"required": ["a"]},
		"p:index:Out"`, `"required": ["a", "b"]},
		"p:index:Out"`},
			[]string{`type p:index:In, property b: became required`},
		},
		"a property that programs give no longer required": {
			[]string{`"required": ["a"]},
		"p:index:Out"`, `"required": []},
		"p:index:Out"`}, nil,
		},
		"a property that programs get required": {
			[]string{`"required": ["a"]},
		"p:index:Deep"`, `"required": ["a", "b"]},
		"p:index:Deep"`}, nil,
		},
		"a property that programs get no longer required": {
			[]string{`"required": ["a"]},
		"p:index:Deep"`, `"required": []},
		"p:index:Deep"`},
			[]string{`type p:index:Out, property a: no longer required`},
		},
		"a property in the list of plain ones": {
			[]string{`"p:index:Deep": {`, `"p:index:Deep": {"plain": ["a"], `},
			[]string{`type p:index:Deep, property a: plain-ness changed from false to true`},
		},
		"a value gone": {
			[]string{`{"name": "Low", "value": "low"}, `, ``}, []string{`type p:index:Level, value "low": removed`},
		},
		"a value of another name": {
			[]string{`"Low"`, `"Lowest"`}, []string{`type p:index:Level, value "low", name: changed from "Low" to "Lowest"`},
		},
		"a further value": {[]string{`{"name": "Low"`, `{"name": "No", "value": "no"}, {"name": "Low"`}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text := compatSchema
			for pair := range slices.Chunk(c.change, 2) {
				if strings.Count(text, pair[0]) != 1 {
					t.Fatalf("the schema says %d times %s", strings.Count(text, pair[0]), pair[0])
				}
				text = strings.Replace(text, pair[0], pair[1], 1)
			}
			before, err := parseSchema(compatSchema)
			harness.Check(t, err)
			now, err := parseSchema(text)
			harness.Check(t, err)
			if got := breaks(before, now); !slices.Equal(got, c.want) {
				t.Errorf("breaks:\n%s\nand not\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

// TestSchemaCompatResource breaks the real schema, so that the comparison is known to read what is in it.
func TestSchemaCompatResource(t *testing.T) {
	t.Parallel()
	released, err := parseSchema(harness.Read(t, "testdata", "schema-released.json"))
	harness.Check(t, err)
	for token, resource := range released.Resources {
		for kind, properties := range map[string]map[string]schema.PropertySpec{
			"input": resource.InputProperties, "output": resource.Properties,
		} {
			for name := range properties {
				now, err := parseSchema(harness.Read(t, "testdata", "schema-released.json"))
				harness.Check(t, err)
				changed := now.Resources[token]
				if kind == "input" {
					delete(changed.InputProperties, name)
				} else {
					delete(changed.Properties, name)
				}
				want := []string{fmt.Sprintf("resource %s, %s %s: removed", token, kind, name)}
				if got := breaks(released, now); !slices.Equal(got, want) {
					t.Errorf("breaks: %q and not %q", got, want)
				}
			}
		}
	}
	now, err := parseSchema(harness.Read(t, "testdata", "schema-released.json"))
	harness.Check(t, err)
	for token := range maps.Clone(now.Resources) {
		delete(now.Resources, token)
	}
	if got := breaks(released, now); len(got) != len(released.Resources) {
		t.Errorf("without resources, breaks: %q", got)
	}
}
