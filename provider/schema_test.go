package provider

import (
	"maps"
	"slices"
	"testing"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// TestSchema checks that the schema tells what the plugin does: lists and maps take outputs as elements, all outputs
// are always there, and everything is described.
func TestSchema(t *testing.T) {
	t.Parallel()
	spec, err := Schema(t.Context(), "1.2.3")
	check(t, err)
	if spec.Name != Name || spec.Version != "1.2.3" || len(spec.Resources) == 0 {
		t.Errorf("the schema is of %s %s with %d resources", spec.Name, spec.Version, len(spec.Resources))
	}
	for token, r := range spec.Resources {
		if !r.IsComponent || r.Description == "" {
			t.Errorf("%s is no component, or not described", token)
		}
		for name, input := range r.InputProperties {
			for _, element := range []*schema.TypeSpec{input.Items, input.AdditionalProperties} {
				if element != nil && element.Plain {
					t.Errorf("%s: the elements of %s take no outputs", token, name)
				}
			}
			if input.Plain || input.Description == "" {
				t.Errorf("%s: the input %s is plain, or not described", token, name)
			}
		}
		for name, output := range r.Properties {
			if output.Description == "" {
				t.Errorf("%s: the output %s is not described", token, name)
			}
			// Pulumi's C# generator writes an option for it that components lack: the SDK would not compile. The plugin
			// returns the value as a secret.
			if output.Secret {
				t.Errorf("%s: the schema calls the output %s secret", token, name)
			}
		}
		outputs, required := slices.Sorted(maps.Keys(r.Properties)), slices.Sorted(slices.Values(r.Required))
		// All other inputs have defaults.
		requiredInputs := map[string][]string{accessKeyToken: {"userName"}, deploymentRoleToken: {"trusted"}}[token]
		if !slices.Equal(outputs, required) || !slices.Equal(r.RequiredInputs, requiredInputs) {
			t.Errorf("%s: of the outputs %v, %v are required; of the inputs, %v", token, outputs, required, r.RequiredInputs)
		}
	}
}
