package input

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/rule"
)

const testURN = resource.URN("urn:pulumi:stack::project::a:b:C::d")

func inputs(values map[string]property.Value) *Inputs {
	return New(property.NewMap(values))
}

func refuse(string) error { return errors.New("must not be") }

// TestProblems checks that one error lists every problem, shows no secret, and is bounded.
func TestProblems(t *testing.T) {
	t.Parallel()
	in := inputs(map[string]property.Value{
		"a": property.New("x"), "b": property.New("s3cr3t").WithSecret(true), "c": property.New(property.Computed),
		"d": property.New([]property.Value{property.New("y"), property.New(1.0)}), "null": property.New(property.Null),
		"e": property.New(map[string]property.Value{"s3cr3t": property.New("y")}).WithSecret(true), "aa": property.New(true),
	})
	in.Check(Rules{
		"a": Text(refuse), "b": Text(refuse), "c": Text(refuse), "d": List(refuse), "null": Text(refuse),
		"e": Object(Rules{"f": Boolean}, "f"),
	})
	const want = `7 invalid inputs:
  - a = "x": must not be
  - aa: is not an input of this resource (did you mean "a"?)
  - b = [secret]: must not be
  - d[0] = "y": must not be
  - d[1] = 1: must be a string, and is a number
  - e.f: is required
  - e: has a key that is not an input of this resource`
	if err := in.Err(); err == nil || err.Error() != want {
		t.Errorf("the error is\n%v\nand not\n%s", err, want)
	}

	many := make([]property.Value, 1000)
	for i := range many {
		many[i] = property.New(strings.Repeat("x", 1000))
	}
	in = inputs(map[string]property.Value{"a": property.New(many)})
	in.Check(Rules{"a": List(refuse)})
	if text := in.Problems(); !strings.HasSuffix(text, "\n  and 950 more") || len(text) > maxProblems*2*maxShown {
		t.Errorf("an error of %d characters ends with %q", len(text), text[len(text)-50:])
	}
}

// TestLongProblems checks that an error shows no more of a value, a path and a rule than it takes to find them.
func TestLongProblems(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ü", 1<<20)
	in := inputs(map[string]property.Value{
		"a": property.New(long), "b": property.New(map[string]property.Value{long: property.New(long)}),
	})
	repeat := func(s string) error { return rule.Broken("must not be").WithHint("%s", s) }
	in.Check(Rules{"a": Text(repeat), "b": Object(Rules{})})
	const first = 100
	want := "2 invalid inputs:\n  - a = \"" + long[:2*first] + "...\": must not be ("
	if text := in.Problems(); !strings.HasPrefix(text, want) || len(text) > 2000 || !strings.Contains(text, "\n  - b") {
		t.Errorf("an error of %d characters is %.1000s", len(text), text)
	}
	for text, want := range map[string]string{"": "", "ab": "ab", "abc": "abc", "abcd": "abc...", "üüü": "üüü", "üüüü": "üüü..."} {
		if got := shorten(text, 3); got != want {
			t.Errorf("%q is shortened to %q, and not to %q", text, got, want)
		}
	}
}

// TestNull checks which nulls pass for inputs that are left out: those of the program, and with [OrNull] those of other
// resources.
func TestNull(t *testing.T) {
	t.Parallel()
	lost := property.New(property.Null).WithDependencies([]resource.URN{testURN})
	for name, tt := range map[string]struct {
		value property.Value
		rule  Rule
		ok    bool
	}{
		"left out":                   {property.Value{}, Boolean, true},
		"of another resource":        {lost, Boolean, false},
		"secret":                     {lost.WithSecret(true), Boolean, false},
		"harmless":                   {lost, OrNull(Boolean), true},
		"harmless, and another type": {property.New("x"), OrNull(Boolean), false},
		"of an object": {
			property.New(map[string]property.Value{"b": {}}).WithDependencies([]resource.URN{testURN}), Object(Rules{"b": Boolean}), false,
		},
		"in a list": {property.New([]property.Value{lost}), List(refuse), false},
	} {
		in := inputs(map[string]property.Value{"a": tt.value})
		in.Check(Rules{"a": tt.rule})
		if err := in.Err(); (err == nil) != tt.ok {
			t.Errorf("%s: %v", name, err)
		}
		in.Require("a", "give it")
		if name != "left out" && len(in.problems) > 1 {
			t.Errorf("%s: it is two problems: %v", name, in.Err())
		}
	}
}

// TestAtMost checks that no element of a list is looked at that is too long.
func TestAtMost(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{1: "1 [refused]", 2: "2 [refused refused]", 3: "1 [must have at most 2 elements, and has 3: no more fit into a box]"} {
		in := inputs(map[string]property.Value{"a": property.New(slices.Repeat([]property.Value{property.New("x")}, n))})
		in.Check(Rules{"a": AtMost(2, "a box", List(func(string) error { return errors.New("refused") }))})
		var rules []string
		for _, broken := range in.problems {
			rules = append(rules, broken.rule)
		}
		if got := fmt.Sprint(len(rules), rules); got != want {
			t.Errorf("%d elements give %s, and not %s", n, got, want)
		}
	}
}

// TestUnknown checks that an unknown value is no problem, and that its input is named.
func TestUnknown(t *testing.T) {
	t.Parallel()
	unknown := property.New(property.Computed)
	in := inputs(map[string]property.Value{
		"a": unknown, "b": property.New([]property.Value{unknown}), "d": property.New("x"), "e": property.New(property.Null),
	})
	in.Check(Rules{"a": Text(refuse), "b": List(refuse), "d": Text(func(string) error { return nil }), "e": Boolean})
	if err := in.Err(); err != nil {
		t.Error(err)
	}
	if in.Known("a") || in.Known("b") || !in.Known("c", "d", "e") || !in.Known() {
		t.Error("an unknown value is taken for known, or one that is not given for unknown")
	}
	if names := in.Unknown(); !slices.Equal(names, []string{"a", "b"}) {
		t.Errorf("the unknown inputs are %v", names)
	}
}

func TestOneOf(t *testing.T) {
	t.Parallel()
	for word, want := range map[string]string{
		"active": "", "actve": `did you mean "active"?`, "elsewhere": "must be one of active, deleted",
	} {
		in := inputs(map[string]property.Value{"a": property.New(word)})
		in.Check(Rules{"a": OneOf("active", "deleted")})
		if err := in.Err(); (err == nil) != (want == "") || (err != nil && !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// TestParts checks that parts of a secret or dependent value are so too.
func TestParts(t *testing.T) {
	t.Parallel()
	in := inputs(map[string]property.Value{
		"list": property.New([]property.Value{property.New("x")}).WithSecret(true).WithDependencies([]resource.URN{testURN}),
		"map":  property.New(map[string]property.Value{"k": property.New("x")}).WithSecret(true).WithDependencies([]resource.URN{testURN}),
	})
	for _, part := range []property.Value{in.All("list")[0], in.Map("map")["k"], in.Object("map").Get("k")} {
		if part.AsString() != "x" || !part.Secret() || !slices.Equal(part.Dependencies(), []resource.URN{testURN}) {
			t.Errorf("a part is %v", part)
		}
	}
	if in.All("none") != nil || in.Map("none") != nil || in.Object("none") != nil || in.Strings("none") != nil {
		t.Error("an input that is not given has parts")
	}
}

type noMocks struct{}

func (noMocks) Call(pulumi.MockCallArgs) (resource.PropertyMap, error) { return nil, nil }

// registered has the inputs of the resources that were registered.
type registered struct {
	noMocks
	requests chan *pulumi.MockResourceArgs
}

func (r registered) NewResource(args pulumi.MockResourceArgs) (string, resource.PropertyMap, error) {
	r.requests <- &args
	return args.Name, args.Inputs, nil
}

// TestPassedOn checks that values reach another resource as they were given: known, unknown, secret, depending on
// others.
func TestPassedOn(t *testing.T) {
	t.Parallel()
	text := property.New("x")
	for name, tt := range map[string]struct {
		value           property.Value
		unknown, secret bool
		dependencies    int
	}{
		"known":     {text, false, false, 0},
		"secret":    {text.WithSecret(true), false, true, 0},
		"dependent": {text.WithDependencies([]resource.URN{testURN}), false, false, 1},
		"unknown":   {property.New(property.Computed), true, false, 0},
		// The mocks take no secret that is unknown; the registrations of the components have some.
		"unknown, later":  {property.New(property.Computed).WithDependencies([]resource.URN{testURN}), true, false, 1},
		"dependent twice": {DependingOn(text.WithDependencies([]resource.URN{testURN}), []resource.URN{testURN}), false, false, 1},
	} {
		in := inputs(map[string]property.Value{
			"text": tt.value, "map": property.New(map[string]property.Value{"k": tt.value}),
		})
		mocks := registered{requests: make(chan *pulumi.MockResourceArgs, 1)}
		err := pulumi.RunErr(func(ctx *pulumi.Context) error {
			return ctx.RegisterResource("a:b:C", "name", pulumi.Map{
				"text": in.Text("text"), "none": in.Text("none"), "derived": in.Derived("x", !tt.unknown, "text"),
				"map": in.TextMap("map", maps.Clone[map[string]property.Value]),
			}, &pulumi.CustomResourceState{})
		}, pulumi.WithMocks("project", "stack", mocks), func(info *pulumi.RunInfo) { info.DryRun = true })
		if err != nil {
			t.Fatal(err)
		}
		got := <-mocks.requests
		for _, input := range []string{"text", "derived"} {
			v := got.Inputs[resource.PropertyKey(input)]
			urns := got.RegisterRPC.GetPropertyDependencies()[input].GetUrns()
			sent := got.RegisterRPC.GetObject().GetFields()[input].GetStringValue()
			if (sent == plugin.UnknownStringValue) != tt.unknown || v.ContainsSecrets() != tt.secret || len(urns) != tt.dependencies {
				t.Errorf("%s: %s is %v, and depends on %v", name, input, v, urns)
			}
		}
		if _, given := got.Inputs["none"]; given {
			t.Errorf("%s: an input that is not given is passed on", name)
		}
		if m := got.Inputs["map"].String(); strings.Contains(m, "x") == tt.unknown {
			t.Errorf("%s: the map is %v", name, m)
		}
	}
}

// TestDocuments checks that documents are replaced by their text, and what is unknown or secret in them stays so.
func TestDocuments(t *testing.T) {
	t.Parallel()
	document := func(resource property.Value) property.Value {
		return property.New(map[string]property.Value{
			"Version": property.New("2012-10-17"),
			"Statement": property.New([]property.Value{property.New(map[string]property.Value{
				"Resource": resource, "Effect": property.New("Allow"), "Action": property.New("s3:*"),
			})}),
		})
	}
	in := inputs(map[string]property.Value{"p": property.New(map[string]property.Value{
		"known": document(property.New("*")), "unknown": document(property.New(property.Computed)),
		"secret": document(property.New("*").WithSecret(true)), "text": property.New(`{"Version": "2012-10-17", "Statement": []}`),
	})})
	in.Check(Rules{"p": Documents})
	documents := in.Map("p")
	const text = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	if documents["known"].AsString() != text || !documents["unknown"].IsComputed() || !documents["secret"].Secret() {
		t.Errorf("the documents are %v", documents)
	}
	if err := in.Err(); err == nil || !strings.Contains(err.Error(), `p.text = "{`) || len(in.problems) != 1 {
		t.Errorf("the problems are %v", err)
	}
	if names := in.PolicyNames("p"); !slices.Equal(names, []string{"known", "secret", "text", "unknown"}) {
		t.Errorf("the policies are %v", names)
	}
}
