package main

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	p "github.com/pulumi/pulumi-go-provider"
	"github.com/pulumi/pulumi/sdk/v3/go/property"
)

func TestUserDiff(t *testing.T) {
	state := values{
		"name": s("u"), "path": s("/"), "arn": s("a"), "uniqueId": s("i"), "forceDestroy": property.New(false),
		"tags": tags("a", "b"), "tagsAll": tags("a", "b"), "id": s("u"),
	}
	in := values{
		"name": s("u"), "path": s("/"), "forceDestroy": property.New(false),
		"tags": tags("a", "b"), "tagsAll": tags("a", "b"), "__defaults": list("forceDestroy", "path"),
	}
	runDiffs(t, user.token, []diffCase{
		{name: "same", state: state, in: in},
		{name: "imported state without forceDestroy", state: with(state, values{"forceDestroy": {}}), in: in},
		{name: "rename", state: state, in: with(in, values{"name": s("v")}), update: []string{"name"}},
		{name: "move", state: state, in: with(in, values{"path": s("/ci/")}), update: []string{"path"}},
		{name: "boundary", state: state, in: with(in, values{"permissionsBoundary": s("arn")}), update: []string{"permissionsBoundary"}},
		{name: "no boundary", state: with(state, values{"permissionsBoundary": s("arn")}), in: in, update: []string{"permissionsBoundary"}},
		{name: "forceDestroy", state: state, in: with(in, values{"forceDestroy": property.New(true)}), update: []string{"forceDestroy"}},
		{
			name: "no tags", state: state, in: with(in, values{"tags": {}, "tagsAll": tags()}),
			update: []string{"tags", "tagsAll"},
		},
		{name: "default tags only", state: state, in: with(in, values{"tagsAll": tags("a", "b", "c", "d")}), update: []string{"tagsAll"}},
	})
}

func TestUserLifecycle(t *testing.T) {
	h := live(t, moto(t), map[string]property.Value{
		"defaultTags": property.New(map[string]property.Value{"tags": tags("owner", "platform")}),
	})
	m := h.create(user.token, values{"name": s("cicd-bot"), "tags": tags("purpose", "ci", "old", "x")})
	expect(t, m.in, values{"path": s("/"), "forceDestroy": property.New(false), "__defaults": list("forceDestroy", "path")})
	expect(t, m.output, values{
		"arn": s("arn:aws:iam::123456789012:user/cicd-bot"), "tags": tags("purpose", "ci", "old", "x"),
		"tagsAll": tags("purpose", "ci", "old", "x", "owner", "platform"), "permissionsBoundary": {},
	})
	h.refresh(m, false)

	m = h.update(m, values{"name": s("cicd-bot"), "tags": tags("purpose", "cd")})
	expect(t, m.output, values{"tags": tags("purpose", "cd"), "tagsAll": tags("purpose", "cd", "owner", "platform")})

	// moto keys tags by ARN and loses them in a rename, so the rename goes without any.
	m = h.update(m, values{"name": s("cicd-bot"), "forceDestroy": property.New(true)})
	if err := h.Configure(t.Context(), p.ConfigureRequest{Args: configFor(h.endpoint, nil)}); err != nil {
		t.Fatal(err)
	}
	m = h.update(m, values{"name": s("cicd-bot"), "forceDestroy": property.New(true)})
	preview, err := h.Update(t.Context(), p.UpdateRequest{
		ID: m.id, Urn: urnOf(user.token), State: m.output, DryRun: true,
		Inputs: h.check(user.token, m.in, values{"name": s("deploy-bot"), "path": s("/ci/")}),
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, preview.Properties, values{"name": s("deploy-bot"), "arn": m.output.Get("arn"), "uniqueId": m.output.Get("uniqueId")})
	m = h.update(m, values{"name": s("deploy-bot"), "path": s("/ci/"), "forceDestroy": property.New(true)})
	expect(t, m.output, values{
		"name": s("deploy-bot"), "id": s("deploy-bot"), "arn": s("arn:aws:iam::123456789012:user/ci/deploy-bot"),
	})
	h.refresh(m, false)
	read := h.importID(user.token, "deploy-bot")
	expect(t, read.Inputs, values{"name": s("deploy-bot"), "path": s("/ci/"), "forceDestroy": {}})

	// forceDestroy removes what would keep a user; the group is left with it or without.
	c := h.clients()
	name := aws.String("deploy-bot")
	if _, err := c.iam.CreateAccessKey(t.Context(), &iam.CreateAccessKeyInput{UserName: name}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.iam.CreateLoginProfile(t.Context(), &iam.CreateLoginProfileInput{UserName: name, Password: aws.String("Passw0rd!x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := c.iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: name, PolicyName: aws.String("inline"), PolicyDocument: aws.String(allowTag),
	}); err != nil {
		t.Fatal(err)
	}
	h.create(group.token, values{"name": s("g")})
	if err := addUsers(t.Context(), c, "g", []string{"deploy-bot"}); err != nil {
		t.Fatal(err)
	}
	h.remove(m)
	if out, err := c.iam.GetGroup(t.Context(), &iam.GetGroupInput{GroupName: aws.String("g")}); err != nil || len(out.Users) > 0 {
		t.Errorf("the deleted user is still a member: %v %v", out, err)
	}
}

func TestUserDeleteConflict(t *testing.T) {
	h := live(t, moto(t), nil)
	m := h.create(user.token, values{"name": s("u")})
	if _, err := h.clients().iam.PutUserPolicy(t.Context(), &iam.PutUserPolicyInput{
		UserName: aws.String("u"), PolicyName: aws.String("inline"), PolicyDocument: aws.String(allowTag),
	}); err != nil {
		t.Fatal(err)
	}
	err := h.Delete(t.Context(), p.DeleteRequest{ID: m.id, Urn: urnOf(m.token), Properties: m.output})
	if err == nil || !strings.Contains(err.Error(), "deleting IAM user (u)") || !strings.Contains(err.Error(), "DeleteConflict") {
		t.Errorf("deleting a user with a policy: %v", err)
	}
	_, err = h.Create(t.Context(), p.CreateRequest{Urn: urnOf(m.token), Properties: m.in})
	if err == nil || !strings.Contains(err.Error(), "creating IAM user (u)") {
		t.Errorf("creating a user that exists: %v", err)
	}
}

// TestUserPermissionsBoundary looks at the requests, because moto has no boundaries of users.
func TestUserPermissionsBoundary(t *testing.T) {
	getUser := func(boundary string) string {
		if boundary != "" {
			boundary = "<PermissionsBoundary><PermissionsBoundaryArn>" + boundary + "</PermissionsBoundaryArn></PermissionsBoundary>"
		}
		return "<User><UserName>u</UserName><Path>/</Path><Arn>arn:aws:iam::123456789012:user/u</Arn><UserId>AIDA</UserId>" + boundary + "</User>"
	}
	fake := newFakeAWS(t, map[string]string{
		"CreateUser": getUser("arn:one"), "GetUser": getUser("arn:one"),
		"PutUserPermissionsBoundary": "", "DeleteUserPermissionsBoundary": "",
	})
	h := live(t, fake.URL, nil)
	m := h.create(user.token, values{"name": s("u"), "permissionsBoundary": s("arn:one")})
	expect(t, m.output, values{"permissionsBoundary": s("arn:one")})
	if got := fake.last("CreateUser")["PermissionsBoundary"]; got != "arn:one" {
		t.Errorf("created with boundary %q", got)
	}
	fake.actions()
	fake.results["GetUser"] = getUser("arn:two")
	m = h.update(m, values{"name": s("u"), "permissionsBoundary": s("arn:two")})
	if got := fake.last("PutUserPermissionsBoundary"); got["PermissionsBoundary"] != "arn:two" || got["UserName"] != "u" {
		t.Errorf("asked %v", got)
	}
	fake.actions()
	fake.results["GetUser"] = getUser("")
	m = h.update(m, values{"name": s("u")})
	expect(t, m.output, values{"permissionsBoundary": {}})
	if got := fake.actions(); !slices.Equal(got, []string{"DeleteUserPermissionsBoundary", "GetUser"}) {
		t.Errorf("asked %v", got)
	}

	// A call that fails half-way leaves what there is in the state.
	delete(fake.results, "PutUserPermissionsBoundary")
	checked := h.check(user.token, m.in, values{"name": s("u"), "permissionsBoundary": s("arn:two")})
	response, err := h.Update(t.Context(), p.UpdateRequest{ID: m.id, Urn: urnOf(m.token), State: m.output, Inputs: checked})
	if err == nil || response.PartialState == nil || !response.Properties.Get("permissionsBoundary").IsNull() {
		t.Errorf("after a failed update: %+v %v", response, err)
	}
}
