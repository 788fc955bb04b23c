package provider

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

const accessKeyType = "aws:iam/accessKey:AccessKey"

// keyRequest is a request for an access key of the user cicd-bot, as the engine sends it.
func (tp *testPlugin) keyRequest(t *testing.T, inputs map[string]resource.PropertyValue) *pulumirpc.ConstructRequest {
	t.Helper()
	all := resource.PropertyMap{"userName": resource.NewProperty("cicd-bot")}
	for name, v := range inputs {
		all[resource.PropertyKey(name)] = v
	}
	return tp.request(t, accessKeyToken, all)
}

// TestAccessKeyRegistrations holds all that a rotation registers against a golden file: names, parents, inputs,
// options and dependencies.
func TestAccessKeyRegistrations(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC) }
	tp := startPlugin(t, components, now)
	inputs := map[string]resource.PropertyValue{
		"generation":  resource.NewProperty(3.0),
		"rotateEvery": resource.NewProperty("90d"),
		"previous":    resource.NewProperty("inactive"),
		"secretsManager": resource.NewProperty(resource.PropertyMap{
			"name": resource.NewProperty("cicd/bot"), "kmsKeyId": resource.NewProperty("alias/cicd"),
		}),
		"ssmPath": resource.NewProperty("/cicd/bot"),
	}
	_, err := tp.Construct(t.Context(), tp.keyRequest(t, inputs))
	check(t, err)
	tp.registrations = nil
	tp.userKeys = map[string]string{"robot-1-id": "2026-01-02T03:04:05Z"}
	inputs["generation"] = resource.NewProperty(4.0)
	resp, err := tp.Construct(t.Context(), tp.keyRequest(t, inputs))
	check(t, err)
	var all []json.RawMessage
	for _, r := range tp.registered() {
		r.SourcePosition, r.StackTrace = nil, nil
		slices.Sort(r.Dependencies)
		all = append(all, marshalProto(t, r))
	}
	golden(t, "access_key_registrations.json", all)

	got := unmarshal(t, resp.GetState())
	for name, want := range map[string]any{
		"accessKeyId": "robot-0-id", "previousAccessKeyId": "robot-1-id", "generation": 4.0,
		"encryptedSecretAccessKey": "", "rotatedAt": testCreated, "rotateAfter": "2026-04-02T03:04:05Z", "secretArn": "arn:Secret",
	} {
		if v := plain(got[resource.PropertyKey(name)]); fmt.Sprint(v) != fmt.Sprint(want) {
			t.Errorf("the output %s is %v, not %v", name, v, want)
		}
	}
	if secret := got["secretAccessKey"]; !secret.IsSecret() && (!secret.IsOutput() || !secret.OutputValue().Secret) {
		t.Errorf("the output secretAccessKey is no secret: %v", secret)
	}
}

// TestAccessKeyBadInputs gives the plugin every kind of bad input for access keys: each is answered with one error,
// and nothing is registered. A secret is not shown.
func TestAccessKeyBadInputs(t *testing.T) {
	t.Parallel()
	str, num := resource.NewProperty[string], resource.NewProperty[float64]
	object := func(name string, v resource.PropertyValue) resource.PropertyValue {
		return resource.NewProperty(resource.PropertyMap{resource.PropertyKey(name): v})
	}
	for name, tt := range map[string]struct {
		field string
		value resource.PropertyValue
		want  string
	}{
		"generation 0":           {"generation", num(0), "generation = 0: must be from 1 to"},
		"generation below 0":     {"generation", num(-1), "must be from 1 to"},
		"generation broken":      {"generation", num(1.5), "generation = 1.5: must be a whole number"},
		"generation huge":        {"generation", num(1e18), "must be a whole number"},
		"generation large":       {"generation", num(1e6 + 1), "must be from 1 to 1000000"},
		"generation text":        {"generation", str("2"), "must be a whole number, and is a string"},
		"rotateEvery number":     {"rotateEvery", num(90), `rotateEvery = 90: must be a string, and is a number (did you mean "90d"?)`},
		"rotateEvery fraction":   {"rotateEvery", num(1.5), "must be a string, and is a number"},
		"rotateEvery in words":   {"rotateEvery", str("90 days"), `(did you mean "90d"?)`},
		"handOver number":        {"handOver", num(7), `(did you mean "7d"?)`},
		"ARN of a user":          {"userName", str("arn:aws:iam::123456789012:user/ci/bot"), `(this is an ARN; did you mean "bot"?)`},
		"rotateEvery hours":      {"rotateEvery", str("24h"), "rotateEvery = \"24h\": must be a number of days"},
		"rotateEvery 0":          {"rotateEvery", str("0d"), "must be a number of days from 1d to 3650d"},
		"previous":               {"previous", str("Active"), "must be one of active, inactive, deleted"},
		"previous boolean":       {"previous", resource.NewProperty(true), "must be a string, and is a boolean"},
		"revoked text":           {"revoked", str("yes"), "must be a boolean, and is a string"},
		"pgpKey armored":         {"pgpKey", str("-----BEGIN PGP PUBLIC KEY BLOCK-----"), "this one has its armor"},
		"pgpKey no key":          {"pgpKey", str("bm8ga2V5"), "must be an OpenPGP public key"},
		"secret text":            {"secretsManager", str("cicd/bot"), "must be an object, and is a string"},
		"secret without a name":  {"secretsManager", object("kmsKeyId", str("alias/a")), "secretsManager.name: is required"},
		"secret with a bad name": {"secretsManager", object("name", str("a b")), "secretsManager.name = \"a b\": must be 1 to 512"},
		"secret, bad KMS key":    {"secretsManager", object("kmsKeyId", str("a b")), "must be the ID or ARN of a KMS key"},
		"secret, unknown field":  {"secretsManager", object("nam", str("a")), "secretsManager.nam: is not an input of this resource (did you mean \"name\"?)"},
		"ssmPath relative":       {"ssmPath", str("cicd"), "must be a path such as /cicd/robot"},
		"ssmPath of AWS":         {"ssmPath", str("/aws/cicd"), "must not begin with /aws or /ssm"},
		"unknown field":          {"rotateevery", str("90d"), "rotateevery: is not an input of this resource (did you mean \"rotateEvery\"?)"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			for _, value := range []resource.PropertyValue{tt.value, resource.MakeSecret(tt.value)} {
				_, err := tp.Construct(t.Context(), tp.keyRequest(t, map[string]resource.PropertyValue{tt.field: value}))
				if status.Code(err) != codes.InvalidArgument || len(tp.registered()) > 0 {
					t.Fatalf("it ends with %v, and registers %v", err, tp.registered())
				}
				switch {
				case !value.IsSecret() && !strings.Contains(err.Error(), tt.want):
					t.Errorf("the error does not say %q: %v", tt.want, err)
				case value.IsSecret() && value.SecretValue().Element.IsString() &&
					strings.Contains(err.Error(), strconv.Quote(value.SecretValue().Element.StringValue())):
					t.Errorf("the error shows the secret: %v", err)
				}
			}
		})
	}

	tp := startProvider(t)
	for what, tt := range map[string]struct {
		inputs map[string]resource.PropertyValue
		want   []string
	}{
		"all at once": {
			map[string]resource.PropertyValue{
				"generation": num(0), "pgpKey": str("keybase:ci"), "ssmPath": str("/a"), "secretsManager": object("name", str("a")),
				"handOver": str("7d"),
			},
			[]string{
				"4 invalid inputs:", "generation = 0", "handOver: has no effect while previous is \"active\"",
				"secretsManager: must not be given together with pgpKey", "ssmPath: must not be given together",
			},
		},
		"no user":         {map[string]resource.PropertyValue{"userName": resource.NewNullProperty()}, []string{"userName: is required"}},
		"a bad user name": {map[string]resource.PropertyValue{"userName": str("a b")}, []string{"userName = \"a b\": must consist of"}},
		"active hand-over": {
			map[string]resource.PropertyValue{"handOver": str("7d"), "previous": str("active")}, []string{"handOver: has no effect"},
		},
		"hand-over as long as the age": {
			map[string]resource.PropertyValue{"handOver": str("7d"), "previous": str("deleted"), "rotateEvery": str("7d")},
			[]string{"handOver: must be shorter than rotateEvery"},
		},
		"unknown secret": {
			map[string]resource.PropertyValue{"secretsManager": resource.MakeComputed(str(""))},
			[]string{"secretsManager = unknown: must be a literal object; only its fields may be outputs"},
		},
	} {
		req := tp.keyRequest(t, tt.inputs)
		req.DryRun = true
		_, err := tp.Construct(t.Context(), req)
		for _, want := range tt.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: the error does not say %q: %v", what, want, err)
			}
		}
	}
	if len(tp.registered()) > 0 {
		t.Errorf("registered are %v", tp.registered())
	}
}

// TestAccessKeyInputForms checks every form in which programs give the inputs: null, secret and not known yet.
func TestAccessKeyInputForms(t *testing.T) {
	t.Parallel()
	str := resource.NewProperty[string]
	unknown := resource.MakeComputed(str(""))
	object := resource.NewProperty[resource.PropertyMap]
	for name, inputs := range map[string]map[string]resource.PropertyValue{
		"none": nil,
		"nulls": {
			"generation": resource.NewNullProperty(), "secretsManager": resource.NewNullProperty(), "pgpKey": resource.NewNullProperty(),
			"handOver": resource.NewNullProperty(),
		},
		"secrets": {
			"userName": resource.MakeSecret(str("cicd-bot")), "generation": resource.MakeSecret(resource.NewProperty(2.0)),
			"secretsManager": resource.MakeSecret(object(resource.PropertyMap{"name": str("a"), "kmsKeyId": resource.NewNullProperty()})),
		},
		"an output": {
			"previous": resource.NewProperty(resource.Output{
				Element: str("deleted"), Known: true, Dependencies: []resource.URN{"urn:pulumi:stack::project::a:b:C::d"},
			}),
			"handOver": unknown,
		},
		"unknown": {
			"userName": unknown, "generation": unknown, "rotateEvery": unknown, "previous": unknown, "handOver": unknown,
			"revoked": unknown, "ssmPath": unknown, "secretsManager": object(resource.PropertyMap{"name": unknown, "kmsKeyId": unknown}),
		},
		"unknown public key": {"pgpKey": unknown},
	} {
		tp := startProvider(t)
		req := tp.keyRequest(t, inputs)
		req.DryRun = true
		if _, err := tp.Construct(t.Context(), req); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		keys := 0
		for _, r := range tp.registered() {
			if r.GetType() == accessKeyType {
				keys++
			}
		}
		if keys != 1 {
			t.Errorf("%s: %d keys are registered", name, keys)
		}
	}
}

// TestAccessKeyWithoutHook says that a key whose hook cannot be registered fails the update, in which the engine would
// else delete the key that there is, and that nothing is put in the stores.
func TestAccessKeyWithoutHook(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	tp.noHooks = true
	_, err := tp.Construct(t.Context(), tp.keyRequest(t, map[string]resource.PropertyValue{
		"ssmPath": resource.NewProperty("/cicd/bot"),
	}))
	if err == nil || !strings.Contains(err.Error(), "a resource could not be registered") {
		t.Errorf("it ends with %v", err)
	}
	for _, r := range tp.registered() {
		if strings.HasPrefix(r.GetType(), "aws:ssm/") {
			t.Errorf("registered is %s", r.GetType())
		}
	}
}

// TestAccessKeyNeedsNewCLI says that a CLI which knows no replacement triggers is refused before anything is made:
// it would take a rotation for done.
func TestAccessKeyNeedsNewCLI(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	tp.oldCLI = true
	_, err := tp.Construct(t.Context(), tp.keyRequest(t, nil))
	if err == nil || !strings.Contains(err.Error(), "access keys need the Pulumi CLI "+cliVersions) || len(tp.registered()) > 0 {
		t.Errorf("it ends with %v, and registers %v", err, tp.registered())
	}
	if _, err := tp.Construct(t.Context(), tp.robotRequest(t, nil)); err != nil {
		t.Errorf("without access keys: %v", err)
	}
}

// TestRestOfWait checks that an update waits for a key that a killed update created just before, and never for longer
// than for one of its own.
func TestRestOfWait(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for age, want := range map[time.Duration]time.Duration{
		0: 10 * time.Second, 4 * time.Second: 6 * time.Second, -time.Hour: 10 * time.Second, time.Minute: -50 * time.Second,
	} {
		rest, err := restOfWait(now.Add(-age).Format(time.RFC3339), 10*time.Second, now)
		if err != nil || rest != want {
			t.Errorf("a key of the age %s: %s, %v", age, rest, err)
		}
	}
	if _, err := restOfWait("soon", time.Second, now); err == nil {
		t.Error("a date that is none is taken")
	}
}
