package e2e

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	sdkaws "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

const (
	githubIssuer = "https://token.actions.githubusercontent.com"
	githubHost   = "token.actions.githubusercontent.com"
	gitlabIssuer = "https://gitlab.com"

	notAuthorized = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"
)

// claims are the claims of a token.
type claims map[string]any

// with returns the claims with others in their place.
func (c claims) with(more claims) claims {
	all := maps.Clone(c)
	maps.Copy(all, more)
	return all
}

// These are jobs that the examples trust, with what their tokens have.
var (
	productionJob = claims{
		"sub": "repo:acme@4021/shop@170033:environment:production", "aud": "sts.amazonaws.com", "repository": "acme/shop",
		"repository_id": "170033", "repository_owner_id": "4021", "environment": "production",
	}
	websiteJob = claims{
		"sub": "project_path:acme/website:ref_type:tag:ref:v1.2", "aud": gitlabIssuer, "project_id": "51001",
		"ref_protected": "true",
	}
)

// published returns the issuer of a URL, whose keys STS finds.
func published(t *testing.T, l *lab.Lab, url string) *lab.Issuer {
	t.Helper()
	issuer, err := lab.IssuerOf(url)
	harness.Check(t, err)
	l.PublishKeys(issuer)
	return issuer
}

// signIn assumes a role under /cicd/ with a token.
func signIn(t *testing.T, l *lab.Lab, role string, issuer *lab.Issuer, c claims) error {
	t.Helper()
	token, err := issuer.Token(c)
	harness.Check(t, err)
	_, err = sts.NewFromConfig(l.Config()).AssumeRoleWithWebIdentity(t.Context(), &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: sdkaws.String(assumed + "cicd/" + role), RoleSessionName: sdkaws.String("job"), WebIdentityToken: &token,
	})
	return err
}

// stackOf makes a stack of a program in YAML, and returns its folder.
func stackOf(t *testing.T, l *lab.Lab, name string, resources map[string]lab.Resource) (dir string) {
	t.Helper()
	dir, err := l.WriteProgram(name, resources)
	harness.Check(t, err)
	if out, err := l.Command(t.Context(), dir, "stack", "init", "--secrets-provider", lab.SecretsProvider).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return dir
}

// up runs an update of the stack in a folder with the account's own credentials, and returns what it says.
func up(t *testing.T, l *lab.Lab, dir string) (string, error) {
	t.Helper()
	out, err := l.Command(t.Context(), dir, "up", "--yes", "--skip-preview").CombinedOutput()
	return string(out), err
}

// A job is a CI job that deploys a program of its own, with nothing but a role's ARN and the file with its token.
type job struct {
	l    *lab.Lab
	role string
	dir  string
}

// newJob makes the stack of a job that deploys resources under a role.
func newJob(t *testing.T, l *lab.Lab, role string, resources map[string]lab.Resource) job {
	t.Helper()
	return job{l, assumed + "cicd/" + role, stackOf(t, l, "job", resources)}
}

// deploy runs an update with a token of the issuer.
func (j job) deploy(t *testing.T, issuer *lab.Issuer, c claims) (string, error) {
	t.Helper()
	token, err := issuer.Token(c)
	harness.Check(t, err)
	env, err := j.l.JobEnv(j.role, token)
	harness.Check(t, err)
	out, err := lab.CommandIn(t.Context(), env, j.dir, "up", "--yes", "--skip-preview").CombinedOutput()
	return string(out), err
}

// TestKeylessExamples runs the example of each language as it stands. Then the account enforces its policies, the jobs
// that the roles trust sign in, and others do not. One deploys with its token alone, and may do what its role allows. The
// states of all languages are the same.
func TestKeylessExamples(t *testing.T) {
	t.Parallel()
	states := newStates(t)
	eachLanguage(t, func(t *testing.T, language string) {
		l := harness.NewLab(t, lab.ManagedPolicies)
		s := harness.ProgramStack(t, l, language, "examples/keyless-"+language)
		result, steps := s.MustUp()
		if want := []string{
			"create Group robot", "create GroupMembership robot", "create GroupPolicy robot",
			"create OpenIdConnectProvider github", "create OpenIdConnectProvider gitlab",
			"create Role production:production", "create Role staging:staging", "create Role website:website",
			"create RolePolicyAttachment production:aws:PowerUserAccess", "create RolePolicyAttachment staging:aws:PowerUserAccess",
			"create RolePolicyAttachment website:aws:AmazonS3FullAccess", "create User robot",
		}; !slices.Equal(texts(steps), want) {
			t.Errorf("up takes\n%s\nand not\n%s", lines(texts(steps)), lines(want))
		}
		if strings.Contains(result.StdOut+result.StdErr, "warning: ") {
			t.Errorf("the example warns:\n%s%s", result.StdOut, result.StdErr)
		}
		for name, want := range map[string]string{
			"userArn": harness.SeedUser.ARN, "stagingRoleArn": assumed + "cicd/staging",
			"productionRoleArn": assumed + "cicd/production", "websiteRoleArn": assumed + "cicd/website",
		} {
			if got := result.Outputs[name].Value; got != want {
				t.Errorf("the output %s is %v, not %s", name, got, want)
			}
		}
		trust, _ := result.Outputs["productionTrustPolicy"].Value.(string)
		harness.SamePolicy(t, trust, guideJSON(t, "keyless.md", 0))
		states.add(t, language, s)
		s.Unchanged()

		github, gitlab := published(t, l, githubIssuer), published(t, l, gitlabIssuer)
		harness.Check(t, l.Enforce(t.Context(), true))
		for name, test := range map[string]struct {
			role    string
			issuer  *lab.Issuer
			claims  claims
			trusted bool
		}{
			"production": {"production", github, productionJob, true},
			"production, by its classic subject": {
				"production", github, productionJob.with(claims{"sub": "repo:acme/shop:environment:production"}), true,
			},
			"production, of a repository that took the name": {
				"production", github, productionJob.with(claims{
					"sub": "repo:acme/shop:environment:production", "repository_id": "170034",
				}), false,
			},
			"production, as staging": {"staging", github, productionJob, false},
			"staging": {
				"staging", github, productionJob.with(claims{"sub": "repo:acme@4021/shop@170033:environment:staging"}), true,
			},
			"website":                         {"website", gitlab, websiteJob, true},
			"website, for an unprotected tag": {"website", gitlab, websiteJob.with(claims{"ref_protected": "false"}), false},
			"website, for a branch": {
				"website", gitlab, websiteJob.with(claims{"sub": "project_path:acme/website:ref_type:branch:ref:v1.2"}), false,
			},
		} {
			err := signIn(t, l, test.role, test.issuer, test.claims)
			if (err == nil) != test.trusted || err != nil && !strings.Contains(err.Error(), notAuthorized) {
				t.Errorf("the job %s: %v", name, err)
			}
		}
		release := lab.Resource{Type: "aws:ssm:Parameter", Properties: map[string]any{
			"name": "/shop/release", "type": "String", "value": "1.2",
		}}
		job := newJob(t, l, "production", map[string]lab.Resource{"release": release})
		if out, err := job.deploy(t, github, productionJob); err != nil {
			t.Fatalf("the job for production: %v\n%s", err, out)
		}
		harness.Check(t, l.Enforce(t.Context(), false))
		if released := harness.Account(t, l).Parameters; len(released) != 1 || released[0].Value != "1.2" {
			t.Errorf("the job has deployed %s", harness.Pretty(t, released))
		}
		s.MustDestroy()
		if a := harness.Account(t, l); len(a.Roles)+len(a.Providers) != 0 {
			t.Errorf("after destroy the account holds %s", harness.Pretty(t, a))
		}
	})
}

// TestQuickStart checks that the program of README's quick start runs, in the project of the example that it is written in.
func TestQuickStart(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t, lab.ManagedPolicies)
	dir, err := l.Program(t.Context(), "typescript", "examples/keyless-typescript")
	harness.Check(t, err)
	var programs []string
	for _, block := range harness.CodeBlocks(harness.Read(t, harness.Repo(t), "README.md")) {
		if block.Language == "typescript" {
			programs = append(programs, block.Text)
		}
	}
	if len(programs) != 1 {
		t.Fatalf("README has the programs %q", programs)
	}
	const head = "import * as cicd from \"@pulumi-cicd/cicd\";\n"
	harness.Check(t, os.WriteFile(filepath.Join(dir, "index.ts"), []byte(head+programs[0]), 0o600))
	s := harness.LocalStack(t, l, dir)
	result, _ := s.MustUp()
	roles := harness.Account(t, l).Roles
	if len(roles) != 1 || roles[0].ARN != result.Outputs["roleArn"].Value {
		t.Errorf("the output is %v, and the account has the roles %s", result.Outputs["roleArn"], harness.Pretty(t, roles))
	}
	s.MustDestroy()
}

// TestKeyless checks that a job signs in and deploys with its token alone, under the role that trusts it, and that each
// other token is refused with what AWS says.
func TestKeyless(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	issuer, other := published(t, l, githubIssuer), published(t, l, gitlabIssuer)
	forger, err := lab.ForgerOf(githubIssuer)
	harness.Check(t, err)
	trust := stackOf(t, l, "trust", map[string]lab.Resource{
		"github": {Type: "cicd:OidcProvider", Properties: map[string]any{"issuer": githubIssuer}},
		"production": {Type: "cicd:DeploymentRole", Properties: map[string]any{
			"roleName": "production", "path": "/cicd/",
			"trustedJobs": []any{map[string]any{"github": map[string]any{
				"issuer": "${github.issuer}", "repository": "acme/shop", "ownerId": "4021", "repositoryId": "170033",
				"environment": "production",
			}}},
			"inlinePolicies": map[string]any{"groups": map[string]any{
				"Version": "2012-10-17", "Statement": []any{map[string]any{
					"Effect": "Allow", "Action": []string{"iam:CreateGroup", "iam:GetGroup"}, "Resource": "*",
				}},
			}},
		}},
	})
	if out, err := up(t, l, trust); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if providers := harness.Account(t, l).Providers; len(providers) != 1 || providers[0].Issuer != githubHost {
		t.Errorf("the account trusts %s", harness.Pretty(t, providers))
	}

	group := lab.Resource{Type: "aws:iam:Group", Properties: map[string]any{"name": "made-by-the-job"}}
	job := newJob(t, l, "production", map[string]lab.Resource{"group": group})
	harness.Check(t, l.Enforce(t.Context(), true))
	l.Calls()
	for name, test := range map[string]struct {
		issuer *lab.Issuer
		claims claims
		says   string
	}{
		"another repository": {
			issuer, claims{"sub": "repo:acme@4021/website@170034:environment:production", "repository_id": "170034"}, notAuthorized,
		},
		"another environment": {
			issuer, claims{"sub": "repo:acme@4021/shop@170033:environment:staging", "environment": "staging"}, notAuthorized,
		},
		"the names of the repository and another ID": {
			issuer, claims{"sub": "repo:acme/shop:environment:production", "repository_id": "170034"}, notAuthorized,
		},
		"a past time": {
			issuer, claims{"exp": time.Now().Add(-time.Hour).Unix()}, "ExpiredTokenException: Token expired: current date/time",
		},
		"another audience": {
			issuer, claims{"aud": "https://github.com/acme"}, "InvalidIdentityToken: Incorrect token audience",
		},
		"a signature by another key": {forger, nil, "InvalidIdentityToken: The ID Token provided is not a valid JWT"},
		"an issuer that the account does not trust": {
			other, nil, "InvalidIdentityToken: No OpenIDConnect provider found in your account for https://gitlab.com",
		},
	} {
		out, err := job.deploy(t, test.issuer, productionJob.with(test.claims))
		if err == nil || !strings.Contains(out, "no valid credential sources") || !strings.Contains(out, test.says) {
			t.Errorf("a token with %s ends with %v:\n%s", name, err, out)
		}
	}
	for _, call := range l.Calls() {
		if call.Action != "AssumeRoleWithWebIdentity" {
			t.Errorf("without a session, %s is called", call.Action)
		}
	}
	if out, err := job.deploy(t, issuer, productionJob); err != nil {
		t.Fatalf("the job's own token: %v\n%s", err, out)
	}
	_, err = l.WriteProgram("job", map[string]lab.Resource{"group": group, "user": {Type: "aws:iam:User"}})
	harness.Check(t, err)
	if out, err := job.deploy(t, issuer, productionJob); err == nil ||
		!strings.Contains(out, "CreateUser, https response error StatusCode: 403") {
		t.Errorf("what the role does not allow ends with %v:\n%s", err, out)
	}
	harness.Check(t, l.Enforce(t.Context(), false))
	if groups := harness.Account(t, l).Groups; len(groups) != 1 || groups[0].Name != "made-by-the-job" {
		t.Errorf("the account has the groups %s", harness.Pretty(t, groups))
	}
}

// IDs in the tokens of other systems than GitHub and GitLab.
const (
	uuidA = "aaaaaaaa-0000-4000-8000-00000000000a"
	uuidB = "bbbbbbbb-0000-4000-8000-00000000000b"
	uuidC = "cccccccc-0000-4000-8000-00000000000c"
)

// TestKeylessSystems makes a provider and a role for a job of each other system, all in one program. STS lets the job in
// with the token that the system's documentation describes, and refuses the same one with another subject.
func TestKeylessSystems(t *testing.T) {
	t.Parallel()
	const pulumiCloud, bitbucket = "https://api.pulumi.com/oidc",
		"https://api.bitbucket.org/2.0/workspaces/acme/pipelines-config/identity/oidc"
	type fields = map[string]any
	systems := map[string]struct {
		job              fields
		issuer, audience string
		subject, another string
	}{
		"circleci": {
			fields{"organizationId": uuidA, "projectId": uuidB, "vcsOrigin": "github.com/acme/shop", "branch": "main"},
			"https://oidc.circleci.com/org/" + uuidA, uuidA,
			"org/" + uuidA + "/project/" + uuidB + "/user/" + uuidC + "/vcs-origin/github.com/acme/shop/vcs-ref/refs/heads/main",
			"org/" + uuidA + "/project/" + uuidB + "/user/" + uuidC + "/vcs-origin/github.com/eve/shop/vcs-ref/refs/heads/main",
		},
		"bitbucket": {
			fields{"workspace": "acme", "workspaceId": uuidA, "repositoryId": uuidB, "environmentId": uuidC},
			bitbucket, "ari:cloud:bitbucket::workspace/" + uuidA,
			"{" + uuidB + "}:{" + uuidC + "}:{" + uuidA + "}", "{" + uuidB + "}:{" + uuidA + "}:{" + uuidC + "}",
		},
		"buildkite": {
			fields{"organization": "acme", "pipeline": "shop", "branch": "main"},
			"https://agent.buildkite.com", "sts.amazonaws.com",
			"organization:acme:pipeline:shop:ref:refs/heads/main:commit:" + strings.Repeat("0a", 20) + ":step:deploy",
			"organization:acme:pipeline:shop:ref:refs/heads/x:commit:" + strings.Repeat("0a", 20) + ":step:deploy",
		},
		"hcpTerraform": {
			fields{"organization": "acme", "project": "Default Project", "workspace": "shop", "runPhase": "apply"},
			"https://app.terraform.io", "aws.workload.identity",
			"organization:acme:project:Default Project:workspace:shop:run_phase:apply",
			"organization:acme:project:Default Project:workspace:shop:run_phase:plan",
		},
		"pulumiDeployments": {
			fields{"organization": "acme", "project": "shop", "stack": "production", "operation": "update"},
			pulumiCloud, "acme",
			"pulumi:deploy:org:acme:project:shop:stack:production:operation:update:scope:write",
			"pulumi:deploy:org:acme:project:shop:stack:production:operation:preview:scope:write",
		},
		"pulumiEsc": {
			fields{"organization": "acme", "environment": "infra/production"}, pulumiCloud, "aws:acme",
			"pulumi:environments:org:acme:env:infra/production", "pulumi:environments:org:acme:env:<yaml>",
		},
		"spacelift": {
			fields{"host": "acme.app.spacelift.io", "space": "production", "stack": "shop", "runType": "TRACKED"},
			"https://acme.app.spacelift.io", "acme.app.spacelift.io",
			"space:production:stack:shop:run_type:TRACKED:scope:write", "space:production:stack:shop:run_type:TASK:scope:write",
		},
		"azureDevops": {
			fields{
				"organizationId": uuidA, "organization": "acme", "project": "Web Shop", "serviceConnection": "aws-production",
			},
			"https://vstoken.dev.azure.com/" + uuidA, "api://AzureADTokenExchange",
			"sc://acme/Web Shop/aws-production", "sc://acme/Web Shop/aws-staging",
		},
		"oidc": {
			fields{
				"issuer": "https://forgejo.example.com/api/actions", "audience": "sts.amazonaws.com",
				"subjects": []string{"repo:acme/shop:ref:refs/heads/main"},
			},
			"https://forgejo.example.com/api/actions", "sts.amazonaws.com",
			"repo:acme/shop:ref:refs/heads/main", "repo:acme/shop:ref:refs/heads/x",
		},
	}
	// These issuers do not tell their audience.
	audiences := map[string][]string{
		pulumiCloud: {"acme", "aws:acme"}, bitbucket: {systems["bitbucket"].audience},
		systems["oidc"].issuer: {systems["oidc"].audience},
	}
	l := harness.NewLab(t)
	resources := map[string]lab.Resource{}
	for name, system := range systems {
		provider := map[string]any{"issuer": system.issuer}
		if given := audiences[system.issuer]; given != nil {
			provider["audiences"] = given
		}
		// Two systems have the same provider.
		resources[system.issuer] = lab.Resource{Type: "cicd:OidcProvider", Properties: provider}
		resources[name] = lab.Resource{Type: "cicd:DeploymentRole", Properties: map[string]any{
			"roleName": name, "path": "/cicd/", "trustedJobs": []any{map[string]any{name: system.job}},
		}}
	}
	if out, err := up(t, l, stackOf(t, l, "trust", resources)); err != nil || strings.Contains(out, "warning: ") {
		t.Fatalf("%v\n%s", err, out)
	}
	for name, system := range systems {
		issuer := published(t, l, system.issuer)
		job := claims{"sub": system.subject, "aud": system.audience}
		if err := signIn(t, l, name, issuer, job); err != nil {
			t.Errorf("%s: the job does not get in: %v", name, err)
		}
		err := signIn(t, l, name, issuer, job.with(claims{"sub": system.another}))
		if err == nil || !strings.Contains(err.Error(), notAuthorized) {
			t.Errorf("%s: another job: %v", name, err)
		}
	}
}

// TestOidcProvider takes a provider through its life: what can be changed in place is, another issuer replaces it, and the
// page lists every action that is called for. Where the account has a provider for the issuer already, the error says so.
func TestOidcProvider(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	args := &cicd.OidcProviderArgs{Issuer: pulumi.String(githubIssuer)}
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		_, err := cicd.NewOidcProvider(ctx, "ci", args)
		return err
	})
	want := lab.Provider{
		ARN: "arn:aws:iam::123456789012:oidc-provider/" + githubHost, Issuer: githubHost,
		Audiences: []string{"sts.amazonaws.com"}, Tags: map[string]string{},
	}
	for _, change := range []struct {
		what  string
		apply func()
		steps []string
	}{
		{"nothing", func() {}, []string{"create OpenIdConnectProvider ci"}},
		{"the rest", func() {
			args.Audiences = pulumi.ToStringArray([]string{"aws", "https://github.com/acme"})
			args.Thumbprints = pulumi.ToStringArray([]string{strings.Repeat("0a", 20)})
			args.Tags = pulumi.StringMap{"team": pulumi.String("platform")}
			want.Audiences = []string{"aws", "https://github.com/acme"}
			want.Tags = map[string]string{"team": "platform"}
		}, []string{"update OpenIdConnectProvider ci [clientIdLists tags thumbprintLists]"}},
		{"the rest, back again", func() {
			args.Audiences, args.Thumbprints, args.Tags = nil, nil, nil
			want.Audiences, want.Tags = []string{"sts.amazonaws.com"}, map[string]string{}
		}, []string{"update OpenIdConnectProvider ci [clientIdLists tags]"}},
		{"the issuer", func() {
			args.Issuer = pulumi.String("https://app.terraform.io")
			want.ARN, want.Issuer = "arn:aws:iam::123456789012:oidc-provider/app.terraform.io", "app.terraform.io"
			want.Audiences = []string{"aws.workload.identity"}
		}, []string{"replace OpenIdConnectProvider ci [clientIdLists url]"}},
	} {
		change.apply()
		_, steps := s.MustUp()
		if got := texts(steps); !slices.Equal(got, change.steps) {
			t.Errorf("after a change of %s, up takes\n%s\nand not\n%s", change.what, lines(got), lines(change.steps))
		}
		providers := harness.Account(t, l).Providers
		for i := range providers {
			providers[i].Thumbprints = nil
		}
		harness.Same(t, "the providers after a change of "+change.what, providers, []lab.Provider{want})
	}
	s.Unchanged()

	out, err := up(t, l, stackOf(t, l, "second", map[string]lab.Resource{
		"ci": {Type: "cicd:OidcProvider", Properties: map[string]any{"issuer": "https://app.terraform.io"}},
	}))
	if err == nil || !strings.Contains(out, "EntityAlreadyExists") ||
		!strings.Contains(out, "the account has an OpenID Connect provider for this issuer already") {
		t.Errorf("a second provider for the issuer: %v\n%s", err, out)
	}
	s.MustDestroy()
	if left := harness.Account(t, l).Providers; len(left) != 0 {
		t.Errorf("after destroy the account holds %s", harness.Pretty(t, left))
	}

	called := map[string]bool{}
	for _, call := range l.Calls() {
		if strings.Contains(call.Action, "OpenIDConnectProvider") && call.Action != "ListOpenIDConnectProviders" {
			called["iam:"+call.Action] = true
		}
	}
	var page struct {
		Statement []struct{ Action []string }
	}
	harness.Check(t, json.Unmarshal([]byte(guideJSON(t, "permissions.md", 4)), &page))
	harness.Same(t, "the permissions for providers", page.Statement[0].Action, slices.Sorted(maps.Keys(called)))
}
