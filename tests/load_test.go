package tests

import (
	"fmt"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/engine"
)

// memory returns how much memory a process holds, in bytes, or nothing if it has ended.
func memory(pid int) int64 {
	held, _ := engine.MemoryOf(pid)
	return held
}

// TestLoad makes, changes and destroys a stack of 1,000 robots. The plugin holds about as much memory at the end of each
// as at the start.
func TestLoad(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells, without a library, how much memory a process holds")
	}
	const (
		robots = 1000
		most   = 64_000_000
	)
	l := newLab(t)
	f := newFleet(t, l, "load")
	run := func(args ...string) {
		t.Helper()
		cmd := f.lab.Command(t.Context(), f.dir, append(args, "--yes", "--skip-preview", "--suppress-progress")...)
		// A file backend would write the whole state at each step.
		cmd.Env = append(cmd.Env, "PULUMI_EXPERIMENTAL=true", "PULUMI_SKIP_CHECKPOINTS=true")
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		began := time.Now()
		check(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		plugin, first, highest := 0, int64(0), int64(0)
		for {
			select {
			case err := <-ended:
				if err != nil {
					t.Fatalf("%s: %v\n%s", args[0], err, out.String())
				}
				// Nothing of a destroyed stack is the plugin's, and the engine does not start it.
				t.Logf("%s took %.1f s; the plugin held %d MB at the start, and %d MB at most", args[0],
					time.Since(began).Seconds(), first/1_000_000, highest/1_000_000)
				if (plugin == 0) != (args[0] == "destroy") {
					t.Errorf("%s: the plugin's process is %d", args[0], plugin)
				}
				if highest-first > most {
					t.Errorf("%s: the plugin grew by %d bytes", args[0], highest-first)
				}
				return
			case <-time.After(50 * time.Millisecond):
				if plugin == 0 {
					pids := processesOf(cmd.Process.Pid, "pulumi-resource-cicd")
					if len(pids) == 0 {
						continue
					}
					plugin = pids[0]
					first = memory(plugin)
				}
				highest = max(highest, memory(plugin))
			}
		}
	}
	for round := range 2 {
		f.robots = map[string]string{}
		for i := range robots {
			f.robots[fmt.Sprintf("robot%d", i)] = fmt.Sprintf("role%d", round)
		}
		f.write("load")
		run("up")
		calls := map[string]int{}
		for _, action := range l.Writes() {
			calls[action]++
		}
		if made := calls["CreateUser"]; calls["PutGroupPolicy"] != robots || (made == robots) != (round == 0) {
			t.Errorf("round %d: there are the calls %v", round, calls)
		}
		known := map[string]int{}
		for _, r := range f.state().Resources {
			known[string(r.Type)]++
		}
		if known["cicd:index:RobotAccount"] != robots || known["aws:iam/groupPolicy:GroupPolicy"] != robots {
			t.Errorf("round %d: the state has %v", round, known)
		}
	}
	run("destroy")
	f.none()
	isWhole(t, l, "destroyed", f)
}
