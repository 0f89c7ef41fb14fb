package simulation

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"zkd/consensus/store"
)

// disk is the disk of one machine, over a folder for each life of a process on it. It knows what of the present
// folder would survive: contents up to the last sync of a file, names up to the last sync of their directory, and of
// what came later any part. The death of a process makes the next folder from that, while what goes on of the process
// has the old one to itself.
//
// What is not modelled: a disk that lies about syncs, and one whose sectors of 512 bytes tear.
type disk struct {
	base string

	mu    sync.Mutex // never held while time passes
	rand  *rand.Rand
	lives int
	root  string
	view  *view
	names names
	diskFaults
}

// newDisk makes a disk below base, which must not exist or be empty.
func newDisk(base string, r *rand.Rand) (*disk, error) {
	d := &disk{base: base, rand: r, names: newNames(), diskFaults: newDiskFaults()}
	if err := os.MkdirAll(filepath.Join(base, graves), 0o700); err != nil {
		return nil, err
	}
	return d, d.next()
}

// graves keeps files that were removed and may come back.
const graves = "graves"

// next begins a life with an empty folder.
func (d *disk) next() error {
	d.lives++
	d.root = filepath.Join(d.base, fmt.Sprint(d.lives))
	d.view = &view{disk: d, root: d.root, gone: make(chan struct{})}
	return os.Mkdir(d.root, 0o700)
}

// dir is the folder of the present life.
func (d *disk) dir() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.root
}

// now is the disk as the process of the present life has it.
func (d *disk) now() *view {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.view
}

// view is a disk as one process sees it, a store.Disk.
type view struct {
	disk *disk
	root string
	gone chan struct{} // closed when the process is dead
}

func (v *view) dead() bool {
	select {
	case <-v.gone:
		return true
	default:
		return false
	}
}

// stage is how far an operation has got.
type stage string

const (
	before stage = "before" // nothing has happened
	during stage = "during" // any part of it has: only writes, syncs and commits
	after  stage = "after"  // all has happened, and nobody was told
)

// Do implements store.Disk.
func (v *view) Do(op store.Op, do func() error) error {
	d := v.disk
	rel, err := filepath.Rel(v.root, op.Path)
	if err != nil || strings.HasPrefix(rel, "..") {
		return fmt.Errorf("%s is not on the disk in %s", op.Path, v.root)
	}
	if v.dead() {
		// Who dies leaves what is there, and not what comes meanwhile.
		d.mu.Lock()
		d.mu.Unlock() //lint:ignore SA2001 it is waited for who copies
		return do()
	}
	part := partOf(rel)
	d.reach(before, op.Kind, part)
	if err := d.refusal(v, op, rel, part); err != nil {
		return err
	}
	switch op.Kind {
	case store.OpRead:
		return do()
	case store.OpSync:
		err = d.sync(v, rel, part, do)
	case store.OpCommit:
		err = d.commit(v, rel, part, do)
	case store.OpWrite:
		err = d.write(v, op, rel, part, do)
	default:
		err = d.rename(v, op, rel, do)
	}
	if err == nil {
		d.reach(after, op.Kind, part)
	}
	return err
}

// locked calls fn with the lock, or do if the process is dead.
func (d *disk) locked(v *view, do, fn func() error) error {
	d.mu.Lock()
	if v.dead() {
		d.mu.Unlock()
		return do()
	}
	defer d.mu.Unlock()
	return fn()
}

// write is in the page cache when it returns.
func (d *disk) write(v *view, op store.Op, rel, part string, do func() error) error {
	var p *patch
	err := d.locked(v, do, func() (err error) {
		if p, err = newPatch(op.Path, op.Off, op.Len); err != nil {
			return err
		}
		ino := d.names.inode(v.root, rel)
		ino.redeem(p)
		ino.patches = append(ino.patches, p)
		return do()
	})
	if p != nil {
		d.reach(during, op.Kind, part)
		d.step(v, func() { p.inflight = false })
	}
	return err
}

func (d *disk) sync(v *view, rel, part string, do func() error) error {
	d.mu.Lock()
	ino := d.names.inode(v.root, rel)
	due := slices.Clone(ino.patches)
	d.mu.Unlock()
	d.reach(during, store.OpSync, part)
	d.take(v, d.drawTime())
	return d.locked(v, do, func() error {
		if err := do(); err != nil {
			return err
		}
		ino.synced(due)
		return nil
	})
}

// commit is a transaction of bbolt: pages, a sync, a meta page, a sync.
func (d *disk) commit(v *view, rel, part string, do func() error) error {
	var ino *inode
	path := filepath.Join(v.root, rel)
	err := d.locked(v, do, func() error {
		_, err := os.Lstat(path)
		fresh := os.IsNotExist(err)
		old, err := os.ReadFile(path)
		if err != nil && !fresh {
			return err
		}
		if err := do(); err != nil {
			return err
		}
		if fresh {
			d.names.created(v.root, rel)
		}
		ino = d.names.inode(v.root, rel)
		return ino.changed(path, old)
	})
	if err != nil || ino == nil {
		return err
	}
	for _, meta := range []bool{false, true} {
		d.step(v, func() { ino.begin(meta) })
		d.reach(during, store.OpCommit, part)
		d.take(v, d.drawTime())
		d.step(v, func() { ino.end(meta) })
	}
	return nil
}

// step calls fn with the lock, unless the process is dead.
func (d *disk) step(v *view, fn func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !v.dead() {
		fn()
	}
}

// rename is all that is about names.
func (d *disk) rename(v *view, op store.Op, rel string, do func() error) error {
	if op.Kind == store.OpSyncDir {
		d.take(v, d.drawTime())
	}
	return d.locked(v, do, func() error {
		switch op.Kind {
		case store.OpSyncDir:
			if err := do(); err != nil {
				return err
			}
			d.names.synced(rel)
			return nil
		case store.OpRename:
			to, err := filepath.Rel(v.root, op.To)
			if err != nil {
				return err
			}
			return d.names.rename(d, rel, to, do)
		case store.OpRemove:
			return d.names.remove(d, rel, do)
		case store.OpMkdir:
			return d.names.mkdir(v.root, rel, do)
		}
		return d.names.create(d, rel, do)
	})
}

// take lets time pass, unless the process dies.
func (d *disk) take(v *view, t time.Duration) {
	if t == 0 {
		return
	}
	timer := time.NewTimer(t)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-v.gone:
	}
}

// Room implements store.Disk.
func (v *view) Room(string) (free, total int64, err error) {
	const size = 1 << 40
	if v.disk.looksFull() {
		return 0, size, nil
	}
	return size / 2, size, nil
}

// SegmentSize implements store.Disk.
func (v *view) SegmentSize() int64 { return 256 << 10 }

// partOf tells what a file or directory belongs to.
func partOf(rel string) string {
	name := strings.TrimSuffix(filepath.Base(rel), ".tmp")
	switch {
	case strings.Contains(rel, "aside/") || name == "aside" || name == "ASIDE":
		return "aside"
	case strings.HasSuffix(name, ".wal") || name == "raft.db":
		return "log"
	case name == "segments":
		return "list"
	case name == "vote.db":
		return "vote"
	case name == "bound":
		return "bound"
	case name == "FORMAT":
		return "format"
	case strings.HasSuffix(name, ".id"):
		return "identity"
	case strings.Contains(rel, "snapshots"):
		return "snapshot"
	}
	return "dir"
}

// tree lists what is at rel and below it, a directory before what is in it.
func tree(root, rel string) (all []string, err error) {
	err = filepath.WalkDir(filepath.Join(root, rel), func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		r, err := filepath.Rel(root, path)
		all = append(all, r)
		return err
	})
	return all, err
}
