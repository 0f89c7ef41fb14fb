package simulation

import (
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"zkd/consensus/store"
)

// diskFaults are what a disk has been told to do wrong. The lock of the disk guards them.
type diskFaults struct {
	buried   int
	full     bool
	unaware  bool          // see setFull
	quick    time.Duration // the least and the most that a sync takes
	slow     time.Duration
	refusals []*refusal
	hanging  chan struct{} // closed when what hangs may go on; nil: nothing does
	hangs    where
	ambushes []*ambush
}

// where is a kind of operation on a part of the files, "" for any.
type where struct {
	kind store.OpKind
	part string
}

func (w where) is(kind store.OpKind, part string) bool {
	return w.kind == kind && (w.part == "" || w.part == part)
}

// refusal is an error that some operations come to.
type refusal struct {
	where
	skip, left int // the next ones are spared; how many are refused, -1 for all
	err        error
}

// ambush is a function that waits for a process at a named point.
type ambush struct {
	point string
	skip  int
	fn    func()
}

func newDiskFaults() diskFaults {
	return diskFaults{quick: 50 * time.Microsecond, slow: time.Millisecond}
}

// setSlow makes syncs take between quick and slow.
func (d *disk) setSlow(quick, slow time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.quick, d.slow = quick, max(quick, slow)
}

func (d *disk) drawTime() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.quick + time.Duration(d.rand.Int64N(int64(d.slow-d.quick)+1))
}

// setFull leaves no room: files cannot be made, nor grow. Unaware, who asks is told that there is room, as where a
// quota has been used up.
func (d *disk) setFull(unaware bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.full, d.unaware = true, unaware
}

// looksFull is what the disk says of itself.
func (d *disk) looksFull() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.full && !d.unaware
}

// fail makes operations of a kind on a part ("" for any) fail with EIO: not the next skip ones, but the times after
// them, -1 for all. After a failed sync what it was about is lost if the power is, whatever a later sync says.
func (d *disk) fail(kind store.OpKind, part string, skip, times int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refusals = append(d.refusals, &refusal{where{kind, part}, skip, times, unix.EIO})
}

// hang makes operations of a kind on a part hang until heal, or until the process is dead.
func (d *disk) hang(kind store.OpKind, part string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hanging == nil {
		d.hanging = make(chan struct{})
	}
	d.hangs = where{kind, part}
}

// heal takes all faults back.
func (d *disk) heal() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.hanging != nil {
		close(d.hanging)
		d.hanging = nil
	}
	f := newDiskFaults()
	d.full, d.quick, d.slow, d.refusals, d.ambushes = false, f.quick, f.slow, nil, nil
}

// pointsOf are where a process can be caught by at: of what it does to its log, and to its other files.
func pointsOf(engine string) []string {
	if engine == store.EngineBolt {
		return slices.Concat(boltPoints, otherPoints)
	}
	return slices.Concat(logPoints, otherPoints)
}

// boltPoints are those of a log that is a bolt file.
var boltPoints = []string{"before commit log", "during commit log", "after commit log"}

// logPoints are those of zkd's own log.
var logPoints = []string{
	"before write log", "during write log", "after write log", "during sync log", "after sync log",
	"before create log", "after create log", "before remove log", "after remove log",
	"before write list", "after write list", "after sync list", "before rename list", "after rename list",
	"during write bound", "after write bound", "during sync bound",
}

var otherPoints = []string{
	"during write snapshot", "after write snapshot", "during sync snapshot", "after sync snapshot",
	"before rename snapshot", "after rename snapshot", "after syncdir snapshot", "before remove snapshot", "after remove snapshot",
	"before commit vote", "during commit vote", "after commit vote",
	"during write identity", "before rename identity", "after rename identity",
}

// at calls fn when an operation is at a point ("" for any) for the (skip+1)th time, once. fn may kill the process.
func (d *disk) at(point string, skip int, fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ambushes = append(d.ambushes, &ambush{point, skip, fn})
}

// reach springs the ambushes of a point.
func (d *disk) reach(s stage, kind store.OpKind, part string) {
	d.mu.Lock()
	if len(d.ambushes) == 0 {
		d.mu.Unlock()
		return
	}
	point := fmt.Sprint(s, " ", kind, " ", part)
	var left []*ambush
	var now []func()
	for _, a := range d.ambushes {
		switch {
		case a.point != "" && a.point != point:
			left = append(left, a)
		case a.skip > 0:
			a.skip--
			left = append(left, a)
		default:
			now = append(now, a.fn)
		}
	}
	d.ambushes = left
	d.mu.Unlock()
	for _, fn := range now {
		fn()
	}
}

// refusal waits while op hangs, and returns the error it comes to.
func (d *disk) refusal(v *view, op store.Op, rel, part string) error {
	d.mu.Lock()
	wait := d.hanging
	if wait != nil && !d.hangs.is(op.Kind, part) {
		wait = nil
	}
	d.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-v.gone:
			return nil
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if v.dead() {
		return nil
	}
	for _, r := range d.refusals {
		if !r.is(op.Kind, part) || r.left == 0 {
			continue
		}
		if r.skip > 0 {
			r.skip--
			continue
		}
		if r.left > 0 {
			r.left--
		}
		if op.Kind == store.OpSync {
			d.names.inode(v.root, rel).doom()
		}
		return fmt.Errorf("%v %s: %w", op.Kind, op.Path, r.err)
	}
	if d.full && grows(op) {
		return fmt.Errorf("%v %s: %w", op.Kind, op.Path, unix.ENOSPC)
	}
	return nil
}
