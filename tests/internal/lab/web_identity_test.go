package lab

import (
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
)

func issuerOf(t *testing.T, url string) *Issuer {
	t.Helper()
	i, err := IssuerOf(url)
	ok(t)(i, err)
	return i
}

// trustsTokens is a trust policy for an issuer's tokens.
func trustsTokens(issuer, action, conditions string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":` +
		`"arn:aws:iam::123456789012:oidc-provider/` + issuer + `"},"Action":` + action + `,"Condition":{` + conditions + `}}]}`
}

func createRole(t *testing.T, c *iam.Client, name, trust string) {
	t.Helper()
	ok(t)(c.CreateRole(t.Context(), &iam.CreateRoleInput{
		RoleName: &name, Path: aws.String("/ci/"), AssumeRolePolicyDocument: &trust, MaxSessionDuration: aws.Int32(7200),
	}))
}

const assumesByToken = `"sts:AssumeRoleWithWebIdentity"`

// TestWebIdentity checks which tokens get a session, and what STS says of the others.
func TestWebIdentity(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c := iam.NewFromConfig(l.Config())
	issuer, other, silent := issuerOf(t, ciURL), issuerOf(t, "https://other.example"), issuerOf(t, "https://silent.example")
	forger, err := ForgerOf(ciURL)
	ok(t)(forger, err)
	l.PublishKeys(issuer, other)
	createProvider(t, c, ciURL, "aws", "second")
	createProvider(t, c, silent.URL, "aws")
	host := strings.TrimPrefix(ciURL, "https://")
	const subject, audience = `"StringLike":{"ci.example/oidc:sub":"job:?:*"}`, `"StringEquals":{"ci.example/oidc:aud":"aws"}`
	createRole(t, c, "deploy", trustsTokens(host, assumesByToken, subject+","+audience))
	createRole(t, c, "tags", trustsTokens(host, `["sts:AssumeRoleWithWebIdentity","sts:TagSession"]`, subject))
	createRole(t, c, "named", trustsTokens(host, assumesByToken, subject+`,"StringEquals":{"sts:RoleSessionName":"night"}`))
	createRole(t, c, "all-keys", trustsTokens(host, assumesByToken, `"StringEquals":{"sts:RoleSessionName":"nightly",`+
		`"aws:FederatedProvider":"`+ciARN+`","ci.example/oidc:oaud":"x"},"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}`))
	createRole(t, c, "people", trustsEverybody)
	ok(t)(c.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: aws.String("deploy"), PolicyName: aws.String("p"),
		PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}]}`),
	}))

	job := map[string]any{"sub": "job:1:main", "aud": "aws"}
	claims := func(more map[string]any) map[string]any {
		all := maps.Clone(job)
		maps.Copy(all, more)
		return all
	}
	by := func(i *Issuer, more map[string]any) string {
		token, err := i.Token(claims(more))
		ok(t)(token, err)
		return token
	}
	elliptic, err := issuer.TokenBy(jose.ES256, job)
	ok(t)(elliptic, err)
	right := by(issuer, nil)
	parts := strings.Split(right, ".")
	ago := func(d time.Duration) map[string]any { return map[string]any{"exp": time.Now().Add(-d).Unix()} }
	tags := map[string]any{"https://aws.amazon.com/tags": map[string]any{"principal_tags": map[string]any{"a": []string{"b"}}}}

	const notJWT, noKey = "not a valid JWT", "Couldn't retrieve verification key from your identity provider,  please"
	const denied = "Not authorized to perform sts:AssumeRoleWithWebIdentity"
	ok(t)(nil, l.Enforce(ctx, true))
	for name, test := range map[string]struct {
		token, role, code, message string
	}{
		"right":                    {right, "deploy", "", ""},
		"elliptic":                 {elliptic, "deploy", "", ""},
		"just expired":             {by(issuer, ago(4*time.Minute)), "deploy", "", ""},
		"authorized party":         {by(issuer, map[string]any{"aud": []string{"a", "b"}, "azp": "aws"}), "deploy", "", ""},
		"every key":                {by(issuer, map[string]any{"aud": "x", "azp": "aws"}), "all-keys", "", ""},
		"with tags, which may be":  {by(issuer, tags), "tags", "", ""},
		"expired":                  {by(issuer, ago(6*time.Minute)), "deploy", "ExpiredTokenException", "Token expired: current date/time "},
		"no expiry":                {by(issuer, map[string]any{"exp": nil}), "deploy", "InvalidIdentityToken", notJWT},
		"no subject":               {by(issuer, map[string]any{"sub": ""}), "deploy", "InvalidIdentityToken", notJWT},
		"other audience":           {by(issuer, map[string]any{"aud": "x"}), "deploy", "InvalidIdentityToken", "Incorrect token audience"},
		"several audiences":        {by(issuer, map[string]any{"aud": []string{"aws", "x"}}), "deploy", "InvalidIdentityToken", "Incorrect token audience"},
		"no audience":              {by(issuer, map[string]any{"aud": nil}), "deploy", "InvalidIdentityToken", "Incorrect token audience"},
		"other authorized party":   {by(issuer, map[string]any{"azp": "x"}), "deploy", "InvalidIdentityToken", "Incorrect token audience"},
		"forged":                   {by(forger, nil), "deploy", "InvalidIdentityToken", notJWT},
		"claims of another token":  {parts[0] + "." + strings.Split(by(issuer, ago(0)), ".")[1] + "." + parts[2], "deploy", "InvalidIdentityToken", notJWT},
		"not signed":               {"eyJhbGciOiJub25lIn0." + parts[1] + ".", "deploy", "InvalidIdentityToken", notJWT},
		"no token":                 {"secret", "deploy", "InvalidIdentityToken", notJWT},
		"issuer without provider":  {by(other, nil), "deploy", "InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://other.example"},
		"issuer that is not there": {by(silent, nil), "deploy", "InvalidIdentityToken", noKey},
		"another issuer's name":    {by(other, map[string]any{"iss": ciURL}), "deploy", "InvalidIdentityToken", notJWT},
		"other subject":            {by(issuer, map[string]any{"sub": "job:12:main"}), "deploy", "AccessDenied", denied},
		"audience of others":       {by(issuer, map[string]any{"aud": "second"}), "deploy", "AccessDenied", denied},
		"with tags":                {by(issuer, tags), "deploy", "AccessDenied", denied},
		"by another name":          {right, "named", "AccessDenied", denied},
		"role for people":          {right, "people", "AccessDenied", denied},
		"no authorized party":      {right, "all-keys", "AccessDenied", denied},
		"role with another path":   {right, "x/deploy", "AccessDenied", denied},
		"no such role":             {right, "x", "AccessDenied", denied},
	} {
		got, err := sts.NewFromConfig(l.ConfigFor("", "", "")).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/ci/" + test.role), RoleSessionName: aws.String("nightly"),
			WebIdentityToken: &test.token,
		})
		if test.code != "" {
			t.Run(name, func(t *testing.T) { fails(t, err, test.code, test.message) })
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if aws.ToString(got.AssumedRoleUser.Arn) != "arn:aws:sts::123456789012:assumed-role/"+test.role+"/nightly" ||
			aws.ToString(got.Provider) != ciARN || aws.ToString(got.Audience) != "aws" || *got.SubjectFromWebIdentityToken != "job:1:main" {
			t.Errorf("%s: the answer is %+v", name, got)
		}
		// The session may do what the role may.
		session := iam.NewFromConfig(l.ConfigFor(*got.Credentials.AccessKeyId, *got.Credentials.SecretAccessKey, *got.Credentials.SessionToken))
		_, listed := session.ListUsers(ctx, &iam.ListUsersInput{})
		_, made := session.CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("u")})
		if (listed == nil) != (test.role == "deploy") || made == nil {
			t.Errorf("%s: the session lists with %v and makes with %v", name, listed, made)
		}
	}
	for seconds, want := range map[int32]string{7200: "", 7201: "MaxSessionDuration", 43201: "limits"} {
		_, err := sts.NewFromConfig(l.ConfigFor("", "", "")).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/ci/deploy"), RoleSessionName: aws.String("nightly"),
			WebIdentityToken: &right, DurationSeconds: &seconds,
		})
		if want == "" {
			ok(t)(nil, err)
		} else {
			fails(t, err, "ValidationError", want)
		}
	}
	_, err = sts.NewFromConfig(l.ConfigFor("", "", "")).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: aws.String("arn:aws:iam::123456789012:role/ci/deploy"), RoleSessionName: aws.String("a job"), WebIdentityToken: &right,
	})
	fails(t, err, "ValidationError", "limits")
	if _, err = c.ListUsers(ctx, &iam.ListUsersInput{}); err == nil {
		t.Error("policies are not enforced any more")
	}
}

// TestConditionKeys checks which claims of a token a trust policy can ask for, by the issuer.
func TestConditionKeys(t *testing.T) {
	t.Parallel()
	l := start(t)
	c, stsClient := iam.NewFromConfig(l.Config()), sts.NewFromConfig(l.Config())
	for name, test := range map[string]struct {
		issuer, claim string
		value         any
		there         bool
	}{
		"github":            {"token.actions.githubusercontent.com", "repository_id", "7", true},
		"github enterprise": {"token.actions.githubusercontent.com/acme", "job_workflow_ref", "7", true},
		"github data":       {"token.actions.acme.ghe.com", "environment", "7", true},
		"github visibility": {"token.actions.githubusercontent.com", "repository_visibility", "7", false},
		"github server":     {"ghe.example/_services/token", "repository_id", "7", false},
		"gitlab":            {"gitlab.com", "ref_protected", true, true},
		"gitlab path":       {"gitlab.com", "project_path", "7", false},
		"own gitlab":        {"gitlab.example", "project_id", "7", false},
		"circleci":          {"oidc.circleci.com/org/a", "oidc.circleci.com/project-id", "7", true},
		"circleci ref":      {"oidc.circleci.com/org/a", "oidc.circleci.com/vcs-ref", "7", false},
		"buildkite":         {"agent.buildkite.com", "pipeline_id", "7", true},
		"buildkite branch":  {"agent.buildkite.com", "branch", "7", false},
		"issuer":            {"gitlab.com", "iss", "https://gitlab.com", false},
	} {
		issuer := issuerOf(t, "https://"+test.issuer)
		l.PublishKeys(issuer)
		ok(t)(nil, l.Reset(t.Context()))
		createProvider(t, c, issuer.URL, "aws")
		want := "7"
		if test.value == true {
			want = "true"
		}
		createRole(t, c, "r", trustsTokens(test.issuer, assumesByToken,
			`"StringEquals":{"`+test.issuer+`:sub":"s","`+test.issuer+`:`+test.claim+`":"`+want+`"}`))
		token, err := issuer.Token(map[string]any{"sub": "s", "aud": "aws", test.claim: test.value})
		ok(t)(token, err)
		_, err = stsClient.AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
			RoleArn: aws.String("arn:aws:iam::123456789012:role/ci/r"), RoleSessionName: aws.String("nightly"), WebIdentityToken: &token,
		})
		if (err == nil) != test.there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSharedIssuers checks that a role that would trust all customers of a CI system is refused.
func TestSharedIssuers(t *testing.T) {
	t.Parallel()
	l, ctx := start(t), t.Context()
	c := iam.NewFromConfig(l.Config())
	right := trustsTokens("gitlab.com", assumesByToken, `"StringEquals":{"gitlab.com:sub":"a"}`)
	wrong := trustsTokens("gitlab.com", assumesByToken, `"StringLike":{"gitlab.com:sub":"*"}`)
	const message = "Trust policy with trusted principal arn:aws:iam::123456789012:oidc-provider/gitlab.com must evaluate, using " +
		"StringEquals, StringLike or StringEqualsIgnoreCase, gitlab.com:sub which is not scoped to all."
	_, err := c.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("r"), AssumeRolePolicyDocument: &wrong})
	fails(t, err, "MalformedPolicyDocument", message)
	createRole(t, c, "r", right)
	_, err = c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("r"), PolicyDocument: &wrong})
	fails(t, err, "MalformedPolicyDocument", message)
	for _, policy := range []string{
		trustsTokens("gitlab.example", assumesByToken, `"StringLike":{"gitlab.example:sub":"*"}`), strings.Replace(wrong, "Allow", "Deny", 1),
	} {
		ok(t)(c.UpdateAssumeRolePolicy(ctx, &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String("r"), PolicyDocument: &policy}))
	}
}

// TestJobEnv checks that a job's environment has no credentials but the token.
func TestJobEnv(t *testing.T) {
	t.Parallel()
	l := start(t)
	env, err := l.JobEnv("arn", "secret")
	ok(t)(env, err)
	if env["AWS_ROLE_ARN"] != "arn" || env["AWS_ACCESS_KEY_ID"] != "" || env["AWS_SECRET_ACCESS_KEY"] != "" || env["AWS_SESSION_TOKEN"] != "" {
		t.Errorf("the environment is %v", env)
	}
	text, err := os.ReadFile(env["AWS_WEB_IDENTITY_TOKEN_FILE"])
	if err != nil || string(text) != "secret" {
		t.Errorf("the token is %q: %v", text, err)
	}
}
