package serve

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
)

// RecoverAsError turns a panic into an error when it is deferred: constructs run side by side in one process, and one
// panic would end them all in the middle of an update. The value of a panic is shown only if it is the runtime's own,
// since others could hold anything; the stack goes to the plugin's standard error.
func RecoverAsError(err *error) {
	r := recover()
	if r == nil {
		return
	}
	what := fmt.Sprintf("%T", r)
	var fault runtime.Error
	if e, ok := r.(error); ok && errors.As(e, &fault) {
		what = fault.Error()
	}
	fmt.Fprintf(os.Stderr, "panic: %s\n%s", what, debug.Stack())
	*err = fmt.Errorf("a defect in this plugin: panic: %s; please report it, with the plugin's version and the output "+
		"above", what)
}
