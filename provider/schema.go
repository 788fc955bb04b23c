package provider

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
)

// Schema returns the package's schema.
func Schema(ctx context.Context, version string) (schema.PackageSpec, error) {
	provider, err := New(time.Now)
	if err != nil {
		return schema.PackageSpec{}, err
	}
	return p.GetSchema(ctx, Name, version, provider)
}

// corrected returns what serves the schema, with what pulumi-go-provider infers corrected where infer v1.5.0 says
// something else than what the plugin does.
func corrected(
	inferred func(context.Context, p.GetSchemaRequest) (p.GetSchemaResponse, error),
) func(context.Context, p.GetSchemaRequest) (p.GetSchemaResponse, error) {
	return func(ctx context.Context, req p.GetSchemaRequest) (p.GetSchemaResponse, error) {
		resp, err := inferred(ctx, req)
		if err != nil {
			return resp, err
		}
		var spec schema.PackageSpec
		if err := json.Unmarshal([]byte(resp.Schema), &spec); err != nil {
			return resp, fmt.Errorf("read the schema: %w", err)
		}
		for token, resource := range spec.Resources {
			for name, property := range resource.InputProperties {
				allowOutputElements(&property.TypeSpec)
				if t, known := inputTypes[token][name]; known {
					property.TypeSpec = t
				}
				resource.InputProperties[name] = property
			}
			spec.Resources[token] = resource
		}
		// The provider's inputs say what the settings are. Here, they would give the SDKs a module to read them, which no
		// program needs, and the one for C# a class of the same name as Pulumi's Config.
		spec.Config = schema.ConfigSpec{}
		if spec.Types == nil {
			spec.Types = map[string]schema.ComplexTypeSpec{}
		}
		maps.Copy(spec.Types, enumTypes)
		maps.Copy(spec.Types, trustedJobTypes())
		text, err := json.Marshal(spec)
		return p.GetSchemaResponse{Schema: string(text)}, err
	}
}

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

// inputTypes are the types of inputs of which infer makes others, by component and input: it takes an enum for a plain
// string, and has no types that are not in Go.
var inputTypes = map[string]map[string]schema.TypeSpec{
	accessKeyToken:      {"previous": ref(previousKeyToken)},
	deploymentRoleToken: {trustedJobsInput: {Type: "array", Items: &schema.TypeSpec{Ref: "#/types/" + trustedJobToken}}},
}

// previousKeyToken is the type of the input previous.
const previousKeyToken = Name + ":index:PreviousKey"

// enumTypes are the enums among those types.
var enumTypes = map[string]schema.ComplexTypeSpec{
	previousKeyToken: {
		ObjectTypeSpec: schema.ObjectTypeSpec{Type: "string", Description: "What the access key before the current one is."},
		Enum: []schema.EnumValueSpec{
			{Name: "Active", Value: string(rotation.Active), Description: "It keeps working."},
			{
				Name: "Inactive", Value: string(rotation.Inactive),
				Description: "It is switched off, and can be switched on again.",
			},
			{Name: "Deleted", Value: string(rotation.Deleted), Description: "It is gone for good."},
		},
	},
}

// allowOutputElements takes back that the elements of lists and maps are plain: infer derives that from the element
// type of pulumi.StringArrayInput and its like, although each of their elements may be an output.
func allowOutputElements(t *schema.TypeSpec) {
	for _, element := range []*schema.TypeSpec{t.Items, t.AdditionalProperties} {
		if element != nil {
			element.Plain = false
			allowOutputElements(element)
		}
	}
}
