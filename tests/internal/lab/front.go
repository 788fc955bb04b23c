package lab

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// A Call is one call of an AWS API, as the endpoint saw it.
type Call struct {
	// Action is the action's name, such as CreateUser.
	Action string
	// Params are its parameters.
	Params url.Values
	// Status is the status of the answer.
	Status int
}

// front stands before moto: it notes all calls, and does what IAM does and moto 5.2.1 does not. It knows the
// permissions boundaries of users, keeps the tags of a user that is renamed or moved, and moves a group that keeps
// its name.
type front struct {
	url    *url.URL
	server *http.Server
	proxy  *httputil.ReverseProxy
	client *iam.Client // Of moto itself.

	mu         sync.Mutex
	calls      []Call
	boundaries map[string]string // By user.
}

func startFront(moto *url.URL) (*front, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	f := &front{
		url:        &url.URL{Scheme: "http", Host: l.Addr().String()},
		client:     iam.NewFromConfig(config(moto, defaultRegion, accessKeyID, secretAccessKey, "")),
		boundaries: map[string]string{},
		proxy: &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(moto)
			r.Out.Host = r.In.Host // It is signed.
		}},
	}
	f.proxy.ModifyResponse = f.addBoundary
	f.server = &http.Server{Handler: f} //nolint:gosec // A test's server, on loopback.
	go func() { _ = f.server.Serve(l) }()
	return f, nil
}

func (f *front) close() { _ = f.server.Close() }

// ServeHTTP passes a call on, and notes it.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	params, err := url.ParseQuery(string(body))
	if err != nil || !params.Has("Action") {
		params = url.Values{"Action": {r.Header.Get("X-Amz-Target")}} // A JSON protocol, or none.
	}
	call := Call{Action: params.Get("Action"), Params: params}
	answer := &statusWriter{ResponseWriter: w}
	if f.serveBoundary(answer, params) {
		f.note(call, answer.status)
		return
	}
	name := params.Get("GroupName")
	if call.Action == "UpdateGroup" && cmp.Or(params.Get("NewGroupName"), name) == name {
		body = []byte(f.moveGroup(r.Context(), params).Encode())
		r.ContentLength = int64(len(body))
	}
	if call.Action == "UpdateUser" {
		defer f.keepTags(r.Context(), params)()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.proxy.ServeHTTP(answer, r.WithContext(context.WithValue(r.Context(), callKey{}, call)))
	f.note(call, answer.status)
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
	w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(w, `<%[1]sResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata>`+
		`<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ResponseMetadata></%[1]sResponse>`, action)
	return true
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
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", fmt.Sprint(len(body)))
	return nil
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

// isWrite reports whether an action changes something.
func (c Call) isWrite() bool {
	for _, prefix := range []string{"Get", "List", "Describe"} {
		if strings.HasPrefix(c.Action, prefix) {
			return false
		}
	}
	return true
}
