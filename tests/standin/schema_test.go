package main

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/secretsmanager"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ssm"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// official are the Go SDK's types for what is served.
var official = []struct {
	served *resourceType
	args   any // pointer to XxxArgs
	state  any
	create func(*pulumi.Context, any) error
}{
	{user, &iam.UserArgs{}, iam.User{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewUser(c, "r", a.(*iam.UserArgs))
		return err
	}},
	{userPolicy, &iam.UserPolicyArgs{}, iam.UserPolicy{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewUserPolicy(c, "r", a.(*iam.UserPolicyArgs))
		return err
	}},
	{accessKey, &iam.AccessKeyArgs{}, iam.AccessKey{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewAccessKey(c, "r", a.(*iam.AccessKeyArgs))
		return err
	}},
	{group, &iam.GroupArgs{}, iam.Group{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewGroup(c, "r", a.(*iam.GroupArgs))
		return err
	}},
	{groupMembership, &iam.GroupMembershipArgs{}, iam.GroupMembership{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewGroupMembership(c, "r", a.(*iam.GroupMembershipArgs))
		return err
	}},
	{groupPolicy, &iam.GroupPolicyArgs{}, iam.GroupPolicy{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewGroupPolicy(c, "r", a.(*iam.GroupPolicyArgs))
		return err
	}},
	{role, &iam.RoleArgs{}, iam.Role{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewRole(c, "r", a.(*iam.RoleArgs))
		return err
	}},
	{rolePolicy, &iam.RolePolicyArgs{}, iam.RolePolicy{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewRolePolicy(c, "r", a.(*iam.RolePolicyArgs))
		return err
	}},
	{rolePolicyAttachment, &iam.RolePolicyAttachmentArgs{}, iam.RolePolicyAttachment{}, func(c *pulumi.Context, a any) error {
		_, err := iam.NewRolePolicyAttachment(c, "r", a.(*iam.RolePolicyAttachmentArgs))
		return err
	}},
	{
		openIDConnectProvider, &iam.OpenIdConnectProviderArgs{}, iam.OpenIdConnectProvider{},
		func(c *pulumi.Context, a any) error {
			_, err := iam.NewOpenIdConnectProvider(c, "r", a.(*iam.OpenIdConnectProviderArgs))
			return err
		},
	},
	{secret, &secretsmanager.SecretArgs{}, secretsmanager.Secret{}, func(c *pulumi.Context, a any) error {
		_, err := secretsmanager.NewSecret(c, "r", a.(*secretsmanager.SecretArgs))
		return err
	}},
	{secretVersion, &secretsmanager.SecretVersionArgs{}, secretsmanager.SecretVersion{}, func(c *pulumi.Context, a any) error {
		_, err := secretsmanager.NewSecretVersion(c, "r", a.(*secretsmanager.SecretVersionArgs))
		return err
	}},
	{parameter, &ssm.ParameterArgs{}, ssm.Parameter{}, func(c *pulumi.Context, a any) error {
		_, err := ssm.NewParameter(c, "r", a.(*ssm.ParameterArgs))
		return err
	}},
}

// tagged are a struct's fields by their pulumi names.
func tagged(t reflect.Type) map[string]reflect.Type {
	out := map[string]reflect.Type{}
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("pulumi"); name != "" {
			out[strings.Split(name, ",")[0]] = t.Field(i).Type
		}
	}
	return out
}

// elementOf is the plain struct of an Args value, where the SDK keeps the names.
func elementOf(args any) reflect.Type {
	return reflect.ValueOf(args).MethodByName("ElementType").Call(nil)[0].Interface().(reflect.Type)
}

// matches says whether a plain Go type of the SDK fits the schema's type.
func matches(spec schema.TypeSpec, t reflect.Type) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case len(spec.OneOf) > 0:
		return t.Kind() == reflect.Interface
	case spec.Ref != "":
		return t.Kind() == reflect.Struct
	case spec.Type == "string":
		return t.Kind() == reflect.String
	case spec.Type == "boolean":
		return t.Kind() == reflect.Bool
	case spec.Type == "integer":
		return t.Kind() == reflect.Int
	case spec.Type == "array":
		return t.Kind() == reflect.Slice && matches(*spec.Items, t.Elem())
	case spec.Type == "object":
		return t.Kind() == reflect.Struct || t.Kind() == reflect.Map && matches(*spec.AdditionalProperties, t.Elem())
	}
	return false
}

type recorder struct{ resources, secrets, calls []string }

func (r *recorder) NewResource(a pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.resources = append(r.resources, a.TypeToken)
	r.secrets = append(r.secrets, a.RegisterRPC.GetAdditionalSecretOutputs()...)
	return "id", a.Inputs, nil
}

func (r *recorder) Call(a pulumi.MockCallArgs) (resource.PropertyMap, error) {
	r.calls = append(r.calls, a.Token)
	return resource.PropertyMap{}, nil
}

// run runs a program against mocks and answers what it asked for.
func run(program func(*pulumi.Context) error) (*recorder, error) {
	r := &recorder{}
	return r, pulumi.RunErr(program, pulumi.WithMocks("p", "s", r))
}

// argsWith are the resource's Args with every required input except one.
func argsWith(spec schema.ResourceSpec, args any, except string) any {
	v := reflect.New(reflect.TypeOf(args).Elem())
	for _, name := range spec.RequiredInputs {
		if name == except {
			continue
		}
		var value any = pulumi.String("x")
		if spec.InputProperties[name].Type == "array" {
			value = pulumi.StringArray{pulumi.String("x")}
		}
		v.Elem().FieldByName(strings.ToUpper(name[:1]) + name[1:]).Set(reflect.ValueOf(value))
	}
	return v.Interface()
}

func TestSchemaAgreesWithOfficialSDK(t *testing.T) {
	spec := packageSchema()
	if len(official) != len(spec.Resources) {
		t.Errorf("%d resources are compared, %d are served", len(official), len(spec.Resources))
	}
	for _, o := range official {
		t.Run(o.served.token, func(t *testing.T) {
			r := spec.Resources[o.served.token]
			inputs := tagged(elementOf(o.args))
			for name, property := range r.InputProperties {
				sdk, ok := inputs[name]
				if !ok {
					t.Errorf("the official input %s does not exist", name)
				} else if !matches(property.TypeSpec, sdk) {
					t.Errorf("the official input %s is %v", name, sdk)
				}
			}
			for name := range inputs {
				if _, ok := r.InputProperties[name]; !ok && !slices.Contains(o.served.unserved, name) {
					t.Errorf("the official input %s is neither served nor listed as unserved", name)
				}
			}
			outputs := tagged(reflect.TypeOf(o.state))
			for name, property := range r.Properties {
				sdk, ok := outputs[name]
				if !ok {
					t.Errorf("the official output %s does not exist", name)
					continue
				}
				element := reflect.New(sdk).Elem().Interface().(pulumi.Output).ElementType()
				if !matches(property.TypeSpec, element) {
					t.Errorf("the official output %s is %v", name, element)
				}
				// Collections look alike in Go whether they are optional or not.
				pointer := element.Kind() == reflect.Pointer
				if pointer == slices.Contains(r.Required, name) && element.Kind() != reflect.Map && element.Kind() != reflect.Slice {
					t.Errorf("the official output %s is %v, and required here: %v", name, element, !pointer)
				}
			}
			asked, err := run(func(c *pulumi.Context) error { return o.create(c, argsWith(r, o.args, "")) })
			if err != nil {
				t.Errorf("the official package requires more: %v", err)
			}
			if !slices.Contains(asked.resources, o.served.token) {
				t.Errorf("the official SDK registers %v", asked.resources)
			}
			for name, property := range r.Properties {
				if property.Secret != slices.Contains(asked.secrets, name) {
					t.Errorf("the official output %s is a secret: %v", name, !property.Secret)
				}
			}
			for _, name := range r.RequiredInputs {
				if _, err := run(func(c *pulumi.Context) error { return o.create(c, argsWith(r, o.args, name)) }); err == nil {
					t.Errorf("the official package does not require %s", name)
				}
			}
		})
	}
}

// officialFunctions are the Go SDK's types for the functions that are served.
var officialFunctions = []struct {
	served       functionType
	args, result any
}{
	{getCallerIdentity, aws.GetCallerIdentityArgs{}, aws.GetCallerIdentityResult{}},
	{getDefaultTags, aws.GetDefaultTagsArgs{}, aws.GetDefaultTagsResult{}},
	{getPartition, aws.GetPartitionArgs{}, aws.GetPartitionResult{}},
	{getAccessKeys, iam.GetAccessKeysArgs{}, iam.GetAccessKeysResult{}},
	{getUser, iam.LookupUserArgs{}, iam.LookupUserResult{}},
	{getGroup, iam.LookupGroupArgs{}, iam.LookupGroupResult{}},
	{getRole, iam.LookupRoleArgs{}, iam.LookupRoleResult{}},
	{getOpenIDConnectProvider, iam.LookupOpenIdConnectProviderArgs{}, iam.LookupOpenIdConnectProviderResult{}},
}

func TestFunctionsAgreeWithOfficialSDK(t *testing.T) {
	asked, err := run(func(c *pulumi.Context) error {
		if _, err := aws.GetCallerIdentity(c, &aws.GetCallerIdentityArgs{}); err != nil {
			return err
		}
		if _, err := aws.GetDefaultTags(c, &aws.GetDefaultTagsArgs{}); err != nil {
			return err
		}
		if _, err := aws.GetPartition(c, &aws.GetPartitionArgs{}); err != nil {
			return err
		}
		if _, err := iam.LookupUser(c, &iam.LookupUserArgs{UserName: "u"}); err != nil {
			return err
		}
		if _, err := iam.LookupGroup(c, &iam.LookupGroupArgs{GroupName: "g"}); err != nil {
			return err
		}
		if _, err := iam.LookupRole(c, &iam.LookupRoleArgs{Name: "r"}); err != nil {
			return err
		}
		if _, err := iam.LookupOpenIdConnectProvider(c, &iam.LookupOpenIdConnectProviderArgs{}); err != nil {
			return err
		}
		_, err := iam.GetAccessKeys(c, &iam.GetAccessKeysArgs{User: "u"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	spec := packageSchema()
	if len(spec.Functions) != len(asked.calls) {
		t.Errorf("%d functions are served", len(spec.Functions))
	}
	for _, token := range asked.calls {
		if _, ok := spec.Functions[token]; !ok {
			t.Errorf("the official function %s is not served", token)
		}
	}
	for _, f := range officialFunctions {
		r := spec.Functions[f.served.token]
		args := tagged(reflect.TypeOf(f.args))
		for name, sdk := range args {
			if slices.Contains(f.served.unserved, name) {
				continue
			}
			if property, ok := r.Inputs.Properties[name]; !ok || !matches(property.TypeSpec, sdk) {
				t.Errorf("%s: argument %s is %v in the SDK", f.served.token, name, sdk)
			}
			if (sdk.Kind() == reflect.Pointer) == slices.Contains(r.Inputs.Required, name) {
				t.Errorf("%s: argument %s is %v in the SDK, and required here: %v", f.served.token, name, sdk, r.Inputs.Required)
			}
		}
		if here := len(r.Inputs.Properties) + len(f.served.unserved); len(args) != here {
			t.Errorf("%s: %d arguments in the SDK, %d here", f.served.token, len(args), here)
		}
		results := tagged(reflect.TypeOf(f.result))
		for name, sdk := range results {
			if property, ok := r.Outputs.Properties[name]; !ok || !matches(property.TypeSpec, sdk) {
				t.Errorf("%s: result %s is %v in the SDK", f.served.token, name, sdk)
			}
		}
		for name, result := range f.served.outputs {
			if result.object == "" {
				continue
			}
			fields, here := tagged(results[name].Elem()), spec.Types[result.object].Properties
			for field, sdk := range fields {
				if property, ok := here[field]; !ok || !matches(property.TypeSpec, sdk) {
					t.Errorf("%s: %s.%s is %v in the SDK", f.served.token, name, field, sdk)
				}
			}
			if len(fields) != len(here) {
				t.Errorf("%s: %s has %d fields in the SDK, %d here", f.served.token, name, len(fields), len(here))
			}
		}
		if len(results) != len(r.Outputs.Properties) {
			t.Errorf("%s: %d results in the SDK, %d here", f.served.token, len(results), len(r.Outputs.Properties))
		}
	}
}

func TestConfigurationAgreesWithOfficialSDK(t *testing.T) {
	spec := packageSchema()
	keys := tagged(elementOf(&aws.ProviderArgs{}))
	for name, property := range spec.Provider.InputProperties {
		sdk, ok := keys[name]
		if !ok {
			t.Errorf("the official configuration key %s does not exist", name)
			continue
		}
		typeSpec := property.TypeSpec
		if !matches(typeSpec, sdk) {
			t.Errorf("the official configuration key %s is %v", name, sdk)
		}
		for sdk.Kind() == reflect.Slice || sdk.Kind() == reflect.Pointer {
			sdk = sdk.Elem()
		}
		ref := typeSpec.Ref
		if typeSpec.Items != nil {
			ref = typeSpec.Items.Ref
		}
		for field, f := range spec.Types[strings.TrimPrefix(ref, "#/types/")].Properties {
			if sdkField, ok := tagged(sdk)[field]; !ok || !matches(f.TypeSpec, sdkField) {
				t.Errorf("%s.%s is %v in the SDK", name, field, sdkField)
			}
		}
	}
}

func TestSchemaBinds(t *testing.T) {
	encoded, err := schemaJSON()
	if err != nil {
		t.Fatal(err)
	}
	var spec schema.PackageSpec
	if err := json.Unmarshal([]byte(encoded), &spec); err != nil {
		t.Fatal(err)
	}
	pkg, err := schema.ImportSpec(spec, nil, schema.NewNullLoader(), schema.ValidationOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if pkg.Name != "aws" || pkg.Version == nil || pkg.Version.Major != 6 {
		t.Errorf("package %s %v", pkg.Name, pkg.Version)
	}
	if got := pkg.TokenToModule(user.token); got != "iam" {
		t.Errorf("the user's module is %q", got)
	}
}
