package release

import (
	"io"
	"net"
	"net/http"
	"net/http/cgi" //nolint:gosec // What is wrong with it was wrong before Go 1.7.
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// noLink is what the CLI says when the language host, one that was built from its Go module, is older than "package add".
const noLink = "unknown method Link for service pulumirpc.LanguageRuntime"

// TestPackageAdd adds the package to programs by its sources, which the CLI builds and runs: from a folder, and from a
// git server. No plugin is installed, so that there is nothing else that the programs could run with.
func TestPackageAdd(t *testing.T) {
	t.Parallel()
	repo, err := lab.Repo()
	harness.Check(t, err)
	checkout := filepath.Join(t.TempDir(), "pulumi-cicd")
	harness.Check(t, snapshot(checkout, repo))
	harness.Check(t, os.Remove(filepath.Join(checkout, ".tools")))

	t.Run("yaml", func(t *testing.T) {
		t.Parallel()
		l := harness.NewLab(t)
		dir, home := filepath.Join(l.Dir, "programs", "robot-account"), newHome(t)
		copyFolder(t, "examples/robot-account-yaml", dir)
		if out, err := packageAdd(t, dir, home, checkout); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		upAdded(t, l, dir, home)
	})

	t.Run("typescript", func(t *testing.T) {
		t.Parallel()
		l := harness.NewLab(t)
		dir, home := filepath.Join(l.Dir, "programs", "robot-account"), newHome(t)
		copyFolder(t, "examples/robot-account-typescript", dir)
		harness.Check(t, linkModules(dir))
		out, err := packageAdd(t, dir, home, checkout)
		if err != nil && strings.Contains(out, noLink) {
			// The host has generated the SDK, and what newer ones do with it is done here.
			t.Logf("the Node.js language host cannot link packages: the test does it")
			harness.Check(t, linkAdded(t, dir, checkout))
		} else if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		upAdded(t, l, dir, home)
	})

	t.Run("git", func(t *testing.T) {
		t.Parallel()
		settings := gitHost(t, checkout)
		l := harness.NewLab(t)
		dir, home := filepath.Join(l.Dir, "programs", "robot-account"), newHome(t)
		copyFolder(t, "examples/robot-account-yaml", dir)
		if out, err := packageAdd(t, dir, home, "https://example.com/pulumi-cicd/pulumi-cicd@v0.987.6", settings...); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		upAdded(t, l, dir, home, settings...)
	})
}

func packageAdd(t *testing.T, dir, home, source string, settings ...string) (string, error) {
	t.Helper()
	return harness.Execute(t, dir, append(homeEnv(home), settings...), "pulumi", "package", "add", source, "--non-interactive")
}

// upAdded runs a program with the plugin that was added to it.
func upAdded(t *testing.T, l *lab.Lab, dir, home string, settings ...string) {
	t.Helper()
	defer endHosts(home)
	s := folderStack(t, l, dir, home, settings...)
	// The journal of an access key is a resource of the package itself, which the engine looks for once more.
	giveKey(t, dir)
	s.MustUp()
	if keys := harness.KeysOf(t, l); len(keys) != 1 {
		t.Errorf("the robot has the keys %v", keys)
	}
	a := harness.Account(t, l)
	for i := range a.Users {
		a.Users[i].AccessKeys, a.Users[i].Keys = nil, nil
	}
	harness.CheckSeed(t, a)
	s.MustDestroy()
}

// endHosts ends what commands with a home have left behind: CLI 3.259.0 does not end the language host that it has run
// a plugin with from its sources. Only Linux tells, without a library, which they are.
func endHosts(home string) {
	for _, pid := range lab.ProcessesWith("PULUMI_HOME=" + home) {
		_ = syscall.Kill(pid, syscall.SIGTERM)
	}
}

// giveKey adds an access key to a program.
func giveKey(t *testing.T, dir string) {
	t.Helper()
	for name, add := range map[string][2]string{
		"Pulumi.yaml": {"\noutputs:", "\n  key:\n    type: cicd:AccessKey\n    properties:\n      userName: ${robot.userName}\n\noutputs:"},
		"index.ts":    {"\nexport ", "\nnew cicd.AccessKey(\"key\", { userName: robot.userName });\n\nexport "},
	} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil || !strings.Contains(string(text), add[0]) {
			continue
		}
		harness.Check(t, os.WriteFile(filepath.Join(dir, name), []byte(strings.Replace(string(text), add[0], add[1], 1)), 0o600))
		return
	}
	t.Fatal("there is no program to add an access key to")
}

// linkModules gives a program the npm packages of the tools, but not the SDK of the tree.
func linkModules(dir string) error {
	modules := filepath.Join(dir, "node_modules")
	if err := os.MkdirAll(modules, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(os.Getenv("CICD_NODE_MODULES"))
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Name() == "@pulumi-cicd" {
			continue
		}
		from := filepath.Join(os.Getenv("CICD_NODE_MODULES"), entry.Name())
		if err := os.Symlink(from, filepath.Join(modules, entry.Name())); err != nil {
			return err
		}
	}
	return nil
}

// linkAdded compiles the SDK that "package add" left in the program's folder, where the program finds it, and notes in
// the program's project where the package is from.
func linkAdded(t *testing.T, dir, source string) error {
	t.Helper()
	sdk, err := filepath.Glob(filepath.Join(dir, "sdks", "*", "package.json"))
	if err != nil || len(sdk) != 1 {
		t.Fatalf("there are the SDKs %v: %v", sdk, err)
	}
	if err := mendTypes(filepath.Join(filepath.Dir(sdk[0]), "types")); err != nil {
		return err
	}
	repo, err := lab.Repo()
	if err != nil {
		return err
	}
	if err := command(t.Context(), dir, filepath.Join(repo, "tools", "dist-nodejs"), filepath.Dir(sdk[0]),
		filepath.Join(dir, "node_modules", "@pulumi-cicd", "cicd")); err != nil {
		return err
	}
	project := filepath.Join(dir, "Pulumi.yaml")
	text, err := os.ReadFile(project)
	if err != nil {
		return err
	}
	return os.WriteFile(project, append(text, "packages:\n  cicd: "+source+"\n"...), 0o600)
}

// mendTypes has the modules of a folder import those of the folder above from there. The Node.js language host that
// cannot link packages, built with Go 1.26, writes them as if they were in the same folder.
func mendTypes(dir string) error {
	modules, err := filepath.Glob(filepath.Join(dir, "*.ts"))
	if err != nil {
		return err
	}
	above := strings.NewReplacer(`"./utilities"`, `"../utilities"`, `"./types/`, `"../types/`)
	for _, name := range modules {
		text, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(above.Replace(string(text))), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// gitHost serves a repository, with a tag for a release, as https://example.com/pulumi-cicd/pulumi-cicd.git to programs
// with the settings that it returns. The CLI takes no URL with another scheme, and panics at one with a port.
func gitHost(t *testing.T, checkout string) []string {
	t.Helper()
	root := t.TempDir()
	served := filepath.Join(root, "pulumi-cicd", "pulumi-cicd.git")
	_, err := git(checkout, "clone", "--quiet", "--bare", checkout, served)
	harness.Check(t, err)
	_, err = git(served, "tag", "v0.987.6")
	harness.Check(t, err)
	programs, err := exec.Command("git", "--exec-path").Output()
	harness.Check(t, err)
	// The certificate of a test's server is one for example.com.
	server := httptest.NewTLSServer(&cgi.Handler{
		Path: filepath.Join(strings.TrimSpace(string(programs)), "git-http-backend"),
		Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
	})
	t.Cleanup(server.Close)
	proxy := httptest.NewServer(tunnel{"example.com:443", server.Listener.Addr().String()})
	t.Cleanup(proxy.Close)
	return []string{trusted(t, server), "HTTPS_PROXY=" + proxy.URL, "https_proxy=" + proxy.URL}
}

// tunnel is a proxy that connects those who ask for a host with an address, and nobody with any other host.
type tunnel struct{ host, address string }

// ServeHTTP serves the method CONNECT.
func (p tunnel) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodConnect || r.Host != p.host {
		http.Error(w, "no way to "+r.Host, http.StatusForbidden)
		return
	}
	server, err := new(net.Dialer).DialContext(r.Context(), "tcp", p.address)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadGateway)
		return
	}
	defer server.Close()
	client, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	defer client.Close()
	_, _ = io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n")
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}
