package iam

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/internal/iamtest"
)

// What else may allow a robot something.
const (
	administrator = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`
	secondGroup   = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Action":["s3:*","sts:AssumeRole","sts:TagSession"],"Resource":"*"}]}`
	bucketPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + testUser + `"},` +
		`"Action":"s3:*","Resource":["arn:aws:s3:::state","arn:aws:s3:::state/*"]}]}`
	// A role's trust policy that names the user itself is enough to assume the role in the same account.
	trustOfUser = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"` + testUser + `"},` +
		`"Action":["sts:AssumeRole","sts:TagSession"]}]}`
)

const (
	stagingRole = "arn:aws:iam::123456789012:role/cicd/staging"
	adminRole   = "arn:aws:iam::123456789012:role/admin"
	awayRole    = "arn:aws:iam::210987654321:role/cicd/staging"
	object      = "arn:aws:s3:::state/object"
)

// An attempt is a request of a user or of a role's session, with what else allows it.
type attempt struct {
	action, resource string
	// issued is when the temporary credentials were issued that it is made with. It is empty for an access key.
	issued string
	from   string
	by     iamtest.Policies
	// want reports whether the request is allowed.
	want bool
}

// gets reports whether the attempt gets in with a policy, or without any.
func (a attempt) gets(t *testing.T, policy string) bool {
	t.Helper()
	r := iamtest.Request{Action: a.action, Resource: a.resource, Keys: map[string]string{"aws:PrincipalArn": testUser}}
	if a.from != "" {
		r.Keys[sourceIP] = a.from
	}
	if a.issued != "" {
		r.Keys[issueTime] = a.issued
	}
	by := a.by
	if policy != "" {
		by.Identity = append([]string{policy}, by.Identity...)
	}
	return iamtest.Allowed(t, by, r)
}

// TestConfine checks what a confined robot can do, whatever else allows it. Without confine, each request gets in.
func TestConfine(t *testing.T) {
	t.Parallel()
	const inside, inside6, outside, now = "203.0.113.9", "2001:db8::9", "198.51.100.1", "2026-11-26T15:30:00Z"
	admin := iamtest.Policies{Identity: []string{administrator}}
	group := iamtest.Policies{Identity: []string{secondGroup}}
	bucket := iamtest.Policies{Resource: bucketPolicy}
	trust := iamtest.Policies{Resource: trustOfUser}
	scopes, err := ParseRoleScopes([]string{"cicd/*", "deploy", "arn:aws:iam::210987654321:role/shared"})
	if err != nil {
		t.Fatal(err)
	}
	plain := Scope{Roles: scopes}
	tags := Scope{Roles: scopes, SessionTags: true}
	office := Scope{Roles: scopes, Sources: ranges("203.0.113.0/24", "2001:db8::/32")}
	for _, tt := range []struct {
		scope Scope
		attempt
	}{
		// With a key, the roles of the robot and nothing else.
		{plain, attempt{"sts:AssumeRole", stagingRole, "", outside, iamtest.Policies{}, true}},
		{plain, attempt{"sts:AssumeRole", stagingRole, "", outside, admin, true}},
		{plain, attempt{"sts:AssumeRole", stagingRole, "", outside, trust, true}},
		{plain, attempt{"sts:AssumeRole", "arn:aws:iam::123456789012:role/deploy", "", "", admin, true}},
		{plain, attempt{"sts:AssumeRole", "arn:aws:iam::210987654321:role/shared", "", outside, admin, true}},
		{plain, attempt{"sts:AssumeRole", adminRole, "", outside, admin, false}},
		{plain, attempt{"sts:AssumeRole", adminRole, "", outside, group, false}},
		{plain, attempt{"sts:AssumeRole", adminRole, "", outside, trust, false}},
		{plain, attempt{"sts:AssumeRole", awayRole, "", outside, admin, false}},
		{plain, attempt{"sts:AssumeRole", "arn:aws:iam::123456789012:role/deploy2", "", outside, admin, false}},
		{plain, attempt{"sts:AssumeRole", "arn:aws:iam::123456789012:role/x/deploy", "", outside, group, false}},
		{plain, attempt{"sts:TagSession", stagingRole, "", outside, admin, false}},
		{plain, attempt{"sts:TagSession", stagingRole, "", outside, trust, false}},
		{plain, attempt{"sts:SetSourceIdentity", stagingRole, "", outside, admin, false}},
		{plain, attempt{"sts:GetFederationToken", "*", "", outside, admin, false}},
		{plain, attempt{"sts:AssumeRoleWithSAML", stagingRole, "", outside, admin, false}},
		{plain, attempt{"iam:PutUserPolicy", testUser, "", outside, admin, false}},
		{plain, attempt{"iam:CreateAccessKey", testUser, "", outside, admin, false}},
		{plain, attempt{"iam:PutGroupPolicy", "arn:aws:iam::123456789012:group/robots", "", outside, admin, false}},
		{plain, attempt{"iam:RemoveUserFromGroup", "arn:aws:iam::123456789012:group/robots", "", outside, admin, false}},
		{plain, attempt{"iam:PassRole", stagingRole, "", outside, admin, false}},
		{plain, attempt{"iam:UpdateAssumeRolePolicy", stagingRole, "", outside, admin, false}},
		{plain, attempt{"s3:GetObject", object, "", outside, admin, false}},
		{plain, attempt{"s3:GetObject", object, "", outside, group, false}},
		{plain, attempt{"s3:GetObject", object, "", outside, bucket, false}},
		{plain, attempt{"s3:PutObject", object, "", "", bucket, false}},
		{plain, attempt{"kms:Decrypt", "arn:aws:kms:eu-central-1:123456789012:key/1", "", outside, admin, false}},
		{plain, attempt{"sts:GetCallerIdentity", "*", "", outside, iamtest.Policies{}, true}},
		// With tokens made of the key, nothing.
		{plain, attempt{"sts:AssumeRole", stagingRole, now, outside, iamtest.Policies{}, false}},
		{plain, attempt{"sts:AssumeRole", stagingRole, now, outside, admin, false}},
		{plain, attempt{"sts:AssumeRole", stagingRole, now, outside, trust, false}},
		{plain, attempt{"s3:GetObject", object, now, outside, bucket, false}},
		{plain, attempt{"s3:GetObject", object, now, outside, admin, false}},
		{plain, attempt{"iam:CreateUser", "*", now, "", admin, false}},
		{plain, attempt{"sts:GetCallerIdentity", "*", now, outside, iamtest.Policies{}, true}},
		// Tags, where they are allowed.
		{tags, attempt{"sts:AssumeRole", stagingRole, "", outside, iamtest.Policies{}, true}},
		{tags, attempt{"sts:TagSession", stagingRole, "", outside, iamtest.Policies{}, true}},
		{tags, attempt{"sts:TagSession", adminRole, "", outside, group, false}},
		{tags, attempt{"sts:TagSession", stagingRole, now, outside, admin, false}},
		{tags, attempt{"sts:SetSourceIdentity", stagingRole, "", outside, admin, false}},
		// From the addresses, and from elsewhere.
		{office, attempt{"sts:AssumeRole", stagingRole, "", inside, iamtest.Policies{}, true}},
		{office, attempt{"sts:AssumeRole", stagingRole, "", inside6, admin, true}},
		{office, attempt{"sts:AssumeRole", stagingRole, "", outside, admin, false}},
		{office, attempt{"sts:AssumeRole", stagingRole, "", outside, trust, false}},
		{office, attempt{"sts:AssumeRole", stagingRole, "", "2001:db9::1", group, false}},
		{office, attempt{"sts:AssumeRole", stagingRole, "", "", admin, false}}, // Through a VPC endpoint.
		{office, attempt{"sts:AssumeRole", adminRole, "", inside, admin, false}},
		{office, attempt{"s3:GetObject", object, "", inside, bucket, false}},
		{office, attempt{"s3:GetObject", object, now, inside, admin, false}},
		{office, attempt{"sts:AssumeRole", stagingRole, now, inside, admin, false}},
	} {
		for _, confine := range []bool{false, true} {
			tt.scope.Confine = confine
			policy, err := tt.scope.Policy(here)
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.gets(t, policy); got != (tt.want || !confine) {
				t.Errorf("%+v with confine %v: %v, by %s", tt.attempt, confine, got, policy)
			}
		}
	}
}

// TestConfinePolicy checks the text: the statement of a robot that is not confined comes first, and is the same.
func TestConfinePolicy(t *testing.T) {
	t.Parallel()
	for _, tags := range []bool{false, true} {
		for _, sources := range [][]string{nil, {"203.0.113.0/24", "203.0.113.0/25"}} {
			scopes, err := ParseRoleScopes([]string{"b", "a"})
			if err != nil {
				t.Fatal(err)
			}
			scope := Scope{Roles: scopes, Sources: ranges(sources...), SessionTags: tags}
			open, err := scope.Policy(here)
			if err != nil {
				t.Fatal(err)
			}
			scope.Confine = true
			got, err := scope.Policy(here)
			actions := `"sts:AssumeRole"`
			if tags {
				actions = `["sts:AssumeRole","sts:TagSession"]`
			}
			want := strings.TrimSuffix(open, "]}") + `,{"Effect":"Deny","NotAction":` + actions + `,"Resource":"*"},` +
				`{"Effect":"Deny","Action":` + actions + `,"NotResource":["arn:aws:iam::123456789012:role/a",` +
				`"arn:aws:iam::123456789012:role/b"]},{"Effect":"Deny","Action":"*","Resource":"*","Condition":` +
				`{"Null":{"aws:TokenIssueTime":"false"}}}`
			if sources != nil {
				want += `,{"Effect":"Deny","Action":"*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}`
			}
			if want += `]}`; err != nil || got != want {
				t.Errorf("got\n%s, %v, not\n%s", got, err, want)
			}
		}
	}
}

// TestConfineSize checks the limit of a group's policy to the character, and that half as many roles fit.
func TestConfineSize(t *testing.T) {
	t.Parallel()
	size := func(roles int, last string, confine bool) (int, error) {
		texts := []string{last}
		for i := range roles {
			texts = append(texts, fmt.Sprintf("role-%03d", i))
		}
		scopes, err := ParseRoleScopes(texts)
		if err != nil {
			t.Fatal(err)
		}
		policy, err := Scope{Roles: scopes, Confine: confine}.Policy(here)
		return len(policy), err
	}
	most := map[bool]int{}
	for _, confine := range []bool{false, true} {
		n := 1
		for ; ; n++ {
			if _, err := size(n, "x", confine); err != nil {
				break
			}
		}
		most[confine] = n - 1
		// The policy of the most roles, filled up to the limit.
		filled := false
		for length := 1; length <= 64; length++ {
			got, err := size(n-1, strings.Repeat("x", length), confine)
			if err != nil {
				break
			}
			filled = filled || got > maxGroupPolicies-2
		}
		if !filled {
			t.Errorf("with confine %v, no policy of %d roles fills %d characters", confine, n-1, maxGroupPolicies)
		}
	}
	if half := most[false] / 2; most[true] > half || most[true] < half-10 {
		t.Errorf("%d roles fit without confine, and %d with it", most[false], most[true])
	}
	_, err := size(100, "x", true)
	if err == nil || !strings.Contains(err.Error(), "each written twice for confine; use patterns such as cicd/*") {
		t.Error(err)
	}
	if _, err := size(200, "x", false); err == nil || strings.Contains(err.Error(), "confine") {
		t.Error(err)
	}
}

// TestRevokedTokens checks whom the policies shut out that revoke credentials: a user's or a role's temporary
// credentials, all of them or those that were issued before a time. Without them, each request gets in.
func TestRevokedTokens(t *testing.T) {
	t.Parallel()
	revoked := time.Date(2026, 11, 26, 15, 29, 59, 1, time.FixedZone("", 3600))
	all, err := RevokeTokensPolicy()
	if err != nil {
		t.Fatal(err)
	}
	older, err := RevokeIssuedBeforePolicy(revoked)
	if err != nil {
		t.Fatal(err)
	}
	const (
		head   = `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"*","Resource":"*","Condition":`
		before = "2026-11-26T14:29:59Z" // UTC.
		same   = "2026-11-26T14:30:00Z"
		after  = "2026-11-26T14:30:01Z"
		// Not in UTC, and earlier than the time although the text is later.
		elsewhere = "2026-11-26T15:29:59+01:00"
	)
	if all != head+`{"Null":{"aws:TokenIssueTime":"false"}}}]}` || older != head+`{"DateLessThan":{"aws:TokenIssueTime":"2026-11-26T14:30:00Z"}}}]}` {
		t.Errorf("the policies are\n%s\n%s", all, older)
	}
	admin := iamtest.Policies{Identity: []string{administrator}}
	robot := iamtest.Policies{Identity: []string{secondGroup}}
	bucket := iamtest.Policies{Resource: bucketPolicy}
	trust := iamtest.Policies{Resource: trustOfUser}
	for _, by := range []struct {
		action, resource string
		policies         iamtest.Policies
	}{
		{"sts:AssumeRole", stagingRole, robot}, {"sts:AssumeRole", stagingRole, trust}, {"sts:AssumeRole", awayRole, admin},
		{"sts:TagSession", stagingRole, robot}, {"s3:GetObject", object, bucket}, {"s3:PutObject", object, admin},
		{"iam:DeleteUserPolicy", testUser, admin}, {"iam:CreateAccessKey", testUser, admin},
	} {
		for issued, want := range map[string]struct{ all, older bool }{
			"": {true, true}, before: {false, false}, same: {false, true}, after: {false, true}, elsewhere: {false, false},
		} {
			for _, from := range []string{"", "203.0.113.9"} {
				a := attempt{action: by.action, resource: by.resource, issued: issued, from: from, by: by.policies}
				if !a.gets(t, "") {
					t.Errorf("%+v gets in nowhere", a)
				}
				if got := a.gets(t, all); got != want.all {
					t.Errorf("%+v with all tokens revoked: %v", a, got)
				}
				if got := a.gets(t, older); got != want.older {
					t.Errorf("%+v with older tokens revoked: %v", a, got)
				}
			}
		}
	}
}

// TestParseRevocation checks times against the clock, to the second.
func TestParseRevocation(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 26, 15, 30, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2026-11-26T15:30:00Z": "", "2026-11-26T17:30:00.123+02:00": "", "1970-01-01T00:00:00Z": "",
		"2026-11-26T15:35:00Z": "", "2026-11-26T15:35:01Z": "5 minutes ahead", "2026-11-26T16:30:00+00:00": "5 minutes ahead",
		"1969-12-31T23:59:59Z": "RFC 3339", "1970-01-01T00:00:00+01:00": "RFC 3339", "now": "RFC 3339",
		"2026-11-26 15:30:00Z": "RFC 3339", "2026-11-26T15:30Z": "RFC 3339", "2026-11-26T15:30:00": `did you mean "2026-11-26T15:30:00Z"?`,
	} {
		if _, err := ParseRevocation(text, now); (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

// TestSessionRole checks whose session a caller is.
func TestSessionRole(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:sts::123456789012:assumed-role/keeper/me": "keeper", "arn:aws:iam::123456789012:role/keeper": "",
		"arn:aws:iam::123456789012:user/keeper": "", "arn:aws:sts::123456789012:federated-user/keeper": "", "nonsense": "", "": "",
	} {
		if got := SessionRole(arn); got != want {
			t.Errorf("%s is a session of %q", arn, got)
		}
	}
}
