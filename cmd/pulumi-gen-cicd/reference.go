package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// reference returns the page on all inputs and outputs, in Markdown.
func reference(spec schema.PackageSpec) []byte {
	var page strings.Builder
	page.WriteString("# Reference\n\nEvery input and output, written by `make sdk` from `schema.json`. All inputs take " +
		"outputs of other resources. Python writes names in snake case, and C# and Go begin them with a capital.\n\n")
	resources := slices.Sorted(maps.Keys(spec.Resources))
	for _, token := range resources {
		name := baseName(token)
		fmt.Fprintf(&page, "- `%s`: [inputs](#inputs-of-%[2]s), [outputs](#outputs-of-%[2]s)\n", name, strings.ToLower(name))
	}
	page.WriteString("- [The objects and words](#objects-and-words) that are parts of inputs\n")
	for _, token := range resources {
		r, name := spec.Resources[token], baseName(token)
		about, _, _ := strings.Cut(r.Description, "\n")
		fmt.Fprintf(&page, "\n## %s\n\n%s\n", name, about)
		fmt.Fprintf(&page, "\n### Inputs of %s\n\n", name)
		writeProperties(&page, r.InputProperties, r.RequiredInputs)
		fmt.Fprintf(&page, "\n### Outputs of %s\n\n", name)
		writeProperties(&page, r.Properties, nil)
	}
	page.WriteString("\n## Objects and words\n")
	for _, token := range slices.Sorted(maps.Keys(spec.Types)) {
		t := spec.Types[token]
		fmt.Fprintf(&page, "\n### %s\n\n", baseName(token))
		if t.Description != "" {
			page.WriteString(t.Description + "\n\n")
		}
		for _, value := range t.Enum {
			fmt.Fprintf(&page, "- **`%v`**: %s\n", value.Value, value.Description)
		}
		writeProperties(&page, t.Properties, t.Required)
	}
	return []byte(page.String())
}

// writeProperties lists properties, those that are required first.
func writeProperties(page *strings.Builder, properties map[string]schema.PropertySpec, required []string) {
	names := slices.Sorted(maps.Keys(properties))
	slices.SortStableFunc(names, func(a, b string) int {
		switch isA, isB := slices.Contains(required, a), slices.Contains(required, b); {
		case isA == isB:
			return 0
		case isA:
			return -1
		default:
			return 1
		}
	})
	for _, name := range names {
		about := typeName(properties[name].TypeSpec)
		if slices.Contains(required, name) {
			about += ", required"
		}
		fmt.Fprintf(page, "- **`%s`** (%s): %s\n", name, about, properties[name].Description)
	}
}

// typeName returns a type in words, with a link to it if it is one of the package.
func typeName(t schema.TypeSpec) string {
	switch {
	case t.Items != nil:
		return "list of " + typeName(*t.Items)
	case t.AdditionalProperties != nil:
		return "map of " + typeName(*t.AdditionalProperties)
	case t.Ref == "pulumi.json#/Any":
		return "anything"
	case t.Ref != "":
		name := baseName(t.Ref)
		return fmt.Sprintf("[%s](#%s)", name, strings.ToLower(name))
	}
	return t.Type
}

// baseName returns the last part of a token, or of a reference to one.
func baseName(token string) string { return token[strings.LastIndex(token, ":")+1:] }
