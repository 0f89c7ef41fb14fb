package consensus

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"zkd/consensus/store"
)

// blindDisk is one that cannot read the log any more while blind is set, or once the store is open.
type blindDisk struct {
	store.Disk
	soon  bool
	blind atomic.Bool
}

func (d *blindDisk) Do(op store.Op, do func() error) error {
	log := strings.HasSuffix(op.Path, ".wal") || strings.HasSuffix(op.Path, "raft.db")
	if op.Kind == store.OpRead && log && d.blind.Load() {
		return fmt.Errorf("read %s: %w", op.Path, unix.EIO)
	}
	if d.soon && strings.HasSuffix(op.Path, "vote.db") { // which is opened last
		d.blind.Store(true)
	}
	return do()
}

func (*blindDisk) Room(string) (free, total int64, err error) { return 1 << 40, 1 << 40, nil }
func (*blindDisk) SegmentSize() int64                         { return 0 }

var engines = []string{store.EngineWAL, store.EngineBolt}

// A log that cannot be read when raft looks through it is a start that fails, and says why.
func TestLogThatCannotBeReadAtTheStart(t *testing.T) {
	for _, engine := range engines {
		cfg := config(t, t.TempDir())
		cfg.Store.Engine = engine
		if err := start(t, cfg, newMachine(0)).Close(); err != nil {
			t.Fatal(err)
		}
		cfg.Store.Disk = &blindDisk{soon: true}
		cfg.OnFatal = func(error) {}
		n, err := Open(cfg, newMachine(0))
		if err == nil {
			n.Close()
		}
		if !errors.Is(err, unix.EIO) {
			t.Errorf("%s: opened with %v", engine, err)
		}
	}
}

// A follower, or a leader, that cannot read what it is to apply ends with that reason.
func TestLogThatCannotBeReadWhileRunning(t *testing.T) {
	for _, engine := range engines {
		t.Run(engine, func(t *testing.T) { unreadable(t, engine) })
	}
}

func unreadable(t *testing.T, engine string) {
	e := newTrio(t, 3)
	e.tune = func(cfg *Config) { cfg.Store.Engine = engine }
	for _, m := range e.members {
		e.launch(m.ID, e.members)
	}
	e.ready(1, 2, 3)
	for i := range 20 {
		e.nodes[e.leader()].Submit(nil, nil, fmt.Appendf(nil, "%d", i))
	}
	if err := e.nodes[1].Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	for id := range uint64(3) {
		e.stop(id + 1)
	}
	disk := &blindDisk{}
	ended, cancel := context.WithCancelCause(t.Context())
	e.tune = func(cfg *Config) { cfg.Store.Engine, cfg.Store.Disk, cfg.OnFatal = engine, disk, cancel }
	e.launch(1, e.members) // alone, it knows of no commit, and applies nothing
	until(t, "raft", func() bool { return e.nodes[1].raft.Load() != nil })
	disk.blind.Store(true)
	e.tune = func(cfg *Config) { cfg.Store.Engine = engine }
	e.launch(2, e.members)
	e.launch(3, e.members)
	select {
	case <-ended.Done():
	case <-time.After(30 * time.Second):
	}
	if err := context.Cause(ended); !errors.Is(err, unix.EIO) || !strings.Contains(err.Error(), filepath.Join(e.dir, "1")) {
		t.Errorf("ended by: %v", err)
	}
	n := e.nodes[1]
	delete(e.nodes, 1)
	_ = n.Close() // says once more what is wrong; it must return
	e.ready(2, 3)
}
