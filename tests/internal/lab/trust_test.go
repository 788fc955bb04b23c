package lab

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

func TestTrusts(t *testing.T) {
	t.Parallel()
	const (
		root  = `"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::123456789012:root"}`
		other = `"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["arn:aws:iam::210987654321:root"]}`
		user  = `"Effect":"Allow","Action":["sts:AssumeRole"],"Principal":{"AWS":"arn:aws:iam::123456789012:user/ci/bot"}`
		deny  = `"Effect":"Deny","Action":"sts:AssumeRole","Principal":{"AWS":"*"}`
	)
	keys := map[string]string{
		"AWS:PrincipalARN": "arn:aws:iam::123456789012:user/ci/bot", "aws:username": "bot", "aws:SourceIp": "203.0.113.9",
		"sts:RoleSessionName": "gha-bot", "sts:ExternalId": "x",
	}
	question := trustQuestion{"sts:AssumeRole", map[string][]string{
		"AWS": {"arn:aws:iam::123456789012:user/ci/bot", "arn:aws:iam::123456789012:root"},
	}, keys}
	condition := func(text string) string { return `{"Statement":{` + root + `,"Condition":{` + text + `}}}` }
	for _, c := range []struct {
		policy string
		want   bool
	}{
		{`{"Statement":{` + root + `}}`, true},
		{`{"Statement":[{` + other + `},{` + user + `}]}`, true},
		{`{"Statement":[{` + other + `}]}`, false},
		{`{"Statement":[{` + root + `},{` + deny + `}]}`, false},
		{`{"Statement":{"Effect":"Allow","Action":"sts:TagSession","Principal":{"AWS":"arn:aws:iam::123456789012:root"}}}`, false},
		{`nonsense`, false},
		{condition(`"ArnEquals":{"aws:PrincipalArn":["x","arn:aws:iam::123456789012:user/ci/bot"]}`), true},
		{condition(`"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/bot"}`), false},
		{condition(`"StringEquals":{"sts:ExternalId":"x"}`), true},
		{condition(`"StringEquals":{"STS:externalid":"x"}`), true},
		{condition(`"StringEquals":{"sts:ExternalId":"X"}`), false},
		{condition(`"StringEqualsIgnoreCase":{"sts:ExternalId":"X"}`), true},
		{condition(`"StringEquals":{"sts:ExternalId":"y"}`), false},
		{condition(`"StringLike":{"sts:RoleSessionName":["nightly","gha-${aws:username}"]}`), true},
		{condition(`"StringLike":{"sts:RoleSessionName":"gh?-*"}`), true},
		{condition(`"StringLike":{"sts:RoleSessionName":"gha-?"}`), false},
		{condition(`"IpAddress":{"aws:SourceIp":["198.51.100.0/24","203.0.113.0/24"]}`), true},
		{condition(`"IpAddress":{"aws:SourceIp":"2001:db8::/32"}`), false},
		{condition(`"StringEquals":{"sts:ExternalId":"x"},"StringLike":{"sts:RoleSessionName":"y*"}`), false},
		{condition(`"StringNotEquals":{"sts:ExternalId":"y"}`), false},
		{condition(`"StringEquals":{"aws:PrincipalTag/team":"a"}`), false},
	} {
		if got := trusts(c.policy, question); got != c.want {
			t.Errorf("%s: %v", c.policy, got)
		}
	}
}

// TestVariableWithoutValue checks that a variable that a caller has no value of matches nothing.
func TestVariableWithoutValue(t *testing.T) {
	t.Parallel()
	policy := trustsTokens("ci.example", assumesByToken, `"StringLike":{"sts:RoleSessionName":"*${aws:username}"}`)
	if trusts(policy, trustQuestion{
		"sts:AssumeRoleWithWebIdentity", map[string][]string{"Federated": {"arn:aws:iam::123456789012:oidc-provider/ci.example"}},
		map[string]string{"sts:RoleSessionName": "gha"},
	}) {
		t.Error("a caller without a user's name is let in by it")
	}
}

// TestAssumeRole has a user assume, with policies enforced, a role that trusts the account on a condition, and not one
// whose condition does not hold, nor one that only the role's trust would allow. The roles stay as they are.
func TestAssumeRole(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c := iam.NewFromConfig(l.Config())
	for _, name := range []string{"u", "v"} {
		createUser(t, c, name)
	}
	ok(t)(c.PutUserPolicy(ctx, &iam.PutUserPolicyInput{
		UserName: aws.String("u"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
			`"Action":"sts:AssumeRole","Resource":"*"}]}`),
	}))
	for name, session := range map[string]string{"a": "x*", "b": "y*"} {
		ok(t)(c.CreateRole(ctx, &iam.CreateRoleInput{
			RoleName: &name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
				`"Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:AssumeRole",` +
				`"Condition":{"StringLike":{"sts:RoleSessionName":"` + session + `"}}}]}`),
		}))
	}
	before := contents(t, l).Roles
	for _, user := range []string{"u", "v"} {
		ok(t)(nil, l.Enforce(ctx, false))
		key := createKey(t, c, user)
		ok(t)(nil, l.Enforce(ctx, true))
		for _, role := range []string{"a", "b"} {
			_, err := sts.NewFromConfig(l.ConfigFor(*key.AccessKeyId, *key.SecretAccessKey, "")).
				AssumeRole(ctx, &sts.AssumeRoleInput{
					RoleArn: aws.String("arn:aws:iam::123456789012:role/" + role), RoleSessionName: aws.String("x1"),
				})
			if (err == nil) != (user == "u" && role == "a") {
				t.Errorf("%s assumes %s: %v", user, role, err)
			}
		}
	}
	ok(t)(nil, l.Enforce(ctx, false))
	for i, role := range contents(t, l).Roles {
		if role.Trust != before[i].Trust {
			t.Errorf("the role trusts %s", role.Trust)
		}
	}
}
