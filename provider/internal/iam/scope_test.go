package iam

import (
	"path"
	"strings"
	"testing"
)

func TestRoleScope(t *testing.T) {
	t.Parallel()
	gov := Account{Number: "210987654321", Partition: "aws-us-gov"}
	for scope, want := range map[string]string{
		"*":                                     "arn:aws-us-gov:iam::210987654321:role/*",
		"deploy":                                "arn:aws-us-gov:iam::210987654321:role/deploy",
		"cicd/*":                                "arn:aws-us-gov:iam::210987654321:role/cicd/*",
		"a/b/deploy-?":                          "arn:aws-us-gov:iam::210987654321:role/a/b/deploy-?",
		"x+=,.@_-":                              "arn:aws-us-gov:iam::210987654321:role/x+=,.@_-",
		"arn:aws:iam::123456789012:role/deploy": "arn:aws:iam::123456789012:role/deploy",
		"arn:aws:iam::*:role/cicd/*":            "arn:aws:iam::*:role/cicd/*",
		"arn:aws-us-gov:iam::210987654321:role/x": "arn:aws-us-gov:iam::210987654321:role/x",
		strings.Repeat("r", 64):                   "arn:aws-us-gov:iam::210987654321:role/" + strings.Repeat("r", 64),
		strings.Repeat("p", 510) + "/x":           "arn:aws-us-gov:iam::210987654321:role/" + strings.Repeat("p", 510) + "/x",
	} {
		s, err := ParseRoleScope(scope)
		if err != nil {
			t.Errorf("%q is refused: it %v", scope, err)
		} else if got := s.ResourceIn(gov); got != want {
			t.Errorf("%q gives %q, not %q", scope, got, want)
		}
	}
	accepts(t, formOnly.CheckRoleScope, nil, []string{
		"", " ", "/deploy", "cicd/", "/", "a//b", "a b", "a\"b", "a\",\"*", "ü", "${aws:username}", "role:x", "a\nb",
		strings.Repeat("r", 65), strings.Repeat("p", 511) + "/x",
		"arn:aws:iam::123456789012:user/x", "arn:aws:iam::123456789012:role/", "arn:aws:iam::123456789012:role",
		"arn:aws:iam::123456789012:*", "arn:aws:iam::123456789012:role*", "arn:*:iam::123456789012:role/x",
		"arn:aws:*::123456789012:role/x", "arn:aws:iam:*:123456789012:role/x", "arn:aws:iam::12*:role/x",
		"arn:aws:iam::12345678901:role/x", "arn:aws:iam::aws:role/x", "arn:aws:iam:::role/x", "arn:aws:iam::123456789012:role//x",
		"arn:aws:iam::123456789012:role/a b", "arn:aws:sts::123456789012:assumed-role/x/y", "arn:aws:s3:::bucket", "arn:",
		"arn:gcp:iam::123456789012:role/x", "role/deploy", strings.Repeat("a*", 300), strings.Repeat("*", 576),
	})
	if err := formOnly.CheckRoleScope("role/cicd/*"); err == nil || !strings.Contains(err.Error(), `(did you mean "cicd/*"?)`) {
		t.Errorf("the end of an ARN gives %v", err)
	}
	accepts(t, formOnly.CheckRoleScope, []string{"arn:aws:iam::123456789012:role/role/deploy", strings.Repeat("*", 575)}, nil)
	accepts(t, here.CheckRoleScope,
		[]string{"*", "deploy", "arn:aws:iam::210987654321:role/x", "arn:aws:iam::*:role/x"},
		[]string{"", "arn:aws-cn:iam::123456789012:role/x", "arn:aws-us-gov:iam::*:role/x"})
}

func TestCovers(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"*", "deploy", true}, {"*", "*", true}, {"*", "a*b?", true}, {"cicd/*", "cicd/deploy", true},
		{"cicd/*", "cicd/a/*", true}, {"a*z", "abz", true}, {"a*z", "a*bz", true}, {"?", "a", true}, {"?", "?", true},
		{"a**", "a", true}, {"*a*", "xxaxx", true}, {"*a*b", "xaxb", true}, {"deploy", "deploy", true},
		{"deploy", "*", false}, {"cicd/*", "cicd", false}, {"cicd/*", "*", false}, {"?", "*", false}, {"?", "ab", false},
		{"??", "*", false}, {"a*z", "a*", false}, {"a", "", false}, {"a*b", "ab*", false}, {"deploy", "deploy2", false},
	} {
		if got := covers(tt.a, tt.b); got != tt.want {
			t.Errorf("covers(%q, %q) is %v", tt.a, tt.b, got)
		}
	}
}

// FuzzCovers holds covers against another matcher: what b matches, and a covers, a matches too.
func FuzzCovers(f *testing.F) {
	f.Add("a*", "ab*", "abc")
	f.Add("?b*", "a?c", "abc")
	f.Fuzz(func(t *testing.T, a, b, s string) {
		const special = "\\[]/"
		if strings.ContainsAny(a+b+s, special) || !isASCII(a+b+s) || len(a)+len(b)+len(s) > 60 {
			return
		}
		if !covers(a, a) {
			t.Errorf("%q does not cover itself", a)
		}
		inB, _ := path.Match(b, s)
		inA, _ := path.Match(a, s)
		if inB && covers(a, b) && !inA {
			t.Errorf("%q covers %q, and does not match %q", a, b, s)
		}
	})
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < ' ' || r > '~' }) < 0
}
