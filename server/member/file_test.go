package member

import (
	"io/fs"
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

// fileBench runs a File for the zoo.cfg in dir that begins with what a server of
// an ensemble needs.
type fileBench struct {
	*File
	t      *testing.T
	cfg    *conf.Config
	logged collector
}

func startFile(t *testing.T, dir, rest string) *fileBench {
	config := filepath.Join(dir, "zoo.cfg")
	text := "dataDir=" + dir + "\nclientPort=2181\ninitLimit=5\nsyncLimit=2\n" + rest + "\n"
	for path, text := range map[string]string{config: text, filepath.Join(dir, "myid"): "3"} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b := &fileBench{t: t, logged: collector{make(chan string, 10)}}
	var err error
	if b.cfg, _, err = conf.Load(config, nil); err != nil {
		t.Fatal(err)
	}
	b.File = NewFile(b.cfg, slog.New(slog.NewTextHandler(b.logged, nil)))
	done := make(chan struct{})
	go func() { defer close(done); b.Run(t.Context()) }()
	t.Cleanup(func() {
		<-done
		if left, _ := filepath.Glob(filepath.Join(dir, ".dynamic-*")); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	})
	return b
}

// says waits for the next line of the log.
func (b *fileBench) says(words ...string) {
	b.t.Helper()
	line := <-b.logged.lines
	for _, w := range words {
		if !strings.Contains(line, w) {
			b.t.Errorf("logged %s, without %q", line, w)
		}
	}
}

func (b *fileBench) has(path, text string) {
	b.t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != text {
		b.t.Errorf("%s has %q, %v; want %q", path, got, err, text)
	}
}

// loads reads the configuration again, as the next start does.
func (b *fileBench) loads(servers string, version int64) {
	b.t.Helper()
	if c, _, err := conf.Load(b.cfg.File, nil); err != nil || c.DynamicVersion != version || List(c.Servers).String() != servers {
		b.t.Errorf("loads as %+v, %v", c, err)
	}
}

func TestFileBeside(t *testing.T) {
	dir := t.TempDir()
	list := mustParse(t, three)
	b := startFile(t, dir, three)

	b.Note(list, 0) // nobody may reconfigure
	b.Note(list, 0x10000000f)
	path := b.cfg.File + ".dynamic.10000000f"
	b.says("level=INFO", `line="dynamicConfigFile=`+path+`"`)
	b.has(path, three)

	b.Note(list, 0x10000000f) // again: nothing to say
	if err := os.Mkdir(b.cfg.File+".dynamic.100000010", 0o755); err != nil {
		t.Fatal(err)
	}
	b.Note(list, 0x100000010)
	b.says("level=WARN", "100000010")

	// The file makes an ensemble as it is.
	if err := os.WriteFile(b.cfg.File, []byte("dataDir="+dir+"\nclientPort=2181\ninitLimit=5\nsyncLimit=2\ndynamicConfigFile="+path+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.loads(three, 0x10000000f)
}

// dynamicFile is what a dynamicConfigFile holds at first.
func dynamicFile(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func TestFileFollowed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dynamic")
	dynamicFile(t, path, three, 0o600)
	b := startFile(t, dir, "dynamicConfigFile="+path)
	list := mustParse(t, three)

	b.Note(list, 0x100000000)
	b.says("level=INFO", "version=100000000")
	b.has(path, three+"\nversion=100000000\n")
	two := list.Without(1)
	b.Note(two, 0x100000005)
	b.says("level=INFO", "version=100000005")
	b.has(path, two.String()+"\nversion=100000005\n")
	b.loads(two.String(), 0x100000005)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its permissions are %v, %v", info.Mode(), err)
	}
	if beside, _ := filepath.Glob(b.cfg.File + ".dynamic*"); len(beside) > 0 {
		t.Errorf("beside zoo.cfg are %v", beside)
	}

	// The next process has nothing to write, until the list is another one.
	b = startFile(t, dir, "dynamicConfigFile="+path)
	b.Note(two, 0x100000005)
	b.Note(list, 0x50) // also one of a smaller version: that of an ensemble formed anew
	b.says("level=INFO", "version=50")
	b.has(path, three+"\nversion=50\n")
}

// A file behind a symbolic link is replaced where it is.
func TestFileBehindALink(t *testing.T) {
	dir, elsewhere := t.TempDir(), t.TempDir()
	link, path := filepath.Join(dir, "dynamic"), filepath.Join(elsewhere, "list")
	dynamicFile(t, path, three, 0o644)
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	b := startFile(t, dir, "dynamicConfigFile="+link)
	b.Note(mustParse(t, three), 0x100000000)
	b.says("level=INFO")
	b.has(path, three+"\nversion=100000000\n")
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

// A file that nobody may write stays, whoever the server runs as, and is
// complained of once.
func TestFileReadOnly(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "dynamic")
	dynamicFile(t, path, three, 0o444)
	b := startFile(t, dir, "dynamicConfigFile="+path)
	list := mustParse(t, three)
	b.Note(list, 0x100000000)
	b.says("level=WARN", path, "permission denied")
	b.has(path, three)
	b.follow(list.Without(1), 0x100000001)
	if len(b.logged.lines) > 0 {
		t.Errorf("it complains again: %s", <-b.logged.lines)
	}
	if err := os.Chmod(path, 0o644); err != nil {
		t.Fatal(err)
	}
	b.Note(list, 0x100000002)
	b.says("level=INFO", "version=100000002")
}
