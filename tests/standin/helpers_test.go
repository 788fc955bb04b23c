package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
	"github.com/pulumi/pulumi/sdk/v3/go/property"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

func TestMain(m *testing.M) {
	end := lab.KeepServers()
	code := m.Run()
	end()
	os.Exit(code)
}

// moto starts an empty account, and returns its URL.
func moto(t *testing.T) string {
	t.Helper()
	l, err := lab.New(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l.Endpoint()
}

// cleanEnvironment keeps the machine's own AWS settings out of a test.
func cleanEnvironment(t *testing.T) {
	t.Helper()
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_") {
			t.Setenv(name, "")
			_ = os.Unsetenv(name)
		}
	}
	t.Setenv("AWS_CONFIG_FILE", os.DevNull)
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", os.DevNull)
}

const secretKey = "wJalrXUtnFEMI/K7MDENG/secretSecret"

// configFor is a working configuration for an endpoint, with what more the test wants in it.
func configFor(endpoint string, more map[string]property.Value) property.Map {
	m := map[string]property.Value{
		"region":    property.New("us-east-1"),
		"accessKey": property.New("AKIAIOSFODNN7EXAMPLE"),
		"secretKey": property.New(secretKey).WithSecret(true),
		"endpoints": property.New([]property.Value{stringMap(map[string]string{
			"iam": endpoint, "secretsmanager": endpoint, "ssm": endpoint, "sts": endpoint,
		})}),
	}
	for k, v := range more {
		if v.IsNull() {
			delete(m, k)
		} else {
			m[k] = v
		}
	}
	return property.NewMap(m)
}

// harness drives one provider as the engine does.
type harness struct {
	*testing.T
	p.Provider
	// endpoint is that of a live one.
	endpoint string
}

func newHarness(t *testing.T) harness { return harness{T: t, Provider: newProvider()} }

// live is a harness with a configured provider.
func live(t *testing.T, endpoint string, more map[string]property.Value) harness {
	t.Helper()
	cleanEnvironment(t)
	h := newHarness(t)
	h.endpoint = endpoint
	if err := h.Configure(t.Context(), p.ConfigureRequest{Args: configFor(endpoint, more)}); err != nil {
		t.Fatal(err)
	}
	return h
}

func urnOf(token string) urn.URN {
	return urn.URN("urn:pulumi:dev::test::" + token + "::logical")
}

func (h harness) check(token string, old property.Map, in values) property.Map {
	h.Helper()
	response, err := h.Check(h.Context(), p.CheckRequest{Urn: urnOf(token), State: old, Inputs: property.NewMap(in)})
	if err != nil || len(response.Failures) > 0 {
		h.Fatalf("check of %s: %v %v", token, err, response.Failures)
	}
	return response.Inputs
}

// made is a resource that exists.
type made struct {
	token, id  string
	in, output property.Map
}

func (h harness) create(token string, in values) made {
	h.Helper()
	checked := h.check(token, property.Map{}, in)
	response, err := h.Create(h.Context(), p.CreateRequest{Urn: urnOf(token), Properties: checked})
	if err != nil {
		h.Fatal(err)
	}
	return made{token, response.ID, checked, response.Properties}
}

// update brings new inputs in, and fails where the engine would replace the resource or do nothing.
func (h harness) update(m made, in values) made {
	h.Helper()
	checked := h.check(m.token, m.in, in)
	diff := h.diff(m, checked)
	if !diff.HasChanges || len(replaced(diff)) > 0 {
		h.Fatalf("not an update: %+v", diff)
	}
	response, err := h.Update(h.Context(), p.UpdateRequest{
		ID: m.id, Urn: urnOf(m.token), State: m.output, OldInputs: m.in, Inputs: checked,
	})
	if err != nil {
		h.Fatal(err)
	}
	after := made{m.token, m.id, checked, response.Properties}
	if again := h.diff(after, checked); again.HasChanges {
		h.Fatalf("there is a difference after the update: %+v", again)
	}
	return after
}

func (h harness) diff(m made, checked property.Map) p.DiffResponse {
	h.Helper()
	diff, err := h.Diff(h.Context(), p.DiffRequest{
		ID: m.id, Urn: urnOf(m.token), State: m.output, OldInputs: m.in, Inputs: checked,
	})
	if err != nil {
		h.Fatal(err)
	}
	return diff
}

// refresh reads, and fails on drift unless it is wanted.
func (h harness) refresh(m made, drift bool) p.ReadResponse {
	h.Helper()
	response, err := h.Read(h.Context(), p.ReadRequest{ID: m.id, Urn: urnOf(m.token), Properties: m.output, Inputs: m.in})
	if err != nil {
		h.Fatal(err)
	}
	same := property.New(response.Properties).Equals(property.New(m.output))
	if same == drift {
		h.Fatalf("drift is %v:\n%v\n%v", !same, m.output, response.Properties)
	}
	return response
}

func (h harness) importID(token, id string) p.ReadResponse {
	h.Helper()
	response, err := h.Read(h.Context(), p.ReadRequest{ID: id, Urn: urnOf(token)})
	if err != nil {
		h.Fatal(err)
	}
	return response
}

// remove deletes the resource, twice, since a delete of nothing succeeds, and checks that it reads as gone.
func (h harness) remove(m made) {
	h.Helper()
	for range 2 {
		if err := h.Delete(h.Context(), p.DeleteRequest{ID: m.id, Urn: urnOf(m.token), Properties: m.output}); err != nil {
			h.Fatal(err)
		}
	}
	if m.token == groupMembership.token {
		return
	}
	if gone := h.refresh(m, true); gone.ID != "" {
		h.Fatalf("%s is still there", gone.ID)
	}
}

func (h harness) clients() *awsClients {
	h.Helper()
	s, _ := parseConfig(configFor(h.endpoint, nil))
	c, err := connect(h.Context(), s)
	if err != nil {
		h.Fatal(err)
	}
	return c
}

// expect compares properties by name; a null means that the property is absent.
func expect(t *testing.T, got property.Map, want values) {
	t.Helper()
	for name, w := range want {
		if g, ok := got.GetOk(name); !g.Equals(w) || ok == w.IsNull() {
			t.Errorf("%s is %v, want %v", name, g, w)
		}
	}
}

func replaced(diff p.DiffResponse) []string {
	var out []string
	for name, d := range diff.DetailedDiff {
		if strings.HasSuffix(string(d.Kind), "&replace") {
			out = append(out, name)
		}
	}
	slices.Sort(out)
	return out
}

// diffCase is one row of a replace-or-update table: the state, and new inputs as Check leaves them.
type diffCase struct {
	name         string
	state, in    values
	update       []string
	replace      []string
	deleteBefore bool
}

func runDiffs(t *testing.T, token string, cases []diffCase) {
	h := newHarness(t)
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			h.T = t
			diff := h.diff(made{token: token, id: "id", output: property.NewMap(c.state)}, property.NewMap(c.in))
			var updated []string
			for name := range diff.DetailedDiff {
				if !slices.Contains(replaced(diff), name) {
					updated = append(updated, name)
				}
			}
			slices.Sort(updated)
			if !slices.Equal(updated, c.update) || !slices.Equal(replaced(diff), c.replace) ||
				diff.DeleteBeforeReplace != c.deleteBefore || diff.HasChanges != (len(c.update)+len(c.replace) > 0) {
				t.Errorf("got %+v, want update %v, replace %v, delete first %v", diff, c.update, c.replace, c.deleteBefore)
			}
		})
	}
}

// with is base with some values replaced; a null removes one.
func with(base, more values) values {
	out := values{}
	for k, v := range base {
		out[k] = v
	}
	for k, v := range more {
		if v.IsNull() {
			delete(out, k)
		} else {
			out[k] = v
		}
	}
	return out
}

func s(v string) property.Value       { return property.New(v) }
func list(v ...string) property.Value { return stringArray(v) }
func tags(kv ...string) property.Value {
	m := map[string]string{}
	for i := 0; i < len(kv); i += 2 {
		m[kv[i]] = kv[i+1]
	}
	return stringMap(m)
}

// fakeAWS answers like IAM and STS from a table by action, and keeps what it was asked.
type fakeAWS struct {
	*httptest.Server
	mu      sync.Mutex
	results map[string]string // the inner XML of the result, by action
	asked   []map[string]string
	answer  func(request map[string]string) string // where it is not "", the result instead of that in the table
}

func newFakeAWS(t *testing.T, results map[string]string) *fakeAWS {
	f := &fakeAWS{results: map[string]string{
		"GetCallerIdentity": "<Arn>arn:aws:iam::123456789012:user/me</Arn><UserId>AIDA</UserId><Account>123456789012</Account>",
	}}
	for k, v := range results {
		f.results[k] = v
	}
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		request := map[string]string{}
		for k := range r.PostForm {
			request[k] = r.PostForm.Get(k)
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asked = append(f.asked, request)
		action := request["Action"]
		result, ok := f.results[action]
		if f.answer != nil {
			if answer := f.answer(request); answer != "" {
				result, ok = answer, true
			}
		}
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprintf(w, "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>%s</Message></Error></ErrorResponse>", action)
			return
		}
		_, _ = fmt.Fprintf(w, "<%[1]sResponse><%[1]sResult>%[2]s</%[1]sResult></%[1]sResponse>", action, result)
	}))
	t.Cleanup(f.Close)
	return f
}

// actions are the names of the calls so far, and are forgotten by this.
func (f *fakeAWS) actions() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, r := range f.asked {
		out = append(out, r["Action"])
	}
	f.asked = nil
	return out
}

func (f *fakeAWS) last(action string) map[string]string {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, r := range slices.Backward(f.asked) {
		if r["Action"] == action {
			return r
		}
	}
	return nil
}
