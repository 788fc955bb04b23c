package provider

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc/status"
)

const trustOfJob = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":` +
	`"arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"},"Action":"sts:AssumeRoleWithWebIdentity",` +
	`"Condition":{"StringEquals":{"token.actions.githubusercontent.com:aud":"sts.amazonaws.com",` +
	`"token.actions.githubusercontent.com:repository_id":"17","token.actions.githubusercontent.com:repository_owner_id":"4",` +
	`"token.actions.githubusercontent.com:sub":["repo:acme/shop:ref:refs/heads/main","repo:acme@4/shop@17:ref:refs/heads/main"]}}}]}`

// job is an element of trustedJobs. Fields are strings or property values.
func job(system string, fields ...any) resource.PropertyValue {
	object := resource.PropertyMap{}
	for i := 0; i < len(fields); i += 2 {
		name, _ := fields[i].(string)
		value, isValue := fields[i+1].(resource.PropertyValue)
		if !isValue {
			value = resource.NewPropertyValue(fields[i+1])
		}
		object[resource.PropertyKey(name)] = value
	}
	return resource.NewProperty(resource.PropertyMap{resource.PropertyKey(system): resource.NewProperty(object)})
}

// githubJob is the job of trustOfJob, with more fields or others.
func githubJob(fields ...any) resource.PropertyValue {
	main := []any{"repository", "acme/shop", "branch", "main", "ownerId", "4", "repositoryId", "17"}
	return job("github", append(main, fields...)...)
}

func jobs(elements ...resource.PropertyValue) resource.PropertyValue {
	return resource.NewProperty(elements)
}

// jobsRequest is a request for a role that trusts jobs alone, unless the inputs say otherwise.
func (tp *testPlugin) jobsRequest(t *testing.T, inputs resource.PropertyMap) *pulumirpc.ConstructRequest {
	t.Helper()
	all := resource.PropertyMap{"trustedJobs": jobs(githubJob())}
	maps.Copy(all, inputs)
	req := tp.robotRequest(t, all)
	req.Type, req.Name = deploymentRoleToken, "staging"
	return req
}

// TestTrustedJobsRegistrations checks all that the component registers for jobs of several systems and a robot, against
// a golden file.
func TestTrustedJobsRegistrations(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.jobsRequest(t, resource.PropertyMap{
		"trusted": strs(testRobot),
		"trustedJobs": jobs(
			githubJob("branch", resource.NewNullProperty(), "environment", output(resource.NewProperty("production"), ofBot)),
			githubJob("ownerId", 4.0, "pullRequests", false),
			job("gitlab", "project", "acme/shop", "tag", "v*"),
			job("oidc", "issuer", "https://forgejo.example.com/api/actions", "audience", "aws", "subjects", strs("repo:acme/shop:ref:refs/heads/main")),
		),
		"sessionNames":     strs("ci-*", "${aws:username}"),
		"externalId":       resource.NewProperty("project/17"),
		"allowSessionTags": resource.NewProperty(true),
		"sourceIps":        strs("203.0.113.0/24"),
	}))
	check(t, err)
	var all []json.RawMessage
	for _, r := range tp.registered() {
		r.SourcePosition, r.StackTrace = nil, nil
		all = append(all, marshalProto(t, r))
	}
	golden(t, "trusted_jobs_registrations.json", all)
}

// TestTrustedJobsPartitions checks that the provider's ARN and the audience follow the account of the AWS provider.
func TestTrustedJobsPartitions(t *testing.T) {
	t.Parallel()
	tp := startProvider(t)
	tp.callerARN = "arn:aws-cn:iam::210987654321:user/me"
	_, err := tp.Construct(t.Context(), tp.jobsRequest(t, nil))
	check(t, err)
	policy, _ := plain(tp.child(t, roleType)["assumeRolePolicy"]).(string)
	for _, want := range []string{`"arn:aws-cn:iam::210987654321:oidc-provider/token.`, `:aud":"sts.amazonaws.com.cn"`} {
		if !strings.Contains(policy, want) {
			t.Errorf("the trust policy does not have %s: %s", want, policy)
		}
	}
}

// TestTrustedJobsPreview checks what a preview knows of the trust policy when something is not known yet.
func TestTrustedJobsPreview(t *testing.T) {
	t.Parallel()
	computed := resource.MakeComputed(resource.NewProperty(""))
	unknown := resource.NewProperty(resource.Output{Dependencies: []resource.URN{ofBot}})
	system := func(v resource.PropertyValue) resource.PropertyValue {
		return resource.NewProperty(resource.PropertyMap{"github": v})
	}
	for name, tt := range map[string]struct {
		jobs   resource.PropertyValue
		caller string
		known  bool
	}{
		"all is known":       {jobs(githubJob()), testCaller, true},
		"the list":           {computed, testCaller, false},
		"a secret list":      {resource.MakeSecret(computed), testCaller, false},
		"a job":              {jobs(githubJob(), computed), testCaller, false},
		"a system":           {jobs(system(unknown)), testCaller, false},
		"a field":            {jobs(githubJob("repositoryId", unknown)), testCaller, false},
		"a required field":   {jobs(githubJob("repository", computed)), testCaller, false},
		"a flag":             {jobs(githubJob("pullRequests", unknown)), testCaller, false},
		"a subject":          {jobs(job("oidc", "issuer", "https://a.example.com", "audience", "b", "subjects", jobs(resource.NewProperty("c"), computed))), testCaller, false},
		"the account":        {jobs(githubJob()), "", false},
		"a known field":      {jobs(githubJob("branch", output(resource.NewProperty("main"), ofBot))), testCaller, true},
		"a known job":        {jobs(output(githubJob(), ofBot)), testCaller, true},
		"a known list":       {output(jobs(githubJob()), ofBot), testCaller, true},
		"literal nulls":      {jobs(githubJob("tag", resource.NewNullProperty(), "pullRequests", false)), testCaller, true},
		"a number for an ID": {jobs(githubJob("ownerId", 4.0)), testCaller, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			tp.callerARN = tt.caller
			req := tp.jobsRequest(t, resource.PropertyMap{"trustedJobs": tt.jobs})
			req.DryRun = true
			resp, err := tp.Construct(t.Context(), req)
			check(t, err)
			policy := tp.child(t, roleType)["assumeRolePolicy"]
			if policy.ContainsUnknowns() == tt.known || (tt.known && plain(policy) != trustOfJob) {
				t.Errorf("the trust policy is %v", policy)
			}
			if state := unmarshal(t, resp.GetState()); state["trustPolicy"].ContainsUnknowns() == tt.known {
				t.Errorf("the output is %v", state["trustPolicy"])
			}
		})
	}
}

// TestTrustedJobsKeepSecrets checks that a secret in a job makes the trust policy secret, and dependent on what it
// comes from.
func TestTrustedJobsKeepSecrets(t *testing.T) {
	t.Parallel()
	for name, list := range map[string]resource.PropertyValue{
		"the list": resource.MakeSecret(jobs(githubJob())),
		"a job":    jobs(resource.MakeSecret(githubJob())),
		"a field":  jobs(githubJob("branch", resource.MakeSecret(resource.NewProperty("main")))),
	} {
		tp := startProvider(t)
		resp, err := tp.Construct(t.Context(), tp.jobsRequest(t, resource.PropertyMap{"trustedJobs": list}))
		check(t, err)
		if !tp.child(t, roleType)["assumeRolePolicy"].ContainsSecrets() ||
			!unmarshal(t, resp.GetState())["trustPolicy"].ContainsSecrets() {
			t.Errorf("%s: the trust policy is no secret", name)
		}
	}
	tp := startProvider(t)
	_, err := tp.Construct(t.Context(), tp.jobsRequest(t, resource.PropertyMap{
		"trustedJobs": jobs(githubJob("branch", output(resource.NewProperty("main"), ofBot))),
	}))
	check(t, err)
	for _, r := range tp.registered() {
		if r.GetType() == roleType && !slices.Equal(r.GetDependencies(), []string{ofBot}) {
			t.Errorf("the role depends on %q", r.GetDependencies())
		}
	}
}

// TestTrustedJobsBadInputs checks that what is wrong with a job is said with its path, its value and the rule, that a
// secret is not shown, and that nothing is registered.
func TestTrustedJobsBadInputs(t *testing.T) {
	t.Parallel()
	const secretBranch = "refs/heads/s3cr3t"
	str := resource.NewProperty[string]
	null := resource.NewNullProperty()
	secret := resource.MakeSecret
	for name, tt := range map[string]struct {
		inputs resource.PropertyMap
		want   string
	}{
		"a string":      {resource.PropertyMap{"trustedJobs": str("x")}, `trustedJobs = "x": must be a list of objects, and is a string`},
		"an object":     {resource.PropertyMap{"trustedJobs": githubJob()}, `trustedJobs = a map: must be a list of objects, and is a map`},
		"none":          {resource.PropertyMap{"trustedJobs": jobs()}, `trustedJobs = a list: must have at least one element: leave it out to trust no CI job`},
		"nobody":        {resource.PropertyMap{"trustedJobs": null}, `trusted: is required: name the users and roles that may assume the role, or its CI jobs in trustedJobs`},
		"a null":        {resource.PropertyMap{"trustedJobs": jobs(null)}, `trustedJobs[0] = null: must be an object with the key of a CI system, and is null`},
		"a secret null": {resource.PropertyMap{"trustedJobs": jobs(secret(null))}, `trustedJobs = [secret]: must be an object with the key of a CI system, and is null`},
		"a name":        {resource.PropertyMap{"trustedJobs": strs("acme/shop")}, `trustedJobs[0] = "acme/shop": must be an object`},
		"two systems": {
			resource.PropertyMap{"trustedJobs": jobs(githubJob(), resource.NewProperty(resource.PropertyMap{"github": str(""), "gitlab": str("")}))},
			"trustedJobs[1]: must have exactly one of the keys github, gitlab, ",
		},
		"another system":       {resource.PropertyMap{"trustedJobs": jobs(job("gitHub"))}, `trustedJobs[0].gitHub: is not the key of a CI system; use oidc for one without (did you mean "github"?)`},
		"a system as a string": {resource.PropertyMap{"trustedJobs": jobs(resource.NewProperty(resource.PropertyMap{"github": str("acme/shop")}))}, `trustedJobs[0].github = "acme/shop": must be an object, and is a string`},
		"another field":        {resource.PropertyMap{"trustedJobs": jobs(githubJob("brnch", "main"))}, `trustedJobs[0].github.brnch: is not a field of GithubJob (did you mean "branch"?)`},
		"a missing field":      {resource.PropertyMap{"trustedJobs": jobs(job("github", "branch", "main"))}, `trustedJobs[0].github.repository: is required`},
		"too many fields":      {resource.PropertyMap{"trustedJobs": jobs(githubJob("tag", "v1"))}, `trustedJobs[0].github: must have exactly one of environment, branch, tag, pullRequests, and has branch and tag`},
		"a wrong value":        {resource.PropertyMap{"trustedJobs": jobs(githubJob("branch", "refs/heads/main"))}, `trustedJobs[0].github.branch = "refs/heads/main": must be the name of a branch without refs/heads/ (did you mean "main"?)`},
		"a wrong type":         {resource.PropertyMap{"trustedJobs": jobs(githubJob("branch", true))}, `trustedJobs[0].github.branch = true: must be a string, and is a boolean`},
		"an asset":             {resource.PropertyMap{"trustedJobs": jobs(githubJob("branch", textAsset(t)))}, `trustedJobs[0].github.branch = an asset: must be a string, and is something else`},
		"a wrong subject":      {resource.PropertyMap{"trustedJobs": jobs(job("oidc", "issuer", "https://a.example.com", "audience", "b", "subjects", strs("a", "*")))}, `trustedJobs[0].oidc.subjects[1] = "*": must not begin with a wildcard`},
		"no audience":          {resource.PropertyMap{"trustedJobs": jobs(githubJob("issuer", "https://git.example.com/_services/token", "ownerId", null, "repositoryId", null))}, `trustedJobs[0].github.audience: is required for GitHub Enterprise Server`},

		"a null of a resource":        {resource.PropertyMap{"trustedJobs": jobs(githubJob("environment", output(null, ofBot)))}, `trustedJobs[0].github.environment = null: must be a string, and is null; leave it out if that is meant`},
		"a flag of a resource":        {resource.PropertyMap{"trustedJobs": jobs(githubJob("pullRequests", output(null, ofBot)))}, `trustedJobs[0].github.pullRequests = null: must be a boolean, and is null`},
		"a null in an output":         {resource.PropertyMap{"trustedJobs": jobs(output(githubJob("jobWorkflowRef", null), ofBot))}, `trustedJobs[0].github.jobWorkflowRef = null: must be a string, and is null`},
		"a null in a list of outputs": {resource.PropertyMap{"trustedJobs": output(jobs(githubJob("jobWorkflowRef", null)), ofBot)}, `trustedJobs[0].github.jobWorkflowRef = null: must be a string, and is null`},
		"a secret null field":         {resource.PropertyMap{"trustedJobs": jobs(githubJob("jobWorkflowRef", secret(null)))}, `trustedJobs[0].github.jobWorkflowRef = [secret]: must be a string, and is null`},
		"a null system":               {resource.PropertyMap{"trustedJobs": jobs(resource.NewProperty(resource.PropertyMap{"github": output(null, ofBot)}))}, `trustedJobs[0].github = null: must be an object, and is null`},
		"a null in subjects":          {resource.PropertyMap{"trustedJobs": jobs(job("oidc", "issuer", "https://a.example.com", "audience", "b", "subjects", jobs(output(null, ofBot))))}, `trustedJobs[0].oidc.subjects[0] = null: must be a string, and is null`},

		"a secret field":         {resource.PropertyMap{"trustedJobs": jobs(githubJob("branch", secret(str(secretBranch))))}, "trustedJobs[0].github.branch = [secret]: must be the name of a branch without refs/heads/\x00"},
		"a field in a secret":    {resource.PropertyMap{"trustedJobs": secret(jobs(githubJob("branch", secretBranch)))}, "trustedJobs[0].github.branch = [secret]: must be the name of a branch without refs/heads/\x00"},
		"a secret key":           {resource.PropertyMap{"trustedJobs": jobs(secret(githubJob("s3cr3t", "x")))}, "trustedJobs[0].github = [secret]: has a key that is not in the schema\x00"},
		"a secret key of null":   {resource.PropertyMap{"trustedJobs": jobs(secret(githubJob("s3cr3t", null)))}, "trustedJobs[0].github = [secret]: has a key that is not in the schema\x00"},
		"a secret system":        {resource.PropertyMap{"trustedJobs": secret(jobs(job("s3cr3t")))}, "trustedJobs[0] = [secret]: has a key that is not in the schema\x00"},
		"a missing, in a secret": {resource.PropertyMap{"trustedJobs": secret(jobs(job("github", "branch", "main")))}, `trustedJobs[0].github.repository: is required`},

		"an external ID":          {resource.PropertyMap{"externalId": str("proj-17")}, `externalId: must not be given where only CI jobs are trusted`},
		"no session name":         {resource.PropertyMap{"sessionNames": strs("${aws:username}")}, `sessionNames: must have an element without ${aws:username}: CI jobs are trusted too`},
		"no session name, robots": {resource.PropertyMap{"sessionNames": strs("${aws:username}"), "trusted": strs(testRobot)}, `sessionNames: must have an element without ${aws:username}: CI jobs are trusted too`},
		"too many":                {resource.PropertyMap{"trustedJobs": manyJobs(60)}, `trustedJobs: must fit into a trust policy of 8192 characters`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			_, err := tp.Construct(t.Context(), tp.jobsRequest(t, tt.inputs))
			message := status.Convert(err).Message()
			if !strings.HasPrefix(message+"\x00", "invalid input:\n  - "+tt.want) || strings.Contains(message, "s3cr3t") {
				t.Errorf("the error is\n%s\nand not\n%s", message, tt.want)
			}
			if len(tp.registered()) > 0 {
				t.Errorf("%d resources are registered", len(tp.registered()))
			}
		})
	}
}

// manyJobs are jobs of different repositories, each with a statement of its own.
func manyJobs(n int) resource.PropertyValue {
	var list []resource.PropertyValue
	for i := range n {
		list = append(list, githubJob("repository", fmt.Sprint("acme/shop-", i), "repositoryId", fmt.Sprint(17+i)))
	}
	return jobs(list...)
}

// TestTrustedJobsAreCheckedWithUnknowns checks that what is unknown hides no problem, and is none.
func TestTrustedJobsAreCheckedWithUnknowns(t *testing.T) {
	t.Parallel()
	computed := resource.MakeComputed(resource.NewProperty(""))
	for want, inputs := range map[string]resource.PropertyMap{
		`trustedJobs[1].github.tag = "a b"`: {"trustedJobs": jobs(computed, job("github", "repository", computed, "tag", "a b"))},
		"sessionNames: must have an":        {"trustedJobs": jobs(computed), "sessionNames": strs("${aws:username}")},
		"":                                  {"trustedJobs": computed, "externalId": computed, "sessionNames": strs("${aws:username}")},
	} {
		tp := startProvider(t)
		req := tp.jobsRequest(t, inputs)
		req.DryRun = true
		if _, err := tp.Construct(t.Context(), req); (err == nil) != (want == "") || !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("the error is %v, and not %q", err, want)
		}
	}
}

// TestTrustedJobsWarn checks that what should be known of jobs is told once for each role, of the jobs that it is
// about.
func TestTrustedJobsWarn(t *testing.T) {
	t.Parallel()
	computed := resource.MakeComputed(resource.NewProperty(""))
	byName := job("github", "repository", "acme/shop", "branch", "main")
	pulls := job("github", "repository", "acme/shop", "pullRequests", true)
	for name, tt := range map[string]struct {
		jobs resource.PropertyValue
		want []string
	}{
		"nothing": {jobs(githubJob()), nil},
		"names and pull requests": {jobs(byName, githubJob(), pulls), []string{
			"trustedJobs[0], trustedJobs[2]: trusts a repository by its name alone",
			"trustedJobs[2]: trusts all pull requests",
		}},
		"what is known":        {jobs(computed, pulls, githubJob("repository", computed)), []string{"trustedJobs[1]: trusts all", "trustedJobs[1]: trusts a repository"}},
		"as much as the quota": {manyJobs(3), nil},
		"more than the quota":  {manyJobs(4), []string{"the trust policy has 2050 characters, and AWS takes 2048 by default"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tp := startProvider(t)
			req := tp.jobsRequest(t, resource.PropertyMap{"trustedJobs": tt.jobs})
			req.DryRun = true
			_, err := tp.Construct(t.Context(), req)
			check(t, err)
			logs := tp.engine.Logs()
			if len(logs) != len(tt.want) {
				t.Fatalf("the logs are %v", logs)
			}
			for i, want := range tt.want {
				if logs[i].GetSeverity() != pulumirpc.LogSeverity_WARNING || !strings.HasPrefix(logs[i].GetMessage(), want) {
					t.Errorf("the log is %v, and not %q", logs[i], want)
				}
			}
		})
	}
}
