package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

// plain is v without its secret marks and dependencies, at every depth.
func plain(v property.Value) property.Value {
	switch {
	case v.IsArray():
		elements := make([]property.Value, 0, v.AsArray().Len())
		for _, e := range v.AsArray().All {
			elements = append(elements, plain(e))
		}
		return property.New(property.NewArray(elements))
	case v.IsMap():
		return property.New(plainMap(v.AsMap()))
	default:
		return v.WithSecret(false).WithDependencies(nil)
	}
}

func plainMap(m property.Map) property.Map {
	out := make(map[string]property.Value, m.Len())
	for k, v := range m.All {
		out[k] = plain(v)
	}
	return property.NewMap(out)
}

// isEmpty says whether Terraform treats v like an absent value: null, "", false, 0, or nothing in it.
func isEmpty(v property.Value) bool {
	switch {
	case v.IsNull():
		return true
	case v.IsString():
		return v.AsString() == ""
	case v.IsBool():
		return !v.AsBool()
	case v.IsNumber():
		return v.AsNumber() == 0
	case v.IsArray():
		return v.AsArray().Len() == 0
	case v.IsMap():
		return v.AsMap().Len() == 0
	default:
		return false
	}
}

func str(v property.Value) string {
	if v.IsString() {
		return v.AsString()
	}
	return ""
}

func boolean(v property.Value) bool { return v.IsBool() && v.AsBool() }

// integer is a whole number, and 0 for what is none.
func integer(v property.Value) int64 {
	if v.IsNumber() {
		return int64(v.AsNumber())
	}
	return 0
}

// setTexts puts texts of an answer into read, without those that are missing or empty, which Terraform takes for one.
func setTexts(read values, texts map[string]*string) {
	for name, text := range texts {
		if text != nil && *text != "" {
			read[name] = property.New(*text)
		}
	}
}

// strs are the strings in an array, in its order.
func strs(v property.Value) []string {
	if !v.IsArray() {
		return nil
	}
	var out []string
	for _, e := range v.AsArray().All {
		out = append(out, str(e))
	}
	return out
}

func strMap(v property.Value) map[string]string {
	out := map[string]string{}
	if v.IsMap() {
		for k, e := range v.AsMap().All {
			out[k] = str(e)
		}
	}
	return out
}

func stringArray(s []string) property.Value {
	elements := make([]property.Value, len(s))
	for i := range s {
		elements[i] = property.New(s[i])
	}
	return property.New(property.NewArray(elements))
}

func stringMap(m map[string]string) property.Value {
	elements := make(map[string]property.Value, len(m))
	for k, v := range m {
		elements[k] = property.New(v)
	}
	return property.New(elements)
}

// sameSet says whether a and b hold the same strings, in any order and however often.
func sameSet(a, b []string) bool {
	return slices.Equal(sorted(a), sorted(b))
}

func sorted(s []string) []string {
	return slices.Compact(slices.Sorted(slices.Values(s)))
}

// difference is what is in a and not in b, sorted so that API calls come in a fixed order.
func difference(a, b []string) []string {
	var out []string
	for _, e := range sorted(a) {
		if !slices.Contains(b, e) {
			out = append(out, e)
		}
	}
	return out
}

func sortedKeys[V any](m map[string]V) []string {
	return slices.Sorted(maps.Keys(m))
}

// coerce is v as the kind wants it. The bridge converts between scalars and their strings, so this does too.
// The error names types only, because a value can be a secret.
func (k kind) coerce(v property.Value) (property.Value, error) {
	if v.IsComputed() {
		return v, nil
	}
	keep := func(n property.Value) property.Value {
		return n.WithSecret(v.Secret()).WithDependencies(v.Dependencies())
	}
	switch k {
	case kindString, kindIssuer:
		switch {
		case v.IsString():
			return v, nil
		case v.IsBool():
			return keep(property.New(strconv.FormatBool(v.AsBool()))), nil
		case v.IsNumber():
			return keep(property.New(strconv.FormatFloat(v.AsNumber(), 'f', -1, 64))), nil
		}
	case kindBool:
		if v.IsBool() {
			return v, nil
		}
		if b, err := strconv.ParseBool(str(v)); err == nil {
			return keep(property.New(b)), nil
		}
	case kindInt:
		if v.IsNumber() && v.AsNumber() == float64(int32(v.AsNumber())) {
			return v, nil
		}
		if n, err := strconv.ParseInt(str(v), 10, 32); err == nil {
			return keep(property.New(float64(n))), nil
		}
	case kindStrings, kindList:
		if v.IsArray() {
			elements := make([]property.Value, 0, v.AsArray().Len())
			for i, e := range v.AsArray().All {
				c, err := kindString.coerce(e)
				if err != nil {
					return v, fmt.Errorf("element %d: %w", i, err)
				}
				elements = append(elements, c)
			}
			return keep(property.New(property.NewArray(elements))), nil
		}
	case kindStringMap:
		if v.IsMap() {
			elements := map[string]property.Value{}
			for key, e := range v.AsMap().All {
				c, err := kindString.coerce(e)
				if err != nil {
					return v, fmt.Errorf("key %q: %w", key, err)
				}
				elements[key] = c
			}
			return keep(property.New(elements)), nil
		}
	case kindPolicy:
		return policyInput(v)
	case kindRole:
		if v.IsResourceReference() {
			return keep(v.AsResourceReference().ID), nil
		}
		return kindString.coerce(v)
	}
	return v, fmt.Errorf("expected %s, got %s", k, typeName(v))
}

func typeName(v property.Value) string {
	switch {
	case v.IsNull():
		return "null"
	case v.IsBool():
		return "a boolean"
	case v.IsNumber():
		return "a number"
	case v.IsString():
		return "a string"
	case v.IsArray():
		return "a list"
	case v.IsMap():
		return "an object"
	default:
		return "an asset or a resource"
	}
}
