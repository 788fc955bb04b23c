package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

const (
	issuerURL = "https://ci.example/oidc"
	issuerARN = "arn:aws:iam::123456789012:oidc-provider/ci.example/oidc"
)

var thumbprints = []string{strings.Repeat("a1", 20), strings.Repeat("b2", 20)}

func TestOpenIDConnectProviderCheck(t *testing.T) {
	for name, test := range map[string]struct {
		in   values
		want string
	}{
		"no scheme":         {values{"url": s("ci.example")}, "begin with https://"},
		"no https":          {values{"url": s("http://ci.example")}, "begin with https://"},
		"no URL":            {values{"url": s("https://%")}, "valid URL"},
		"a query":           {values{"url": s("https://ci.example?a=b")}, "query parameters"},
		"no audiences":      {values{"clientIdLists": {}}, "missing required property"},
		"an empty audience": {values{"clientIdLists": list("a", "")}, "(1 - 255)"},
		"a long audience":   {values{"clientIdLists": list(strings.Repeat("a", 256))}, "(1 - 255)"},
		"short thumbprint":  {values{"thumbprintLists": list("a1")}, "(40 - 40)"},
		"no thumbprint":     {values{"thumbprintLists": s("a1")}, "expected an ordered list of strings"},
	} {
		t.Run(name, func(t *testing.T) {
			in := with(values{"url": s(issuerURL), "clientIdLists": list("a")}, test.in)
			got, err := newHarness(t).Check(t.Context(), p.CheckRequest{Urn: urnOf(openIDConnectProvider.token), Inputs: property.NewMap(in)})
			if err != nil || len(got.Failures) != 1 || !strings.Contains(fmt.Sprint(got.Failures), test.want) {
				t.Errorf("%v %v", got.Failures, err)
			}
		})
	}
}

func TestOpenIDConnectProviderDiff(t *testing.T) {
	state := values{
		"url": s("ci.example/oidc"), "clientIdLists": list("a", "b"), "thumbprintLists": list(thumbprints...),
		"tagsAll": tags(), "arn": s(issuerARN),
	}
	in := values{"url": s(issuerURL), "clientIdLists": list("a", "b"), "tagsAll": tags(), "__defaults": list()}
	runDiffs(t, openIDConnectProvider.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "URL as it is read", state: state, in: with(in, values{"url": s("ci.example/oidc")})},
		{name: "order of audiences", state: state, in: with(in, values{"clientIdLists": list("b", "a")})},
		{name: "audiences", state: state, in: with(in, values{"clientIdLists": list("a")}), update: []string{"clientIdLists"}},
		{name: "same thumbprints", state: state, in: with(in, values{"thumbprintLists": list(thumbprints...)})},
		{
			name: "order of thumbprints", state: state, in: with(in, values{"thumbprintLists": list(thumbprints[1], thumbprints[0])}),
			update: []string{"thumbprintLists"},
		},
		{name: "tags", state: state, in: with(in, values{"tags": tags("a", "b"), "tagsAll": tags("a", "b")}), update: []string{"tags", "tagsAll"}},
		{name: "URL", state: state, in: with(in, values{"url": s(issuerURL + "/")}), replace: []string{"url"}},
		{name: "letter case of the URL", state: state, in: with(in, values{"url": s("https://CI.example/oidc")}), replace: []string{"url"}},
	})
}

func TestOpenIDConnectProviderLifecycle(t *testing.T) {
	h := live(t, moto(t), nil)
	given := values{"url": s(issuerURL), "clientIdLists": list("b", "a"), "tags": tags("Team", "x")}
	m := h.create(openIDConnectProvider.token, given)
	expect(t, m.output, values{
		"arn": s(issuerARN), "id": s(issuerARN), "url": s("ci.example/oidc"), "clientIdLists": list("a", "b"),
		"tags": tags("Team", "x"), "tagsAll": tags("Team", "x"),
	})
	// IAM finds a thumbprint itself.
	if found := strs(m.output.Get("thumbprintLists")); len(found) != 1 || len(found[0]) != 40 {
		t.Errorf("the thumbprints are %v", found)
	}
	h.refresh(m, false)

	m = h.update(m, with(given, values{"clientIdLists": list("c", "b"), "thumbprintLists": list(thumbprints...), "tags": tags("team", "y")}))
	expect(t, m.output, values{"clientIdLists": list("b", "c"), "thumbprintLists": list(thumbprints...), "tags": tags("team", "y")})
	h.refresh(m, false)

	// What the program gives no more stays.
	m = h.update(m, with(given, values{"clientIdLists": list("c", "b"), "tags": {}}))
	expect(t, m.output, values{"thumbprintLists": list(thumbprints...), "tags": {}, "tagsAll": tags()})

	expect(t, h.importID(openIDConnectProvider.token, issuerARN).Inputs, values{
		"url": s("ci.example/oidc"), "clientIdLists": list("b", "c"), "thumbprintLists": list(thumbprints...),
	})
	checked := h.check(openIDConnectProvider.token, property.Map{}, given)
	_, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: checked})
	if err == nil || !strings.Contains(err.Error(), "creating IAM OIDC Provider: ") ||
		!strings.Contains(err.Error(), "EntityAlreadyExists: Provider with url "+issuerURL+" already exists.") {
		t.Errorf("a second provider: %v", err)
	}
	h.remove(m)
}

// TestOpenIDConnectProviderCalls checks which calls a change makes, and their order.
func TestOpenIDConnectProviderCalls(t *testing.T) {
	fake := newFakeAWS(t, map[string]string{
		"CreateOpenIDConnectProvider":        "<OpenIDConnectProviderArn>" + issuerARN + "</OpenIDConnectProviderArn>",
		"GetOpenIDConnectProvider":           "<Url>ci.example/oidc</Url>",
		"AddClientIDToOpenIDConnectProvider": "", "RemoveClientIDFromOpenIDConnectProvider": "",
		"UpdateOpenIDConnectProviderThumbprint": "", "TagOpenIDConnectProvider": "", "UntagOpenIDConnectProvider": "",
	})
	h := live(t, fake.URL, nil)
	h.create(openIDConnectProvider.token, values{"url": s(issuerURL), "clientIdLists": list("b", "a", "b"), "thumbprintLists": list(thumbprints[1], thumbprints[0])})
	made := fake.last("CreateOpenIDConnectProvider")
	if made["Url"] != issuerURL || made["ClientIDList.member.1"] != "a" || made["ClientIDList.member.2"] != "b" ||
		made["ClientIDList.member.3"] != "" || made["ThumbprintList.member.1"] != thumbprints[1] {
		t.Errorf("asked %v", made)
	}
	fake.actions()
	state := property.NewMap(values{
		"url": s("ci.example/oidc"), "clientIdLists": list("a", "b"), "thumbprintLists": list(thumbprints[0]),
		"tags": tags("a", "b"), "tagsAll": tags("a", "b"), "id": s(issuerARN),
	})
	for name, test := range map[string]struct {
		in   values
		want []string
	}{
		"audiences": {
			values{"clientIdLists": list("c", "b")},
			[]string{"AddClientIDToOpenIDConnectProvider", "RemoveClientIDFromOpenIDConnectProvider"},
		},
		"thumbprints":      {values{"thumbprintLists": list(thumbprints[1])}, []string{"UpdateOpenIDConnectProviderThumbprint"}},
		"no thumbprints":   {values{"thumbprintLists": list()}, nil},
		"tags":             {values{"tags": tags("c", "d")}, []string{"UntagOpenIDConnectProvider", "TagOpenIDConnectProvider"}},
		"tags that go":     {values{"tags": {}}, []string{"UntagOpenIDConnectProvider"}},
		"tags that change": {values{"tags": tags("a", "c")}, []string{"TagOpenIDConnectProvider"}},
	} {
		in := h.check(openIDConnectProvider.token, property.Map{}, with(values{
			"url": s(issuerURL), "clientIdLists": list("a", "b"), "tags": tags("a", "b"),
		}, test.in))
		_, err := h.Update(t.Context(), p.UpdateRequest{ID: issuerARN, Urn: urnOf(openIDConnectProvider.token), State: state, Inputs: in})
		if got := fake.actions(); err != nil || !slices.Equal(got, append(test.want, "GetOpenIDConnectProvider")) {
			t.Errorf("%s: asked %v: %v", name, got, err)
		}
	}
}
