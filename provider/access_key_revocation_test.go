package provider

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
)

const userPolicyType = "aws:iam/userPolicy:UserPolicy"

// TestRevocationJournal takes the journal through revocations: what it remembers, what a preview knows of it, and what
// the user is warned of.
func TestRevocationJournal(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	log := &testLogger{}
	journals := &journalProvider{now: func() time.Time { return now }}
	urn := resource.NewURN("stack", "project", "", journalToken, "robot")
	key := func(id string) property.Value {
		return property.New([]property.Value{property.New(id), property.New("2026-01-02T03:04:06Z"), property.New("Active")})
	}
	request := property.NewMap(map[string]property.Value{
		"userName": property.New("bot"), "preview": property.New(false), "userKeys": property.New([]property.Value{}),
	})
	var recorded property.Map
	update := func(asked property.Map, warnings ...string) property.Map {
		t.Helper()
		now, log.warnings = now.Add(time.Minute), nil
		checked, err := journals.check(log, p.CheckRequest{Urn: urn, State: recorded, Inputs: asked})
		check(t, err)
		if len(checked.Failures) > 0 {
			t.Fatalf("the check fails: %v", checked.Failures)
		}
		if !slices.EqualFunc(log.warnings, warnings, strings.Contains) {
			t.Errorf("the user is warned %q, and not %q", log.warnings, warnings)
		}
		if asked.Get("preview").AsBool() {
			return checked.Inputs
		}
		recorded = checked.Inputs
		return recorded
	}
	update(request)
	request = request.Set("userKeys", property.New([]property.Value{key("K1")}))
	revoked := request.Set("revoked", property.New(true))
	previewOf := func(asked property.Map) property.Map { return asked.Set("preview", property.New(true)) }
	unknowns := func(journal property.Map) (names []string) {
		for name, v := range journal.AllStable {
			if v.HasComputed() {
				names = append(names, name)
			}
		}
		return names
	}
	for _, step := range []struct {
		asked    property.Map
		phase    string
		before   string
		keys     int
		unknown  []string
		warnings []string
	}{
		{request, "", "", 0, nil, nil},
		{request.Set("revoked", property.New(property.Computed)), "", "", 0, nil, nil},
		{revoked, "revoked", "", 1, []string{"revokedKeys"}, nil},
		{revoked, "revoked", "", 1, nil, nil},
		{request.Set("revoked", property.New(property.Computed)), "revoked", "", 1, nil, nil},
		{request, "ended", "2026-01-02T03:28:05Z", 0, []string{"revokedBefore"}, []string{"switches on access keys that were there when the user \"bot\" was revoked: K1"}},
		{request.Set("revoked", property.New(false)), "ended", "2026-01-02T03:28:05Z", 0, nil, nil},
		{revoked, "revoked", "2026-01-02T03:28:05Z", 1, []string{"revokedKeys"}, nil},
	} {
		preview := update(previewOf(step.asked), step.warnings...)
		if got := unknowns(preview); !slices.Equal(got, step.unknown) {
			t.Errorf("a preview of %v does not know %v", step.asked, got)
		}
		now = now.Add(time.Minute)
		journal := update(step.asked, step.warnings...)
		if stringOf(journal.Get("revocation")) != step.phase || stringOf(journal.Get("revokedBefore")) != step.before ||
			journal.Get("revokedKeys").AsArray().Len() != step.keys {
			t.Errorf("%v gives %v", step.asked, journal)
		}
	}

	// Rotated twice meanwhile, no key that was there is switched on.
	const switchedOff = "revoked is true: the new access key is switched off"
	update(revoked.Set("generation", property.New(2.0)), switchedOff)
	now = now.Add(time.Hour)
	revoked = revoked.Set("userKeys", property.New([]property.Value{key("K1"), key("K2")}))
	update(revoked.Set("generation", property.New(3.0)), switchedOff)
	now = now.Add(time.Hour)
	after := request.Set("userKeys", property.New([]property.Value{key("K2"), key("K3")})).Set("generation", property.New(3.0))
	update(after)

	// Taken away early, it warns until when tokens work again; later, it does not.
	const again = "revoked tokens work again until 2026-01-"
	for name, tt := range map[string]struct {
		age  time.Duration
		want int
	}{"at once": {0, 1}, "a day later": {24 * time.Hour, 1}, "two days later": {48 * time.Hour, 0}} {
		late, log := now.Add(tt.age), &testLogger{}
		journals := &journalProvider{now: func() time.Time { return late }}
		check(t, journals.delete(log, p.DeleteRequest{Urn: urn, ID: "robot", Properties: recorded}))
		if len(log.warnings) != tt.want || tt.want > 0 && !strings.Contains(log.warnings[0], again) {
			t.Errorf("deleted %s, it warns %q", name, log.warnings)
		}
	}
	other := after.Set("userName", property.New("other")).Set("userKeys", property.New([]property.Value{}))
	if journal := update(other, again); stringOf(journal.Get("revocation")) != "" || stringOf(journal.Get("revokedBefore")) != "" {
		t.Errorf("another user was revoked: %v", journal)
	}
	// A journal that nobody can have written is refused.
	recorded = recorded.Set("revocation", property.New("ended")).Set("revokedBefore", property.New("yesterday"))
	checked, err := journals.check(log, p.CheckRequest{Urn: urn, State: recorded, Inputs: other})
	check(t, err)
	if len(checked.Failures) != 1 || !strings.Contains(checked.Failures[0].Reason, "cannot be read: revokedBefore") {
		t.Errorf("it is read: %v", checked)
	}
}

// TestRevokedRegistrations checks what is registered when a key with stores is revoked, and afterwards: the policy of
// the session tokens and both keys depend on nothing of each other, and the stores on the policy.
func TestRevokedRegistrations(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	tp := startPlugin(t, components, func() time.Time { return now })
	inputs := map[string]resource.PropertyValue{
		"generation":     resource.NewProperty(1.0),
		"secretsManager": resource.NewProperty(resource.PropertyMap{"name": resource.NewProperty("cicd/bot")}),
	}
	next := func(change map[string]any) {
		t.Helper()
		tp.mu.Lock()
		tp.registrations = nil
		tp.mu.Unlock()
		for name, v := range change {
			inputs[name] = resource.NewPropertyValue(v)
		}
		now = now.Add(time.Hour)
		_, err := tp.Construct(t.Context(), tp.keyRequest(t, inputs))
		check(t, err)
	}
	find := func(typ, name string) *pulumirpc.RegisterResourceRequest {
		t.Helper()
		for _, r := range tp.registered() {
			if r.GetType() == typ && r.GetName() == name {
				return r
			}
		}
		t.Fatalf("no %s %s is registered", typ, name)
		return nil
	}
	dependsOn := func(r *pulumirpc.RegisterResourceRequest, typ string) bool {
		return slices.ContainsFunc(r.GetDependencies(), func(urn string) bool { return string(resource.URN(urn).Type()) == typ })
	}
	next(nil)
	tp.userKeys = map[string]string{"robot-1-id": "2026-01-02T04:04:05Z"}
	next(map[string]any{"generation": 2.0})
	tp.userKeys["robot-0-id"] = "2026-01-02T05:04:05Z"
	for _, r := range tp.registered() {
		if r.GetType() == userPolicyType {
			t.Errorf("before any revocation, there is %v", r)
		}
	}
	if !dependsOn(find(accessKeyType, "robot-0"), accessKeyType) {
		t.Error("the current key does not come after the previous one")
	}

	tp.keyStatus = "Inactive"
	next(map[string]any{"revoked": true, "secretsManager": resource.PropertyMap{"name": resource.NewProperty("other"), "kmsKeyId": resource.NewProperty("alias/x")}})
	policy := find(userPolicyType, "robot")
	object := unmarshal(t, policy.GetObject())
	if plain(object["policy"]) != `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"Null":{"aws:TokenIssueTime":"false"}}}]}` ||
		plain(object["name"]) != "cicd-revoke-tokens-df8b1525" || plain(object["user"]) != "cicd-bot" || policy.Protect == nil || policy.GetProtect() {
		t.Errorf("the policy is %v, protected %v", object, policy.Protect)
	}
	for _, slot := range []string{"robot-0", "robot-1"} {
		r := find(accessKeyType, slot)
		if status := plain(unmarshal(t, r.GetObject())["status"]); status != "Inactive" {
			t.Errorf("the key %s is %v", slot, status)
		}
		if dependsOn(r, accessKeyType) || dependsOn(r, userPolicyType) || dependsOn(policy, accessKeyType) {
			t.Errorf("the key %s depends on %v, and the policy on %v", slot, r.GetDependencies(), policy.GetDependencies())
		}
	}
	secret := find("aws:secretsmanager/secret:Secret", "robot")
	if name := plain(unmarshal(t, secret.GetObject())["name"]); name != "cicd/bot" || !dependsOn(secret, userPolicyType) ||
		!slices.Contains(secret.GetIgnoreChanges(), "kmsKeyId") {
		t.Errorf("the secret is %v, depends on %v and ignores %v", name, secret.GetDependencies(), secret.GetIgnoreChanges())
	}

	tp.keyStatus = "Active"
	next(map[string]any{"revoked": false})
	text := fmt.Sprint(plain(unmarshal(t, find(userPolicyType, "robot").GetObject())["policy"]))
	if !strings.Contains(text, `{"DateLessThan":{"aws:TokenIssueTime":"2026-01-02T07:09:05Z"}}`) {
		t.Errorf("after the revocation, the policy is %s", text)
	}
	if name := plain(unmarshal(t, find("aws:secretsmanager/secret:Secret", "robot-2").GetObject())["name"]); name != "other" {
		t.Errorf("after the revocation, the secret is %v", name)
	}
}

// TestRevokedKeyStaysActive checks that an update fails which has revoked a key that AWS still lists as active.
func TestRevokedKeyStaysActive(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.keyRequest(t, nil))
	check(t, err)
	tp.userKeys = map[string]string{"robot-1-id": testCreated}
	_, err = tp.Construct(t.Context(), tp.keyRequest(t, map[string]resource.PropertyValue{"revoked": resource.NewProperty(true)}))
	if err == nil || !strings.Contains(err.Error(), "AWS still lists the access key robot-1-id as active") ||
		!strings.Contains(err.Error(), "aws iam update-access-key --user-name cicd-bot --access-key-id robot-1-id --status Inactive") {
		t.Errorf("it ends with %v", err)
	}
}

// TestRevokeSelf checks who must not revoke a user's keys: the user itself, before anything is registered.
func TestRevokeSelf(t *testing.T) {
	t.Parallel()
	for caller, refused := range map[string]bool{
		testCaller: false, "arn:aws:iam::123456789012:user/cicd-bot": true, "arn:aws:iam::123456789012:user/a/cicd-bot": true,
		"arn:aws:sts::123456789012:assumed-role/cicd-bot/x": false, "arn:aws:iam::123456789012:user/cicd-bot2": false,
	} {
		for _, revoked := range []bool{true, false} {
			tp := startProvider(t)
			tp.callerARN = caller
			_, err := tp.Construct(t.Context(), tp.keyRequest(t, map[string]resource.PropertyValue{"revoked": resource.NewProperty(revoked)}))
			if (err != nil) != (refused && revoked) || err != nil && (len(tp.registered()) > 0 ||
				!strings.Contains(err.Error(), "revoked = true: must not be set with credentials of the very user")) {
				t.Errorf("%s, revoked %v: %v", caller, revoked, err)
			}
		}
	}
}

// TestRevokedUnknown checks that a preview which does not know whether the keys are revoked shows the policy as unknown,
// and that a secret one is secret.
func TestRevokedUnknown(t *testing.T) {
	t.Parallel()
	for _, unknown := range []bool{true, false} {
		tp := startProvider(t)
		tp.keyStatus = "Inactive"
		revoked := resource.MakeSecret(resource.NewProperty(true))
		if unknown {
			revoked = resource.MakeComputed(resource.NewProperty(""))
		}
		req := tp.keyRequest(t, map[string]resource.PropertyValue{"revoked": revoked})
		req.DryRun = unknown
		_, err := tp.Construct(t.Context(), req)
		check(t, err)
		if policy := tp.child(t, userPolicyType)["policy"]; policy.ContainsUnknowns() != unknown || !unknown && !policy.ContainsSecrets() {
			t.Errorf("unknown %v: the policy is %v", unknown, policy)
		}
	}
}
