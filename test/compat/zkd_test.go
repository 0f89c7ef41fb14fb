package compat

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

	"zkd/test/wire"
)

// zkdServer is a zkd process.
type zkdServer struct {
	bin, dir, addr string
	v              variant
	cmd            *exec.Cmd
	exited         chan struct{}
}

// buildZkd returns the binary to test: ZKD_BIN, or one built into a temporary folder, once a run.
var buildZkd = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("ZKD_BIN"); bin != "" {
		return bin, nil
	}
	dir, err := os.MkdirTemp("", "zkd-bin-")
	if err != nil {
		return "", err
	}
	zkdBinDir = dir
	bin := filepath.Join(dir, "zkd")
	if out, err := exec.Command("go", "build", "-o", bin, "zkd/cmd/zkd").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build zkd/cmd/zkd: %w\n%s", err, out)
	}
	return bin, nil
})

// zkdBinDir is removed when the tests are over.
var zkdBinDir string

func startZkd(ctx context.Context, v variant) (server, error) {
	bin, err := buildZkd()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "zkd-compat-")
	if err != nil {
		return nil, err
	}
	s := &zkdServer{bin: bin, dir: dir, v: v}
	// Between asking the kernel for a port and the server's own bind somebody else can take it.
	for range 3 {
		var l net.Listener
		if l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			break
		}
		s.addr = l.Addr().String()
		l.Close()
		if err = s.launch(ctx); err == nil || !strings.Contains(s.log(), "address already in use") {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, s.log())
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *zkdServer) Addr() string { return s.addr }

func (s *zkdServer) launch(ctx context.Context) error {
	host, port, _ := net.SplitHostPort(s.addr)
	lines := append([]string{
		"dataDir=" + filepath.Join(s.dir, "data"),
		"clientPortAddress=" + host,
		"clientPort=" + port,
		"admin.enableServer=false",
	}, s.v.Config...)
	conf := filepath.Join(s.dir, "zoo.cfg")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	args := []string{"server", "--config", conf}
	for k, v := range s.v.Props {
		args = append(args, "-D", k+"="+v)
	}
	out, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd := exec.Command(s.bin, args...)
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	s.cmd, s.exited = cmd, exited
	return s.await(ctx)
}

// await waits until the server serves. srvr is asked because no whitelist can forbid it.
func (s *zkdServer) await(ctx context.Context) error {
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

func (s *zkdServer) end(sig os.Signal) {
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

func (s *zkdServer) Restart(ctx context.Context) error {
	s.end(syscall.SIGKILL)
	return s.launch(ctx)
}

func (s *zkdServer) Stop() error {
	s.end(syscall.SIGTERM)
	return os.RemoveAll(s.dir)
}

func (s *zkdServer) logFile() string { return filepath.Join(s.dir, "zkd.log") }

// trouble tells of a process that ended by itself, and of data races that a binary built with -race reported. Either
// can happen without any transcript being wrong.
func (s *zkdServer) trouble() string {
	all, _ := os.ReadFile(s.logFile())
	if at := bytes.Index(all, []byte("WARNING: DATA RACE")); at >= 0 {
		return "zkd has a data race:\n" + string(all[at:min(len(all), at+8000)])
	}
	select {
	case <-s.exited:
		if s.cmd != nil {
			return "zkd died:\n" + s.log()
		}
	default:
	}
	return ""
}

// log is the end of what the server wrote.
func (s *zkdServer) log() string {
	b, _ := os.ReadFile(s.logFile())
	return string(b[max(0, len(b)-4000):])
}
