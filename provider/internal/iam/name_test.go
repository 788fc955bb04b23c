package iam

import (
	"errors"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// accepts runs a check over values that it must take and values that it must refuse.
func accepts(t *testing.T, check func(string) error, good, bad []string) {
	t.Helper()
	for _, s := range good {
		if err := check(s); err != nil {
			t.Errorf("%q is refused: it %v", s, err)
		}
	}
	for _, s := range bad {
		err := check(s)
		if err == nil {
			t.Errorf("%q is taken", s)
			continue
		}
		var violation *rule.Violation
		if !errors.As(err, &violation) || violation.Rule == "" {
			t.Errorf("%q is refused with %#v, which names no rule", s, err)
		}
	}
}

var badNames = []string{"", " ", "a b", "a/b", "a*", "ü", "a\"b", "a'b", "a\nb", "a\x00b", "a:b", "<a>", "${a}", "\xff"}

func TestNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		check func(string) error
		limit int
	}{
		"user":   {CheckUserName, 64},
		"role":   {CheckRoleName, 64},
		"group":  {CheckGroupName, 128},
		"policy": {CheckPolicyName, 128},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			accepts(t, tt.check,
				[]string{"a", "cicd-bot", "A9+=,.@_-", strings.Repeat("x", tt.limit)},
				append([]string{strings.Repeat("x", tt.limit+1)}, badNames...))
		})
	}
}

func TestCheckPath(t *testing.T) {
	t.Parallel()
	accepts(t, CheckPath,
		[]string{"/", "/cicd/", "/a/b/c/", "/A9+=,.@_-/", "/" + strings.Repeat("x", 510) + "/"},
		[]string{
			"", "cicd", "/cicd", "cicd/", "//", "/a//b/", "/a b/", "/ü/", "/a*/", "/a\"/",
			"/" + strings.Repeat("x", 511) + "/",
		})
}

func TestCheckRoleDescription(t *testing.T) {
	t.Parallel()
	accepts(t, CheckRoleDescription,
		[]string{"", "Deploys to staging.", "größe\t<a> & \"b\"\r\n", strings.Repeat("ü", 1000)},
		[]string{strings.Repeat("x", 1001), "日本", "a\x00b", "a\x7fb", "a\u0085b", "a\xffb", "–"})
}

func TestHints(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		err  error
		hint string
	}{
		"path":         {CheckPath("cicd"), `"/cicd/"`},
		"slash before": {formOnly.CheckRoleScope("/cicd/*"), `"cicd/*"`},
		"slash after":  {formOnly.CheckRoleScope("cicd/"), `"cicd/*"`},
		"session":      {formOnly.CheckRoleScope("arn:aws:sts::123456789012:assumed-role/deploy/me"), `"arn:aws:iam::123456789012:role/deploy"`},
		"address":      {CheckCIDR("203.0.113.5"), `"203.0.113.5/32"`},
		"host bits":    {CheckCIDR("10.1.2.3/8"), `"10.0.0.0/8"`},
		"name":         {CheckUserName("arn:aws:iam::123456789012:user/ci/bot"), `this is an ARN; did you mean "bot"?`},
		"policy":       {formOnly.CheckPolicyARN("aws:policy/ReadOnlyAccess"), `"arn:aws:iam::aws:policy/ReadOnlyAccess"`},
		"principal":    {formOnly.CheckPrincipal("role/ci/deploy"), `arn:aws:iam::ACCOUNT:role/ci/deploy`},
		"two tags":     {CheckTagKeys(nil, nil, []string{"Owner", "owner"}), "Owner and owner"},
	} {
		if tt.err == nil || !strings.Contains(tt.err.Error(), tt.hint) {
			t.Errorf("%s: %v does not propose %s", name, tt.err, tt.hint)
		}
	} // What is wrong otherwise too is not proposed.
	for _, err := range []error{
		CheckUserName("arn:aws:iam::123456789012:user/a b"), formOnly.CheckPolicyARN("aws:policy/a b"),
		formOnly.CheckPrincipal("role/a b"),
	} {
		if err == nil || strings.Contains(err.Error(), "did you mean") {
			t.Errorf("%v proposes something", err)
		}
	}
}
