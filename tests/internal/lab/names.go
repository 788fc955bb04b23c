package lab

import (
	"maps"
	"net/http"
	"net/url"
	"strings"
)

// entities are what IAM names, as the parameters and the actions have it. Two names that differ only in letter case are
// the same to it, and to moto they are not.
// Source: IAM User Guide, "IAM and AWS STS quotas", "IAM name requirements".
var entities = []string{"User", "Group", "Role"}

// storedNames returns the parameters of a call with each name as IAM has it, where it is asked for in other letters.
func (f *front) storedNames(call Call) url.Values {
	if call.scope.service != "iam" {
		return call.Params
	}
	params := call.Params
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, entity := range entities {
		given := params.Get(entity + "Name")
		if stored := f.names[entity][strings.ToLower(given)]; stored != "" && stored != given {
			params = maps.Clone(params)
			params.Set(entity+"Name", stored)
		}
	}
	return params
}

// refuseName refuses to give two users, groups or roles the same name. A rename by which only the letter case would
// change is refused too: https://github.com/noobaa/noobaa-core/pull/9323 has AWS's answer.
func (f *front) refuseName(w http.ResponseWriter, asked, call Call) bool {
	for _, entity := range entities {
		own, name := "", asked.Params.Get(entity+"Name")
		switch {
		case call.Action == "Update"+entity && call.Params.Has("New"+entity+"Name"):
			own, name = call.Params.Get(entity+"Name"), call.Params.Get("New"+entity+"Name")
		case call.Action != "Create"+entity:
			continue
		}
		f.mu.Lock()
		stored := f.names[entity][strings.ToLower(name)]
		f.mu.Unlock()
		if stored == "" || name == own {
			return false
		}
		writeError(w, "iam", http.StatusConflict, "EntityAlreadyExists", entity+" with name "+name+" already exists.")
		return true
	}
	return false
}

// followNames follows, by moto's answers, which names there are.
func (f *front) followNames(resp *http.Response) error {
	call, _ := resp.Request.Context().Value(callKey{}).(Call)
	if resp.StatusCode != http.StatusOK || call.scope.service != "iam" {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, entity := range entities {
		name, renamed := call.Params.Get(entity+"Name"), call.Params.Get("New"+entity+"Name")
		switch call.Action {
		case "Create" + entity:
			f.names[entity][strings.ToLower(name)] = name
		case "Delete" + entity:
			delete(f.names[entity], strings.ToLower(name))
		case "Update" + entity:
			if renamed != "" {
				delete(f.names[entity], strings.ToLower(name))
				f.names[entity][strings.ToLower(renamed)] = renamed
			}
		}
	}
	return nil
}
