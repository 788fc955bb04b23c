package provider

import (
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestAWSVersionSetting(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	for _, test := range []struct {
		value  resource.PropertyValue
		passes bool
	}{
		{resource.NewProperty("6.83.4"), true},
		{resource.NewProperty("7.40.0"), true},
		{resource.NewProperty("7.50.0-alpha.1"), true},
		{resource.MakeSecret(resource.NewProperty("7.40.0")), true},
		{resource.MakeComputed(resource.NewProperty("")), true},
		{resource.NewNullProperty(), true},
		{resource.NewProperty(""), false},
		{resource.NewProperty("7"), false},
		{resource.NewProperty("7.40"), false},
		{resource.NewProperty("v7.40.0"), false},
		{resource.NewProperty(" 7.40.0"), false},
		{resource.NewProperty("5.43.0"), false},
		{resource.NewProperty("8.0.0"), false},
		{resource.NewProperty("s3cr3t"), false},
		{resource.MakeSecret(resource.NewProperty("s3cr3t")), false},
		{resource.NewProperty(7.0), false},
		{resource.NewProperty(resource.PropertyMap{"s3cr3t": resource.NewProperty("7.40.0")}), false},
	} {
		// In a project of the package's name, the program's own settings come along.
		news, err := plugin.MarshalProperties(resource.PropertyMap{
			"awsVersion": test.value, "robotName": resource.NewProperty("ci"),
		}, plugin.MarshalOptions{KeepSecrets: true, KeepUnknowns: true})
		check(t, err)
		checked, err := tp.CheckConfig(t.Context(), &pulumirpc.CheckRequest{
			Urn: "urn:pulumi:stack::project::pulumi:providers:cicd::default", News: news,
		})
		check(t, err)
		failures := checked.GetFailures()
		if (len(failures) == 0) != test.passes {
			t.Errorf("%v: the failures are %v", test.value, failures)
		}
		if len(failures) > 0 && (len(failures) > 1 || failures[0].GetProperty() != "awsVersion" ||
			!strings.HasPrefix(failures[0].GetReason(), "must be ") || strings.Contains(failures[0].GetReason(), "s3cr3t")) {
			t.Errorf("%v: the failures are %v", test.value, failures)
		}
		if checked.GetInputs().GetFields()["robotName"].GetStringValue() != "ci" {
			t.Errorf("%v: the inputs are %v", test.value, checked.GetInputs())
		}
	}
}

// TestConfigurationReplacesNothing checks that the engine decides alone what a changed setting does to the provider,
// which is to update it. The resources of a provider that is replaced are replaced too.
func TestConfigurationReplacesNothing(t *testing.T) {
	t.Parallel()
	_, err := startProvider(t).DiffConfig(t.Context(), &pulumirpc.DiffRequest{})
	if status.Code(err) != codes.Unimplemented {
		t.Errorf("DiffConfig answers %v", err)
	}
}

// TestAWSVersion checks that every child and every look-up asks for the version that is set, and without a setting for
// none.
func TestAWSVersion(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"", "7.40.0"} {
		for name, construct := range map[string]func(*testPlugin) error{
			"robot": func(tp *testPlugin) error {
				_, err := tp.Construct(t.Context(), tp.robotRequest(t, nil))
				return err
			},
			"role": func(tp *testPlugin) error {
				_, err := tp.Construct(t.Context(), tp.roleRequest(t, resource.PropertyMap{
					"managedPolicyArns": strs("arn:aws:iam::aws:policy/ReadOnlyAccess"),
				}))
				return err
			},
			"provider": func(tp *testPlugin) error {
				_, err := tp.Construct(t.Context(), tp.oidcRequest(t, nil))
				return err
			},
			"key": func(tp *testPlugin) error {
				_, err := tp.Construct(t.Context(), tp.keyRequest(t, map[string]resource.PropertyValue{
					"secretsManager": resource.NewProperty(resource.PropertyMap{"name": resource.NewProperty("ci")}),
					"ssmPath":        resource.NewProperty("/ci"),
				}))
				return err
			},
			"taken name": func(tp *testPlugin) error {
				tp.fails = "EntityAlreadyExists"
				ci := resource.NewProperty("ci")
				_, err := tp.Construct(t.Context(), tp.robotRequest(t, resource.PropertyMap{"userName": ci, "groupName": ci}))
				if err != nil && len(tp.looked) > 2 { // Those for the account, and one for the name.
					return nil
				}
				return err
			},
		} {
			tp := startProvider(t)
			if version != "" {
				args, err := plugin.MarshalProperties(resource.PropertyMap{
					"awsVersion": resource.MakeSecret(resource.NewProperty(version)),
				}, plugin.MarshalOptions{KeepSecrets: true})
				check(t, err)
				_, err = tp.Configure(t.Context(), &pulumirpc.ConfigureRequest{Args: args, AcceptSecrets: true})
				check(t, err)
			}
			check(t, construct(tp))
			asked := 0
			for _, r := range tp.registered() {
				if strings.HasPrefix(r.GetType(), "aws:") {
					asked++
					if r.GetVersion() != version {
						t.Errorf("%s: %s asks for %q, not %q", name, r.GetType(), r.GetVersion(), version)
					}
				}
			}
			for token, versions := range tp.looked {
				asked++
				if slices.ContainsFunc(versions, func(v string) bool { return v != version }) {
					t.Errorf("%s: %s asks for %q, not %q", name, token, versions, version)
				}
			}
			if asked < 2 {
				t.Errorf("%s: only %d ask for a version", name, asked)
			}
		}
	}
}
