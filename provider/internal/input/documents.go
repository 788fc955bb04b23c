package input

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// Documents is the rule of the inline policies of a role: a map of their names to policy documents, each as JSON text
// or as an object. It replaces each document by its text, which is unknown where a part of the document is.
func Documents(in *Inputs, at Location, v property.Value) {
	if !v.IsMap() {
		in.reportKind(at, v, "a map of policy documents")
		return
	}
	if n := v.AsMap().Len(); n > iam.MaxInlinePolicies {
		in.Report(at, v, fmt.Errorf("must have at most %d documents, and has %d: no more fit into a role",
			iam.MaxInlinePolicies, n))
		return
	}
	var texts []string
	written := make(map[string]property.Value, v.AsMap().Len())
	for name, document := range v.AsMap().AllStable {
		element := at.Element(name)
		if err := iam.CheckInlinePolicyName(name); err != nil {
			in.ReportWhole(element, fmt.Errorf("has a name that %w", err))
		}
		written[name] = document
		in.check(element, document, func(in *Inputs, at Location, v property.Value) {
			text, known := in.document(at, v)
			if known {
				texts = append(texts, text)
			}
			value := property.New(text)
			if !known {
				value = property.New(property.Computed)
			}
			written[name] = value.WithSecret(v.HasSecrets()).WithDependencies(dependencies(v))
		})
	}
	if err := iam.CheckRolePolicies(texts); err != nil {
		in.ReportWhole(at, err)
	}
	// The rule is of an input, so the location is the input's name.
	name, _ := at.path[0].(string)
	in.values = in.values.Set(name, property.New(written).WithSecret(v.Secret()).WithDependencies(v.Dependencies()))
}

// PolicyNames returns the names of the inline policies, in order.
func (in *Inputs) PolicyNames(name string) []string {
	return slices.Sorted(maps.Keys(in.Map(name)))
}

// document checks one policy document. It returns the document's text, and whether that is known and right.
func (in *Inputs) document(at Location, v property.Value) (text string, ok bool) {
	at.secret = at.secret || v.HasSecrets()
	document, err := readDocument(v)
	if err != nil {
		in.Report(at, v, err)
		return "", false
	}
	wrong := iam.CheckIdentityPolicy(document)
	for _, err := range wrong {
		in.Report(at, v, err)
	}
	if len(wrong) > 0 || v.HasComputed() {
		return "", false
	}
	if text, err = iam.WriteDocument(document); err == nil {
		err = iam.CheckDocumentText(text)
	}
	if err != nil {
		in.Report(at, v, err)
		return "", false
	}
	return text, true
}

// readDocument reads a policy document that is given as JSON text or as an object.
func readDocument(v property.Value) (map[string]any, error) {
	if v.IsString() {
		if err := iam.CheckRolePolicies([]string{v.AsString()}); err != nil {
			return nil, err
		}
		return iam.ParseDocument(v.AsString())
	}
	if !v.IsMap() {
		return nil, fmt.Errorf("must be a policy document, as JSON text or as an object, and is %s", Kind(v))
	}
	if err := iam.CheckRolePoliciesSize(documentSize(v)); err != nil {
		return nil, err
	}
	tree, err := documentTree(v)
	document, isObject := tree.(map[string]any)
	if err == nil && !isObject {
		err = errors.New("must be a policy document")
	}
	return document, err
}

// documentSize returns how many characters IAM counts of a part of a document at least, what is unknown left out.
func documentSize(v property.Value) int {
	size := 0
	switch {
	case v.IsString():
		size = len(`""`) + iam.DocumentSize(v.AsString())
	case v.IsArray():
		for _, element := range v.AsArray().All {
			size += documentSize(element) + len(",")
		}
	case v.IsMap():
		for key, value := range v.AsMap().All {
			size += len(`"":,`) + iam.DocumentSize(key) + documentSize(value)
		}
	}
	return size
}

// documentTree returns a part of a document in the types of [iam.ParseDocument]. Null stays, for IAM has none: left
// out, it could take a condition with it.
func documentTree(v property.Value) (any, error) {
	switch {
	case v.IsNull():
		return nil, nil //nolint:nilnil // It is the JSON value.
	case v.IsComputed():
		return iam.Unknown{}, nil
	case v.IsString():
		return v.AsString(), nil
	case v.IsBool():
		return v.AsBool(), nil
	case v.IsNumber():
		return v.AsNumber(), nil
	case v.IsArray():
		list := make([]any, 0, v.AsArray().Len())
		for _, element := range v.AsArray().All {
			part, err := documentTree(element)
			if err != nil {
				return nil, err
			}
			list = append(list, part)
		}
		return list, nil
	case v.IsMap():
		object := make(map[string]any, v.AsMap().Len())
		for key, value := range v.AsMap().AllStable {
			part, err := documentTree(value)
			if err != nil {
				return nil, err
			}
			object[key] = part
		}
		return object, nil
	default:
		return nil, fmt.Errorf("must be a policy document, which has no part that is %s", Kind(v))
	}
}
