package provider

import (
	"maps"
	"slices"
	"strings"
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
		requiredInputs := map[string][]string{accessKeyToken: {"userName"}, oidcProviderToken: {"issuer"}}[token]
		if !slices.Equal(outputs, required) || !slices.Equal(r.RequiredInputs, requiredInputs) {
			t.Errorf("%s: of the outputs %v, %v are required; of the inputs, %v", token, outputs, required, r.RequiredInputs)
		}
	}
}

// TestTypes checks that each type is described, that no part of one is plain, and that types refer to types that there
// are.
func TestTypes(t *testing.T) {
	t.Parallel()
	spec, err := Schema(t.Context(), "1.2.3")
	check(t, err)
	refers := func(where string, s schema.TypeSpec) {
		for _, part := range []*schema.TypeSpec{&s, s.Items, s.AdditionalProperties} {
			if part == nil {
				continue
			}
			name, isType := strings.CutPrefix(part.Ref, "#/types/")
			if _, exists := spec.Types[name]; part.Plain || (isType && !exists) {
				t.Errorf("%s is plain, or of a type that does not exist: %v", where, part)
			}
		}
	}
	for token, r := range spec.Resources {
		for name, input := range r.InputProperties {
			refers(token+", "+name, input.TypeSpec)
		}
	}
	for token, s := range spec.Types {
		if s.Description == "" || (len(s.Properties) == 0) == (len(s.Enum) == 0) {
			t.Errorf("%s is not described, or neither an object nor an enum: %v", token, s)
		}
		for name, property := range s.Properties {
			if property.Description == "" {
				t.Errorf("%s: %s is not described", token, name)
			}
			refers(token+", "+name, property.TypeSpec)
		}
		for _, value := range s.Enum {
			if value.Name == "" || value.Description == "" {
				t.Errorf("%s: the value %v has no name, or is not described", token, value.Value)
			}
		}
	}
}

// TestTrustedJobTypes checks what the schema makes of the tables of package oidc: of each kind of field one, what is
// required, and the names, which are those of the SDKs' types.
func TestTrustedJobTypes(t *testing.T) {
	t.Parallel()
	spec, err := Schema(t.Context(), "1.2.3")
	check(t, err)
	want := []string{
		"AzureDevopsJob", "BitbucketJob", "BuildkiteJob", "CircleciJob", "GithubJob", "GitlabJob", "HcpTerraformJob",
		"OidcJob", "PulumiDeploymentsJob", "PulumiEscJob", "PulumiOperation", "SpaceliftJob", "SpaceliftRunType",
		"SpaceliftScope", "TerraformRunPhase", "TrustedJob",
	}
	var got []string
	for token := range spec.Types {
		if name := strings.TrimPrefix(token, "cicd:index:"); name != "AccessKeySecret" && name != "PreviousKey" {
			got = append(got, name)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the types are %q", got)
	}
	property := func(name, property string) schema.PropertySpec {
		return spec.Types[Name+":index:"+name].Properties[property]
	}
	jobs := spec.Resources[deploymentRoleToken].InputProperties["trustedJobs"]
	for name, is := range map[string]bool{
		"trustedJobs is a list of jobs":       jobs.Type == "array" && jobs.Items.Ref == "#/types/cicd:index:TrustedJob",
		"github is a job of GitHub":           property("TrustedJob", "github").Ref == "#/types/cicd:index:GithubJob",
		"TrustedJob has a field for each":     len(spec.Types[trustedJobToken].Properties) == 11,
		"no system is required":               len(spec.Types[trustedJobToken].Required) == 0,
		"branch is a string":                  property("GithubJob", "branch").Type == "string",
		"pullRequests is a boolean":           property("GithubJob", "pullRequests").Type == "boolean",
		"subjects is a list":                  property("OidcJob", "subjects").Type == "array" && property("OidcJob", "subjects").Items.Type == "string",
		"runPhase is an enum":                 property("HcpTerraformJob", "runPhase").Ref == "#/types/cicd:index:TerraformRunPhase",
		"repository is required":              slices.Equal(spec.Types["cicd:index:GithubJob"].Required, []string{"repository"}),
		"all that is required is, in order":   slices.Equal(spec.Types["cicd:index:OidcJob"].Required, []string{"audience", "issuer", "subjects"}),
		"an enum is of strings, and its word": spec.Types["cicd:index:SpaceliftScope"].Type == "string" && spec.Types["cicd:index:SpaceliftScope"].Enum[0].Value == "read",
	} {
		if !is {
			t.Errorf("it is not so that %s", name)
		}
	}
}
