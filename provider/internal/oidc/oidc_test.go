package oidc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/internal/iamtest"
	"github.com/pulumi-cicd/pulumi-cicd/provider/internal/iam"
)

var testAccount = iam.Account{Number: "123456789012", Partition: "aws"}

// IDs that are no other's.
const (
	uuidA = "aaaaaaaa-0000-4000-8000-00000000000a"
	uuidB = "bbbbbbbb-0000-4000-8000-00000000000b"
	uuidC = "cccccccc-0000-4000-8000-00000000000c"
	sha1  = "0123456789abcdef0123456789abcdef01234567"
)

// fields are those of a job; more replaces or, with nil, removes some of them.
type fields map[string]any

func (f fields) with(more fields) fields {
	all := maps.Clone(f)
	maps.Copy(all, more)
	return all
}

// claims are those of a token.
type claims map[string]string

func (c claims) with(more claims) claims {
	all := maps.Clone(c)
	maps.Copy(all, more)
	return all
}

// keys are the condition keys that AWS makes of a token, by its issuer.
// Source: Service Authorization Reference, "AWS Security Token Service".
func (c claims) keys() map[string]string {
	issuer := strings.TrimPrefix(c["iss"], "https://")
	exposed := []string{"aud", "sub"}
	switch host, _, _ := strings.Cut(issuer, "/"); {
	case host == "token.actions.githubusercontent.com", strings.HasSuffix(host, ".ghe.com"):
		exposed = append(exposed, "actor", "environment", "job_workflow_ref", "ref", "repository", "repository_id",
			"repository_owner_id", "workflow")
	case host == "gitlab.com":
		exposed = append(exposed, "namespace_id", "pipeline_source", "project_id", "ref_protected", "user_login")
	case host == "agent.buildkite.com":
		exposed = append(exposed, "build_branch", "organization_id", "organization_slug", "pipeline_id", "pipeline_slug")
	}
	keys := map[string]string{}
	for _, claim := range exposed {
		if value, has := c[claim]; has {
			keys[issuer+":"+claim] = value
		}
	}
	return keys
}

// assumes reports whether a role with the trust policy lets a token in, and its session tags with it.
func (c claims) assumes(t testing.TB, policy string) bool {
	t.Helper()
	return iamtest.TrustAllows(t, policy, iamtest.Request{
		Action:    "sts:AssumeRoleWithWebIdentity",
		Federated: "arn:aws:iam::123456789012:oidc-provider/" + strings.TrimPrefix(c["iss"], "https://"),
		Keys:      c.keys(),
	})
}

// policyOf returns the trust policy of a role for jobs of one system. It holds it against what AWS refuses.
func policyOf(t testing.TB, key string, jobs ...fields) string {
	t.Helper()
	all := make([]*Job, len(jobs))
	for i, object := range jobs {
		j, problems := Read(map[string]any{key: map[string]any(object)})
		if len(problems) > 0 || !j.Known {
			t.Fatalf("%v gives %v", object, problems)
		}
		all[i] = j
	}
	identities, err := Identities(all, testAccount.Partition)
	if err != nil {
		t.Fatalf("%v give %v", jobs, err)
	}
	policy, err := iam.Trust{Account: testAccount, WebIdentities: identities}.Policy()
	if err != nil {
		t.Fatalf("%v give %v", jobs, err)
	}
	if missing := iamtest.RefusedByAWS(t, policy); len(missing) > 0 {
		t.Errorf("AWS refuses %s: it asks for %v", policy, missing)
	}
	for _, never := range []string{"ForAllValues", "ForAnyValue", "IfExists", ":iss"} {
		if strings.Contains(policy, never) {
			t.Errorf("%s has %s", policy, never)
		}
	}
	if !strings.Contains(policy, ":aud\":") || !strings.Contains(policy, ":sub\":") {
		t.Errorf("%s does not name both audience and subject", policy)
	}
	return policy
}

// decision is whether a token of a job is let in.
type decision struct {
	job   fields
	token claims
	want  bool
}

func decides(t *testing.T, key string, table map[string]decision) {
	t.Helper()
	if len(table) < 12 {
		t.Errorf("only %d tokens", len(table))
	}
	for name, tt := range table {
		policy := policyOf(t, key, tt.job)
		if got := tt.token.assumes(t, policy); got != tt.want {
			t.Errorf("%s: let in: %v, by\n%s", name, got, policy)
		}
	}
}

// refuses checks the problems of jobs, which it has in their order and one line each.
func refuses(t *testing.T, key string, table map[string]struct {
	job  fields
	want string
}) {
	t.Helper()
	for name, tt := range table {
		_, problems := Read(map[string]any{key: map[string]any(tt.job)})
		lines := make([]string, len(problems))
		for i, p := range problems {
			lines[i] = p.Error()
		}
		want := tt.want
		if got := strings.Join(lines, "\n"); len(problems) != 1+strings.Count(want, "\n") || !strings.Contains(got, want) {
			t.Errorf("%s gives\n%s\nand not\n%s", name, got, want)
		}
	}
}

type refusals = map[string]struct {
	job  fields
	want string
}

func TestRead(t *testing.T) {
	t.Parallel()
	job := map[string]any{"repository": "acme/shop", "branch": "main"}
	for name, tt := range map[string]struct {
		object map[string]any
		want   string
	}{
		"right":                      {map[string]any{"github": job}, ""},
		"another, not given":         {map[string]any{"github": job, "gitlab": nil}, ""},
		"nothing":                    {map[string]any{}, ": must have exactly one of the keys github, gitlab"},
		"only null":                  {map[string]any{"github": nil}, "and has none"},
		"two":                        {map[string]any{"gitlab": job, "github": job}, "and has github and gitlab"},
		"misspelt":                   {map[string]any{"gitHub2": job}, `gitHub2: is not the key of a CI system; use oidc for one without (did you mean "github"?)`},
		"no object":                  {map[string]any{"github": "acme/shop"}, "github: must be an object, and is a string"},
		"a list":                     {map[string]any{"github": []any{job}}, "github: must be an object, and is a list"},
		"required":                   {map[string]any{"github": map[string]any{"branch": "main"}}, "github.repository: is required"},
		"required, null":             {map[string]any{"github": map[string]any{"repository": nil, "branch": "main"}}, "github.repository: is required"},
		"another type":               {map[string]any{"github": map[string]any{"repository": true, "branch": "main"}}, "github.repository: must be a string, and is a boolean"},
		"null in a list":             {map[string]any{"oidc": map[string]any{"issuer": "https://x.example", "audience": "a", "subjects": []any{"a", nil}}}, "oidc.subjects[1]: must be a string, and is null"},
		"no list":                    {map[string]any{"oidc": map[string]any{"issuer": "https://x.example", "audience": "a", "subjects": "a"}}, "oidc.subjects: must be a list of strings, and is a string"},
		"an empty list":              {map[string]any{"oidc": map[string]any{"issuer": "https://x.example", "audience": "a", "subjects": []any{}}}, "oidc.subjects: must have at least one element"},
		"a flag as text":             {map[string]any{"github": map[string]any{"repository": "acme/shop", "pullRequests": "true"}}, "github.pullRequests: must be a boolean, and is a string"},
		"a field that is not":        {map[string]any{"github": map[string]any{"repository": "acme/shop", "brunch": "main", "tag": "v1"}}, `github.brunch: is not a field of GithubJob (did you mean "branch"?)`},
		"a variable":                 {map[string]any{"github": map[string]any{"repository": "acme/shop", "branch": "a${x}"}}, "github.branch: must not have ${, which begins a policy variable in IAM"},
		"beyond Latin-1":             {map[string]any{"github": map[string]any{"repository": "acme/shop", "branch": "ветка"}}, "github.branch: must have no characters above U+00FF"},
		"invalid UTF-8":              {map[string]any{"github": map[string]any{"repository": "acme/shop", "branch": "\xff"}}, "github.branch: must have no characters above U+00FF"},
		"a control character":        {map[string]any{"github": map[string]any{"repository": "acme/shop", "branch": "a\n"}}, "github.branch: must have no control characters"},
		"a space at the end":         {map[string]any{"github": map[string]any{"repository": "acme/shop", "environment": "prod "}}, `github.environment: must not begin or end with a space (did you mean "prod"?)`},
		"empty":                      {map[string]any{"github": map[string]any{"repository": "acme/shop", "branch": ""}}, "github.branch: must not be empty"},
		"Latin-1":                    {map[string]any{"github": map[string]any{"repository": "acme/shop", "branch": "Änderung$1"}}, ""},
		"an issuer of another":       {map[string]any{"gitlab": map[string]any{"project": "a/b", "branch": "main", "issuer": "https://token.actions.githubusercontent.com"}}, "gitlab.issuer: must be an issuer of this system, and this one is of another: use the key github"},
		"an issuer of another, once": {map[string]any{"github": map[string]any{"repository": "a/b", "branch": "main", "issuer": "https://gitlab.com"}}, "github.issuer: must be an issuer of this system"},
		"an issuer of two others":    {map[string]any{"gitlab": map[string]any{"project": "a/b", "branch": "main", "issuer": "https://api.pulumi.com/oidc"}}, "use the key pulumiDeployments or pulumiEsc"},
		"a bad issuer":               {map[string]any{"gitlab": map[string]any{"project": "a/b", "branch": "main", "issuer": "https://gitlab.com/"}}, `gitlab.issuer: must not end with a slash, which no token's issuer has (did you mean "https://gitlab.com"?)`},
		"a wildcard audience":        {map[string]any{"gitlab": map[string]any{"project": "a/b", "branch": "main", "audience": "*"}}, "gitlab.audience: must be literal, without the wildcards * and ?"},
	} {
		_, problems := Read(tt.object)
		got := fmt.Sprint(problems)
		if (len(problems) == 0) != (tt.want == "") || !strings.Contains(got, tt.want) || len(problems) > 1 {
			t.Errorf("%s gives %s", name, got)
		}
	}
}

// TestReadNumbers checks that a whole number, as YAML reads the digits of an ID, is taken for its digits.
func TestReadNumbers(t *testing.T) {
	t.Parallel()
	for n, want := range map[any]string{
		"123": "123", 123.0: "123", 9007199254740991.0: "9007199254740991",
		9007199254740992.0: "", 1.5: "", -1.0: "", 0.0: "", "0123": "", "acme": "", "1e3": "", "": "",
	} {
		j, problems := Read(map[string]any{"gitlab": map[string]any{"projectId": n, "branch": "main"}})
		if (len(problems) == 0) != (want != "") {
			t.Errorf("%v gives %v", n, problems)
		} else if identity, err := j.Identity("aws"); want != "" && (err != nil || identity.Subjects[0] != "project_id:"+want+":ref_type:branch:ref:main") {
			t.Errorf("%v gives %v, %v", n, identity, err)
		}
	}
}

// TestReadUnknown checks that what is known is checked, and that what is unknown counts as given.
func TestReadUnknown(t *testing.T) {
	t.Parallel()
	unknown := iam.Unknown{}
	for name, tt := range map[string]struct {
		job  any
		want string
	}{
		"the job":                 {unknown, ""},
		"a required field":        {map[string]any{"repository": unknown, "branch": "main", "ownerId": "1"}, ""},
		"one of several":          {map[string]any{"repository": "acme/shop", "branch": unknown}, ""},
		"a flag that may be it":   {map[string]any{"repository": "acme/shop", "pullRequests": unknown}, ""},
		"a flag that may be no":   {map[string]any{"repository": "acme/shop", "pullRequests": unknown, "branch": "main"}, ""},
		"one too many":            {map[string]any{"repository": "acme/shop", "branch": unknown, "tag": "v1"}, "github: must have exactly one"},
		"another one is wrong":    {map[string]any{"repository": "acme", "branch": unknown}, "github.repository: must be owner/name"},
		"an ID without the other": {map[string]any{"repository": "acme/shop", "branch": "main", "ownerId": unknown}, "github.repositoryId: is required together with ownerId"},
		"the issuer":              {map[string]any{"repository": "acme/shop", "branch": "main", "ownerId": "1", "issuer": unknown}, ""},
	} {
		j, problems := Read(map[string]any{"github": tt.job})
		got := fmt.Sprint(problems)
		if j.Known || (len(problems) == 0) != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s gives %v, %s", name, j.Known, got)
		}
	}
	j, problems := Read(map[string]any{"oidc": map[string]any{"issuer": "https://x.example", "audience": "a", "subjects": []any{"a", unknown}}})
	if len(problems) > 0 || j.Known {
		t.Errorf("an unknown element gives %v, %v", j.Known, problems)
	}
}

// TestReadLost checks that a null that is not left out is one problem, of its field, wherever it stands.
func TestReadLost(t *testing.T) {
	t.Parallel()
	lost := Lost{}
	withIDs := fields{"repository": "acme/shop", "branch": "main", "ownerId": "1", "repositoryId": "2"}
	for want, object := range map[string]map[string]any{
		"github: must be an object":                 {"github": lost},
		"github.repository: must be a string":       {"github": map[string]any(withIDs.with(fields{"repository": lost}))},
		"github.branch: must be a string":           {"github": map[string]any(withIDs.with(fields{"branch": lost}))},
		"github.tag: must be a string":              {"github": map[string]any(withIDs.with(fields{"tag": lost}))},
		"github.pullRequests: must be a boolean":    {"github": map[string]any(withIDs.with(fields{"pullRequests": lost}))},
		"github.ownerId: must be a string":          {"github": map[string]any(withIDs.with(fields{"ownerId": lost}))},
		"github.issuer: must be a string":           {"github": map[string]any(withIDs.with(fields{"issuer": lost}))},
		"hcpTerraform.runPhase: must be a string":   {"hcpTerraform": map[string]any{"organization": "a", "project": "b", "workspace": "c", "runPhase": lost}},
		"oidc.subjects: must be a list of strings":  {"oidc": map[string]any{"issuer": "https://x.example", "audience": "a", "subjects": lost}},
		"oidc.subjects[1]: must be a string":        {"oidc": map[string]any{"issuer": "https://x.example", "audience": "a", "subjects": []any{"a", lost}}},
		"gitLab: is not the key of a CI system":     {"gitLab": lost},
		"github.brnch: is not a field of GithubJob": {"github": map[string]any(withIDs.with(fields{"brnch": lost}))},
	} {
		j, problems := Read(object)
		if len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), want) || (j != nil && j.Known && !problems[0].Stray) {
			t.Errorf("%v gives %v, and not %s", object, problems, want)
		}
	}
}

// TestSystems checks what the schema is made of.
func TestSystems(t *testing.T) {
	t.Parallel()
	types := map[string]bool{}
	for _, e := range Enums() {
		if types[e.Type] || e.Doc == "" {
			t.Errorf("enum %s is there twice, or says nothing", e.Type)
		}
		types[e.Type] = true
		for _, v := range e.Values {
			if v.Name == "" || v.Value == "" || v.Doc == "" {
				t.Errorf("%s has %v", e.Type, v)
			}
		}
	}
	for _, s := range Systems {
		if s.Doc == "" || types[s.Type] {
			t.Errorf("%s is there twice, or says nothing", s.Type)
		}
		types[s.Type] = true
		names := map[string]bool{}
		for _, f := range s.Fields() {
			bound := 0
			for _, is := range []bool{f.text != nil, f.flag != nil, f.list != nil} {
				if is {
					bound++
				}
			}
			if names[f.Name] || bound != 1 || !strings.HasSuffix(f.Doc, ".") && !strings.HasSuffix(f.Doc, ")") {
				t.Errorf("%s.%s is there twice, is bound to %d values, or says %q", s.Key, f.Name, bound, f.Doc)
			}
			names[f.Name] = true
		}
		if !names["issuer"] || !names["audience"] {
			t.Errorf("%s has no issuer or no audience", s.Key)
		}
	}
	for _, want := range []string{
		"GithubJob", "GitlabJob", "CircleciJob", "BitbucketJob", "BuildkiteJob", "HcpTerraformJob", "PulumiDeploymentsJob",
		"PulumiEscJob", "SpaceliftJob", "AzureDevopsJob", "OidcJob", "TerraformRunPhase", "PulumiOperation",
		"SpaceliftRunType", "SpaceliftScope",
	} {
		if !types[want] {
			t.Errorf("there is no %s", want)
		}
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	read := func(key string, f fields) *Job {
		j, problems := Read(map[string]any{key: map[string]any(f)})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return j
	}
	withIDs := fields{"repository": "acme/shop", "branch": "main", "ownerId": "1", "repositoryId": "2"}
	steps := fields{"workspace": "acme", "workspaceId": uuidA, "repositoryId": uuidB}
	run := fields{"organization": "acme", "project": "p", "workspace": "w"}
	jobs := []*Job{
		read("github", withIDs),
		read("github", fields{"repository": "acme/shop", "branch": "main"}),
		read("github", withIDs.with(fields{"branch": nil, "pullRequests": true})),
		read("github", fields{"repository": "acme/other", "pullRequests": true}),
		nil,
		read("github", fields{"repository": iam.Unknown{}, "branch": "main"}),
		read("github", fields{"repository": "acme/shop", "branch": "main", "issuer": "https://git.acme.example/_services/token", "audience": "a"}),
		read("bitbucket", steps),
		read("bitbucket", steps.with(fields{"environmentId": uuidC})),
		read("hcpTerraform", run),
		read("hcpTerraform", run.with(fields{"runPhase": "plan"})),
		read("gitlab", fields{"project": "a/b", "branch": "main"}),
	}
	var got []string
	for _, w := range Warnings(jobs) {
		text, _, _ := strings.Cut(w.Text, ":")
		got = append(got, fmt.Sprint(w.Jobs, " ", text))
	}
	want := []string{
		"[1 3] trusts a repository by its name alone",
		"[2 3] trusts all pull requests of the repository, with code that nobody has reviewed",
		"[7] trusts every step of the repository, of every branch and pull request",
		"[9] trusts both phases of a run",
	}
	if !slices.Equal(got, want) {
		t.Errorf("warns of\n%s", strings.Join(got, "\n"))
	}
}

// TestJobsTogether checks that what jobs have in common is written once, whatever their order.
func TestJobsTogether(t *testing.T) {
	t.Parallel()
	job := func(repository, branch string) fields { return fields{"repository": repository, "branch": branch} }
	ids := fields{"ownerId": "1", "repositoryId": "2"}
	const head = `{"Version":"2012-10-17","Statement":[`
	statement := func(action, conditions string) string {
		return `{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},` +
			`"Action":` + action + `,"Condition":{` + strings.ReplaceAll(conditions, "~", "token.actions.githubusercontent.com:") + `}}`
	}
	const assume = `"sts:AssumeRoleWithWebIdentity"`
	for name, tt := range map[string]struct {
		jobs []fields
		want string
	}{
		"one": {
			[]fields{job("acme/shop", "main"), job("acme/shop", "main")},
			head + statement(assume, `"StringEquals":{"~aud":"sts.amazonaws.com","~sub":"repo:acme/shop:ref:refs/heads/main"}`) + `]}`,
		},
		"two, with what both ask for": {
			[]fields{job("acme/shop", "main"), job("acme/api", "main")},
			head + statement(assume, `"StringEquals":{"~aud":"sts.amazonaws.com","~sub":["repo:acme/api:ref:refs/heads/main",`+
				`"repo:acme/shop:ref:refs/heads/main"]}`) + `]}`,
		},
		"a pattern, with what it covers": {
			[]fields{job("acme/shop", "release/*"), job("acme/shop", "release/1"), job("acme/api", "main")},
			head + statement(assume, `"StringEquals":{"~aud":"sts.amazonaws.com"},"StringLike":{"~sub":[`+
				`"repo:acme/api:ref:refs/heads/main","repo:acme/shop:ref:refs/heads/release/*"]}`) + `]}`,
		},
		"IDs, which are of one repository": {
			[]fields{job("acme/shop", "main").with(ids), job("acme/shop", "next").with(ids), job("acme/api", "main")},
			head + statement(assume, `"StringEquals":{"~aud":"sts.amazonaws.com","~repository_id":"2","~repository_owner_id":"1","~sub":[`+
				`"repo:acme/shop:ref:refs/heads/main","repo:acme/shop:ref:refs/heads/next",`+
				`"repo:acme@1/shop@2:ref:refs/heads/main","repo:acme@1/shop@2:ref:refs/heads/next"]}`) + `,` +
				statement(assume, `"StringEquals":{"~aud":"sts.amazonaws.com","~sub":"repo:acme/api:ref:refs/heads/main"}`) + `]}`,
		},
		"another audience": {
			[]fields{job("acme/shop", "main"), job("acme/shop", "main").with(fields{"audience": "other"})},
			head + statement(assume, `"StringEquals":{"~aud":"other","~sub":"repo:acme/shop:ref:refs/heads/main"}`) + `,` +
				statement(assume, `"StringEquals":{"~aud":"sts.amazonaws.com","~sub":"repo:acme/shop:ref:refs/heads/main"}`) + `]}`,
		},
	} {
		for range 2 {
			if got := policyOf(t, "github", tt.jobs...); got != tt.want {
				t.Errorf("%s gives\n%s\nand not\n%s", name, got, tt.want)
			}
			slices.Reverse(tt.jobs)
		}
	}
}

// FuzzTenants checks that wildcards, where they are taken, let in no job of another tenant or project, whatever others
// may call what is theirs.
func FuzzTenants(f *testing.F) {
	// Parts of a subject alternate with what separates them. Whatever follows the last one is up to who runs the job.
	systems := []struct {
		key   string
		job   fields
		token claims
		parts []string
	}{
		{"github", fields{"repository": "acme/shop", "branch": "*"}, githubToken, []string{"repo:", "acme", "/", "shop", ":"}},
		{"github", fields{"repository": "acme/shop", "environment": "*-?", "ownerId": "1", "repositoryId": "2"}, githubToken, []string{"repo:", "acme", "/", "shop", ":"}},
		{"github", fields{"repository": "acme/shop", "environment": "*", "ownerId": "1", "repositoryId": "2"}, githubToken, []string{"repo:", "acme@1", "/", "shop@2", ":"}},
		{"github", fields{"repository": "acme/*", "environment": "*", "ownerId": "1"}, githubToken, []string{"repo:", "acme", "/"}},
		{"gitlab", fields{"project": "acme/shop", "tag": "*"}, gitlabToken, []string{"project_path:", "acme", "/", "shop", ":"}},
		{"gitlab", fields{"project": "acme/*", "branch": "*"}, gitlabToken, []string{"project_path:", "acme", "/"}},
		{"circleci", circleciFields, circleciToken, []string{"org/", uuidA, "/project/", uuidB, "/"}},
		{"circleci", circleciFields.with(fields{"vcsOrigin": "github.com/acme/shop", "branch": "*"}), circleciToken, []string{"org/", uuidA, "/project/", uuidB, "/user/" + uuidC + "/vcs-origin/github.com/acme/", "shop", "/"}},
		{"bitbucket", bitbucketFields.with(fields{"environmentId": nil}), bitbucketToken, []string{"{", uuidB, "}:"}},
		{"buildkite", buildkiteFields.with(fields{"branch": "release/*"}), buildkiteToken, []string{"organization:", "acme", ":pipeline:", "shop", ":"}},
		{"hcpTerraform", fields{"organization": "acme", "project": "web", "workspace": "shop"}, hcpTerraformToken, []string{"organization:", "acme", ":project:", "web", ":workspace:", "shop", ":"}},
		{"pulumiDeployments", fields{"organization": "acme", "project": "shop", "stack": "*"}, pulumiDeploymentsToken, []string{"pulumi:deploy:org:", "acme", ":project:", "shop", ":"}},
		{"pulumiEsc", fields{"organization": "acme", "environment": "infra/*"}, pulumiEscToken, []string{"pulumi:environments:org:", "acme", ":env:", "infra", "/"}},
		{"spacelift", fields{"host": "acme.app.spacelift.io", "space": "production", "stack": "*"}, spaceliftToken, []string{"space:", "production", ":"}},
		{"oidc", fields{"issuer": "https://oidc.codefresh.io", "audience": "a", "subjects": []any{"account:acme:*"}}, claims{"iss": "https://oidc.codefresh.io", "aud": "a"}, []string{"account:", "acme", ":"}},
	}
	policies := make([]string, len(systems))
	var own []string
	for i, s := range systems {
		own = append(own, s.parts...)
		policies[i] = policyOf(f, s.key, s.job)
		f.Add("acme-evil", ":acme/shop:ref:refs/heads/main")
		f.Add("evil", strings.TrimPrefix(s.token["sub"], s.parts[0]))
		f.Add("evil", s.token["sub"])
		f.Add("ACME", strings.Join(s.parts[2:], ""))
	}
	f.Fuzz(func(t *testing.T, other, rest string) {
		if len(other)+len(rest) > 200 {
			return
		}
		for i, s := range systems {
			for at := 1; at < len(s.parts); at += 2 {
				if slices.Contains(own, other) || strings.Contains(other, s.parts[at+1][:1]) {
					continue
				}
				parts := slices.Clone(s.parts)
				parts[at] = other
				for _, sub := range []string{strings.Join(parts, "") + rest, strings.Join(parts[:at+2], "") + rest} {
					if s.token.with(claims{"sub": sub}).assumes(t, policies[i]) {
						t.Errorf("%s lets %s in", policies[i], sub)
					}
				}
			}
		}
	})
}
