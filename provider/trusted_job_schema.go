package provider

import (
	"slices"

	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/oidc"
)

// trustedJobToken is the type of the elements of trustedJobs.
const trustedJobToken = Name + ":index:TrustedJob"

// trustedJobTypes returns the types of trustedJobs: that of its elements, that of each system's jobs, and the enums of
// their fields. Package oidc describes them.
func trustedJobTypes() map[string]schema.ComplexTypeSpec {
	element := schema.ObjectTypeSpec{
		Type:        "object",
		Description: "A job of a CI system, or several by a pattern. Exactly one of the systems is given.",
		Properties:  map[string]schema.PropertySpec{},
	}
	types := map[string]schema.ComplexTypeSpec{}
	for _, s := range oidc.Systems {
		token := Name + ":index:" + s.Type
		element.Properties[s.Key] = schema.PropertySpec{TypeSpec: ref(token), Description: s.Doc}
		types[token] = schema.ComplexTypeSpec{ObjectTypeSpec: jobType(s)}
	}
	types[trustedJobToken] = schema.ComplexTypeSpec{ObjectTypeSpec: element}
	for _, e := range oidc.Enums() {
		enum := schema.ComplexTypeSpec{ObjectTypeSpec: schema.ObjectTypeSpec{Type: "string", Description: e.Doc}}
		for _, v := range e.Values {
			enum.Enum = append(enum.Enum, schema.EnumValueSpec{Name: v.Name, Value: v.Value, Description: v.Doc})
		}
		types[Name+":index:"+e.Type] = enum
	}
	return types
}

// jobType returns the type of the jobs of a system.
func jobType(s *oidc.System) schema.ObjectTypeSpec {
	object := schema.ObjectTypeSpec{Type: "object", Description: s.Doc, Properties: map[string]schema.PropertySpec{}}
	for _, f := range s.Fields() {
		object.Properties[f.Name] = schema.PropertySpec{TypeSpec: fieldType(f), Description: f.Doc}
		if f.Required {
			object.Required = append(object.Required, f.Name)
		}
	}
	slices.Sort(object.Required)
	return object
}

func fieldType(f oidc.Field) schema.TypeSpec {
	text := schema.TypeSpec{Type: "string"}
	switch {
	case f.Enum != nil:
		return ref(Name + ":index:" + f.Enum.Type)
	case f.Kind() == oidc.Boolean:
		return schema.TypeSpec{Type: "boolean"}
	case f.Kind() == oidc.TextList:
		return schema.TypeSpec{Type: "array", Items: &text}
	}
	return text
}

// ref returns the type with a token.
func ref(token string) schema.TypeSpec { return schema.TypeSpec{Ref: "#/types/" + token} }
