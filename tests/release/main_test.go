// Package release checks what is published: archives, SDKs, schema, installation.
package release

import (
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }
