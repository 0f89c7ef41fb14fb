// Package store is the durable storage under raft: the log, the vote, the
// snapshots. It wraps raft-wal or raft-boltdb (the log) and bbolt (the vote)
// and adds what they lack: checksums from the leader's append to the last read,
// a start-up audit that tells a torn write from rot, one atomic record for term
// and vote, fail-stop on the first error, a watchdog for stalls, a low-water
// mark for disk space, and a snapshot format that is verified while it streams.
//
// It does not interpret entries or snapshots, and knows nothing of the network.
// Package consensus is its only caller.
//
// Files, in Options.Dir unless said otherwise:
//
//	LOCK                 flock, pid of the holder
//	FORMAT               engine and identity of the directory (also in LogDir)
//	bound                a last index that was durable once (bound.go)
//	vote.db              term and vote (stable.go)
//	snapshots/*.snap     snapshots (snapfile.go); snapshots/tmp/ unfinished ones
//	LogDir/*.wal, segments or LogDir/raft.db   the log
//	aside/               a store taken out of use (aside.go; also in LogDir)
//	rebuilt/             one that is about to take the place of this (wreck.go; also in LogDir)
//
// Goroutines: one timer for each watchdog, raft-wal's rotation goroutine and
// the one that syncs behind appends (both end in Close, or when the disk lets go
// of what hangs), and short-lived ones for OnFatal and for Close.
package store

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/internal/mutant"
)

// Options of a store. Dir, Engine and RetainSnapshots are required.
type Options struct {
	// Dir holds everything but the log; created with mode 0700 when missing.
	Dir string
	// LogDir holds the log; "" means Dir.
	LogDir string
	// Engine is EngineWAL or EngineBolt. It is written into the directory when
	// that is created; another value later is an error (ErrEngine).
	Engine string
	// RetainSnapshots is how many snapshots to keep, at least 1.
	RetainSnapshots int
	// NoSync leaves out every sync of log, vote and snapshots. A power failure
	// then loses acknowledged writes; for tests and an explicit unsafe flag.
	NoSync bool
	// SlowSync is the duration from which one append with its sync is logged as
	// slow (at most once a second); 0 means never.
	SlowSync time.Duration
	// MinFreeBytes is the free space below which appends fail with ErrDiskFull;
	// 0 means room for the next log segment plus 16 MiB (80 MiB on all but
	// small file systems).
	MinFreeBytes int64
	// CacheBytes bounds the data of recent log entries that are kept in memory
	// to be read back; 0 keeps none, which is right for a server without peers:
	// it never reads back what it appends. See the constant CacheBytes.
	CacheBytes int64
	// OnFatal is called at most once, on a goroutine of its own, when storage
	// can no longer be trusted: a failed write or sync, a damaged log entry, a
	// stall. From then on every call returns that error. It may call Close.
	OnFatal func(error)
	// OnDamagedSnapshot is called whenever a snapshot turned out damaged while
	// it was read, and was set aside: another should be taken soon. It must not
	// block.
	OnDamagedSnapshot func()
	// Logger receives warnings; nil discards them.
	Logger *slog.Logger

	// Disk stands between the store and its files in tests; nil otherwise.
	Disk Disk

	hooks *hooks // of tests
}

// hooks are settings that only tests change; all fields are optional.
type hooks struct {
	segmentSize           int
	stallWarn, stallFatal time.Duration
}

// Store is safe for concurrent use.
type Store struct {
	files    files
	opt      Options
	log      *slog.Logger
	fail     *failure
	counters counters

	locks  []*os.File
	bound  *bound
	logs   *logStore
	stable *stableStore
	snaps  *snapshotStore

	closeOnce sync.Once
	closeErr  error
}

func (o *Options) validate() error {
	switch {
	case o.Dir == "":
		return errors.New("store: Options.Dir is empty")
	case o.Engine != EngineWAL && o.Engine != EngineBolt:
		return fmt.Errorf("store: unknown log engine %q: want %q or %q", o.Engine, EngineWAL, EngineBolt)
	case o.RetainSnapshots < 1:
		return fmt.Errorf("store: Options.RetainSnapshots is %d: at least 1 snapshot must be kept", o.RetainSnapshots)
	case o.MinFreeBytes < 0:
		return fmt.Errorf("store: Options.MinFreeBytes is negative: %d", o.MinFreeBytes)
	case o.CacheBytes < 0:
		return fmt.Errorf("store: Options.CacheBytes is negative: %d", o.CacheBytes)
	}
	o.Dir = filepath.Clean(o.Dir)
	if o.LogDir == "" {
		o.LogDir = o.Dir
	}
	o.LogDir = filepath.Clean(o.LogDir)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

// Open takes the directory over, audits what it holds and makes it ready for
// raft. It reads the whole log once. An error leaves the files as they were,
// except that a torn last append is cut off.
func Open(o Options) (*Store, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	s := newStore(o)
	if err := s.open(); err != nil {
		s.release()
		return nil, err
	}
	if err := s.fail.check(); err != nil {
		s.release()
		return nil, err
	}
	s.fail.arm(o.OnFatal)
	return s, nil
}

func newStore(o Options) *Store {
	return &Store{files: files{o.Disk}, opt: o, log: o.Logger, fail: newFailure()}
}

func (s *Store) open() error {
	if err := s.takeDirs(); err != nil {
		return err
	}
	if err := s.finishAside(); err != nil {
		return err
	}
	if !mutant.Is(mutant.Rebuilt) {
		if err := s.finishRebuilt(); err != nil {
			return err
		}
	}
	stablePath := filepath.Join(s.opt.Dir, stableName)
	created, err := exists(stablePath)
	if err != nil {
		return err
	}
	f, err := s.files.settleFormat(s.opt.Dir, s.opt.LogDir, s.opt.Engine, created)
	if err != nil {
		return err
	}
	segment, err := s.settleSpace()
	if err != nil {
		return err
	}
	if s.bound, err = openBound(s.files, s.opt.Dir, s.log); err != nil {
		return err
	}
	if s.logs, err = openLog(s, f, segment, created); err != nil {
		return err
	}
	if s.snaps, err = openSnapshots(s); err != nil {
		return err
	}
	s.logs.newestSnapshot = s.snaps.newest
	if err := s.crossCheck(created); err != nil {
		return err
	}
	// Last, because its existence says that the creation was complete.
	s.stable, err = openStable(s, stablePath, created)
	return err
}

func (s *Store) takeDirs() error {
	dirs := []string{s.opt.Dir}
	if s.opt.LogDir != s.opt.Dir {
		dirs = append(dirs, s.opt.LogDir)
	}
	for _, dir := range dirs {
		if err := s.files.makeDir(dir); err != nil {
			return err
		}
		lock, err := lockDir(dir)
		if err != nil {
			return err
		}
		s.locks = append(s.locks, lock)
		// What a process that was killed has renamed counts from here on.
		if err := s.files.syncDir(dir); err != nil && !s.opt.NoSync {
			return err
		}
	}
	return nil
}

// settleSpace chooses the segment size and the low-water mark by the size of
// the file system, and refuses to start below the mark: such a server could
// not append, so it would only join to fail.
func (s *Store) settleSpace() (segment int64, err error) {
	_, total, err := s.files.room(s.opt.LogDir)
	if err != nil {
		return 0, err
	}
	segment = min(64*mib, max(mib, total/64))
	if h := s.opt.hooks; h != nil && h.segmentSize > 0 {
		segment = int64(h.segmentSize)
	}
	if d := s.opt.Disk; d != nil && d.SegmentSize() > 0 {
		segment = d.SegmentSize()
	}
	if s.opt.MinFreeBytes == 0 {
		s.opt.MinFreeBytes = segment + min(16*mib, segment)
	}
	if err := s.files.requireFree(s.opt.LogDir, s.opt.MinFreeBytes); err != nil {
		return 0, fmt.Errorf("store: open %s: %w", s.opt.LogDir, err)
	}
	return segment, nil
}

// crossCheck compares the parts with one another. Each alone may look sound
// while together they show that acknowledged entries are gone.
func (s *Store) crossCheck(created bool) error {
	first, last := s.logs.first(), s.logs.last()
	if bound := s.bound.get(); bound > last {
		return fmt.Errorf("store: open %s: %w: the log ends at index %d, but index %d was durable once (%s)",
			s.logs.eng.file(last), ErrCorrupt, last, bound, s.bound.path)
	}
	newest, err := s.snaps.newestNamed()
	if err != nil {
		return err
	}
	if !created && (last > 0 || newest > 0) {
		return fmt.Errorf("store: %s is missing, but %s has a log or snapshots: %w",
			filepath.Join(s.opt.Dir, stableName), s.opt.Dir, ErrCorrupt)
	}
	_, err = s.snaps.restorable(slog.New(slog.DiscardHandler), first, last) // what is damaged is logged when raft asks
	return err
}

// Log returns the entry store. Its StoreLogs puts a seal into the Extensions of
// entries that have none (see VerifyEntry).
func (s *Store) Log() raft.LogStore { return s.logs }

// Stable returns the store for term and vote.
func (s *Store) Stable() raft.StableStore { return s.stable }

// Snapshots returns the snapshot store.
func (s *Store) Snapshots() raft.SnapshotStore { return s.snaps }

// Err returns the error that stopped the store, nil while it works.
func (s *Store) Err() error { return s.fail.check() }

// Close ends all use of the directory. Raft must have been shut down before,
// unless the store has stalled. It does not wait for a disk that hangs, and
// leaves the directory locked then: what hangs may yet be written.
// Further calls return the result of the first.
func (s *Store) Close() error {
	s.closeOnce.Do(func() {
		s.fail.arm(nil)
		failed := s.logs.behind.settle(nil) // the watchdog ends that if the sync hangs
		if failed == nil {
			failed = s.fail.check()
		}
		s.fail.fail(ErrClosed)
		patience := s.logs.dog.fatalAfter
		if errors.Is(failed, ErrStalled) {
			patience = closeWait
		}
		done := make(chan error, 1)
		go func() {
			if failed == nil {
				s.bound.raise(s.logs.last())
			}
			done <- s.release()
		}()
		select {
		case s.closeErr = <-done:
		case <-time.After(patience):
			s.closeErr = fmt.Errorf("store: close %s: an operation has not returned for %v: %w", s.opt.Dir, patience, ErrStalled)
		}
	})
	return s.closeErr
}

// closeWait bounds Close when an operation is known to be stuck in the kernel.
const closeWait = time.Second

// release closes whatever open has opened, in the opposite order, when nothing
// uses it any more.
func (s *Store) release() error {
	var errs []error
	if s.stable != nil {
		errs = append(errs, s.stable.close())
	}
	if s.logs != nil {
		errs = append(errs, s.logs.close())
	}
	if s.bound != nil {
		errs = append(errs, s.bound.close())
	}
	for _, lock := range s.locks {
		errs = append(errs, lock.Close())
	}
	return errors.Join(errs...)
}
