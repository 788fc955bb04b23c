// Package lab is where the end-to-end tests and the demo run: an AWS account, emulated by moto's server, and
// the environment in which the Pulumi CLI, the language hosts and the AWS plugin meet nothing but that account.
package lab

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

// moto is a server process of moto, which holds the state of one AWS account in its memory.
type moto struct {
	url  *url.URL
	cmd  *exec.Cmd
	done chan struct{}
	// kind is what it was started with: servers of the same kind can stand in for each other.
	kind string
}

// idle are servers that labs have left, by their kind. One takes a second and a half to start.
var idle struct {
	sync.Mutex
	kept    bool
	servers map[string][]*moto
}

// KeepServers has the servers of labs that are closed kept for those to come, until the function that it returns is
// called.
func KeepServers() (end func()) {
	idle.Lock()
	defer idle.Unlock()
	idle.kept, idle.servers = true, map[string][]*moto{}
	return func() {
		idle.Lock()
		defer idle.Unlock()
		idle.kept = false
		for _, servers := range idle.servers {
			for _, m := range servers {
				m.end()
			}
		}
	}
}

// idleServer returns a server that is kept, or nil.
func idleServer(kind string) *moto {
	idle.Lock()
	defer idle.Unlock()
	servers := idle.servers[kind]
	if len(servers) == 0 {
		return nil
	}
	m := servers[len(servers)-1]
	idle.servers[kind] = servers[:len(servers)-1]
	return m
}

// close keeps the server, emptied, or ends it.
func (m *moto) close() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	idle.Lock()
	defer idle.Unlock()
	if idle.kept && m.control(ctx, "reset", "") == nil && m.control(ctx, "reset-auth", authCount(false)) == nil {
		idle.servers[m.kind] = append(idle.servers[m.kind], m)
		return
	}
	m.end()
}

// startedMoto is what moto says when it listens.
var startedMoto = regexp.MustCompile(`Running on (http://127\.0\.0\.1:\d+)`)

// startMoto starts a server on a free port of 127.0.0.1, with the Python of the tools, or else with the one on PATH. It
// takes an idle one if there is one.
func startMoto(ctx context.Context, account string, options []Option) (*moto, error) {
	kind := fmt.Sprint(account, options)
	if m := idleServer(kind); m != nil {
		return m, nil
	}
	python := cmp.Or(os.Getenv("MOTO_PYTHON"), "python3")
	m := &moto{done: make(chan struct{}), kind: kind}
	//nolint:noctx // Close ends it.
	m.cmd = exec.Command(python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "0")
	m.cmd.Env = append(os.Environ(), "MOTO_ACCOUNT_ID="+account)
	for _, option := range options {
		m.cmd.Env = append(m.cmd.Env, string(option))
	}
	out, in := io.Pipe()
	m.cmd.Stdout, m.cmd.Stderr = in, in
	endWithParent(m.cmd)
	if err := m.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start moto: %w", err)
	}
	go func() {
		_ = m.cmd.Wait()
		_ = in.Close()
		close(m.done)
	}()
	started := make(chan string, 1)
	var log strings.Builder
	go func() {
		defer close(started)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if found := startedMoto.FindStringSubmatch(lines.Text()); found != nil {
				started <- found[1]
				break
			}
			fmt.Fprintln(&log, lines.Text())
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	select {
	case address, listens := <-started:
		if listens {
			m.url, _ = url.Parse(address)
			return m, nil
		}
		return nil, fmt.Errorf("start moto with %s: it ended\n%s", python, &log)
	case <-ctx.Done():
		m.end()
		return nil, fmt.Errorf("start moto with %s: %w", python, ctx.Err())
	}
}

// control posts to one of moto's own paths. The type of the body matters: moto takes others for a form.
func (m *moto) control(ctx context.Context, path, body string) error {
	target := m.url.JoinPath("moto-api", path).String()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "text/plain")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("moto answers %s to %s", resp.Status, path)
	}
	return nil
}

func (m *moto) end() {
	_ = m.cmd.Process.Kill()
	<-m.done
}
