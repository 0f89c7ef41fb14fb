package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"zkd/test/proc"
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
	// stateless: it answers with fixed replies. It is measured where nothing is asked that needs a tree.
	stateless bool
	// argv is the command that serves in the foreground what newServer laid out.
	argv func(s *server) []string
	// env is added to the environment.
	env []string
	// files are written next to the configuration.
	files map[string]string
	// liveHeap is the memory of what is reachable.
	liveHeap func(s *server) (heap, error)
	// pauses is for how long the garbage collector stopped everything, each time since the start.
	pauses func(s *server) ([]time.Duration, error)
	// forZnodes, when set, is the kind with what it needs to hold a tree of that size.
	forZnodes func(n int) *kind
}

// heap is a size in bytes and how it was found. Only sizes found the same way can be subtracted.
type heap struct {
	bytes int64
	how   string
	// resident: it is resident memory, for want of a better figure.
	resident bool
}

// since is the growth from an earlier size; ok is false when the two cannot be compared.
func (h heap) since(before heap) (growth int64, ok bool) {
	return h.bytes - before.bytes, h.how == before.how && !h.resident
}

// server is one running process of a kind with its data directory.
type server struct {
	kind *kind
	id   int    // in its ensemble, from 1
	dir  string // configuration, log and data
	addr string // for clients
	cmd  *exec.Cmd
	done chan error // gets the result of Wait
	warm bool       // the first measurement is over
	// logFrom is where the log of the process began.
	logFrom int64
}

func (s *server) pid() int        { return s.cmd.Process.Pid }
func (s *server) dataDir() string { return filepath.Join(s.dir, "data") }

// newServer makes a directory below work with what a server needs to start there. All kinds read the
// same keys of zoo.cfg.
func newServer(k *kind, work string, id int, all []site) (*server, error) {
	dir, err := os.MkdirTemp(work, k.name+"-")
	if err != nil {
		return nil, err
	}
	s := &server{kind: k, id: id, dir: dir, addr: all[id-1].client()}
	if err := os.Mkdir(s.dataDir(), 0o755); err != nil {
		return nil, err
	}
	files := map[string]string{s.cfg(): zooCfg(s.dataDir(), id, all)}
	if len(all) > 1 {
		files[filepath.Join(s.dataDir(), "myid")] = fmt.Sprintln(id)
	}
	for name, content := range k.files {
		files[filepath.Join(dir, name)] = content
	}
	for path, content := range files {
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			return nil, err
		}
	}
	return s, nil
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
// would open further ports. What has no default is as in ZooKeeper's sample file.
func zooCfg(dataDir string, id int, all []site) string {
	var b strings.Builder
	own := all[id-1]
	fmt.Fprintf(&b, "tickTime=2000\ndataDir=%s\nclientPort=%d\nclientPortAddress=%s\n", dataDir, own.ports[0], own.host)
	fmt.Fprintf(&b, "maxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\n")
	if len(all) > 1 {
		fmt.Fprintf(&b, "initLimit=10\nsyncLimit=5\n")
		for i, s := range all {
			fmt.Fprintf(&b, "server.%d=%s:%d:%d\n", i+1, s.host, s.ports[1], s.ports[2])
		}
	}
	return b.String()
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
	if end, err := log.Seek(0, io.SeekEnd); err == nil {
		s.logFrom = end
	}
	argv := s.kind.argv(s)
	s.cmd = exec.Command(argv[0], argv[1:]...)
	s.cmd.Dir = s.dir
	s.cmd.Env = append(os.Environ(), s.kind.env...)
	s.cmd.Stdout, s.cmd.Stderr = log, log
	// Should the bench be killed, no server stays behind.
	s.cmd.SysProcAttr = proc.Child()
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
	lines := slices.DeleteFunc(bytes.SplitAfter(b, []byte("\n")), isGoTrace)
	b = bytes.Join(lines, nil)
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

// lastWords says whether the process is gone, for then its failure is ours, and how its log ends.
func (s *server) lastWords() string {
	state := "runs"
	select {
	case err := <-s.done:
		s.done <- err
		state = fmt.Sprintf("ended (%v)", err)
	default:
	}
	return fmt.Sprintf("\n%s, server %d, %s; its log ends:\n%s", s.kind.name, s.id, state, s.logTail())
}
