package chaos

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/lab"
)

// signal sends a signal to the processes of a session that run a program, and reports whether there are any.
func signal(session int, program string, s syscall.Signal) (sent bool) {
	for _, pid := range processesOf(session, program) {
		sent = syscall.Kill(pid, s) == nil || sent
	}
	return sent
}

// processesOf returns the processes of a session that run a program, which is the last part of its path.
func processesOf(session int, program string) []int {
	return slices.DeleteFunc(lab.ProcessesOf(session), func(pid int) bool {
		command, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		name, _, _ := strings.Cut(string(command), "\x00")
		return err != nil || filepath.Base(name) != program
	})
}

// An end is how an update is ended before its time.
type end struct {
	victim string
	signal syscall.Signal
	// call is the number of the call of AWS at which it happens, or, if that is negative, delay is when.
	call  int
	delay time.Duration
	// after says that AWS has done what it was called for. The answer never arrives.
	after bool
}

func (e end) String() string {
	point := fmt.Sprintf("after %v", e.delay)
	if e.call >= 0 {
		point = fmt.Sprintf("at call %d, done: %v", e.call, e.after)
	}
	return fmt.Sprintf("%s to %s %s", signals[e.signal], e.victim, point)
}

var signals = map[syscall.Signal]string{syscall.SIGKILL: "SIGKILL", syscall.SIGINT: "SIGINT"}

// randomEnd picks an end of an update that makes some calls and takes some time.
func randomEnd(random *rand.Rand, calls int, longest time.Duration) end {
	e := end{
		victim: []string{"pulumi", "pulumi-resource-aws", "pulumi-resource-cicd"}[random.IntN(3)],
		signal: []syscall.Signal{syscall.SIGKILL, syscall.SIGINT}[random.IntN(2)],
		call:   random.IntN(calls), after: random.IntN(2) == 0,
	}
	// Not all that happens is seen in calls.
	if random.IntN(4) == 0 {
		e.call, e.delay = -1, time.Duration(random.Int64N(int64(longest)))
	}
	return e
}

// endedUp runs an update that is ended, and returns its output, and whether it succeeded and was hit at all.
func (f *fleet) endedUp(e end) (out string, succeeded, hit bool) {
	f.t.Helper()
	cmd := f.command("up", "--yes", "--skip-preview")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	harness.Check(f.t, cmd.Start())
	session := cmd.Process.Pid
	var struck atomic.Bool
	strike := func() { struck.Store(signal(session, e.victim, e.signal)) }
	if e.call < 0 {
		defer time.AfterFunc(e.delay, strike).Stop()
	} else {
		var calls atomic.Int64
		calls.Store(-1)
		f.lab.Inject(func(w http.ResponseWriter, _ lab.Call, serve func(http.ResponseWriter)) {
			switch hit := calls.Add(1) == int64(e.call); {
			case !hit:
				serve(w)
			case e.signal == syscall.SIGINT || e.victim == "pulumi-resource-cicd":
				// Whoever called may end what it has begun.
				strike()
				serve(w)
			case e.after:
				serve(httptest.NewRecorder())
				fallthrough
			default:
				strike()
				panic(http.ErrAbortHandler)
			}
		})
	}
	const longest = time.Minute
	watch := time.AfterFunc(longest, func() {
		f.t.Errorf("%v: the update does not end within %v", e, longest)
		lab.EndSession(session)
	})
	err := cmd.Wait()
	watch.Stop()
	f.lab.Inject(nil)
	lab.EndSession(session)
	f.lab.Settle()
	return said.String(), err == nil, struck.Load()
}

// TestKills ends the CLI and the plugins at random points of updates, some by an interrupt and some for good. Each
// time, once the guide was followed, the next update ends with what the program has, no more and no less.
func TestKills(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "which plugins the CLI has started")
	const (
		stacks, trials, robots = 2, 28, 3
		seed                   = 6
	)
	var mu sync.Mutex
	hits := map[string]int{}
	var failed []string
	t.Cleanup(func() {
		// At the very end, where it is found in a long log.
		for _, what := range failed {
			t.Log("failed: " + what)
		}
		total := 0
		for what, n := range hits {
			t.Logf("%s: %d", what, n)
			total += n
		}
		// Some are over before they can be hit.
		if !t.Failed() && total < stacks*trials*3/4 {
			t.Errorf("%d updates were hit of %d", total, stacks*trials)
		}
	})
	for number := range stacks {
		t.Run(fmt.Sprint(number), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, uint64(number))) //nolint:gosec // It is to be the same each time.
			l := harness.NewLab(t)
			f := newFleet(t, l, "kills")
			f.change("kills", robots, 0)
			f.run("up", "--yes", "--skip-preview")
			// How long one takes that is left alone.
			l.Calls()
			f.change("kills", robots, 1)
			began := time.Now()
			f.run("up", "--yes", "--skip-preview")
			calls, longest := len(l.Calls()), time.Since(began)
			isWhole(t, l, "left alone", f)
			for trial := range trials {
				f.change("kills", robots, trial+2)
				e := randomEnd(random, calls, longest)
				out, succeeded, hit := f.endedUp(e)
				fail := func(format string, args ...any) {
					t.Helper()
					what := fmt.Sprintf("%v: %s", e, fmt.Sprintf(format, args...))
					mu.Lock()
					failed = append(failed, what)
					mu.Unlock()
					t.Errorf("%s:\n%s", what, out)
				}
				mu.Lock()
				if hit {
					hits[signals[e.signal]+" to "+e.victim]++
				}
				mu.Unlock()
				if strings.Contains(out, "panic") {
					fail("the update panics")
				}
				// A CLI that is interrupted at the very end says that all is well, and leaves what it had yet to delete.
				if !succeeded || hit {
					noted, others := f.repair()
					t.Logf("%v: %d users, groups and roles are left, and %d that were noted", e, others, noted)
					// Of what a plugin made that was killed, nobody was told.
					if others > 0 && e.victim != "pulumi-resource-aws" {
						fail("%d users, groups and roles are left that Pulumi had not noted", others)
					}
					if next, err := f.up(); err != nil {
						fail("the next update fails:\n%s\nafter", next)
					}
				}
				if before := t.Failed(); !before {
					isWhole(t, l, e.String(), f)
					if t.Failed() {
						fail("the account is not what the program has")
					}
				}
			}
			f.run("preview", "--expect-no-changes")
			f.run("destroy", "--yes", "--skip-preview")
			f.none()
			isWhole(t, l, "destroyed", f)
		})
	}
}
