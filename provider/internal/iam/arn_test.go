package iam

import (
	"strings"
	"testing"
)

var here = Account{Number: "123456789012", Partition: "aws"}

func TestParseCallerARN(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]Account{
		"arn:aws:iam::123456789012:root":                           here,
		"arn:aws:iam::123456789012:user/cicd/bot":                  here,
		"arn:aws:sts::123456789012:assumed-role/admin/me":          here,
		"arn:aws:sts::123456789012:federated-user/me":              here,
		"arn:aws-cn:iam::210987654321:user/bot":                    {"210987654321", "aws-cn"},
		"arn:aws-us-gov:sts::210987654321:assumed-role/deploy/me":  {"210987654321", "aws-us-gov"},
		"arn:aws-iso-b:iam::210987654321:user/with:colons/in:name": {"210987654321", "aws-iso-b"},
	} {
		if got, err := ParseCallerARN(arn); err != nil || got != want {
			t.Errorf("%s: got %v, %v", arn, got, err)
		}
	}
	accepts(t, func(s string) error { _, err := ParseCallerARN(s); return err }, nil, []string{
		"", "arn", "arn:aws:iam::123456789012", "arn:aws:iam::aws:policy/x", "arn:aws:iam::12345678901:user/x",
		"arn:AWS:iam::123456789012:user/x", "arn:awsx:iam::123456789012:user/x", "nra:aws:iam::123456789012:user/x",
	})
}

func TestCheckPolicyARN(t *testing.T) {
	t.Parallel()
	accepts(t, formOnly.CheckPolicyARN,
		[]string{
			"arn:aws:iam::123456789012:policy/boundary",
			"arn:aws:iam::aws:policy/PowerUserAccess",
			"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess",
			"arn:aws-cn:iam::123456789012:policy/a/b/boundary",
		},
		[]string{
			"", "boundary", "arn:aws:iam::123456789012:role/x", "arn:aws:iam::123456789012:policy",
			"arn:aws:iam::123456789012:policy/", "arn:aws:iam::123456789012:policy/a/", "arn:aws:iam::1:policy/x",
			"arn:aws:iam::123456789012:policy//x", "arn:aws:iam::123456789012:policy/*", "arn:aws:iam::*:policy/x",
			"arn:aws:iam:us-east-1:123456789012:policy/x", "arn:aws:s3::123456789012:policy/x",
			"arn:*:iam::123456789012:policy/x", "arn:aws:iam::123456789012:policy/a b",
			"arn:aws:iam::123456789012:policy/" + strings.Repeat("x", 129),
		})
	accepts(t, here.CheckPolicyARN,
		[]string{"arn:aws:iam::123456789012:policy/x", "arn:aws:iam::aws:policy/x"},
		[]string{"", "arn:aws:iam::210987654321:policy/x", "arn:aws-cn:iam::123456789012:policy/x", "arn:aws-cn:iam::aws:policy/x"})
}

func TestPolicyKey(t *testing.T) {
	t.Parallel()
	for arn, want := range map[string]string{
		"arn:aws:iam::123456789012:policy/deploy":             "deploy",
		"arn:aws:iam::123456789012:policy/cicd/deploy":        "cicd/deploy",
		"arn:aws:iam::123456789012:policy/aws/deploy":         "aws/deploy",
		"arn:aws:iam::aws:policy/deploy":                      "aws:deploy",
		"arn:aws:iam::aws:policy/job-function/ViewOnlyAccess": "aws:job-function/ViewOnlyAccess",
	} {
		if got, err := PolicyKey(arn); err != nil || got != want {
			t.Errorf("%s: got %q, %v, not %q", arn, got, err, want)
		}
	}
	accepts(t, func(s string) error { _, err := PolicyKey(s); return err }, nil, []string{"", "x", "arn:aws:iam::aws:role/x"})
}

// isARN reports whether s is a role's ARN as a policy may hold it, by a reading of its own.
func isARN(s string) bool {
	f := strings.Split(s, ":")
	return len(f) == 6 && f[0] == "arn" && (f[1] == "aws" || strings.HasPrefix(f[1], "aws-")) && f[2] == "iam" &&
		f[3] == "" && (f[4] == "*" || len(f[4]) == 12) && strings.HasPrefix(f[5], "role/") && len(f[5]) > len("role/") &&
		!strings.ContainsAny(s, "\"'\\${}<> \t\r\n")
}

func FuzzParseRoleScope(f *testing.F) {
	for _, s := range []string{
		"*", "deploy", "cicd/*", "/x", "x/", "arn:aws:iam::123456789012:role/x", "arn:aws:iam::*:role/x*",
		"arn:aws:sts::123456789012:assumed-role/x/y", "a\"b", "${aws:username}", "arn:aws:iam::123456789012:role/",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		scope, err := ParseRoleScope(s)
		if err != nil {
			return
		}
		resource := scope.ResourceIn(here)
		if !isARN(resource) {
			t.Errorf("%q gives the resource %q", s, resource)
		}
		if strings.HasPrefix(s, "arn:") && resource != s {
			t.Errorf("the ARN %q becomes %q", s, resource)
		}
		if again, err := ParseRoleScope(resource); err != nil || again.ResourceIn(Account{}) != resource {
			t.Errorf("%q: its resource %q does not read back: %v", s, resource, err)
		}
	})
}

func FuzzParseARN(f *testing.F) {
	for _, s := range []string{"", "arn:aws:iam::123456789012:user/x", "arn:::::", "arn:aws-cn:iam::aws:policy/a:b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if a, ok := parseARN(s); ok && a.String() != s {
			t.Errorf("%q is written %q", s, a)
		}
		if id, err := ParseCallerARN(s); err == nil && (len(id.Number) != 12 || !strings.HasPrefix(id.Partition, "aws")) {
			t.Errorf("%q gives the identity %v", s, id)
		}
		if err := formOnly.CheckPolicyARN(s); err == nil && strings.ContainsAny(s, "\"'\\${}<>* \t\r\n") {
			t.Errorf("%q is taken", s)
		}
	})
}
