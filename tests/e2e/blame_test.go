package e2e

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// blamed returns the errors that the CLI says, without those that only say that the update ended.
func blamed(out string) (errors []string) {
	for line := range strings.Lines(out) {
		text, isError := strings.CutPrefix(strings.TrimSpace(line), "error: ")
		if isError && strings.HasPrefix(line, "    error: ") && text != "update failed" && text != "update canceled" {
			errors = append(errors, text)
		}
	}
	return errors
}

// blames says that the CLI has one error, which begins with a text, or none if that is empty.
func blames(t *testing.T, what, out, begin string) {
	t.Helper()
	errors := blamed(out)
	if (len(errors) != 1 || begin == "" || !strings.HasPrefix(errors[0], begin)) && (len(errors) > 0 || begin != "") ||
		strings.Contains(out, "grpc") {
		t.Errorf("%s is to have one error that begins with %q, and has %q:\n%s", what, begin, errors, out)
	}
}

// TestBlame checks that only the component at fault has an error, of those that are under way when it comes.
func TestBlame(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	resources := map[string]lab.Resource{
		"one":   {Type: "cicd:RobotAccount"},
		"two":   {Type: "cicd:RobotAccount", Properties: map[string]any{"userName": "two"}},
		"three": {Type: "cicd:DeploymentRole", Properties: map[string]any{"trusted": []string{"${one.userArn}"}}},
		"key":   {Type: "cicd:AccessKey", Properties: map[string]any{"userName": "${one.userName}", "generation": 3}},
	}
	dir := ""
	set := func(resource, property string, value any) {
		resources[resource].Properties[property] = value
		var err error
		dir, err = l.WriteProgram("blame", resources)
		harness.Check(t, err)
	}
	run := func(args ...string) string {
		out, _ := l.Command(t.Context(), dir, args...).CombinedOutput()
		return string(out)
	}
	set("two", "path", "bad")
	run("stack", "init", "--secrets-provider", lab.SecretsProvider)
	const badPath = "cicd:index:RobotAccount resource 'two' has a problem: invalid input:"
	blames(t, "a preview with a bad input", run("preview"), badPath)
	blames(t, "an update with a bad input", run("up", "--yes", "--skip-preview"), badPath)

	set("two", "path", "/")
	l.Inject(harness.AllOf("GetCallerIdentity", func(w http.ResponseWriter, call lab.Call, _ func(http.ResponseWriter)) {
		lab.Refuse(w, call, http.StatusForbidden, "AccessDenied", "not allowed")
	}))
	blames(t, "a preview without an account", run("preview"), "cicd:index:RobotAccount resource")
	l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		if call.Params.Get("UserName") == "two" {
			lab.Refuse(w, call, http.StatusForbidden, "AccessDenied", "not allowed")
			return
		}
		serve(w)
	})
	blames(t, "an update with a refused call", run("up", "--yes", "--skip-preview"), "creating IAM user (two)")

	cmd := l.Command(t.Context(), dir, "up", "--yes", "--skip-preview")
	var interrupted atomic.Bool
	l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
		if call.Params.Get("UserName") == "two" && !interrupted.Swap(true) {
			harness.Check(t, cmd.Process.Signal(syscall.SIGINT))
		}
		serve(w)
	})
	out, _ := cmd.CombinedOutput()
	blames(t, "an update that is interrupted", string(out), "")
	if !interrupted.Load() {
		t.Errorf("the update was not interrupted:\n%s", out)
	}
	l.Inject(nil)
	blames(t, "an update", run("up", "--yes", "--skip-preview"), "")

	set("key", "generation", 2)
	set("two", "path", "/other/")
	blames(t, "an update with a lowered generation", run("up", "--yes", "--skip-preview"),
		"cicd:index:AccessKeyRotation resource 'key' has a problem: invalid input:")
}

// TestBlameInEachLanguage checks that nothing but the failed resource has an error, whatever a language host says of
// robots that were under way.
func TestBlameInEachLanguage(t *testing.T) {
	t.Parallel()
	for _, language := range slices.DeleteFunc(slices.Clone(lab.Languages), func(l string) bool { return l == "yaml" }) {
		t.Run(language, func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			s := harness.ProgramStack(t, l, language, "tests/programs/many-"+language)
			harness.Check(t, s.SetConfig(t.Context(), "robots", auto.ConfigValue{Value: "5"}))
			l.Inject(func(w http.ResponseWriter, call lab.Call, serve func(http.ResponseWriter)) {
				if call.Action == "CreateUser" && call.Params.Get("UserName") == "cicd-bot-1" {
					lab.Refuse(w, call, http.StatusForbidden, "AccessDenied", "not allowed")
					return
				}
				serve(w)
			})
			_, _, err := s.TryUp()
			if err == nil {
				t.Fatal("the update succeeds")
			}
			blames(t, "an update with a refused call", err.Error(), "creating IAM user (cicd-bot-1)")
		})
	}
}
