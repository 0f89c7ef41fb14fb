package server

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zkd/conf"
)

// collector keeps what was logged.
type collector struct{ lines chan string }

func (c collector) Write(b []byte) (int, error) {
	c.lines <- string(b)
	return len(b), nil
}

func TestDynamicFile(t *testing.T) {
	dir := t.TempDir()
	cfg := &conf.Config{File: filepath.Join(dir, "zoo.cfg"), DynamicVersion: 0x100}
	logged := collector{make(chan string, 10)}
	d := newDynamicFile(cfg, slog.New(slog.NewTextHandler(logged, nil)))
	done := make(chan struct{})
	go func() { defer close(done); d.run(t.Context()) }()
	list := mustParse(t, three)

	d.note(list[:1], 0x100) // what zoo.cfg refers to
	d.note(list, 0x10000000f)
	path := cfg.File + ".dynamic.10000000f"
	if line := <-logged.lines; !strings.Contains(line, "level=INFO") || !strings.Contains(line, `line="dynamicConfigFile=`+path+`"`) {
		t.Errorf("logged %s", line)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != three {
		t.Errorf("got %q, %v", text, err)
	}
	// The file makes an ensemble as it is.
	if err := os.WriteFile(cfg.File, []byte("dataDir="+dir+"\nclientPort=2181\ninitLimit=5\nsyncLimit=2\ndynamicConfigFile="+path+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "myid"), []byte("3"), 0o644); err != nil {
		t.Fatal(err)
	}
	if c, _, err := conf.Load(cfg.File, nil); err != nil || c.DynamicVersion != 0x10000000f || memberList(c.Servers).String() != three {
		t.Errorf("loads as %+v, %v", c, err)
	}

	d.note(list, 0x10000000f) // again: nothing to say
	if err := os.Mkdir(cfg.File+".dynamic.100000010", 0o755); err != nil {
		t.Fatal(err)
	}
	d.note(list, 0x100000010)
	if line := <-logged.lines; !strings.Contains(line, "level=WARN") || !strings.Contains(line, "100000010") {
		t.Errorf("logged %s", line)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, ".dynamic-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
