package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	sdkaws "github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/iam"
	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optdestroy"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// deploymentDescription is the description that a role has by default.
const deploymentDescription = "Assumed by CI/CD robots to deploy; made by cicd:index:DeploymentRole."

// deploymentRole is a role under /cicd/ with one inline policy, as the examples make it.
func deploymentRole(t *testing.T, name, trust, policy string) lab.Role {
	t.Helper()
	return lab.Role{
		Name: name, Path: "/cicd/", ARN: "arn:aws:iam::123456789012:role/cicd/" + name, Trust: harness.Canonical(t, trust),
		Description: deploymentDescription, MaxSessionDuration: 3600, Tags: map[string]string{},
		Policies: map[string]string{"deploy": harness.Canonical(t, policy)},
	}
}

// roles returns the roles in the account, but for their random ids.
func roles(t *testing.T, l *lab.Lab) []lab.Role {
	t.Helper()
	all := harness.Account(t, l).Roles
	for i := range all {
		all[i].ID = ""
	}
	return all
}

// withoutRoles says that a destroyed stack has left no role.
func withoutRoles(t *testing.T, l *lab.Lab) {
	t.Helper()
	if left := roles(t, l); len(left) != 0 {
		t.Errorf("after destroy the account holds %s", harness.Pretty(t, left))
	}
}

// TestDeploymentRoleExamples runs the example of each language as it stands: it makes a robot and two roles that
// trust it, in one program, changes nothing when run again, and leaves nothing behind. The states of all languages are
// the same.
func TestDeploymentRoleExamples(t *testing.T) {
	t.Parallel()
	const policy = `{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::example-`
	const gha = `,"StringLike":{"sts:RoleSessionName":"gha-*"}`
	states := newStates(t)
	eachLanguage(t, func(t *testing.T, language string) {
		l := harness.NewLab(t)
		s := harness.ProgramStack(t, l, language, "examples/deployment-role-"+language)
		result, steps := s.MustUp()
		if want := []string{
			"create Group robot", "create GroupMembership robot", "create GroupPolicy robot",
			"create Role production:production", "create Role staging:staging", "create RolePolicy production:deploy",
			"create RolePolicy staging:deploy", "create User robot",
		}; !slices.Equal(texts(steps), want) {
			t.Errorf("up takes\n%s\nand not\n%s", lines(texts(steps)), lines(want))
		}
		harness.Same(t, "the roles", roles(t, l), []lab.Role{
			deploymentRole(t, "production", harness.TrustPolicy("cicd-bot", gha), policy+`production"},
				{"Effect":"Allow","Action":"s3:PutObject","Resource":"arn:aws:s3:::example-production/*"}]}`),
			deploymentRole(t, "staging", harness.TrustPolicy("cicd-bot", ""), policy+`staging"},
				{"Effect":"Allow","Action":["s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::example-staging/*"}]}`),
		})
		a := harness.Account(t, l)
		a.Roles = nil
		robotPolicies := slices.Collect(maps.Keys(a.Groups[0].Policies))
		harness.SameAccount(t, a, lab.User{
			Name: "cicd-bot", Path: "/", ARN: harness.SeedUser.ARN, Tags: harness.SeedUser.Tags, Groups: harness.SeedUser.Groups,
		}, lab.Group{
			Name: "PulumiStackUpdaters", Path: "/", ARN: "arn:aws:iam::123456789012:group/PulumiStackUpdaters",
			Policies: map[string]string{robotPolicies[0]: harness.AssumePolicy("arn:aws:iam::123456789012:role/cicd/*")},
		})
		for name, want := range map[string]string{
			"userArn": harness.SeedUser.ARN, "stagingRoleArn": "arn:aws:iam::123456789012:role/cicd/staging",
			"productionRoleArn": "arn:aws:iam::123456789012:role/cicd/production",
		} {
			if got := result.Outputs[name].Value; got != want {
				t.Errorf("the output %s is %v, not %s", name, got, want)
			}
		}
		trust, _ := result.Outputs["productionTrustPolicy"].Value.(string)
		harness.SamePolicy(t, trust, harness.TrustPolicy("cicd-bot", gha))
		harness.SamePolicy(t, trust, guideJSON(t, "assume-roles.md", 1))
		states.add(t, language, s)
		s.Unchanged()
		s.MustDestroy()
		withoutRoles(t, l)
	})
}

// allows is a policy that allows an action.
func allows(action string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"` + action + `","Resource":"*"}]}`
}

// onlyRole returns the one role of an account.
func onlyRole(t *testing.T, l *lab.Lab) lab.Role {
	t.Helper()
	all := roles(t, l)
	if len(all) != 1 {
		t.Fatalf("the account holds %s", harness.Pretty(t, all))
	}
	return all[0]
}

const (
	readOnly   = "arn:aws:iam::aws:policy/ReadOnlyAccess"
	ownPolicy  = "arn:aws:iam::123456789012:policy/"
	robotARN   = "arn:aws:iam::123456789012:user/bot"
	runnerARN  = "arn:aws:iam::210987654321:role/runners/gha"
	assumed    = "arn:aws:iam::123456789012:role/"
	bucketsARN = ownPolicy + "cicd/buckets"
	queuesARN  = ownPolicy + "queues"
)

// TestDeploymentRoleInputs changes every input of a role, step by step: what can be changed in place is, the rest shows
// as a replacement before it happens, and policies come and go alone.
func TestDeploymentRoleInputs(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t, lab.ManagedPolicies)
	admin := awsiam.NewFromConfig(l.Config())
	for name, path := range map[string]string{"buckets": "/cicd/", "queues": "/", "topics": "/", "boundary": "/"} {
		_, err := admin.CreatePolicy(t.Context(), &awsiam.CreatePolicyInput{
			PolicyName: &name, Path: &path, PolicyDocument: sdkaws.String(allows("sqs:SendMessage")),
		})
		harness.Check(t, err)
	}

	args := &cicd.DeploymentRoleArgs{
		RoleName: pulumi.String("deploy"), Trusted: pulumi.ToStringArray([]string{robotARN}),
	}
	// called are the actions of IAM that the updates call, and not those of this test.
	called := map[string]bool{}
	note := func() {
		for _, call := range l.Calls() {
			if !strings.Contains(call.Action, "Group") && call.Action != "GetCallerIdentity" {
				called["iam:"+call.Action] = true
			}
		}
	}
	l.Calls()
	// topics is the ARN of a policy that another resource of the program tells, so that no preview knows it at first.
	withTopics := false
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		given := *args
		if withTopics {
			group, err := iam.NewGroup(ctx, "group", nil)
			if err != nil {
				return err
			}
			topics := group.UniqueId.ApplyT(func(string) string { return ownPolicy + "topics" }).(pulumi.StringOutput)
			given.ManagedPolicyArns = pulumi.StringArray{topics, pulumi.String(bucketsARN)}
		}
		_, err := cicd.NewDeploymentRole(ctx, "role", &given)
		return err
	})
	s.MustUp()
	note()
	harness.Same(t, "a role with what must be given", onlyRole(t, l), lab.Role{
		Name: "deploy", Path: "/", ARN: assumed + "deploy", Trust: harness.Canonical(t, harness.TrustPolicy("bot", "")),
		Description: deploymentDescription, MaxSessionDuration: 3600, Tags: map[string]string{}, Policies: map[string]string{},
	})

	all := lab.Role{
		Name: "deploy", Path: "/", ARN: assumed + "deploy", Description: "Deploys.", MaxSessionDuration: 7200,
		Boundary: ownPolicy + "boundary", Tags: map[string]string{"team": "platform"},
		Trust: harness.Canonical(t, `{"Version":"2012-10-17","Statement":[
			{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","arn:aws:iam::210987654321:root"]},
			"Action":"sts:AssumeRole","Condition":{
				"ArnEquals":{"aws:PrincipalArn":["`+robotARN+`","`+runnerARN+`"]},
				"StringEquals":{"sts:ExternalId":"cust-17"},"StringLike":{"sts:RoleSessionName":["${aws:username}","gha-*"]},
				"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}}},
			{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","arn:aws:iam::210987654321:root"]},
			"Action":"sts:TagSession","Condition":{
				"ArnEquals":{"aws:PrincipalArn":["`+robotARN+`","`+runnerARN+`"]},
				"IpAddress":{"aws:SourceIp":["203.0.113.0/24","2001:db8::/32"]}}}]}`),
		Policies: map[string]string{
			"send": harness.Canonical(t, allows("sqs:SendMessage")), "publish": harness.Canonical(t, allows("sns:Publish")),
		},
		Attached: []string{bucketsARN, queuesARN},
	}
	send := pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": pulumi.Array{pulumi.Map{
		"Effect": pulumi.String("Allow"), "Action": pulumi.String("sqs:SendMessage"), "Resource": pulumi.String("*"),
	}}}
	// replaced are the steps of a change that AWS takes no second role for, and with it of all that the role has.
	replaced := []string{
		"replace Role role:deploy [path]", "replace RolePolicy role:publish", "replace RolePolicy role:transmit",
		"replace RolePolicyAttachment role:cicd/buckets", "replace RolePolicyAttachment role:topics",
	}
	// renamed are the steps to a role with another name.
	renamed := []string{
		"create Role role:release", "delete Role role:deploy", "replace RolePolicy role:publish [role]",
		"replace RolePolicy role:transmit [role]",
	}
	for _, change := range []struct {
		what  string
		apply func()
		// steps are those of the update. preview are those that a preview shows, where one is asked for.
		steps, preview []string
		role           func(*lab.Role)
	}{
		{
			"everything that changes in place, and policies", func() {
				args.Description, args.MaxSessionDuration = pulumi.String("Deploys."), pulumi.Int(7200)
				args.PermissionsBoundary = pulumi.String(ownPolicy + "boundary")
				args.Tags = pulumi.StringMap{"team": pulumi.String("platform")}
				args.Trusted = pulumi.ToStringArray([]string{robotARN, runnerARN})
				args.SessionNames = pulumi.ToStringArray([]string{"gha-*", "${aws:username}"})
				args.ExternalId, args.AllowSessionTags = pulumi.String("cust-17"), pulumi.Bool(true)
				args.SourceIps = pulumi.ToStringArray([]string{"203.0.113.0/24", "2001:db8::/32"})
				args.ManagedPolicyArns = pulumi.ToStringArray([]string{bucketsARN, queuesARN})
				args.InlinePolicies = pulumi.Map{"send": send, "publish": pulumi.String(allows("sns:Publish"))}
			}, []string{
				"create RolePolicy role:publish", "create RolePolicy role:send",
				"create RolePolicyAttachment role:cicd/buckets", "create RolePolicyAttachment role:queues",
				"update Role role:deploy [assumeRolePolicy description maxSessionDuration permissionsBoundary tags]",
			}, nil, func(*lab.Role) {},
		},
		{
			"order, repetition, and the form of documents", func() {
				args.Trusted = pulumi.ToStringArray([]string{runnerARN, robotARN, runnerARN})
				args.SessionNames = pulumi.ToStringArray([]string{"${aws:username}", "gha-*", "gha-1"})
				args.SourceIps = pulumi.ToStringArray([]string{"2001:db8::/32", "203.0.113.0/24", "203.0.113.0/25"})
				args.ManagedPolicyArns = pulumi.ToStringArray([]string{queuesARN, bucketsARN, queuesARN})
				args.InlinePolicies = pulumi.Map{
					"publish": pulumi.String(" " + allows("sns:Publish")), "send": pulumi.String(allows("sqs:SendMessage")),
				}
			}, nil, nil, func(*lab.Role) {},
		},
		{
			"one managed policy for another, in front; a document, and the name of another one", func() {
				args.ManagedPolicyArns = pulumi.ToStringArray([]string{readOnly, bucketsARN})
				args.InlinePolicies = pulumi.Map{"publish": pulumi.String(allows("sns:*")), "transmit": send}
			}, []string{
				"create RolePolicy role:transmit", "create RolePolicyAttachment role:aws:ReadOnlyAccess",
				"delete RolePolicy role:send", "delete RolePolicyAttachment role:queues", "update RolePolicy role:publish [policy]",
			}, nil, func(r *lab.Role) {
				r.Attached = []string{bucketsARN, readOnly}
				r.Policies = map[string]string{
					"publish": harness.Canonical(t, allows("sns:*")), "transmit": harness.Canonical(t, allows("sqs:SendMessage")),
				}
			},
		},
		{
			"a managed policy that the program tells", func() { withTopics = true }, []string{
				"create Group group", "create RolePolicyAttachment role:topics",
				"delete RolePolicyAttachment role:aws:ReadOnlyAccess",
			}, []string{
				"create Group group", "create RolePolicyAttachment role:managedPolicyArns[0]",
				"delete RolePolicyAttachment role:aws:ReadOnlyAccess",
			}, func(r *lab.Role) { r.Attached = []string{bucketsARN, ownPolicy + "topics"} },
		},
		{
			"the path", func() { args.Path = pulumi.String("/cicd/") }, replaced, replaced, func(r *lab.Role) {
				r.Path, r.ARN = "/cicd/", assumed+"cicd/deploy"
			},
		},
		{
			"no managed policy", func() { withTopics, args.ManagedPolicyArns = false, nil }, []string{
				"delete Group group", "delete RolePolicyAttachment role:cicd/buckets", "delete RolePolicyAttachment role:topics",
			}, nil, func(r *lab.Role) { r.Attached = nil },
		},
		{
			"the name", func() { args.RoleName = pulumi.String("release") }, renamed, renamed,
			func(r *lab.Role) { r.Name, r.ARN = "release", assumed+"cicd/release" },
		},
		{
			"back to the defaults", func() {
				*args = cicd.DeploymentRoleArgs{
					RoleName: args.RoleName, Path: args.Path, Trusted: pulumi.ToStringArray([]string{robotARN}),
				}
			}, []string{
				"delete RolePolicy role:publish", "delete RolePolicy role:transmit",
				"update Role role:release [assumeRolePolicy description maxSessionDuration permissionsBoundary tags]",
			}, nil, func(r *lab.Role) {
				*r = lab.Role{
					Name: r.Name, Path: r.Path, ARN: r.ARN, Trust: harness.Canonical(t, harness.TrustPolicy("bot", "")),
					Description: deploymentDescription, MaxSessionDuration: 3600,
					Tags: map[string]string{}, Policies: map[string]string{},
				}
			},
		},
	} {
		l.Calls()
		change.apply()
		if change.preview != nil {
			if got := texts(s.MustPreview()); !slices.Equal(got, change.preview) {
				t.Errorf("%s: a preview shows\n%s\nand not\n%s", change.what, lines(got), lines(change.preview))
			}
		}
		_, steps := s.MustUp()
		if got := texts(steps); !slices.Equal(got, change.steps) {
			t.Errorf("%s: up takes\n%s\nand not\n%s", change.what, lines(got), lines(change.steps))
		}
		note()
		change.role(&all)
		harness.Same(t, "the role after a change of "+change.what, onlyRole(t, l), all)
		if change.what == "the path" {
			l.Calls()
			s.Unchanged()
			note()
		}
	}
	l.Calls()
	_, err := s.Destroy(t.Context(), optdestroy.Remove())
	harness.Check(t, err)
	note()
	withoutRoles(t, l)

	var guide struct {
		Statement []struct{ Action []string }
	}
	harness.Check(t, json.Unmarshal([]byte(guideJSON(t, "permissions.md", 3)), &guide))
	documented := guide.Statement[0].Action
	slices.Sort(documented)
	harness.Same(t, "the permissions for roles", documented, slices.Sorted(maps.Keys(called)))
}

// guideJSON returns one of the documents in JSON of a page of docs.
func guideJSON(t *testing.T, page string, i int) string {
	t.Helper()
	var documents []string
	for _, block := range harness.CodeBlocks(harness.Read(t, harness.Repo(t), "docs", page)) {
		if block.Language == "json" {
			documents = append(documents, block.Text)
		}
	}
	if i >= len(documents) {
		t.Fatalf("%s has %d documents", page, len(documents))
	}
	return documents[i]
}

// TestDeploymentRolePolicies gives the same policy as an object and as JSON text, in two languages: to the role they
// are the same.
func TestDeploymentRolePolicies(t *testing.T) {
	t.Parallel()
	for _, language := range []string{"typescript", "python"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			s := harness.ProgramStack(t, l, language, "tests/programs/deployment-role-"+language)
			document := map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{
				"Sid": "Own", "Effect": "Allow", "Action": []string{"s3:GetObject"}, "Resource": "arn:aws:s3:::b/${aws:username}/*",
				"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": true}},
			}}}
			text, err := json.Marshal(document)
			harness.Check(t, err)
			policies, err := json.Marshal(map[string]any{"object": document, "text": string(text)})
			harness.Check(t, err)
			harness.Check(t, s.SetConfig(t.Context(), "policies", auto.ConfigValue{Value: string(policies)}))
			s.MustUp()
			want := harness.Canonical(t, string(text))
			harness.Same(t, "the policies", onlyRole(t, l).Policies, map[string]string{"object": want, "text": want})
			s.MustDestroy()
			withoutRoles(t, l)
		})
	}
}

// deployable makes a robot with an access key, and roles of three kinds: those that the robot may assume, those that
// trust it and are out of its reach, and those within its reach that do not trust it, or not so.
func deployable(ctx *pulumi.Context) error {
	robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
		UserName: pulumi.String("cicd-bot"), AssumableRoles: pulumi.ToStringArray([]string{"cicd/*"}),
	})
	if err != nil {
		return err
	}
	key, err := cicd.NewAccessKey(ctx, "robot", &cicd.AccessKeyArgs{UserName: robot.UserName})
	if err != nil {
		return err
	}
	own := pulumi.StringArray{robot.UserArn}
	others := pulumi.ToStringArray([]string{"arn:aws:iam::123456789012:user/other", runnerARN})
	on := func(bucket string, actions ...string) pulumi.Map {
		return pulumi.Map{"deploy": pulumi.Map{"Version": pulumi.String("2012-10-17"), "Statement": pulumi.Array{pulumi.Map{
			"Effect": pulumi.String("Allow"), "Action": pulumi.ToStringArray(actions),
			"Resource": pulumi.Sprintf("arn:aws:s3:::%s/*", bucket),
		}}}}
	}
	for name, args := range map[string]*cicd.DeploymentRoleArgs{
		"staging": {Trusted: own, InlinePolicies: on("staging", "s3:PutObject", "s3:DeleteObject")},
		"production": {
			Trusted: own, InlinePolicies: on("production", "s3:PutObject"),
			SessionNames: pulumi.ToStringArray([]string{"gha-*"}),
		},
		"by-user":   {Trusted: own, SessionNames: pulumi.ToStringArray([]string{"${aws:username}"})},
		"external":  {Trusted: own, ExternalId: pulumi.String("cust-17")},
		"near":      {Trusted: own, SourceIps: pulumi.ToStringArray([]string{"127.0.0.0/8"})},
		"far":       {Trusted: own, SourceIps: pulumi.ToStringArray([]string{"203.0.113.0/24"})},
		"elsewhere": {Trusted: own, Path: pulumi.String("/")},
		"of-others": {Trusted: others},
		"platform": {Trusted: own, InlinePolicies: pulumi.Map{"groups": pulumi.String(`{"Version":"2012-10-17","Statement":` +
			`[{"Effect":"Allow","Action":["iam:CreateGroup","iam:GetGroup","iam:DeleteGroup"],"Resource":"*"}]}`)}},
	} {
		args.RoleName = pulumi.String(name)
		if args.Path == nil {
			args.Path = pulumi.String("/cicd/")
		}
		if _, err := cicd.NewDeploymentRole(ctx, name, args); err != nil {
			return err
		}
	}
	ctx.Export("id", key.AccessKeyId)
	ctx.Export("secret", key.SecretAccessKey)
	return nil
}

// TestRobotDeploysUnderRoles has a robot, with its own access key and with policies enforced, assume its roles and no
// others, and do in the sessions what the roles allow and nothing else. moto decides on the policies of the user and
// of the roles, and the lab's front on those of trust.
func TestRobotDeploysUnderRoles(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, deployable)
	result, _ := s.MustUp()
	before := roles(t, l)
	id, _ := result.Outputs["id"].Value.(string)
	secret, _ := result.Outputs["secret"].Value.(string)
	for _, code := range callAWS(t, l, "test", "test", [][3]any{
		{"s3", "create_bucket", values{"Bucket": "staging"}}, {"s3", "create_bucket", values{"Bucket": "production"}},
	}) {
		if code != "" {
			t.Fatalf("making the buckets ends with %s", code)
		}
	}

	harness.Check(t, l.Enforce(t.Context(), true))
	robot := sts.NewFromConfig(l.ConfigFor(id, secret, ""))
	sessions := map[string]map[string]string{}
	for _, c := range []struct {
		role, session, externalID string
		allowed                   bool
	}{
		{"cicd/staging", "anything", "", true},
		{"cicd/production", "gha-17", "", true},
		{"cicd/production", "anything", "", false},
		{"cicd/by-user", "cicd-bot", "", true},
		{"cicd/by-user", "other", "", false},
		{"cicd/external", "x1", "cust-17", true},
		{"cicd/external", "x1", "cust-18", false},
		{"cicd/external", "x1", "", false},
		{"cicd/near", "x1", "", true},
		{"cicd/far", "x1", "", false},
		{"cicd/of-others", "x1", "", false},
		{"cicd/platform", "gha-18", "", true},
		{"elsewhere", "x1", "", false}, // It trusts the robot, whose own policy denies it.
	} {
		in := &sts.AssumeRoleInput{RoleArn: sdkaws.String(assumed + c.role), RoleSessionName: &c.session}
		if c.externalID != "" {
			in.ExternalId = &c.externalID
		}
		out, err := robot.AssumeRole(t.Context(), in)
		if (err == nil) != c.allowed || err != nil && !strings.Contains(err.Error(), "StatusCode: 403") {
			t.Errorf("assuming %s as %q with %q ends with %v", c.role, c.session, c.externalID, err)
		}
		if err == nil {
			sessions[c.role] = map[string]string{
				"AWS_ACCESS_KEY_ID": *out.Credentials.AccessKeyId, "AWS_SECRET_ACCESS_KEY": *out.Credentials.SecretAccessKey,
				"AWS_SESSION_TOKEN": *out.Credentials.SessionToken,
			}
		}
	}

	put := func(bucket string) [3]any {
		return [3]any{"s3", "put_object", values{"Bucket": bucket, "Key": "k"}}
	}
	remove := func(bucket string) [3]any {
		return [3]any{"s3", "delete_object", values{"Bucket": bucket, "Key": "k"}}
	}
	calls := [][3]any{
		put("staging"), remove("staging"), put("production"), remove("production"), {"s3", "list_buckets", values{}},
		{"iam", "list_roles", values{}}, {"iam", "create_access_key", values{"UserName": "cicd-bot"}},
		{"sts", "assume_role", values{"RoleArn": assumed + "cicd/platform", "RoleSessionName": "chained"}},
	}
	for role, allowed := range map[string][]bool{
		"cicd/staging":    {true, true, false, false, false, false, false, false},
		"cicd/production": {false, false, true, false, false, false, false, false},
		"cicd/near":       {false, false, false, false, false, false, false, false},
	} {
		for i, code := range callAWSWith(t, l, sessions[role], calls) {
			if (code == "") != allowed[i] || !allowed[i] && code != "AccessDenied" && code != "403" {
				t.Errorf("a session of %s: %v ends with %q", role, calls[i], code)
			}
		}
	}
	deployUnder(t, l, sessions["cicd/platform"])
	harness.Check(t, l.Enforce(t.Context(), false))

	harness.Same(t, "the roles after all", roles(t, l), before)
	s.Unchanged()
	s.MustDestroy()
	withoutRoles(t, l)
}

// deployUnder runs an update with the credentials of a session that may make groups, and no users.
func deployUnder(t *testing.T, l *lab.Lab, credentials map[string]string) {
	t.Helper()
	withUser := false
	env := l.Env()
	maps.Copy(env, credentials)
	s, err := auto.UpsertStackInlineSource(t.Context(), "under", "deployment", func(ctx *pulumi.Context) error {
		if _, err := iam.NewGroup(ctx, "group", nil); err != nil || !withUser {
			return err
		}
		_, err := iam.NewUser(ctx, "user", nil)
		return err
	}, auto.EnvVars(env), auto.WorkDir(t.TempDir()))
	harness.Check(t, err)
	_, err = s.Up(t.Context())
	harness.Check(t, err)
	withUser = true
	const denied = "CreateUser, https response error StatusCode: 403"
	if _, err = s.Up(t.Context()); err == nil || !strings.Contains(err.Error(), denied) {
		t.Errorf("an update that the role does not allow ends with %v", err)
	}
	_, err = s.Destroy(t.Context())
	harness.Check(t, err)
}

// TestDeploymentRoleOutlivesRobot destroys the robot and makes it again under the same name: its role is left alone,
// and goes on trusting it, though to AWS it is another user.
func TestDeploymentRoleOutlivesRobot(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	withRobot := true
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		trusted := pulumi.StringArray{pulumi.String(robotARN)}
		if withRobot {
			robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{UserName: pulumi.String("bot")})
			if err != nil {
				return err
			}
			trusted = pulumi.StringArray{robot.UserArn}
			ctx.Export("user", robot.UserUniqueId)
		}
		role, err := cicd.NewDeploymentRole(ctx, "role", &cicd.DeploymentRoleArgs{Trusted: trusted})
		if err != nil {
			return err
		}
		ctx.Export("trust", role.TrustPolicy)
		return nil
	})
	first, _ := s.MustUp()
	before := harness.Account(t, l).Roles

	withRobot = false
	_, steps := s.MustUp()
	if a := harness.Account(t, l); len(a.Users) != 0 || len(steps) != 4 {
		t.Errorf("without the robot, up takes %v, and leaves %s", steps, harness.Pretty(t, a.Users))
	}
	harness.Same(t, "the role without the robot", harness.Account(t, l).Roles, before)

	withRobot = true
	second, steps := s.MustUp()
	if got := texts(steps); len(got) != 4 || strings.Contains(lines(got), "Role role") {
		t.Errorf("with the robot again, up takes\n%s", lines(got))
	}
	harness.Same(t, "the role with the robot again", harness.Account(t, l).Roles, before)
	if first.Outputs["user"].Value == second.Outputs["user"].Value {
		t.Errorf("the user is the same: %v", first.Outputs["user"].Value)
	}
	trust, _ := second.Outputs["trust"].Value.(string)
	harness.SamePolicy(t, trust, harness.TrustPolicy("bot", ""))
	harness.SamePolicy(t, before[0].Trust, trust)
	s.Unchanged()
	s.MustDestroy()
	withoutRoles(t, l)
}

// TestDeploymentRoleBadInputs says that an update with bad inputs ends with one error that lists them all and shows no
// secret, and that nothing is made.
func TestDeploymentRoleBadInputs(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	args := &cicd.DeploymentRoleArgs{}
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		_, err := cicd.NewDeploymentRole(ctx, "role", args)
		return err
	})
	for _, bad := range []struct {
		args     cicd.DeploymentRoleArgs
		count    string
		problems []string
	}{
		{
			cicd.DeploymentRoleArgs{Trusted: pulumi.StringArray{}}, "invalid input:",
			[]string{"- trusted = a list: must have at least one element: name at least one user or role"},
		},
		{
			cicd.DeploymentRoleArgs{
				Trusted: pulumi.ToStringArray([]string{
					"*", "123456789012", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/*",
					"arn:aws:iam::123456789012:group/g", "arn:aws:sts::123456789012:assumed-role/r/s", robotARN,
				}),
				Path: pulumi.String("cicd"), MaxSessionDuration: pulumi.Int(900),
				ExternalId:     pulumi.ToSecret(pulumi.String("s3cr3t id")).(pulumi.StringOutput),
				SessionNames:   pulumi.ToStringArray([]string{"gha-*", "${aws:userid}"}),
				InlinePolicies: pulumi.Map{"deploy": pulumi.String(`{"Version":"2012-10-17"}`)},
			}, "11 invalid inputs:", []string{
				`- trusted[0] = "*": must not be everybody`, `- trusted[1] = "123456789012": must not be a whole account`,
				`- trusted[2] = "arn:aws:iam::123456789012:root": must not be a whole account`,
				`- trusted[3] = "arn:aws:iam::123456789012:user/*": must not have wildcards`, `must not be a group`,
				`must be the ARN of a role, and not of a session of one`, `- path = "cicd": must begin and end with a slash`,
				`- maxSessionDuration = 900: must be 3600 to 43200 seconds`, `- externalId = [secret]: must consist of`,
				`- sessionNames[1] = "${aws:userid}": must have no other policy variable`, `- inlinePolicies.deploy`,
			},
		},
		{
			// What only the account tells: its partition, and whose policies it can use.
			cicd.DeploymentRoleArgs{
				Trusted:           pulumi.ToStringArray([]string{"arn:aws-cn:iam::123456789012:user/bot"}),
				ManagedPolicyArns: pulumi.ToStringArray([]string{"arn:aws:iam::210987654321:policy/x"}),
			}, "2 invalid inputs:", []string{"- trusted[0] = ", "- managedPolicyArns[0] = "},
		},
	} {
		*args = bad.args
		_, _, err := s.TryUp()
		text := fmt.Sprint(err)
		want := "cicd:index:DeploymentRole resource 'role' has a problem: " + bad.count
		if !strings.Contains(text, want) || strings.Contains(text, "s3cr3t") {
			t.Errorf("the error is not %q:\n%s", want, text)
		}
		for _, problem := range bad.problems {
			if strings.Count(text, problem) != 1 {
				t.Errorf("the error does not say %q once:\n%s", problem, text)
			}
		}
	}
	if writes := l.Writes(); len(writes) != 0 {
		t.Errorf("AWS is called: %v", writes)
	}
	for urn := range s.Resources() {
		if strings.Contains(urn, "DeploymentRole") {
			t.Errorf("the state holds %s", urn)
		}
	}
}

// TestDeploymentRoleSessionTags says that robot and role allow sessions to be tagged where both are told to, and that
// the linter parliament finds nothing in the policies.
func TestDeploymentRoleSessionTags(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	s := harness.InlineStack(t, l, func(ctx *pulumi.Context) error {
		robot, err := cicd.NewRobotAccount(ctx, "robot", &cicd.RobotAccountArgs{
			UserName: pulumi.String("bot"), AssumableRoles: pulumi.ToStringArray([]string{"cicd/*"}),
			AllowSessionTags: pulumi.Bool(true),
		})
		if err != nil {
			return err
		}
		for name, patterns := range map[string]pulumi.StringArrayInput{
			"any": nil, "named": pulumi.ToStringArray([]string{"gha-*"}),
		} {
			if _, err := cicd.NewDeploymentRole(ctx, name, &cicd.DeploymentRoleArgs{
				RoleName: pulumi.String(name), Path: pulumi.String("/cicd/"), Trusted: pulumi.StringArray{robot.UserArn},
				AllowSessionTags: pulumi.Bool(true), SessionNames: patterns,
				InlinePolicies: pulumi.Map{"deploy": pulumi.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow",` +
					`"Action":["s3:PutObject","s3:DeleteObject"],"Resource":"arn:aws:s3:::bucket/*"}}`)},
			}); err != nil {
				return err
			}
		}
		return nil
	})
	s.MustUp()
	a := harness.Account(t, l)
	const both = `"sts:AssumeRole","sts:TagSession"`
	var documents []string
	for _, policy := range a.Groups[0].Policies {
		harness.SamePolicy(t, policy, strings.Replace(harness.AssumePolicy(assumed+"cicd/*"), `"sts:AssumeRole"`, "["+both+"]", 1))
		documents = append(documents, policy)
	}
	harness.SamePolicy(t, a.Roles[0].Trust, strings.Replace(harness.TrustPolicy("bot", ""), `"sts:AssumeRole"`, "["+both+"]", 1))
	named, plain := harness.TrustPolicy("bot", `,"StringLike":{"sts:RoleSessionName":"gha-*"}`), harness.TrustPolicy("bot", "")
	statement := func(policy string) string {
		_, s, _ := strings.Cut(strings.TrimSuffix(policy, "}"), `"Statement":`)
		return s
	}
	harness.SamePolicy(t, a.Roles[1].Trust, `{"Version":"2012-10-17","Statement":[`+statement(named)+`,`+
		strings.Replace(statement(plain), "sts:AssumeRole", "sts:TagSession", 1)+`]}`)

	// parliament reads the policies of identities. Those of trust it takes with a resource besides the principals.
	documents = append(documents, a.Roles[0].Policies["deploy"])
	for _, role := range a.Roles {
		readable := strings.ReplaceAll(role.Trust, `"Principal": `, `"Resource": "`+role.ARN+`", "Principal": `)
		if readable == role.Trust {
			t.Errorf("the trust policy has no principals: %s", role.Trust)
		}
		documents = append(documents, readable)
	}
	python := os.Getenv("CICD_TOOLS_PYTHON")
	for _, document := range documents {
		if findings := parliament(t, python, document); len(findings) != 0 {
			t.Errorf("parliament finds %s in %s", findings, document)
		}
	}
	wrong := strings.Replace(documents[len(documents)-1], "aws:PrincipalArn", "aws:PrincipalARM", 1)
	if findings := parliament(t, python, wrong); len(findings) == 0 {
		t.Errorf("parliament finds nothing in %s", wrong)
	}
	s.MustDestroy()
	withoutRoles(t, l)
}
