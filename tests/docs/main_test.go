// Package docs checks the pages of documentation and what they show.
package docs

import (
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
