package iam

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

const (
	goodStatement = `{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`
	goodDocument  = `{"Version":"2012-10-17","Statement":[` + goodStatement + `]}`
)

func TestIdentityPolicies(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		goodDocument: goodDocument,
		` { "Statement" : ` + goodStatement + "\n" + `, "Version":"2008-10-17","Id":"x" } `: `{"Version":"2008-10-17","Id":"x","Statement":` + goodStatement + `}`,
		`{"Version":"2012-10-17","Statement":[{"Resource":["arn:aws:s3:::a/*","arn:aws:s3:::<b>&"],"NotAction":["s3:Get*","iam:?*"],"Effect":"Deny","Sid":"A1",
			"Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"s3:max-keys":[10,1e3]},"StringEquals":{"aws:RequestedRegion":["b","a"]}}}]}`: `{"Version":"2012-10-17","Statement":[{"Sid":"A1","Effect":"Deny","NotAction":["s3:Get*","iam:?*"],"Resource":["arn:aws:s3:::a/*","arn:aws:s3:::<b>&"],` +
			`"Condition":{"Bool":{"aws:SecureTransport":false},"NumericLessThan":{"s3:max-keys":[10,1e3]},"StringEquals":{"aws:RequestedRegion":["b","a"]}}}]}`,
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:sqs","arn:aws:s3:::*","arn:*:iam::*:role/x"],` +
			`"Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a"]},"Null":{"aws:TokenIssueTime":"true"}}}}`: `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":["arn:aws:sqs","arn:aws:s3:::*","arn:*:iam::*:role/x"],` +
			`"Condition":{"ForAllValues:StringLikeIfExists":{"aws:TagKeys":["a"]},"Null":{"aws:TokenIssueTime":"true"}}}}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","NotResource":"*"},{"Effect":"Allow","Action":"*:*","Resource":"*","Sid":""},{"Effect":"Allow","Action":"a:b","Resource":"*","Sid":""}]}`: `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","NotResource":"*"},{"Sid":"","Effect":"Allow","Action":"*:*","Resource":"*"},{"Sid":"","Effect":"Allow","Action":"a:b","Resource":"*"}]}`,
	} {
		document, err := ParseDocument(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if wrong := CheckIdentityPolicy(document); len(wrong) != 0 {
			t.Errorf("%s: %v", text, wrong)
		}
		got, err := WriteDocument(document)
		if err != nil || got != want {
			t.Errorf("%s becomes\n%s, %v, not\n%s", text, got, err, want)
		}
		again, err := ParseDocument(got)
		if err != nil || !reflect.DeepEqual(again, document) {
			t.Errorf("%s loses something: %v, %v", text, again, err)
		}
	}
}

func TestParseDocumentFails(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                          "invalid JSON",
		" ":                         "invalid JSON",
		"{":                         "invalid JSON",
		`{"a":1,}`:                  "invalid JSON",
		`{"a" 1}`:                   "invalid JSON",
		`{"a":[1 2]}`:               "invalid JSON",
		`{a:1}`:                     "invalid JSON",
		`{'a':1}`:                   "invalid JSON",
		"Version: 2012-10-17":       "invalid JSON",
		"[]":                        "it must be a JSON object",
		`"x"`:                       "it must be a JSON object",
		"null":                      "it must be a JSON object",
		"17":                        "it must be a JSON object",
		"{} {}":                     "something follows its JSON text",
		"{} x":                      "something follows its JSON text",
		`{"a":1,"a":1}`:             `has a key twice ("a")`,
		`{"a":[{"b":1,"b":{}}]}`:    `has a key twice ("b")`,
		`{"Effect":1,"\u0045ffect"`: "has a key twice",
	} {
		_, err := ParseDocument(text)
		var violation *rule.Violation
		if !errors.As(err, &violation) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, and not %q", text, err, want)
		} else if !strings.HasPrefix(violation.Rule, "must be an IAM policy document") || strings.Contains(violation.Rule, `"a"`) {
			t.Errorf("%q breaks the rule %q", text, violation.Rule)
		}
	}
}

func TestCheckIdentityPolicy(t *testing.T) {
	t.Parallel()
	statement := func(fields string) string {
		return `{"Version":"2012-10-17","Statement":[{` + fields + `}]}`
	}
	condition := func(operators string) string {
		return statement(`"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{` + operators + `}`)
	}
	for text, want := range map[string][]string{
		`{}`:                                  {"it must have a Version", "it must have a Statement"},
		`{"Statement":` + goodStatement + `}`: {`must have a Version, "2012-10-17"`},
		`{"Version":"2012-10-18","Statement":` + goodStatement + `}`:                   {"its Version must be"},
		`{"Version":20121017,"Statement":` + goodStatement + `}`:                       {"its Version must be"},
		`{"Version":["2012-10-17"],"Statement":` + goodStatement + `}`:                 {"its Version must be"},
		`{"version":"2012-10-17","Statement":` + goodStatement + `}`:                   {`("version": did you mean "Version"?)`, "must have a Version"},
		`{"Version":"2012-10-17","Statement":` + goodStatement + `,"Comment":"x"}`:     {`("Comment")`},
		`{"Version":"2012-10-17","Statements":` + goodStatement + `}`:                  {`did you mean "Statement"?`, "must have a Statement"},
		`{"Version":"2012-10-17","Id":null,"Statement":` + goodStatement + `}`:         {"no part of it must be null; give it a value, or leave it out (Id)"},
		`{"Version":"2012-10-17","Statement":[]}`:                                      {"its Statement must not be empty"},
		`{"Version":"2012-10-17","Statement":"x"}`:                                     {"its Statement must be an object or a list"},
		`{"Version":"2012-10-17","Statement":null}`:                                    {"(Statement)"},
		`{"Version":"2012-10-17","Statement":["x",null]}`:                              {"(Statement[1])"},
		`{"Version":"2012-10-17","Statement":["x"]}`:                                   {"its Statement[0] must be an object"},
		statement(`"Action":"a:b","Resource":"*"`):                                     {"its Statement[0] must have an Effect"},
		statement(`"Effect":"allow","Action":"a:b","Resource":"*"`):                    {`must have an Effect of "Allow" or "Deny"`},
		statement(`"Effect":["Allow"],"Action":"a:b","Resource":"*"`):                  {"must have an Effect"},
		statement(`"Effect":"Allow","Resource":"*"`):                                   {"its Statement[0] must have either Action or NotAction"},
		statement(`"Effect":"Allow","Action":"a:b","NotAction":"a:b","Resource":"*"`):  {"must have either Action or NotAction"},
		statement(`"Effect":"Allow","Action":"a:b"`):                                   {"must have either Resource or NotResource"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","NotResource":"*"`):  {"must have either Resource or NotResource"},
		statement(`"Effect":"Allow","Action":[],"Resource":[]`):                        {"its Statement[0].Action must not be empty", "its Statement[0].Resource must not be empty"},
		statement(`"Effect":"Allow","Action":"GetObject","Resource":"*"`):              {`its Statement[0].Action must be of strings, each such as "s3:GetObject"`},
		statement(`"Effect":"Allow","Action":["a:b",1],"Resource":"*"`):                {"its Statement[0].Action must be of strings"},
		statement(`"Effect":"Allow","Action":"a:b c","Resource":"*"`):                  {"its Statement[0].Action must be of strings"},
		statement(`"Effect":"Allow","NotAction":"x","Resource":"*"`):                   {"its Statement[0].NotAction must be of strings"},
		statement(`"Effect":"Allow","Action":{"a":"b"},"Resource":"*"`):                {"its Statement[0].Action must be of strings"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"bucket"`):               {`its Statement[0].Resource must be of strings, each an ARN or "*"`},
		statement(`"Effect":"Allow","Action":"a:b","Resource":["*",null]`):             {"(Statement[0].Resource[1])"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","Principal":"*"`):    {"its Statement[0] must have no Principal: the principal is the role itself"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","NotPrincipal":"*"`): {"must have no NotPrincipal"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","Sid":"a b"`):        {"its Statement[0].Sid must be a string of letters and digits"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","Sid":1`):            {"its Statement[0].Sid must be a string"},
		statement(`"Effect":"Allow","action":"a:b","Resource":"*"`):                    {`("action": did you mean "Action"?)`, "must have either Action"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","Condition":"x"`):    {"its Statement[0].Condition must have operators"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","Condition":null`):   {"(Statement[0].Condition)"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"*","Condition":{}`):     {"its Statement[0].Condition must have operators"},
		condition(`"Bool":1`):                                                   {`its Statement[0].Condition has an operator without keys ("Bool")`},
		condition(`"Bool":null,"Null":{"a":null}`):                              {"(Statement[0].Condition.Bool)", "(Statement[0].Condition.Null.a)"},
		condition(`"Bool":{}`):                                                  {`has an operator without keys ("Bool")`},
		condition(`"Bool":{"a:b":{}}`):                                          {`has a key whose value is not one or more strings, numbers and booleans ("a:b")`},
		condition(`"Bool":{"aws:PrincipalTag/team":null}`):                      {"(Statement[0].Condition.Bool.aws:PrincipalTag/team)"},
		condition(`"Bool":{"a:b":[]}`):                                          {`has a key whose value is not`},
		condition(`"Bool":{"a:b":[null]}`):                                      {"(Statement[0].Condition.Bool.a:b[0])"},
		condition(`"Bool":{"a:b":["x",[]]}`):                                    {`has a key whose value is not`},
		condition(`"Bool":{"aws:x":"a","AWS:X":"a","y":1}`):                     {`has a key twice in different case, which IAM takes for the same ("aws:x")`},
		condition(`"StringEqual":{"a":"b"}`):                                    {`has an operator that IAM does not know ("StringEqual": did you mean "StringEquals"?)`},
		condition(`"stringLike":{"a":"b"}`):                                     {`did you mean "StringLike"?`},
		condition(`"ForAnyValues:StringLike":{"a":"b"}`):                        {`did you mean "ForAnyValue:StringLike"?`},
		condition(`"BoolIfExist":{"a":"b"}`):                                    {`did you mean "BoolIfExists"?`},
		condition(`"NullIfExists":{"a":"b"}`):                                   {`has an operator that IAM does not know ("NullIfExists"`},
		condition(`"Foo":{}`):                                                   {`has an operator that IAM does not know ("Foo")`, "has an operator without keys"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"arn:"`):          {"its Statement[0].Resource must be of strings"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"arn:aws"`):       {"its Statement[0].Resource must be of strings"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"arn::s3:::x"`):   {"its Statement[0].Resource must be of strings"},
		statement(`"Effect":"Allow","Action":"a:b","Resource":"arn:aws:::::x"`): {"its Statement[0].Resource must be of strings"},
		`{"Version":"2012-10-17","Statement":[{"Sid":"a","Effect":"Allow","Action":"a:b","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"a:b","Resource":"*"}]}`: {
			"its Statement[1].Sid must not be that of another statement",
		},
	} {
		document, err := ParseDocument(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		wrong := CheckIdentityPolicy(document)
		if len(wrong) != len(want) {
			t.Errorf("%s: %v, and not %q", text, wrong, want)
			continue
		}
		for i, err := range wrong {
			var violation *rule.Violation
			if !strings.Contains(err.Error(), want[i]) || !errors.As(err, &violation) ||
				!strings.HasPrefix(violation.Rule, "must be an IAM policy document: ") || strings.Contains(violation.Rule, "aws:PrincipalTag/team") {
				t.Errorf("%s: %v does not say %q", text, err, want[i])
			}
		}
	}
}

// TestUnknownPartsOfADocument says that each part may be unknown, and that what is known is checked.
func TestUnknownPartsOfADocument(t *testing.T) {
	t.Parallel()
	good := func() map[string]any {
		return map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
			"Sid": "a", "Effect": "Allow", "Action": "s3:GetObject", "Resource": []any{"*"},
			"Condition": map[string]any{"StringEquals": map[string]any{"aws:PrincipalTag/x": []any{"y"}}},
		}}}
	}
	statement := func(document map[string]any) map[string]any { return document["Statement"].([]any)[0].(map[string]any) }
	for key := range good() {
		document := good()
		document[key] = Unknown{}
		if wrong := CheckIdentityPolicy(document); len(wrong) != 0 {
			t.Errorf("an unknown %s gives %v", key, wrong)
		}
	}
	for key := range statement(good()) {
		document := good()
		statement(document)[key] = Unknown{}
		if wrong := CheckIdentityPolicy(document); len(wrong) != 0 {
			t.Errorf("an unknown %s gives %v", key, wrong)
		}
		for _, other := range slices.DeleteFunc(slices.Collect(maps.Keys(statement(good()))), func(s string) bool { return s == key }) {
			statement(document)[other] = 17.5
			if wrong := CheckIdentityPolicy(document); len(wrong) != 1 {
				t.Errorf("a bad %s beside an unknown %s gives %v", other, key, wrong)
			}
			statement(document)[other] = statement(good())[other]
		}
	}
	document := good()
	document["Statement"] = []any{Unknown{}, map[string]any{
		"Effect": "Deny", "NotAction": []any{Unknown{}, "a:b"}, "NotResource": []any{Unknown{}},
		"Condition": map[string]any{"Bool": Unknown{}, "Null": map[string]any{"c": Unknown{}, "d": []any{Unknown{}, true, 1.0}}},
	}}
	if wrong := CheckIdentityPolicy(document); len(wrong) != 0 {
		t.Errorf("unknown parts of parts give %v", wrong)
	}
}

func TestCheckDocumentText(t *testing.T) {
	t.Parallel()
	accepts(t, CheckDocumentText, []string{"", "{}\r\n\t ~ÿ"}, []string{"\x00", "\x1f", "Ā", "日本", "\uFFFD"})
}

func TestCheckRolePolicies(t *testing.T) {
	t.Parallel()
	half := strings.Repeat("x", 5120) + " \n\t\r"
	if err := CheckRolePolicies([]string{half, half, " "}); err != nil {
		t.Error(err)
	}
	if err := CheckRolePolicies([]string{half, half, "ü"}); err == nil || !strings.Contains(err.Error(), "these have 10241") {
		t.Error(err)
	}
	if err := CheckRolePolicies(nil); err != nil {
		t.Error(err)
	}
}

// FuzzIdentityPolicy says that what is taken is written as the same document.
func FuzzIdentityPolicy(f *testing.F) {
	f.Add(goodDocument)
	f.Add(`{"Version":"2012-10-17","Statement":{"Effect":"Deny","NotAction":["a:b"],"NotResource":"arn:aws:x","Condition":{"Bool":{"b":[1,true]}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		document, err := ParseDocument(text)
		if err != nil || len(CheckIdentityPolicy(document)) != 0 {
			return
		}
		got, err := WriteDocument(document)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseDocument(got)
		if err != nil || !reflect.DeepEqual(again, document) {
			t.Errorf("%q becomes %q: %v", text, got, err)
		}
	})
}

// TestCheckManagedPolicies checks the count of policies, each once.
func TestCheckManagedPolicies(t *testing.T) {
	t.Parallel()
	arns := func(n int) (all []string) {
		for i := range n {
			all = append(all, fmt.Sprintf("arn:aws:iam::aws:policy/p%d", i))
		}
		return all
	}
	for n, ok := range map[int]bool{0: true, DefaultManagedPolicies + 1: true, 25: true, 26: false, 10_000: false} {
		if err := CheckManagedPolicies(append(arns(n), arns(n)...)); (err == nil) != ok {
			t.Errorf("%d policies, each twice: %v", n, err)
		}
	}
}
