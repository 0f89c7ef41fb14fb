// Package zkdserver builds zkd and runs it as a process of its own, for tests from outside.
package zkdserver

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"zkd/test/ports"
	"zkd/test/proc"
	"zkd/test/wire"
)

// Server is a zkd process. Its methods are not for concurrent use.
type Server struct {
	bin, dir, addr string
	config         []string
	props          map[string]string
	cmd            *exec.Cmd
	exited         chan struct{}
}

// Tags are the build tags of what Build makes; set them before.
var Tags string

// Build returns the binary to test: ZKD_BIN, or one built into a temporary folder, once a run.
var Build = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("ZKD_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	dir, err := os.MkdirTemp("", "zkd-bin-")
	if err != nil {
		return "", err
	}
	binDir = dir
	bin := filepath.Join(dir, "zkd")
	if out, err := exec.Command("go", "build", "-tags", Tags, "-o", bin, "zkd/cmd/zkd").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build zkd/cmd/zkd: %w\n%s", err, out)
	}
	return bin, nil
})

// binDir is where Build put the binary.
var binDir string

// CleanUp removes what Build made; call it when the tests of a package are over.
func CleanUp() {
	if binDir != "" {
		os.RemoveAll(binDir)
	}
}

// Command is how to run the binary that Build returned with a configuration file and -D properties.
func Command(bin, conf string, props map[string]string) *exec.Cmd {
	args := []string{"server", "--config", conf}
	for k, v := range props {
		args = append(args, "-D", k+"="+v)
	}
	return exec.Command(bin, args...)
}

// Start runs a server on a loopback port of the kernel's choice, with further lines of zoo.cfg and -D properties, and
// waits until it answers. Cancelling ctx ends the wait, not a server that has started.
func Start(ctx context.Context, config []string, props map[string]string) (*Server, error) {
	bin, err := Build()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "zkd-test-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, config: config, props: props}
	if s.addr, err = ports.Addr(); err == nil {
		err = s.launch(ctx)
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, s.Log())
		s.Stop()
		return nil, err
	}
	return s, nil
}

// Addr is where clients connect.
func (s *Server) Addr() string { return s.addr }

// PID is the process, 0 when there is none.
func (s *Server) PID() int {
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

func (s *Server) launch(ctx context.Context) error {
	host, port, _ := net.SplitHostPort(s.addr)
	lines := append([]string{
		"dataDir=" + filepath.Join(s.dir, "data"),
		"clientPortAddress=" + host,
		"clientPort=" + port,
		"admin.enableServer=false",
	}, s.config...)
	conf := filepath.Join(s.dir, "zoo.cfg")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	out, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := Command(s.bin, conf, s.props)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = proc.Child()
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	s.cmd, s.exited = cmd, exited
	return s.await(ctx)
}

// await waits until the server serves. srvr is asked because no whitelist can forbid it.
func (s *Server) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := wire.Words(s.addr, "srvr", time.Second); err == nil && strings.Contains(text, "Mode: ") {
			return nil
		}
		select {
		case <-s.exited:
			return fmt.Errorf("zkd ended while starting: %v", s.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("zkd does not answer: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func (s *Server) end(sig os.Signal) {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(sig)
	select {
	case <-s.exited:
	case <-time.After(10 * time.Second):
		s.cmd.Process.Kill()
		<-s.exited
	}
	s.cmd = nil
}

// Restart kills the server and starts it again on the same data and port.
func (s *Server) Restart(ctx context.Context) error {
	s.end(syscall.SIGKILL)
	return s.launch(ctx)
}

// Terminate ends the process in good order and keeps its folder, so that Restart can follow.
func (s *Server) Terminate() { s.end(syscall.SIGTERM) }

// Stop ends the server and removes what it had.
func (s *Server) Stop() error {
	s.end(syscall.SIGTERM)
	return os.RemoveAll(s.dir)
}

func (s *Server) logFile() string { return filepath.Join(s.dir, "zkd.log") }

// Trouble tells of a process that ended by itself, and of data races that a binary built with -race reported. Either
// can happen without any transcript being wrong.
func (s *Server) Trouble() string {
	all, _ := os.ReadFile(s.logFile())
	if at := bytes.Index(all, []byte("WARNING: DATA RACE")); at >= 0 {
		return "zkd has a data race:\n" + string(all[at:min(len(all), at+8000)])
	}
	select {
	case <-s.exited:
		if s.cmd != nil {
			return "zkd died:\n" + s.Log()
		}
	default:
	}
	return ""
}

// Log is the end of what the server wrote.
func (s *Server) Log() string {
	b, _ := os.ReadFile(s.logFile())
	return string(b[max(0, len(b)-4000):])
}
