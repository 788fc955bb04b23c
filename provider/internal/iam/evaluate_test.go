package iam

import (
	"path"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/internal/iamtest"
)

// call is one call of sts:AssumeRole, as IAM sees it.
type call struct {
	// caller is the ARN of the user, or of the role whose session calls.
	caller string
	// uniqueID is the ID that IAM gave the caller. No policy here may depend on it.
	uniqueID    string
	role        string
	sessionName string
	externalID  string
	sourceIP    string
	tags        map[string]string
}

// allowed reports whether IAM allows the call: the trust policy of the role and the caller's own policies must both
// allow each action that the call needs. The caller's account, as a principal, stands for all that the account's own
// policies let call.
// Source: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic".
func (c call) allowed(t *testing.T, trustPolicy string, identityPolicies ...string) bool {
	t.Helper()
	actions := []string{"sts:AssumeRole"}
	if len(c.tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	for _, action := range actions {
		r := c.request(action)
		if !iamtest.Allowed(t, iamtest.Policies{Identity: identityPolicies}, r) || !iamtest.TrustAllows(t, trustPolicy, r) {
			return false
		}
	}
	return true
}

// context returns the condition keys of the call that are there when IAM decides on the action. Of those of the
// request, the Service Authorization Reference names the first two for sts:AssumeRole alone.
func (c call) context(action string) map[string]string {
	keys := map[string]string{"aws:PrincipalArn": c.caller, "aws:SourceIp": c.sourceIP, "aws:userid": c.uniqueID}
	if action == "sts:AssumeRole" {
		keys["sts:RoleSessionName"] = c.sessionName
		if c.externalID != "" {
			keys["sts:ExternalId"] = c.externalID
		}
	}
	if _, user, isUser := strings.Cut(c.caller, ":user/"); isUser {
		keys["aws:username"] = path.Base(user)
	}
	return keys
}

// request returns the call as a request for one of the actions that it needs.
func (c call) request(action string) iamtest.Request {
	account := strings.Join(strings.Split(c.caller, ":")[:5], ":") + ":root"
	return iamtest.Request{Action: action, AWS: account, Resource: c.role, Keys: c.context(action)}
}

// TestTrustPolicyDecides says whom a trust policy lets in.
func TestTrustPolicyDecides(t *testing.T) {
	t.Parallel()
	const (
		target = "arn:aws:iam::123456789012:role/cicd/staging"
		robot  = "arn:aws:iam::123456789012:user/cicd/bot"
		away   = "arn:aws:iam::210987654321:user/cicd/bot"
		runner = "arn:aws:iam::210987654321:role/runners/gha"
	)
	// What a robot may do by its own policy, and what one may that can do everything.
	ofRobot, err := assumeRolePolicy([]string{"cicd/*"}, nil, false)
	if err != nil {
		t.Fatal(err)
	}
	ofTagger, err := assumeRolePolicy([]string{"cicd/*"}, nil, true)
	if err != nil {
		t.Fatal(err)
	}
	const ofAdmin = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Action":["sts:AssumeRole","sts:TagSession"],"Resource":"*"}]}`
	const ofNobody = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}`

	base := call{
		caller: robot, uniqueID: "AIDA1", role: target, sessionName: "gha-17", externalID: "secret-17", sourceIP: "203.0.113.9",
	}
	with := func(changes ...func(*call)) call {
		c := base
		for _, change := range changes {
			change(&c)
		}
		return c
	}
	caller := func(arn string) func(*call) { return func(c *call) { c.caller = arn } }
	session := func(name string) func(*call) { return func(c *call) { c.sessionName = name } }
	external := func(id string) func(*call) { return func(c *call) { c.externalID = id } }
	from := func(ip string) func(*call) { return func(c *call) { c.sourceIP = ip } }
	recreated := func(c *call) { c.uniqueID = "AIDA2" }
	tagged := func(c *call) { c.tags = map[string]string{"Branch": "main"} }

	just := Trust{Principals: []string{robot}}
	several := Trust{Principals: []string{robot, away, runner}}
	named := Trust{Principals: []string{robot, away}, SessionNames: []string{"gha-*", "nightly-?"}}
	byUser := Trust{Principals: []string{robot, away}, SessionNames: []string{"${aws:username}", "ci-${aws:username}-*"}}
	mixed := Trust{Principals: []string{robot, runner}, SessionNames: []string{"${aws:username}", "gha-*"}}
	asked := Trust{Principals: []string{robot}, ExternalID: "secret-17"}
	office := Trust{Principals: []string{robot}, Sources: ranges("203.0.113.0/24", "2001:db8::/32")}
	tags := Trust{Principals: []string{robot}, SessionTags: true}
	all := Trust{
		Principals: []string{robot}, SessionNames: []string{"gha-*"}, ExternalID: "secret-17",
		Sources: ranges("203.0.113.0/24"), SessionTags: true,
	}

	for name, tt := range map[string]struct {
		trust Trust
		call  call
		own   string
		want  bool
	}{
		"the robot":                                        {just, base, ofRobot, true},
		"the robot, with more than it needs":               {just, base, ofAdmin, true},
		"the robot, without a policy of its own":           {just, base, ofNobody, false},
		"the robot, deleted and made again":                {just, with(recreated), ofRobot, true},
		"an administrator of the same account":             {just, with(caller("arn:aws:iam::123456789012:user/admin")), ofAdmin, false},
		"the account's root user":                          {just, with(caller("arn:aws:iam::123456789012:root")), ofAdmin, false},
		"the same name in another path":                    {just, with(caller("arn:aws:iam::123456789012:user/bot")), ofAdmin, false},
		"a name that begins in the same way":               {just, with(caller(robot + "2")), ofAdmin, false},
		"the same name in another case":                    {just, with(caller("arn:aws:iam::123456789012:user/cicd/Bot")), ofAdmin, false},
		"a role of the same name":                          {just, with(caller("arn:aws:iam::123456789012:role/cicd/bot")), ofAdmin, false},
		"the same user of another account":                 {just, with(caller(away)), ofAdmin, false},
		"the same user in another partition":               {just, with(caller("arn:aws-cn:iam::123456789012:user/cicd/bot")), ofAdmin, false},
		"any name, identity and address":                   {just, with(session("x"), external(""), from("2001:db8::1")), ofRobot, true},
		"an external ID that nobody asked for":             {just, with(external("other")), ofRobot, true},
		"tags, which are not allowed":                      {just, with(tagged), ofAdmin, false},
		"several: the robot":                               {several, base, ofRobot, true},
		"several: the user of another account":             {several, with(caller(away)), ofAdmin, true},
		"several: a session of the role":                   {several, with(caller(runner)), ofAdmin, true},
		"several: another role":                            {several, with(caller("arn:aws:iam::210987654321:role/runners/gha2")), ofAdmin, false},
		"several: the role's name in the wrong account":    {several, with(caller("arn:aws:iam::123456789012:role/runners/gha")), ofAdmin, false},
		"session names: one":                               {named, base, ofRobot, true},
		"session names: the other":                         {named, with(session("nightly-1")), ofRobot, true},
		"session names: too long for ?":                    {named, with(session("nightly-12")), ofRobot, false},
		"session names: another":                           {named, with(session("me")), ofRobot, false},
		"session names: in another case":                   {named, with(session("GHA-17")), ofRobot, false},
		"session names: in the middle":                     {named, with(session("x-gha-17")), ofRobot, false},
		"user name: its own":                               {byUser, with(session("bot")), ofRobot, true},
		"user name: its own within":                        {byUser, with(session("ci-bot-17")), ofRobot, true},
		"user name: another's":                             {byUser, with(session("admin")), ofRobot, false},
		"user name: the variable itself":                   {byUser, with(session("${aws:username}")), ofRobot, false},
		"user name: of another account":                    {byUser, with(caller(away), session("bot")), ofAdmin, true},
		"user name or pattern: a role by the pattern":      {mixed, with(caller(runner)), ofAdmin, true},
		"user name or pattern: a role by its name":         {mixed, with(caller(runner), session("gha")), ofAdmin, false},
		"external ID: right":                               {asked, base, ofRobot, true},
		"external ID: missing":                             {asked, with(external("")), ofRobot, false},
		"external ID: wrong":                               {asked, with(external("secret-18")), ofRobot, false},
		"external ID: in another case":                     {asked, with(external("SECRET-17")), ofRobot, false},
		"source: within IPv4":                              {office, base, ofRobot, true},
		"source: within IPv6":                              {office, with(from("2001:db8:1::1")), ofRobot, true},
		"source: outside IPv4":                             {office, with(from("203.0.114.9")), ofRobot, false},
		"source: outside IPv6":                             {office, with(from("2001:db9::1")), ofRobot, false},
		"tags: allowed":                                    {tags, with(tagged), ofAdmin, true},
		"tags: allowed, without any":                       {tags, base, ofRobot, true},
		"tags: allowed, not by the robot's own policy":     {tags, with(tagged), ofRobot, false},
		"tags: allowed, by the robot's own policy too":     {tags, with(tagged), ofTagger, true},
		"tags: of another user":                            {tags, with(tagged, caller(away)), ofAdmin, false},
		"everything: right":                                {all, base, ofRobot, true},
		"everything: right, with tags":                     {all, with(tagged), ofAdmin, true},
		"everything: with tags, the wrong session name":    {all, with(tagged, session("me")), ofAdmin, false},
		"everything: with tags, without the external ID":   {all, with(tagged, external("")), ofAdmin, false},
		"everything: with tags, from outside":              {all, with(tagged, from("198.51.100.1")), ofAdmin, false},
		"everything: with tags, of another user":           {all, with(tagged, caller("arn:aws:iam::123456789012:user/admin")), ofAdmin, false},
		"everything: right but for the address":            {all, with(from("198.51.100.1")), ofRobot, false},
		"everything: right, by a user who is no longer it": {all, with(caller("arn:aws:iam::123456789012:user/cicd/bot-old")), ofAdmin, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			policy, err := tt.trust.Policy()
			if err != nil {
				t.Fatal(err)
			}
			if got := tt.call.allowed(t, policy, tt.own); got != tt.want {
				t.Errorf("allowed: %v, with the trust policy\n%s\nand the caller's\n%s", got, policy, tt.own)
			}
		})
	}
}
