package store

import (
	"strings"
	"testing"
)

func TestNames(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		check     func(string) error
		good, bad []string
	}{
		"secret": {
			CheckSecretName,
			[]string{"a", "cicd/cicd-bot", "A_b+c=d.e@f-g", strings.Repeat("s", 512), "robot-abcde", "robot-abcdefg", "abcdef"},
			[]string{"", "a b", "a*", "ü", "a\n", strings.Repeat("s", 513), "robot-abc123", "-aBcDeF"},
		},
		"KMS key": {
			CheckKMSKeyID,
			[]string{
				"1234abcd-12ab-34cd-56ef-1234567890ab", "mrk-1234abcd", "alias/cicd", "alias/aws/secretsmanager",
				"arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab", "arn:aws-cn:kms:cn-north-1:123456789012:alias/cicd",
				strings.Repeat("b", 2048),
			},
			[]string{"", "a b", "arn:aws:iam::123456789012:role/x", "alias/", "arn:aws:kms:eu-central-1:12:key/a", "a\n",
				"a" + strings.Repeat("b", 2048)},
		},
		"parameter path": {
			CheckParameterPath,
			[]string{"/a", "/cicd/robot", "/A_b.c-d/e", strings.Repeat("/a", 14), "/" + strings.Repeat("a", 899)},
			[]string{
				"", "/", "cicd", "/cicd/", "//a", "/a b", "/a*", "/a\n", "/aws/a", "/AWSome", "/ssm", "/SSM/a",
				strings.Repeat("/a", 15), "/" + strings.Repeat("a", 900),
			},
		},
	} {
		for _, s := range tt.good {
			if err := tt.check(s); err != nil {
				t.Errorf("%s %q: %v", name, s, err)
			}
		}
		for _, s := range tt.bad {
			if tt.check(s) == nil {
				t.Errorf("%s %q is taken", name, s)
			}
		}
	}
}

func TestPair(t *testing.T) {
	t.Parallel()
	const want = `{"AWS_ACCESS_KEY_ID":"AKIA","AWS_SECRET_ACCESS_KEY":"a\"b/c"}`
	if text, err := PairJSON("AKIA", `a"b/c`); err != nil || text != want {
		t.Errorf("the pair is %s, %v", text, err)
	}
	if id, secret := ParameterNames("/cicd"); id != "/cicd/AWS_ACCESS_KEY_ID" || secret != "/cicd/AWS_SECRET_ACCESS_KEY" {
		t.Errorf("the parameters are %s and %s", id, secret)
	}
}

// TestSlots checks that two stores never share a slot, and that going back to the old name finds its slot.
func TestSlots(t *testing.T) {
	t.Parallel()
	var s Slots
	for i, tt := range []struct {
		name string
		want Slots
	}{
		{"", Slots{"", 0, ""}},
		{"a", Slots{"a", 1, ""}},
		{"a", Slots{"a", 1, ""}},
		{"b", Slots{"b", 0, "a"}},
		{"b", Slots{"b", 0, ""}},
		{"c", Slots{"c", 1, "b"}},
		{"d", Slots{"d", 0, "c"}},
		{"c", Slots{"c", 1, "d"}}, // The secret that was about to be deleted stays.
		{"", Slots{"", 0, "c"}},
		{"", Slots{"", 0, ""}},
		{"e", Slots{"e", 1, ""}},
	} {
		if s = s.Next(tt.name); s != tt.want {
			t.Errorf("step %d: %+v, not %+v", i, s, tt.want)
		}
	}
}
