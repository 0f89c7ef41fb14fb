package consensus

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"zkd/consensus/store"
)

// platter is a disk as the log of one server sees it: what was not synced when
// the power went is there in parts, if at all. What the log does not write
// (votes, snapshots, lists of segments) is on disk at once, which is the worst
// for a log that is late.
type platter struct {
	t *testing.T

	mu       sync.Mutex
	rand     *rand.Rand
	off      chan struct{} // closed while there is no power: nothing gets through,
	dead     chan struct{} // closed when nobody is left to notice that it failed
	unsynced []unsyncedWrite
	slow     time.Duration // the longest that a sync takes
	gate     chan struct{} // syncs wait until it is closed; nil: they need not
	syncing  int           // syncs under way
}

// unsyncedWrite is what was there before.
type unsyncedWrite struct {
	path string
	off  int64
	old  []byte
}

var errPower = errors.New("the power is off")

const platterSector = 512

func newPlatter(t *testing.T, seed uint64) *platter {
	return &platter{t: t, rand: rand.New(rand.NewPCG(seed, 1)), off: make(chan struct{}), dead: make(chan struct{})}
}

// Do implements store.Disk.
func (p *platter) Do(op store.Op, do func() error) error {
	if !strings.HasSuffix(op.Path, ".wal") {
		return do()
	}
	switch op.Kind {
	case store.OpWrite:
		return p.write(op, do)
	case store.OpSync:
		return p.sync(op.Path, do)
	}
	return do()
}

// Room implements store.Disk.
func (*platter) Room(string) (free, total int64, err error) { return 1 << 40, 1 << 40, nil }

// SegmentSize implements store.Disk.
func (*platter) SegmentSize() int64 { return 64 << 10 }

func (p *platter) write(op store.Op, do func() error) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.off:
		p.mu.Unlock()
		<-p.dead
		p.mu.Lock()
		return errPower
	default:
	}
	f, err := os.Open(op.Path)
	if err != nil {
		return err
	}
	defer f.Close()
	old := make([]byte, op.Len)
	if _, err := f.ReadAt(old, op.Off); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	p.unsynced = append(p.unsynced, unsyncedWrite{op.Path, op.Off, old})
	return do()
}

func (p *platter) sync(path string, do func() error) error {
	p.mu.Lock()
	mark, gate, off := len(p.unsynced), p.gate, p.off
	var take time.Duration
	if p.slow > 0 {
		take = time.Duration(p.rand.Int64N(int64(p.slow)))
	}
	p.syncing++
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.syncing--
		p.mu.Unlock()
	}()
	if gate != nil {
		select {
		case <-gate:
		case <-off:
		}
	}
	select {
	case <-time.After(take):
	case <-off:
		<-p.dead
		return errPower
	}
	if err := do(); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-off:
		return errPower
	default:
	}
	var left []unsyncedWrite
	for i, w := range p.unsynced {
		if i >= mark || w.path != path {
			left = append(left, w)
		}
	}
	p.unsynced = left
	return nil
}

func (p *platter) on() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.off:
		return false
	default:
		return true
	}
}

// pending tells whether a sync is under way.
func (p *platter) pending() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.syncing > 0
}

// hold makes syncs wait until release.
func (p *platter) hold() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.gate = make(chan struct{})
}

func (p *platter) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.gate != nil {
		close(p.gate)
		p.gate = nil
	}
}

func (p *platter) takes(slow time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.slow = slow
}

// cut stops all writes and syncs: they hang. The files stay as they are.
func (p *platter) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	close(p.off)
}

// survival is what remains of the sectors that were written and not synced.
type survival int

const (
	pageCache survival = iota // all: only the process was killed, and they are still unsynced
	noSector
	someSectors
)

// restore makes the disk usable again. Nobody uses it.
func (p *platter) restore(s survival) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.off, p.dead, p.gate = make(chan struct{}), make(chan struct{}), nil
	if s == pageCache {
		return
	}
	for i := len(p.unsynced) - 1; i >= 0; i-- {
		if err := p.lose(p.unsynced[i], s); err != nil && !errors.Is(err, os.ErrNotExist) {
			p.t.Fatal(err)
		}
	}
	p.unsynced = nil
}

func (p *platter) lose(w unsyncedWrite, s survival) error {
	f, err := os.OpenFile(w.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	for at := w.off; at < w.off+int64(len(w.old)); {
		end := min((at/platterSector+1)*platterSector, w.off+int64(len(w.old)))
		if s == noSector || p.rand.IntN(2) == 0 {
			if _, err := f.WriteAt(w.old[at-w.off:end-w.off], at); err != nil {
				return err
			}
		}
		at = end
	}
	return nil
}
