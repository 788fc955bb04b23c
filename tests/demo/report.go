//go:build unix

package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// newTable returns what writes a row of a table, and what ends the table.
func newTable(w io.Writer) (row func(name string, values ...string), end func() error) {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	return func(name string, values ...string) {
		fmt.Fprintf(table, "%s\t%s\n", name, cmp.Or(strings.Join(values, ", "), "none"))
	}, table.Flush
}

// describeKeys returns the IDs of a user's access keys, and whether they are active.
func describeKeys(user lab.User) (keys []string) {
	for _, key := range user.Keys {
		keys = append(keys, key.ID+" ("+strings.ToLower(key.Status)+")")
	}
	return keys
}

// report writes what is in an account as a table.
func report(w io.Writer, account *lab.Contents) error {
	row, end := newTable(w)
	for _, user := range account.Users {
		row("user", user.Name)
		row("  ARN", user.ARN)
		for _, key := range slices.Sorted(maps.Keys(user.Tags)) {
			row("  tag", key+": "+user.Tags[key])
		}
		row("  own policies", user.Policies...)
		row("  access keys", describeKeys(user)...)
		row("  member of", user.Groups...)
	}
	for _, group := range account.Groups {
		row("group", group.Name)
		row("  ARN", group.ARN)
		row("  managed policies", group.Attached...)
		if err := inline(row, group.Policies); err != nil {
			return err
		}
	}
	for _, provider := range account.Providers {
		row("provider", provider.Issuer)
		row("  ARN", provider.ARN)
		row("  audiences", provider.Audiences...)
	}
	for _, role := range account.Roles {
		row("role", role.Name)
		row("  ARN", role.ARN)
		trust, err := parsePolicy(role.Trust)
		if err != nil {
			return fmt.Errorf("the trust policy of %s: %w", role.Name, err)
		}
		for _, s := range trust {
			row("  "+s.verb(), s.Action...)
			row("    to", slices.Concat(s.Principal.AWS, s.Principal.Federated)...)
			conditions(row, s)
		}
		row("  session, seconds", strconv.Itoa(int(role.MaxSessionDuration)))
		row("  managed policies", role.Attached...)
		if err := inline(row, role.Policies); err != nil {
			return err
		}
	}
	// What they hold is secret.
	for _, secret := range account.Secrets {
		row("secret", secret.Name)
		row("  ARN", secret.ARN)
	}
	for _, parameter := range account.Parameters {
		row("parameter", parameter.Name)
		row("  type", parameter.Type)
	}
	return end()
}

// inline writes inline policies, each document by its name.
func inline(row func(name string, values ...string), policies map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(policies)) {
		statements, err := parsePolicy(policies[name])
		if err != nil {
			return fmt.Errorf("the policy %s: %w", name, err)
		}
		row("  inline policy", name)
		for _, s := range statements {
			row("    "+s.verb(), s.Action...)
			row("    on", s.Resource...)
			conditions(row, s)
		}
	}
	return nil
}

// conditions writes the conditions of a statement, each in its row.
func conditions(row func(name string, values ...string), s statement) {
	texts := s.conditions()
	if len(texts) == 0 {
		row("    condition")
	}
	for _, text := range texts {
		row("    condition", text)
	}
}

// A statement is a statement of a policy document, with all that this table has words for.
type statement struct {
	Effect    string
	Principal struct{ AWS, Federated oneOrMore[string] }
	Action    oneOrMore[string]
	Resource  oneOrMore[string]
	Condition map[string]map[string]oneOrMore[string]
}

// parsePolicy reads a policy document. It refuses what the table would not tell.
func parsePolicy(document string) ([]statement, error) {
	var policy struct {
		Version   string
		Statement oneOrMore[statement]
	}
	err := decode([]byte(document), &policy)
	return policy.Statement, err
}

func decode(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	return dec.Decode(v)
}

func (s statement) verb() string {
	if s.Effect == "Allow" {
		return "allows"
	}
	return "denies"
}

func (s statement) conditions() (texts []string) {
	for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
		for _, key := range slices.Sorted(maps.Keys(s.Condition[operator])) {
			texts = append(texts, key+" "+operator+" "+strings.Join(s.Condition[operator][key], " or "))
		}
	}
	return texts
}

// oneOrMore is a list, or, as policy documents have it, the only element of one.
type oneOrMore[T any] []T

// UnmarshalJSON reads either.
func (l *oneOrMore[T]) UnmarshalJSON(text []byte) error {
	if text[0] != '[' {
		text = slices.Concat([]byte("["), text, []byte("]"))
	}
	return decode(text, (*[]T)(l))
}
