package main

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/server"
	"zkd/test/ports"
	"zkd/test/wire"
)

// patience bounds every wait of these tests; it only matters when one fails.
const patience = 30 * time.Second

// zooCfg writes the configuration of server id of several and returns its path.
func zooCfg(t *testing.T, id int, lines []string) string {
	dir := t.TempDir()
	data := filepath.Join(dir, "data")
	path := filepath.Join(dir, "zoo.cfg")
	text := fmt.Sprintf("tickTime=500\ninitLimit=20\nsyncLimit=20\ndataDir=%s\nclientPort=%d\nclientPortAddress=127.0.0.1\n%s\n",
		data, ports.For(t), strings.Join(lines, "\n"))
	for path, content := range map[string]string{path: text, filepath.Join(data, "myid"): fmt.Sprint(id)} {
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

// startServers runs a server for each file until the test ends.
func startServers(t *testing.T, files ...string) (all []*server.Server) {
	t.Helper()
	all = make([]*server.Server, len(files))
	errs := make(chan error, len(files))
	for i, file := range files {
		cfg, _, err := conf.Load(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			var err error
			all[i], err = server.Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
			errs <- err
		}()
	}
	for range files {
		if err := <-errs; err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { stopServers(t, all...) })
	return all
}

func stopServers(t *testing.T, all ...*server.Server) {
	t.Helper()
	for _, s := range all {
		if err := s.Shutdown(t.Context()); err != nil && t.Context().Err() == nil {
			t.Error(err)
		}
	}
}

// create makes a znode and returns the zxid of that.
func create(t *testing.T, s *server.Server, path string) int64 {
	t.Helper()
	c, err := wire.Dial(s.Addr().String(), patience)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Connect(wire.ConnectRequest{TimeoutMs: 10_000, Password: make([]byte, 16)}, patience); err != nil {
		t.Fatal(err)
	}
	if err := c.Send(1, wire.OpCreate, wire.Create{Path: path, ACL: []wire.ACL{{Perms: 31, Scheme: "world", ID: "anyone"}}}); err != nil {
		t.Fatal(err)
	}
	_, reply, err := c.Next(patience)
	if err != nil || reply.Err != 0 {
		t.Fatal(reply, err)
	}
	return reply.Zxid
}

// recoverIt runs the command and returns what it says.
func recoverIt(t *testing.T, file string, yes bool) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	args := []string{"recover", "--config", file}
	if yes {
		args = append(args, "--yes")
	}
	root.SetArgs(args)
	err := root.Execute()
	return out.String(), err
}

// tree is every file below a directory with its content, but for locks.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "LOCK" {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestRecover(t *testing.T) {
	var lines, files []string
	for id := 1; id <= 3; id++ {
		lines = append(lines, fmt.Sprintf("server.%d=127.0.0.1:%d:%d", id, ports.For(t), ports.For(t)))
	}
	for id := 1; id <= 3; id++ {
		files = append(files, zooCfg(t, id, lines))
	}
	ensemble := startServers(t, files...)
	before := create(t, ensemble[0], "/before")
	if _, err := recoverIt(t, files[0], true); err == nil || !strings.Contains(err.Error(), "stop the server first") {
		t.Errorf("while it runs: %v", err)
	}
	stopServers(t, ensemble...)

	had := tree(t, filepath.Dir(files[0]))
	out, err := recoverIt(t, files[0], false)
	if err != nil {
		t.Fatal(err)
	}
	for _, word := range []string{"Server 1", "2, 3", "is lost", "--yes", "raft.id"} {
		if !strings.Contains(out, word) {
			t.Errorf("it does not say %q:\n%s", word, out)
		}
	}
	for path, content := range tree(t, filepath.Dir(files[0])) {
		if had[path] != content {
			t.Errorf("without --yes %s has changed", path)
		}
	}

	out, err = recoverIt(t, files[0], true)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out, "Done") {
		t.Error(out)
	}
	alone := startServers(t, files[0])
	after := create(t, alone[0], "/before/after")
	if after>>32 < before>>32+1<<20 {
		t.Errorf("zxid %#x follows %#x", after, before)
	}
}

func TestRecoverRefuses(t *testing.T) {
	blank := zooCfg(t, 1, []string{"server.1=127.0.0.1:2888:3888", "server.2=127.0.0.1:2889:3889"})
	for name, tt := range map[string]struct {
		args []string
		code int
	}{
		"no file":      {[]string{"recover"}, exitConfig},
		"two files":    {[]string{"recover", "--config", "a", "b"}, exitConfig},
		"missing file": {[]string{"recover", filepath.Join(t.TempDir(), "zoo.cfg")}, exitConfig},
		"blank server": {[]string{"recover", blank, "--yes"}, exitData},
	} {
		t.Run(name, func(t *testing.T) {
			if code := run(tt.args); code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(blank), "data", "raft*")); len(left) != 0 {
		t.Errorf("made %v", left)
	}
}
