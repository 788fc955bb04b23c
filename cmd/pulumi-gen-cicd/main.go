// Command pulumi-gen-cicd writes the package's schema, schema.json, and what is generated from it: the SDKs,
// sdk/{nodejs,python,dotnet,go}, and the page docs/reference.md. It needs no network and writes the same bytes every
// time.
//
// It calls the code generators as libraries, and not with `pulumi package gen-sdk`, so that no Pulumi CLI and
// no language host is needed. It is a module of its own, because what it requires would be taken for a plugin in the
// module that Pulumi builds from source: pulumi-dotnet, for a resource plugin named dotnet.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"

	dotnet "github.com/pulumi/pulumi-dotnet/pulumi-language-dotnet/v3/codegen"
	golang "github.com/pulumi/pulumi/pkg/v3/codegen/go"
	"github.com/pulumi/pulumi/pkg/v3/codegen/nodejs"
	"github.com/pulumi/pulumi/pkg/v3/codegen/python"
	"github.com/pulumi/pulumi/pkg/v3/codegen/schema"
	"golang.org/x/mod/modfile"

	"github.com/pulumi-cicd/pulumi-cicd/provider"
)

func main() {
	version := flag.String("version", provider.Version, "the version of the SDKs")
	root := flag.String("root", ".", "the repository's folder")
	out := flag.String("out", "", "the folder to write schema.json, sdk and docs to (default: the repository's)")
	flag.Parse()
	if *out == "" {
		*out = *root
	}
	if err := generate(*root, *out, *version); err != nil {
		fmt.Fprintln(os.Stderr, "pulumi-gen-cicd:", err)
		os.Exit(1)
	}
}

// generator makes the files of one language's SDK.
type generator func(pkg *schema.Package) (map[string][]byte, error)

const tool = "pulumi-gen-cicd"

var generators = map[string]generator{
	"nodejs": func(pkg *schema.Package) (map[string][]byte, error) {
		return nodejs.GeneratePackage(tool, pkg, nil, nil, false, nil)
	},
	"python": func(pkg *schema.Package) (map[string][]byte, error) {
		files, err := python.GeneratePackage(tool, pkg, nil, nil)
		// pyproject.toml names the file here, and the generator puts it into the package.
		if info, ok := pkg.Language["python"].(python.PackageInfo); ok && err == nil {
			files["README.md"] = files[info.PackageName+"/README.md"]
		}
		return files, err
	},
	"dotnet": func(pkg *schema.Package) (map[string][]byte, error) {
		return dotnet.GeneratePackage(tool, pkg, nil, nil)
	},
	"go": func(pkg *schema.Package) (map[string][]byte, error) {
		return golang.GeneratePackage(tool, pkg, nil)
	},
}

func generate(root, out, version string) error {
	spec, err := provider.Schema(context.Background(), version)
	if err != nil {
		return err
	}
	// The plugin says its own version, so that a release changes no file.
	unversioned := spec
	unversioned.Version = ""
	text, err := marshal(unversioned)
	if err != nil {
		return fmt.Errorf("write the schema: %w", err)
	}
	if err := writeFile(filepath.Join(out, "schema.json"), text); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(out, "docs", "reference.md"), reference(spec)); err != nil {
		return err
	}

	logo, err := os.ReadFile(filepath.Join(root, "docs", "logo.png")) //nolint:gosec // A flag of the caller.
	if err != nil {
		return err
	}
	http.DefaultTransport = logoTransport{url: spec.LogoURL, logo: logo}
	for _, language := range slices.Sorted(maps.Keys(generators)) {
		// The generators change the package that they are given, so that each gets its own.
		pkg, err := schema.ImportSpec(spec, map[string]schema.Language{
			"nodejs": nodejs.Importer, "python": python.Importer, "csharp": dotnet.Importer, "go": golang.Importer,
		}, schema.NewNullLoader(), schema.ValidationOptions{})
		if err != nil {
			return fmt.Errorf("read the schema for %s: %w", language, err)
		}
		files, err := generators[language](pkg)
		if err != nil {
			return fmt.Errorf("generate the SDK for %s: %w", language, err)
		}
		if language == "go" {
			info, ok := pkg.Language["go"].(golang.GoPackageInfo)
			if !ok {
				return fmt.Errorf("the schema says nothing about Go: %v", pkg.Language["go"])
			}
			if err := addGoModule(files, root, info.ImportBasePath); err != nil {
				return err
			}
		}
		if err := replaceFolder(filepath.Join(out, "sdk", language), files); err != nil {
			return err
		}
	}
	return nil
}

// addGoModule adds the module files of the Go SDK: those of the repository's own module under the SDK's name, which "go
// mod tidy" reduces to what the SDK needs. So the SDK requires the versions that the plugin is tested and scanned with.
func addGoModule(files map[string][]byte, root, importPath string) error {
	text, err := os.ReadFile(filepath.Join(root, "go.mod")) //nolint:gosec // A flag of the caller.
	if err != nil {
		return err
	}
	mod, err := modfile.Parse("go.mod", text, nil)
	if err != nil {
		return err
	}
	mod.DropToolchainStmt()
	if err := mod.AddModuleStmt(importPath); err != nil {
		return err
	}
	if files[provider.Name+"/go.mod"], err = mod.Format(); err != nil {
		return err
	}
	files[provider.Name+"/go.sum"], err = os.ReadFile(filepath.Join(root, "go.sum")) //nolint:gosec // Likewise.
	return err
}

func marshal(v any) ([]byte, error) {
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(v)
	return text.Bytes(), err
}

// replaceFolder makes folder hold just the files.
func replaceFolder(folder string, files map[string][]byte) error {
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	for name, text := range files {
		if err := writeFile(filepath.Join(folder, filepath.FromSlash(name)), text); err != nil {
			return err
		}
	}
	return nil
}

// writeFile writes a file, and makes its folder.
func writeFile(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // A folder of sources.
		return err
	}
	return os.WriteFile(path, text, 0o644) //nolint:gosec // Likewise.
}

// logoTransport answers the one request that generation makes, the C# generator's for the package's logo, with
// the repository's own file.
type logoTransport struct {
	url  string
	logo []byte
}

// RoundTrip answers with the logo, and refuses any other request.
func (t logoTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.String() != t.url {
		return nil, fmt.Errorf("generation is offline, and asked for %s", req.URL)
	}
	return &http.Response{
		StatusCode: http.StatusOK, Request: req, Body: io.NopCloser(bytes.NewReader(t.logo)),
	}, nil
}
