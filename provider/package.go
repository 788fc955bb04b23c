package provider

import (
	"context"
	_ "embed" // For the schema.
	"encoding/json"
	"fmt"

	"github.com/blang/semver"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// servedSchema is the package's schema without a version. pulumi-gen-cicd writes it.
//
//go:embed schema.json
var servedSchema []byte

// packageProvider answers what the engine asks of a package: which version it has, its schema, and its
// configuration, of which there is none.
type packageProvider struct {
	plugin.UnimplementedProvider
}

// Handshake says what the plugin takes: everything.
func (*packageProvider) Handshake(
	context.Context, plugin.ProviderHandshakeRequest,
) (*plugin.ProviderHandshakeResponse, error) {
	return &plugin.ProviderHandshakeResponse{AcceptSecrets: true, AcceptResources: true, AcceptOutputs: true}, nil
}

// GetPluginInfo returns the version.
func (*packageProvider) GetPluginInfo(context.Context) (plugin.PluginInfo, error) {
	version, err := semver.Parse(Version)
	return plugin.PluginInfo{Version: &version}, err
}

// GetSchema returns the schema.
func (*packageProvider) GetSchema(context.Context, plugin.GetSchemaRequest) (plugin.GetSchemaResponse, error) {
	var spec map[string]json.RawMessage
	if err := json.Unmarshal(servedSchema, &spec); err != nil {
		return plugin.GetSchemaResponse{}, fmt.Errorf("read the schema: %w", err)
	}
	version, err := json.Marshal(Version)
	if err != nil {
		return plugin.GetSchemaResponse{}, err
	}
	spec["version"] = version
	text, err := json.Marshal(spec)
	return plugin.GetSchemaResponse{Schema: text}, err
}

// CheckConfig takes any configuration.
func (*packageProvider) CheckConfig(
	_ context.Context, req plugin.CheckConfigRequest,
) (plugin.CheckConfigResponse, error) {
	return plugin.CheckConfigResponse{Properties: req.News}, nil
}

// DiffConfig says that no configuration is another one.
func (*packageProvider) DiffConfig(context.Context, plugin.DiffConfigRequest) (plugin.DiffConfigResponse, error) {
	return plugin.DiffConfigResponse{Changes: plugin.DiffNone}, nil
}

// Configure needs no configuration.
func (*packageProvider) Configure(context.Context, plugin.ConfigureRequest) (plugin.ConfigureResponse, error) {
	return plugin.ConfigureResponse{}, nil
}
