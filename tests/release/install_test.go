package release

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// TestInstall installs the plugin of the release as users do, from a server. Then programs that have the release's SDKs
// run with it: it is the only plugin they can find.
func TestInstall(t *testing.T) {
	t.Parallel()
	if path, err := exec.LookPath(pluginProgram); err == nil {
		t.Fatalf("the programs would run with %s, which is on PATH", path)
	}
	r := testRelease(t)
	handler := http.FileServer(http.Dir(r.dist))
	checksum := sum(t, filepath.Join(r.dist, pluginBase+".tar.gz"))
	t.Run("checksum", func(t *testing.T) {
		// The CLI's check leaves out the bytes that arrive together with the end, as the last ones of HTTP/1.1 do. Where
		// releases are downloaded from they speak HTTP/2, and so does this server.
		server := httptest.NewUnstartedServer(handler)
		server.EnableHTTP2 = true
		server.StartTLS()
		t.Cleanup(server.Close)
		setting, home := trusted(t, server), newHome(t)
		out, err := installPlugin(t, home, server.URL, setting, "--checksum", strings.Repeat("0", len(checksum)))
		if err == nil || !strings.Contains(out, "actual "+checksum) {
			t.Errorf("a wrong checksum is accepted: %v\n%s", err, out)
		}
		if installed, err := os.ReadFile(installedPlugin(home)); err == nil {
			t.Errorf("with a wrong checksum a plugin of %d bytes is installed", len(installed))
		}
		if out, err := installPlugin(t, home, server.URL, setting, "--checksum", checksum); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if _, err := os.Stat(installedPlugin(home)); err != nil {
			t.Error(err)
		}
	})

	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	home := newHome(t)
	if out, err := installPlugin(t, home, server.URL, noSetting); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	installed, err := os.ReadFile(installedPlugin(home))
	harness.Check(t, err)
	if released := unpack(t, filepath.Join(r.dist, pluginBase+".tar.gz")); !bytes.Equal(installed, released[pluginProgram]) {
		t.Error("what is installed is not what was released")
	}
	for _, language := range []string{"typescript", "python", "go"} {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			dir := filepath.Join(l.Dir, "programs", "robot-account")
			copyFolder(t, "examples/robot-account-"+language, dir)
			harness.Check(t, releasedSDK(t.Context(), dir, language, r.dist))
			s := folderStack(t, l, dir, home)
			s.MustUp()
			harness.CheckSeed(t, harness.Account(t, l))
			checkProvider(t, s, distVersion)
			s.MustDestroy()
		})
	}
}

// noSetting is a setting that changes nothing.
const noSetting = "CICD_TEST="

// installPlugin installs the release from a server, in a home of Pulumi's and with one more setting in the environment.
func installPlugin(t *testing.T, home, server, setting string, args ...string) (string, error) {
	t.Helper()
	return harness.Execute(t, t.TempDir(), append(homeEnv(home), setting), "pulumi", append([]string{
		"plugin", "install", "resource", "cicd", distVersion, "--server", server, "--non-interactive",
	}, args...)...)
}

func installedPlugin(home string) string {
	return filepath.Join(home, "plugins", "resource-cicd-v"+distVersion, pluginProgram)
}

// homeEnv is the environment for the CLI with another home, and with nothing between it and the test's servers.
func homeEnv(home string) []string {
	state := url.URL{Scheme: "file", Path: filepath.ToSlash(home)}
	return append(os.Environ(), "PULUMI_HOME="+home, "PULUMI_BACKEND_URL="+state.String(),
		"PULUMI_CONFIG_PASSPHRASE=lab", "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
}

// trusted is the setting with which a program trusts a server's certificate.
func trusted(t *testing.T, server *httptest.Server) string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("skipped: only on Linux can programs be told which certificates to trust")
	}
	file := filepath.Join(t.TempDir(), "server.pem")
	block := &pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}
	harness.Check(t, os.WriteFile(file, pem.EncodeToMemory(block), 0o600))
	return "SSL_CERT_FILE=" + file
}

// newHome makes a home for Pulumi that has the AWS plugin and no other.
func newHome(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	// The folders of plugins are named after a version, which for the plugin of the user's own may be another one.
	folders, err := filepath.Glob(filepath.Join(os.Getenv("PULUMI_HOME"), "plugins", "resource-aws-v*"))
	harness.Check(t, err)
	for _, folder := range folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			continue // It is a lock or a note beside a plugin.
		}
		// The CLI does not see links to folders, so the folder is a real one.
		plugin := filepath.Join(home, "plugins", filepath.Base(folder))
		harness.Check(t, os.MkdirAll(plugin, 0o700))
		for _, entry := range entries {
			harness.Check(t, os.Symlink(filepath.Join(folder, entry.Name()), filepath.Join(plugin, entry.Name())))
		}
	}
	return home
}

// folderStack makes a stack of a program outside of the repository, in a home of Pulumi's and with more settings in the
// environment.
func folderStack(t *testing.T, l *lab.Lab, dir, home string, settings ...string) *harness.Stack {
	t.Helper()
	env := l.Env()
	env["PULUMI_HOME"] = home
	for _, setting := range settings {
		name, value, _ := strings.Cut(setting, "=")
		env[name] = value
	}
	return harness.NewStack(t, l, dir, env)
}

// checkProvider says that the engine ran one version of the plugin cicd and no other.
func checkProvider(t *testing.T, s *harness.Stack, version string) {
	t.Helper()
	found := false
	for urn, r := range s.Resources() {
		if r.Type == "pulumi:providers:cicd" {
			found = true
			if got := r.Inputs["version"]; got != version {
				t.Errorf("%s is of version %v", urn, got)
			}
		}
	}
	if !found {
		t.Error("there is no provider cicd in the state")
	}
}

// releasedSDK gives an example the released SDK, as the package manager of its language would, and from the
// repository's tools what that depends on.
func releasedSDK(ctx context.Context, dir, language, dist string) error {
	switch language {
	case "typescript":
		return releasedNodejs(ctx, dir, filepath.Join(dist, "nodejs", "pulumi-cicd-cicd-"+distVersion+".tgz"))
	case "python":
		return releasedPython(ctx, dir, filepath.Join(dist, "python", "pulumi_cicd-"+distVersionPy+"-py3-none-any.whl"))
	case "go":
		return releasedGo(ctx, dir, filepath.Join(dist, "go", "cicd"))
	}
	return fmt.Errorf("there is no released SDK for %s", language)
}

// releasedNodejs unpacks the npm package where npm would.
func releasedNodejs(ctx context.Context, dir, tarball string) error {
	if err := linkModules(dir); err != nil {
		return err
	}
	target := filepath.Join(dir, "node_modules", "@pulumi-cicd", "cicd")
	if err := os.MkdirAll(target, 0o700); err != nil {
		return err
	}
	return command(ctx, dir, "tar", "-xzf", tarball, "-C", target, "--strip-components=1")
}

// releasedPython installs the wheel in a virtual environment.
func releasedPython(ctx context.Context, dir, wheel string) error {
	tools := os.Getenv("CICD_TOOLS_PYTHON")
	venv := filepath.Join(dir, "venv")
	if err := command(ctx, dir, tools, "-m", "venv", "--without-pip", venv); err != nil {
		return err
	}
	if err := command(ctx, dir, tools, "-m", "pip", "--python", filepath.Join(venv, "bin", "python"), "install", "--quiet",
		"--disable-pip-version-check", "--no-deps", "--no-index", wheel); err != nil {
		return err
	}
	// All but the SDK comes from the environment of the tools, which comes second.
	const link = `import pathlib, sysconfig, sys
pathlib.Path(sys.argv[1], "tools.pth").write_text(sysconfig.get_path("purelib") + "\n")`
	packages, err := filepath.Glob(filepath.Join(venv, "lib", "python*", "site-packages"))
	if err != nil || len(packages) != 1 {
		return fmt.Errorf("the virtual environment has the packages %v: %w", packages, err)
	}
	return command(ctx, dir, tools, "-c", link, packages[0])
}

// releasedGo has the program take the Go module from its folder.
func releasedGo(ctx context.Context, dir, module string) error {
	sums, err := os.ReadFile(filepath.Join(module, "go.sum"))
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.sum"), sums, 0o600); err != nil {
		return err
	}
	const path = "github.com/pulumi-cicd/pulumi-cicd/sdk/go/cicd"
	if err := command(ctx, dir, "go", "mod", "edit", "-require", path+"@v"+distVersion, "-replace", path+"="+module); err != nil {
		return err
	}
	return command(ctx, dir, "go", "mod", "tidy")
}

func command(ctx context.Context, dir, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s %v: %w\n%s", name, args, err, out)
	}
	return nil
}
