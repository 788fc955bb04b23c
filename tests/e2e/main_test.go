// Package e2e runs whole programs from end to end: components, options, languages, access keys, the demo.
package e2e

import (
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
