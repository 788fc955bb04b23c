package oidc

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// A Problem is what is wrong with a job.
type Problem struct {
	// Path leads from the job to what is wrong: a system's key, a field's name, the place in a list.
	Path []any
	// Whole says that no single value is wrong: a field is missing, or several do not go together.
	Whole bool
	// Stray says that the last key of the path is no name of this package, but one of the input.
	Stray bool
	// Err says what is wrong, in words that follow the path.
	Err error
}

// Error returns the path and what is wrong, such as "github.branch: must not be empty".
func (p Problem) Error() string {
	var at strings.Builder
	for _, key := range p.Path {
		if i, isIndex := key.(int); isIndex {
			fmt.Fprintf(&at, "[%d]", i)
			continue
		}
		if at.Len() > 0 {
			at.WriteByte('.')
		}
		fmt.Fprint(&at, key)
	}
	return at.String() + ": " + p.Err.Error()
}

// Lost is a value that is null although the input does not leave it out. Each field narrows the jobs, so that a role
// without it would trust more of them than its author saw.
type Lost struct{}

// Read reads a job: an object with one key, that of its system, and the system's fields below it. Values are strings,
// booleans, numbers as float64, lists as []any and objects as map[string]any; [iam.Unknown] is one that is not known
// yet, nil one that is not given, and [Lost] one that is lost. What is known is checked, even if other fields are not.
// The job is nil if its system is not clear.
func Read(object map[string]any) (*Job, []Problem) {
	keys := make([]string, len(Systems))
	for i, s := range Systems {
		keys[i] = s.Key
	}
	var problems []Problem
	var given []*System
	for _, key := range slices.Sorted(maps.Keys(object)) {
		switch i := slices.Index(keys, key); {
		case object[key] == nil:
		case i >= 0:
			given = append(given, Systems[i])
		default:
			err := unrecognised("is not the key of a CI system; use "+anyOtherKey+" for one without", key, keys)
			problems = append(problems, Problem{Path: []any{key}, Whole: true, Stray: true, Err: err})
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	if len(given) != 1 {
		has := make([]string, len(given))
		for i, s := range given {
			has[i] = s.Key
		}
		return nil, []Problem{{Whole: true, Err: rule.Broken("must have exactly one of the keys %s, and has %s",
			strings.Join(keys, ", "), list(has))}}
	}
	system := given[0]
	j := &Job{System: system, job: system.newJob()}
	r := &reading{system: system, given: map[string]bool{}, open: map[string]bool{}}
	switch fields := object[system.Key].(type) {
	case iam.Unknown:
		return j, nil
	case map[string]any:
		r.read(j.job, fields)
	default:
		err := fmt.Errorf("must be an object, and is %s", kind(fields))
		return nil, []Problem{{Path: []any{system.Key}, Err: err}}
	}
	j.Known = len(r.open) == 0
	return j, r.problems
}

// reading is the reading of one job.
type reading struct {
	system *System
	// given are the fields that have a value, known or not.
	given map[string]bool
	// open are the fields whose value is not known yet, or wrong: no more can be said of them.
	open     map[string]bool
	problems []Problem
}

// has reports whether a field is given and its value can be relied on.
func (r *reading) has(name string) bool { return r.given[name] && !r.open[name] }

// settled reports whether it is known whether fields are given, and their values if they are.
func (r *reading) settled(names ...string) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return r.open[name] })
}

// reject adds a problem with the value of a field, or of an element of it.
func (r *reading) reject(err error, path ...any) {
	r.problems = append(r.problems, Problem{Path: append([]any{r.system.Key}, path...), Err: err})
}

// rejectWhole adds a problem with a field that is or is not given, or with the job.
func (r *reading) rejectWhole(err error, path ...any) {
	r.problems = append(r.problems, Problem{Path: append([]any{r.system.Key}, path...), Whole: true, Err: err})
}

// exactlyOne reports a job that does not have exactly one of some fields.
func (r *reading) exactlyOne(names ...string) {
	var has []string
	unclear := false
	for _, name := range names {
		if r.given[name] {
			has = append(has, name)
		}
		unclear = unclear || (r.open[name] && !r.given[name])
	}
	if len(has) > 1 || (len(has) == 0 && !unclear) {
		r.rejectWhole(rule.Broken("must have exactly one of %s, and has %s", strings.Join(names, ", "), list(has)))
	}
}

// atMostOne reports a job that has both of two fields.
func (r *reading) atMostOne(name, other string) {
	if r.given[name] && r.given[other] {
		r.rejectWhole(rule.Broken("must not be given together with %s", name), other)
	}
}

// refuse reports fields that are given, though they must not be.
func (r *reading) refuse(reason string, names ...string) {
	for _, name := range names {
		if r.given[name] {
			r.rejectWhole(rule.Broken("must not be given %s", reason), name)
		}
	}
}

// require reports a field that is not given, though another one asks for it.
func (r *reading) require(name, reason string) {
	if !r.given[name] && !r.open[name] {
		r.rejectWhole(rule.Broken("is required %s", reason), name)
	}
}

// read reads the fields and checks them, each by itself and then together.
func (r *reading) read(j job, object map[string]any) {
	fields := j.fields()
	names := make([]string, len(fields))
	for i, f := range fields {
		names[i] = f.Name
		switch v := object[f.Name].(type) {
		case nil:
			if f.Required {
				r.rejectWhole(rule.Broken("is required"), f.Name)
				r.open[f.Name] = true
			}
		case iam.Unknown:
			r.open[f.Name] = true
			r.given[f.Name] = f.flag == nil // A flag may turn out to be false, which is not given.
		case Lost:
			r.value(f, v)
		default:
			r.given[f.Name] = true
			r.value(f, v)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if object[name] != nil && !slices.Contains(names, name) {
			err := unrecognised("is not a field of "+r.system.Type, name, names)
			r.problems = append(r.problems, Problem{Path: []any{r.system.Key, name}, Whole: true, Stray: true, Err: err})
		}
	}
	r.checkIssuer(j)
	j.check(r)
	if r.settled("issuer") && !r.given["audience"] && len(r.problems) == 0 && len(r.open) == 0 {
		if identity := j.identity(); identity.Audience == "" {
			if _, err := r.system.audience(identity.Issuer, ""); err != nil {
				r.rejectWhole(err, "audience")
			}
		}
	}
}

// checkIssuer reports the issuer of another system.
func (r *reading) checkIssuer(j job) {
	if r.system.owns == nil || !r.has("issuer") {
		return
	}
	owners := systemsOf(j.identity().Issuer)
	if len(owners) > 0 && !slices.Contains(owners, r.system) {
		r.reject(rule.Broken("must be an issuer of this system, and this one is of another: use the key %s", keysOf(owners)),
			"issuer")
		r.open["issuer"] = true
	}
}

// value reads the value of a field.
func (r *reading) value(f Field, v any) {
	before := len(r.problems)
	switch {
	case f.flag != nil:
		flag, isBool := v.(bool)
		if !isBool {
			r.reject(fmt.Errorf("must be a boolean, and is %s", kind(v)), f.Name)
		}
		*f.flag = flag
		r.given[f.Name] = flag
	case f.list != nil:
		r.list(f, v)
	default:
		*f.text = r.text(f, v, f.Name)
	}
	if len(r.problems) > before {
		r.open[f.Name] = true
	}
}

// list reads a list of strings.
func (r *reading) list(f Field, v any) {
	elements, isList := v.([]any)
	if !isList {
		r.reject(fmt.Errorf("must be a list of strings, and is %s", kind(v)), f.Name)
		return
	}
	if len(elements) == 0 {
		r.reject(rule.Broken("must have at least one element"), f.Name)
	}
	for i, element := range elements {
		if element == (iam.Unknown{}) {
			r.open[f.Name] = true
			continue
		}
		*f.list = append(*f.list, r.text(f, element, f.Name, i))
	}
}

// text reads a string, or the digits of a number that counts as one.
func (r *reading) text(f Field, v any, path ...any) string {
	if n, isNumber := v.(float64); isNumber && f.decimal {
		// Beyond this, a float64 no longer holds every whole number.
		const most = 1 << 53
		if n < 1 || n >= most || n != math.Trunc(n) {
			r.reject(rule.Broken("must be a decimal ID as a string, such as \"123456\""), path...)
			return ""
		}
		return strconv.FormatFloat(n, 'f', 0, 64)
	}
	s, isString := v.(string)
	if !isString {
		r.reject(fmt.Errorf("must be a string, and is %s", kind(v)), path...)
		return ""
	}
	err := checkText(s)
	switch {
	case err != nil:
	case f.Enum != nil:
		err = rule.CheckOneOf(s, f.Enum.words())
	case !f.wildcards && strings.ContainsAny(s, wildcards):
		err = rule.Broken("must be literal, without the wildcards * and ?")
	case f.decimal:
		err = checkDecimal(s)
	case f.check != nil:
		err = f.check(s)
	}
	if err != nil {
		r.reject(err, path...)
	}
	return s
}

// kind returns the type of a value in the words of errors.
func kind(v any) string {
	switch v.(type) {
	case nil:
		return "null"
	case bool:
		return "a boolean"
	case float64:
		return "a number"
	case string:
		return "a string"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	case iam.Unknown:
		return "unknown"
	case Lost:
		return "null; leave it out if that is meant, and otherwise give a value to the output that it comes from"
	}
	return "something else"
}

func unrecognised(text, name string, names []string) error {
	violation := rule.Broken("%s", text)
	if meant := rule.Nearest(name, slices.Values(names)); meant != "" {
		return violation.WithHint("%s", rule.DidYouMean(meant))
	}
	return violation
}

// keysOf returns the keys of systems, in words.
func keysOf(systems []*System) string {
	keys := make([]string, len(systems))
	for i, s := range systems {
		keys[i] = s.Key
	}
	return strings.Join(keys, " or ")
}

// list returns words as they stand in a sentence.
func list(words []string) string {
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(words, " and ")
}
