package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/internal/iamtest"
)

const (
	testUser = "arn:aws:iam::123456789012:user/cicd/bot"
	testRole = "arn:aws:iam::210987654321:role/runners/gha"
)

func TestTrustPolicy(t *testing.T) {
	t.Parallel()
	const (
		head = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},` +
			`"Action":"sts:AssumeRole","Condition":{`
		user = `"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::123456789012:user/cicd/bot"}`
	)
	for name, tt := range map[string]struct {
		trust Trust
		want  string
	}{
		"one user": {
			Trust{Principals: []string{testUser}},
			head + user + `}}]}`,
		},
		"several, in any order and repeated": {
			Trust{Principals: []string{testRole, testUser, testUser, "arn:aws:iam::123456789012:role/x"}},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":` +
				`["arn:aws:iam::123456789012:root","arn:aws:iam::210987654321:root"]},"Action":"sts:AssumeRole",` +
				`"Condition":{"ArnEquals":{"aws:PrincipalArn":["arn:aws:iam::123456789012:role/x",` +
				`"arn:aws:iam::123456789012:user/cicd/bot","arn:aws:iam::210987654321:role/runners/gha"]}}}]}`,
		},
		"another partition": {
			Trust{Principals: []string{"arn:aws-cn:iam::123456789012:user/x"}},
			`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws-cn:iam::123456789012:root"},` +
				`"Action":"sts:AssumeRole","Condition":{"ArnEquals":{"aws:PrincipalArn":"arn:aws-cn:iam::123456789012:user/x"}}}]}`,
		},
		"session names, what another one covers left out": {
			Trust{Principals: []string{testUser}, SessionNames: []string{"gha-*", "gha-1", "gha-${aws:username}", "${aws:username}"}},
			head + user + `,"StringLike":{"sts:RoleSessionName":["${aws:username}","gha-*"]}}}]}`,
		},
		"a variable is no text to a wildcard": {
			Trust{Principals: []string{testUser}, SessionNames: []string{"???????????????", "${aws:username}", "??${aws:username}"}},
			head + user + `,"StringLike":{"sts:RoleSessionName":["${aws:username}","??${aws:username}","???????????????"]}}}]}`,
		},
		"everything but tags": {
			Trust{
				Principals: []string{testUser}, SessionNames: []string{"a*"}, ExternalID: "x/1",
				Sources: ranges("10.0.0.0/8", "10.1.0.0/16"),
			},
			head + user + `,"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"sts:ExternalId":"x/1"},` +
				`"StringLike":{"sts:RoleSessionName":"a*"}}}]}`,
		},
		"tags": {
			Trust{Principals: []string{testUser}, SessionTags: true, Sources: ranges("10.0.0.0/8")},
			strings.Replace(head, `"sts:AssumeRole"`, `["sts:AssumeRole","sts:TagSession"]`, 1) +
				user + `,"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
		},
		"tags, of a call that has more to show": {
			Trust{Principals: []string{testUser}, SessionTags: true, ExternalID: "x1", Sources: ranges("10.0.0.0/8")},
			head + user + `,"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"StringEquals":{"sts:ExternalId":"x1"}}},` +
				`{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"sts:TagSession","Condition":{` +
				user + `,"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				if got, err := tt.trust.Policy(); err != nil || got != tt.want {
					t.Errorf("got\n%s, %v, not\n%s", got, err, tt.want)
				}
				slices.Reverse(tt.trust.Principals)
				slices.Reverse(tt.trust.SessionNames)
				slices.Reverse(tt.trust.Sources)
			}
		})
	}
}

func TestTrustPolicyFails(t *testing.T) {
	t.Parallel()
	user := []string{testUser}
	users := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("%s%d", testUser, i))
		}
		return all
	}
	for name, trust := range map[string]Trust{
		"nobody":              {},
		"a bad principal":     {Principals: []string{testUser, "*"}},
		"a bad session name":  {Principals: user, SessionNames: []string{"a b"}},
		"a bad external ID":   {Principals: user, ExternalID: "a b"},
		"no name for a role":  {Principals: []string{testUser, testRole}, SessionNames: []string{"${aws:username}"}},
		"larger than IAM can": {Principals: users(200)},
	} {
		if got, err := trust.Policy(); err == nil {
			t.Errorf("%s gives %s", name, got)
		}
	}
	// What needs a raised quota is taken.
	if got, err := (Trust{Principals: users(100)}).Policy(); err != nil || len(got) <= DefaultTrustPolicyLimit {
		t.Errorf("100 users give %d characters, %v", len(got), err)
	}
	if got, err := (Trust{Principals: users(30)}).Policy(); err != nil || len(got) > DefaultTrustPolicyLimit {
		t.Errorf("30 users give %d characters, %v", len(got), err)
	}
}

func TestCheckPrincipal(t *testing.T) {
	t.Parallel()
	bad := []string{
		"", "*", "bot", "123456789012", "arn:aws:iam::123456789012:root", "arn:aws:iam::*:root", "arn:aws:iam::*:user/bot",
		"arn:aws:iam::123456789012:user/*", "arn:aws:iam::123456789012:user/bo?", "arn:aws:iam::123456789012:*",
		"arn:aws:iam::123456789012:group/x", "arn:aws:iam::123456789012:policy/x", "arn:aws:iam::aws:policy/x",
		"arn:aws:iam::123456789012:instance-profile/x", "arn:aws:iam::123456789012:saml-provider/x",
		"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
		"arn:aws:sts::123456789012:assumed-role/x/y", "arn:aws:sts::123456789012:federated-user/x",
		"arn:aws:sts::123456789012:user/x", "arn:aws:iam:us-east-1:123456789012:user/x", "arn:aws:iam::12345678901:user/x",
		"arn:aws:iam:::user/x", "arn:gcp:iam::123456789012:user/x", "arn:*:iam::123456789012:user/x",
		"arn:aws:iam::123456789012:user", "arn:aws:iam::123456789012:user/", "arn:aws:iam::123456789012:user/a/",
		"arn:aws:iam::123456789012:user//x", "arn:aws:iam::123456789012:users/x", "arn:aws:iam::123456789012:user/a b",
		"arn:aws:iam::123456789012:user/${aws:username}", "arn:aws:iam::123456789012:user/a\"b", "ec2.amazonaws.com",
		"arn:aws:iam::123456789012:user/" + strings.Repeat("u", 65), "arn:aws:iam::123456789012:role/" + strings.Repeat("r", 65),
		"arn:aws:iam::123456789012:user/" + strings.Repeat("p", 511) + "/x", "AIDAJQABLZS4A3QDU576Q", testUser + "\n",
	}
	accepts(t, formOnly.CheckPrincipal,
		[]string{
			testUser, testRole, "arn:aws:iam::123456789012:user/A9+=,.@_-", "arn:aws-us-gov:iam::123456789012:role/a/b/c",
			"arn:aws:iam::123456789012:user/" + strings.Repeat("u", 64), "arn:aws:iam::123456789012:role/" + strings.Repeat("r", 64),
			"arn:aws:iam::123456789012:user/" + strings.Repeat("p", 510) + "/x",
		}, bad)
	accepts(t, here.CheckPrincipal, []string{testUser, testRole},
		append(bad, "arn:aws-cn:iam::123456789012:user/bot", "arn:aws-us-gov:iam::123456789012:role/x"))
	for s, want := range map[string]string{
		"*":                                          "must not be everybody",
		"123456789012":                               "must not be a whole account",
		"arn:aws:iam::123456789012:root":             "must not be a whole account",
		"arn:aws:iam::123456789012:user/*":           "must not have wildcards",
		"arn:aws:iam::*:root":                        "must not have wildcards",
		"arn:aws:iam::123456789012:group/x":          "must not be a group",
		"arn:aws:sts::123456789012:federated-user/x": "must be the ARN of a user, and not of a session",
		"arn:aws:sts::123456789012:assumed-role/x/y": `(did you mean "arn:aws:iam::123456789012:role/x", with the role's path`,
		"ec2.amazonaws.com":                          "must be the ARN of an IAM user or role",
	} {
		if err := formOnly.CheckPrincipal(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v does not say %q", s, err, want)
		}
	}
}

func TestCheckExternalID(t *testing.T) {
	t.Parallel()
	accepts(t, CheckExternalID,
		[]string{"12", "A9_+=,.@:/-", strings.Repeat("x", 1224)},
		[]string{"", "1", "a b", "ab\n", "a*", "a?", "${aws:username}", "ü1", "a\"b", strings.Repeat("x", 1225)})
}

func TestCheckSessionName(t *testing.T) {
	t.Parallel()
	accepts(t, CheckSessionName,
		[]string{
			"*", "a*", "?*", "??", "gha-*", "ab", "A9_+=,.@-", "${aws:username}", "ci-${aws:username}-*", "a${aws:username}",
			"${aws:username}${aws:username}", strings.Repeat("x", 64), strings.Repeat("x", 64) + "*",
		},
		[]string{
			"", "a", "?", "a b", "a/b", "a:b", "ü*", "a\"b", "a\nb", "${aws:userid}", "${aws:PrincipalTag/x}", "${*}", "${$}", "$",
			"${aws:username", "{aws:username}", "${aws:username, 'x'}", "${AWS:USERNAME}", "${aws:${aws:username}username}",
			"${aws:userName}İ", strings.Repeat("x", 65), strings.Repeat("?", 65), strings.Repeat("x", 65) + "${aws:username}",
		})
	if err := CheckSessionName("ci-${aws:userName}"); err == nil || !strings.Contains(err.Error(), `(did you mean "ci-${aws:username}"?)`) {
		t.Errorf("the variable in another case gives %v", err)
	}
}

func TestCheckSessionNamesFor(t *testing.T) {
	t.Parallel()
	both := []string{testUser, testRole}
	for name, tt := range map[string]struct {
		principals    []string
		webIdentities bool
		patterns      []string
		want          string
	}{
		"any name":                    {both, true, nil, ""},
		"users by name":               {[]string{testUser}, false, []string{"${aws:username}"}, ""},
		"a role by name":              {both, false, []string{"${aws:username}", "x-${aws:username}"}, "roles are trusted too"},
		"a role by one of the others": {both, false, []string{"${aws:username}", "gha-*"}, ""},
		"a job by name":               {[]string{testUser}, true, []string{"${aws:username}"}, "CI jobs are trusted too"},
		"only a job, by name":         {nil, true, []string{"${aws:username}"}, "CI jobs are trusted too"},
		"a job by one of the others":  {nil, true, []string{"${aws:username}", "gha-*"}, ""},
	} {
		err := CheckSessionNamesFor(tt.principals, tt.webIdentities, tt.patterns)
		if (err == nil) != (tt.want == "") || (err != nil && !strings.Contains(err.Error(), tt.want)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckSessionDuration(t *testing.T) {
	t.Parallel()
	for seconds, ok := range map[int]bool{3599: false, 3600: true, 43200: true, 43201: false, 0: false, -3600: false} {
		if err := CheckSessionDuration(seconds); (err == nil) != ok {
			t.Errorf("%d: %v", seconds, err)
		}
	}
}

// FuzzTrustPolicy says that a trust policy lets in those who are named, and nobody else.
func FuzzTrustPolicy(f *testing.F) {
	f.Add(testUser, "gha-*", "x1", "10.0.0.0/8", testRole)
	f.Add("*", "${aws:username}", "a\"", "0.0.0.0/0", "arn:aws:iam::123456789012:user/x")
	f.Fuzz(func(t *testing.T, principal, session, external, source, other string) {
		sources, err := ParseCIDRs([]string{source})
		if err != nil {
			return
		}
		trust := Trust{Principals: []string{principal}, SessionNames: []string{session}, ExternalID: external, Sources: sources}
		policy, err := trust.Policy()
		if err != nil || len(policy) > 1000 {
			return
		}
		for _, caller := range []string{principal, other} {
			if caller != principal && formOnly.CheckPrincipal(caller) != nil {
				continue
			}
			c := call{
				caller: caller, role: testRole, externalID: external, sourceIP: strings.Split(source, "/")[0],
				sessionName: strings.NewReplacer("*", "", "?", "q", userNameVariable, caller[strings.LastIndex(caller, "/")+1:]).Replace(session),
			}
			hasName := strings.Contains(caller, ":user/") || !strings.Contains(session, "$")
			if got, want := iamtest.TrustAllows(t, policy, c.request("sts:AssumeRole")), caller == principal && hasName; got != want {
				t.Errorf("%s: that %s is let in, is %v", policy, caller, got)
			}
		}
	})
}
