package iam

import (
	"cmp"
	"encoding/json"
	"net/netip"
	"slices"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// policyVersion is the current version of the policy language.
// Source: "IAM JSON policy elements: Version".
const policyVersion = "2012-10-17"

// Actions of the AWS Security Token Service.
const (
	assumeRole = "sts:AssumeRole"
	tagSession = "sts:TagSession"
)

// document is a policy document. Its fields are in the order of IAM's grammar, so that its JSON is too.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect    string
	Principal *principal `json:",omitempty"`
	Action    oneOrMore
	Resource  oneOrMore  `json:",omitempty"`
	Condition conditions `json:",omitempty"`
}

// principal is who a trust policy is about.
type principal struct{ AWS oneOrMore }

// conditions have the values of each condition key by operator and key. All of them must hold.
type conditions map[string]map[string]oneOrMore

// oneOrMore is a list that, as IAM's grammar has it, is written as a plain string where it has one element.
type oneOrMore []string

// MarshalJSON writes the list, or its only element.
func (l oneOrMore) MarshalJSON() ([]byte, error) {
	if len(l) == 1 {
		return json.Marshal(l[0])
	}
	return json.Marshal([]string(l))
}

// write returns the policy document of the statements, in JSON without white space.
func write(statements ...statement) (string, error) {
	text, err := json.Marshal(document{Version: policyVersion, Statement: statements})
	return string(text), err
}

// fromSources returns the conditions of a statement that holds only for calls from the sources; none if there are no
// sources. It is minimal and deterministic.
func fromSources(sources []netip.Prefix) conditions {
	if len(sources) == 0 {
		return conditions{}
	}
	// In this order, a range comes before those that it covers.
	sorted := slices.SortedFunc(slices.Values(sources), func(a, b netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(b.Addr()), cmp.Compare(a.Bits(), b.Bits()))
	})
	var ranges oneOrMore
	var last netip.Prefix
	for _, source := range sorted {
		if !last.IsValid() || last.Bits() > source.Bits() || !last.Contains(source.Addr()) {
			last = source
			ranges = append(ranges, source.String())
		}
	}
	slices.Sort(ranges)
	return conditions{"IpAddress": {"aws:SourceIp": ranges}}
}

// maxCompared bounds the characters of a list whose elements are compared with each other, which takes the square of
// them: a tenth of a second at worst. It is more than twice what the largest policy holds.
const maxCompared = 20_000

// Distinct returns the elements in order, each once.
func Distinct(elements []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(elements)))
}

// minimal returns the elements in order, each once, without those that another one covers. It fails for more of them
// than [maxCompared].
func minimal(elements []string, covers func(a, b string) bool) ([]string, error) {
	all := Distinct(elements)
	size := 0
	for _, element := range all {
		size += len(element)
	}
	if size > maxCompared {
		return nil, rule.Broken("must have at most %d characters together, and these have %d; leave out those that another "+
			"one covers", maxCompared, size)
	}
	return slices.DeleteFunc(slices.Clone(all), func(b string) bool {
		return slices.ContainsFunc(all, func(a string) bool {
			// Of two patterns that cover each other, such as * and **, the first one stays.
			return a != b && covers(a, b) && (!covers(b, a) || a < b)
		})
	}), nil
}
