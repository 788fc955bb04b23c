// Command pulumi-resource-github is for this project's tests only. It takes the secrets that programs give to the
// official GitHub package, with the inputs that its Go SDK has, and keeps the value of each in a file. What it does not
// know it refuses.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/pulumi/pulumi-github/sdk/v6/go/github"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	name    = "github"
	version = "6.15.0"

	// folderVariable names the folder of the files. There, the file [nextFile] says what becomes of each delivery.
	folderVariable = "TEST_GITHUB_FOLDER"
	nextFile       = "next"
	// refuse answers a delivery with an error, as GitHub does without permission. kill ends the CLI before it.
	refuse = "refuse"
	kill   = "kill"
)

// secretTypes are the inputs of each type of secret, as the official Go SDK has them.
var secretTypes = map[string]reflect.Type{
	token("actionsSecret", "ActionsSecret"):                         github.ActionsSecretArgs{}.ElementType(),
	token("actionsEnvironmentSecret", "ActionsEnvironmentSecret"):   github.ActionsEnvironmentSecretArgs{}.ElementType(),
	token("actionsOrganizationSecret", "ActionsOrganizationSecret"): github.ActionsOrganizationSecretArgs{}.ElementType(),
}

func token(module, typ string) string { return name + ":index/" + module + ":" + typ }

// nameInputs are the inputs that name a secret, in the order in which its ID has them.
var nameInputs = []string{"repository", "environment", "secretName"}

// replacing are the inputs whose change replaces a secret. In older packages, plaintextValue is one of them:
// https://github.com/pulumi/pulumi-github/issues/250. A new value is an update, as in terraform-provider-github 6.13.0,
// resource_github_actions_secret.go.
var replacing = append(slices.Clone(nameInputs), "plaintextValue")

func main() {
	provider := p.Provider{
		GetSchema: getSchema, Check: check, Diff: diff, Create: create, Read: read, Update: update, Delete: remove,
		CheckConfig: func(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
			return p.CheckResponse{Inputs: req.Inputs}, nil
		},
		DiffConfig: func(context.Context, p.DiffRequest) (p.DiffResponse, error) { return p.DiffResponse{}, nil },
		Configure:  func(context.Context, p.ConfigureRequest) error { return nil },
		Cancel:     func(context.Context) error { return nil },
	}
	if err := p.RunProvider(context.Background(), name, version, provider); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// inputsOf returns the fields of a type of secret by the names of its inputs.
func inputsOf(urn resource.URN) (map[string]reflect.Type, error) {
	args, ok := secretTypes[string(urn.Type())]
	if !ok {
		return nil, fmt.Errorf("the resource %s is not implemented by this plugin for tests", urn.Type())
	}
	return fieldsOf(args), nil
}

func fieldsOf(args reflect.Type) map[string]reflect.Type {
	inputs := map[string]reflect.Type{}
	for _, field := range reflect.VisibleFields(args) {
		inputs[field.Tag.Get("pulumi")] = field.Type
	}
	return inputs
}

// isValue reports whether an input holds the secret: the official package marks these as secrets.
func isValue(input string) bool { return strings.Contains(strings.ToLower(input), "value") }

func getSchema(context.Context, p.GetSchemaRequest) (p.GetSchemaResponse, error) {
	spec := schema.PackageSpec{
		Name: name, Version: version, Meta: &schema.MetadataSpec{ModuleFormat: "(.*)(?:/[^/]*)"},
		Resources: map[string]schema.ResourceSpec{},
	}
	for token, args := range secretTypes {
		r := schema.ResourceSpec{InputProperties: map[string]schema.PropertySpec{}}
		for input, typ := range fieldsOf(args) {
			r.InputProperties[input] = schema.PropertySpec{TypeSpec: typeSpec(typ), Secret: isValue(input)}
			if typ.Kind() != reflect.Pointer && typ.Kind() != reflect.Slice {
				r.RequiredInputs = append(r.RequiredInputs, input)
			}
		}
		r.Properties = r.InputProperties
		spec.Resources[token] = r
	}
	text, err := json.Marshal(spec)
	return p.GetSchemaResponse{Schema: string(text)}, err
}

func typeSpec(typ reflect.Type) schema.TypeSpec {
	switch typ.Kind() {
	case reflect.Pointer:
		return typeSpec(typ.Elem())
	case reflect.Slice:
		items := typeSpec(typ.Elem())
		return schema.TypeSpec{Type: "array", Items: &items}
	case reflect.Bool:
		return schema.TypeSpec{Type: "boolean"}
	case reflect.Int:
		return schema.TypeSpec{Type: "integer"}
	default:
		return schema.TypeSpec{Type: "string"}
	}
}

func check(_ context.Context, req p.CheckRequest) (p.CheckResponse, error) {
	inputs, err := inputsOf(req.Urn)
	if err != nil {
		return p.CheckResponse{}, err
	}
	answer := p.CheckResponse{Inputs: req.Inputs}
	fail := func(input, reason string) {
		answer.Failures = append(answer.Failures, p.CheckFailure{Property: input, Reason: reason})
	}
	values := 0
	for input, v := range req.Inputs.AllStable {
		switch _, known := inputs[input]; {
		case !known:
			fail(input, "there is no such input")
		case input == "value", input == "plaintextValue":
			values++
			answer.Inputs = answer.Inputs.Set(input, v.WithSecret(true))
		case isValue(input), input == "keyId", input == "destroyOnDrift":
			fail(input, "it is not implemented by this plugin for tests")
		}
	}
	for _, input := range slices.Sorted(maps.Keys(inputs)) {
		kind := inputs[input].Kind()
		if _, given := req.Inputs.GetOk(input); !given && kind != reflect.Pointer && kind != reflect.Slice {
			fail(input, "it is required")
		}
	}
	if values != 1 {
		fail("value", "give it or plaintextValue")
	}
	return answer, nil
}

func diff(_ context.Context, req p.DiffRequest) (p.DiffResponse, error) {
	answer := p.DiffResponse{DetailedDiff: map[string]p.PropertyDiff{}}
	for _, inputs := range []property.Map{req.OldInputs, req.Inputs} {
		for input := range inputs.AllStable {
			if req.OldInputs.Get(input).WithSecret(false).Equals(req.Inputs.Get(input).WithSecret(false)) {
				continue
			}
			answer.HasChanges = true
			answer.DetailedDiff[input] = p.PropertyDiff{Kind: p.Update, InputDiff: true}
			if slices.Contains(replacing, input) {
				answer.DetailedDiff[input] = p.PropertyDiff{Kind: p.UpdateReplace, InputDiff: true}
			}
		}
	}
	return answer, nil
}

// id returns the ID of a secret, which is its name in GitHub.
func id(inputs property.Map) string {
	var parts []string
	for _, input := range nameInputs {
		if v := inputs.Get(input); v.IsString() {
			parts = append(parts, v.AsString())
		}
	}
	return strings.Join(parts, ":")
}

func create(_ context.Context, req p.CreateRequest) (p.CreateResponse, error) {
	if !req.DryRun {
		if err := deliver(req.Properties); err != nil {
			return p.CreateResponse{}, err
		}
	}
	return p.CreateResponse{ID: id(req.Properties), Properties: req.Properties}, nil
}

func update(_ context.Context, req p.UpdateRequest) (p.UpdateResponse, error) {
	if !req.DryRun {
		if err := deliver(req.Inputs); err != nil {
			return p.UpdateResponse{}, err
		}
	}
	return p.UpdateResponse{Properties: req.Inputs}, nil
}

// read returns a secret as it was given, since GitHub does not tell it, or nothing if it is gone.
func read(_ context.Context, req p.ReadRequest) (p.ReadResponse, error) {
	if _, err := os.Stat(file(req.ID)); errors.Is(err, fs.ErrNotExist) {
		return p.ReadResponse{}, nil
	}
	return p.ReadResponse{ID: req.ID, Inputs: req.Inputs, Properties: req.Properties}, nil
}

// remove deletes the secret of that name, as GitHub does, whatever it holds.
func remove(_ context.Context, req p.DeleteRequest) error {
	err := os.Remove(file(req.ID))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func file(of string) string { return filepath.Join(os.Getenv(folderVariable), of) }

// deliver writes a secret.
func deliver(inputs property.Map) error {
	next, err := os.ReadFile(file(nextFile))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	switch string(next) {
	case refuse:
		return errors.New("403 Resource not accessible by personal access token")
	case kill:
		// The CLI, which has started this process, gets no answer.
		cli, err := os.FindProcess(os.Getppid())
		if err != nil {
			return err
		}
		return errors.Join(cli.Kill(), errors.New("the CLI is killed"))
	}
	value := inputs.Get("value")
	if !value.IsString() {
		value = inputs.Get("plaintextValue")
	}
	if !value.IsString() {
		return errors.New("the value is no string")
	}
	return os.WriteFile(file(id(inputs)), []byte(value.AsString()), 0o600)
}
