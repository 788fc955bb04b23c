package lab

import (
	"net/http"
	"time"
)

// AgeKeys makes every access key that there is now older in what IAM tells of it. Ages add up, and keys that are made
// later have their own.
func (l *Lab) AgeKeys(by time.Duration) {
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	for _, key := range l.front.keys {
		key.created = key.created.Add(-by)
	}
}

// LagKeys has IAM list access keys as they were some time ago, with those that were deleted since. It is 0 at first.
// What is asked by a key's id is as it is.
func (l *Lab) LagKeys(by time.Duration) {
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	l.front.listsLag = by
}

// NewKeysTake has access keys refused, where policies are enforced, until some time after they were made. It is 0 at
// first.
func (l *Lab) NewKeysTake(d time.Duration) {
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	l.front.newKeysTake = d
}

// LagNewUsers has IAM not find a user, or list the user's keys, until some time after the user was made. It is 0 at
// first.
func (l *Lab) LagNewUsers(d time.Duration) {
	l.front.mu.Lock()
	defer l.front.mu.Unlock()
	l.front.newUsersLag = d
}

// refuseNewUser does not find a user who is too new.
func (f *front) refuseNewUser(w http.ResponseWriter, call Call) bool {
	if call.scope.key == readerKeyID || (call.Action != "GetUser" && call.Action != "ListAccessKeys") {
		return false
	}
	name := call.Params.Get("UserName")
	f.mu.Lock()
	made, known := f.users[name]
	found := !known || f.now().Sub(made) >= f.newUsersLag
	f.mu.Unlock()
	if found {
		return false
	}
	writeError(w, "iam", http.StatusNotFound, "NoSuchEntity", "The user with name "+name+" cannot be found.")
	return true
}

// followUsers follows, by moto's answers, when users were made.
func (f *front) followUsers(resp *http.Response) error {
	call, _ := resp.Request.Context().Value(callKey{}).(Call)
	if resp.StatusCode != http.StatusOK {
		return nil
	}
	name := call.Params.Get("UserName")
	f.mu.Lock()
	defer f.mu.Unlock()
	switch call.Action {
	case "CreateUser":
		f.users[name] = f.now()
	case "UpdateUser":
		if made, known := f.users[name]; known && call.Params.Get("NewUserName") != "" {
			delete(f.users, name)
			f.users[call.Params.Get("NewUserName")] = made
		}
	case "DeleteUser":
		delete(f.users, name)
	}
	return nil
}
