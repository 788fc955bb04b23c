package lab

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
)

// accessKey is what the front knows of an access key, by the calls that it has seen.
type accessKey struct {
	id   string
	user string // The name of the user who has it.
	born string // The name that the user had when it was made, by which moto goes.
	// created is when it was made, as IAM tells it.
	created time.Time
	// made and gone are when that happened by the front's clock. A key that is still there has no time in gone.
	made, gone time.Time
	// switches are the times at which it was switched on or off.
	switches []keySwitch
}

type keySwitch struct {
	at       time.Time
	inactive bool
}

func (k *accessKey) existsAt(t time.Time) bool {
	return !t.Before(k.made) && (k.gone.IsZero() || t.Before(k.gone))
}

func (k *accessKey) statusAt(t time.Time) types.StatusType {
	status := types.StatusTypeActive
	for _, s := range k.switches {
		switch {
		case t.Before(s.at):
		case s.inactive:
			status = types.StatusTypeInactive
		default:
			status = types.StatusTypeActive
		}
	}
	return status
}

var (
	oneKeyID    = regexp.MustCompile(`<AccessKeyId>([^<]+)</AccessKeyId>`)
	oneUserName = regexp.MustCompile(`<UserName>([^<]*)</UserName>`)
	oneDate     = regexp.MustCompile(`<CreateDate>([^<]+)</CreateDate>`)
	listedKeys  = regexp.MustCompile(`(?s)<AccessKeyMetadata/>|<AccessKeyMetadata>.*</AccessKeyMetadata>`)
)

// key is a key that is there, or nil. The caller holds the lock.
func (f *front) key(id string) *accessKey {
	if key := f.keys[id]; key != nil && key.gone.IsZero() {
		return key
	}
	return nil
}

// followKeys follows access keys through moto's answers. It puts the names of users who were renamed into them, since
// moto leaves with every key the name that its user had once, and lists keys by what it knows itself.
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
		return f.noteKey(resp)
	case "UpdateAccessKey":
		if key := f.key(id); key != nil {
			key.switches = append(key.switches, keySwitch{f.now(), call.Params.Get("Status") == "Inactive"})
		}
	case "DeleteAccessKey":
		if key := f.key(id); key != nil {
			key.gone = f.now()
		}
	case "UpdateUser":
		if renamed := call.Params.Get("NewUserName"); renamed != "" {
			for _, key := range f.keys {
				if key.user == user {
					key.user = renamed
				}
			}
		}
	case "DeleteUser":
		// Another user of that name never had these keys.
		maps.DeleteFunc(f.keys, func(_ string, key *accessKey) bool { return key.user == user })
	case "GetAccessKeyLastUsed":
		if key := f.key(id); key != nil {
			return replaceAll(resp, oneUserName, "<UserName>"+key.user+"</UserName>")
		}
	case "ListAccessKeys":
		if key := f.key(call.scope.key); key != nil && user == "" {
			user = key.user
		}
		if user == "" {
			return nil
		}
		at := f.now()
		if call.scope.key != readerKeyID {
			at = at.Add(-f.listsLag)
		}
		return replaceAll(resp, listedKeys, "<AccessKeyMetadata>"+f.listKeys(user, at)+"</AccessKeyMetadata>")
	}
	return nil
}

// noteKey notes a new key. The caller holds the lock.
func (f *front) noteKey(resp *http.Response) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	id, user, date := oneKeyID.FindSubmatch(body), oneUserName.FindSubmatch(body), oneDate.FindSubmatch(body)
	if id != nil && user != nil && date != nil {
		created, err := time.Parse(time.RFC3339, string(date[1]))
		if err != nil {
			return err
		}
		f.keys[string(id[1])] = &accessKey{
			id: string(id[1]), user: string(user[1]), born: string(user[1]), created: created, made: f.now(),
		}
	}
	return replaceBody(resp, body)
}

// listKeys is IAM's list of the keys that a user had at a time. The caller holds the lock.
func (f *front) listKeys(user string, at time.Time) string {
	var keys []*accessKey
	for _, key := range f.keys {
		if key.user == user && key.existsAt(at) {
			keys = append(keys, key)
		}
	}
	slices.SortFunc(keys, func(a, b *accessKey) int { return a.made.Compare(b.made) })
	var list strings.Builder
	for _, key := range keys {
		_, _ = fmt.Fprintf(&list, "<member><UserName>%s</UserName><AccessKeyId>%s</AccessKeyId><Status>%s</Status>"+
			"<CreateDate>%s</CreateDate></member>", user, key.id, key.statusAt(at), key.created.Format(time.RFC3339Nano))
	}
	return list.String()
}

// memberXML is a list of texts in an answer.
func memberXML(texts []string) string {
	var list strings.Builder
	for _, text := range texts {
		list.WriteString("<member>")
		_ = xml.EscapeText(&list, []byte(text))
		list.WriteString("</member>")
	}
	return list.String()
}

func replaceAll(resp *http.Response, old *regexp.Regexp, with string) error {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	return replaceBody(resp, old.ReplaceAllLiteral(body, []byte(with)))
}

// lendName gives a user who was renamed the earlier name for as long as it takes to delete one of the keys from then:
// under another name moto would leave the key with the user. It returns the call to make, and what to do after it.
func (f *front) lendName(ctx context.Context, params url.Values) (sent url.Values, done func()) {
	f.mu.Lock()
	key := f.key(params.Get("AccessKeyId"))
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

// refuseKey refuses a call with a key that is switched off or too new, which moto does not tell from others. Like moto,
// it does so only where policies are enforced.
func (f *front) refuseKey(w http.ResponseWriter, call Call) bool {
	f.mu.Lock()
	key, now := f.key(call.scope.key), f.now()
	refused := f.enforcing && key != nil &&
		(key.statusAt(now) == types.StatusTypeInactive || now.Sub(key.made) < f.newKeysTake)
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
