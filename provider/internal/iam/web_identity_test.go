package iam

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/internal/iamtest"
)

const testIssuer = "https://ci.example/a"

// webIdentity returns one of the issuer [testIssuer].
func webIdentity(claims map[string]string, subjects ...string) WebIdentity {
	return WebIdentity{Issuer: testIssuer, Audience: "aud", Subjects: subjects, Claims: claims}
}

func TestWebIdentityPolicy(t *testing.T) {
	t.Parallel()
	const (
		user = `{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole",` +
			`"Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/cicd/bot"}~}}`
		job = `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/ci.example/a"},` +
			`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{~}}`
		one = `"StringEquals":{"ci.example/a:aud":"aud","ci.example/a:sub":"s"}`
	)
	policy := func(statements ...string) string {
		return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
	}
	with := func(statement, conditions string) string { return strings.Replace(statement, "~", conditions, 1) }
	tag := func(statement, action string) string {
		return strings.Replace(statement, `"`+action+`"`, `"sts:TagSession"`, 1)
	}
	const web = "sts:AssumeRoleWithWebIdentity"
	jobs := []WebIdentity{webIdentity(nil, "s")}
	for name, tt := range map[string]struct {
		trust Trust
		want  string
	}{
		"a job": {Trust{WebIdentities: jobs}, policy(with(job, one))},
		"a user and a job": {
			Trust{Principals: []string{testUser}, WebIdentities: jobs}, policy(with(user, ""), with(job, one)),
		},
		"subjects, what another one covers left out": {
			Trust{WebIdentities: []WebIdentity{webIdentity(nil, "a*", "b"), webIdentity(map[string]string{}, "b", "a1")}},
			policy(with(job, `"StringEquals":{"ci.example/a:aud":"aud"},"StringLike":{"ci.example/a:sub":["a*","b"]}`)),
		},
		"a ? is one character, and not one byte": {
			Trust{WebIdentities: []WebIdentity{webIdentity(nil, "a??", "aü")}},
			policy(with(job, `"StringEquals":{"ci.example/a:aud":"aud"},"StringLike":{"ci.example/a:sub":["a??","aü"]}`)),
		},
		"claims, those that one without covers left out": {
			Trust{WebIdentities: []WebIdentity{
				webIdentity(map[string]string{"id": "1"}, "a1"), webIdentity(map[string]string{"id": "1", "ref": "m"}, "a1", "c"),
				webIdentity(map[string]string{"id": "2"}, "c"),
			}},
			policy(
				with(job, `"StringEquals":{"ci.example/a:aud":"aud","ci.example/a:id":"1","ci.example/a:ref":"m","ci.example/a:sub":"c"}`),
				with(job, `"StringEquals":{"ci.example/a:aud":"aud","ci.example/a:id":"1","ci.example/a:sub":"a1"}`),
				with(job, `"StringEquals":{"ci.example/a:aud":"aud","ci.example/a:id":"2","ci.example/a:sub":"c"}`)),
		},
		"text that HTML would escape": {
			Trust{WebIdentities: []WebIdentity{webIdentity(nil, "a<b>&c")}},
			policy(with(job, `"StringEquals":{"ci.example/a:aud":"aud","ci.example/a:sub":"a<b>&c"}`)),
		},
		"addresses": {
			Trust{WebIdentities: jobs, Sources: ranges("10.0.0.0/8")},
			policy(with(job, `"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},`+one)),
		},
		"session names, of which those of users are not for jobs": {
			Trust{Principals: []string{testUser}, WebIdentities: jobs, SessionNames: []string{"gha-*", "${aws:username}"}},
			policy(with(user, `,"StringLike":{"sts:RoleSessionName":["${aws:username}","gha-*"]}`),
				with(job, one+`,"StringLike":{"sts:RoleSessionName":"gha-*"}`)),
		},
		"a session name beside a subject with a wildcard": {
			Trust{WebIdentities: []WebIdentity{webIdentity(nil, "s*")}, SessionNames: []string{"gha-*"}},
			policy(with(job, `"StringEquals":{"ci.example/a:aud":"aud"},"StringLike":{"ci.example/a:sub":"s*","sts:RoleSessionName":"gha-*"}`)),
		},
		"an external ID, of the user only": {
			Trust{Principals: []string{testUser}, WebIdentities: jobs, ExternalID: "x1"},
			policy(with(user, `,"StringEquals":{"sts:ExternalId":"x1"}`), with(job, one)),
		},
		"tags": {
			Trust{WebIdentities: jobs, SessionTags: true},
			policy(strings.Replace(with(job, one), `"`+web+`"`, `["`+web+`","sts:TagSession"]`, 1)),
		},
		"tags, of a call that has more to show": {
			Trust{WebIdentities: jobs, SessionTags: true, SessionNames: []string{"gha-*"}},
			policy(with(job, one+`,"StringLike":{"sts:RoleSessionName":"gha-*"}`), tag(with(job, one), web)),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.trust.Account = here
			for range 2 {
				if got, err := tt.trust.Policy(); err != nil || got != tt.want {
					t.Errorf("got\n%s, %v, not\n%s", got, err, tt.want)
				}
				slices.Reverse(tt.trust.WebIdentities)
			}
		})
	}
}

func TestWebIdentityPolicyFails(t *testing.T) {
	t.Parallel()
	right := []WebIdentity{webIdentity(nil, "s")}
	for name, trust := range map[string]Trust{
		"no subject":                {WebIdentities: []WebIdentity{webIdentity(nil)}},
		"no audience":               {WebIdentities: []WebIdentity{{Issuer: testIssuer, Subjects: []string{"s"}}}},
		"no issuer":                 {WebIdentities: []WebIdentity{{Audience: "aud", Subjects: []string{"s"}}}},
		"an empty subject":          {WebIdentities: []WebIdentity{webIdentity(nil, "s", "")}},
		"everybody":                 {WebIdentities: []WebIdentity{webIdentity(nil, "*")}},
		"a subject that begins so":  {WebIdentities: []WebIdentity{webIdentity(nil, "?s")}},
		"a variable":                {WebIdentities: []WebIdentity{webIdentity(nil, "s${aws:username}")}},
		"a variable as a claim":     {WebIdentities: []WebIdentity{webIdentity(map[string]string{"id": "${a}"}, "s")}},
		"an external ID for nobody": {WebIdentities: right, ExternalID: "x1"},
		"no name for a job":         {WebIdentities: right, SessionNames: []string{"${aws:username}"}},
		"larger than IAM can":       {WebIdentities: []WebIdentity{webIdentity(nil, strings.Repeat("s", 8192))}},
	} {
		trust.Account = here
		if got, err := trust.Policy(); err == nil {
			t.Errorf("%s gives %s", name, got)
		}
	}
}

// TestWebIdentityDecides checks that all of a call must be right, and that a call with tags needs no less.
func TestWebIdentityDecides(t *testing.T) {
	t.Parallel()
	policy, err := Trust{
		Account: here, Principals: []string{testUser}, WebIdentities: []WebIdentity{webIdentity(map[string]string{"id": "1"}, "s*")},
		SessionNames: []string{"gha-*"}, Sources: ranges("203.0.113.0/24"), SessionTags: true,
	}.Policy()
	if err != nil {
		t.Fatal(err)
	}
	right := map[string]string{
		"aws:SourceIp": "203.0.113.9", "ci.example/a:aud": "aud", "ci.example/a:sub": "s1", "ci.example/a:id": "1",
		"sts:RoleSessionName": "gha-1",
	}
	allowed := func(provider string, keys map[string]string) bool {
		for _, action := range []string{"sts:AssumeRoleWithWebIdentity", "sts:TagSession"} {
			request := iamtest.Request{Action: action, Federated: provider, Keys: map[string]string{}}
			for key, value := range keys {
				if action != "sts:TagSession" || key != "sts:RoleSessionName" {
					request.Keys[key] = value
				}
			}
			if !iamtest.TrustAllows(t, policy, request) {
				return false
			}
		}
		return true
	}
	const provider = "arn:aws:iam::123456789012:oidc-provider/ci.example/a"
	if !allowed(provider, right) {
		t.Errorf("%s does not let the job in", policy)
	}
	for _, other := range []string{provider + "b", "arn:aws:iam::123456789012:oidc-provider/ci.example", ""} {
		if allowed(other, right) {
			t.Errorf("%s lets %q in", policy, other)
		}
	}
	for key, value := range map[string]string{
		"aws:SourceIp": "198.51.100.1", "ci.example/a:aud": "s1", "ci.example/a:sub": "x", "ci.example/a:id": "2",
		"sts:RoleSessionName": "me",
	} {
		wrong := maps.Clone(right)
		if wrong[key] = value; allowed(provider, wrong) {
			t.Errorf("%s lets a job with %s in", policy, key)
		}
		delete(wrong, key)
		if allowed(provider, wrong) {
			t.Errorf("%s lets a job without %s in", policy, key)
		}
	}
}
