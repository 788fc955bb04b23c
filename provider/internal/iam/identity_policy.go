package iam

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

// Limits of the managed policies of one role: how many AWS lets a role have by default, and after its quota is raised.
// Source: "IAM and AWS STS quotas", section "IAM object quotas", "Managed policies per role".
const (
	DefaultManagedPolicies = 10
	maxManagedPolicies     = 25
)

// MaxInlinePolicies is how many of the shortest policy documents fit into [maxRolePolicies].
const MaxInlinePolicies = maxRolePolicies /
	len(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"*","Resource":"*"}}`)

// maxRolePolicies is the limit on all inline policies of one role together, in characters without white space.
// Source: "IAM and AWS STS quotas", section "IAM and STS character limits".
const maxRolePolicies = 10240

// Unknown stands for a part of a policy document that is not known yet: whatever it is, it is taken.
type Unknown struct{}

// documentForm begins every rule on policy documents.
const documentForm = "must be an IAM policy document"

// The elements of a policy document for an identity, and of its statements, in the order of IAM's grammar.
// Source: "Grammar of the IAM JSON policy language".
var (
	documentElements  = []string{"Version", "Id", "Statement"}
	statementElements = []string{
		"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
)

var (
	sidRE    = regexp.MustCompile(`^[A-Za-z0-9]*$`)
	actionRE = regexp.MustCompile(`^(\*|[A-Za-z0-9*-]+:[A-Za-z0-9*?]+)$`)
	// resourceRE is of ARNs that may end early: IAM takes arn:aws:sqs for arn:aws:sqs:*:*:*.
	// Source: "IAM JSON policy elements: Resource".
	resourceRE = regexp.MustCompile(`^(\*|arn:[a-z0-9*?-]+:[A-Za-z0-9*?-]+(:.*)?)$`)
)

// conditionOperators are the operators of conditions: each but Null may end in IfExists, and each may begin with a set
// operator.
// Sources: "IAM JSON policy elements: Condition operators"; "Set operators for multivalued context keys".
var conditionOperators = func() (all []string) {
	for _, operator := range []string{
		"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike",
		"StringNotLike", "NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals",
		"NumericGreaterThan", "NumericGreaterThanEquals", "DateEquals", "DateNotEquals", "DateLessThan",
		"DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals", "Bool", "BinaryEquals", "IpAddress",
		"NotIpAddress", "ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike", "Null",
	} {
		for _, set := range []string{"", "ForAllValues:", "ForAnyValue:"} {
			all = append(all, set+operator)
			if operator != "Null" {
				all = append(all, set+operator+"IfExists")
			}
		}
	}
	return all
}()

// ParseDocument reads a policy document from its JSON text: objects become map[string]any, lists []any, and numbers
// [json.Number]. It fails for what is no JSON object, and for an object that has a key twice, of which one would be
// lost.
func ParseDocument(text string) (map[string]any, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	v, err := parseValue(dec)
	if err == nil {
		if _, after := dec.Token(); !errors.Is(after, io.EOF) {
			err = rule.Broken("%s: something follows its JSON text", documentForm)
		}
	}
	var violation *rule.Violation
	switch document, isObject := v.(map[string]any); {
	case errors.As(err, &violation):
		return nil, err
	case err != nil:
		return nil, rule.Broken("%s: invalid JSON", documentForm).WithHint("%v", err)
	case !isObject:
		return nil, rule.Broken("%s: it must be a JSON object", documentForm)
	default:
		return document, nil
	}
}

// parseValue reads the next value. It does what [json.Decoder.Decode] does, which takes a key twice.
func parseValue(dec *json.Decoder) (any, error) {
	token, err := dec.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		object := make(map[string]any)
		for dec.More() {
			key, err := dec.Token()
			if err != nil {
				return nil, err
			}
			name, _ := key.(string) // The decoder takes nothing else for a key.
			if _, twice := object[name]; twice {
				return nil, rule.Broken("%s: one of its objects has a key twice", documentForm).WithHint("%q", name)
			}
			if object[name], err = parseValue(dec); err != nil {
				return nil, err
			}
		}
		_, err = dec.Token()
		return object, err
	case json.Delim('['):
		list := []any{}
		for dec.More() {
			element, err := parseValue(dec)
			if err != nil {
				return nil, err
			}
			list = append(list, element)
		}
		_, err = dec.Token()
		return list, err
	}
	return token, nil
}

// WriteDocument returns a policy document that [CheckIdentityPolicy] finds nothing wrong with, in JSON without white
// space and with its elements in the order of IAM's grammar: the same document always gives the same text.
func WriteDocument(document map[string]any) (string, error) {
	type statement struct {
		Sid         any `json:",omitempty"`
		Effect      any `json:",omitempty"`
		Action      any `json:",omitempty"`
		NotAction   any `json:",omitempty"`
		Resource    any `json:",omitempty"`
		NotResource any `json:",omitempty"`
		Condition   any `json:",omitempty"`
	}
	ordered := func(v any) any {
		s, isObject := v.(map[string]any)
		if !isObject {
			return v
		}
		return statement{
			s["Sid"], s["Effect"], s["Action"], s["NotAction"], s["Resource"], s["NotResource"], s["Condition"],
		}
	}
	statements := ordered(document["Statement"])
	if list, isList := statements.([]any); isList {
		inOrder := make([]any, len(list))
		for i, s := range list {
			inOrder[i] = ordered(s)
		}
		statements = inOrder
	}
	return encode(struct {
		Version   any `json:",omitempty"`
		ID        any `json:"Id,omitempty"`
		Statement any `json:",omitempty"`
	}{document["Version"], document["Id"], statements})
}

// CheckIdentityPolicy returns what keeps a document from being a policy of an identity, such as a role: the form of
// its elements, and not what they mean, so that an action that no service has is not found. What is [Unknown] is
// passed over.
// Sources: "Grammar of the IAM JSON policy language"; "IAM JSON policy element reference".
func CheckIdentityPolicy(document map[string]any) []error {
	c := documentCheck{sids: make(map[string]bool)}
	c.nulls("", document)
	if len(c.violations) > 0 {
		return c.violations // Whatever else is wrong may come from them.
	}
	c.elements("", document, documentElements)
	switch version, given := document["Version"]; {
	case !given:
		c.report("", "must have a Version, %q: without one, IAM takes an old one that knows no variables", policyVersion)
	case version != Unknown{} && version != policyVersion && version != "2008-10-17":
		c.report("Version", "must be %q or \"2008-10-17\"", policyVersion)
	}
	if id, given := document["Id"]; given && id != (Unknown{}) {
		if _, isString := id.(string); !isString {
			c.report("Id", "must be a string")
		}
	}
	switch statements := document["Statement"].(type) {
	case Unknown:
	case nil:
		c.report("", "must have a Statement")
	case map[string]any:
		c.statement("Statement", statements)
	case []any:
		if len(statements) == 0 {
			c.report("Statement", "must not be empty")
		}
		for i, s := range statements {
			at := fmt.Sprintf("Statement[%d]", i)
			switch s := s.(type) {
			case Unknown:
			case map[string]any:
				c.statement(at, s)
			default:
				c.report(at, "must be an object")
			}
		}
	default:
		c.report("Statement", "must be an object or a list of objects")
	}
	return c.violations
}

// documentCheck is the check of one policy document.
type documentCheck struct {
	violations []error
	sids       map[string]bool
}

func (c *documentCheck) report(at, format string, args ...any) {
	c.violations = append(c.violations, rule.Broken("%s", inDocument(at)+fmt.Sprintf(format, args...)))
}

// inDocument begins a rule on the part of a document at a place.
func inDocument(at string) string {
	if at == "" {
		return documentForm + ": it "
	}
	return documentForm + ": its " + at + " "
}

// nulls reports each null: IAM has none, and one that is left out could take a condition with it.
func (c *documentCheck) nulls(at string, v any) {
	switch v := v.(type) {
	case nil:
		null := rule.Broken("%s: no part of it must be null; give it a value, or leave it out", documentForm)
		c.violations = append(c.violations, null.WithHint("%s", strings.TrimPrefix(at, ".")))
	case []any:
		for i, element := range v {
			c.nulls(fmt.Sprintf("%s[%d]", at, i), element)
		}
	case map[string]any:
		for _, key := range slices.Sorted(maps.Keys(v)) {
			c.nulls(at+"."+key, v[key])
		}
	}
}

func (c *documentCheck) elements(at string, object map[string]any, known []string) {
	for _, name := range slices.Sorted(maps.Keys(object)) {
		if slices.Contains(known, name) || name == "Principal" || name == "NotPrincipal" {
			continue
		}
		c.reportName(name, rule.Nearest(name, slices.Values(known)), at, "has an element that IAM does not know")
	}
}

// reportName reports a name in the document, which may be secret, and what was meant by it if that is known.
func (c *documentCheck) reportName(name, meant, at, problem string) {
	hint := fmt.Sprintf("%q", name)
	if meant != "" {
		hint += fmt.Sprintf(": did you mean %q?", meant)
	}
	c.violations = append(c.violations, rule.Broken("%s", inDocument(at)+problem).WithHint("%s", hint))
}

func (c *documentCheck) statement(at string, s map[string]any) {
	c.elements(at, s, statementElements)
	for _, name := range []string{"Principal", "NotPrincipal"} {
		if _, given := s[name]; given {
			c.report(at, "must have no %s: the principal is the role itself", name)
		}
	}
	if sid, given := s["Sid"]; given && sid != (Unknown{}) {
		text, isString := sid.(string)
		switch {
		case !isString || !sidRE.MatchString(text):
			c.report(at+".Sid", "must be a string of letters and digits")
		case text != "" && c.sids[text]:
			c.report(at+".Sid", "must not be that of another statement")
		}
		c.sids[text] = true
	}
	if effect := s["Effect"]; effect != (Unknown{}) && effect != "Allow" && effect != "Deny" {
		c.report(at, "must have an Effect of \"Allow\" or \"Deny\"")
	}
	c.either(at, s, "Action", "such as \"s3:GetObject\" or \"*\"", actionRE.MatchString)
	c.either(at, s, "Resource", "an ARN or \"*\"", resourceRE.MatchString)
	c.condition(at+".Condition", s)
}

// either checks that the statement has the element or its negation, and not both, with one string or a list of
// strings.
func (c *documentCheck) either(at string, s map[string]any, name, form string, check func(string) bool) {
	element, given := s[name]
	negated, negatedGiven := s["Not"+name]
	if given == negatedGiven {
		c.report(at, "must have either %s or Not%s", name, name)
		return
	}
	if negatedGiven {
		name, element = "Not"+name, negated
	}
	list, isList := element.([]any)
	if !isList {
		list = []any{element}
	}
	if len(list) == 0 {
		c.report(at+"."+name, "must not be empty")
	}
	for _, e := range list {
		if e == (Unknown{}) {
			continue
		}
		if text, isString := e.(string); !isString || !check(text) {
			c.report(at+"."+name, "must be of strings, each %s", form)
			return
		}
	}
}

// condition checks the conditions of a statement. What restricts nothing is refused: it is what is left of a condition
// whose values are missing.
func (c *documentCheck) condition(at string, s map[string]any) {
	condition, given := s["Condition"]
	if !given || condition == (Unknown{}) {
		return
	}
	operators, isObject := condition.(map[string]any)
	if !isObject || len(operators) == 0 {
		c.report(at, "must have operators with keys with values, such as "+
			"{\"StringEquals\": {\"aws:RequestedRegion\": \"eu-central-1\"}}")
	}
	for _, operator := range slices.Sorted(maps.Keys(operators)) {
		if !slices.Contains(conditionOperators, operator) {
			meant := rule.Nearest(operator, slices.Values(conditionOperators))
			c.reportName(operator, meant, at, "has an operator that IAM does not know")
		}
		if operators[operator] == (Unknown{}) {
			continue
		}
		keys, isObject := operators[operator].(map[string]any)
		if !isObject || len(keys) == 0 {
			c.reportName(operator, "", at, "has an operator without keys")
		}
		folded := make(map[string]bool)
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if fold := strings.ToLower(key); folded[fold] {
				c.reportName(key, "", at, "has a key twice in different case, which IAM takes for the same")
			} else {
				folded[fold] = true
			}
			if !isConditionValue(keys[key]) {
				c.reportName(key, "", at, "has a key whose value is not one or more strings, numbers and booleans")
			}
		}
	}
}

// isConditionValue reports whether a value can be that of a condition key.
func isConditionValue(v any) bool {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	return len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool {
		switch v.(type) {
		case string, bool, json.Number, float64, Unknown:
			return false
		}
		return true
	})
}

// CheckDocumentText reports whether the text of a policy document has only characters that IAM takes.
// Source: "IAM and AWS STS quotas", section "IAM name requirements".
func CheckDocumentText(text string) error {
	for _, r := range text {
		if r != '\t' && r != '\n' && r != '\r' && (r < ' ' || r > '\u00FF') {
			return rule.Broken("%s: it must consist of the characters of Latin-1", documentForm)
		}
	}
	return nil
}

// CheckRolePolicies reports whether the texts of policy documents are small enough to be the inline policies of one
// role.
func CheckRolePolicies(texts []string) error {
	size := 0
	for _, text := range texts {
		size += DocumentSize(text)
	}
	return CheckRolePoliciesSize(size)
}

// CheckRolePoliciesSize reports whether so many characters are few enough to be the inline policies of one role.
func CheckRolePoliciesSize(size int) error {
	if size > maxRolePolicies {
		return rule.Broken("must have at most %d characters together, without white space, IAM's limit for a role, "+
			"and these have %d: put some of it into a managed policy", maxRolePolicies, size)
	}
	return nil
}

// CheckManagedPolicies reports whether one role can have the managed policies, which may be repeated.
func CheckManagedPolicies(arns []string) error {
	if n := len(Distinct(arns)); n > maxManagedPolicies {
		return rule.Broken("must be at most %d policies, IAM's limit for a role after its quota is raised, and are %d: "+
			"put several into one", maxManagedPolicies, n)
	}
	return nil
}
