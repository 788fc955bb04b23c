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
	"strings"
	"text/tabwriter"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// report writes what is in an account as a table.
func report(w io.Writer, account *lab.Contents) error {
	table := tabwriter.NewWriter(w, 0, 0, 3, ' ', 0)
	row := func(name string, values ...string) {
		fmt.Fprintf(table, "%s\t%s\n", name, cmp.Or(strings.Join(values, ", "), "none"))
	}
	for _, user := range account.Users {
		row("user", user.Name)
		row("  ARN", user.ARN)
		for _, key := range slices.Sorted(maps.Keys(user.Tags)) {
			row("  tag", key+": "+user.Tags[key])
		}
		row("  own policies", user.Policies...)
		row("  access keys", user.AccessKeys...)
		row("  member of", user.Groups...)
	}
	for _, group := range account.Groups {
		row("group", group.Name)
		row("  ARN", group.ARN)
		row("  managed policies", group.Attached...)
		for _, name := range slices.Sorted(maps.Keys(group.Policies)) {
			statements, err := parsePolicy(group.Policies[name])
			if err != nil {
				return fmt.Errorf("the policy %s: %w", name, err)
			}
			row("  inline policy", name)
			for _, s := range statements {
				row("    "+s.verb(), s.Action...)
				row("    on", s.Resource...)
				row("    condition", s.conditions()...)
			}
		}
	}
	return table.Flush()
}

// A statement is a statement of a policy document, with all that this table has words for.
type statement struct {
	Effect    string
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
