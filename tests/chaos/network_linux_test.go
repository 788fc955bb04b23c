package chaos

import (
	"errors"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/structpb"

	"github.com/pulumi-cicd/pulumi-cicd/tests/internal/harness"
)

// inNamespace is set in the environment of a test that has a network namespace of its own.
const inNamespace = "CICD_NETWORK_NAMESPACE"

// TestPluginCallsNobody runs the plugin where there is no network but that between it and an engine, and counts what
// leaves any process there: the plugin connects to the engine and its resource monitor, and asks for nobody else.
func TestPluginCallsNobody(t *testing.T) {
	if os.Getenv(inNamespace) != "" {
		callNobody(t)
		return
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestPluginCallsNobody$", "-test.v")
	cmd.Env = append(os.Environ(), inNamespace+"=true")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) || errors.Is(err, syscall.ENOSPC) {
		t.Skipf("this machine gives no network namespaces: %v", err)
	}
	if err != nil || !strings.Contains(string(out), "--- PASS: TestPluginCallsNobody") {
		t.Errorf("%v\n%s", err, out)
	}
}

// counters are what the kernel counts in a network namespace.
type counters struct {
	// connections are those that were begun, and datagrams the packets that were sent without one.
	connections, datagrams int
	// noRoute is how often somebody was called whom there is no way to.
	noRoute int
}

// count reads the counters of this network namespace.
func count(t *testing.T) (c counters) {
	t.Helper()
	text, err := os.ReadFile("/proc/net/snmp")
	harness.Check(t, err)
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		// Of each protocol there is a line of names, and then one of numbers.
		if _, err := strconv.Atoi(fields[1]); err != nil {
			names = fields
			continue
		}
		for i, name := range names {
			n, _ := strconv.Atoi(fields[i])
			switch fields[0] + name {
			case "Tcp:ActiveOpens":
				c.connections += n
			case "Udp:OutDatagrams":
				c.datagrams += n
			case "Ip:OutNoRoutes":
				c.noRoute += n
			}
		}
	}
	text, err = os.ReadFile("/proc/net/snmp6")
	harness.Check(t, err)
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) == 2 {
			n, _ := strconv.Atoi(fields[1])
			switch fields[0] {
			case "Udp6OutDatagrams":
				c.datagrams += n
			case "Ip6OutNoRoutes":
				c.noRoute += n
			}
		}
	}
	return c
}

// callNobody is the test itself, in a namespace whose only interface leads back to it.
func callNobody(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	harness.Check(t, err)
	defer unix.Close(fd)
	loopback, err := unix.NewIfreq("lo")
	harness.Check(t, err)
	loopback.SetUint16(unix.IFF_UP)
	harness.Check(t, unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, loopback))

	before := count(t)
	ctx := t.Context()
	e, p := harness.StartPlugin(t)
	harness.Check(t, p.Configure(ctx, e))
	_, err = p.GetSchema(ctx, &pulumirpc.GetSchemaRequest{})
	harness.Check(t, err)
	for name, component := range map[string]struct {
		typ    string
		inputs map[string]any
	}{
		"robot": {"cicd:index:RobotAccount", nil},
		"keys": {"cicd:index:AccessKey", map[string]any{
			"userName": "bot", "rotateEvery": "90d", "secretsManager": map[string]any{"name": "cicd/bot"}, "ssmPath": "/cicd/bot",
		}},
		// Keybase is asked by the AWS plugin, if it is.
		"pgp": {"cicd:index:AccessKey", map[string]any{"userName": "bot", "pgpKey": "keybase:somebody"}},
		"role": {"cicd:index:DeploymentRole", map[string]any{
			"trusted":           []any{"arn:aws:iam::123456789012:user/cicd-bot"},
			"managedPolicyArns": []any{"arn:aws:iam::aws:policy/ReadOnlyAccess"},
		}},
	} {
		req, err := e.Request(component.typ, name, component.inputs)
		harness.Check(t, err)
		if _, err := p.Construct(ctx, req); err != nil {
			t.Errorf("construct %s: %v", name, err)
		}
	}
	wrong, err := e.Request("cicd:index:RobotAccount", "wrong", map[string]any{"path": "wrong"})
	harness.Check(t, err)
	if _, err := p.Construct(ctx, wrong); err == nil {
		t.Error("bad input is taken")
	}
	_, err = p.Check(ctx, &pulumirpc.CheckRequest{
		Urn: "urn:pulumi:stack::project::cicd:index:AccessKeyRotation::robot", News: &structpb.Struct{},
	})
	harness.Check(t, err)
	_, err = p.Cancel(ctx, &emptypb.Empty{})
	harness.Check(t, err)
	// What is sent in the background has its time.
	time.Sleep(500 * time.Millisecond)

	const toThePlugin = 1
	got := count(t)
	if want := int(e.Accepted.Load()) + toThePlugin; got.connections-before.connections != want || e.Accepted.Load() < 5 {
		t.Errorf("%d connections were begun, and %d reached the engine, the resource monitor or the plugin",
			got.connections-before.connections, want)
	}
	if got.datagrams != before.datagrams || got.noRoute != before.noRoute {
		t.Errorf("somebody else was called: %+v before, %+v afterwards", before, got)
	}

	// What somebody does, counts.
	for _, network := range []string{"tcp", "udp"} {
		if conn, err := (&net.Dialer{}).DialContext(ctx, network, "192.0.2.1:53"); err == nil {
			_, _ = conn.Write([]byte("x"))
			_ = conn.Close()
		}
	}
	if now := count(t); now.noRoute < got.noRoute+2 {
		t.Errorf("two calls to somebody else are not counted: %+v before, %+v afterwards", got, now)
	}
}
