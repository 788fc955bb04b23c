// Command notices says what the plugin is linked with, on all the platforms it is released for, and under which
// licenses. It fails if there is one that the project does not accept, or cannot make out.
//
//	notices -list           the modules with their licenses, in Markdown: docs/licenses.md
//	notices -texts          the texts of all licenses and notices, as they have to go with the plugin
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// platforms are those of tools/dist.
var platforms = [][2]string{
	{"linux", "amd64"}, {"linux", "arm64"}, {"darwin", "amd64"}, {"darwin", "arm64"},
	{"windows", "amd64"}, {"windows", "arm64"},
}

// accepted are the licenses under which code may be linked, by their SPDX identifiers. With all of them, the plugin may
// be given away under the Apache License, as long as their texts come with it.
var accepted = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MPL-2.0", "Unicode-DFS-2016"}

// patents is what the licensecheck calls the PATENTS of Google's modules: they grant more, and ask for nothing.
const patents = "GooglePatentsFile"

// stated are the licenses that modules name in their README, without a text of their own.
var stated = map[string]string{"github.com/mattn/go-localereader": "MIT"}

const plugin = "."

func main() {
	root := flag.String("root", ".", "the repository's `folder`")
	list := flag.Bool("list", false, "write the list")
	texts := flag.Bool("texts", false, "write the texts")
	flag.Parse()
	if *list == *texts || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	modules, err := linked(*root)
	if err == nil {
		err = check(modules)
	}
	if err == nil && *list {
		err = writeList(os.Stdout, modules)
	}
	if err == nil && *texts {
		err = writeTexts(os.Stdout, modules)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "notices:", err)
		os.Exit(1)
	}
}

// A module is a module that is linked, or Go itself.
type module struct {
	path, version string
	// licenses are the SPDX identifiers of its licenses.
	licenses []string
	// texts are its licenses and notices, by the names of their files.
	texts map[string]string
}

// linked returns the modules that are linked on any platform, in the order of their paths.
func linked(root string) ([]*module, error) {
	dirs, versions := map[string]string{}, map[string]string{}
	for _, platform := range platforms {
		// The flags are those of tools/dist.
		cmd := exec.Command("go", "list", "-deps", "-tags", "grpcnotrace", "-json=Module,Standard", plugin)
		cmd.Dir, cmd.Stderr = root, os.Stderr
		cmd.Env = append(os.Environ(), "GOOS="+platform[0], "GOARCH="+platform[1], "CGO_ENABLED=0", "GOWORK=off")
		out, err := cmd.Output()
		if err != nil {
			return nil, fmt.Errorf("list what is linked for %s/%s: %w", platform[0], platform[1], err)
		}
		packages := json.NewDecoder(bytes.NewReader(out))
		for {
			var p struct {
				Module *struct {
					Path, Version, Dir string
					Main               bool
				}
			}
			if err := packages.Decode(&p); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, err
			}
			if p.Module != nil && !p.Module.Main {
				dirs[p.Module.Path], versions[p.Module.Path] = p.Module.Dir, p.Module.Version
			}
		}
	}
	goroot, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return nil, err
	}
	const standard = "Go's standard library"
	dirs[standard] = strings.TrimSpace(string(goroot))
	var modules []*module
	for _, path := range slices.Sorted(maps.Keys(dirs)) {
		m := &module{path: path, version: versions[path]}
		if m.texts, m.licenses, err = read(dirs[path]); err != nil {
			return nil, fmt.Errorf("read the license of %s: %w", path, err)
		}
		if license, ok := stated[path]; ok && len(m.licenses) == 0 {
			m.licenses, m.texts = []string{license}, map[string]string{"README.md": "License: " + license}
		}
		modules = append(modules, m)
	}
	return modules, nil
}

// legal matches the names of files with licenses and notices.
var legal = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)([-._].*)?$`)

// read returns the licenses and notices in a module's folder.
func read(dir string) (texts map[string]string, licenses []string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, nil, err
	}
	texts = map[string]string{}
	for _, entry := range entries {
		if !entry.Type().IsRegular() || !legal.MatchString(entry.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, entry.Name()))
		if err != nil {
			return nil, nil, err
		}
		texts[entry.Name()] = string(text)
		for _, match := range licensecheck.Scan(text).Match {
			if !match.IsURL && match.ID != patents && !slices.Contains(licenses, match.ID) {
				licenses = append(licenses, match.ID)
			}
		}
	}
	slices.Sort(licenses)
	return texts, licenses, nil
}

// check reports every module whose licenses are not all accepted.
func check(modules []*module) error {
	var errs []error
	for _, m := range modules {
		if len(m.licenses) == 0 {
			errs = append(errs, fmt.Errorf("%s has no license that can be made out", m.path))
		}
		for _, license := range m.licenses {
			if !slices.Contains(accepted, license) {
				errs = append(errs, fmt.Errorf("%s is under %s, which is not among those accepted: %s",
					m.path, license, strings.Join(accepted, ", ")))
			}
		}
	}
	return errors.Join(errs...)
}

// writeList writes the list. Versions are in go.mod, and with each release in its SBOM.
func writeList(w io.Writer, modules []*module) error {
	var text strings.Builder
	text.WriteString("# Licenses\n\nWritten by `make licenses`, and not by hand. The plugin is under the Apache License 2.0. " +
		"These are the modules that it is linked with on any of its platforms, and their licenses. The texts are in each " +
		"of the plugin's archives, in `THIRD_PARTY_NOTICES`.\n\n| module | license |\n|---|---|\n")
	for _, m := range modules {
		fmt.Fprintf(&text, "| %s | %s |\n", m.path, strings.Join(m.licenses, ", "))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// writeTexts writes all texts.
func writeTexts(w io.Writer, modules []*module) error {
	var text strings.Builder
	text.WriteString("This plugin is linked with the software below, under the licenses below.\n")
	for _, m := range modules {
		for _, name := range slices.Sorted(maps.Keys(m.texts)) {
			fmt.Fprintf(&text, "\n%s\n%s\n\n%s\n", strings.Repeat("=", 80),
				strings.TrimSpace(m.path+" "+m.version)+": "+name, strings.TrimSpace(m.texts[name]))
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}
