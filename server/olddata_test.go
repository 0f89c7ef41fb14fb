package server

import (
	"flag"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"zkd/conf"
	"zkd/consensus/store"
	"zkd/test/wire"
)

var writeOldData = flag.Bool("olddata.write", false, "make testdata/format-1 anew, where it is missing: go test ./server -run TestOldData -olddata.write")

// oldData are data directories as zkd wrote them, each as a killed process
// leaves it: a snapshot and a log that goes on behind it. They stay as they are
// for ever. A new format gets a folder of its own beside them.
const oldData = "testdata/format-1"

// smallSegments is the machine's disk, with segments that a repository can keep.
type smallSegments struct{}

func (smallSegments) Do(_ store.Op, do func() error) error { return do() }
func (smallSegments) SegmentSize() int64                   { return 32 << 10 }

func (smallSegments) Room(dir string) (free, total int64, err error) {
	var st unix.Statfs_t
	err = unix.Statfs(dir, &st)
	return int64(st.Bavail) * int64(st.Bsize), int64(st.Blocks) * int64(st.Bsize), err
}

// Data directories of earlier releases are opened, and what is in them has the
// digest that is on file.
func TestOldData(t *testing.T) {
	for kind, change := range map[string]func(*conf.Config){
		"wal":    func(*conf.Config) {},
		"bolt":   func(c *conf.Config) { c.LogStore = "bolt" },
		"member": loneEnsemble(t, ""),
	} {
		t.Run(kind, func(t *testing.T) {
			dir := filepath.Join(oldData, kind)
			if *writeOldData {
				if _, err := os.Stat(dir); err == nil {
					t.Skip("it is there")
				}
				makeOldData(t, dir, change)
			}
			got := recovered(t, dir, change)
			file := filepath.Join(oldData, kind+".txt")
			if *writeOldData {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("found\n%son file is\n%s", got, want)
			}
			if kind != "member" { // whose addresses are somebody else's now
				goesOn(t, dir, change, got)
			}
		})
	}
}

// recovered reads the whole of a copy and says what is in it.
func recovered(t *testing.T, dir string, change func(*conf.Config)) string {
	cfg := testConfig(t, copyData(t, dir), change)
	r, err := OpenRecovery(cfg, quietLog())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	s := newServer(cfg, quietLog(), World{})
	s.state.failed = func(err error) { t.Error(err) }
	if _, _, err := r.Recover(newMachine(s)); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("zxid %#x\nstate %#016x\ntree %#016x\nznodes %d\nsessions %d\n",
		s.state.zxid, s.state.digest(), s.state.tree.Digest(), s.state.tree.Counts().Znodes, s.state.table.Len())
}

// goesOn starts a server on a copy and writes.
func goesOn(t *testing.T, dir string, change func(*conf.Config), want string) {
	s := startIn(t, copyData(t, dir), change)
	s.state.mu.Lock()
	tree := fmt.Sprintf("tree %#016x\n", s.state.tree.Digest())
	s.state.mu.Unlock()
	if !strings.Contains(want, tree) {
		t.Errorf("a server that starts has %s", tree)
	}
	c := connect(t, s)
	c.create("/new", []byte("goes on"), 0)
	if c.exists("/gone") || !c.exists("/a/z") {
		t.Error("it has other znodes")
	}
}

func copyData(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// makeOldData runs a server that has something of everything.
func makeOldData(t *testing.T, dir string, change func(*conf.Config)) {
	from := t.TempDir()
	cfg := testConfig(t, from, change)
	cfg.SnapCount, cfg.ExtendedTypesEnabled = 60, true
	s, err := StartIn(t.Context(), cfg, slog.New(slog.DiscardHandler), World{Disk: smallSegments{}, Trailing: 16})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	c, gone := connect(t, s), connect(t, s)
	gone.create("/gone", nil, 1)
	c.create("/a", []byte("data"), 0)
	c.ok(wire.OpCreate, wire.Create{Path: "/acl", Data: nil, ACL: []wire.ACL{{Perms: 31, Scheme: "digest", ID: "u:p"}, {Perms: 1, Scheme: "world", ID: "anyone"}}})
	for i := range 150 {
		path := c.create("/a/n", []byte(strings.Repeat("x", i*3)), 2)
		switch i % 5 {
		case 0:
			c.ok(wire.OpSetData, wire.SetData{Path: path, Data: []byte{0, byte(i)}, Version: -1})
		case 1:
			c.ok(wire.OpDelete, wire.PathVersion{Path: path, Version: -1})
		case 2:
			c.create(path+"/mine", nil, 1)
		}
	}
	snapshots := filepath.Join(from, "raft", "snapshots", "*.snap")
	must(t, func() bool { found, _ := filepath.Glob(snapshots); return len(found) > 0 }, "snapshot")
	gone.ok(wire.OpClose, wire.Raw(nil))
	for i := range 20 {
		c.create("/a/tail", []byte{byte(i)}, 2)
	}
	c.create("/a/z", nil, 0)
	if err := os.CopyFS(dir, os.DirFS(from)); err != nil { // as a kill would leave it
		t.Fatal(err)
	}
	_ = os.Remove(filepath.Join(dir, "raft", "LOCK"))
}
