package lab

import "net/http"

// A Fault stands in for the network between a caller and the account. It passes the call on with serve, which
// writes the answer, or answers itself, or does neither.
type Fault func(w http.ResponseWriter, call Call, serve func(http.ResponseWriter))

// Inject has a fault happen to all calls from now on, or none with nil.
func (l *Lab) Inject(fault Fault) {
	if fault == nil {
		l.front.fault.Store(nil)
		return
	}
	l.front.fault.Store(&fault)
}

// Settle returns when all calls that have arrived are served, those of callers that are gone among them. Calls that
// arrive meanwhile wait.
func (l *Lab) Settle() {
	l.front.serving.Lock()
	defer l.front.serving.Unlock() //nolint:gocritic // Without the defer, it would be taken for a mistake.
}

// Refuse answers a call with an error, in the protocol of its service.
func Refuse(w http.ResponseWriter, call Call, status int, code, message string) {
	writeError(w, call.scope.service, status, code, message)
}
