// The main package of the repository's folder is the plugin once more, for installations from source: Pulumi builds
// the folder that holds PulumiPlugin.yaml.
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
