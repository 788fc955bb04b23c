package provider

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

// policyDocuments is the rule of the inline policies of a role: a map of their names to policy documents, each as
// JSON text or as an object.
func policyDocuments(in *inputs, at location, v property.Value) {
	if !v.IsMap() {
		in.report(at, v, fmt.Errorf("must be a map of policy documents, and is %s", kind(v)))
		return
	}
	var texts []string
	for name, document := range v.AsMap().AllStable {
		element := at.element(name)
		if err := iam.CheckPolicyName(name); err != nil {
			in.reportWhole(element.path.String(), fmt.Errorf("has a name that %w", err))
		}
		in.check(element, document, func(in *inputs, at location, v property.Value) {
			texts = append(texts, policyDocument(in, at, v))
		})
	}
	if err := iam.CheckRolePolicies(texts); err != nil {
		in.reportWhole(at.path.String(), err)
	}
}

// policyDocument is the rule of one policy document. It returns the document's text, or an empty one if it has
// problems or is not known as a whole.
func policyDocument(in *inputs, at location, v property.Value) string {
	at.secret = at.secret || v.HasSecrets()
	document, err := readDocument(v)
	if err != nil {
		in.report(at, v, err)
		return ""
	}
	if v.HasComputed() && !in.preview {
		in.check(at, property.New(property.Computed), nil)
		return ""
	}
	wrong := iam.CheckIdentityPolicy(document)
	for _, err := range wrong {
		in.report(at, v, err)
	}
	if len(wrong) > 0 || v.HasComputed() {
		return ""
	}
	text, err := iam.WriteDocument(document)
	if err == nil {
		err = iam.CheckDocumentText(text)
	}
	if err != nil {
		in.report(at, v, err)
		return ""
	}
	return text
}

// readDocument returns a policy document that is given as JSON text or as an object.
func readDocument(v property.Value) (map[string]any, error) {
	if v.IsString() {
		if err := iam.CheckRolePolicies([]string{v.AsString()}); err != nil {
			return nil, err
		}
		return iam.ParseDocument(v.AsString())
	}
	if !v.IsMap() {
		return nil, fmt.Errorf("must be a policy document, as JSON text or as an object, and is %s", kind(v))
	}
	tree, err := documentTree(v)
	document, _ := tree.(map[string]any)
	return document, err
}

// documentTree returns a part of a document in the types of [iam.ParseDocument]. As everywhere in Pulumi, null is a
// value that is not given.
func documentTree(v property.Value) (any, error) {
	switch {
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
			if value.IsNull() {
				continue
			}
			part, err := documentTree(value)
			if err != nil {
				return nil, err
			}
			object[key] = part
		}
		return object, nil
	default:
		return nil, fmt.Errorf("must be a policy document, which has no part that is %s", kind(v))
	}
}

// openPolicies puts the policies of a deployment role, whose inputs have passed [checkDeploymentRole], into the form
// that the Pulumi SDK v3.259.0 reads one by one: the list and the map plain ones, with what they depend on moved to
// their elements, and each document one text. The SDK takes an object of any type for known although parts of it
// are not, and forgets that parts of it are secret.
func openPolicies(values property.Map) property.Map {
	if v := values.Get(inlinePoliciesInput); v.IsMap() {
		documents := v.AsMap()
		for name, document := range documents.All {
			documents = documents.Set(name, openDocument(document).
				WithSecret(document.HasSecrets()).
				WithDependencies(append(v.Dependencies(), dependencies(document)...)))
		}
		values = values.Set(inlinePoliciesInput, property.New(documents))
	}
	return values
}

// openDocument returns a document's text, or the unknown.
func openDocument(v property.Value) property.Value {
	if v.HasComputed() {
		return property.New(property.Computed)
	}
	document, err := readDocument(v)
	if err != nil {
		return v
	}
	text, err := iam.WriteDocument(document)
	if err != nil {
		return v
	}
	return property.New(text)
}

// dependencies returns what a value and its parts depend on.
func dependencies(v property.Value) []resource.URN {
	all := v.Dependencies()
	switch {
	case v.IsArray():
		for _, element := range v.AsArray().All {
			all = append(all, dependencies(element)...)
		}
	case v.IsMap():
		for _, value := range v.AsMap().All {
			all = append(all, dependencies(value)...)
		}
	}
	return all
}

// refuseSecretNames reports inputs that give children their names and are secret: a list of strings, or the map of
// which the keys are the names. The engine keeps names in plain text and shows them. A name that does not tell the
// value is no way out: with the secrecy, the name would change, and that detaches what stays attached.
func (in *inputs) refuseSecretNames(names ...string) {
	for _, name := range names {
		v := in.values.Get(name)
		if v.Secret() || (!v.IsMap() && v.HasSecrets()) {
			at := location{path: resource.PropertyPath{name}, secret: true}
			in.report(at, v, errors.New("must not be secret: resources are called after it, and their names are no "+
				"secrets; if it is none, say so with your language's unsecret function"))
			in.values = in.values.Delete(name) // One problem is enough.
		}
	}
}
