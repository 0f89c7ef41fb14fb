package ensemble

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"zkd/test/proc"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

// Server is one member. What it does to the process is not for concurrent use; what asks the server is.
type Server struct {
	ID       int
	Observer bool

	host  string
	ports [3]int // first and second peer port, client port
	space *Space // nil on loopback
	dir   string // zoo.cfg and log
	disk  string // data
	own   []string
	props map[string]string
	made  product
	wrap  func(*exec.Cmd) *exec.Cmd // how its programs are run, nil mostly
	start func(*Server, *exec.Cmd)  // see Options.Starting

	mu     sync.Mutex // guards cmd and exited
	cmd    *exec.Cmd
	exited chan struct{}
}

// Addr is where clients connect.
func (s *Server) Addr() string { return net.JoinHostPort(s.host, strconv.Itoa(s.ports[2])) }

// Line is the server's line of zoo.cfg.
func (s *Server) Line() string { return fmt.Sprintf("server.%d=%s", s.ID, s.spec()) }

func (s *Server) spec() string {
	role := "participant"
	if s.Observer {
		role = "observer"
	}
	return fmt.Sprintf("%s:%d:%d:%s;%s:%d", s.host, s.ports[0], s.ports[1], role, s.host, s.ports[2])
}

func (s *Server) String() string { return fmt.Sprintf("server %d", s.ID) }

// DataDir is the folder with all that the server keeps.
func (s *Server) DataDir() string { return filepath.Join(s.disk, "data") }

// Space is where the server lives; nil on loopback.
func (s *Server) Space() *Space { return s.space }

// LogFile is what the server writes, all its runs together.
func (s *Server) LogFile() string { return s.logFile() }

func (s *Server) configFile() string { return filepath.Join(s.dir, "zoo.cfg") }
func (s *Server) logFile() string    { return filepath.Join(s.dir, "log") }

// configure writes zoo.cfg and an empty data folder with myid. It is done once: a server may rewrite its own
// configuration after a reconfig.
func (s *Server) configure(lines []string) error {
	all := append([]string{"dataDir=" + s.DataDir()}, lines...)
	all = append(all, s.own...)
	if err := os.WriteFile(s.configFile(), []byte(strings.Join(all, "\n")+"\n"), 0o644); err != nil {
		return err
	}
	return s.Blank()
}

// Blank empties the server's disk, except for myid. The server must not run.
func (s *Server) Blank() error {
	if err := os.RemoveAll(s.DataDir()); err != nil {
		return err
	}
	if err := os.MkdirAll(s.DataDir(), 0o755); err != nil {
		return err
	}
	return s.SetMyID(s.ID)
}

// SetMyID writes the myid file.
func (s *Server) SetMyID(id int) error {
	return os.WriteFile(filepath.Join(s.DataDir(), "myid"), []byte(strconv.Itoa(id)+"\n"), 0o644)
}

// Launch starts the process and waits for nothing.
func (s *Server) Launch() error {
	cmd, err := s.made.command(s.configFile(), s.props)
	if err != nil {
		return err
	}
	if s.wrap != nil {
		cmd = s.wrap(cmd)
	}
	out, err := os.OpenFile(s.logFile(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer out.Close()
	cmd.Dir = s.dir
	cmd.Stdout, cmd.Stderr = out, out
	cmd.SysProcAttr = proc.Child()
	if s.start != nil {
		s.start(s, cmd)
	}
	err = s.space.do(cmd.Start)
	for _, f := range cmd.ExtraFiles {
		f.Close() // the process has its own, and the other end is to see when it ends
	}
	if err != nil {
		return err
	}
	exited := make(chan struct{})
	go func() { cmd.Wait(); close(exited) }()
	s.mu.Lock()
	s.cmd, s.exited = cmd, exited
	s.mu.Unlock()
	return nil
}

// PID is the process, 0 when there is none.
func (s *Server) PID() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return 0
	}
	return s.cmd.Process.Pid
}

// Alive reports whether the process is there.
func (s *Server) Alive() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.cmd == nil {
		return false
	}
	select {
	case <-s.exited:
		return false
	default:
		return true
	}
}

// Exit waits for the process to end by itself, and returns its exit code.
func (s *Server) Exit(patience time.Duration) (int, error) {
	select {
	case <-s.exited:
		return s.cmd.ProcessState.ExitCode(), nil
	case <-time.After(patience):
		return 0, fmt.Errorf("%v still runs after %v", s, patience)
	}
}

func (s *Server) signal(sig os.Signal) {
	if s.PID() != 0 {
		s.cmd.Process.Signal(sig)
	}
}

// end signals the process and waits for its end; patience over, it is killed.
func (s *Server) end(sig os.Signal, patience time.Duration) error {
	if s.PID() == 0 {
		return nil
	}
	s.signal(sig)
	var err error
	select {
	case <-s.exited:
	case <-time.After(patience):
		err = fmt.Errorf("%v did not follow %v in %v", s, sig, patience)
		s.signal(syscall.SIGKILL)
		<-s.exited
	}
	s.mu.Lock()
	s.cmd = nil
	s.mu.Unlock()
	return err
}

// Kill ends the process with SIGKILL.
func (s *Server) Kill() { s.end(syscall.SIGKILL, 10*time.Second) }

// Terminate ends the process with SIGTERM, as an operator does.
func (s *Server) Terminate() error { return s.end(syscall.SIGTERM, 30*time.Second) }

// Pause stops the process where it is; Resume lets it go on.
func (s *Server) Pause()  { s.signal(syscall.SIGSTOP) }
func (s *Server) Resume() { s.signal(syscall.SIGCONT) }

// Dial opens a TCP connection to the server's client port, from where its clients are.
func (s *Server) Dial(timeout time.Duration) (net.Conn, error) {
	return s.space.Dial(s.Addr(), timeout)
}

// Words asks a four-letter word.
func (s *Server) Words(word string) (string, error) {
	nc, err := s.Dial(time.Second)
	if err != nil {
		return "", err
	}
	return wire.NewConn(nc).Words(word, 2*time.Second)
}

var (
	modeOf = regexp.MustCompile(`(?m)^Mode: (\S+)`)
	zxidOf = regexp.MustCompile(`(?m)^Zxid: 0x([0-9a-f]+)`)
)

// Mode is what the server says it is (leader, follower, observer, standalone, read-only), "" when it serves nobody.
func (s *Server) Mode() string {
	text, err := s.Words("srvr")
	if m := modeOf.FindStringSubmatch(text); err == nil && m != nil {
		return m[1]
	}
	return ""
}

// Zxid is the last one the server has applied.
func (s *Server) Zxid() (int64, error) {
	text, err := s.Words("srvr")
	if err != nil {
		return 0, err
	}
	m := zxidOf.FindStringSubmatch(text)
	if m == nil {
		return 0, fmt.Errorf("%v tells no zxid: %q", s, text)
	}
	return strconv.ParseInt(m[1], 16, 64)
}

// Log is what the server wrote, all its runs together.
func (s *Server) Log() string {
	b, _ := os.ReadFile(s.logFile())
	return string(b)
}

// LogSays reports whether a line of the log holds all of the words, whatever their case.
func (s *Server) LogSays(words ...string) bool {
	for line := range strings.Lines(strings.ToLower(s.Log())) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, strings.ToLower(w))
		}
		if all {
			return true
		}
	}
	return false
}

// tail is the end of the log, for the report of a failure.
func (s *Server) tail() string {
	b, _ := os.ReadFile(s.logFile())
	return string(b[max(0, len(b)-6000):])
}

// trouble tells of what must never be in a log.
func (s *Server) trouble() error {
	b, _ := os.ReadFile(s.logFile())
	for _, sign := range []string{"WARNING: DATA RACE", "panic: ", "fatal error: "} {
		if at := bytes.Index(b, []byte(sign)); at >= 0 && s.made.name == zkd {
			return fmt.Errorf("%v wrote\n%s", s, b[at:min(len(b), at+6000)])
		}
	}
	return nil
}

const sigkill = syscall.SIGKILL

var errTaken = errors.New("a port was taken by another process")

// portTaken tells whether the server ended because its port was in use.
func (s *Server) portTaken() bool { return !s.Alive() && s.LogSays("address already in use") }

// status asks the program's own status command.
func (s *Server) status(args ...string) (string, error) {
	bin, err := zkdserver.Build()
	if err != nil {
		return "", err
	}
	cmd := exec.Command(bin, append([]string{"status", "--config", s.configFile()}, args...)...)
	if s.wrap != nil {
		cmd = s.wrap(cmd)
	}
	var out strings.Builder
	cmd.Stdout = &out
	if err := s.space.do(cmd.Start); err != nil {
		return "", err
	}
	err = cmd.Wait()
	return out.String(), err
}

// replica is how far a server is, and the digest of all that it replicates.
type replica struct {
	Applied uint64 `json:"applied_index"`
	Digest  uint64 `json:"digest"`
}

// replica asks a zkd for it.
func (s *Server) replica() (replica, error) {
	var answer struct {
		Servers []struct {
			ID     int      `json:"id"`
			Status *replica `json:"status"`
		} `json:"servers"`
	}
	// Its exit code tells of the servers of its zoo.cfg, which need not be the members of today.
	text, _ := s.status("--json")
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		return replica{}, fmt.Errorf("status of %v: %w", s, err)
	}
	for _, other := range answer.Servers {
		if other.ID == s.ID && other.Status != nil {
			return *other.Status, nil
		}
	}
	return replica{}, fmt.Errorf("%v is not in its own status", s)
}
