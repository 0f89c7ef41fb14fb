package suite

import (
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

// zkd is a zkd process. Its methods are not for concurrent use.
type zkd struct {
	bin, dir, addr string
	lines          []string
	cmd            *exec.Cmd
	exited         chan struct{} // closed when the process is gone
}

// zkdBin is the binary to test: ZKD_BIN, or one built into a temporary folder, once a run.
var zkdBin = sync.OnceValues(func() (string, error) {
	if bin := os.Getenv("ZKD_BIN"); bin != "" {
		return filepath.Abs(bin)
	}
	dir, err := os.MkdirTemp("", "zkd-bin-")
	if err != nil {
		return "", err
	}
	builtIn = dir
	bin := filepath.Join(dir, "zkd")
	if out, err := exec.Command("go", "build", "-o", bin, "zkd/cmd/zkd").CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build zkd/cmd/zkd: %w\n%s", err, out)
	}
	return bin, nil
})

// builtIn is the folder of a binary that was built here; Main removes it.
var builtIn string

func startZkd(ctx context.Context, lines []string) (Server, error) {
	bin, err := zkdBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "zkd-clients-")
	if err != nil {
		return nil, err
	}
	z := &zkd{bin: bin, dir: dir, lines: lines}
	// Between asking the kernel for a port and the server's own bind somebody else can take it.
	for range 3 {
		if z.addr, err = FreeAddr(); err != nil {
			break
		}
		if err = z.launch(ctx); err == nil || !strings.Contains(z.Log(), "address already in use") {
			break
		}
	}
	if err != nil {
		err = fmt.Errorf("%w\n%s", err, z.Log())
		z.Stop()
		return nil, err
	}
	return z, nil
}

func (z *zkd) Addr() string { return z.addr }

func (z *zkd) PID() int {
	if z.cmd == nil {
		return 0
	}
	return z.cmd.Process.Pid
}

func (z *zkd) launch(ctx context.Context) error {
	host, port, _ := net.SplitHostPort(z.addr)
	lines := append([]string{
		"dataDir=" + filepath.Join(z.dir, "data"),
		"clientPortAddress=" + host,
		"clientPort=" + port,
		"admin.enableServer=false",
	}, z.lines...)
	conf := filepath.Join(z.dir, "zoo.cfg")
	if err := os.WriteFile(conf, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	args := []string{"server", "--config", conf}
	for k, v := range props {
		args = append(args, "-D", k+"="+v)
	}
	out, err := os.OpenFile(z.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close() // the child has its own descriptor
	cmd := exec.Command(z.bin, args...)
	cmd.Stdout, cmd.Stderr = out, out
	// A test that dies must not leave a server behind.
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	z.cmd, z.exited = cmd, exited
	return z.await(ctx)
}

// await waits until the server serves. srvr is asked because no whitelist can forbid it.
func (z *zkd) await(ctx context.Context) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := wire.Words(z.addr, "srvr", time.Second); err == nil && strings.Contains(text, "Mode: ") {
			return nil
		}
		select {
		case <-z.exited:
			return fmt.Errorf("zkd ended while starting: %v", z.cmd.ProcessState)
		case <-ctx.Done():
			return fmt.Errorf("zkd does not answer: %w", context.Cause(ctx))
		case <-tick.C:
		}
	}
}

func (z *zkd) Restart(ctx context.Context) error {
	z.end(syscall.SIGKILL)
	return z.launch(ctx)
}

func (z *zkd) Stop() error {
	z.end(syscall.SIGTERM)
	return os.RemoveAll(z.dir)
}

// end signals the process and waits for it; one that does not follow a SIGTERM in ten seconds is killed.
func (z *zkd) end(sig os.Signal) {
	if z.cmd == nil {
		return
	}
	z.cmd.Process.Signal(sig)
	select {
	case <-z.exited:
	case <-time.After(10 * time.Second):
		z.cmd.Process.Kill()
		<-z.exited
	}
	z.cmd = nil
}

func (z *zkd) logFile() string { return filepath.Join(z.dir, "zkd.log") }

func (z *zkd) Log() string { return tail(z.logFile()) }

// tail is the end of a file, as much as helps in a test's output.
func tail(file string) string {
	b, _ := os.ReadFile(file)
	return string(b[max(0, len(b)-4000):])
}

// FreeAddr is a loopback address whose port was free a moment ago.
func FreeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}
