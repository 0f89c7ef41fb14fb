package zoocfg

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
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"zkd/test/ports"
	"zkd/test/proc"
	"zkd/test/wire"
	"zkd/test/zkdserver"
)

// patience bounds what a test waits for.
const patience = 60 * time.Second

func TestMain(m *testing.M) {
	code := m.Run()
	zkdserver.CleanUp()
	os.Exit(code)
}

// verdict is a line of the table.
type verdict struct {
	name   string
	serves bool
	said   []string // "warning: …"
}

var row = regexp.MustCompile(`^\| ([0-9]\S*) \| (serves|refused) \| (.*?) ?\|$`)

func verdicts(t *testing.T) (all []verdict) {
	text, err := os.ReadFile("verdicts.md")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		m := row.FindStringSubmatch(strings.TrimSpace(line))
		if m == nil {
			continue
		}
		v := verdict{name: m[1], serves: m[2] == "serves"}
		for item := range strings.SplitSeq(m[3], "<br>") {
			if item = strings.TrimSpace(item); item != "" {
				v.said = append(v.said, item)
			}
		}
		all = append(all, v)
	}
	return all
}

// TestTableIsWhole holds the table against the folders.
func TestTableIsWhole(t *testing.T) {
	folders, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names, rows []string
	for _, f := range folders {
		names = append(names, f.Name())
	}
	for _, v := range verdicts(t) {
		rows = append(rows, v.name)
	}
	if !slices.Equal(names, rows) {
		t.Errorf("folders %q\nlines   %q", names, rows)
	}
}

// TestRealFiles runs them, a few at a time: they mostly wait for one another.
func TestRealFiles(t *testing.T) {
	seats := make(chan struct{}, 6)
	for _, v := range verdicts(t) {
		t.Run(v.name, func(t *testing.T) {
			t.Parallel()
			seats <- struct{}{}
			defer func() { <-seats }()
			servers := install(t, v.name)
			checked := make([][]string, len(servers))
			for i, s := range servers {
				checked[i] = s.check(v.serves)
			}
			compare(t, v, checked[0])
			for _, s := range servers {
				s.start()
			}
			if v.serves {
				for _, s := range servers {
					s.await()
				}
				serve(t, servers)
			}
			for i, s := range servers {
				s.judge(v.serves, checked[i])
			}
		})
	}
}

// judge has a server end and compares what it has said to what check-config does.
func (s *server) judge(serves bool, checked []string) {
	s.t.Helper()
	if serves {
		_ = s.cmd.Process.Signal(os.Interrupt)
	}
	if code := s.end(); serves != (code == 0) || !serves && code != 2 {
		s.t.Errorf("exit code %d\n%s", code, s.log())
	}
	if said := s.said(); serves && !slices.Equal(checked, said) {
		s.t.Errorf("check-config says\n%s\nand the start\n%s", strings.Join(checked, "\n"), strings.Join(said, "\n"))
	}
	for _, c := range checked {
		if text, failure := strings.CutPrefix(c, "error: "); failure && !strings.Contains(s.plain(s.log()), text) {
			s.t.Errorf("the start does not say %s:\n%s", text, s.log())
		}
	}
}

// compare holds what is said against the table.
func compare(t *testing.T, v verdict, said []string) {
	t.Helper()
	var rest []string
	for _, s := range said {
		i := slices.IndexFunc(v.said, func(want string) bool { return like(want).MatchString(s) })
		if i < 0 && !strings.HasPrefix(s, "notice: ") {
			rest = append(rest, s)
		}
	}
	if len(rest) > 0 {
		t.Errorf("not in the table:\n%s", strings.Join(rest, "\n"))
	}
	for _, want := range v.said {
		if !slices.ContainsFunc(said, like(want).MatchString) {
			t.Errorf("nothing like %q in\n%s", want, strings.Join(said, "\n"))
		}
	}
}

func like(want string) *regexp.Regexp {
	return regexp.MustCompile("^" + strings.ReplaceAll(regexp.QuoteMeta(want), "…", ".*") + "$")
}

// server is one of an installation.
type server struct {
	t       *testing.T
	dir     string // its working directory
	config  string
	port    int    // for clients, as the file has it
	peers   [2]int // of one that is in no folder
	env     []string
	changed *strings.Replacer // back from the folders and ports of the run
	cmd     *exec.Cmd
	out     bytes.Buffer
	exited  chan struct{}
}

// meta is what the folder's meta.json says.
type meta struct {
	Servers int               `json:"servers"`
	MyID    []int             `json:"myid"`
	Env     map[string]string `json:"env"`
	Ports   [][]int           `json:"ports"`
}

// install writes an installation's files with folders and ports of this run.
func install(t *testing.T, name string) (servers []*server) {
	from := filepath.Join("testdata", name)
	text, err := os.ReadFile(filepath.Join(from, "meta.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m meta
	if err := json.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	there, back := []string{"@DIR@", dir}, []string{dir, "@DIR@"}
	mine := map[int]int{}
	for _, p := range slices.Concat(m.Ports...) {
		mine[p] = ports.Everywhere(t)
		there = append(there, strconv.Itoa(p), strconv.Itoa(mine[p]))
		back = append(back, strconv.Itoa(mine[p]), strconv.Itoa(p))
	}
	edit := strings.NewReplacer(there...)
	for i := range m.Servers {
		s := &server{t: t, dir: filepath.Join(dir, strconv.Itoa(i+1)), port: mine[m.Ports[i][0]], changed: strings.NewReplacer(back...)}
		s.config = filepath.Join(s.dir, "zoo.cfg")
		for k, v := range m.Env {
			s.env = append(s.env, k+"="+v)
		}
		cfg := s.copy(edit, filepath.Join(from, fmt.Sprintf("zoo%d.cfg", i+1)), s.config)
		if file := value(cfg, "dynamicConfigFile"); file != "" {
			s.copy(edit, filepath.Join(from, fmt.Sprintf("dynamic%d", i+1)), file)
		}
		if i < len(m.MyID) {
			s.write(filepath.Join(value(cfg, "dataDir"), "myid"), strconv.Itoa(m.MyID[i])+"\n")
		}
		servers = append(servers, s)
	}
	return servers
}

// value is that of a key in a file's text.
func value(cfg, key string) string {
	m := regexp.MustCompile(`(?m)^\s*` + key + `=\s*(.*?)\s*$`).FindStringSubmatch(cfg)
	if m == nil {
		return ""
	}
	return m[1]
}

func (s *server) copy(edit *strings.Replacer, from, to string) string {
	s.t.Helper()
	b, err := os.ReadFile(from)
	if err != nil {
		s.t.Fatal(err)
	}
	text := edit.Replace(string(b))
	s.write(to, text)
	return text
}

func (s *server) write(path, text string) {
	s.t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		s.t.Fatal(err)
	}
}

func (s *server) command(args ...string) *exec.Cmd {
	s.t.Helper()
	bin, err := zkdserver.Build()
	if err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.Command(bin, args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = s.dir, append([]string{"HOME=" + s.dir}, s.env...), proc.Child()
	return cmd
}

var finding = regexp.MustCompile(`^(notice|warning|error): (.*)$`)

// check returns what check-config says, as the table has it.
func (s *server) check(serves bool) (said []string) {
	s.t.Helper()
	cmd := s.command("check-config", s.config)
	out, err := cmd.Output()
	var exit *exec.ExitError
	if serves != (err == nil) || err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 2) {
		s.t.Errorf("check-config: %v\n%s", err, out)
	}
	for line := range strings.Lines(string(out)) {
		if m := finding.FindStringSubmatch(strings.TrimSpace(line)); m != nil {
			said = append(said, m[1]+": "+s.plain(m[2]))
		}
	}
	slices.Sort(said)
	return said
}

// plain is a text without what differs from run to run and from server to server.
func (s *server) plain(text string) string {
	return lineOf.ReplaceAllString(s.changed.Replace(text), "line $1")
}

var lineOf = regexp.MustCompile(`@DIR@/\d+/zoo\.cfg:(\d+)`)

func (s *server) start() {
	s.t.Helper()
	args := []string{"server"}
	if s.config != "" {
		args = append(args, s.config)
	}
	s.out.Reset()
	s.cmd = s.command(args...)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.exited = make(chan struct{})
	go func() {
		_ = s.cmd.Wait()
		close(s.exited)
	}()
	cmd, exited := s.cmd, s.exited
	s.t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		<-exited // bounded by what a server takes to stop
	})
}

// end waits until the process is over.
func (s *server) end() (code int) {
	s.t.Helper()
	select {
	case <-s.exited:
		return s.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		_ = s.cmd.Process.Kill()
		<-s.exited
		s.t.Error("the process did not end")
		return -1
	}
}

func (s *server) addr() string { return net.JoinHostPort("localhost", strconv.Itoa(s.port)) }

// await waits until the server serves.
func (s *server) await() {
	s.t.Helper()
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		select {
		case <-s.exited:
			s.t.Fatalf("zkd ended: %v\n%s", s.cmd.ProcessState, s.log())
		default:
		}
		if text, err := wire.Words(s.addr(), "srvr", time.Second); err == nil && strings.Contains(text, "Mode: ") {
			return
		}
	}
	s.end()
	s.t.Fatalf("zkd does not serve\n%s", s.log())
}

// log is what the process has written; it must have ended.
func (s *server) log() string { return s.out.String() }

var logged = regexp.MustCompile(`level=(INFO|WARN|ERROR) msg=configuration where=("(?:[^"\\\\]|\\\\.)*"|\S*) text=("(?:[^"\\\\]|\\\\.)*"|\S*)`)

// said returns what a server that has ended said of its configuration, as check does.
func (s *server) said() (said []string) {
	levels := map[string]string{"INFO": "notice", "WARN": "warning", "ERROR": "error"}
	for _, m := range logged.FindAllStringSubmatch(s.log(), -1) {
		said = append(said, levels[m[1]]+": "+s.plain(strings.TrimPrefix(unquote(m[2])+": "+unquote(m[3]), ": ")))
	}
	slices.Sort(said)
	return said
}

func unquote(text string) string {
	if plain, err := strconv.Unquote(text); err == nil {
		return plain
	}
	return text
}

// connect opens a session.
func (s *server) connect() *wire.Conn {
	s.t.Helper()
	c, err := wire.Dial(s.addr(), patience)
	if err == nil {
		s.t.Cleanup(func() { c.Close() })
		_, err = c.Connect(wire.ConnectRequest{TimeoutMs: 30_000, Password: make([]byte, 16)}, patience)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

func (s *server) call(c *wire.Conn, op wire.Op, body wire.Body) *wire.Reply {
	s.t.Helper()
	if err := c.Send(1, op, body); err != nil {
		s.t.Fatal(err)
	}
	_, r, err := c.Next(patience)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// serve has each server write what all the others then read, and looks at the list of members.
func serve(t *testing.T, servers []*server) {
	conns := make([]*wire.Conn, len(servers))
	for i, s := range servers {
		conns[i] = s.connect()
		path := fmt.Sprintf("/written-at-%d", i+1)
		if r := s.call(conns[i], wire.OpCreate, wire.Create{Path: path, Data: []byte("x"), ACL: wire.OpenACL}); r.Err != 0 {
			t.Errorf("create at server %d: %v", i+1, r.Err)
		}
	}
	for i, s := range servers {
		s.call(conns[i], wire.OpSync, wire.Path("/"))
		for j := range servers {
			if r := s.call(conns[i], wire.OpGetData, wire.PathWatch{Path: fmt.Sprintf("/written-at-%d", j+1)}); r.Err != 0 || string(r.Data) != "x" {
				t.Errorf("what was written at server %d reads as %q, %v at server %d", j+1, r.Data, r.Err, i+1)
			}
		}
		r := s.call(conns[i], wire.OpGetData, wire.PathWatch{Path: "/zookeeper/config"})
		if wild := wildcard.FindString(string(r.Data)); wild != "" {
			t.Errorf("server %d has the list\n%s", i+1, r.Data)
		}
	}
}

// wildcard is one as the address of a server; clients may have it.
var wildcard = regexp.MustCompile(`server\.\d+=(0\.0\.0\.0|\[::\]):`)
