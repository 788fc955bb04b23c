package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// A thief is somebody with a user's key, and what was made of it.
type thief struct {
	t *testing.T
	l *lab.Lab
	// key, token and session are credentials, each an ID, a secret and a token.
	key, token, session [3]string
}

// steal makes a session token of a key, and a session of the role /cicd/staging.
func steal(t *testing.T, l *lab.Lab, outputs auto.OutputMap) *thief {
	t.Helper()
	id, _ := outputs["accessKeyId"].Value.(string)
	secret, _ := outputs["secretAccessKey"].Value.(string)
	thief := &thief{t: t, l: l, key: [3]string{id, secret, ""}}
	thief.token = tokenOf(t, l, thief.key)
	var err error
	if thief.session, err = thief.assume(thief.key); err != nil {
		t.Fatal(err)
	}
	return thief
}

// tokenOf returns a session token of a key.
func tokenOf(t *testing.T, l *lab.Lab, key [3]string) [3]string {
	t.Helper()
	token, err := sts.NewFromConfig(l.ConfigFor(key[0], key[1], "")).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	harness.Check(t, err)
	return triple(token.Credentials)
}

func triple(c *types.Credentials) [3]string {
	return [3]string{*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken}
}

// assume assumes the role with credentials, with policies enforced.
func (s *thief) assume(with [3]string) (session [3]string, err error) {
	s.t.Helper()
	harness.Check(s.t, s.l.Enforce(s.t.Context(), true))
	defer func() { harness.Check(s.t, s.l.Enforce(s.t.Context(), false)) }()
	role, name := "arn:aws:iam::123456789012:role/cicd/staging", "x1"
	out, err := sts.NewFromConfig(s.l.ConfigFor(with[0], with[1], with[2])).AssumeRole(s.t.Context(),
		&sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: &name})
	if err != nil {
		return session, err
	}
	return triple(out.Credentials), nil
}

// can returns which credentials still work: the key and the token for assuming the role, the session for a call.
func (s *thief) can() string {
	s.t.Helper()
	var working []string
	for name, credentials := range map[string][3]string{"key": s.key, "token": s.token} {
		if _, err := s.assume(credentials); err == nil {
			working = append(working, name)
		} else if !strings.Contains(err.Error(), "StatusCode: 403") {
			s.t.Fatal(err)
		}
	}
	harness.Check(s.t, s.l.Enforce(s.t.Context(), true))
	code := callAWSWith(s.t, s.l, map[string]string{
		"AWS_ACCESS_KEY_ID": s.session[0], "AWS_SECRET_ACCESS_KEY": s.session[1], "AWS_SESSION_TOKEN": s.session[2],
	}, [][3]any{{"iam", "list_users", harness.Values{}}})[0]
	harness.Check(s.t, s.l.Enforce(s.t.Context(), false))
	if code == "" {
		working = append(working, "session")
	}
	slices.Sort(working)
	return strings.Join(working, " ")
}

// target is a program of a robot with a key and of a role, which trusts the robot and may list users.
func target(robot, role harness.Values) harness.Values {
	merge := func(into, more harness.Values) harness.Values {
		for name, value := range more {
			into[name] = value
		}
		return into
	}
	return harness.Values{
		"robot": harness.Values{"type": "cicd:RobotAccount", "properties": merge(harness.Values{
			"userName": "cicd-bot", "assumableRoles": []string{"cicd/*"},
		}, robot)},
		"staging": harness.Values{"type": "cicd:DeploymentRole", "properties": merge(harness.Values{
			"roleName": "staging", "path": "/cicd/", "trusted": []string{"${robot.userArn}"},
			"inlinePolicies": harness.Values{"list": harness.Values{"Version": "2012-10-17", "Statement": []any{
				harness.Values{"Effect": "Allow", "Action": "iam:ListUsers", "Resource": "*"},
			}}},
		}, role)},
	}
}

// TestRevokeSessionsBefore revokes the sessions of a role from the preview on: old ones end, new ones work, a later
// time ends these too, and what is taken away revives what has not expired.
func TestRevokeSessionsBefore(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.NewKeyStack(t, l)
	at := func(d time.Duration) harness.Values {
		return harness.Values{"revokeSessionsBefore": time.Now().Add(d).Format(time.RFC3339)}
	}
	give := func(role harness.Values) { s.WriteWith(target(nil, role), harness.Values{}) }
	give(nil)
	result, _ := s.MustUp()
	thief := steal(t, l, result.Outputs)
	expect := func(when, want string) {
		t.Helper()
		if got := thief.can(); got != want {
			t.Errorf("%s, these work: %s, and not %s", when, got, want)
		}
	}
	expect("at first", "key session token")

	give(at(2 * time.Second))
	preview := fmt.Sprint(s.MustPreview())
	_, steps := s.MustUp()
	if want := "[create RolePolicy staging:cicd-revoke-sessions]"; preview != want || fmt.Sprint(steps) != want {
		t.Errorf("the preview is %s, and the update %v", preview, steps)
	}
	s.Unchanged()
	expect("with a time", "key token")
	l.AgeTokens(time.Minute)
	time.Sleep(2 * time.Second)
	session, err := thief.assume(thief.key)
	harness.Check(t, err)
	old := thief.session
	thief.session = session
	expect("in a session that was issued later", "key session token")

	give(at(time.Minute))
	_, steps = s.MustUp()
	if want := "[update RolePolicy staging:cicd-revoke-sessions [policy]]"; fmt.Sprint(steps) != want {
		t.Errorf("the update is %v", steps)
	}
	expect("with a later time", "key token")

	give(nil)
	if _, steps = s.MustUp(); fmt.Sprint(steps) != "[delete RolePolicy staging:cicd-revoke-sessions]" {
		t.Errorf("the update is %v", steps)
	}
	thief.session = old
	expect("without a time", "key session token")
	s.MustDestroy()
}

// TestRevoked takes a leaked key through a revocation: key and session token can do nothing at once, tokens that were
// issued until its end never work again, and sessions of roles live on.
func TestRevoked(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.NewKeyStack(t, l)
	var warnings string
	next := func(key harness.Values) (steps string) {
		t.Helper()
		s.WriteWith(target(nil, nil), key)
		preview := fmt.Sprint(s.MustPreview())
		result, done := s.MustUp()
		if fmt.Sprint(done) != preview {
			t.Errorf("the preview shows %s, and the update does %v", preview, done)
		}
		warnings = result.StdOut + result.StdErr
		s.Unchanged()
		return preview
	}
	s.WriteWith(target(nil, nil), harness.Values{})
	result, _ := s.MustUp()
	old := steal(t, l, result.Outputs)
	expect := func(thief *thief, when, want string) {
		t.Helper()
		if got := thief.can(); got != want {
			t.Errorf("%s, these work: %q, and not %q", when, got, want)
		}
	}
	expect(old, "at first", "key session token")
	if steps := next(harness.Values{"revoked": true}); steps != "[create UserPolicy key update AccessKey key-1 [status]]" {
		t.Errorf("it is revoked by %s", steps)
	}
	expect(old, "revoked", "session")
	during := &thief{t, l, old.key, tokenOf(t, l, old.key), old.session} // By somebody for whom the key still works.
	expect(during, "made during the revocation", "session")

	if steps := next(harness.Values{"revoked": false}); steps != "[update AccessKey key-1 [status] update UserPolicy key [policy]]" {
		t.Errorf("the revocation ends by %s", steps)
	}
	if !strings.Contains(warnings, "switches on access keys that were there when the user \"cicd-bot\" was revoked: "+old.key[0]) {
		t.Errorf("no warning names the key:\n%s", warnings)
	}
	expect(old, "after the revocation", "key session")
	expect(during, "after the revocation", "key session")
	later := steal(t, l, result.Outputs)
	expect(later, "within five minutes", "key session")
	l.AgeTokens(-5*time.Minute - time.Second)
	expect(later, "after five minutes", "key session token")
	l.AgeTokens(5*time.Minute + time.Second)

	// Rotated until the leaked key is gone, the next revocation warns of no key.
	next(harness.Values{"revoked": true})
	next(harness.Values{"revoked": true, "generation": 2})
	next(harness.Values{"revoked": true, "generation": 3})
	expect(old, "rotated", "session")
	next(harness.Values{"generation": 3})
	if strings.Contains(warnings, "switches on") {
		t.Errorf("a warning names a key:\n%s", warnings)
	}
	expect(old, "at the end", "session")

	// Taken away early, tokens could work again.
	s.WriteWith(target(nil, nil), nil)
	result, _ = s.MustUp()
	if out := result.StdOut; !strings.Contains(out, "revoked tokens work again until ") {
		t.Errorf("no warning says that tokens work again:\n%s", out)
	}
	expect(old, "without the component", "session token")
	s.MustDestroy()
}

// TestRevokedSharedUser has two components revoke the tokens of one user: each has a policy of its own, and the tokens
// stay revoked until the last one is gone.
func TestRevokedSharedUser(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.NewKeyStack(t, l)
	next := func(key, other harness.Values) auto.OutputMap {
		t.Helper()
		other["userName"] = "${robot.userName}"
		resources := target(nil, nil)
		resources["other"] = harness.Values{"type": "cicd:AccessKey", "properties": other}
		s.WriteWith(resources, key)
		result, _ := s.MustUp()
		return result.Outputs
	}
	s.WriteWith(target(nil, nil), harness.Values{}) // One after the other, since each minds what the other makes meanwhile.
	s.MustUp()
	thief := steal(t, l, next(harness.Values{}, harness.Values{}))
	for _, step := range []struct {
		key, other bool
		policies   int
		can        string
	}{
		{true, false, 1, "session"}, {true, true, 2, "session"}, {false, true, 2, "key session"}, {false, false, 2, "key session"},
	} {
		next(harness.Values{"revoked": step.key}, harness.Values{"revoked": step.other})
		if policies := harness.Account(t, l).Users[0].Policies; len(policies) != step.policies {
			t.Errorf("%+v: the user has the policies %v", step, policies)
		}
		if got := thief.can(); got != step.can {
			t.Errorf("%+v: these work: %s", step, got)
		}
	}
	s.MustDestroy()
}

// TestRevokedAgainstFaults has a call of a revocation fail. The others are made all the same, the error has the command
// that does it by hand, and the next update converges.
func TestRevokedAgainstFaults(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.NewKeyStack(t, l)
	denied := func(w http.ResponseWriter, call lab.Call, _ func(http.ResponseWriter)) {
		lab.Refuse(w, call, http.StatusForbidden, "AccessDenied", "not today")
	}
	s.Next(harness.Values{})
	second := s.Next(harness.Values{"generation": 2})
	for action, want := range map[string]string{
		"PutUserPolicy":   "aws iam put-user-policy --user-name cicd-bot --policy-name cicd-revoke-tokens-",
		"UpdateAccessKey": "aws iam update-access-key --user-name cicd-bot --access-key-id ",
	} {
		s.Give(harness.Values{"generation": 2, "revoked": true})
		l.Writes()
		l.Inject(harness.FirstOf(action, denied))
		out, err := s.Command("up", "--yes", "--skip-preview", "--continue-on-error").CombinedOutput()
		l.Inject(nil)
		calls := l.Writes()
		slices.Sort(calls)
		others := []string{"PutUserPolicy", "UpdateAccessKey", "UpdateAccessKey"}
		others = slices.Delete(others, slices.Index(others, action), slices.Index(others, action)+1)
		if err == nil || !strings.Contains(string(out), want) || !slices.Equal(calls, others) {
			t.Errorf("%s fails: %v, after the calls %v\n%s", action, err, calls, out)
		}
		s.MustUp()
		s.Holds(second.PreviousAccessKeyID+harness.Inactive, second.AccessKeyID+harness.Inactive)
		s.Unchanged()
		s.Next(harness.Values{"generation": 2})
		s.Next(harness.Values{"generation": 2, "userName": "cicd-bot"})
	}
	s.MustDestroy()
}

// TestRevokedModes revokes with --target, on a protected component, and where stores fail.
func TestRevokedModes(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.NewKeyStack(t, l)
	s.Options = harness.Values{"protect": true}
	stores := func(more harness.Values) harness.Values {
		all := harness.Values{"secretsManager": harness.Values{"name": "cicd/bot"}, "ssmPath": "/cicd/bot"}
		maps.Copy(all, more)
		return all
	}
	key := s.Next(stores(nil))
	urn := ""
	for u := range s.Resources() {
		if strings.HasSuffix(u, "::cicd:index:AccessKey::key") {
			urn = u
		}
	}
	up := func(args ...string) string {
		t.Helper()
		out, err := s.Command(append([]string{"up", "--yes", "--skip-preview"}, args...)...).CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		return string(out)
	}
	// A program that wants other stores too: they stay as they are.
	s.Give(harness.Values{"secretsManager": harness.Values{"name": "other", "kmsKeyId": "alias/none"}, "revoked": true})
	l.Writes()
	up("--target", urn)
	if calls := l.Writes(); len(calls) > 0 {
		t.Errorf("with --target alone, the calls are %v", calls)
	}
	up("--target", urn, "--target-dependents")
	calls := l.Writes()
	slices.Sort(calls)
	if !slices.Equal(calls, []string{"PutUserPolicy", "UpdateAccessKey"}) {
		t.Errorf("with --target-dependents, the calls are %v", calls)
	}
	s.Holds(key.AccessKeyID + harness.Inactive)
	s.Keeps(s.KeyOutputs())
	s.Unchanged()

	// Rotated meanwhile, the stores that the program wants hold the new key.
	second := s.Next(harness.Values{"secretsManager": harness.Values{"name": "other"}, "revoked": true, "generation": 2})
	s.Holds(key.AccessKeyID+harness.Inactive, second.AccessKeyID+harness.Inactive)
	second = s.Next(stores(harness.Values{"generation": 2}))
	s.Holds(key.AccessKeyID+harness.Active, second.AccessKeyID+harness.Active)
	if secret := harness.Account(t, l).Secrets[0]; secret.Name != "cicd/bot" || !strings.Contains(secret.Value, second.AccessKeyID) {
		t.Errorf("the secret is %+v", secret)
	}
	s.Options = nil
	s.Next(stores(harness.Values{"generation": 2}))
	s.MustDestroy()
}

// TestRevokedWhileAWSLags switches keys on, off and on again while AWS lists the statuses from before. An update that
// leaves a key active says so, and one with --refresh converges.
func TestRevokedWhileAWSLags(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.NewKeyStack(t, l)
	key := s.Next(harness.Values{})
	l.LagKeys(time.Hour)
	time.Sleep(1100 * time.Millisecond)
	l.LagKeys(time.Second) // AWS lists the key by now, and its switches a second late.
	revoked := harness.Values{"revoked": true}
	converges := func(inputs harness.Values, want string) {
		t.Helper()
		s.Give(inputs)
		for range 3 {
			out, err := s.Command("up", "--yes", "--skip-preview").CombinedOutput()
			if err == nil && harness.KeysOf(t, l)[0] == key.AccessKeyID+want {
				return
			}
			if err != nil && !strings.Contains(string(out), "AWS still lists the access key "+key.AccessKeyID+" as active") {
				t.Errorf("%v: %v\n%s", inputs, err, out)
			}
			time.Sleep(1100 * time.Millisecond)
			if _, err := s.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
		}
		t.Errorf("%v: the keys are %v", inputs, harness.KeysOf(t, l))
	}
	for range 2 {
		converges(revoked, harness.Inactive)
		converges(harness.Values{}, harness.Active)
	}
	l.LagKeys(0)
	s.MustDestroy()
}
