// Package chaos has the cloud, the network and the processes fail, and loads the plugin.
package chaos

import (
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
