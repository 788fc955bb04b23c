package main

import (
	"net/url"
	"strings"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestEquivalentPolicies(t *testing.T) {
	statement := func(fields string) string { return `{"Version":"2012-10-17","Statement":[{` + fields + `}]}` }
	for _, c := range []struct {
		name, a, b string
		want       bool
	}{
		{"formatting and singles", allowAssume, assumeSpaced, true},
		{"other action", allowAssume, allowTag, false},
		{"account and its root", trustUser, trustNum, true},
		{"order of actions", statement(`"Action":["a:B","a:C"]`), statement(`"Action":["a:C","a:B"]`), true},
		{"more actions", statement(`"Action":["a:B"]`), statement(`"Action":["a:C","a:B"]`), false},
		{"version", `{"Version":"2008-10-17","Statement":[]}`, `{"Version":"2012-10-17","Statement":[]}`, false},
		{"condition", statement(`"Condition":{"Bool":{"aws:X":"true"}}`), statement(`"Condition":{"Bool":{"aws:X":["true"]}}`), true},
		{"other condition", statement(`"Condition":{"Bool":{"aws:X":"true"}}`), statement(`"Condition":{"Bool":{"aws:X":"false"}}`), false},
		{"effect", statement(`"Effect":"Allow"`), statement(`"Effect":"Deny"`), false},
		{"statement twice", `{"Statement":[{"Sid":"a"},{"Sid":"a"}]}`, `{"Statement":[{"Sid":"a"}]}`, false},
		{"order of statements", `{"Statement":[{"Sid":"a"},{"Sid":"b"}]}`, `{"Statement":[{"Sid":"b"},{"Sid":"a"}]}`, true},
		{"not JSON", "x", "y", false},
	} {
		if got := equivalentPolicies(c.a, c.b); got != c.want || equivalentPolicies(c.b, c.a) != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestNormalizePolicy(t *testing.T) {
	const want = `{"Version":"2012-10-17","Statement":{"Action":"sts:AssumeRole","Effect":"Allow","Resource":["arn:aws:iam::123456789012:role/*"]}}`
	if got, err := normalizeLegacyPolicy(assumeSpaced); err != nil || got != want {
		t.Errorf("%s %v", got, err)
	}
	if got, err := normalizeLegacyPolicy(`{"Version":"2012-10-17"}`); err != nil || got != `{"Version":"2012-10-17"}` {
		t.Errorf("%s %v", got, err)
	}
}

func TestStoredPolicy(t *testing.T) {
	// The prior text stays while the API's document means the same, and gives way otherwise.
	encoded := url.QueryEscape(trustUser)
	if got, err := storedPolicy(trustNum, encoded, normalizePolicy); err != nil || !strings.Contains(got, `"AWS":["123456789012"]`) {
		t.Errorf("%s %v", got, err)
	}
	for _, prior := range []string{"", trustOther} {
		if got, err := storedPolicy(prior, encoded, normalizePolicy); err != nil || got != trustUser {
			t.Errorf("after %q: %s %v", prior, got, err)
		}
	}
}

// TestPolicyTexts follows the text of a policy through its life, for all that have one. Terraform plans and stores its
// normal form, and a refresh leaves in the state whatever means the same as what AWS has. This is what the schemas of
// terraform-provider-aws do behind Pulumi's bridge 3.118.0.
func TestPolicyTexts(t *testing.T) {
	const (
		given   = `{ "Version": "2012-10-17", "Statement": [{ "Sid": "a", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "*" }] }`
		inline  = `{"Version":"2012-10-17","Statement":[{"Action":"s3:GetObject","Effect":"Allow","Resource":"*","Sid":"a"}]}`
		trusted = `{ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Principal": { "AWS": "123456789012" }, "Action": "sts:AssumeRole" }] }`
		trust   = `{"Statement":[{"Action":"sts:AssumeRole","Effect":"Allow","Principal":{"AWS":"123456789012"}}],"Version":"2012-10-17"}`
	)
	h := live(t, moto(t), nil)
	h.create(group.token, values{"name": s("g")})
	h.create(role.token, values{"name": s("r"), "assumeRolePolicy": s(trustUser)})
	for _, c := range []struct {
		token, property, given, normal, other string
		more                                  values
	}{
		{groupPolicy.token, "policy", given, inline, allowTag, values{"group": s("g")}},
		{rolePolicy.token, "policy", given, inline, allowTag, values{"role": s("r")}},
		{role.token, "assumeRolePolicy", trusted, trust, trustOther, values{"name": s("q")}},
	} {
		in := h.check(c.token, property.Map{}, with(c.more, values{c.property: s(c.given)}))
		expect(t, in, values{c.property: s(c.given)})
		preview, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(c.token), Properties: in, DryRun: true})
		if err != nil {
			t.Fatal(err)
		}
		expect(t, preview.Properties, values{c.property: s(c.normal)})
		m := h.create(c.token, with(c.more, values{c.property: s(c.given)}))
		expect(t, m.output, values{c.property: s(c.normal)})
		h.refresh(m, false)
		given := m
		given.output = m.output.Set(c.property, s(c.given))
		expect(t, h.refresh(given, false).Inputs, values{c.property: s(c.given)})

		m = h.update(m, with(c.more, values{c.property: s(c.other)}))
		in = h.check(c.token, m.in, with(c.more, values{c.property: s(c.given)}))
		update := p.UpdateRequest{ID: m.id, Urn: urnOf(c.token), State: m.output, OldInputs: m.in, Inputs: in, DryRun: true}
		planned, err := h.Update(t.Context(), update)
		if err != nil {
			t.Fatal(err)
		}
		expect(t, planned.Properties, values{c.property: s(c.normal)})
		// What the given text stands for in AWS is no more.
		if drift := h.refresh(given, true); str(drift.Properties.Get(c.property)) == c.given {
			t.Errorf("%s: the drift does not show", c.token)
		}
	}
}
