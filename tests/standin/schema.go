package main

import (
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
)

// schemaJSON is the package's schema, for program hosts that look types up.
func schemaJSON() (string, error) {
	encoded, err := json.Marshal(packageSchema())
	if err != nil {
		return "", fmt.Errorf("encoding the schema: %w", err)
	}
	return string(encoded), nil
}

const (
	endpointToken    = "aws:config/endpoints:endpoints"
	defaultTagsToken = "aws:config/defaultTags:defaultTags"
)

func packageSchema() schema.PackageSpec {
	spec := schema.PackageSpec{
		Name:        packageName,
		Version:     version,
		Description: "A stand-in for the official AWS package, for tests.",
		Meta:        &schema.MetadataSpec{ModuleFormat: `(.*)(?:/[^/]*)`},
		Resources:   map[string]schema.ResourceSpec{},
		Functions:   map[string]schema.FunctionSpec{},
		Types: map[string]schema.ComplexTypeSpec{
			endpointToken: {ObjectTypeSpec: schema.ObjectTypeSpec{
				Type:       "object",
				Properties: map[string]schema.PropertySpec{},
			}},
			defaultTagsToken: {ObjectTypeSpec: schema.ObjectTypeSpec{
				Type: "object",
				Properties: map[string]schema.PropertySpec{
					"tags": {TypeSpec: kindStringMap.spec(), Description: "Tags for every resource."},
				},
			}},
		},
	}
	for _, service := range endpointServices {
		spec.Types[endpointToken].Properties[service] = schema.PropertySpec{
			TypeSpec: kindString.spec(), Description: "Use this to override the default service endpoint URL.",
		}
	}
	config := map[string]schema.PropertySpec{}
	for key, k := range configKeys {
		config[key] = schema.PropertySpec{TypeSpec: k.kind.spec(), Description: "The official configuration key " + key + "."}
	}
	for _, key := range configSecrets {
		s := config[key]
		s.Secret = true
		config[key] = s
	}
	endpoints := config["endpoints"]
	endpoints.TypeSpec = schema.TypeSpec{Type: "array", Items: &schema.TypeSpec{Ref: "#/types/" + endpointToken}}
	config["endpoints"] = endpoints
	tags := config["defaultTags"]
	tags.TypeSpec = schema.TypeSpec{Ref: "#/types/" + defaultTagsToken}
	config["defaultTags"] = tags
	spec.Config = schema.ConfigSpec{Variables: config}
	spec.Provider = &schema.ResourceSpec{
		ObjectTypeSpec:  schema.ObjectTypeSpec{Type: "object", Description: "The AWS provider."},
		InputProperties: config,
	}
	for _, r := range resourceTypes {
		spec.Resources[r.token] = r.spec()
	}
	for _, f := range functionTypes {
		spec.Functions[f.token] = f.spec(spec.Types)
	}
	return spec
}

// spec is the kind in the schema's words.
func (k kind) spec() schema.TypeSpec {
	switch k {
	case kindBool:
		return schema.TypeSpec{Type: "boolean"}
	case kindInt:
		return schema.TypeSpec{Type: "integer"}
	case kindStrings, kindList:
		return schema.TypeSpec{Type: "array", Items: &schema.TypeSpec{Type: "string"}}
	case kindObjects:
		item := kindStringMap.spec()
		return schema.TypeSpec{Type: "array", Items: &item}
	case kindStringMap:
		return schema.TypeSpec{Type: "object", AdditionalProperties: &schema.TypeSpec{Type: "string"}}
	default:
		return schema.TypeSpec{Type: "string"}
	}
}

// inputSpec differs from spec for a policy, which can be given as an object, and for the role that a policy is for.
func (k kind) inputSpec() schema.TypeSpec {
	switch k {
	case kindPolicy:
		return schema.TypeSpec{OneOf: []schema.TypeSpec{
			{Type: "string"}, {Type: "object", AdditionalProperties: &schema.TypeSpec{Ref: "pulumi.json#/Any"}},
		}}
	case kindRole:
		return schema.TypeSpec{OneOf: []schema.TypeSpec{
			{Type: "string"}, {Ref: "#/resources/" + url.PathEscape(role.token)},
		}}
	default:
		return k.spec()
	}
}

func (r *resourceType) spec() schema.ResourceSpec {
	spec := schema.ResourceSpec{
		ObjectTypeSpec: schema.ObjectTypeSpec{
			Type: "object", Description: r.doc, Properties: map[string]schema.PropertySpec{},
		},
		InputProperties: map[string]schema.PropertySpec{},
	}
	for _, name := range sortedKeys(r.props) {
		property := r.props[name]
		spec.Properties[name] = schema.PropertySpec{
			TypeSpec: property.kind.spec(), Description: property.doc, Secret: property.secret,
		}
		if !property.optional {
			spec.Required = append(spec.Required, name)
		}
		if property.output {
			continue
		}
		spec.InputProperties[name] = schema.PropertySpec{
			TypeSpec: property.kind.inputSpec(), Description: property.doc, Secret: property.secret,
			WillReplaceOnChanges: property.forceNew,
		}
		if property.required {
			spec.RequiredInputs = append(spec.RequiredInputs, name)
		}
	}
	return spec
}
