package main

import (
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// look calls a function.
func (h harness) look(f functionType, args values) (property.Map, error) {
	h.Helper()
	got, err := h.Invoke(h.Context(), p.InvokeRequest{Token: tokens.Type(f.token), Args: property.NewMap(args)})
	if len(got.Failures) > 0 {
		h.Fatal(got.Failures)
	}
	return got.Return, err
}

// TestLookups checks what the functions tell of what there is, asked for in other letter case where IAM minds none.
func TestLookups(t *testing.T) {
	h := live(t, moto(t), nil)
	const boundary = "arn:aws:iam::123456789012:policy/bound"
	u := h.create(user.token, values{"name": s("bot"), "path": s("/ci/"), "tags": tags("a", "b"), "permissionsBoundary": s(boundary)})
	g := h.create(group.token, values{"name": s("bots"), "path": s("/ci/")})
	h.create(groupMembership.token, values{"group": s("bots"), "users": list("bot")})
	r := h.create(role.token, values{"name": s("deploy"), "assumeRolePolicy": s(trustUser), "tags": tags("a", "b"), "description": s("d")})
	provider := h.create(openIDConnectProvider.token, values{"url": s(issuerURL), "clientIdLists": list("x"), "tags": tags("a", "b")})

	for name, test := range map[string]struct {
		f          functionType
		args, want values
	}{
		"user": {getUser, values{"userName": s("BOT")}, values{
			"arn": u.output.Get("arn"), "id": u.output.Get("uniqueId"), "path": s("/ci/"), "permissionsBoundary": s(boundary),
			"tags": tags("a", "b"), "userId": u.output.Get("uniqueId"), "userName": s("BOT"),
		}},
		"group": {getGroup, values{"groupName": s("Bots")}, values{
			"arn": g.output.Get("arn"), "groupId": g.output.Get("uniqueId"), "id": g.output.Get("uniqueId"),
			"groupName": s("Bots"), "path": s("/ci/"),
			"users": property.New([]property.Value{tags("arn", "arn:aws:iam::123456789012:user/ci/bot", "path", "/ci/",
				"userId", str(u.output.Get("uniqueId")), "userName", "bot")}),
		}},
		"role": {getRole, values{"name": s("Deploy")}, values{
			"arn": r.output.Get("arn"), "id": s("Deploy"), "name": s("deploy"), "path": s("/"), "description": s("d"),
			"maxSessionDuration": property.New(3600.0), "uniqueId": r.output.Get("uniqueId"), "tags": tags("a", "b"),
			"assumeRolePolicy": s(trustUser), "permissionsBoundary": s(""),
		}},
		"provider by URL": {getOpenIDConnectProvider, values{"url": s(issuerURL)}, values{
			"arn": s(issuerARN), "id": s(issuerARN), "url": s("ci.example/oidc"), "clientIdLists": list("x"),
			"thumbprintLists": provider.output.Get("thumbprintLists"), "tags": tags("a", "b"),
		}},
		"provider by ARN": {getOpenIDConnectProvider, values{"arn": s(issuerARN)}, values{"id": s(issuerARN), "clientIdLists": list("x")}},
	} {
		got, err := h.look(test.f, test.args)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		expect(t, got, test.want)
		for output := range test.f.outputs {
			if got.Get(output).IsNull() {
				t.Errorf("%s: there is no %s", name, output)
			}
		}
	}
}

// TestLookupsFail checks what the functions say of what is not there, and of what they cannot be asked.
func TestLookupsFail(t *testing.T) {
	h := live(t, moto(t), nil)
	h.create(openIDConnectProvider.token, values{"url": s(issuerURL), "clientIdLists": list("x")})
	const one = `one of "arn,url" must be specified`
	for name, test := range map[string]struct {
		f    functionType
		args values
		want string
	}{
		"user":     {getUser, values{"userName": s("x")}, "reading IAM User (x): couldn't find resource"},
		"group":    {getGroup, values{"groupName": s("x")}, "NoSuchEntity"},
		"role":     {getRole, values{"name": s("x")}, "reading IAM Role (x): couldn't find resource"},
		"URL":      {getOpenIDConnectProvider, values{"url": s(issuerURL + "/")}, "reading IAM OIDC Provider (" + issuerURL + "/): couldn't find resource"},
		"ARN":      {getOpenIDConnectProvider, values{"arn": s(issuerARN + "x")}, "reading IAM OIDC Provider: couldn't find resource"},
		"neither":  {getOpenIDConnectProvider, nil, one},
		"both":     {getOpenIDConnectProvider, values{"arn": s(issuerARN), "url": s(issuerURL)}, one},
		"no https": {getOpenIDConnectProvider, values{"url": s("ci.example")}, "HTTPS"},
	} {
		if got, err := h.look(test.f, test.args); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
	for name, test := range map[string]struct {
		args property.Map
		want string
	}{
		"tags":    {property.NewMap(values{"userName": s("x"), "tags": tags("a", "b")}), "is not implemented"},
		"no name": {property.Map{}, "missing required property"},
	} {
		got, err := h.Invoke(t.Context(), p.InvokeRequest{Token: tokens.Type(getUser.token), Args: test.args})
		if err != nil || len(got.Failures) != 1 || !strings.Contains(got.Failures[0].Reason, test.want) {
			t.Errorf("%s: %v %v", name, got.Failures, err)
		}
	}
}
