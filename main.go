// This is the plugin. It is at the root because Pulumi builds the folder that holds PulumiPlugin.yaml when it installs
// the plugin from source.
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
