package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

const (
	stopTimeout    = 20 * time.Second
	sessionTimeout = 30 * time.Second
)

// kind is one implementation under test. Another column of the report is another kind.
type kind struct {
	name    string
	version string
	// firstWarm and warm are how long a server of this kind is loaded before the first and before each
	// further measurement: a JVM compiles while it runs, and measuring its interpreter would be unfair.
	firstWarm, warm time.Duration
	// argv is the command that serves with the given configuration file in the foreground.
	argv func(cfg string) []string
	// files are written next to the configuration.
	files map[string]string
	// liveHeap is the memory of what is reachable.
	liveHeap func(s *server) (heap, error)
}

// heap is a size in bytes and how it was found. Only sizes found the same way can be subtracted.
type heap struct {
	bytes int64
	how   string
}

// since is the growth from an earlier size; ok is false when the two cannot be compared.
func (h heap) since(before heap) (growth int64, ok bool) {
	return h.bytes - before.bytes, h.how == before.how
}

// server is one running process of a kind with its data directory.
type server struct {
	kind *kind
	dir  string // configuration, log and data
	addr string
	cmd  *exec.Cmd
	done chan error // gets the result of Wait
	warm bool       // the first measurement is over
}

func (s *server) pid() int        { return s.cmd.Process.Pid }
func (s *server) dataDir() string { return filepath.Join(s.dir, "data") }

// startServer writes zoo.cfg into a new directory below work and starts a server there. All kinds read
// the same keys.
func startServer(ctx context.Context, k *kind, work string) (*server, error) {
	dir, err := os.MkdirTemp(work, k.name+"-")
	if err != nil {
		return nil, err
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	s := &server{kind: k, dir: dir, addr: fmt.Sprintf("127.0.0.1:%d", port)}
	if err := os.Mkdir(s.dataDir(), 0o755); err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.cfg(), zooCfg(s.dataDir(), port), 0o644); err != nil {
		return nil, err
	}
	for name, content := range k.files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	return s, s.start(ctx)
}

// warmUp is how long to load the server before the measurement that follows.
func (s *server) warmUp() time.Duration {
	if s.warm {
		return s.kind.warm
	}
	s.warm = true
	return s.kind.firstWarm
}

func (s *server) cfg() string { return filepath.Join(s.dir, "zoo.cfg") }

// zooCfg leaves everything at ZooKeeper's defaults but the limit of connections an address and what
// would open further ports.
func zooCfg(dataDir string, port int) []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "tickTime=2000\ndataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\n", dataDir, port)
	fmt.Fprintf(&b, "maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\n")
	return []byte(b.String())
}

func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}

// start runs the process on the existing directory and waits until it answers.
func (s *server) start(ctx context.Context) error {
	if err := s.launch(); err != nil {
		return err
	}
	if _, err := s.awaitAnswer(ctx, "/"); err != nil {
		s.kill()
		return err
	}
	return nil
}

func (s *server) launch() error {
	log, err := os.OpenFile(filepath.Join(s.dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	argv := s.kind.argv(s.cfg())
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Dir = s.dir
	s.cmd.Stdout, s.cmd.Stderr = log, log
	// Should the bench be killed, no server stays behind.
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", s.kind.name, err)
	}
	s.warm = false
	s.done = make(chan error, 1)
	go func() { s.done <- s.cmd.Wait() }()
	return nil
}

func (s *server) logTail() string {
	b, _ := os.ReadFile(filepath.Join(s.dir, "log"))
	return string(b[max(0, len(b)-2000):])
}

// kill ends the process at once, as a crash would.
func (s *server) kill() {
	_ = s.cmd.Process.Kill()
	<-s.done
	s.done <- nil
}

// terminate ends the process in good order.
func (s *server) terminate() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-s.done:
	case <-time.After(stopTimeout):
		_ = s.cmd.Process.Kill()
		<-s.done
	}
	s.done <- nil
}

// stop terminates the process and removes its directory.
func (s *server) stop() error {
	s.terminate()
	return os.RemoveAll(s.dir)
}

// lastWords is the end of the log when the process is gone: then its failure is ours.
func (s *server) lastWords() string {
	select {
	case err := <-s.done:
		s.done <- err
		return fmt.Sprintf("; %s ended (%v); its log ends:\n%s", s.kind.name, err, s.logTail())
	default:
		return ""
	}
}
