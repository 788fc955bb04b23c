package lab

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"math"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/go-jose/go-jose/v4"
	"golang.org/x/sync/semaphore"
)

// A Call is one call of an AWS API, as the endpoint saw it.
type Call struct {
	// Action is the action's name, such as CreateUser.
	Action string
	// Params are its parameters. Those of a JSON protocol that are not text are in JSON.
	Params url.Values
	// Status is the status of the answer.
	Status int

	// scope is what the call was signed with and for.
	scope scope
}

// front stands before moto: it notes all calls, and does what AWS does and moto 5.2.1 does not. It knows the
// permissions boundaries of users, keeps the tags and the access keys of a user that is renamed or moved, moves a
// group that keeps its name, keeps what an update of a role does not name, deletes no user and no group with anything
// left, tells no names apart that differ only in letter case, refuses keys that are switched off, knows whom a role
// trusts and what a policy denies, makes session tokens, believes only tokens of OpenID Connect that are signed, says
// of secrets that are to be deleted what AWS says, and is behind with users and keys where a test wants it.
type front struct {
	url    *url.URL
	server *http.Server
	proxy  *httputil.ReverseProxy
	client *iam.Client // Of moto itself.
	sts    *sts.Client // Of moto itself.
	secret func(region string) *secretsmanager.Client
	// control posts to one of moto's own paths.
	control func(ctx context.Context, path, body string) error

	mu         sync.Mutex
	calls      []Call
	boundaries map[string]string // By user.
	keys       map[string]*accessKey
	users      map[string]time.Time // When they were made.
	// names are those that there are, by kind and in lower case.
	names     map[string]map[string]string
	providers map[string]*provider // By ARN.
	// published are the keys that issuers publish, by their URLs.
	published map[string]*jose.JSONWebKeySet
	services  map[string]bool // Those that were called.
	// temporary are the callers with temporary credentials, by the ID of these.
	temporary map[string]caller
	enforcing bool

	// How far IAM is behind: see the lab's methods.
	listsLag, newKeysTake, newUsersLag time.Duration

	now   func() time.Time
	fault atomic.Pointer[Fault]

	// serving is held by the calls that have arrived and are not served yet.
	serving sync.RWMutex
	// passing is held by the calls that are with moto. A call for which the lab changes what moto enforces holds it alone.
	passing *semaphore.Weighted
}

// alone is the weight of a call that is with moto while no other is.
const alone = int64(math.MaxInt64)

func startFront(m *moto) (*front, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{
		url:        &url.URL{Scheme: "http", Host: l.Addr().String()},
		client:     iam.NewFromConfig(config(m.url, defaultRegion, accessKeyID, secretAccessKey, "")),
		sts:        sts.NewFromConfig(config(m.url, defaultRegion, accessKeyID, secretAccessKey, "")),
		boundaries: map[string]string{},
		keys:       map[string]*accessKey{},
		users:      map[string]time.Time{},
		names:      map[string]map[string]string{},
		providers:  map[string]*provider{},
		published:  map[string]*jose.JSONWebKeySet{},
		services:   map[string]bool{},
		temporary:  map[string]caller{},
		now:        time.Now,
		control:    m.control,
		passing:    semaphore.NewWeighted(alone),
		secret: func(region string) *secretsmanager.Client {
			return secretsmanager.NewFromConfig(config(m.url, region, accessKeyID, secretAccessKey, ""))
		},
		proxy: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(m.url)
			r.Out.Host = r.In.Host // It is signed.
		}},
	}
	for _, entity := range entities {
		f.names[entity] = map[string]string{}
	}
	f.proxy.ModifyResponse = func(resp *http.Response) error {
		for _, modify := range []func(*http.Response) error{
			f.addBoundary, f.followUsers, f.followNames, f.followKeys, f.followProviders, f.followSessions, f.sayScheduled,
		} {
			if err := modify(resp); err != nil {
				return err
			}
		}
		return nil
	}
	f.server = &http.Server{Handler: f} //nolint:gosec // A test's server, on loopback.
	go func() { _ = f.server.Serve(l) }()
	return f, nil
}

func (f *front) close() { _ = f.server.Close() }

// ServeHTTP passes a call on, and notes it, unless a fault is to happen to it. As with AWS, a call that has arrived is
// served to its end, whether or not the caller is still there.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, vaultPath) {
		serveVault(w, r)
		return
	}
	f.serving.RLock()
	defer f.serving.RUnlock()
	r = r.WithContext(context.WithoutCancel(r.Context()))
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	call := parseCall(r, body)
	if fault := f.fault.Load(); fault != nil {
		(*fault)(w, call, func(w http.ResponseWriter) { f.serve(w, r, call, body) })
		return
	}
	f.serve(w, r, call, body)
}

// serve answers a call, and notes it as it was asked.
func (f *front) serve(w http.ResponseWriter, r *http.Request, asked Call, body []byte) {
	answer := &statusWriter{ResponseWriter: w}
	defer func() { f.note(asked, answer.status) }()
	call := asked
	call.Params = f.storedNames(asked)
	params := call.Params
	if f.refuseKey(answer, call) || f.refuseNewUser(answer, call) || f.refuseName(answer, asked, call) ||
		f.refuseTags(answer, call) || f.refuseTrust(answer, call) || f.refuseDeletion(r.Context(), answer, call) ||
		f.serveBoundary(answer, params) || f.serveProvider(answer, call) || f.serveSessionToken(answer, call) {
		return
	}
	send := func(changed url.Values) {
		// What is sent as it came keeps its signature.
		if text := changed.Encode(); text != asked.Params.Encode() {
			body = []byte(text)
			r.ContentLength = int64(len(body))
		}
	}
	if call.scope.service == "iam" {
		send(params)
	}
	name := params.Get("GroupName")
	switch {
	case call.Action == "UpdateGroup" && cmp.Or(params.Get("NewGroupName"), name) == name:
		send(f.moveGroup(r.Context(), params))
	case call.Action == "UpdateUser":
		defer f.keepTags(r.Context(), params)()
	case call.Action == "UpdateRole":
		send(f.completeRole(r.Context(), params))
	case call.Action == "DeleteAccessKey":
		sent, done := f.lendName(r.Context(), params)
		defer done()
		send(sent)
	}
	// What the lab decides itself lifts moto's enforcement for a moment.
	weight := alone
	if !strings.HasPrefix(call.Action, "AssumeRole") && !f.isEnforcing() {
		weight = 1
	}
	if err := f.passing.Acquire(r.Context(), weight); err != nil {
		http.Error(w, err.Error(), http.StatusServiceUnavailable)
		return
	}
	defer f.passing.Release(weight)
	switch call.Action {
	case "AssumeRoleWithWebIdentity":
		f.serveWebIdentity(answer, r, params)
		return
	case "AssumeRole":
		trusted, done := f.decideTrust(r, call)
		if !trusted {
			writeError(answer, "sts", http.StatusForbidden, "AccessDenied", "The role does not trust the caller.")
			return
		}
		defer done()
	}
	allowed, done := f.decideDenials(r, call)
	if !allowed {
		service := call.scope.service
		if r.Header.Get("X-Amz-Target") == "" {
			service = "iam" // All that speak no JSON speak XML.
		}
		writeError(answer, service, http.StatusForbidden, "AccessDenied", "A policy denies the caller the call.")
		return
	}
	defer done()
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.proxy.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), callKey{}, call)))
}

// parseCall reads what is called from a request of AWS's query protocol or of its JSON protocol.
func parseCall(r *http.Request, body []byte) Call {
	call := Call{scope: parseScope(r.Header.Get("Authorization"))}
	params, err := url.ParseQuery(string(body))
	if err == nil && params.Has("Action") {
		call.Action, call.Params = params.Get("Action"), params
		return call
	}
	// Such as secretsmanager.CreateSecret, or nothing in other protocols.
	target := r.Header.Get("X-Amz-Target")
	call.Action = target[strings.LastIndex(target, ".")+1:]
	call.Params = url.Values{"Action": {call.Action}}
	var fields map[string]json.RawMessage
	if json.Unmarshal(body, &fields) == nil {
		for name, value := range fields {
			var text string
			if json.Unmarshal(value, &text) != nil {
				text = string(value)
			}
			call.Params.Set(name, text)
		}
	}
	return call
}

// scope is the scope of a request's signature.
type scope struct{ key, region, service string }

func parseScope(authorization string) scope {
	_, credential, _ := strings.Cut(authorization, "Credential=")
	credential, _, _ = strings.Cut(credential, ",")
	// key/date/region/service/aws4_request
	parts := append(strings.Split(credential, "/"), "", "", "")
	return scope{key: parts[0], region: parts[2], service: parts[3]}
}

// moveGroup moves a group that keeps its name: moto moves only those that are renamed. It moves the group under
// another name, and returns the call that gives its name back.
func (f *front) moveGroup(ctx context.Context, params url.Values) url.Values {
	name, path := params.Get("GroupName"), params.Get("NewPath")
	moving := name + "-moving"
	_, _ = f.client.UpdateGroup(ctx, &iam.UpdateGroupInput{GroupName: &name, NewGroupName: &moving, NewPath: &path})
	back := maps.Clone(params)
	back.Set("GroupName", moving)
	back.Set("NewGroupName", name)
	return back
}

// keepTags notes the tags of a user that is about to be renamed or moved. The function that it returns puts them
// back: moto files them under the user's ARN.
func (f *front) keepTags(ctx context.Context, params url.Values) func() {
	user := params.Get("UserName")
	tags, err := f.client.ListUserTags(ctx, &iam.ListUserTagsInput{UserName: &user})
	if err != nil || len(tags.Tags) == 0 {
		return func() {}
	}
	return func() {
		renamed := cmp.Or(params.Get("NewUserName"), user)
		_, _ = f.client.TagUser(ctx, &iam.TagUserInput{UserName: &renamed, Tags: tags.Tags})
	}
}

type callKey struct{}

func (f *front) note(call Call, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	call.Status = status
	f.calls = append(f.calls, call)
	f.services[call.scope.service] = true
}

// serveBoundary answers the two calls that moto does not know.
func (f *front) serveBoundary(w http.ResponseWriter, params url.Values) bool {
	action, user := params.Get("Action"), params.Get("UserName")
	switch action {
	case "PutUserPermissionsBoundary":
		f.setBoundary(user, params.Get("PermissionsBoundary"))
	case "DeleteUserPermissionsBoundary":
		f.setBoundary(user, "")
	default:
		return false
	}
	writeEmpty(w, action)
	return true
}

// writeEmpty answers a call of IAM that has nothing to tell.
func writeEmpty(w http.ResponseWriter, action string) {
	w.Header().Set("Content-Type", "text/xml")
	//nolint:gosec // No browser reads it.
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata>`+
		`<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></%[1]sResponse>`, action)
}

// writeError answers with an error, in the protocol of the service.
func writeError(w http.ResponseWriter, service string, status int, code, message string) {
	if service != "iam" && service != "sts" {
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		w.WriteHeader(status)
		_, _ = w.Write(jsonError(code, message))
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	w.WriteHeader(status)
	var escaped strings.Builder
	_ = xml.EscapeText(&escaped, []byte(message))
	_, _ = fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error>`+
		`<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>`, code, escaped.String())
}

func jsonError(code, message string) []byte {
	body, _ := json.Marshal(map[string]string{"__type": code, "message": message})
	return body
}

// refuseDeletion refuses to delete a user with access keys, groups or a password, and a group with members or policies:
// of these, moto minds a user's policies only.
func (f *front) refuseDeletion(ctx context.Context, w http.ResponseWriter, call Call) bool {
	left := ""
	switch call.Action {
	case "DeleteUser":
		left = f.leftOfUser(ctx, call.Params.Get("UserName"))
	case "DeleteGroup":
		left = f.leftOfGroup(ctx, call.Params.Get("GroupName"))
	}
	if left == "" {
		return false
	}
	writeError(w, "iam", http.StatusConflict, "DeleteConflict", "Cannot delete entity, must "+left+" first.")
	return true
}

// leftOfUser is what IAM wants done before a user is deleted, or nothing.
func (f *front) leftOfUser(ctx context.Context, name string) string {
	keys, err := f.client.ListAccessKeys(ctx, &iam.ListAccessKeysInput{UserName: &name})
	if err == nil && len(keys.AccessKeyMetadata) > 0 {
		return "delete access keys"
	}
	groups, err := f.client.ListGroupsForUser(ctx, &iam.ListGroupsForUserInput{UserName: &name})
	if err == nil && len(groups.Groups) > 0 {
		return "remove users from group"
	}
	if _, err := f.client.GetLoginProfile(ctx, &iam.GetLoginProfileInput{UserName: &name}); err == nil {
		return "delete login profile"
	}
	return ""
}

// leftOfGroup is what IAM wants done before a group is deleted, or nothing.
func (f *front) leftOfGroup(ctx context.Context, name string) string {
	group, err := f.client.GetGroup(ctx, &iam.GetGroupInput{GroupName: &name})
	if err == nil && len(group.Users) > 0 {
		return "remove users from group"
	}
	attached, err := f.client.ListAttachedGroupPolicies(ctx, &iam.ListAttachedGroupPoliciesInput{GroupName: &name})
	if err == nil && len(attached.AttachedPolicies) > 0 {
		return "detach all policies"
	}
	inline, err := f.client.ListGroupPolicies(ctx, &iam.ListGroupPoliciesInput{GroupName: &name})
	if err == nil && len(inline.PolicyNames) > 0 {
		return "delete policies"
	}
	return ""
}

// completeRole returns an update of a role with what it leaves out as it is: moto forgets that.
func (f *front) completeRole(ctx context.Context, params url.Values) url.Values {
	name := params.Get("RoleName")
	got, err := f.client.GetRole(ctx, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return params
	}
	complete := maps.Clone(params)
	if !params.Has("Description") {
		complete.Set("Description", aws.ToString(got.Role.Description))
	}
	if !params.Has("MaxSessionDuration") {
		complete.Set("MaxSessionDuration", fmt.Sprint(aws.ToInt32(got.Role.MaxSessionDuration)))
	}
	return complete
}

// sayScheduled has two errors say what AWS says of a secret that is to be deleted, by which AWS plugins tell it from
// others: moto has words of its own for its value, and takes its name for just taken.
func (f *front) sayScheduled(resp *http.Response) error {
	call, _ := resp.Request.Context().Value(callKey{}).(Call)
	if resp.StatusCode != http.StatusBadRequest || call.scope.service != "secretsmanager" {
		return nil
	}
	message := ""
	switch call.Action {
	case "GetSecretValue", "UpdateSecretVersionStage":
		message = "You can't perform this operation on the secret because it was marked for deletion."
		if !f.scheduled(resp.Request.Context(), call.scope.region, call.Params.Get("SecretId")) {
			return nil
		}
	case "CreateSecret":
		message = "You can't create this secret because a secret with this name is already scheduled for deletion."
		if !f.scheduled(resp.Request.Context(), call.scope.region, call.Params.Get("Name")) {
			return nil
		}
	default:
		return nil
	}
	resp.Header.Del("X-Amzn-Errortype") // It names the error too.
	return replaceBody(resp, jsonError("InvalidRequestException", message))
}

func (f *front) scheduled(ctx context.Context, region, id string) bool {
	got, err := f.secret(region).DescribeSecret(ctx, &secretsmanager.DescribeSecretInput{SecretId: &id})
	return err == nil && got.DeletedDate != nil
}

func replaceBody(resp *http.Response, body []byte) error {
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
	return nil
}

func (f *front) setBoundary(user, arn string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if arn == "" {
		delete(f.boundaries, user)
	} else {
		f.boundaries[user] = arn
	}
}

var endOfUser = regexp.MustCompile(`</UserName>`)

// addBoundary follows the users' boundaries through moto's answers, and adds them to those on one user.
func (f *front) addBoundary(resp *http.Response) error {
	call, _ := resp.Request.Context().Value(callKey{}).(Call)
	user := call.Params.Get("UserName")
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	switch call.Action {
	case "CreateUser":
		if arn := call.Params.Get("PermissionsBoundary"); arn != "" {
			f.boundaries[user] = arn
		}
	case "DeleteUser":
		delete(f.boundaries, user)
	case "UpdateUser":
		if renamed := call.Params.Get("NewUserName"); renamed != "" && f.boundaries[user] != "" {
			f.boundaries[renamed] = f.boundaries[user]
			if renamed != user {
				delete(f.boundaries, user)
			}
		}
	case "GetUser":
	default:
		return nil
	}
	arn := f.boundaries[user]
	if arn == "" || (call.Action != "GetUser" && call.Action != "CreateUser") {
		return nil
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	body = endOfUser.ReplaceAll(body, []byte("</UserName><PermissionsBoundary><PermissionsBoundaryType>Policy"+
		"</PermissionsBoundaryType><PermissionsBoundaryArn>"+arn+"</PermissionsBoundaryArn></PermissionsBoundary>"))
	return replaceBody(resp, body)
}

// used reports whether a service, by its name in signatures, was called.
func (f *front) used(service string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.services[service]
}

func (f *front) isEnforcing() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.enforcing
}

func (f *front) setEnforcing(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.enforcing = on
}

// forget forgets all that is known of the account.
func (f *front) forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = nil
	clear(f.boundaries)
	clear(f.keys)
	clear(f.users)
	for _, names := range f.names {
		clear(names)
	}
	clear(f.providers)
	clear(f.services)
	clear(f.temporary)
}

// taken returns the calls so far, and forgets them.
func (f *front) taken() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	return calls
}

func (f *front) boundary(user string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.boundaries[user]
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the status.
func (w *statusWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write notes that the status is 200, if none was written.
func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}

// IsWrite reports whether an action changes something.
func (c Call) IsWrite() bool {
	for _, prefix := range []string{"Get", "List", "Describe"} {
		if strings.HasPrefix(c.Action, prefix) {
			return false
		}
	}
	return true
}
