package store

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"
	raftboltdb "github.com/hashicorp/raft-boltdb/v2"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/fs"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
)

// BenchmarkStoreLogs compares the store with the engine it wraps. "nosync"
// leaves the disk out, to show what the wrapper itself costs.
func BenchmarkStoreLogs(b *testing.B) {
	for _, kind := range []string{"raw-wal", "wal", "raw-wal-nosync", "wal-nosync", "raw-bolt", "bolt"} {
		for _, n := range []int{1, 16} {
			for _, size := range []int{100, 4 * kib, 256 * kib} {
				b.Run(fmt.Sprintf("%s/n=%d/size=%d", kind, n, size), func(b *testing.B) {
					benchStoreLogs(b, benchLog(b, kind), n, size)
				})
			}
		}
	}
}

// nosyncFS is raft-wal's own file layer without the syncs of segments.
type nosyncFS struct{ types.VFS }

type nosyncFile struct{ types.WritableFile }

func (f nosyncFS) Create(dir, name string, size uint64) (types.WritableFile, error) {
	w, err := f.VFS.Create(dir, name, size)
	return nosyncFile{w}, err
}

func (nosyncFile) Sync() error { return nil }

func benchLog(b *testing.B, kind string) raft.LogStore {
	dir := b.TempDir()
	switch kind {
	case "raw-wal":
		w, err := wal.Open(dir)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { w.Close() })
		return w
	case "raw-wal-nosync":
		w, err := wal.Open(dir, wal.WithSegmentFiler(segment.NewFiler(dir, nosyncFS{fs.New()})))
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { w.Close() })
		return w
	case "raw-bolt":
		s, err := raftboltdb.New(raftboltdb.Options{Path: filepath.Join(dir, boltLogName), BoltOptions: boltOptions(false)})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { s.Close() })
		return s
	}
	o := Options{Dir: dir, Engine: kind, RetainSnapshots: 1}
	if kind == "wal-nosync" {
		o.Engine, o.NoSync = EngineWAL, true
	}
	return mustOpen(b, o).Log()
}

func benchStoreLogs(b *testing.B, log raft.LogStore, n, size int) {
	logs := batch(1, n, size)
	next := uint64(1)
	b.SetBytes(int64(n * size))
	b.ReportAllocs()
	for b.Loop() {
		for _, l := range logs {
			l.Index, l.Extensions = next, nil
			next++
		}
		if err := log.StoreLogs(logs); err != nil {
			b.Fatal(err)
		}
		if next%2048 == 1 { // bounds the disk; every engine pays for it
			if err := log.DeleteRange(1, next-1025); err != nil {
				b.Fatal(err)
			}
		}
	}
}
