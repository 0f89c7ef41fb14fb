package crash

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What keeps a server from starting gives a code and a clear message of one
// line.
func TestRefusedStarts(t *testing.T) {
	write := func(dir, text string) []string {
		file := filepath.Join(dir, "zoo.cfg")
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return []string{"server", file}
	}
	port := "clientPortAddress=127.0.0.1\nclientPort=" + freePort(t) + "\n"
	busy, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer busy.Close()
	_, taken, _ := net.SplitHostPort(busy.Addr().String())
	for _, row := range []struct {
		name string
		args func(t *testing.T, dir string) []string
		code int
		says string
	}{
		{"no such file", func(*testing.T, string) []string { return []string{"server", "nowhere.cfg"} }, 2, "nowhere.cfg"},
		{"a folder for a file", func(_ *testing.T, dir string) []string { return []string{"server", dir} }, 2, ""},
		{"no dataDir", func(_ *testing.T, dir string) []string { return write(dir, "clientPort=2181\n") }, 2, "dataDir"},
		{"no clientPort", func(_ *testing.T, dir string) []string { return write(dir, "dataDir=data\n") }, 2, "clientPort"},
		{"bad value", func(_ *testing.T, dir string) []string { return write(dir, port+"dataDir=data\ntickTime=fast\n") }, 2, "tickTime"},
		{"bad engine", func(_ *testing.T, dir string) []string {
			return append(write(dir, port+"dataDir=data\n"), "-D", "zkd.logStore=paper")
		}, 2, "paper"},
		{"unknown command", func(*testing.T, string) []string { return []string{"serve"} }, 2, "serve"},
		{"unknown flag", func(*testing.T, string) []string { return []string{"server", "--fast"} }, 2, "--fast"},
		{"bad log level", func(*testing.T, string) []string { return []string{"server", "--log-level", "loud"} }, 2, "loud"},
		{"two files", func(*testing.T, string) []string { return []string{"server", "a", "b"} }, 2, "one configuration file"},
		{"dataDir is a file", func(t *testing.T, dir string) []string {
			if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			return write(dir, port+"dataDir=data\n")
		}, 3, "data"},
		{"dataDir below a file", func(t *testing.T, dir string) []string {
			if err := os.WriteFile(filepath.Join(dir, "data"), nil, 0o644); err != nil {
				t.Fatal(err)
			}
			return write(dir, port+"dataDir=data/below\n")
		}, 3, "data"},
		{"dataDir not writable", func(t *testing.T, dir string) []string {
			return write(dir, port+"dataDir="+tmpfs(t, "ro,size=1m")+"\n")
		}, 3, "read-only"},
		{"dataDir below what is not writable", func(t *testing.T, dir string) []string {
			return write(dir, port+"dataDir="+tmpfs(t, "ro,size=1m")+"/data\n")
		}, 3, "read-only"},
		{"dataLogDir not writable", func(t *testing.T, dir string) []string {
			return write(dir, port+"dataDir=data\ndataLogDir="+tmpfs(t, "ro,size=1m")+"\n")
		}, 3, "read-only"},
		{"dataDir missing and not to be made", func(_ *testing.T, dir string) []string {
			return append(write(dir, port+"dataDir=data\n"), "-D", "zookeeper.datadir.autocreate=false")
		}, 3, "data"},
		{"port in use", func(_ *testing.T, dir string) []string {
			return write(dir, "clientPortAddress=127.0.0.1\nclientPort="+taken+"\ndataDir=data\n")
		}, 1, taken},
		{"address of another machine", func(_ *testing.T, dir string) []string {
			return write(dir, "clientPortAddress=192.0.2.1\nclientPort=2181\ndataDir=data\n")
		}, 1, "192.0.2.1"},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			p := launch(t, dir, row.args(t, dir)...)
			code, text := p.exit(), p.message()
			if code != row.code || !strings.Contains(text, row.says) {
				t.Errorf("exit code %d instead of %d, says %q", code, row.code, text)
			}
			if !strings.HasPrefix(text, "zkd: ") || strings.Contains(text, "\n") {
				t.Errorf("not one line that names its author: %q", text)
			}
		})
	}
}

// A directory belongs to one server: the second one leaves it alone.
func TestSecondServer(t *testing.T) {
	s := newSite(t)
	first := s.up()
	c := connect(t, first, time.Minute)
	c.create("/a", nil, 0)
	second := s.start()
	if code, text := second.exit(), second.message(); code != 1 && code != 3 || !strings.Contains(text, "in use") ||
		!strings.Contains(text, s.data) || strings.Contains(text, "\n") {
		t.Errorf("exit code %d, says %q", code, text)
	}
	c.create("/b", nil, 0)
}

// The commands that need no server, and the one that needs no argument.
func TestCommands(t *testing.T) {
	run := func(args ...string) (int, string, string) {
		t.Helper()
		p := launch(t, t.TempDir(), args...)
		code := p.exit()
		return code, p.stdout.String(), p.stderr.String()
	}
	if code, out, _ := run("version"); code != 0 || !strings.HasPrefix(out, "zkd ") || strings.Count(out, "\n") != 1 {
		t.Errorf("version: %d, %q", code, out)
	}
	for _, args := range [][]string{{"--help"}, {"server", "--help"}, {"check-config", "--help"}} {
		if code, out, _ := run(args...); code != 0 || !strings.Contains(out, "Usage:") {
			t.Errorf("%s: %d, %q", args, code, out)
		}
	}
	file := filepath.Join(t.TempDir(), "zoo.cfg")
	if err := os.WriteFile(file, []byte("dataDir=/x\nclientPort=2181\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := run("check-config", file); code != 0 || !strings.Contains(out, "clientPort") {
		t.Errorf("check-config: %d, %q", code, out)
	}
	if err := os.WriteFile(file, []byte("dataDir=/x\nclientPort=99999\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, text, _ := run("check-config", file); code != 2 || !strings.Contains(text, "99999") {
		t.Errorf("check-config of a bad file: %d, %q", code, text)
	}
	if code, _, text := run("check-config"); code != 2 || !strings.Contains(text, "zoo.cfg") {
		t.Errorf("check-config of nothing: %d, %q", code, text)
	}
}

// zkd alone, in an empty folder, is a server with its data below it.
func TestWithoutArguments(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:2181")
	if err != nil {
		t.Skip("port 2181 is taken")
	}
	l.Close()
	dir := t.TempDir()
	p := launch(t, dir)
	p.addr = "127.0.0.1:2181"
	if !p.serves() {
		t.Fatal(p.stderr.String())
	}
	connect(t, p, time.Minute).create("/a", nil, 0)
	if code := p.terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if !strings.Contains(p.stdout.String(), "127.0.0.1:2181") {
		t.Errorf("it says %q", p.stdout.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "zkd-data")); err != nil {
		t.Error(err)
	}
}
