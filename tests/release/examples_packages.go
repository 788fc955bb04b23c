//go:build examples

package release

// The Go programs in examples/ import these packages. go.mod pins them here, for the vet of those programs.
import (
	_ "github.com/pulumi/pulumi-github/sdk/v6/go/github"
	_ "github.com/pulumi/pulumi-gitlab/sdk/v10/go/gitlab"
)
