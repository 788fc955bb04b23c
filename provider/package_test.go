package provider

import (
	"encoding/json"
	"testing"

	"github.com/blang/semver"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestVersionIsSemantic(t *testing.T) {
	t.Parallel()
	if _, err := semver.Parse(Version); err != nil {
		t.Errorf("the version %q: %v", Version, err)
	}
}

// TestServedSchema says that the plugin serves the schema with its own name and version.
func TestServedSchema(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	resp, err := tp.GetSchema(t.Context(), &pulumirpc.GetSchemaRequest{})
	check(t, err)
	var spec struct {
		Name, Version string
		Resources     map[string]any
	}
	check(t, json.Unmarshal([]byte(resp.GetSchema()), &spec))
	if spec.Name != Name || spec.Version != Version {
		t.Errorf("the schema is of %s %s", spec.Name, spec.Version)
	}
	for token := range components {
		if spec.Resources[string(token)] == nil {
			t.Errorf("the schema does not have %s", token)
		}
	}
	if len(spec.Resources) != len(components) {
		t.Errorf("the schema has %d resources, and the plugin %d components", len(spec.Resources), len(components))
	}
	info, err := tp.GetPluginInfo(t.Context(), &emptypb.Empty{})
	check(t, err)
	if info.GetVersion() != Version {
		t.Errorf("the plugin says that it is %s", info.GetVersion())
	}
}

// TestNoConfiguration checks that the package needs no configuration.
func TestNoConfiguration(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	const urn = "urn:pulumi:stack::project::pulumi:providers:cicd::default"
	given, err := structpb.NewStruct(map[string]any{"version": "1.2.3"})
	check(t, err)
	checked, err := tp.CheckConfig(t.Context(), &pulumirpc.CheckRequest{Urn: urn, News: given})
	check(t, err)
	if len(checked.GetFailures()) > 0 || checked.GetInputs().GetFields()["version"].GetStringValue() != "1.2.3" {
		t.Errorf("the configuration is taken for %v", checked)
	}
	configured, err := tp.Configure(t.Context(), &pulumirpc.ConfigureRequest{
		Args: given, AcceptSecrets: true, AcceptResources: true,
	})
	check(t, err)
	if !configured.GetAcceptSecrets() || !configured.GetAcceptOutputs() || !configured.GetAcceptResources() {
		t.Errorf("the plugin takes %v", configured)
	}
}
