//go:build tools

package main

// The next version of the AWS SDK, which release_test.go reads. It takes half a minute to compile, and nothing imports it.
import _ "github.com/pulumi/pulumi-aws/sdk/v7/go/aws"
