package chaos

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// A cloudFault is what befalls the calls of an update.
type cloudFault struct {
	name  string
	fault lab.Fault
	// says is what the update's error says, if it fails.
	says []string
	// orphans says that AWS made things of which it could not tell.
	orphans bool
}

func throttled(w http.ResponseWriter, call lab.Call, _ func(http.ResponseWriter)) {
	lab.Refuse(w, call, http.StatusBadRequest, "Throttling", "Rate exceeded")
}

func broken(w http.ResponseWriter, call lab.Call, _ func(http.ResponseWriter)) {
	lab.Refuse(w, call, http.StatusInternalServerError, "ServiceFailure", "The service broke.")
}

func dropped(http.ResponseWriter, lab.Call, func(http.ResponseWriter)) { panic(http.ErrAbortHandler) }

func slow(w http.ResponseWriter, _ lab.Call, serve func(http.ResponseWriter)) {
	time.Sleep(300 * time.Millisecond)
	serve(w)
}

// TestFaults changes 25 robots while the cloud does what clouds do. Each update succeeds or says clearly what went
// wrong, and the next one ends with what the program has, no more and no less.
func TestFaults(t *testing.T) {
	t.Parallel()
	faults := []cloudFault{
		{name: "each write throttled once", fault: harness.FirstOfEach(throttled)},
		{name: "each write answered with 500 once", fault: harness.FirstOfEach(broken)},
		{name: "each write dropped once", fault: harness.FirstOfEach(dropped)},
		{name: "each write slow", fault: harness.FirstOfEach(slow)},
		{name: "who calls, throttled once", fault: harness.FirstOf("GetCallerIdentity", throttled)},
		{
			name: "the answer of each write lost", fault: harness.FirstOfEach(harness.Afterwards(dropped)),
			says: []string{"EntityAlreadyExists"}, orphans: true,
		},
		{
			name: "each write answered with 500 after it", fault: harness.FirstOfEach(harness.Afterwards(broken)),
			says: []string{"EntityAlreadyExists"}, orphans: true,
		},
		{
			name: "policies throttled for good", fault: harness.AllOf("PutGroupPolicy", throttled),
			says: []string{"Throttling", "Rate exceeded"},
		},
		{name: "deletions broken for good", fault: harness.AllOf("DeleteUser", broken), says: []string{"ServiceFailure"}},
		{name: "new users dropped for good", fault: harness.AllOf("CreateUser", dropped), says: []string{"CreateUser", "EOF"}},
		{
			name: "who calls, broken for good", fault: harness.AllOf("GetCallerIdentity", broken),
			says: []string{"GetCallerIdentity", "ServiceFailure"},
		},
	}
	const robots, groups = 25, 3
	for group := range groups {
		t.Run(fmt.Sprint(group), func(t *testing.T) {
			t.Parallel()
			l := harness.NewLab(t)
			f := newFleet(t, l, "faults")
			f.env = withoutCheckpoints
			f.change("faults", robots, 0)
			f.run("up", "--yes", "--skip-preview")
			isWhole(t, l, "without a fault", f)
			for i := group; i < len(faults); i += groups {
				fault := faults[i]
				f.change("faults", robots, i+1)
				l.Inject(fault.fault)
				began := time.Now()
				out, err := f.up()
				l.Inject(nil)
				t.Logf("%s: %v after %.1f s", fault.name, err, time.Since(began).Seconds())
				if (err == nil) != (fault.says == nil) {
					t.Errorf("%s: the update ends with %v:\n%s", fault.name, err, out)
				}
				for _, said := range fault.says {
					if !strings.Contains(out, said) {
						t.Errorf("%s: the error does not say %s:\n%s", fault.name, said, out)
					}
				}
				// Told as it happens, and once more at the end.
				if told := strings.Count(out, "look up the AWS account"); told > 2 {
					t.Errorf("%s: the look-up is told %d times:\n%s", fault.name, told, out)
				}
				for _, never := range []string{"panic", "a defect in", "awaiting input property", "connection is closing"} {
					if strings.Contains(out, never) {
						t.Errorf("%s: the update says %q:\n%s", fault.name, never, out)
					}
				}
				if err != nil {
					if noted, others := f.repair(); noted != 0 || (others > 0) != fault.orphans {
						t.Errorf("%s: %d users, groups and roles are left, and %d that were noted", fault.name, others, noted)
					}
					if out, err := f.up(); err != nil {
						t.Errorf("%s: the next update fails:\n%s", fault.name, out)
					}
				}
				isWhole(t, l, fault.name, f)
			}
			f.run("preview", "--expect-no-changes")
			f.run("destroy", "--yes", "--skip-preview")
			f.none()
			isWhole(t, l, "destroyed", f)
		})
	}
}

// TestTwoStacksAtOnce makes, changes and destroys robots of the same names from two stacks at the same time.
func TestTwoStacksAtOnce(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	fleets := []*fleet{newFleet(t, l, "one"), newFleet(t, l, "two")}
	both := func(what string, args ...string) {
		t.Helper()
		var running sync.WaitGroup
		for _, f := range fleets {
			running.Go(func() {
				if out, err := f.command(args...).CombinedOutput(); err != nil {
					t.Errorf("%s: pulumi %s: %v\n%s", what, args[0], err, out)
				}
			})
		}
		running.Wait()
		isWhole(t, l, what, fleets...)
	}
	for _, what := range []string{"made", "changed"} {
		for _, f := range fleets {
			project := filepath.Base(f.dir)
			f.robots = map[string]string{"a": what + "-" + project, "b": what + "-" + project}
			f.write(project)
		}
		both(what, "up", "--yes", "--skip-preview")
	}
	for _, f := range fleets {
		f.none()
	}
	both("destroyed", "destroy", "--yes", "--skip-preview")
}

// TestEndpointGone has no endpoint at the start of an update: one clear error, nothing is made, and the next update
// does what is left to do.
func TestEndpointGone(t *testing.T) {
	t.Parallel()
	l := harness.NewLab(t)
	f := newFleet(t, l, "gone")
	for round, what := range []string{"a new stack", "a stack with robots"} {
		before := harness.Pretty(t, harness.Account(t, l))
		f.change("gone", 5, round)
		l.Calls()
		cmd := f.command("up", "--yes", "--skip-preview")
		for i, variable := range cmd.Env {
			if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "AWS_ENDPOINT_URL") {
				cmd.Env[i] = name + "=http://127.0.0.1:1" // Which nobody listens on.
			}
		}
		out, err := cmd.CombinedOutput()
		for _, said := range []string{"look up the AWS account", "connection refused"} {
			if err == nil || !strings.Contains(string(out), said) {
				t.Errorf("%s: the update ends with %v, and does not say %q:\n%s", what, err, said, out)
			}
		}
		if calls := l.Calls(); len(calls) > 0 {
			t.Errorf("%s: there were the calls %v", what, calls)
		}
		if after := harness.Pretty(t, harness.Account(t, l)); after != before {
			t.Errorf("%s: the account was\n%s\nand is\n%s", what, before, after)
		}
		f.run("up", "--yes", "--skip-preview")
		isWhole(t, l, what, f)
	}
}
