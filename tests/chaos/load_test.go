package chaos

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/engine"
	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// TestPluginKeepsNothing says that constructs leave less than 10 kB each in the plugin.
func TestPluginKeepsNothing(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "how much memory a process holds")
	const (
		warm, constructs = 200, 2000
		most             = 10_000
	)
	e, p := harness.StartPlugin(t)
	harness.Check(t, p.Configure(t.Context(), e))
	var requests []*pulumirpc.ConstructRequest
	for i := range warm + constructs {
		req, err := e.Request("cicd:index:RobotAccount", fmt.Sprintf("robot%d", i), nil)
		harness.Check(t, err)
		requests = append(requests, req)
	}
	harness.Check(t, p.ConstructAll(t.Context(), 8, requests[:warm]))
	before, err := p.Memory()
	harness.Check(t, err)
	harness.Check(t, p.ConstructAll(t.Context(), 8, requests[warm:]))
	after, err := p.Memory()
	harness.Check(t, err)
	if each := (after - before) / constructs; each > most {
		t.Errorf("each construct leaves %d bytes", each)
	}
	if looked := e.LookUps.Load(); looked != 1 {
		t.Errorf("AWS is asked %d times who calls", looked)
	}
}

// idleMemory is what the plugin holds when it has started and nothing has called it yet, in bytes. A test finds the
// process of one that the engine starts while that is still starting, or at work already.
func idleMemory(t *testing.T) int64 {
	t.Helper()
	_, p := harness.StartPlugin(t)
	held, err := p.Memory()
	harness.Check(t, err)
	return held
}

// TestLoad makes, changes and destroys a stack of 500 robots, the most groups that AWS allows in an account. The plugin
// never holds 64 MB more than when it has just started.
func TestLoad(t *testing.T) {
	t.Parallel()
	harness.OnlyLinuxTells(t, "how much memory a process holds")
	const (
		robots = 500
		most   = 64_000_000
	)
	l := harness.NewLab(t)
	f := newFleet(t, l, "load")
	f.env = append([]string{"GOGC="}, withoutCheckpoints...)
	idle := idleMemory(t)
	run := func(args ...string) {
		t.Helper()
		cmd := f.command(append(args, "--yes", "--skip-preview", "--suppress-progress")...)
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		var out strings.Builder
		cmd.Stdout, cmd.Stderr = &out, &out
		began := time.Now()
		harness.Check(t, cmd.Start())
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		highest := int64(0)
		for {
			select {
			case err := <-ended:
				if err != nil {
					t.Fatalf("%s: %v\n%s", args[0], err, out.String())
				}
				// Nothing of a destroyed stack is the plugin's, and the engine does not start it.
				t.Logf("%s took %.1f s; the plugin held %d MB at most, and %d MB when it had just started", args[0],
					time.Since(began).Seconds(), highest/1_000_000, idle/1_000_000)
				if (highest == 0) != (args[0] == "destroy") {
					t.Errorf("%s: the plugin held %d bytes", args[0], highest)
				}
				if highest-idle > most {
					t.Errorf("%s: the plugin grew by %d bytes", args[0], highest-idle)
				}
				return
			case <-time.After(50 * time.Millisecond):
				for _, plugin := range processesOf(cmd.Process.Pid, "pulumi-resource-cicd") {
					if held, err := engine.MemoryOf(plugin); err == nil { // It may have ended.
						highest = max(highest, held)
					}
				}
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
		for _, r := range harness.State(t, l, f.dir).Resources {
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
