package lab

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// TestDenials has denials under conditions and on everything but a resource decide, with policies enforced, on calls
// with a key, with a session token and with a role's session.
func TestDenials(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	admin := iam.NewFromConfig(l.Config())
	createUser(t, admin, "u")
	key := createKey(t, admin, "u")
	const (
		everything = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}`
		denied     = `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":`
		role       = "arn:aws:iam::123456789012:role/r"
	)
	// put gives the user and the role another policy, and enforces it.
	put := func(statements string) {
		t.Helper()
		ok(t)(nil, l.Enforce(ctx, false))
		ok(t)(admin.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
			UserName: aws.String("u"), PolicyName: aws.String("p"), PolicyDocument: aws.String(everything + statements + `]}`),
		}))
		ok(t)(admin.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
			RoleName: aws.String("r"), PolicyName: aws.String("p"), PolicyDocument: aws.String(everything + statements + `]}`),
		}))
		ok(t)(nil, l.Enforce(ctx, true))
	}
	for _, name := range []string{"r", "other"} {
		ok(t)(admin.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
				`"Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole"}]}`),
		}))
	}
	put("")
	withKey := l.ConfigFor(*key.AccessKeyId, *key.SecretAccessKey, "")
	token, err := sts.NewFromConfig(withKey).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	ok(t)(token, err)
	withToken := l.ConfigFor(*token.Credentials.AccessKeyId, *token.Credentials.SecretAccessKey, *token.Credentials.SessionToken)
	session, err := sts.NewFromConfig(withToken).AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn: aws.String(role), RoleSessionName: aws.String("x1"),
	})
	ok(t)(session, err)
	withSession := l.ConfigFor(*session.Credentials.AccessKeyId, *session.Credentials.SecretAccessKey, *session.Credentials.SessionToken)
	_, err = sts.NewFromConfig(withToken).GetSessionToken(ctx, &sts.GetSessionTokenInput{})
	fails(t, err, "AccessDenied", "session credentials")

	list := func(config aws.Config) error {
		_, err := iam.NewFromConfig(config).ListUsers(ctx, &iam.ListUsersInput{})
		return err
	}
	assume := func(config aws.Config, role string) error {
		_, err := sts.NewFromConfig(config).AssumeRole(ctx, &sts.AssumeRoleInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/" + role), RoleSessionName: aws.String("x1"),
		})
		return err
	}
	now := time.Now().UTC().Add(2 * time.Second).Format(time.RFC3339)
	for statements, want := range map[string]struct{ key, token, session, other bool }{
		"": {true, true, true, true},
		denied + `{"Null":{"aws:TokenIssueTime":"false"}}}`:                             {key: true, other: true},
		denied + `{"Null":{"aws:TokenIssueTime":"true"}}}`:                              {token: true, session: true},
		denied + `{"DateLessThan":{"aws:TokenIssueTime":"` + now + `"}}}`:               {key: true, other: true},
		denied + `{"DateLessThan":{"aws:TokenIssueTime":"2026-01-01T00:00:00Z"}}}`:      {true, true, true, true},
		denied + `{"NotIpAddress":{"aws:SourceIp":"127.0.0.0/8"}}}`:                     {true, true, true, true},
		denied + `{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`:                  {},
		`,{"Effect":"Deny","Action":"sts:AssumeRole","NotResource":"` + role + `"}`:     {key: true, token: true, session: true},
		`,{"Effect":"Deny","NotAction":["iam:ListUsers","sts:Assume*"],"Resource":"*"}`: {true, true, true, true},
	} {
		put(statements)
		for _, got := range []struct {
			name string
			err  error
			want bool
		}{
			{"the key", list(withKey), want.key}, {"the token", list(withToken), want.token},
			{"the session", list(withSession), want.session}, {"the key, of its role", assume(withKey, "r"), want.key},
			{"the key, of another role", assume(withKey, "other"), want.other},
			{"the token, of its role", assume(withToken, "r"), want.token},
		} {
			if (got.err == nil) != got.want {
				t.Errorf("with %s: %s: %v", statements, got.name, got.err)
			}
			if got.err != nil {
				fails(t, got.err, "AccessDenied", "")
			}
		}
		if _, err := sts.NewFromConfig(withToken).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{}); err != nil {
			t.Errorf("with %s: who calls is not told: %v", statements, err)
		}
	}
	// Issued later, they are not older than the time any more.
	l.AgeTokens(-time.Hour)
	put(denied + `{"DateLessThan":{"aws:TokenIssueTime":"` + now + `"}}}`)
	for _, config := range []aws.Config{withToken, withSession} {
		ok(t)(nil, list(config))
	}
	ok(t)(nil, l.Enforce(ctx, false))
}
