package e2e

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

const (
	githubIssuer = "https://token.actions.githubusercontent.com"
	githubHost   = "token.actions.githubusercontent.com"
)

// trustProgram makes the role cicd/production, which jobs of the repository acme/shop in the environment production may
// assume, and which may make groups.
func trustProgram() map[string]lab.Resource {
	return map[string]lab.Resource{
		"github": {Type: "aws:iam:OpenIdConnectProvider", Properties: map[string]any{
			"url": githubIssuer, "clientIdLists": []string{"sts.amazonaws.com"},
		}},
		"production": {Type: "aws:iam:Role", Properties: map[string]any{
			"name": "production", "path": "/cicd/",
			"assumeRolePolicy": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
				"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
				"Principal": map[string]any{"Federated": "${github.arn}"},
				"Condition": map[string]any{"StringEquals": map[string]any{
					githubHost + ":aud":           "sts.amazonaws.com",
					githubHost + ":sub":           "repo:acme/shop:environment:production",
					githubHost + ":repository_id": "17",
				}},
			}}},
		}},
		"groups": {Type: "aws:iam:RolePolicy", Properties: map[string]any{
			"role": "${production.name}",
			"policy": map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
				"Effect": "Allow", "Action": []string{"iam:CreateGroup", "iam:GetGroup"}, "Resource": "*",
			}}},
		}},
	}
}

// TestKeyless checks that a job signs in and deploys with its token alone, under the role that trusts it, and that each
// other token is refused with what AWS says.
func TestKeyless(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	issuer, err := lab.IssuerOf(githubIssuer)
	harness.Check(t, err)
	other, err := lab.IssuerOf("https://gitlab.com")
	harness.Check(t, err)
	forger, err := lab.ForgerOf(githubIssuer)
	harness.Check(t, err)
	l.PublishKeys(issuer, other)
	dir, err := l.WriteProgram("trust", trustProgram())
	harness.Check(t, err)
	for _, args := range [][]string{
		{"stack", "init"},
		{"up", "--yes"},
		{"refresh", "--yes", "--expect-no-changes"},
		{"preview", "--expect-no-changes"},
	} {
		out, err := l.Command(t.Context(), dir, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("pulumi %v: %v\n%s", args, err, out)
		}
	}
	if providers := harness.Account(t, l).Providers; len(providers) != 1 || providers[0].Issuer != githubHost {
		t.Errorf("the account trusts %s", harness.Pretty(t, providers))
	}

	group := lab.Resource{Type: "aws:iam:Group", Properties: map[string]any{"name": "made-by-the-job"}}
	dir, err = l.WriteProgram("job", map[string]lab.Resource{"group": group})
	harness.Check(t, err)
	if out, err := l.Command(t.Context(), dir, "stack", "init").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	harness.Check(t, l.Enforce(t.Context(), true))
	l.Calls()
	deploy := func(issuer *lab.Issuer, claims map[string]any) (string, error) {
		t.Helper()
		token, err := issuer.Token(claims)
		harness.Check(t, err)
		env, err := l.JobEnv(assumed+"cicd/production", token)
		harness.Check(t, err)
		out, err := lab.CommandIn(t.Context(), env, dir, "up", "--yes", "--skip-preview").CombinedOutput()
		return string(out), err
	}
	job := map[string]any{
		"sub": "repo:acme/shop:environment:production", "aud": "sts.amazonaws.com", "repository": "acme/shop",
		"repository_id": "17", "environment": "production",
	}
	for name, test := range map[string]struct {
		issuer *lab.Issuer
		claims map[string]any
		says   string
	}{
		"another repository": {
			issuer, map[string]any{"sub": "repo:acme/website:environment:production"},
			"AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
		},
		"a repository that took the name": {
			issuer, map[string]any{"repository_id": "18"}, "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity",
		},
		"expired": {
			issuer, map[string]any{"exp": time.Now().Add(-time.Hour).Unix()}, "ExpiredTokenException: Token expired: current date/time",
		},
		"another audience": {
			issuer, map[string]any{"aud": "https://github.com/acme"}, "InvalidIdentityToken: Incorrect token audience",
		},
		"another key": {forger, nil, "InvalidIdentityToken: The ID Token provided is not a valid JWT"},
		"an issuer that the account does not trust": {
			other, nil, "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://gitlab.com",
		},
	} {
		claims := maps.Clone(job)
		maps.Copy(claims, test.claims)
		out, err := deploy(test.issuer, claims)
		if err == nil || !strings.Contains(out, "no valid credential sources") || !strings.Contains(out, test.says) {
			t.Errorf("a token with %s ends with %v:\n%s", name, err, out)
		}
	}
	for _, call := range l.Calls() {
		if call.Action != "AssumeRoleWithWebIdentity" {
			t.Errorf("without a session, %s is called", call.Action)
		}
	}
	if out, err := deploy(issuer, job); err != nil {
		t.Fatalf("the job's own token: %v\n%s", err, out)
	}
	_, err = l.WriteProgram("job", map[string]lab.Resource{"group": group, "user": {Type: "aws:iam:User"}})
	harness.Check(t, err)
	if out, err := deploy(issuer, job); err == nil || !strings.Contains(out, "CreateUser, https response error StatusCode: 403") {
		t.Errorf("what the role does not allow ends with %v:\n%s", err, out)
	}
	harness.Check(t, l.Enforce(t.Context(), false))
	if groups := harness.Account(t, l).Groups; len(groups) != 1 || groups[0].Name != "made-by-the-job" {
		t.Errorf("the account has the groups %s", harness.Pretty(t, groups))
	}
}
