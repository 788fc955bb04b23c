package harness

import (
	"net/http"
	"net/http/httptest"
	"sync"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// FirstOfEach has a fault happen to the calls that change something, to each once.
func FirstOfEach(fault lab.Fault) lab.Fault {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		mu.Lock()
		first := call.IsWrite() && !seen[call.Params.Encode()]
		seen[call.Params.Encode()] = true
		mu.Unlock()
		if first {
			fault(w, call, serve)
		} else {
			serve(w)
		}
	}
}

// FirstOf has a fault happen to the first call of an action.
func FirstOf(action string, fault lab.Fault) lab.Fault {
	var once sync.Once
	return AllOf(action, func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		first := false
		once.Do(func() { first = true })
		if first {
			fault(w, call, serve)
		} else {
			serve(w)
		}
	})
}

// AllOf has a fault happen to all calls of an action.
func AllOf(action string, fault lab.Fault) lab.Fault {
	return func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		if call.Action == action {
			fault(w, call, serve)
		} else {
			serve(w)
		}
	}
}

// Afterwards has a fault happen once AWS has done what it was called for.
func Afterwards(fault lab.Fault) lab.Fault {
	return func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		serve(httptest.NewRecorder())
		fault(w, call, nil)
	}
}
