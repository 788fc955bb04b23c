package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

func TestTags(t *testing.T) {
	t.Parallel()
	accepts(t, CheckTagKey,
		[]string{"owner", "Cost Center", "größe", "a_.:/=+-@1", "awsome", "my:aws:tag", strings.Repeat("ü", 128)},
		[]string{"", "aws:owner", "AWS:owner", "aws:", "a*b", "a\"b", "<a>", "a,b", "a\nb", "a\xffb", strings.Repeat("k", 129)})
	accepts(t, CheckTagValue,
		[]string{"", " ", "Account used to perform Pulumi stack updates on CI/CD.", strings.Repeat("ü", 256)},
		[]string{"a*b", "a\"b", "{}", "a\nb", "a\xffb", strings.Repeat("v", 257)})
}

func TestCheckTagKeys(t *testing.T) {
	t.Parallel()
	many := func(n int, more ...string) (keys []string) {
		for i := range n {
			keys = append(keys, fmt.Sprint("key", i))
		}
		return append(keys, more...)
	}
	defaults := map[string]string{"purpose": "x"}
	for name, tt := range map[string]struct {
		keys []string
		ok   bool
	}{
		"none":                           {nil, true},
		"49 and the default":             {many(49), true},
		"50 and the default":             {many(50), false},
		"50 with the default's key":      {many(49, "purpose"), true},
		"50 with the default's key, big": {many(49, "PURPOSE"), true},
		"twice":                          {[]string{"a", "b", "A"}, false},
		"twice, the default's":           {[]string{"purpose", "Purpose"}, false},
	} {
		if err := CheckTagKeys(defaults, nil, tt.keys); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheckTagKeysWithoutDefaults(t *testing.T) {
	t.Parallel()
	var keys []string
	for i := range 51 {
		keys = append(keys, fmt.Sprint("key", i))
	}
	if err := CheckTagKeys(nil, nil, keys[:50]); err != nil {
		t.Errorf("50 tags: %v", err)
	}
	if err := CheckTagKeys(nil, nil, keys); err == nil || strings.Contains(err.Error(), "default") {
		t.Errorf("51 tags: %v", err)
	}
}

// TestCheckTagKeysOfProvider checks tags beside those that the AWS provider puts on every resource.
func TestCheckTagKeysOfProvider(t *testing.T) {
	t.Parallel()
	var many []string
	for i := range 48 {
		many = append(many, fmt.Sprint("key", i))
	}
	for name, tt := range map[string]struct {
		ofProvider, keys []string
		problem          string
	}{
		"apart":                 {[]string{"team"}, []string{"owner"}, ""},
		"the same":              {[]string{"team"}, []string{"team"}, ""},
		"in another case":       {[]string{"team"}, []string{"Team"}, "Team and team"},
		"the default's":         {[]string{"Purpose"}, nil, ""},
		"50 with all":           {[]string{"team"}, many, ""},
		"51 with all":           {[]string{"team", "cost"}, many, "the default ones included"},
		"50, as one is shared":  {[]string{"team", "key0"}, many, ""},
		"two of the provider's": {[]string{"team", "Team"}, []string{"owner"}, ""},
	} {
		ofProvider := map[string]string{}
		for _, key := range tt.ofProvider {
			ofProvider[key] = "x"
		}
		err := CheckTagKeys(map[string]string{"purpose": "x"}, ofProvider, tt.keys)
		if (err == nil) != (tt.problem == "") || err != nil && !strings.Contains(err.Error(), tt.problem) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMissingTags(t *testing.T) {
	t.Parallel()
	defaults := map[string]string{"purpose": "default"}
	for name, tt := range map[string]struct {
		keys []string
		want map[string]string
	}{
		"none":            {nil, defaults},
		"another":         {[]string{"a"}, defaults},
		"the same":        {[]string{"purpose"}, nil},
		"in another case": {[]string{"Purpose"}, nil},
	} {
		if got := MissingTags(defaults, slices.Values(tt.keys)); !maps.Equal(got, tt.want) {
			t.Errorf("%s: got %v, not %v", name, got, tt.want)
		}
		if len(defaults) != 1 {
			t.Errorf("%s: the defaults are changed", name)
		}
	}
}
