package lab

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/pulumi-cicd/pulumi-cicd/internal/iamtest"
)

// A caller is who signs a call: a user with a key or with a session token, or a session of a role.
type caller struct {
	user, role string // The name of one of them.
	// issued is when the temporary credentials were issued; a key has no such time.
	issued time.Time
}

// caller returns who has a key or temporary credentials, by their ID. The caller holds the lock.
func (f *front) caller(id string) (who caller, known bool) {
	if key := f.key(id); key != nil {
		return caller{user: key.user}, true
	}
	who, known = f.temporary[id]
	return who, known
}

// AgeTokens makes all temporary credentials that there are older, or with a negative duration younger, in what IAM
// tells of them.
func (l *Lab) AgeTokens(by time.Duration) {
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	for id, who := range l.front.temporary {
		who.issued = who.issued.Add(-by)
		l.front.temporary[id] = who
	}
}

// noteSession notes a session of a role.
func (f *front) noteSession(id, roleARN string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.temporary[id] = caller{role: path.Base(roleARN), issued: f.now()}
}

// followSessions follows sessions of roles through moto's answers.
func (f *front) followSessions(resp *http.Response) error {
	call, _ := resp.Request.Context().Value(callKey{}).(Call)
	if resp.StatusCode != http.StatusOK || call.Action != "AssumeRole" {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if id := oneKeyID.FindSubmatch(body); id != nil {
		f.noteSession(string(id[1]), call.Params.Get("RoleArn"))
	}
	return replaceBody(resp, body)
}

// sessionToken is how STS answers GetSessionToken.
type sessionToken struct {
	XMLName     struct{} `xml:"https://sts.amazonaws.com/doc/2011-06-15/ GetSessionTokenResponse"`
	Credentials struct {
		AccessKeyID     string `xml:"AccessKeyId"`
		SecretAccessKey string
		SessionToken    string
		Expiration      string
	} `xml:"GetSessionTokenResult>Credentials"`
}

// serveSessionToken makes a session token of a user's key: moto gives everybody the same one. Whatever the user's
// policies say, a key that works gets one.
// Source: IAM User Guide, "Permissions for GetSessionToken".
func (f *front) serveSessionToken(w http.ResponseWriter, call Call) bool {
	if call.scope.service != "sts" || call.Action != "GetSessionToken" {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	key := f.key(call.scope.key)
	if key == nil {
		writeError(w, "sts", http.StatusForbidden, "AccessDenied", "Cannot call GetSessionToken with session credentials")
		return true
	}
	answer := &sessionToken{}
	answer.Credentials.AccessKeyID = "ASIA" + rand.Text()[:16]
	answer.Credentials.SecretAccessKey, answer.Credentials.SessionToken = rand.Text(), rand.Text()
	answer.Credentials.Expiration = f.now().Add(12 * time.Hour).UTC().Format(time.RFC3339)
	f.temporary[answer.Credentials.AccessKeyID] = caller{user: key.user, issued: f.now()}
	w.Header().Set("Content-Type", "text/xml")
	_ = xml.NewEncoder(w).Encode(answer)
	return true
}

// decideDenials decides in moto's place, where policies are enforced, on calls that a policy of the caller may deny:
// moto takes a denial under a condition for one without, and one on NotResource for leave. It also decides on calls
// with a user's session token, which moto does not know. If the call is allowed, moto takes it from anybody until done
// is called. Calls of everybody else are left to moto. The caller has moto to itself.
func (f *front) decideDenials(r *http.Request, call Call) (allowed bool, done func()) {
	f.mu.Lock()
	who, known := f.caller(call.scope.key)
	enforcing := f.enforcing
	f.mu.Unlock()
	if !enforcing || !known {
		return true, func() {}
	}
	ctx := context.WithoutCancel(r.Context())
	enforce := f.lift(ctx)
	arn, policies, err := f.policiesOf(ctx, who)
	denies := func(policy string) bool { return strings.Contains(policy, `"Deny"`) }
	hasToken := who.user != "" && !who.issued.IsZero()
	if err != nil || !hasToken && !slices.ContainsFunc(policies, denies) {
		enforce()
		return true, func() {}
	}
	keys := map[string]string{"aws:PrincipalArn": arn, "aws:SourceIp": sourceIP(r)}
	if who.user != "" {
		keys["aws:username"] = who.user
	}
	if !who.issued.IsZero() {
		keys["aws:TokenIssueTime"] = who.issued.UTC().Format(time.RFC3339)
	}
	action, resource := permission(r, call)
	allowed, err = iamtest.Policies{Identity: policies}.Allow(
		iamtest.Request{Action: action, Resource: resource, Keys: keys})
	if err != nil || !allowed {
		enforce()
		return false, func() {}
	}
	return true, enforce
}

// permission returns what IAM decides on when something is called: an action, and the ARN of a resource for the
// calls that tests deny by resource.
func permission(r *http.Request, call Call) (action, resource string) {
	switch {
	case call.Action == "AssumeRole":
		return "sts:AssumeRole", call.Params.Get("RoleArn")
	case call.scope.service != "s3":
		return call.scope.service + ":" + call.Action, "*"
	}
	bucket, key, _ := strings.Cut(strings.Trim(r.URL.Path, "/"), "/")
	object := map[string]string{
		http.MethodGet: "GetObject", http.MethodPut: "PutObject", http.MethodDelete: "DeleteObject",
	}
	onBucket := map[string]string{
		http.MethodGet: "ListBucket", http.MethodPut: "CreateBucket", http.MethodDelete: "DeleteBucket",
	}
	switch {
	case bucket == "":
		return "s3:ListAllMyBuckets", "*"
	case key == "":
		return "s3:" + onBucket[r.Method], "arn:aws:s3:::" + bucket
	}
	return "s3:" + object[r.Method], "arn:aws:s3:::" + bucket + "/" + key
}

// policiesOf returns the ARN of a user or role, and all policies that it has, those of groups too.
func (f *front) policiesOf(ctx context.Context, who caller) (arn string, policies []string, err error) {
	all, err := f.client.GetAccountAuthorizationDetails(ctx, &iam.GetAccountAuthorizationDetailsInput{})
	if err != nil {
		return "", nil, err
	}
	var inline []types.PolicyDetail
	var attached []types.AttachedPolicy
	var groups []string
	for _, user := range all.UserDetailList {
		if who.user != "" && aws.ToString(user.UserName) == who.user {
			arn, groups = aws.ToString(user.Arn), user.GroupList
			inline, attached = user.UserPolicyList, user.AttachedManagedPolicies
		}
	}
	for _, group := range all.GroupDetailList {
		if slices.Contains(groups, aws.ToString(group.GroupName)) {
			inline, attached = append(inline, group.GroupPolicyList...), append(attached, group.AttachedManagedPolicies...)
		}
	}
	for _, role := range all.RoleDetailList {
		if who.role != "" && aws.ToString(role.RoleName) == who.role {
			arn, inline, attached = aws.ToString(role.Arn), role.RolePolicyList, role.AttachedManagedPolicies
		}
	}
	if arn == "" {
		return "", nil, errors.New("there is no such caller")
	}
	add := func(document *string) {
		text, err2 := url.QueryUnescape(aws.ToString(document))
		policies, err = append(policies, text), errors.Join(err, err2)
	}
	for _, policy := range inline {
		add(policy.PolicyDocument)
	}
	for _, policy := range all.Policies {
		is := func(a types.AttachedPolicy) bool { return aws.ToString(a.PolicyArn) == aws.ToString(policy.Arn) }
		for _, version := range policy.PolicyVersionList {
			if version.IsDefaultVersion && slices.ContainsFunc(attached, is) {
				add(version.Document)
			}
		}
	}
	return arn, policies, err
}
