package serve

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

// TestSDKLeavesConnectionsOpen checks that the Pulumi SDK still leaves a connection to the resource monitor open at
// each construct; when it fails, delete workaround_connections.go.
func TestSDKLeavesConnectionsOpen(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	const constructs = 3
	for range constructs {
		m.constructBySDK(t)
	}
	if !staysTrue(func() bool { return m.connections.Load() >= constructs }) {
		t.Error("the Pulumi SDK closes its connections: delete workaround_connections.go, " +
			"once TestFrameworkDropsDependencies and TestFrameworkDropsAliases fail too")
	}
}

// TestConnectionsAreClosed says that constructAndClose closes them.
func TestConnectionsAreClosed(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	for range 3 {
		_, err := constructAndClose(t.Context(), m.request(), m.engine, constructWithChild)
		check(t, err)
	}
	if !becomesTrue(func() bool { return m.connections.Load() == 0 }) {
		t.Errorf("%d connections stay open", m.connections.Load())
	}
}

// TestFrameworkDropsDependencies checks that pulumi-go-provider still drops what a component's outputs depend on; when
// it fails, delete workaround_connections.go.
func TestFrameworkDropsDependencies(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	depends := func(resp *pulumirpc.ConstructResponse) bool {
		t.Helper()
		state, err := plugin.UnmarshalProperties(resp.GetState(), plugin.MarshalOptions{
			KeepUnknowns: true, KeepSecrets: true, KeepOutputValues: true, KeepResources: true,
		})
		check(t, err)
		id, exists := state["childId"]
		if !exists {
			t.Fatalf("the component has the outputs %v", state)
		}
		return len(resp.GetStateDependencies()["childId"].GetUrns()) > 0 ||
			id.IsOutput() && len(id.OutputValue().Dependencies) > 0
	}
	if !depends(m.constructBySDK(t)) {
		t.Fatal("the Pulumi SDK does not say what an output depends on")
	}
	if depends(m.constructByFramework(t, m.request())) {
		t.Error("pulumi-go-provider keeps what outputs depend on: delete workaround_connections.go, " +
			"once TestSDKLeavesConnectionsOpen and TestFrameworkDropsAliases fail too")
	}
}

// TestFrameworkDropsAliases checks that pulumi-go-provider still drops aliases that are given by their parts; when it
// fails, delete workaround_connections.go.
func TestFrameworkDropsAliases(t *testing.T) {
	t.Parallel()
	m := startMonitor(t)
	req := m.request()
	req.Aliases = []*pulumirpc.Alias{
		{Alias: &pulumirpc.Alias_Urn{Urn: "urn:pulumi:stack::project::" + componentType + "::older"}},
		{Alias: &pulumirpc.Alias_Spec_{Spec: &pulumirpc.Alias_Spec{Name: "old"}}},
	}
	m.constructByFramework(t, req)
	switch arrived := m.component().GetAliases(); len(arrived) {
	case 1: // The one that is a URN.
	case len(req.GetAliases()):
		t.Error("pulumi-go-provider keeps aliases that are given by their parts: delete workaround_connections.go, " +
			"once TestSDKLeavesConnectionsOpen and TestFrameworkDropsDependencies fail too")
	default:
		t.Errorf("the component is registered with the aliases %v", arrived)
	}
}
