//go:build schema

package provider

import (
	"context"
	"fmt"
	"maps"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi-go-provider/infer"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rotation"
)

// The schema is inferred when it is generated, and not when the plugin starts: what infers it would be 2 MB of the
// plugin, and 10 ms of each of its starts. Hence the build tag of this file and of those that describe the components.

// Schema returns the package's schema: what pulumi-go-provider infers from the Go types, corrected where infer v1.5.0
// says something else than what the plugin does.
func Schema(ctx context.Context, version string) (schema.PackageSpec, error) {
	provider, err := infer.NewProviderBuilder().
		WithLanguageMap(languages()). // First: it replaces what the others add.
		WithDisplayName(displayName).
		WithDescription("AWS credentials for CI/CD systems: robot accounts that may assume roles, and nothing else.").
		WithKeywords("pulumi", "aws", "iam", "ci", "cd", "credentials", "category/infrastructure", "kind/component").
		WithHomepage(repository).
		WithRepository(repository).
		WithPublisher(publisher).
		WithLogoURL(logoURL).
		WithLicense(license).
		WithPluginDownloadURL(downloadURL).
		WithGoImportPath(goImportPath). // After the repository, whose scheme would end up in the path.
		WithComponents(infer.ComponentF(newRobotAccount), infer.ComponentF(newAccessKey), infer.ComponentF(newDeploymentRole)).
		Build()
	if err != nil {
		return schema.PackageSpec{}, fmt.Errorf("build the provider: %w", err)
	}
	spec, err := p.GetSchema(ctx, Name, version, provider)
	if err != nil {
		return schema.PackageSpec{}, fmt.Errorf("infer the schema: %w", err)
	}
	for token, resource := range spec.Resources {
		for name, property := range resource.InputProperties {
			allowOutputElements(&property.TypeSpec)
			resource.InputProperties[name] = property
		}
		for name, enum := range enums[token] {
			property := resource.InputProperties[name]
			property.TypeSpec = schema.TypeSpec{Ref: "#/types/" + enum}
			resource.InputProperties[name] = property
		}
		spec.Resources[token] = resource
	}
	maps.Copy(spec.Types, enumTypes)
	return spec, nil
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

// enums are the inputs that take one of a few words, by component and input. infer v1.5.0 makes plain strings of them.
var enums = map[string]map[string]string{
	accessKeyToken: {"previous": previousKeyToken},
}

// previousKeyToken is the type of the input previous.
const previousKeyToken = Name + ":index:PreviousKey"

// enumTypes are the types of those inputs.
var enumTypes = map[string]schema.ComplexTypeSpec{
	previousKeyToken: {
		ObjectTypeSpec: schema.ObjectTypeSpec{Type: "string", Description: "What the access key before the current one is."},
		Enum: []schema.EnumValueSpec{
			{Name: "Active", Value: string(rotation.Active), Description: "It keeps working."},
			{Name: "Inactive", Value: string(rotation.Inactive), Description: "It is switched off, and can be switched on again."},
			{Name: "Deleted", Value: string(rotation.Deleted), Description: "It is gone for good."},
		},
	},
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
