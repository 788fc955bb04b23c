package engine

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"

	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"
)

// A Plugin is a running plugin.
type Plugin struct {
	pulumirpc.ResourceProviderClient
	cmd  *exec.Cmd
	conn *grpc.ClientConn
}

// StartPlugin starts a plugin, and returns when it has said on which port it listens.
func (e *Engine) StartPlugin(ctx context.Context, program string) (*Plugin, error) {
	cmd := exec.CommandContext(ctx, program, e.Address)
	cmd.Env, cmd.Stderr = append(os.Environ(), "GOGC="), os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Plugin{cmd: cmd}
	reader := bufio.NewReader(out)
	port, err := reader.ReadString('\n')
	if err == nil {
		go func() { _, _ = io.Copy(io.Discard, reader) }()
		p.conn, err = grpc.NewClient("127.0.0.1:"+strings.TrimSpace(port),
			grpc.WithTransportCredentials(insecure.NewCredentials()))
	}
	if err != nil {
		p.Close()
		return nil, fmt.Errorf("start the plugin %s: %w", program, err)
	}
	p.ResourceProviderClient = pulumirpc.NewResourceProviderClient(p.conn)
	return p, nil
}

// Configure does what the engine does before it has anything constructed.
func (p *Plugin) Configure(ctx context.Context, e *Engine) error {
	if _, err := p.Handshake(ctx, &pulumirpc.ProviderHandshakeRequest{EngineAddress: e.Address}); err != nil {
		return fmt.Errorf("shake hands with the plugin: %w", err)
	}
	if _, err := p.CheckConfig(ctx, &pulumirpc.CheckRequest{
		Urn: "urn:pulumi:stack::project::pulumi:providers:cicd::default", News: &structpb.Struct{},
	}); err != nil {
		return fmt.Errorf("check the plugin's configuration: %w", err)
	}
	_, err := p.ResourceProviderClient.Configure(ctx, &pulumirpc.ConfigureRequest{
		Args: &structpb.Struct{}, AcceptSecrets: true, AcceptResources: true, SendsOldInputs: true,
	})
	if err != nil {
		return fmt.Errorf("configure the plugin: %w", err)
	}
	return nil
}

// ConstructAll constructs a component for each of the requests, some at a time, and returns the first error.
func (p *Plugin) ConstructAll(ctx context.Context, parallel int, requests []*pulumirpc.ConstructRequest) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	next := make(chan *pulumirpc.ConstructRequest)
	var workers sync.WaitGroup
	for range parallel {
		workers.Go(func() {
			for req := range next {
				if _, err := p.Construct(ctx, req); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, req := range requests {
		next <- req
	}
	close(next)
	workers.Wait()
	return context.Cause(ctx)
}

// Memory is the memory that the plugin holds, in bytes.
func (p *Plugin) Memory() (int64, error) { return MemoryOf(p.cmd.Process.Pid) }

// MemoryOf is the memory that a process holds, in bytes. Only Linux tells it.
func MemoryOf(pid int) (int64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(status), "\nVmRSS:")
	kilobytes, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	n, err := strconv.ParseInt(kilobytes, 10, 64)
	return n * 1024, err
}

// Close ends the plugin.
func (p *Plugin) Close() {
	if p.conn != nil {
		_ = p.conn.Close()
	}
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
