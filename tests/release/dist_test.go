package release

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

const (
	// distVersion is the version of the release that the tests make: none that the tree has, or that anybody would
	// have installed. It is a pre-release, because those are spelled in more than one way.
	distVersion   = "0.987.6-rc.1"
	distVersionPy = "0.987.6rc1"

	pluginProgram = "pulumi-resource-cicd"
	pluginServer  = "github://api.github.com/pulumi-cicd/pulumi-cicd"
)

// pluginBase is the name of the plugin's archive in the release, without its ending.
var pluginBase = fmt.Sprintf("%s-v%s-%s-%s", pluginProgram, distVersion, runtime.GOOS, runtime.GOARCH)

// A release is what tools/dist made, and the working copy that it was made in.
type release struct{ checkout, dist string }

// theRelease is made once for all tests, in a folder of the repository that git ignores: it takes a while.
var theRelease = sync.OnceValues(func() (*release, error) {
	repo, err := lab.Repo()
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(repo, ".tools", "test-release")
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	return newRelease(dir, repo)
})

func testRelease(t *testing.T) *release {
	t.Helper()
	r, err := theRelease()
	harness.Check(t, err)
	return r
}

// newRelease makes a release for this platform in a copy of a working copy.
func newRelease(dir, from string) (*release, error) {
	if err := snapshot(dir, from); err != nil {
		return nil, err
	}
	return &release{dir, filepath.Join(dir, "dist")}, runDist(dir, os.TempDir())
}

// runDist runs tools/dist of a working copy in a folder, only for the platform that can be tested here: each takes its
// time.
func runDist(checkout, dir string) error {
	ctx, cancel := context.WithTimeout(context.Background(), harness.Limit)
	defer cancel()
	cmd := exec.CommandContext(ctx, filepath.Join(checkout, "tools", "dist"), distVersion)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PLATFORMS="+runtime.GOOS+"/"+runtime.GOARCH, "SOURCE_DATE_EPOCH=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("tools/dist: %w\n%s", err, out)
	}
	return nil
}

// snapshot makes a clone of a working copy, in which what is not committed is. The clone shares the working copy's
// tools.
func snapshot(dir, from string) error {
	if _, err := git(from, "clone", "--quiet", "--shared", from, dir); err != nil {
		return err
	}
	for _, args := range [][]string{{"--deleted"}, {"--cached", "--others", "--exclude-standard"}} {
		names, err := git(from, append([]string{"ls-files", "-z"}, args...)...)
		if err != nil {
			return err
		}
		for name := range strings.SplitSeq(strings.TrimSuffix(names, "\x00"), "\x00") {
			if err := replaceFile(filepath.Join(dir, name), filepath.Join(from, name)); err != nil {
				return err
			}
		}
	}
	if err := os.Symlink(filepath.Join(from, ".tools"), filepath.Join(dir, ".tools")); err != nil {
		return err
	}
	// What git ignores is a folder of that name, and not a link.
	if err := os.WriteFile(filepath.Join(dir, ".git", "info", "exclude"), []byte("/.tools\n"), 0o600); err != nil {
		return err
	}
	if _, err := git(dir, "add", "--all"); err != nil {
		return err
	}
	_, err := git(dir, "-c", "user.name=test", "-c", "user.email=test@localhost",
		"commit", "--quiet", "--allow-empty", "--no-verify", "--message", "what is not committed")
	return err
}

// replaceFile makes a file like another one, or removes it when there is no other one.
func replaceFile(file, from string) error {
	info, err := os.Stat(from)
	if os.IsNotExist(err) {
		return os.RemoveAll(file)
	}
	if err != nil || info.IsDir() {
		return err
	}
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
		return err
	}
	if err := os.WriteFile(file, data, info.Mode().Perm()); err != nil {
		return err
	}
	return os.Chmod(file, info.Mode().Perm())
}

func git(dir string, args ...string) (string, error) {
	cmd := exec.Command("git", append([]string{"-C", dir}, args...)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %v: %w\n%s", args, err, stderr.String())
	}
	return string(out), nil
}

// TestDist says what a release holds, and that all of it has the version that was asked for.
func TestDist(t *testing.T) {
	t.Parallel()
	r := testRelease(t)

	status, err := git(r.checkout, "status", "--porcelain")
	harness.Check(t, err)
	if status != "" {
		t.Errorf("tools/dist left this in the working copy:\n%s", status)
	}
	stamp, err := git(r.checkout, "log", "-1", "--format=%ct")
	harness.Check(t, err)
	seconds, err := strconv.ParseInt(strings.TrimSpace(stamp), 10, 64)
	harness.Check(t, err)
	commit := time.Unix(seconds, 0)

	var published []string
	for name := range files(t, r.dist) {
		if !strings.HasPrefix(name, "go/") && !strings.HasPrefix(name, "dotnet/") {
			published = append(published, name)
		}
	}
	slices.Sort(published)
	harness.Same(t, "what is published", published, []string{
		"checksums.txt",
		"nodejs/pulumi-cicd-cicd-" + distVersion + ".tgz",
		pluginBase + ".cdx.json",
		pluginBase + ".tar.gz",
		"python/pulumi_cicd-" + distVersionPy + "-py3-none-any.whl",
		"python/pulumi_cicd-" + distVersionPy + ".tar.gz",
	})
	checkSums(t, r.dist, published)

	t.Run("plugin", func(t *testing.T) { checkPlugin(t, r.dist, commit) })
	t.Run("nodejs", func(t *testing.T) {
		content := unpack(t, filepath.Join(r.dist, "nodejs", "pulumi-cicd-cicd-"+distVersion+".tgz"))
		for _, name := range []string{"index.js", "index.d.ts", "robotAccount.js", "README.md", "LICENSE"} {
			if len(content["package/"+name]) == 0 {
				t.Errorf("the npm package has no %s", name)
			}
		}
		var pkg struct {
			Name, Version string
			Pulumi        map[string]any
		}
		harness.Check(t, json.Unmarshal(content["package/package.json"], &pkg))
		if pkg.Name != "@pulumi-cicd/cicd" || pkg.Version != distVersion {
			t.Errorf("the npm package is %s %s", pkg.Name, pkg.Version)
		}
		samePlugin(t, pkg.Pulumi)
	})
	t.Run("python", func(t *testing.T) {
		base := filepath.Join(r.dist, "python", "pulumi_cicd-"+distVersionPy)
		sources := unpack(t, base+".tar.gz")
		wheel := unzip(t, base+"-py3-none-any.whl")
		for what, metadata := range map[string][]byte{
			"the sources": sources["pulumi_cicd-"+distVersionPy+"/PKG-INFO"],
			"the wheel":   wheel["pulumi_cicd-"+distVersionPy+".dist-info/METADATA"],
		} {
			if !strings.Contains(string(metadata), "\nVersion: "+distVersionPy+"\n") {
				t.Errorf("the metadata of %s is\n%s", what, metadata)
			}
		}
		for _, plugin := range [][]byte{
			sources["pulumi_cicd-"+distVersionPy+"/pulumi_cicd/pulumi-plugin.json"], wheel["pulumi_cicd/pulumi-plugin.json"],
		} {
			samePluginFile(t, plugin)
		}
		if len(wheel["pulumi_cicd/py.typed"])+len(wheel["pulumi_cicd/robot_account.py"]) == 0 {
			t.Error("the wheel has no sources")
		}
	})
	t.Run("go", func(t *testing.T) {
		content := files(t, filepath.Join(r.dist, "go", "cicd"))
		samePluginFile(t, content["pulumi-plugin.json"])
		if v := `semver.MustParse("` + distVersion + `")`; !bytes.Contains(content["internal/pulumiUtilities.go"], []byte(v)) {
			t.Error("the Go SDK does not ask for its own version of the plugin")
		}
		if len(content["go.sum"])+len(content["LICENSE"]) == 0 {
			t.Error("the Go module has no checksums or no license")
		}
		cmd := exec.Command("go", "vet", "-mod=readonly", "./...")
		cmd.Dir = filepath.Join(r.dist, "go", "cicd")
		cmd.Env = append(os.Environ(), "GOWORK=off")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("the Go module does not build as it is: %v\n%s", err, out)
		}
	})
	t.Run("dotnet", func(t *testing.T) {
		content := files(t, filepath.Join(r.dist, "dotnet"))
		samePluginFile(t, content["pulumi-plugin.json"])
		if v := "<Version>" + distVersion + "</Version>"; !bytes.Contains(content["PulumiCicd.Cicd.csproj"], []byte(v)) {
			t.Errorf("the project is\n%s", content["PulumiCicd.Cicd.csproj"])
		}
		if got := strings.TrimSpace(string(content["version.txt"])); got != distVersion {
			t.Errorf("version.txt has %q", got)
		}
	})
}

// checkSums says that checksums.txt has the right checksum of each published file but itself.
func checkSums(t *testing.T, dist string, published []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dist, "checksums.txt"))
	harness.Check(t, err)
	want := map[string]string{}
	for _, name := range published {
		if name != "checksums.txt" {
			want[name] = sum(t, filepath.Join(dist, name))
		}
	}
	got := map[string]string{}
	for line := range strings.Lines(string(text)) {
		sum, name, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		got[name] = sum
	}
	harness.Same(t, "the checksums", got, want)
}

// checkPlugin says what is in the plugin's archive, which version the plugin says that it has, and that the SBOM is
// about that plugin.
func checkPlugin(t *testing.T, dist string, commit time.Time) {
	t.Helper()
	program := pluginProgram
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	archive := filepath.Join(dist, pluginBase+".tar.gz")
	modes := map[string]string{}
	walkArchive(t, archive, func(h *tar.Header, _ []byte) {
		modes[h.Name] = fmt.Sprintf("%o", h.Mode)
		if !h.ModTime.Equal(commit) {
			t.Errorf("%s is of %s, and the commit of %s", h.Name, h.ModTime, commit)
		}
	})
	harness.Same(t, "the plugin's archive", modes,
		map[string]string{"LICENSE": "644", "THIRD_PARTY_NOTICES": "644", program: "755"})
	texts := string(unpack(t, archive)["THIRD_PARTY_NOTICES"])
	for _, module := range []string{"github.com/pulumi/pulumi/sdk/v3", "google.golang.org/grpc"} {
		if !strings.Contains(texts, module) {
			t.Errorf("THIRD_PARTY_NOTICES has nothing of %s", module)
		}
	}

	plugin := filepath.Join(t.TempDir(), program)
	harness.Check(t, os.WriteFile(plugin, unpack(t, archive)[program], 0o700)) //nolint:gosec // It is to be run.
	// Whichever Go made the release, it is the one that go.mod names whose standard library is in the plugin.
	build, err := buildinfo.ReadFile(plugin)
	harness.Check(t, err)
	if !strings.Contains(harness.Read(t, harness.Repo(t), "go.mod"), "\ntoolchain "+build.GoVersion+"\n") {
		t.Errorf("the plugin is built with %s, which is not the toolchain of go.mod", build.GoVersion)
	}
	cmd := exec.Command("pulumi", "package", "get-schema", plugin)
	cmd.Dir = t.TempDir()
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	harness.Check(t, err)
	var schema struct{ Name, Version, PluginDownloadURL string }
	harness.Check(t, json.Unmarshal(out, &schema))
	if schema.Name != "cicd" || schema.Version != distVersion || schema.PluginDownloadURL != pluginServer {
		t.Errorf("the plugin says that it is %+v", schema)
	}

	var bom struct {
		BomFormat string
		Metadata  struct {
			Component  struct{ Version string }
			Properties []struct{ Name, Value string }
		}
		Components []struct{ Name string }
	}
	text, err := os.ReadFile(filepath.Join(dist, pluginBase+".cdx.json"))
	harness.Check(t, err)
	harness.Check(t, json.Unmarshal(text, &bom))
	if bom.BomFormat != "CycloneDX" || bom.Metadata.Component.Version != "v"+distVersion {
		t.Errorf("the SBOM is a %s of version %s", bom.BomFormat, bom.Metadata.Component.Version)
	}
	var names []string
	for _, component := range bom.Components {
		names = append(names, component.Name)
	}
	for _, name := range []string{"std", "github.com/pulumi/pulumi/sdk/v3", "github.com/pulumi/pulumi-aws/sdk/v6"} {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not among what the SBOM names: %v", name, names)
		}
	}
	for _, property := range bom.Metadata.Properties {
		if property.Name == "cdx:gomod:binary:hash:SHA-256" && property.Value == sum(t, plugin) {
			return
		}
	}
	t.Error("the SBOM is about another plugin")
}

// TestDistIsReproducible makes the release again, in another folder and later, and gets the same bytes.
func TestDistIsReproducible(t *testing.T) {
	t.Parallel()
	first := testRelease(t)
	dir := filepath.Join(t.TempDir(), "another", "place")
	harness.Check(t, os.MkdirAll(filepath.Dir(dir), 0o700))
	// A clone of that clone has the commit with which that one ends, and not a new one.
	_, err := git(first.checkout, "clone", "--quiet", "--shared", first.checkout, dir)
	harness.Check(t, err)
	harness.Check(t, os.Symlink(filepath.Join(first.checkout, ".tools"), filepath.Join(dir, ".tools")))
	harness.Check(t, runDist(dir, dir))

	a, b := files(t, first.dist), files(t, filepath.Join(dir, "dist"))
	harness.Same(t, "the files", slices.Sorted(maps.Keys(b)), slices.Sorted(maps.Keys(a)))
	for name := range a {
		if !bytes.Equal(a[name], b[name]) {
			t.Errorf("%s is not the same file", name)
		}
	}
}

// TestDistVersions says which versions a release may have. The others get one line that says what is wrong, and
// nothing is made.
func TestDistVersions(t *testing.T) {
	t.Parallel()
	repo, err := lab.Repo()
	harness.Check(t, err)
	for version, want := range map[string]string{
		"0.1.0": "", "1.2.3": "", "1.20.300": "", "1.2.3-alpha.1": "", "1.2.3-beta.0": "", "1.2.3-rc.10": "",
		"":              "is no version of a release",
		"v1.2.3":        "is no version of a release",
		"1.2":           "is no version of a release",
		"1.2.3.4":       "is no version of a release",
		"01.2.3":        "is no version of a release",
		"1.2.3-rc.01":   "is no version of a release",
		"1.2.3-rc1":     "is no version of a release",
		"1.2.3-dev.1":   "is no version of a release",
		"1.2.3-rc.1.2":  "is no version of a release",
		"1.2.3+build.1": "is no version of a release",
		"1.2.3 rc.1":    "is no version of a release",
		"latest":        "is no version of a release",
		"$(id)'\"`id`":  "is no version of a release",
		"2.0.0":         "needs a Go module whose path ends in /v2",
		"10.0.0-rc.1":   "needs a Go module whose path ends in /v10",
	} {
		t.Run(version, func(t *testing.T) {
			cmd := exec.Command(filepath.Join(repo, "tools", "dist"), "--check", version)
			out, err := cmd.CombinedOutput()
			switch {
			case want == "" && (err != nil || len(out) > 0):
				t.Errorf("it is refused: %v\n%s", err, out)
			case want != "" && err == nil:
				t.Error("it is accepted")
			case want != "" && (!strings.Contains(string(out), want) || strings.Count(string(out), "\n") != 1):
				t.Errorf("the error is\n%s", out)
			}
		})
	}
}

// samePlugin says that an SDK names the plugin of its own version, and where it is to be had.
func samePlugin(t *testing.T, got map[string]any) {
	t.Helper()
	harness.Same(t, "the plugin that the SDK names", got, map[string]any{
		"resource": true, "name": "cicd", "version": distVersion, "server": pluginServer,
	})
}

func samePluginFile(t *testing.T, text []byte) {
	t.Helper()
	var plugin map[string]any
	harness.Check(t, json.Unmarshal(text, &plugin))
	samePlugin(t, plugin)
}

// files returns the files in a folder, by their names with slashes.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	harness.Check(t, fs.WalkDir(os.DirFS(dir), ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		all[name], err = os.ReadFile(filepath.Join(dir, name))
		return err
	}))
	return all
}

// walkArchive calls a function for each file in a .tar.gz file.
func walkArchive(t *testing.T, file string, f func(h *tar.Header, data []byte)) {
	t.Helper()
	in, err := os.Open(file)
	harness.Check(t, err)
	defer in.Close()
	plain, err := gzip.NewReader(in)
	harness.Check(t, err)
	for archive := tar.NewReader(plain); ; {
		header, err := archive.Next()
		if err == io.EOF { //nolint:errorlint // That is how it ends.
			return
		}
		harness.Check(t, err)
		data, err := io.ReadAll(archive)
		harness.Check(t, err)
		f(header, data)
	}
}

func unpack(t *testing.T, file string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	walkArchive(t, file, func(h *tar.Header, data []byte) { all[h.Name] = data })
	return all
}

func unzip(t *testing.T, file string) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader(file)
	harness.Check(t, err)
	defer archive.Close()
	all := map[string][]byte{}
	for _, f := range archive.File {
		in, err := f.Open()
		harness.Check(t, err)
		all[f.Name], err = io.ReadAll(in)
		harness.Check(t, err)
	}
	return all
}

// sum returns the SHA-256 checksum of a file, in the form that checksums.txt and "--checksum" have it.
func sum(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	harness.Check(t, err)
	s := sha256.Sum256(data)
	return hex.EncodeToString(s[:])
}
