package iam

import (
	"bytes"
	"cmp"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"unicode"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// policyVersion is the current version of the policy language.
// Source: "IAM JSON policy elements: Version".
const policyVersion = "2012-10-17"

// Actions of the AWS Security Token Service.
const (
	assumeRole                = "sts:AssumeRole"
	assumeRoleWithWebIdentity = "sts:AssumeRoleWithWebIdentity"
	tagSession                = "sts:TagSession"
)

// sourceIP is the condition key of the address that a call comes from.
const sourceIP = "aws:SourceIp"

// document is a policy document. Its fields are in the order of IAM's grammar, so that its JSON is too.
type document struct {
	Version   string
	Statement []statement
}

type statement struct {
	Effect      string
	Principal   *principal `json:",omitempty"`
	Action      oneOrMore  `json:",omitempty"`
	NotAction   oneOrMore  `json:",omitempty"`
	Resource    oneOrMore  `json:",omitempty"`
	NotResource oneOrMore  `json:",omitempty"`
	Condition   conditions `json:",omitempty"`
}

// principal is who a trust policy is about.
type principal struct {
	// AWS are accounts.
	AWS oneOrMore `json:",omitempty"`
	// Federated is an OpenID Connect provider.
	Federated string `json:",omitempty"`
}

// conditions have the values of each condition key by operator and key. All of them must hold.
type conditions map[string]map[string]oneOrMore

// and returns the conditions of c and of others, which have no operator with the same key.
func (c conditions) and(others conditions) conditions {
	all := make(conditions)
	for _, part := range []conditions{c, others} {
		for operator, keys := range part {
			if all[operator] == nil {
				all[operator] = make(map[string]oneOrMore)
			}
			maps.Copy(all[operator], keys)
		}
	}
	return all
}

// oneOrMore is a list that, as IAM's grammar has it, is written as a plain string where it has one element.
type oneOrMore []string

// MarshalJSON writes the list, or its only element.
func (l oneOrMore) MarshalJSON() ([]byte, error) {
	var element any = []string(l)
	if len(l) == 1 {
		element = l[0]
	}
	text, err := encode(element)
	return []byte(text), err
}

// write returns the policy document of the statements, in JSON without white space.
func write(statements ...statement) (string, error) {
	return encode(document{Version: policyVersion, Statement: statements})
}

// encode returns JSON without white space. It escapes nothing for HTML, since IAM counts characters.
func encode(v any) (string, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return strings.TrimSuffix(text.String(), "\n"), err
}

// DocumentSize returns the size of a policy document as IAM counts it: in characters without white space.
// Source: "IAM and AWS STS quotas", section "IAM and STS character limits".
func DocumentSize(text string) (size int) {
	for _, r := range text {
		if !unicode.IsSpace(r) {
			size++
		}
	}
	return size
}

// fromSources returns the conditions of a statement that holds only for calls from the sources; none if there are no
// sources.
func fromSources(sources []netip.Prefix) conditions {
	if len(sources) == 0 {
		return conditions{}
	}
	return conditions{"IpAddress": {sourceIP: minimalRanges(sources)}}
}

// minimalRanges returns the ranges of addresses as texts in order, without those that another one covers.
func minimalRanges(sources []netip.Prefix) oneOrMore {
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
	return ranges
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
