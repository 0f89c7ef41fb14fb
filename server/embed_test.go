package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/consensus/store"
)

// A program that starts a server changes what it must of the default: the data
// directory and the address. Nothing is left outside of that directory, and the
// next start finds what the first one wrote.
func TestEmbedded(t *testing.T) {
	t.Chdir(t.TempDir())
	dir := t.TempDir()
	start := func() *Server {
		cfg := conf.Default()
		cfg.ClientAddr, cfg.DataDir, cfg.TickTime, cfg.UnsafeNoSync = "127.0.0.1:0", dir, 100*time.Millisecond, true
		s, err := Start(t.Context(), cfg, nil)
		if err != nil {
			t.Fatal(err)
		}
		if cfg.DataLogDir != "" {
			t.Error("Start has changed the Config")
		}
		return s
	}
	s := start()
	c, err := tryAttach(t, s, &client{timeout: 1})
	if err != nil {
		t.Fatal(err)
	}
	if x, _ := s.state.table.Get(s.conns.list()[0].session.ID); x.Timeout != 200 {
		t.Errorf("a timeout of %d ms with ticks of 100 ms", x.Timeout)
	}
	c.create("/here", nil, 0)
	stopServer(t, s)
	s = start()
	if !connect(t, s).exists("/here") {
		t.Error("the second server does not have what the first one wrote")
	}
	stopServer(t, s)
	if left, _ := os.ReadDir("."); len(left) > 0 {
		t.Errorf("%s was left in the working directory", left[0].Name())
	}
	if _, err := os.Stat(filepath.Join(dir, "raft")); err != nil {
		t.Error(err)
	}
}

// What cannot work is an error that says what to do, and never a panic.
func TestEmbeddedWithoutSettings(t *testing.T) {
	lone := conf.Default()
	lone.DataDir = t.TempDir()
	lone.StandaloneEnabled = false
	for name, tt := range map[string]struct {
		cfg  *conf.Config
		want []string
	}{
		"none":                {nil, []string{"there is no configuration; Default returns one"}},
		"zero":                {&conf.Config{}, []string{"begin with Default or Load", "TickTime is 0s", `DataDir is ""`, "LogStore", "SnapCount is 0"}},
		"no list of ensemble": {lone, []string{"Servers is []", "InitLimit is 0"}},
	} {
		for what, f := range map[string]func() error{
			"Start":        func() error { _, err := Start(t.Context(), tt.cfg, nil); return err },
			"OpenRecovery": func() error { _, err := OpenRecovery(tt.cfg, nil); return err },
			"Recover":      func() error { _, err := Recover(tt.cfg, nil, nil); return err },
		} {
			err := f()
			if err == nil {
				t.Errorf("%s, %s: no error", name, what)
				continue
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%s, %s: %v does not say %q", name, what, err, want)
				}
			}
		}
	}
	if _, err := consensus.Open(consensus.Config{}, nil); err == nil {
		t.Error("consensus.Open takes nothing at all")
	}
	if _, err := consensus.OpenRecovery(consensus.Config{}); err == nil {
		t.Error("consensus.OpenRecovery takes nothing at all")
	}
	if _, err := store.Open(store.Options{}); err == nil {
		t.Error("store.Open takes nothing at all")
	}
}

// Without an address for clients there is no port, rather than any.
func TestNoClientAddr(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { c.ClientAddr = "" })
	if s.Port() != 0 {
		t.Errorf("listens on %v", s.Addr())
	}
}
