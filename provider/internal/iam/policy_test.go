package iam

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestAssumeRolePolicy(t *testing.T) {
	t.Parallel()
	const head = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Resource":`
	for name, tt := range map[string]struct {
		scopes, sources []string
		want            string
	}{
		"every role": {
			[]string{"*"}, nil,
			head + `"arn:aws:iam::123456789012:role/*"}]}`,
		},
		"several, in any order and repeated": {
			[]string{"deploy", "a", "deploy", "arn:aws:iam::123456789012:role/a"}, nil,
			head + `["arn:aws:iam::123456789012:role/a","arn:aws:iam::123456789012:role/deploy"]}]}`,
		},
		"covered ones are left out": {
			[]string{"cicd/*", "cicd/deploy", "cicd/a/b", "cicd/**", "other"}, nil,
			head + `["arn:aws:iam::123456789012:role/cicd/*","arn:aws:iam::123456789012:role/other"]}]}`,
		},
		"other accounts": {
			[]string{"arn:aws:iam::*:role/cicd/*", "arn:aws:iam::210987654321:role/cicd/x", "x"}, nil,
			head + `["arn:aws:iam::*:role/cicd/*","arn:aws:iam::123456789012:role/x"]}]}`,
		},
		"one source": {
			[]string{"*"}, []string{"203.0.113.0/24"},
			head + `"arn:aws:iam::123456789012:role/*","Condition":{"IpAddress":{"aws:SourceIp":"203.0.113.0/24"}}}]}`,
		},
		"sources": {
			[]string{"*"}, []string{"2001:DB8::/32", "203.0.113.0/24", "203.0.113.128/25", "2001:db8::/32"},
			head + `"arn:aws:iam::123456789012:role/*","Condition":{"IpAddress":{"aws:SourceIp":["2001:db8::/32","203.0.113.0/24"]}}}]}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 2 {
				if got, err := assumeRolePolicy(tt.scopes, tt.sources, false); err != nil || got != tt.want {
					t.Errorf("got\n%s, %v, not\n%s", got, err, tt.want)
				}
				slices.Reverse(tt.scopes)
				slices.Reverse(tt.sources)
			}
		})
	}
}

func TestAssumeRolePolicyWithTags(t *testing.T) {
	t.Parallel()
	const want = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["sts:AssumeRole","sts:TagSession"],` +
		`"Resource":"arn:aws:iam::123456789012:role/*"}]}`
	if got, err := assumeRolePolicy([]string{"*"}, nil, true); err != nil || got != want {
		t.Errorf("got\n%s, %v, not\n%s", got, err, want)
	}
}

func TestAssumeRolePolicyFails(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 200 {
		many = append(many, fmt.Sprintf("role%d", i))
	}
	for name, tt := range map[string]struct{ scopes, sources []string }{
		"no role":      {nil, nil},
		"a bad role":   {[]string{"a b"}, nil},
		"a bad source": {[]string{"*"}, []string{"nowhere"}},
		"too large":    {many, nil},
		"too long":     {patterns(36), nil},
	} {
		if got, err := assumeRolePolicy(tt.scopes, tt.sources, false); err == nil {
			t.Errorf("%s gives %s", name, got)
		}
	}
}

// patterns returns patterns that take long to compare: 571 characters each, of which none covers another.
func patterns(n int) []string {
	all := make([]string, n)
	for i := range all {
		all[i] = "*" + strings.Repeat("a", 280) + strings.Repeat(string("ab"[i%2]), 280) + fmt.Sprintf("%010d", i)
	}
	return all
}

// TestLongestComparison checks that as many characters as are compared take no more than a few seconds.
func TestLongestComparison(t *testing.T) {
	t.Parallel()
	began := time.Now()
	if _, err := assumeRolePolicy(patterns(33), nil, false); err == nil || !strings.Contains(err.Error(), "must fit into a policy") {
		t.Error(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it takes %v", took)
	}
	if _, err := assumeRolePolicy(patterns(36), nil, false); err == nil || !strings.Contains(err.Error(), "20000 characters together") {
		t.Error(err)
	}
}

func FuzzAssumeRolePolicy(f *testing.F) {
	f.Add("*", "deploy", "10.0.0.0/8")
	f.Add("a\"", "arn:aws:iam::*:role/x", "2001:db8::/32")
	f.Fuzz(func(t *testing.T, first, second, source string) {
		text, err := assumeRolePolicy([]string{first, second}, []string{source}, false)
		if err != nil {
			return
		}
		if reversed, err := assumeRolePolicy([]string{second, first, second}, []string{source, source}, false); err != nil || reversed != text {
			t.Errorf("another order gives %s, %v, not %s", reversed, err, text)
		}
		var doc struct {
			Version   string
			Statement []struct {
				Effect, Action string
				Resource       any
				Condition      map[string]map[string]any
			}
		}
		dec := json.NewDecoder(strings.NewReader(text))
		dec.DisallowUnknownFields()
		if err := dec.Decode(&doc); err != nil || len(doc.Statement) != 1 {
			t.Fatalf("%s: %v", text, err)
		}
		st := doc.Statement[0]
		if st.Effect != "Allow" || st.Action != "sts:AssumeRole" || len(st.Condition) != 1 || len(st.Condition["IpAddress"]) != 1 {
			t.Errorf("%s allows something else", text)
		}
		resources, ok := st.Resource.([]any)
		if !ok {
			resources = []any{st.Resource}
		}
		for _, r := range resources {
			if s, ok := r.(string); !ok || !isARN(s) {
				t.Errorf("%s is on %v", text, r)
			}
		}
	})
}
