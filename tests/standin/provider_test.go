package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/common/tokens"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	rpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/protobuf/types/known/structpb"
)

func TestConfigurationRefused(t *testing.T) {
	for name, test := range map[string]struct {
		more map[string]property.Value
		want string
	}{
		"unknown key":        {map[string]property.Value{"regoin": s(secretKey)}, `"regoin" is not implemented`},
		"unimplemented key":  {map[string]property.Value{"assumeRole": tags("roleArn", secretKey)}, `"assumeRole" is not implemented`},
		"unknown endpoint":   {map[string]property.Value{"endpoints": property.New([]property.Value{tags("ec2", "http://x")})}, "endpoints[0].ec2"},
		"unknown tag field":  {map[string]property.Value{"defaultTags": tags("tag", secretKey)}, "defaultTags.tag"},
		"secret of no type":  {map[string]property.Value{"secretKey": list(secretKey)}, "expected a string, got a list"},
		"not JSON":           {map[string]property.Value{"maxRetries": s(secretKey)}, "expected a whole number"},
		"half a credential":  {map[string]property.Value{"accessKey": {}}, "must be set together"},
		"endpoints of text":  {map[string]property.Value{"endpoints": s(`"` + secretKey + `"`)}, "expected a list of objects"},
		"negative retries":   {map[string]property.Value{"maxRetries": s("-1")}, "must not be negative"},
		"token of no string": {map[string]property.Value{"token": tags("a", secretKey)}, "expected a string"},
	} {
		t.Run(name, func(t *testing.T) {
			cleanEnvironment(t)
			h := newHarness(t)
			args := configFor("http://127.0.0.1:1", test.more)
			err := h.Configure(t.Context(), p.ConfigureRequest{Args: args})
			if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), secretKey) {
				t.Errorf("configure: %v", err)
			}
			checked, err := h.CheckConfig(t.Context(), p.CheckRequest{Inputs: args})
			text := fmt.Sprint(checked.Failures)
			if err != nil || !strings.Contains(text, test.want) || strings.Contains(text, secretKey) {
				t.Errorf("check: %s %v", text, err)
			}
			if !checked.Inputs.Get("secretKey").Secret() {
				t.Error("secretKey is not secret")
			}
		})
	}
}

func TestRegion(t *testing.T) {
	fake := newFakeAWS(t, nil)
	configure := func(h harness, more map[string]property.Value) error {
		return h.Configure(t.Context(), p.ConfigureRequest{Args: configFor(fake.URL, more)})
	}
	t.Run("missing", func(t *testing.T) {
		cleanEnvironment(t)
		err := configure(newHarness(t), map[string]property.Value{"region": {}})
		if err == nil || !strings.Contains(err.Error(), "missing region") {
			t.Error(err)
		}
	})
	for _, variable := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		t.Run(variable, func(t *testing.T) {
			cleanEnvironment(t)
			t.Setenv(variable, "cn-north-1")
			h := newHarness(t)
			if err := configure(h, map[string]property.Value{"region": {}}); err != nil {
				t.Fatal(err)
			}
			got, err := h.Invoke(t.Context(), p.InvokeRequest{Token: "aws:index/getPartition:getPartition"})
			if err != nil {
				t.Fatal(err)
			}
			expect(t, got.Return, values{
				"partition": s("aws-cn"), "id": s("aws-cn"), "dnsSuffix": s("amazonaws.com.cn"), "reverseDnsPrefix": s("cn.com.amazonaws"),
			})
		})
	}
	t.Run("of no form", func(t *testing.T) {
		cleanEnvironment(t)
		more := map[string]property.Value{"region": s("mars"), "skipRegionValidation": property.New(false)}
		if err := configure(newHarness(t), more); err == nil || !strings.Contains(err.Error(), "invalid AWS region") {
			t.Error(err)
		}
		more["skipRegionValidation"] = property.New(true)
		if err := configure(newHarness(t), more); err != nil {
			t.Error(err)
		}
	})
}

func TestPartitions(t *testing.T) {
	for region, want := range map[string]string{
		"us-east-1": "aws", "ap-southeast-4": "aws", "us-gov-west-1": "aws-us-gov", "us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b",
	} {
		if part, ok := partitionOf(region); !ok || part.name != want {
			t.Errorf("%s is in %s", region, part.name)
		}
	}
}

// TestConfigurationFromSDK configures as an SDK does: everything but strings is JSON text.
func TestConfigurationFromSDK(t *testing.T) {
	fake := newFakeAWS(t, nil)
	cleanEnvironment(t)
	h := newHarness(t)
	args := configFor("", map[string]property.Value{
		"endpoints":   s(`[{"iam":"` + fake.URL + `"},{"sts":{"` + resource.SigKey + `":"` + resource.SecretSig + `","value":"` + fake.URL + `"}}]`),
		"maxRetries":  s("2"),
		"defaultTags": s(`{"tags":{"a":"b"}}`),
	})
	if err := h.Configure(t.Context(), p.ConfigureRequest{Args: args}); err != nil {
		t.Fatal(err)
	}
	expect(t, h.check(user.token, property.Map{}, values{"name": s("u"), "tags": tags("c", "d")}), values{mergedTagsKey: tags("a", "b", "c", "d")})
	defaults, err := h.Invoke(t.Context(), p.InvokeRequest{Token: "aws:index/getDefaultTags:getDefaultTags"})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, defaults.Return, values{"tags": tags("a", "b")})
	if got := fake.actions(); !slices.Equal(got, []string{"GetCallerIdentity"}) {
		t.Errorf("asked %v", got)
	}
	identity, err := h.Invoke(t.Context(), p.InvokeRequest{Token: "aws:index/getCallerIdentity:getCallerIdentity"})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, identity.Return, values{
		"accountId": s("123456789012"), "id": s("123456789012"), "arn": s("arn:aws:iam::123456789012:user/me"), "userId": s("AIDA"),
	})
	if got := fake.actions(); !slices.Equal(got, []string{"GetCallerIdentity"}) {
		t.Errorf("asked %v", got)
	}
}

func TestEnvironment(t *testing.T) {
	fake := newFakeAWS(t, nil)
	cleanEnvironment(t)
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", secretKey)
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
	t.Setenv("AWS_ENDPOINT_URL_STS", fake.URL)
	h := newHarness(t)
	if err := h.Configure(t.Context(), p.ConfigureRequest{}); err != nil {
		t.Fatal(err)
	}
	if got := fake.actions(); !slices.Equal(got, []string{"GetCallerIdentity"}) {
		t.Errorf("asked %v", got)
	}
}

// TestWebIdentity checks that a job signs in with nothing but its token and the ARN of the role, at the endpoint that the
// environment or the configuration names, and that a token that STS refuses ends soon.
func TestWebIdentity(t *testing.T) {
	fake := newFakeAWS(t, map[string]string{
		"AssumeRoleWithWebIdentity": "<Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>s</SecretAccessKey>" +
			"<SessionToken>t</SessionToken><Expiration>2100-01-01T00:00:00Z</Expiration></Credentials>",
	})
	cleanEnvironment(t)
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("the token"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_REGION", "eu-west-1")
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/deploy")
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", file)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	for name, args := range map[string]property.Map{
		"configuration": configFor(fake.URL, map[string]property.Value{"accessKey": {}, "secretKey": {}, "region": {}}),
		"environment":   {},
	} {
		if name == "environment" {
			t.Setenv("AWS_ENDPOINT_URL_STS", fake.URL)
		} else {
			t.Setenv("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1")
		}
		if err := newHarness(t).Configure(t.Context(), p.ConfigureRequest{Args: args}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		sent := fake.last("AssumeRoleWithWebIdentity")
		if sent["WebIdentityToken"] != "the token" || sent["RoleArn"] != "arn:aws:iam::123456789012:role/deploy" {
			t.Errorf("%s: asked %v", name, sent)
		}
		if got := fake.actions(); !slices.Equal(got, []string{"AssumeRoleWithWebIdentity", "GetCallerIdentity"}) {
			t.Errorf("%s: asked %v", name, got)
		}
	}
	delete(fake.results, "AssumeRoleWithWebIdentity")
	t.Setenv("AWS_ENDPOINT_URL_STS", fake.URL)
	err := newHarness(t).Configure(t.Context(), p.ConfigureRequest{})
	if err == nil || !strings.Contains(err.Error(), "no valid credential sources") || !strings.Contains(err.Error(), "AccessDenied") {
		t.Error(err)
	}
	if got := fake.actions(); len(got) != 1 {
		t.Errorf("asked %v", got)
	}
}

func TestSTSCallsOfConfigure(t *testing.T) {
	yes := property.New(true)
	for name, test := range map[string]struct {
		more map[string]property.Value
		want int
	}{
		"default":       {nil, 1},
		"no validation": {map[string]property.Value{"skipCredentialsValidation": yes}, 1},
		"no account":    {map[string]property.Value{"skipRequestingAccountId": yes}, 1},
		"neither":       {map[string]property.Value{"skipCredentialsValidation": yes, "skipRequestingAccountId": yes}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			fake := newFakeAWS(t, nil)
			live(t, fake.URL, test.more)
			if got := fake.actions(); len(got) != test.want {
				t.Errorf("asked %v", got)
			}
		})
	}
}

func TestCredentialErrors(t *testing.T) {
	fake := newFakeAWS(t, nil)
	cleanEnvironment(t)
	configure := func(more map[string]property.Value) error {
		return newProvider().Configure(t.Context(), p.ConfigureRequest{Args: configFor(fake.URL, more)})
	}
	err := configure(map[string]property.Value{"accessKey": {}, "secretKey": {}})
	if err == nil || !strings.Contains(err.Error(), "no valid credential sources") {
		t.Error(err)
	}
	delete(fake.results, "GetCallerIdentity")
	err = configure(nil)
	if err == nil || !strings.Contains(err.Error(), "validating provider credentials") || strings.Contains(err.Error(), secretKey) {
		t.Error(err)
	}
}

func TestUnknownConfiguration(t *testing.T) {
	cleanEnvironment(t)
	h := newHarness(t)
	if err := h.Configure(t.Context(), p.ConfigureRequest{Args: configFor("", map[string]property.Value{"secretKey": unknown})}); err != nil {
		t.Fatal(err)
	}
	in := h.check(user.token, property.Map{}, values{"name": s("u")})
	preview, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(user.token), Properties: in, DryRun: true})
	if err != nil {
		t.Error(err)
	}
	expect(t, preview.Properties, values{
		"name": s("u"), "path": s("/"), "arn": unknown, "uniqueId": unknown, "id": unknown, "tagsAll": tags(), "tags": {},
	})
	if _, err := h.Create(t.Context(), p.CreateRequest{Urn: urnOf(user.token), Properties: in}); err == nil {
		t.Error("created without a configuration")
	}
}

func TestInputsRefused(t *testing.T) {
	h := newHarness(t)
	for name, test := range map[string]struct {
		token string
		in    values
		want  []string // property: part of the reason
	}{
		"unknown":    {user.token, values{"nmae": s("u")}, []string{"nmae: invalid or unknown key"}},
		"output":     {user.token, values{"arn": s("u")}, []string{"arn: invalid or unknown key"}},
		"unserved":   {role.token, values{"assumeRolePolicy": s(trustUser), "managedPolicyArns": list()}, []string{"managedPolicyArns: \"managedPolicyArns\" is not implemented"}},
		"missing":    {groupMembership.token, values{}, []string{"group: missing required", "users: missing required"}},
		"null":       {groupPolicy.token, values{"group": property.New(property.Null), "policy": s("{}")}, []string{"group: missing required"}},
		"name":       {group.token, values{"name": s("a b")}, []string{"name: invalid value"}},
		"type":       {groupMembership.token, values{"group": s("g"), "users": s("u")}, []string{"users: expected a list of strings"}},
		"no JSON":    {groupPolicy.token, values{"group": s("g"), "policy": s(secretKey)}, []string{"policy: \"policy\" contains an invalid JSON policy"}},
		"status":     {accessKey.token, values{"user": s("u"), "status": s("Off")}, []string{"status: invalid value for status (must be"}},
		"keybase":    {accessKey.token, values{"user": s("u"), "pgpKey": s("keybase:" + secretKey)}, []string{"pgpKey: invalid value for pgpKey (keys of keybase.io are not implemented"}},
		"window":     {secret.token, values{"recoveryWindowInDays": property.New(6.0)}, []string{"recoveryWindowInDays: invalid value for recoveryWindowInDays (must be 0, or"}},
		"policy":     {secret.token, values{"policy": s("{}")}, []string{"policy: \"policy\" is not implemented"}},
		"binary":     {secretVersion.token, values{"secretId": s("a"), "secretBinary": s(secretKey)}, []string{"secretBinary: \"secretBinary\" is not implemented"}},
		"no value":   {parameter.token, values{"type": s("String")}, []string{"value: one of"}},
		"tier":       {parameter.token, values{"type": s("String"), "value": s(secretKey), "tier": s("Intelligent-Tiering")}, []string{"tier: invalid value for tier (must be Standard or Advanced; Int"}},
		"session":    {role.token, values{"assumeRolePolicy": s("{}"), "maxSessionDuration": property.New(60.0)}, []string{"maxSessionDuration: invalid value for maxSessionDuration (must be between"}},
		"quotes":     {role.token, values{"assumeRolePolicy": s("{}"), "description": s("“d”")}, []string{"description: invalid value for description (must not contain"}},
		"too long":   {role.token, values{"assumeRolePolicy": s("{}"), "description": s(strings.Repeat("d", 1001))}, []string{"description: invalid value for description (must have at most 1000"}},
		"boundary":   {role.token, values{"assumeRolePolicy": s("{}"), "permissionsBoundary": s("b")}, []string{"permissionsBoundary: invalid value for permissionsBoundary (is not an ARN"}},
		"role's ARN": {rolePolicy.token, values{"role": s("arn:aws:iam::123456789012:role/r"), "policy": s("{}")}, []string{"role: invalid value for role (must be the role's name"}},
		"no ARN":     {rolePolicyAttachment.token, values{"role": s("r"), "policyArn": s("ReadOnlyAccess")}, []string{"policyArn: invalid value for policyArn (is not an ARN"}},
		"array JSON": {groupPolicy.token, values{"group": s("g"), "policy": s("[]")}, []string{"policy: \"policy\" contains an invalid JSON policy"}},
	} {
		t.Run(name, func(t *testing.T) {
			response, err := h.Check(t.Context(), p.CheckRequest{Urn: urnOf(test.token), Inputs: property.NewMap(test.in)})
			if err != nil || len(response.Failures) != len(test.want) {
				t.Fatalf("%v %v", response.Failures, err)
			}
			for i, f := range response.Failures {
				if !strings.HasPrefix(f.Property+": "+f.Reason, test.want[i]) || strings.Contains(f.Reason, secretKey) {
					t.Errorf("failure %+v, want %s", f, test.want[i])
				}
			}
		})
	}
	if _, err := h.Check(t.Context(), p.CheckRequest{Urn: urnOf("aws:s3/bucket:Bucket")}); err == nil {
		t.Error("a resource that is not served was accepted")
	}
}

func TestScalarsAreConverted(t *testing.T) {
	h := newHarness(t)
	in := h.check(user.token, property.Map{}, values{"name": property.New(7.0), "forceDestroy": s("true"), "tags": property.New(map[string]property.Value{"a": property.New(true)})})
	expect(t, in, values{"name": s("7"), "forceDestroy": property.New(true), "tags": tags("a", "true")})
}

func TestGeneratedNames(t *testing.T) {
	host, err := newServer(nil)
	if err != nil {
		t.Fatal(err)
	}
	check := func(seed string, old property.Map) property.Map {
		marshalled, err := plugin.MarshalProperties(resource.ToResourcePropertyMap(old), plugin.MarshalOptions{KeepUnknowns: true})
		if err != nil {
			t.Fatal(err)
		}
		response, err := host.Check(t.Context(), &rpc.CheckRequest{
			Urn: string(urnOf(group.token)), RandomSeed: []byte(seed), News: &structpb.Struct{}, Olds: marshalled,
		})
		if err != nil || len(response.GetFailures()) > 0 {
			t.Fatal(err, response)
		}
		inputs, err := plugin.UnmarshalProperties(response.GetInputs(), plugin.MarshalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		return resource.FromResourcePropertyMap(inputs)
	}
	seed, other := strings.Repeat("s", 32), strings.Repeat("o", 32)
	first := check(seed, property.Map{})
	name := str(first.Get("name"))
	want, err := resource.NewUniqueName([]byte(seed), "logical-", 7, 0, nil)
	if err != nil || name != want {
		t.Errorf("the generated name is %q, want %q", name, want)
	}
	expect(t, first, values{"__defaults": list("name", "path")})
	if again := str(check(other, first).Get("name")); again != name {
		t.Errorf("an update generates %q over %q", again, name)
	}
	if next := str(check(other, property.Map{}).Get("name")); next == name {
		t.Errorf("a replacement keeps %q", next)
	}
	// A name that the program chose and then leaves out is not kept.
	chosen := first.Set("name", s("chosen")).Set("__defaults", list("path"))
	if next := str(check(other, chosen).Get("name")); next == "chosen" {
		t.Error("a chosen name outlives its removal")
	}
	if kept := str(check(other, chosen.Delete("__defaults")).Get("name")); kept != "chosen" {
		t.Errorf("without a list of defaults %q is not kept", kept)
	}
}

func TestSecretInputsStaySecret(t *testing.T) {
	fake := newFakeAWS(t, map[string]string{
		"CreateUser": "<User><UserName>u</UserName></User>", "GetUser": "<User><UserName>u</UserName></User>",
	})
	h := live(t, fake.URL, nil)
	m := h.create(user.token, values{"name": s("u").WithSecret(true), "tags": property.New(map[string]property.Value{"a": s("b").WithSecret(true)})})
	// What is no input is not secret, though it repeats one.
	for name, secret := range map[string]bool{"name": true, "tags": true, "tagsAll": false, "arn": false} {
		if m.output.Get(name).HasSecrets() != secret {
			t.Errorf("the output %s is secret: %v", name, !secret)
		}
	}
	for k := range maps.Keys(m.output.AsMap()) {
		if _, ok := user.props[k]; !ok && k != "id" {
			t.Errorf("the output %s is not in the schema", k)
		}
	}
}

func TestFunctionArguments(t *testing.T) {
	h := live(t, newFakeAWS(t, nil).URL, nil)
	for name, test := range map[string]struct {
		token string
		args  values
		want  string
	}{
		"unknown key":   {getPartition.token, values{"region": s("x")}, "invalid or unknown key"},
		"missing":       {getAccessKeys.token, nil, `missing required property "user"`},
		"null":          {getAccessKeys.token, values{"user": property.New(property.Null)}, `missing required property "user"`},
		"wrong type":    {getAccessKeys.token, values{"user": list(secretKey)}, "expected a string, got a list"},
		"not known yet": {getAccessKeys.token, values{"user": unknown}, "not known yet"},
	} {
		t.Run(name, func(t *testing.T) {
			request := p.InvokeRequest{Token: tokens.Type(test.token), Args: property.NewMap(test.args)}
			response, err := h.Invoke(t.Context(), request)
			if err != nil || len(response.Failures) != 1 || !strings.Contains(response.Failures[0].Reason, test.want) ||
				strings.Contains(response.Failures[0].Reason, secretKey) {
				t.Errorf("%v %v", response, err)
			}
		})
	}
	if _, err := h.Invoke(t.Context(), p.InvokeRequest{Token: "aws:index/getRegion:getRegion"}); err == nil {
		t.Error("a function that is not served answered")
	}
}

func TestDiffConfig(t *testing.T) {
	h := newHarness(t)
	diff, err := h.DiffConfig(t.Context(), p.DiffRequest{
		OldInputs: configFor("", nil), Inputs: configFor("", map[string]property.Value{"region": s("eu-west-1")}),
	})
	if err != nil || !diff.HasChanges || len(replaced(diff)) > 0 || len(diff.DetailedDiff) != 1 {
		t.Errorf("%+v %v", diff, err)
	}
}

// TestReadNew has AWS find what was just made at the third time only, or never.
func TestReadNew(t *testing.T) {
	defer func(d, pause time.Duration) { propagation, propagationPause = d, pause }(propagation, propagationPause)
	propagation, propagationPause = time.Minute, time.Millisecond
	reads := 0
	r := &resourceType{token: "t", read: func(context.Context, *awsClients, string, values) (values, error) {
		reads++
		if reads < 3 {
			return nil, nil
		}
		return values{"a": s("b")}, nil
	}}
	if read, err := r.readNew(t.Context(), nil, "id", nil); err != nil || !read["a"].Equals(s("b")) || reads != 3 {
		t.Errorf("after %d reads: %v %v", reads, read, err)
	}
	reads, propagation = -1000, time.Millisecond
	if _, err := r.readNew(t.Context(), nil, "id", nil); err == nil || err.Error() != "t (id) is not there after its creation" {
		t.Errorf("after %d reads: %v", reads, err)
	}
}
