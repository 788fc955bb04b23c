package provider

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/status"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/serve"
)

const (
	testIssuer = "https://token.actions.githubusercontent.com"

	childOidcProviderType = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
)

// oidcRequest is a request for an OpenID Connect provider, of GitHub's issuer unless the inputs say otherwise.
func (tp *testPlugin) oidcRequest(t *testing.T, inputs resource.PropertyMap) *pulumirpc.ConstructRequest {
	t.Helper()
	all := resource.PropertyMap{"issuer": resource.NewProperty(testIssuer)}
	maps.Copy(all, inputs)
	req := tp.request(t, oidcProviderToken, all)
	req.Name = "github"
	return req
}

// TestOidcProviderRegistrations checks all that the component registers, with every input given, against a golden file,
// and the outputs.
func TestOidcProviderRegistrations(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	resp, err := tp.Construct(t.Context(), tp.oidcRequest(t, resource.PropertyMap{
		"audiences":   jobs(resource.NewProperty("sts.amazonaws.com"), output(resource.NewProperty("https://github.com/acme"), ofBot)),
		"thumbprints": strs("0123456789abcdef0123456789abcdef01234567"),
		"tags":        resource.NewProperty(resource.PropertyMap{"owner": resource.NewProperty("platform")}),
	}))
	check(t, err)
	var all []json.RawMessage
	for _, r := range tp.registered() {
		r.SourcePosition, r.StackTrace = nil, nil
		all = append(all, marshalProto(t, r))
	}
	golden(t, "oidc_provider_registrations.json", all)

	got := unmarshal(t, resp.GetState())
	audiences, _ := plain(got["audiences"]).([]resource.PropertyValue)
	if plain(got["providerArn"]) != "arn:OpenIdConnectProvider" || plain(got["issuer"]) != testIssuer || len(audiences) != 2 || len(got) != 3 {
		t.Errorf("the outputs are %v", got)
	}
}

// TestOidcProviderAudiences checks the audience by default, which the issuer and the partition tell.
func TestOidcProviderAudiences(t *testing.T) {
	t.Parallel()
	for issuer, want := range map[string]string{
		testIssuer:                    "sts.amazonaws.com.cn",
		"https://gitlab.com":          "https://gitlab.com",
		"https://agent.buildkite.com": "sts.amazonaws.com.cn",
		"https://app.terraform.io":    "aws.workload.identity",
	} {
		tp := startProvider(t)
		tp.callerARN = "arn:aws-cn:iam::123456789012:user/me"
		resp, err := tp.Construct(t.Context(), tp.oidcRequest(t, resource.PropertyMap{"issuer": resource.NewProperty(issuer)}))
		check(t, err)
		for _, list := range []resource.PropertyValue{
			tp.child(t, childOidcProviderType)["clientIdLists"], unmarshal(t, resp.GetState())["audiences"],
		} {
			if audiences, _ := plain(list).([]resource.PropertyValue); len(audiences) != 1 || plain(audiences[0]) != want {
				t.Errorf("the audiences of %s are %v", issuer, list)
			}
		}
	}
}

// TestOidcProviderBadInputs checks that each kind of bad input is one error that names the input, its value and the
// rule, that a secret is not shown, and that nothing is registered.
func TestOidcProviderBadInputs(t *testing.T) {
	t.Parallel()
	str := resource.NewProperty[string]
	for name, tt := range map[string]struct {
		inputs resource.PropertyMap
		want   string
	}{
		"no issuer":           {resource.PropertyMap{"issuer": resource.NewNullProperty()}, "issuer: is required: name the URL"},
		"issuer with a slash": {resource.PropertyMap{"issuer": str("https://gitlab.com/")}, `issuer = "https://gitlab.com/": must not end with a slash, which no token's issuer has (did you mean "https://gitlab.com"?)`},
		"issuer a host":       {resource.PropertyMap{"issuer": str("gitlab.com")}, `issuer = "gitlab.com": must be a URL that begins with https://`},
		"issuer a secret":     {resource.PropertyMap{"issuer": resource.MakeSecret(str("s3cr3t"))}, `issuer = [secret]: must be a URL`},
		"Bitbucket":           {resource.PropertyMap{"issuer": str("https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc")}, "audiences: is required for Bitbucket: ari:cloud:bitbucket::workspace/WORKSPACEID"},
		"another":             {resource.PropertyMap{"issuer": str("https://gitlab.example.com")}, "audiences: is required for this issuer"},
		"another, secret":     {resource.PropertyMap{"issuer": resource.MakeSecret(str("https://s3cr3t.example.com"))}, "audiences: is required for this issuer"},
		"no audiences":        {resource.PropertyMap{"audiences": strs()}, "audiences = a list: must have at least one element: a provider without audiences takes no token"},
		"audience empty":      {resource.PropertyMap{"audiences": strs("a", "")}, `audiences[1] = "": must not be empty`},
		"audience a wildcard": {resource.PropertyMap{"audiences": strs("*")}, `audiences[0] = "*": must be literal`},
		"audiences a string":  {resource.PropertyMap{"audiences": str("a")}, `audiences = "a": must be a list of strings`},
		"many audiences":      {resource.PropertyMap{"audiences": strs(slices.Repeat([]string{"a"}, 101)...)}, "audiences = a list: must have at most 100 elements, and has 101"},
		"thumbprint":          {resource.PropertyMap{"thumbprints": strs("abc")}, `thumbprints[0] = "abc": must be a thumbprint of 40 hexadecimal digits`},
		"many thumbprints":    {resource.PropertyMap{"thumbprints": strs(slices.Repeat([]string{strings.Repeat("a", 40)}, 6)...)}, "thumbprints = a list: must have at most 5 elements, and has 6"},
		"tag":                 {resource.PropertyMap{"tags": resource.NewProperty(resource.PropertyMap{"aws:x": str("y")})}, `tags["aws:x"] = "y": must not have a key that begins with "aws:"`},
		"unknown input":       {resource.PropertyMap{"url": str("x")}, "url: is not an input of this resource"},
	} {
		tp := startProvider(t)
		_, err := tp.Construct(t.Context(), tp.oidcRequest(t, tt.inputs))
		message := status.Convert(err).Message()
		if !strings.HasPrefix(message, "invalid input:\n  - "+tt.want) || strings.Contains(message, "s3cr3t") || len(tp.registered()) > 0 {
			t.Errorf("%s: after %d registrations, the error is\n%s\nand not\n%s", name, len(tp.registered()), message, tt.want)
		}
	}
}

// TestOidcProviderPreview checks what a preview knows when something is not known yet, and what is secret.
func TestOidcProviderPreview(t *testing.T) {
	t.Parallel()
	computed := resource.MakeComputed(resource.NewProperty(""))
	secretIssuer := resource.MakeSecret(resource.NewProperty(testIssuer))
	for name, tt := range map[string]struct {
		inputs resource.PropertyMap
		caller string
		// unknown and secret are the outputs that are so.
		unknown, secret []string
	}{
		"all is known":     {nil, testCaller, nil, nil},
		"the issuer":       {resource.PropertyMap{"issuer": computed}, testCaller, []string{"audiences", "issuer"}, nil},
		"the account":      {nil, "", []string{"audiences"}, nil},
		"the audiences":    {resource.PropertyMap{"audiences": computed}, testCaller, []string{"audiences"}, nil},
		"an audience":      {resource.PropertyMap{"audiences": jobs(resource.NewProperty("a"), computed)}, testCaller, []string{"audiences"}, nil},
		"a thumbprint":     {resource.PropertyMap{"thumbprints": computed, "tags": computed}, testCaller, nil, nil},
		"a secret issuer":  {resource.PropertyMap{"issuer": secretIssuer}, testCaller, nil, []string{"audiences", "issuer"}},
		"secret audiences": {resource.PropertyMap{"audiences": resource.MakeSecret(strs("a"))}, testCaller, nil, []string{"audiences"}},
	} {
		tp := startProvider(t)
		tp.callerARN = tt.caller
		req := tp.oidcRequest(t, tt.inputs)
		req.DryRun = true
		resp, err := tp.Construct(t.Context(), req)
		check(t, err)
		state, provider := unmarshal(t, resp.GetState()), tp.child(t, childOidcProviderType)
		for output, input := range map[resource.PropertyKey]resource.PropertyKey{"issuer": "url", "audiences": "clientIdLists"} {
			for _, v := range []resource.PropertyValue{state[output], provider[input]} {
				if v.ContainsUnknowns() != slices.Contains(tt.unknown, string(output)) ||
					v.ContainsSecrets() != slices.Contains(tt.secret, string(output)) {
					t.Errorf("%s: %s is %v", name, output, v)
				}
			}
			const child = "urn:pulumi:stack::project::" + oidcProviderToken + "$" + childOidcProviderType + "::github"
			if on := resp.GetStateDependencies()[string(output)].GetUrns(); !slices.Equal(on, []string{child}) {
				t.Errorf("%s: %s depends on %q, and not on the provider", name, output, on)
			}
		}
	}
}

// TestOidcProviderExists checks that a provider that the account has already is explained beside AWS's own error, and
// that no other error is.
func TestOidcProviderExists(t *testing.T) {
	t.Parallel()
	const exists = "creating IAM OIDC Provider: EntityAlreadyExists: Unknown"
	for name, tt := range map[string]struct {
		fails  string
		oldCLI bool
		want   bool
	}{
		"it exists":           {exists, false, true},
		"it exists, old CLI":  {exists, true, false},
		"another error":       {"creating IAM OIDC Provider: AccessDenied", false, false},
		"nothing is answered": {"", false, false},
	} {
		tp := startProvider(t)
		tp.fails, tp.oldCLI = tt.fails, tt.oldCLI
		_, err := tp.Construct(t.Context(), tp.oidcRequest(t, nil))
		if (err == nil) != (tt.fails == "") || !strings.Contains(status.Convert(err).Message(), tt.fails) {
			t.Errorf("%s: the error is %v", name, err)
		}
		logs := tp.engine.Logs()
		if len(logs) > 1 || (len(logs) == 1) != tt.want {
			t.Errorf("%s: the logs are %v", name, logs)
			continue
		}
		for _, log := range logs {
			const urn = "urn:pulumi:stack::project::" + oidcProviderToken + "::github"
			if log.GetSeverity() != pulumirpc.LogSeverity_ERROR || log.GetUrn() != urn ||
				!strings.Contains(log.GetMessage(), "leave this resource out") ||
				!strings.Contains(log.GetMessage(), "take the provider over with adopt: true") {
				t.Errorf("%s: the log is %v", name, log)
			}
		}
	}
}

// TestEveryInputOfAnOidcProviderHasARule checks that no field of the arguments goes unchecked.
func TestEveryInputOfAnOidcProviderHasARule(t *testing.T) {
	t.Parallel()
	everyFieldHasARule[OidcProviderArgs](t, oidcProviderRules(serve.Identity{}))
}
