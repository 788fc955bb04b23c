package main

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestAccessKeyDiff(t *testing.T) {
	state := values{
		"user": s("u"), "status": s("Active"), "createDate": s("d"), "secret": s("x"), "id": s("AKIA"),
	}
	in := values{"user": s("u"), "status": s("Active"), "__defaults": list("status")}
	encrypted := with(state, values{"secret": {}, "pgpKey": s("k"), "encryptedSecret": s("e")})
	runDiffs(t, accessKey.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "imported state", state: with(state, values{"secret": {}}), in: in},
		{name: "switched off", state: state, in: with(in, values{"status": s("Inactive")}), update: []string{"status"}},
		{name: "switched off by another", state: with(state, values{"status": s("Inactive")}), in: in, update: []string{"status"}},
		{name: "user", state: state, in: with(in, values{"user": s("v")}), replace: []string{"user"}},
		{name: "unknown user", state: state, in: with(in, values{"user": unknown}), replace: []string{"user"}},
		{name: "to PGP", state: state, in: with(in, values{"pgpKey": s("k")}), replace: []string{"pgpKey"}},
		{name: "other PGP key", state: encrypted, in: with(in, values{"pgpKey": s("l")}), replace: []string{"pgpKey"}},
		{name: "from PGP", state: encrypted, in: in, replace: []string{"pgpKey"}},
	})
}

func TestAccessKeyLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	h.create(user.token, values{"name": s("u")})
	m := h.create(accessKey.token, values{"user": s("u")})
	expect(t, m.in, values{"status": s("Active"), "__defaults": list("status")})
	expect(t, m.output, values{
		"user": s("u"), "status": s("Active"), "id": s(m.id), "pgpKey": {},
		"encryptedSecret": {}, "keyFingerprint": {},
	})
	if _, err := time.Parse(time.RFC3339, str(m.output.Get("createDate"))); err != nil {
		t.Error(err)
	}
	if v := m.output.Get("secret"); str(v) == "" || !v.Secret() {
		t.Errorf("the secret is %d characters long, secret: %v", len(str(v)), v.Secret())
	}
	h.refresh(m, false)

	inactive := values{"user": s("u"), "status": s("Inactive")}
	preview, err := h.Update(t.Context(), p.UpdateRequest{
		ID: m.id, Urn: urnOf(m.token), State: m.output, DryRun: true, Inputs: h.check(m.token, m.in, inactive),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{"status": s("Inactive"), "secret": m.output.Get("secret")})
	c := h.clients().iam
	if got := statuses(t, c, "u"); !slices.Equal(got, []string{"Active"}) {
		t.Errorf("the preview leaves %v", got)
	}
	before := m.output.Get("secret")
	m = h.update(m, inactive)
	expect(t, m.output, values{"status": s("Inactive"), "secret": before})
	if got := statuses(t, c, "u"); !slices.Equal(got, []string{"Inactive"}) {
		t.Errorf("the update leaves %v", got)
	}
	m = h.update(m, values{"user": s("u")})

	if _, err := c.UpdateAccessKey(t.Context(), &iam.UpdateAccessKeyInput{
		UserName: aws.String("u"), AccessKeyId: aws.String(m.id), Status: types.StatusTypeInactive,
	}); err != nil {
		t.Fatal(err)
	}
	drifted := h.refresh(m, true)
	expect(t, drifted.Properties, values{"status": s("Inactive"), "secret": before})
	if !drifted.Properties.Get("secret").Secret() {
		t.Error("the secret is none after a refresh")
	}
	if diff := h.diff(made{token: m.token, id: m.id, in: m.in, output: drifted.Properties}, m.in); !diff.HasChanges || len(replaced(diff)) > 0 {
		t.Errorf("after the drift: %+v", diff)
	}

	read := h.importID(accessKey.token, m.id)
	expect(t, read.Inputs, values{"user": s("u"), "status": s("Inactive"), "pgpKey": {}})
	expect(t, read.Properties, values{"secret": {}, "createDate": m.output.Get("createDate")})
	if _, err := h.Read(t.Context(), p.ReadRequest{ID: "AKIANOSUCHKEY", Urn: urnOf(m.token)}); err == nil {
		t.Error("a key that is not there was imported")
	}
	h.remove(m)
	if got := statuses(t, c, "u"); len(got) > 0 {
		t.Errorf("the delete leaves %v", got)
	}
}

// statuses are those of a user's keys.
func statuses(t *testing.T, c *iam.Client, user string) []string {
	t.Helper()
	keys, err := accessKeysOf(t.Context(), c, user)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, key := range keys {
		out = append(out, string(key.Status))
	}
	return out
}

func TestAccessKeyPreview(t *testing.T) {
	h := live(t, moto(t), nil)
	h.create(user.token, values{"name": s("u")})
	in := h.check(accessKey.token, property.Map{}, values{"user": s("u")})
	preview, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(accessKey.token), Properties: in, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	hidden := unknown.WithSecret(true)
	expect(t, preview.Properties, values{
		"user": s("u"), "status": s("Active"), "id": unknown, "createDate": unknown, "secret": hidden,
		"encryptedSecret": unknown, "keyFingerprint": unknown,
	})
	if got := statuses(t, h.clients().iam, "u"); len(got) > 0 {
		t.Errorf("the preview made %v", got)
	}
}

func TestAccessKeyGone(t *testing.T) {
	h := live(t, moto(t), nil)
	u := h.create(user.token, values{"name": s("u"), "forceDestroy": property.New(true)})
	m := h.create(accessKey.token, values{"user": s("u"), "status": s("Inactive")})
	c := h.clients().iam
	if got := statuses(t, c, "u"); !slices.Equal(got, []string{"Inactive"}) {
		t.Errorf("created as inactive, it is %v", got)
	}
	h.remove(u)
	h.remove(m)
	if _, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in}); err == nil ||
		!strings.Contains(err.Error(), "creating IAM Access Key (u)") {
		t.Errorf("creating a key of nobody: %v", err)
	}
}

// TestAccessKeyOfRenamedUser has a key outlive its own delete: the state knows its user by the name of before, which
// is nobody's, and Terraform takes that for a key that is gone.
func TestAccessKeyOfRenamedUser(t *testing.T) {
	h := live(t, moto(t), nil)
	u := h.create(user.token, values{"name": s("u")})
	m := h.create(accessKey.token, values{"user": s("u")})
	h.update(u, values{"name": s("v")})
	diff := h.diff(m, h.check(m.token, m.in, values{"user": s("v")}))
	if !slices.Equal(replaced(diff), []string{"user"}) || diff.DeleteBeforeReplace {
		t.Errorf("the key of a user who was renamed: %+v", diff)
	}
	h.remove(m)
	if got := statuses(t, h.clients().iam, "v"); !slices.Equal(got, []string{"Active"}) {
		t.Errorf("the delete leaves %v", got)
	}
}

// TestAccessKeyLimit makes a third key, which AWS refuses, as in a replacement of one of two.
func TestAccessKeyLimit(t *testing.T) {
	h := live(t, moto(t), nil)
	h.create(user.token, values{"name": s("u")})
	first := h.create(accessKey.token, values{"user": s("u")})
	h.create(accessKey.token, values{"user": s("u")})
	third := p.CreateRequest{Urn: urnOf(accessKey.token), Properties: first.in}
	if _, err := h.Create(t.Context(), third); err == nil || !strings.Contains(err.Error(), "LimitExceeded") {
		t.Errorf("creating a third key: %v", err)
	}
	h.remove(first)
	if _, err := h.Create(t.Context(), third); err != nil {
		t.Error(err)
	}
}

// TestAccessKeyCalls holds the calls against those of Terraform, which reads no key that it has just made.
func TestAccessKeyCalls(t *testing.T) {
	const key = "<AccessKeyId>AKIA1</AccessKeyId><UserName>u</UserName><CreateDate>2026-01-02T03:04:05Z</CreateDate>"
	fake := newFakeAWS(t, map[string]string{
		"CreateAccessKey": "<AccessKey>" + key + "<SecretAccessKey>" + secretKey + "</SecretAccessKey><Status>Active</Status></AccessKey>",
		"ListAccessKeys":  "<AccessKeyMetadata><member>" + key + "<Status>Inactive</Status></member></AccessKeyMetadata>",
		"UpdateAccessKey": "", "DeleteAccessKey": "",
	})
	h := live(t, fake.URL, nil)
	fake.actions()
	m := h.create(accessKey.token, values{"user": s("u"), "status": s("Inactive")})
	if got := fake.actions(); !slices.Equal(got, []string{"CreateAccessKey", "UpdateAccessKey"}) {
		t.Errorf("asked %v", got)
	}
	expect(t, m.output, values{
		"status": s("Inactive"), "createDate": s("2026-01-02T03:04:05Z"), "secret": s(secretKey).WithSecret(true),
	})
	if err := h.Delete(t.Context(), p.DeleteRequest{ID: m.id, Urn: urnOf(m.token), Properties: m.output}); err != nil {
		t.Fatal(err)
	}
	if got := fake.last("DeleteAccessKey"); got["UserName"] != "u" || got["AccessKeyId"] != "AKIA1" {
		t.Errorf("asked %v", got)
	}
	fake.actions()

	// A key that cannot be switched off is there nonetheless, with the only copy of its secret.
	delete(fake.results, "UpdateAccessKey")
	made, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in})
	if err == nil || made.PartialState == nil || made.ID != "AKIA1" {
		t.Fatalf("after a failed call: %+v %v", made, err)
	}
	if v := made.Properties.Get("secret"); str(v) != secretKey || !v.Secret() || strings.Contains(err.Error(), secretKey) {
		t.Errorf("after a failed call: %v", err)
	}
}

func TestAccessKeyPGP(t *testing.T) {
	recipient, err := openpgp.NewEntity("robot", "", "robot@example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	var public bytes.Buffer
	if err := recipient.Serialize(&public); err != nil {
		t.Fatal(err)
	}
	pgpKey := base64.StdEncoding.EncodeToString(public.Bytes())

	h := live(t, moto(t), nil)
	h.create(user.token, values{"name": s("u")})
	m := h.create(accessKey.token, values{"user": s("u"), "pgpKey": s(pgpKey)})
	expect(t, m.output, values{
		"secret": {}, "pgpKey": s(pgpKey),
		"keyFingerprint": s(fmt.Sprintf("%x", recipient.PrimaryKey.Fingerprint)),
	})
	message, err := base64.StdEncoding.DecodeString(str(m.output.Get("encryptedSecret")))
	if err != nil {
		t.Fatal(err)
	}
	opened, err := openpgp.ReadMessage(bytes.NewReader(message), openpgp.EntityList{recipient}, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(opened.UnverifiedBody)
	if err != nil || len(text) != 40 {
		t.Errorf("decrypted %q: %v", text, err)
	}
	h.refresh(m, false)
	h.remove(m)

	// What is no key is found out after the key was made, and then the key is in the state.
	for _, wrong := range []string{"-----BEGIN PGP PUBLIC KEY BLOCK-----", base64.StdEncoding.EncodeToString([]byte("no key"))} {
		in := h.check(accessKey.token, property.Map{}, values{"user": s("u"), "pgpKey": s(wrong)})
		made, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(accessKey.token), Properties: in})
		if err == nil || !strings.Contains(err.Error(), "given PGP key") || made.ID == "" || made.PartialState == nil {
			t.Errorf("with the PGP key %q: %+v %v", wrong, made, err)
		}
		if made.Properties.Get("secret").IsString() {
			t.Error("the secret is in the state")
		}
	}
}

func TestGetAccessKeys(t *testing.T) {
	h := live(t, moto(t), nil)
	ask := func(user string) (property.Map, error) {
		got, err := h.Invoke(t.Context(), p.InvokeRequest{Token: "aws:iam/getAccessKeys:getAccessKeys", Args: property.NewMap(values{"user": s(user)})})
		if len(got.Failures) > 0 {
			t.Fatal(got.Failures)
		}
		return got.Return, err
	}
	if _, err := ask("u"); err == nil || !strings.Contains(err.Error(), "reading IAM Access Keys (u): couldn't find resource") {
		t.Errorf("of nobody: %v", err)
	}
	h.create(user.token, values{"name": s("u")})
	none, err := ask("u")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, none, values{"accessKeys": property.New([]property.Value{}), "id": s("u"), "user": s("u")})

	want := []property.Value{}
	for _, status := range []string{"Active", "Inactive"} {
		m := h.create(accessKey.token, values{"user": s("u"), "status": s(status)})
		want = append(want, tags("accessKeyId", m.id, "createDate", str(m.output.Get("createDate")), "status", status))
	}
	slices.SortFunc(want, func(a, b property.Value) int {
		return strings.Compare(str(a.AsMap().Get("accessKeyId")), str(b.AsMap().Get("accessKeyId")))
	})
	two, err := ask("u")
	if err != nil {
		t.Fatal(err)
	}
	expect(t, two, values{"accessKeys": property.New(want)})
}

// TestGetAccessKeysOnPages has the endpoint answer with one key at a time, which moto never does.
func TestGetAccessKeysOnPages(t *testing.T) {
	const key = "<AccessKeyMetadata><member><AccessKeyId>AKIA1</AccessKeyId></member></AccessKeyMetadata>"
	fake := newFakeAWS(t, nil)
	pages := 0
	fake.answer = func(request map[string]string) string {
		if request["Action"] != "ListAccessKeys" {
			return ""
		}
		pages++
		if request["Marker"] == "next" {
			return key + "<IsTruncated>false</IsTruncated>"
		}
		return key + "<IsTruncated>true</IsTruncated><Marker>next</Marker>"
	}
	h := live(t, fake.URL, nil)
	got, err := h.Invoke(t.Context(), p.InvokeRequest{Token: "aws:iam/getAccessKeys:getAccessKeys", Args: property.NewMap(values{"user": s("u")})})
	if err != nil || got.Return.Get("accessKeys").AsArray().Len() != 2 || pages != 2 {
		t.Errorf("%d pages: %v %v", pages, got, err)
	}
}
