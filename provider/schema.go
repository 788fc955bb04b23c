package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// languages returns the options of the SDKs' generators.
func languages() map[string]any {
	return map[string]any{
		"nodejs": map[string]any{
			"packageName":          nodePackage,
			"respectSchemaVersion": true,
		},
		"python": map[string]any{
			"packageName":          pyPackage,
			"respectSchemaVersion": true,
			"pyproject":            map[string]any{"enabled": true},
			"pythonRequires":       ">=3.10", // As the Pulumi SDK that it depends on.
		},
		"csharp": map[string]any{
			"rootNamespace":        dotnetNamespace,
			"namespaces":           map[string]any{Name: dotnetName},
			"respectSchemaVersion": true,
		},
		"go": map[string]any{
			"generateResourceContainerTypes": true,
			"respectSchemaVersion":           true,
		},
	}
}

// optionalOutputs are the outputs that may be absent, by the component's type.
var optionalOutputs = map[string][]string{
	robotAccountToken: accessKeyOutputs,
}

// withSchemaCorrections serves the schema that infer derives from the Go types, corrected where infer
// v1.5.0 says something else than what the provider does.
func withSchemaCorrections(provider p.Provider) p.Provider {
	get := provider.GetSchema
	provider.GetSchema = func(ctx context.Context, req p.GetSchemaRequest) (p.GetSchemaResponse, error) {
		resp, err := get(ctx, req)
		if err != nil {
			return resp, err
		}
		var spec schema.PackageSpec
		if err := json.Unmarshal([]byte(resp.Schema), &spec); err != nil {
			return resp, fmt.Errorf("read the inferred schema: %w", err)
		}
		for token, resource := range spec.Resources {
			for name, property := range resource.InputProperties {
				allowOutputElements(&property.TypeSpec)
				resource.InputProperties[name] = property
			}
			// infer would have an output that may be absent under another name.
			resource.Required = slices.DeleteFunc(resource.Required, func(output string) bool {
				return slices.Contains(optionalOutputs[token], output)
			})
			spec.Resources[token] = resource
		}
		text, err := json.Marshal(spec)
		if err != nil {
			return resp, fmt.Errorf("write the corrected schema: %w", err)
		}
		return p.GetSchemaResponse{Schema: string(text)}, nil
	}
	return provider
}

// allowOutputElements takes back that the elements of lists and maps are plain: infer derives that from the
// element type of pulumi.StringArrayInput and its like, although each of their elements may be an output.
func allowOutputElements(t *schema.TypeSpec) {
	for _, element := range []*schema.TypeSpec{t.Items, t.AdditionalProperties} {
		if element != nil {
			element.Plain = false
			allowOutputElements(element)
		}
	}
}
