package lab

import (
	"context"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"

	"github.com/aws/aws-sdk-go-v2/service/iam"
)

// accessKey is what the front knows of an access key, by the calls that it has seen.
type accessKey struct {
	user     string // The name of the user who has it.
	born     string // The name that the user had when it was made, by which moto goes.
	inactive bool
}

var (
	oneKeyID    = regexp.MustCompile(`<AccessKeyId>([^<]+)</AccessKeyId>`)
	oneUserName = regexp.MustCompile(`<UserName>[^<]*</UserName>`)
)

// followKeys follows access keys through moto's answers, and puts the names of users who were renamed into them: moto
// leaves with every key the name that its user had once.
func (f *front) followKeys(resp *http.Response) error {
	call, _ := resp.Request.Context().Value(callKey{}).(Call)
	if resp.StatusCode != http.StatusOK || call.scope.service != "iam" {
		return nil
	}
	id, user := call.Params.Get("AccessKeyId"), call.Params.Get("UserName")
	f.mu.Lock()
	defer f.mu.Unlock()
	switch call.Action {
	case "CreateAccessKey":
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return err
		}
		if made := oneKeyID.FindSubmatch(body); made != nil && user != "" {
			f.keys[string(made[1])] = &accessKey{user: user, born: user}
		}
		return replaceBody(resp, body)
	case "UpdateAccessKey":
		if key := f.keys[id]; key != nil {
			key.inactive = call.Params.Get("Status") == "Inactive"
		}
	case "DeleteAccessKey":
		delete(f.keys, id)
	case "UpdateUser":
		if renamed := call.Params.Get("NewUserName"); renamed != "" {
			for _, key := range f.keys {
				if key.user == user {
					key.user = renamed
				}
			}
		}
	case "GetAccessKeyLastUsed":
		if key := f.keys[id]; key != nil {
			return setUserNames(resp, key.user)
		}
	case "ListAccessKeys":
		if user != "" {
			return setUserNames(resp, user)
		}
	}
	return nil
}

func setUserNames(resp *http.Response, name string) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return replaceBody(resp, oneUserName.ReplaceAllLiteral(body, []byte("<UserName>"+name+"</UserName>")))
}

// lendName gives a user who was renamed the earlier name for as long as it takes to delete one of the keys from then:
// under another name moto would leave the key with the user. It returns the call to make, and what to do after it.
func (f *front) lendName(ctx context.Context, params url.Values) (sent url.Values, done func()) {
	f.mu.Lock()
	key := f.keys[params.Get("AccessKeyId")]
	f.mu.Unlock()
	if key == nil || key.born == key.user || key.user != params.Get("UserName") {
		return params, func() {}
	}
	name, born := key.user, key.born
	// moto would rename one user over another.
	if _, err := f.client.GetUser(ctx, &iam.GetUserInput{UserName: &born}); err == nil {
		return params, func() {}
	}
	_, _ = f.client.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &name, NewUserName: &born})
	lent := maps.Clone(params)
	lent.Set("UserName", born)
	return lent, func() {
		_, _ = f.client.UpdateUser(ctx, &iam.UpdateUserInput{UserName: &born, NewUserName: &name})
	}
}

// refuseInactive refuses a call with a key that is switched off, which moto does not tell from others. Like moto, it
// does so only where policies are enforced.
func (f *front) refuseInactive(w http.ResponseWriter, call Call) bool {
	f.mu.Lock()
	key := f.keys[call.scope.key]
	refused := f.enforcing && key != nil && key.inactive
	f.mu.Unlock()
	if !refused {
		return false
	}
	status, code := http.StatusForbidden, "InvalidClientTokenId"
	if call.scope.service != "iam" && call.scope.service != "sts" {
		status, code = http.StatusBadRequest, "UnrecognizedClientException"
	}
	writeError(w, call.scope.service, status, code, "The security token included in the request is invalid.")
	return true
}
