package zkcli

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"zkd/test/clients/suite"
)

// session is a zkCli that reads commands from a pipe. Stdout and stderr go to one pipe, in the order they are written.
type session struct {
	t    *testing.T
	in   io.WriteCloser
	cmd  *exec.Cmd
	mark int

	mu  sync.Mutex
	out strings.Builder // everything so far
}

// open starts a session, which ends with the test.
func (c *cli) open(t *testing.T, addr string) *session {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	s := &session{t: t, cmd: c.command(ctx, "-server", addr)}
	s.cmd.Stdout, s.cmd.Stderr = s, s
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.in.Close()
		end := time.AfterFunc(10*time.Second, cancel)
		s.cmd.Wait()
		end.Stop()
		cancel()
	})
	// In either order; after both only answers and watchers speak.
	s.await("abled\n") // JLine support is enabled, or disabled
	s.await("WatchedEvent state:SyncConnected type:None path:null")
	return s
}

// Write takes zkCli's output.
func (s *session) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.Write(b)
}

func (s *session) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

// await returns when a text has come, at whatever time; watchers speak whenever they like.
func (s *session) await(text string) {
	s.t.Helper()
	s.awaitAfter(0, text)
}

func (s *session) awaitAfter(from int, text string) {
	s.t.Helper()
	for end := time.Now().Add(suite.Patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if strings.Contains(s.text()[from:], text) {
			return
		}
	}
	s.t.Fatalf("zkCli never said %q; it said:\n%s", text, s.text()[from:])
}

// here is a place in the output, for awaitAfter.
func (s *session) here() int { return len(s.text()) }

func (s *session) send(line string) {
	s.t.Helper()
	if _, err := io.WriteString(s.in, line+"\n"); err != nil {
		s.t.Fatalf("zkCli is gone: %v\n%s", err, s.text())
	}
}

// prompt is JLine's. The answer before it does not always end its line.
var prompt = regexp.MustCompile(`\[zk: [^\]\n]*\] ?`)

// do sends a command and returns what zkCli answers, without prompts, repeated input, empty lines and watchers' lines,
// which come at any time and in between. A second command whose answer is known marks the end of the first one's.
func (s *session) do(command string) string {
	s.t.Helper()
	from := s.here()
	s.mark++
	mark := fmt.Sprintf("ls /mark-%d", s.mark)
	s.send(command)
	s.send(mark)
	end := fmt.Sprintf("Node does not exist: /mark-%d\n", s.mark)
	s.awaitAfter(from, end)
	text, _, _ := strings.Cut(s.text()[from:], end)
	text = strings.ReplaceAll(text, " \r", "") // JLine folds what it repeats
	var answer []string
	for _, line := range strings.Split(prompt.ReplaceAllString(text, "\n"), "\n") {
		switch {
		case line == "" || line == command || line == mark || line == "WATCHER::":
		case strings.HasPrefix(line, "WatchedEvent "):
		default:
			answer = append(answer, line)
		}
	}
	return strings.Join(answer, "\n")
}

// want expects the answer to be these lines.
func (s *session) want(command string, lines ...string) {
	s.t.Helper()
	if got, want := s.do(command), strings.Join(lines, "\n"); got != want {
		s.t.Errorf("%s\n got: %q\nwant: %q", command, got, want)
	}
}

// fires sends a command and awaits a watcher's lines for it.
func (s *session) fires(command, kind, path string) {
	s.t.Helper()
	from := s.here()
	s.do(command)
	s.awaitAfter(from, "WatchedEvent state:SyncConnected type:"+kind+" path:"+path)
}

// silent sends a command that no watcher may speak about. The events of an earlier command come first, so once
// those of a later one are there, none was left out.
func (s *session) silent(command, later, kind, path string) {
	s.t.Helper()
	from := s.here()
	s.do(command)
	s.fires(later, kind, path)
	if n := strings.Count(s.text()[from:], "WatchedEvent "); n != 1 {
		s.t.Errorf("%s: %d events came, want the one of %s only:\n%s", command, n, later, s.text()[from:])
	}
}

// match expects the whole answer to match a regular expression.
func (s *session) match(command, pattern string) {
	s.t.Helper()
	if got := s.do(command); !regexp.MustCompile(`^(?s:` + pattern + `)$`).MatchString(got) {
		s.t.Errorf("%s\n got: %q\nwant: %s", command, got, pattern)
	}
}
