package main

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"maps"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	sdk6 = "github.com/pulumi/pulumi-aws/sdk/v6"
	sdk7 = "github.com/pulumi/pulumi-aws/sdk/v7"
)

// changes7 is all that version 7 of the SDK has otherwise, in the types of what is served: with + what it adds, with -
// what it removes, and with ~ what has another type. Nothing of it is used by the components.
var changes7 = map[string][]string{
	"aws.providerArgs": {"+assumeRoles", "+tagPolicyCompliance", "+userAgents", "-assumeRole"},

	"secretsmanager.Secret":     {"+region", "+type"},
	"secretsmanager.secretArgs": {"+region", "+type"},
	"secretsmanager.SecretVersion": {
		"+hasSecretStringWo", "+region", "+secretArn", "+secretStringWo", "+secretStringWoVersion",
	},
	"secretsmanager.secretVersionArgs": {"+region", "+secretStringWo", "+secretStringWoVersion"},
	"ssm.Parameter":                    {"+hasValueWo", "+region", "+valueWo", "+valueWoVersion", "~tier"},
	"ssm.parameterArgs":                {"+region", "+valueWo", "+valueWoVersion"},
}

// TestSDKsAgree compares the types of what is served between the SDKs of both versions.
func TestSDKsAgree(t *testing.T) {
	compared := []reflect.Type{elementOf(&aws.ProviderArgs{})}
	for _, o := range official {
		compared = append(compared, elementOf(o.args), reflect.TypeOf(o.state))
	}
	for _, f := range officialFunctions {
		compared = append(compared, reflect.TypeOf(f.args), reflect.TypeOf(f.result))
	}
	found := map[string][]string{}
	for _, compare := range compared {
		name := filepath.Base(compare.PkgPath()) + "." + compare.Name()
		old, now := fieldsOf(t, sdk6, compare), fieldsOf(t, sdk7, compare)
		if len(old) == 0 && compare.NumField() > 0 {
			t.Errorf("%s has no fields", name)
		}
		for field, typ := range old {
			switch next, ok := now[field]; {
			case !ok:
				found[name] = append(found[name], "-"+field)
			case next != typ:
				found[name] = append(found[name], "~"+field)
			}
		}
		for field := range now {
			if _, ok := old[field]; !ok {
				found[name] = append(found[name], "+"+field)
			}
		}
		slices.Sort(found[name])
	}
	maps.DeleteFunc(found, func(_ string, changes []string) bool { return len(changes) == 0 })
	if !maps.EqualFunc(found, changes7, slices.Equal) {
		t.Errorf("the SDKs differ by %v", found)
	}
}

// fieldsOf returns the Go types of the fields of a type, by their pulumi names, in the source of a version of the SDK.
func fieldsOf(t *testing.T, sdk string, of reflect.Type) map[string]string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", sdk).Output()
	if err != nil {
		t.Fatal(err)
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		t.Fatal(err)
	}
	// LookupRole is in getRole.go.
	file := strings.TrimSuffix(strings.TrimSuffix(of.Name(), "Args"), "Result")
	if looked, ok := strings.CutPrefix(file, "Lookup"); ok {
		file = "get" + looked
	}
	path := filepath.Join(module.Dir, strings.TrimPrefix(of.PkgPath(), sdk6),
		strings.ToLower(file[:1])+file[1:]+".go")
	parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]string{}
	ast.Inspect(parsed, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok || spec.Name.Name != of.Name() {
			return true
		}
		for _, field := range spec.Type.(*ast.StructType).Fields.List {
			if field.Tag != nil {
				tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`")).Get("pulumi")
				fields[strings.Split(tag, ",")[0]] = types.ExprString(field.Type)
			}
		}
		return false
	})
	return fields
}

// useRelease7 makes the stand-in one for version 7 until the test ends.
func useRelease7(t *testing.T) {
	t.Helper()
	release := version
	t.Cleanup(func() {
		if err := adopt(release); err != nil {
			t.Error(err)
		}
	})
	if err := adopt("7.40.0"); err != nil {
		t.Fatal(err)
	}
}

func TestAdopt(t *testing.T) {
	for _, release := range []string{"", "5.43.0", "8.0.0", "7"} {
		if err := adopt(release); err == nil {
			t.Errorf("there is a stand-in for %q", release)
		}
	}
	regionOf := func() (served bool) {
		_, served = packageSchema().Resources[parameter.token].InputProperties[regionKey]
		return
	}
	if regionOf() {
		t.Error("version 6 has regions")
	}
	t.Run("7", func(t *testing.T) {
		useRelease7(t)
		if spec := packageSchema(); !regionOf() || spec.Version != "7.40.0" {
			t.Errorf("version %s has regions: %v", spec.Version, regionOf())
		}
	})
	if regionOf() {
		t.Error("version 6 has regions after version 7")
	}
}

// TestRegionOfVersion6 updates a parameter that version 6 made, which puts it again.
func TestRegionOfVersion6(t *testing.T) {
	h := live(t, moto(t), nil)
	in := values{"name": s("/p"), "type": s("String"), "value": s("v")}
	m := h.create(parameter.token, in)
	useRelease7(t)
	h = live(t, h.endpoint, nil)
	checked := h.check(parameter.token, m.in, in)
	request := p.DiffRequest{Urn: urnOf(parameter.token), ID: m.id, State: m.output, OldInputs: m.in, Inputs: checked}
	diff, err := h.Diff(t.Context(), request)
	if err != nil || len(diff.DetailedDiff) != 1 || diff.DetailedDiff[regionKey].Kind != p.Add {
		t.Errorf("%+v %v", diff, err)
	}
	updated, err := h.Update(t.Context(), p.UpdateRequest{Urn: request.Urn, ID: m.id, State: m.output, Inputs: checked})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, updated.Properties, values{regionKey: s("us-east-1"), "value": s("v").WithSecret(true), "version": property.New(2.0)})
	read, err := h.Read(t.Context(), p.ReadRequest{Urn: request.Urn, ID: m.id, Properties: m.output, Inputs: m.in})
	if err != nil {
		t.Fatal(err)
	}
	request.State, request.OldInputs = read.Properties, read.Inputs
	if diff, err := h.Diff(t.Context(), request); err != nil || diff.HasChanges {
		t.Errorf("after a refresh: %+v %v", diff, err)
	}
	request.State = request.State.Set(regionKey, s("eu-west-1"))
	if diff, err := h.Diff(t.Context(), request); err != nil || diff.DetailedDiff[regionKey].Kind != p.UpdateReplace {
		t.Errorf("from another region: %+v %v", diff, err)
	}
	refused, err := h.Check(t.Context(), p.CheckRequest{
		Urn: request.Urn, Inputs: property.NewMap(in).Set(regionKey, s("eu-west-1")),
	})
	if err != nil || len(refused.Failures) != 1 || refused.Failures[0].Property != regionKey {
		t.Errorf("another region: %+v %v", refused, err)
	}
}

func TestAssumeRoles(t *testing.T) {
	roles := func(fields ...string) map[string]property.Value {
		return map[string]property.Value{"assumeRoles": property.New([]property.Value{tags(fields...)})}
	}
	configure := func(endpoint string, more map[string]property.Value) error {
		return newHarness(t).Configure(t.Context(), p.ConfigureRequest{Args: configFor(endpoint, more)})
	}
	cleanEnvironment(t)
	if err := configure("", roles("roleArn", "r")); err == nil || !strings.Contains(err.Error(), `"assumeRoles" is not`) {
		t.Errorf("version 6: %v", err)
	}
	useRelease7(t)
	for field, want := range map[string]string{"policy": `assumeRoles[0].policy: "policy" is not implemented`} {
		if err := configure("", roles(field, secretKey)); err == nil || !strings.Contains(err.Error(), want) ||
			strings.Contains(err.Error(), secretKey) {
			t.Errorf("%s: %v", field, err)
		}
	}
	h := live(t, moto(t), roles("roleArn", "arn:aws:iam::123456789012:role/deployer", "sessionName", "up"))
	response, err := h.Invoke(t.Context(), p.InvokeRequest{Token: "aws:index/getCallerIdentity:getCallerIdentity"})
	if arn := str(response.Return.Get("arn")); err != nil || arn != "arn:aws:sts::123456789012:assumed-role/deployer/up" {
		t.Errorf("the caller is %q %v", arn, err)
	}
}
