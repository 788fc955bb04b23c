package main

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestSecretVersionDiff(t *testing.T) {
	state := values{
		"secretId": s("a"), "secretString": s("x"), "versionId": s("v"), "arn": s("a"), "versionStages": list(stageCurrent), "id": s("a|v"),
	}
	in := values{"secretId": s("a"), "secretString": s("x"), "__defaults": list()}
	runDiffs(t, secretVersion.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "no longer current", state: with(state, values{"versionStages": list(stagePrevious)}), in: in},
		{name: "value", state: state, in: with(in, values{"secretString": s("y")}), replace: []string{"secretString"}},
		{name: "unknown value", state: state, in: with(in, values{"secretString": unknown}), replace: []string{"secretString"}},
		{name: "secret", state: state, in: with(in, values{"secretId": s("b")}), replace: []string{"secretId"}},
		{name: "labels", state: state, in: with(in, values{"versionStages": list(stageCurrent, "x")}), update: []string{"versionStages"}},
	})
}

func TestSecretVersionLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	owner := h.create(secret.token, values{"name": s("s"), "recoveryWindowInDays": property.New(0.0)})
	with := func(value string, more ...string) values {
		in := values{"secretId": s(owner.id), "secretString": s(value)}
		if len(more) > 0 {
			in["versionStages"] = list(more...)
		}
		return in
	}
	m := h.create(secretVersion.token, with("one"))
	if !m.in.Get("secretString").Secret() {
		t.Error("the input is no secret")
	}
	expect(t, m.output, values{
		"secretId": s(owner.id), "arn": s(owner.id), "versionStages": list(stageCurrent), "secretString": s("one").WithSecret(true),
		"id": s(m.id), "versionId": s(strings.TrimPrefix(m.id, owner.id+"|")),
	})
	h.refresh(m, false)
	read := h.importID(secretVersion.token, m.id)
	expect(t, read.Inputs, values{"secretId": s(owner.id), "secretString": s("one").WithSecret(true), "versionStages": list(stageCurrent)})

	preview, err := h.Create(t.Context(), p.CreateRequest{
		Urn: urnOf(m.token), Properties: h.check(m.token, property.Map{}, with("two")), DryRun: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{
		"secretString": s("two").WithSecret(true), "versionId": unknown, "versionStages": unknown, "arn": unknown, "id": unknown,
	})
	h.refresh(m, false)

	// A replacement makes the new version, and then deletes the old one, which AWS has made the previous one.
	second := h.create(secretVersion.token, with("two"))
	drifted := h.refresh(m, true)
	expect(t, drifted.Properties, values{"versionStages": list(stagePrevious)})
	remove := func(id string, state property.Map) {
		t.Helper()
		if err := h.Delete(t.Context(), p.DeleteRequest{ID: id, Urn: urnOf(m.token), Properties: state}); err != nil {
			t.Fatal(err)
		}
	}
	remove(m.id, m.output)
	if got := h.refresh(m, true); !got.Properties.Get("versionStages").Equals(list(stagePrevious)) {
		t.Errorf("the previous version is now %v", got.Properties)
	}
	h.refresh(second, false)
	c := h.clients().secretsManager
	value := func() string {
		t.Helper()
		// Without the label moto takes the version that was put last.
		out, err := c.GetSecretValue(t.Context(), &secretsmanager.GetSecretValueInput{
			SecretId: aws.String(owner.id), VersionStage: aws.String(stageCurrent),
		})
		if err != nil {
			t.Fatal(err)
		}
		return aws.ToString(out.SecretString)
	}
	if got := value(); got != "two" {
		t.Errorf("the value is %s", got)
	}

	// Labels move, and the current one with that of the previous version.
	first := h.update(made{m.token, m.id, m.in, drifted.Properties}, with("one", stageCurrent, "mine"))
	expect(t, first.output, values{"versionStages": list(stageCurrent, "mine")})
	expect(t, h.refresh(second, true).Properties, values{"versionStages": list(stagePrevious)})
	if got := value(); got != "one" {
		t.Errorf("the value is %s", got)
	}
	first = h.update(first, with("one", stageCurrent))
	h.refresh(first, false)

	// Without its current label, which no delete takes, a version loses all that it has.
	labelled := h.create(secretVersion.token, with("three", "mine"))
	expect(t, labelled.output, values{"versionStages": list("mine")})
	remove(labelled.id, labelled.output)
	expect(t, h.refresh(labelled, true).Properties, values{"versionStages": list()})

	remove(first.id, first.output)
	if got := value(); got != "one" {
		t.Errorf("deleting the current version leaves %s", got)
	}
	h.remove(owner)
	if gone := h.refresh(first, true); gone.ID != "" {
		t.Error("the version outlives its secret")
	}
	remove(labelled.id, labelled.output)
	if _, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in}); err == nil ||
		!strings.Contains(err.Error(), "putting Secrets Manager Secret ("+owner.id+") value") || strings.Contains(err.Error(), "one") {
		t.Errorf("a version of no secret: %v", err)
	}
	if _, err := h.Read(t.Context(), p.ReadRequest{ID: "nonsense", Urn: urnOf(m.token)}); err == nil {
		t.Error("an id of another form was read")
	}
}

// TestSecretVersionMarkedForDeletion has the endpoint say what AWS says of a secret that is to be deleted: moto has
// other words.
func TestSecretVersionMarkedForDeletion(t *testing.T) {
	message := "You can't perform this operation on the secret because it was marked for deletion."
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("X-Amz-Target"))
		w.WriteHeader(http.StatusBadRequest)
		_, _ = w.Write([]byte(`{"__type":"InvalidRequestException","message":"` + message + `"}`))
	}))
	defer server.Close()
	h := live(t, newFakeAWS(t, nil).URL, map[string]property.Value{
		"endpoints": property.New([]property.Value{tags("secretsmanager", server.URL)}),
		// STS is at no endpoint of the test's here.
		"skipCredentialsValidation": property.New(true), "skipRequestingAccountId": property.New(true),
	})
	state := values{"secretId": s("a"), "versionId": s("v"), "versionStages": list("mine"), "secretString": s("x")}
	m := made{secretVersion.token, "a|v", property.NewMap(values{"secretId": s("a"), "secretString": s("x")}), property.NewMap(state)}
	if gone := h.refresh(m, true); gone.ID != "" {
		t.Error("the version is still there")
	}
	h.remove(m)
	want := []string{
		"secretsmanager.GetSecretValue", "secretsmanager.UpdateSecretVersionStage",
		"secretsmanager.UpdateSecretVersionStage", "secretsmanager.GetSecretValue",
	}
	if !slices.Equal(asked, want) {
		t.Errorf("asked %v", asked)
	}
	message = "The secret is not valid."
	if _, err := h.Read(t.Context(), p.ReadRequest{ID: m.id, Urn: urnOf(m.token), Properties: m.output, Inputs: m.in}); err == nil {
		t.Error("another error was taken for that of a secret which is to be deleted")
	}
}
