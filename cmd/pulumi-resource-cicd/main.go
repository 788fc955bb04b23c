// Command pulumi-resource-cicd is the Pulumi resource plugin of the package cicd. The Pulumi CLI starts it.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/pulumi-cicd/pulumi-cicd/provider"
)

func main() {
	if err := provider.Serve(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
