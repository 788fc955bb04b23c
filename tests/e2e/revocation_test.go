package e2e

import (
	"fmt"
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
	token, err := sts.NewFromConfig(l.ConfigFor(id, secret, "")).GetSessionToken(t.Context(), &sts.GetSessionTokenInput{})
	harness.Check(t, err)
	thief.token = triple(token.Credentials)
	if thief.session, err = thief.assume(thief.key); err != nil {
		t.Fatal(err)
	}
	return thief
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
		} else if !strings.Contains(err.Error(), "AccessDenied") && !strings.Contains(err.Error(), "InvalidClientTokenId") {
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
func target(robot, key, role harness.Values) harness.Values {
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
	give := func(role harness.Values) { s.WriteWith(target(nil, nil, role), harness.Values{}) }
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
