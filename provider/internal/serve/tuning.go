package serve

import (
	"fmt"
	"io"
	"log"
	"os"
	"runtime/debug"

	"github.com/pulumi/pulumi/sdk/v3/go/common/util/logging"
)

const (
	// maxVerbosity is the highest level of logging, as -v sets it. At the level above, the Pulumi SDK v3.259.0 logs every
	// value that it reads, and what is within a secret in the clear.
	maxVerbosity = 8
	// garbagePercent is how much garbage may gather, as GOGC sets it. What a construct leaves is nearly all garbage: at
	// Go's 100, collecting it took a sixth of the time of a construct.
	garbagePercent = 400
	// memoryLimit is how much memory, in bytes, Go may hold before it collects garbage all the same, as GOMEMLIMIT sets
	// it. The plugin holds 33 MB at rest. With it, 300 roles with policies of 9 kB held 80 MB instead of 130, in the same
	// time.
	memoryLimit = 48 << 20
	// maxConstructs is how many constructs run at once. Each holds some 300 kB until AWS has made its resources, and a
	// program asks for all of them at once. The engine makes four resources at a time per core, of which a construct may
	// have two, so with fewer cores than 32 nothing waits for it.
	maxConstructs = 64
)

// leavePayloadsOut keeps requests and answers out of the spans of the Pulumi SDK's traces: by default, it writes them
// there with the secrets in the clear. The SDK reads the variable for each server and each connection, the first of
// which MainContext makes before it calls tune. A user's own value is overridden: to see payloads is to see secrets.
func leavePayloadsOut() error {
	if err := os.Setenv("PULUMI_TRACING_NO_PAYLOADS", "true"); err != nil {
		return fmt.Errorf("keep secrets out of traces: %w", err)
	}
	return nil
}

// tune sets the process up, once the SDK has read the flags.
func tune() {
	logging.Verbose = min(logging.Verbose, maxVerbosity)
	// With http2debug in GODEBUG, gRPC logs the beginning of all that it sends and receives. The Pulumi SDK has log write
	// to its own logs.
	log.SetOutput(io.Discard)
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(memoryLimit)
	}
}
