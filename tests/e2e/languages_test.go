package e2e

import (
	"encoding/json"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// eachLanguage runs a test for each language that the examples are in, side by side. C# is skipped where there is no
// dotnet.
func eachLanguage(t *testing.T, test func(t *testing.T, language string)) {
	t.Helper()
	for _, language := range append(slices.Clone(lab.Languages), "csharp") {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			if language == "csharp" {
				harness.NeedsDotnet(t)
			}
			test(t, language)
		})
	}
}

// TestExamples runs the example of each language as it stands: it makes exactly the seed's resources, changes
// nothing when run again, and leaves nothing behind. The states of all languages are the same.
func TestExamples(t *testing.T) {
	t.Parallel()
	states := newStates(t)
	eachLanguage(t, func(t *testing.T, language string) {
		l := harness.NewLab(t)
		s := harness.ProgramStack(t, l, language, "examples/robot-account-"+language)
		result, steps := s.MustUp()
		if len(steps) != 4 {
			t.Errorf("up takes the steps %v", steps)
		}
		a := harness.Account(t, l)
		harness.CheckSeed(t, a)
		for name, want := range map[string]string{
			"userName": "cicd-bot", "userArn": harness.SeedUser.ARN, "groupName": "PulumiStackUpdaters",
		} {
			if got := result.Outputs[name].Value; got != want {
				t.Errorf("the output %s is %v, not %s", name, got, want)
			}
		}
		policy, _ := result.Outputs["policy"].Value.(string)
		harness.SamePolicy(t, policy, harness.SeedPolicy)
		states.add(t, language, s)
		s.Unchanged()
		s.MustDestroy()
	})
}

// TestAccessKeyExamples runs the example with an access key of each language as it stands: the user has one key, which
// both stores and the outputs hold, and of which nothing is left in the end. The states of all languages are the same.
func TestAccessKeyExamples(t *testing.T) {
	t.Parallel()
	states := newStates(t)
	eachLanguage(t, func(t *testing.T, language string) {
		l := harness.NewLab(t)
		s := harness.ProgramStack(t, l, language, "examples/access-key-"+language)
		made := time.Now()
		result, steps := s.MustUp()
		if want := []string{
			"create AccessKey robot-1", "create Group robot", "create GroupMembership robot", "create GroupPolicy robot",
			"create Parameter robot-id", "create Parameter robot-secret", "create Secret robot",
			"create SecretVersion robot", "create User robot",
		}; !slices.Equal(texts(steps), want) {
			t.Errorf("up takes\n%s\nand not\n%s", lines(texts(steps)), lines(want))
		}
		outputs := harness.ReadKeyOutputs(t, result.Outputs)
		checkOneKey(t, harness.Account(t, l), outputs, made)
		hides(t, l, outputs.SecretAccessKey, map[string]string{"the output": result.StdOut + result.StdErr})
		harness.Same(t, "the outputs", slices.Sorted(maps.Keys(result.Outputs)), []string{
			"accessKeyId", "previousAccessKeyId", "rotateAfter", "rotatedAt", "secretAccessKey", "secretArn",
			"ssmParameterNames",
		})
		states.add(t, language, s)
		s.Unchanged()
		s.MustDestroy()
		if a := harness.Account(t, l); len(a.Secrets)+len(a.Parameters) != 0 {
			t.Errorf("after destroy the account holds %s", harness.Pretty(t, a))
		}
	})
}

// checkOneKey says that the account holds the robot of the example with one access key, made at the time, which is the
// one in the outputs and in both stores.
func checkOneKey(t *testing.T, a *lab.Contents, outputs harness.KeyOutputs, made time.Time) {
	t.Helper()
	if len(a.Users) != 1 || len(a.Groups) != 1 || len(a.Groups[0].Policies) != 1 || len(a.Secrets) != 1 {
		t.Fatalf("the account holds %s", harness.Pretty(t, a))
	}
	id, secret := outputs.AccessKeyID, outputs.SecretAccessKey
	if id == "" || secret == "" || outputs.PreviousAccessKeyID != "" {
		t.Errorf("the outputs are %+v", outputs)
	}
	harness.Same(t, "the access keys of "+a.Users[0].Name, a.Users[0].Keys, []lab.AccessKey{{ID: id, Status: "Active"}})
	for _, policy := range a.Groups[0].Policies {
		harness.SamePolicy(t, policy, harness.AssumePolicy("arn:aws:iam::123456789012:role/cicd/*"))
	}
	const day = 24 * time.Hour
	due, err := time.Parse(time.RFC3339, outputs.RotateAfter)
	if age := due.Sub(made) - 60*day; err != nil || age < -time.Minute || age > 10*time.Minute {
		t.Errorf("the key of %s is to be rotated at %s", made, outputs.RotateAfter)
	}

	var pair map[string]string
	harness.Check(t, json.Unmarshal([]byte(a.Secrets[0].Value), &pair))
	harness.Same(t, "the secret", pair, map[string]string{"AWS_ACCESS_KEY_ID": id, "AWS_SECRET_ACCESS_KEY": secret})
	if got := a.Secrets[0]; got.Name != "cicd/cicd-bot" || got.ARN != outputs.SecretArn {
		t.Errorf("the secret %s has the ARN %s, and the output says %s", got.Name, got.ARN, outputs.SecretArn)
	}
	harness.Same(t, "the names of the parameters", outputs.SsmParameterNames,
		[]string{"/cicd/cicd-bot/AWS_ACCESS_KEY_ID", "/cicd/cicd-bot/AWS_SECRET_ACCESS_KEY"})
	parameters := map[string]string{}
	for _, p := range a.Parameters {
		parameters[p.Type+" "+p.Name] = p.Value
	}
	harness.Same(t, "the parameters", parameters, map[string]string{
		"SecureString /cicd/cicd-bot/AWS_ACCESS_KEY_ID":     id,
		"SecureString /cicd/cicd-bot/AWS_SECRET_ACCESS_KEY": secret,
	})
}

// TestInputs changes every input of a robot account in each language: what can be changed in place is, and the
// rest shows as a replacement before it happens. In the end the states of all languages are the same.
func TestInputs(t *testing.T) {
	t.Parallel()
	states := newStates(t)
	for _, language := range lab.Languages {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			s := inputsStack(t, l, language)
			inputs := map[string]any{
				"userName": "bot", "groupName": "updaters", "policyName": "assume",
			}
			s.set(inputs)
			s.MustUp()

			for _, change := range []struct {
				what   string
				inputs map[string]any
				steps  []string
			}{
				{
					"everything but the names of group and policy", map[string]any{
						"userName": "robot", "path": "/cicd/", "forceDestroy": true,
						"permissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
						"tags":                map[string]string{"owner": "platform", "purpose": "mine"},
						"assumableRoles":      []string{"deploy", "cicd/*", "arn:aws:iam::210987654321:role/x"},
						"sourceIps":           []string{"203.0.113.0/24", "2001:db8::/32"},
					}, []string{
						"replace User robot [forceDestroy name path permissionsBoundary tags]",
						"update Group robot [path]",
						"update GroupMembership robot [users]",
						"update GroupPolicy robot [policy]",
					},
				},
				{
					"the order and repetition of roles and sources", map[string]any{
						"assumableRoles": []string{"cicd/*", "arn:aws:iam::210987654321:role/x", "deploy", "cicd/x"},
						"sourceIps":      []string{"2001:db8::/32", "203.0.113.0/24", "203.0.113.0/25"},
					}, nil,
				},
				{
					"the policy's name", map[string]any{"policyName": "updaters"},
					[]string{"replace GroupPolicy robot [name]"},
				},
				{
					"the group's name", map[string]any{"groupName": "deployers"},
					[]string{
						"replace Group robot [name]",
						"replace GroupMembership robot [group]",
						"replace GroupPolicy robot [group]",
					},
				},
				{
					"back to the defaults", map[string]any{
						"path": nil, "forceDestroy": nil, "permissionsBoundary": nil, "tags": nil,
						"assumableRoles": nil, "sourceIps": nil,
					}, []string{
						"update Group robot [path]",
						"update GroupPolicy robot [policy]",
						"update User robot [forceDestroy path permissionsBoundary tags]",
					},
				},
			} {
				for name, value := range change.inputs {
					if value == nil {
						delete(inputs, name)
					} else {
						inputs[name] = value
					}
				}
				s.set(inputs)
				if got := texts(s.MustPreview()); !slices.Equal(got, change.steps) {
					t.Errorf("%s: a preview shows\n%s\nand not\n%s", change.what, lines(got), lines(change.steps))
				}
				_, steps := s.MustUp()
				if got := texts(steps); !slices.Equal(got, change.steps) {
					t.Errorf("%s: up takes\n%s\nand not\n%s", change.what, lines(got), lines(change.steps))
				}
				if strings.HasPrefix(change.what, "everything") {
					checkAllInputs(t, harness.Account(t, l))
					states.add(t, language, s.Stack)
					s.Unchanged()
				}
			}
			harness.SameAccount(t, harness.Account(t, l), lab.User{
				Name: "robot", Path: "/", ARN: "arn:aws:iam::123456789012:user/robot",
				Tags: harness.SeedUser.Tags, Groups: []string{"deployers"},
			}, lab.Group{
				Name: "deployers", Path: "/", ARN: "arn:aws:iam::123456789012:group/deployers",
				Policies: map[string]string{"updaters": harness.SeedPolicy},
			})
			s.MustDestroy()
		})
	}
}

func checkAllInputs(t *testing.T, a *lab.Contents) {
	t.Helper()
	harness.SameAccount(t, a, lab.User{
		Name: "robot", Path: "/cicd/", ARN: "arn:aws:iam::123456789012:user/cicd/robot",
		Boundary: "arn:aws:iam::123456789012:policy/boundary",
		Tags:     map[string]string{"owner": "platform", "purpose": "mine"}, Groups: []string{"updaters"},
	}, lab.Group{
		Name: "updaters", Path: "/cicd/", ARN: "arn:aws:iam::123456789012:group/cicd/updaters",
		Policies: map[string]string{"assume": `{"Version": "2012-10-17", "Statement": {
			"Effect": "Allow", "Action": "sts:AssumeRole",
			"Resource": ["arn:aws:iam::123456789012:role/cicd/*", "arn:aws:iam::123456789012:role/deploy",
				"arn:aws:iam::210987654321:role/x"],
			"Condition": {"IpAddress": {"aws:SourceIp": ["2001:db8::/32", "203.0.113.0/24"]}}}}`},
	})
}

// inputs is a stack of a program whose robot account has the inputs that are set.
type inputs struct {
	*harness.Stack
	set func(map[string]any)
}

func inputsStack(t *testing.T, l *lab.Lab, language string) inputs {
	t.Helper()
	if language != "yaml" {
		s := harness.ProgramStack(t, l, language, "tests/programs/inputs-"+language)
		if language == "go" {
			harness.Check(t, lab.Compile(t.Context(), s.Workspace().WorkDir()))
		}
		return inputs{s, func(values map[string]any) {
			text, err := json.Marshal(values)
			harness.Check(t, err)
			harness.Check(t, s.SetConfig(t.Context(), "inputs", auto.ConfigValue{Value: string(text)}))
		}}
	}
	// In YAML the inputs are part of the program.
	s := harness.ProgramStack(t, l, language, "examples/robot-account-yaml")
	path := filepath.Join(s.Workspace().WorkDir(), "Pulumi.yaml")
	example, err := os.ReadFile(path)
	harness.Check(t, err)
	return inputs{s, func(values map[string]any) {
		text, err := json.Marshal(values)
		harness.Check(t, err)
		head, rest, _ := strings.Cut(string(example), "    properties:\n")
		_, tail, _ := strings.Cut(rest, "\noutputs:\n")
		program := head + "    properties: " + string(text) + "\n\noutputs:\n" + tail
		harness.Check(t, os.WriteFile(path, []byte(program), 0o600))
	}}
}

// states gathers the states of a program in several languages, and says at the end that they are the same.
type states struct {
	mu sync.Mutex
	of map[string]any
}

func newStates(t *testing.T) *states {
	t.Helper()
	s := &states{of: map[string]any{}}
	t.Cleanup(func() {
		if t.Failed() {
			return
		}
		languages := slices.Sorted(maps.Keys(s.of))
		for _, language := range languages {
			harness.Same(t, "the state of "+language+", and that of "+languages[0], s.of[language], s.of[languages[0]])
		}
		// With a part of the languages asked for, there is less to compare.
		if all := !strings.Contains(flag.Lookup("test.run").Value.String(), "/"); all && len(languages) < len(lab.Languages) {
			t.Errorf("there are states of %v", languages)
		}
	})
	return s
}

func (s *states) add(t *testing.T, language string, st *harness.Stack) {
	t.Helper()
	type entry struct {
		Type                    string
		Inputs                  any
		Parent, Provider        string
		Dependencies            any
		PropertyDependencies    any
		Protect, RetainOnDelete bool
		Aliases                 any
	}
	all := map[string]entry{}
	resources := st.Resources()
	for urn, r := range resources {
		if strings.Contains(urn, "pulumi:providers:") || strings.Contains(urn, "pulumi:pulumi:Stack::") {
			continue
		}
		provider, _, _ := strings.Cut(r.Provider, "::default")
		all[urn] = entry{
			Type: string(r.Type), Inputs: withoutRandom(r.Inputs), Parent: string(r.Parent), Provider: provider,
			Dependencies: shared(resources, r.Dependencies), PropertyDependencies: propertyDependencies(resources, r),
			Protect: r.Protect, RetainOnDelete: r.RetainOnDelete, Aliases: r.Aliases,
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.of[language] = all
}

// shared returns dependencies as they are in all languages: in order, because that in which an SDK names them is
// left to chance, and without the child that the output of a component comes from, which Node.js and Python name beside
// the component, and Go and YAML do not.
func shared(resources map[string]apitype.ResourceV3, urns []resource.URN) []resource.URN {
	return slices.DeleteFunc(slices.Sorted(slices.Values(urns)), func(urn resource.URN) bool {
		return slices.Contains(urns, resources[string(urn)].Parent)
	})
}

func propertyDependencies(
	resources map[string]apitype.ResourceV3, r apitype.ResourceV3,
) map[resource.PropertyKey][]resource.URN {
	all := map[resource.PropertyKey][]resource.URN{}
	for property, urns := range r.PropertyDependencies {
		all[property] = shared(resources, urns)
	}
	return all
}

// madeUp matches what no two states have in common: the end of a name that Pulumi made up, of the ARN of a secret, and
// a time.
var madeUp = regexp.MustCompile(`^(robot-)[0-9a-f]{7}$|^(arn:aws:secretsmanager:.*-)[A-Za-z0-9]{6}$|^[0-9-]{10}T[0-9:]{8}Z$`)

// withoutRandom returns an input of a resource without what is made up, and without what is encrypted.
func withoutRandom(input any) any {
	switch v := input.(type) {
	case string:
		return madeUp.ReplaceAllString(v, "$1$2*")
	case map[string]any:
		if _, isSecret := v[resource.SigKey]; isSecret {
			return "[secret]"
		}
		all := map[string]any{}
		for name, element := range v {
			all[name] = withoutRandom(element)
		}
		if _, has := all["userId"]; has {
			all["userId"] = "*"
		}
		return all
	case []any:
		all := slices.Clone(v)
		for i := range all {
			all[i] = withoutRandom(all[i])
		}
		return all
	default:
		return input
	}
}

func texts(steps []harness.Step) (all []string) {
	for _, s := range steps {
		all = append(all, s.String())
	}
	return all
}

func lines(all []string) string { return "\t" + strings.Join(all, "\n\t") }
