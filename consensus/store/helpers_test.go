package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/test/memdir"
)

var engines = []string{EngineWAL, EngineBolt}

func eachEngine(t *testing.T, fn func(t *testing.T, engine string)) {
	for _, e := range engines {
		t.Run(e, func(t *testing.T) { fn(t, e) })
	}
}

func opts(dir, engine string) Options {
	return Options{Dir: dir, Engine: engine, RetainSnapshots: 2, MinFreeBytes: mib, hooks: &hooks{segmentSize: 64 * kib}}
}

func mustOpen(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func mustClose(t testing.TB, s *Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// entry is the same bytes for the same index and size.
func entry(index uint64, size int) *raft.Log {
	return &raft.Log{
		Index: index, Term: 1 + index/100, Type: raft.LogCommand,
		Data:       bytes.Repeat([]byte{byte('A' + index%26)}, size),
		AppendedAt: time.Unix(1700000000, int64(index)),
	}
}

func batch(from uint64, n, size int) (out []*raft.Log) {
	for i := range n {
		out = append(out, entry(from+uint64(i), size))
	}
	return out
}

func mustStore(t testing.TB, s *Store, logs ...*raft.Log) {
	t.Helper()
	if err := s.Log().StoreLogs(logs); err != nil {
		t.Fatal(err)
	}
}

// wantLog checks the edges of the log and every entry in it.
func wantLog(t testing.TB, s *Store, first, last uint64, size int) {
	t.Helper()
	f, err := s.Log().FirstIndex()
	if err != nil {
		t.Fatal(err)
	}
	l, err := s.Log().LastIndex()
	if err != nil {
		t.Fatal(err)
	}
	if f != first || l != last {
		t.Fatalf("log is %d to %d, want %d to %d", f, l, first, last)
	}
	for i := first; i <= last && last > 0; i++ {
		var got raft.Log
		if err := s.Log().GetLog(i, &got); err != nil {
			t.Fatal(err)
		}
		want := entry(i, size)
		if got.Index != i || got.Term != want.Term || got.Type != want.Type ||
			!bytes.Equal(got.Data, want.Data) || !got.AppendedAt.Equal(want.AppendedAt) {
			t.Fatalf("entry %d came back as %+v", i, got)
		}
		if err := VerifyEntry(&got); err != nil {
			t.Fatal(err)
		}
	}
}

// clone copies a closed store's directory; into memory where that is possible,
// because some tests open thousands of copies.
func clone(t testing.TB, dir string) string {
	t.Helper()
	to := memdir.New(t)
	t.Cleanup(func() { os.RemoveAll(to) })
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// forgetBound removes the second alarm, as after a crash that came before the
// bound was raised, so that the audit has to notice by itself.
func forgetBound(t testing.TB, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, boundName)); err != nil {
		t.Fatal(err)
	}
}

func flip(t testing.TB, path string, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var b [1]byte
	if _, err := f.ReadAt(b[:], at); err != nil {
		t.Fatal(err)
	}
	b[0] ^= 0x10
	if _, err := f.WriteAt(b[:], at); err != nil {
		t.Fatal(err)
	}
}

func onlyFile(t testing.TB, pattern string) string {
	t.Helper()
	paths, err := filepath.Glob(pattern)
	if err != nil || len(paths) != 1 {
		t.Fatalf("%s: want one file, have %v (%v)", pattern, paths, err)
	}
	return paths[0]
}

func wantErr(t testing.TB, err, want error, texts ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
	for _, text := range texts {
		if !bytes.Contains([]byte(err.Error()), []byte(text)) {
			t.Fatalf("error %q does not name %q", err, text)
		}
	}
}

var conf = raft.Configuration{Servers: []raft.Server{{Suffrage: raft.Voter, ID: "1.1", Address: "a:1"}}}

func mustSnap(t testing.TB, s *Store, index uint64, data []byte) string {
	t.Helper()
	k, err := s.Snapshots().Create(1, index, 3, conf, 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
	return k.ID()
}

func readSnap(s *Store, id string) ([]byte, error) {
	_, r, err := s.Snapshots().Open(id)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}

func snapIndexes(t testing.TB, s *Store) string {
	t.Helper()
	metas, err := s.Snapshots().List()
	if err != nil {
		t.Fatal(err)
	}
	var out []uint64
	for _, m := range metas {
		out = append(out, m.Index)
	}
	return fmt.Sprint(out)
}
