package ensemble

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// dynamicFile is what a server's dynamicConfigFile holds now.
func dynamicFile(s *Server) string {
	b, err := os.ReadFile(filepath.Join(s.dir, "zoo.cfg.dynamic"))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// followDynamicFile gives a server a dynamicConfigFile with these lines instead of server lines in its zoo.cfg.
func (e *Ensemble) followDynamicFile(s *Server, lines ...string) {
	e.t.Helper()
	path := filepath.Join(s.dir, "zoo.cfg.dynamic")
	e.must(os.WriteFile(path, []byte(strings.Join(lines, "\n")), 0o644))
	e.must(s.configure(append(e.common(), "dynamicConfigFile="+path)))
}

// What Pravega's operator does with two pods. Each one's zoo.cfg names a dynamic file: the first one's has itself, the
// second one's the first and, as an observer, itself. The operator's probe reads the second pod's file; while that calls
// it an observer, it is removed and added with a vote.
func TestDynamicFileIsFollowed(t *testing.T) {
	t.Parallel()
	e := New(t, Reconfigurable(Options{Voters: 1}))
	first := e.Servers[0]
	e.followDynamicFile(first, first.Line())
	e.Launch(first)
	e.AwaitServing(first)
	version := regexp.MustCompile(`\nversion=[0-9a-f]+\n$`)
	says := func(s *Server, lines ...string) {
		t.Helper()
		want := strings.Join(lines, "\n")
		e.Await(s.String()+" has the members in its file", func() bool {
			text := dynamicFile(s)
			at := version.FindStringIndex(text)
			return at != nil && text[:at[0]] == want
		})
	}
	says(first, first.Line())

	second := e.layOut(2, true)
	e.Servers = append(e.Servers, second)
	e.followDynamicFile(second, first.Line(), second.Line())
	admin := OpenAdmin(t, first)
	admin.Reconfig([]*Server{second}, nil)
	e.Launch(second)
	e.AwaitServing(second)
	says(first, first.Line(), second.Line())
	says(second, first.Line(), second.Line())

	admin.Reconfig(nil, []int{2})
	says(first, first.Line())
	second.Observer = false
	admin.Reconfig([]*Server{second}, nil)
	e.AwaitServing(second)
	says(first, first.Line(), second.Line())
	says(second, first.Line(), second.Line())

	// The next start reads it, and has nothing to add.
	before := dynamicFile(second)
	e.must(second.Terminate())
	e.Launch(second)
	e.AwaitServing(second)
	if dynamicFile(second) != before || second.LogSays("is not what the ensemble has agreed on") {
		t.Errorf("after a restart the file has\n%s\nand not\n%s", dynamicFile(second), before)
	}
	if beside, _ := filepath.Glob(first.configFile() + ".dynamic.*"); len(beside) > 0 {
		t.Errorf("beside zoo.cfg are %v", beside)
	}
}
