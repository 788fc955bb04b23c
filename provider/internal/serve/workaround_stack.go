package serve

// onNewStack calls f in a goroutine of its own, and so with an empty stack: the Pulumi SDK sends the engine, with each
// resource, the file and line of every call on the stack, most of which are gRPC's and the SDK's own.
//
// Needless once the SDK sends only those of the program: TestSDKSendsItsOwnStack fails then. Seen in v3.259.0; no
// upstream issue is known.
func onNewStack[T any](f func() (T, error)) (result T, err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer RecoverAsError(&err)
		result, err = f()
	}()
	<-done
	return result, err
}
