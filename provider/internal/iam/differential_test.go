package iam

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/internal/iamtest"
)

// The fuzzers of this file make inputs of bytes, and hold what their policy allows against what the inputs say, as
// matchers of the standard library read them: regular expressions for patterns, and package net for addresses.

// addChoices gives a fuzzer its fixed inputs.
func addChoices(f *testing.F) {
	f.Helper()
	random := rand.NewChaCha8([32]byte{})
	for range 1000 {
		bytes := make([]byte, 80)
		_, _ = random.Read(bytes)
		f.Add(bytes)
	}
}

// choices are made by bytes: the same bytes make the same choices.
type choices []byte

// next returns the next of a number of choices, or the first if there are no bytes left.
func (c *choices) next(n int) int {
	if len(*c) == 0 {
		return 0
	}
	b := (*c)[0]
	*c = (*c)[1:]
	return int(b) * n / 256
}

// text returns up to so many of the letters.
func (c *choices) text(letters string, most int) string {
	var text strings.Builder
	for range c.next(most) + 1 {
		text.WriteByte(letters[c.next(len(letters))])
	}
	return text.String()
}

// list returns one to four elements.
func list[T any](c *choices, element func() T) []T {
	all := make([]T, c.next(4)+1)
	for i := range all {
		all[i] = element()
	}
	return all
}

// prefix returns a range of addresses, near to each other.
func (c *choices) prefix() netip.Prefix {
	addr := netip.MustParseAddr(c.address())
	return netip.PrefixFrom(addr, addr.BitLen()-c.next(13)).Masked()
}

// address returns an address near to those of [choices.prefix].
func (c *choices) address() string {
	if c.next(4) == 0 {
		return fmt.Sprintf("2001:db8::%x%02x", c.next(4), c.next(256))
	}
	return fmt.Sprintf("10.0.%d.%d", c.next(4), c.next(256))
}

// matches reports whether one of the patterns matches a text.
func matches(patterns []string, text string) bool {
	return slices.ContainsFunc(patterns, func(pattern string) bool {
		expression := strings.NewReplacer(`\*`, `.*`, `\?`, `.`).Replace(regexp.QuoteMeta(pattern))
		return regexp.MustCompile(`^(?s:` + expression + `)$`).MatchString(text)
	})
}

// contains reports whether one of the ranges contains an address.
func contains(t *testing.T, ranges []string, ip string) bool {
	t.Helper()
	return slices.ContainsFunc(ranges, func(text string) bool {
		_, ipNet, err := net.ParseCIDR(text)
		if err != nil {
			t.Fatal(err)
		}
		return ipNet.Contains(net.ParseIP(ip))
	})
}

// onlyStatement returns what the only statement of a policy is on: its resources, and the ranges of addresses that it
// asks for.
func onlyStatement(t *testing.T, policy string) (resources, sources []string) {
	t.Helper()
	var document struct {
		Statement []struct {
			Resource  any
			Condition map[string]map[string]any
		}
	}
	if err := json.Unmarshal([]byte(policy), &document); err != nil || len(document.Statement) != 1 {
		t.Fatalf("%s: %v", policy, err)
	}
	statement := document.Statement[0]
	return values(statement.Resource), values(statement.Condition["IpAddress"]["aws:SourceIp"])
}

// FuzzScopes checks that a robot may assume a role if, and only if, one of its scopes matches the role's path and name.
func FuzzScopes(f *testing.F) {
	addChoices(f)
	f.Fuzz(func(t *testing.T, bytes []byte) {
		c := choices(bytes)
		scopes := list(&c, func() string { return c.text("ab/*?*", 7) })
		policy, err := assumeRolePolicy(scopes, nil, false)
		if err != nil {
			return
		}
		resources, _ := onlyStatement(t, policy)
		for range 20 {
			role := c.text("ab/", 7)
			if c.next(2) > 0 { // One that is like a scope.
				role = strings.NewReplacer("*", c.text("ab/", 3), "?", "b").Replace(scopes[c.next(len(scopes))])
			}
			got := matches(resources, "arn:aws:iam::123456789012:role/"+role)
			if want := matches(scopes, role); got != want {
				t.Errorf("the scopes %q match the role %q: %v, and the policy: %s", scopes, role, want, policy)
			}
		}
		for _, other := range resources {
			if slices.ContainsFunc(resources, func(r string) bool { return r != other && covers(r, other) }) {
				t.Errorf("%s has more resources than it needs", policy)
			}
		}
	})
}

// FuzzSources checks that a robot may call from an address if, and only if, one of its sources contains it.
func FuzzSources(f *testing.F) {
	addChoices(f)
	f.Fuzz(func(t *testing.T, bytes []byte) {
		c := choices(bytes)
		given := list(&c, func() string { return c.prefix().String() })
		policy, err := assumeRolePolicy([]string{"*"}, given, false)
		if err != nil {
			t.Fatalf("%q: %v", given, err)
		}
		_, sources := onlyStatement(t, policy)
		for range 20 {
			ip := c.address()
			if got, want := contains(t, sources, ip), contains(t, given, ip); got != want {
				t.Errorf("the sources %q contain %v: %v, and the policy: %s", given, ip, want, policy)
			}
		}
		if len(sources) > len(given) {
			t.Errorf("%s has more sources than %q", policy, given)
		}
	})
}

// FuzzTrust checks that a trust policy lets a call in if, and only if, each of its inputs does.
func FuzzTrust(f *testing.F) {
	addChoices(f)
	f.Fuzz(func(t *testing.T, bytes []byte) {
		c := choices(bytes)
		principal := func() string {
			account := []string{"123456789012", "210987654321"}[c.next(2)]
			return "arn:aws:iam::" + account + []string{":user/", ":role/", ":user/p/"}[c.next(3)] + c.text("ab", 2)
		}
		sessionName := func() string {
			return strings.ReplaceAll(c.text("ab*?$", 5), "$", userNameVariable)
		}
		trust := Trust{Principals: list(&c, principal), SessionTags: c.next(2) > 0}
		if c.next(2) > 0 {
			trust.SessionNames = list(&c, sessionName)
		}
		if c.next(2) > 0 {
			trust.ExternalID = "x1"
		}
		var sources []string
		if c.next(2) > 0 {
			trust.Sources = list(&c, c.prefix)
			for _, source := range trust.Sources {
				sources = append(sources, source.String())
			}
		}
		policy, err := trust.Policy()
		if err != nil {
			return
		}
		for range 20 {
			ip := c.address()
			call := call{
				caller: principal(), role: testRole, sessionName: c.text("ab", 5), externalID: []string{"", "x1", "x2"}[c.next(3)],
				sourceIP: ip,
			}
			var names []string // Those that are left for the caller.
			for _, name := range trust.SessionNames {
				if _, user, isUser := strings.Cut(call.caller, ":user/"); isUser {
					name = strings.ReplaceAll(name, userNameVariable, user[strings.LastIndex(user, "/")+1:])
				}
				if !strings.Contains(name, "$") {
					names = append(names, name)
				}
			}
			want := slices.Contains(trust.Principals, call.caller) &&
				(trust.SessionNames == nil || matches(names, call.sessionName)) &&
				(trust.ExternalID == "" || trust.ExternalID == call.externalID) &&
				(trust.Sources == nil || contains(t, sources, ip))
			if got := iamtest.TrustAllows(t, policy, call.request(assumeRole)); got != want {
				t.Errorf("%+v lets %+v in: %v, and the policy: %s", trust, call, want, policy)
			}
		}
	})
}

// values returns the strings of an element that may be one string or a list.
func values(element any) (all []string) {
	switch element := element.(type) {
	case string:
		all = append(all, element)
	case []any:
		for _, e := range element {
			all = append(all, fmt.Sprint(e))
		}
	}
	return all
}
