package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/hashicorp/raft"
)

// Wreck is a store that Open refuses as damaged, kept from being used by anybody
// else. What is whole of it can become another store in its place.
type Wreck struct {
	Remains
	s     *Store // open has only its locks
	snaps *snapshotStore
}

// Remains is what is whole of a damaged store: a state, and what comes after it
// in the log up to the first damage.
type Remains struct {
	Snapshot uint64    // entry of the newest whole snapshot, 0: none
	Taken    time.Time // when that was taken
	// Index and Term are of the last entry that is whole without a gap before it.
	Index, Term uint64
	Members     raft.Configuration // as of that entry
	// Durable is an entry that was on disk once. There may have been later ones.
	Durable uint64
	Damage  []error // what is not whole
	// Startable is whether Open and raft can do with it: what is not whole is not
	// needed.
	Startable bool

	id   string // of the snapshot
	vote uint64 // the term on file, 0 if that is damaged
}

const (
	// rebuiltDir, in Dir and in LogDir, is a store on its way to their place.
	rebuiltDir = "rebuilt"

	// In rebuiltDir of Dir: readyName says that the store there is complete and
	// replaces the other, which is yet to be set aside; movingName, that it was.
	readyName  = "READY"
	movingName = "MOVING"
)

// OpenWreck looks at a store without changing anything in it. ErrUnfinished is
// returned where Open has something to finish first, ErrEngine where its log is
// not in LogDir, or another's is: that is no damage, and the log may be whole.
// logLost says that no log is in LogDir because it is lost.
func OpenWreck(o Options, logLost bool) (*Wreck, error) {
	if err := o.validate(); err != nil {
		return nil, err
	}
	w := &Wreck{s: newStore(o)}
	misplaced := w.s.misplacedLog() // first of all: to lock a directory is to make it
	if none := (noLog{}); misplaced != nil && !errors.Is(misplaced, ErrCorrupt) && !(logLost && errors.As(misplaced, &none)) {
		return nil, misplaced
	}
	if err := w.s.takeDirs(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if err := w.s.settled(); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	s := w.s
	w.snaps = &snapshotStore{files: s.files, mu: newMutex(), opt: &s.opt, log: slog.New(slog.DiscardHandler), dir: filepath.Join(s.opt.Dir, snapDir)}
	w.findSnapshot()
	snapshots := len(w.Damage)
	w.readVote()
	if errors.Is(misplaced, ErrCorrupt) {
		w.damaged(misplaced)
	}
	if err := w.readLog(func(*raft.Log) error { return nil }); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	if b, err := s.files.readFile(filepath.Join(s.opt.Dir, boundName)); err == nil {
		w.Durable, _ = decodeBound(b)
	}
	if w.Durable > w.Index && len(w.Damage) == 0 {
		w.damaged(fmt.Errorf("store: %w: the log in %s ends at entry %d, but entry %d was durable once", ErrCorrupt, s.opt.LogDir, w.Index, w.Durable))
	}
	w.Durable = max(w.Durable, w.Index)
	newest, _ := w.snaps.newestNamed()
	w.Startable = len(w.Damage) == snapshots && w.Index >= max(newest, 1)
	return w, nil
}

// misplacedLog returns what requireLog says, if it can be asked.
func (s *Store) misplacedLog() error {
	if s.settled() != nil {
		return nil // the directories may have parts of two stores
	}
	f, there, err := s.files.readFormat(s.opt.Dir)
	if err != nil || !there {
		return nil // which makes all of the log unreadable
	}
	return s.files.requireLog(f, s.opt.Dir, s.opt.LogDir)
}

// findSnapshot reads snapshots, newest first, until one is whole.
func (w *Wreck) findSnapshot() {
	ids, err := w.snaps.names(snapSuffix)
	if err != nil {
		w.damaged(err)
	}
	for _, id := range ids {
		f, info, err := w.snaps.openFile(id)
		if err == nil {
			_, err = io.Copy(io.Discard, newChunkReader(w.s.files.reader(f), info))
			f.Close()
		}
		if err != nil {
			w.damaged(fmt.Errorf("snapshot %s: %w", w.snaps.path(id), err))
			continue
		}
		meta := info.meta.raft(id, info.size)
		w.id, w.Snapshot, w.Taken = id, meta.Index, time.UnixMilli(info.meta.CreatedMs)
		w.Index, w.Term, w.Members = meta.Index, meta.Term, meta.Configuration
		return
	}
}

// readVote finds the term.
func (w *Wreck) readVote() {
	path := filepath.Join(w.s.opt.Dir, stableName)
	if err := w.s.files.checkBoltFile(path); err != nil {
		w.damaged(err)
		return
	}
	v, err := readVoteOf(path)
	if err != nil {
		w.damaged(fmt.Errorf("%s: %w", path, err))
	}
	w.vote = v.term
}

func (w *Wreck) damaged(err error) { w.Damage = append(w.Damage, err) }

// HighestTerm is the highest term that the store knows of.
func (w *Wreck) HighestTerm() uint64 { return max(w.vote, w.Term) }

// readLog calls fn for the entries behind the snapshot up to the first damage,
// be it only that the disk does not give them. The error is that of fn.
func (w *Wreck) readLog(fn func(*raft.Log) error) error {
	next := w.Snapshot + 1
	var failed error
	err := w.s.files.soundEntries(w.s.opt, func(l *raft.Log) error {
		switch {
		case l.Index < next:
			return nil
		case l.Index > next:
			return fmt.Errorf("%w: there is nothing between entry %d and entry %d", ErrCorrupt, next-1, l.Index)
		}
		w.Index, w.Term = l.Index, l.Term
		if l.Type == raft.LogConfiguration {
			w.Members = raft.DecodeConfiguration(l.Data)
		}
		next++
		failed = fn(l)
		return failed
	})
	if err != nil && failed == nil {
		w.damaged(err)
	}
	return failed
}

// Rebuild makes a store of what is whole, beside the damaged one, which stays as
// it is. Its term is that of the last entry.
func (w *Wreck) Rebuild() (*Store, error) {
	o := w.s.opt
	if err := w.s.settled(); err != nil {
		return nil, err // what is there is no attempt, but finished
	}
	for _, dir := range w.dirs() {
		if err := w.s.files.removeAll(filepath.Join(dir, rebuiltDir)); err != nil {
			return nil, fmt.Errorf("store: remove what an earlier attempt has left: %w", err)
		}
	}
	o.Dir, o.LogDir = filepath.Join(o.Dir, rebuiltDir), filepath.Join(o.LogDir, rebuiltDir)
	s, err := Open(o)
	if err != nil {
		return nil, err
	}
	if err := w.fill(s); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func (w *Wreck) fill(s *Store) error {
	if err := s.stable.setTerm(w.HighestTerm()); err != nil {
		return err
	}
	if w.id != "" {
		if err := w.copySnapshot(s); err != nil {
			return err
		}
	}
	damage := w.Damage
	defer func() { w.Damage = damage }() // it is found a second time
	var batch []*raft.Log
	err := w.readLog(func(l *raft.Log) error {
		own := *l
		if batch = append(batch, &own); len(batch) < 64 {
			return nil
		}
		err := s.logs.StoreLogs(batch)
		batch = nil
		return err
	})
	if err == nil && len(batch) > 0 {
		err = s.logs.StoreLogs(batch)
	}
	return err
}

func (w *Wreck) copySnapshot(s *Store) error {
	f, info, err := w.snaps.openFile(w.id)
	if err != nil {
		return err
	}
	defer f.Close()
	meta := info.meta.raft(w.id, info.size)
	sink, err := s.snaps.Create(meta.Version, meta.Index, meta.Term, meta.Configuration, meta.ConfigurationIndex, nil)
	if err != nil {
		return err
	}
	if _, err := io.Copy(sink, newChunkReader(w.s.files.reader(f), info)); err != nil {
		return errors.Join(err, sink.Cancel())
	}
	return sink.Close()
}

// Replace closes the store that Rebuild has made and puts it in the place of the
// damaged one, which is kept in the directory that is returned. A crash leaves
// the one or the other, as soon as anybody opens it.
func (w *Wreck) Replace(rebuilt *Store) (kept string, err error) {
	if err := rebuilt.Close(); err != nil {
		return "", err
	}
	if err := w.s.files.replace(filepath.Join(w.s.opt.Dir, rebuiltDir, readyName), []byte("it replaces the store in the directory above\n")); err != nil {
		return "", err
	}
	return filepath.Join(w.s.opt.Dir, asideDir), w.s.finishRebuilt()
}

func (w *Wreck) dirs() []string { return (&aside{dir: w.s.opt.Dir, logDir: w.s.opt.LogDir}).dirs() }

// Close gives the directories back.
func (w *Wreck) Close() error { return w.s.release() }

// settled returns ErrUnfinished if a store is on its way into this place or out
// of it. What is here meanwhile is but a part of it.
func (s *Store) settled() error {
	there, err := replacing(s.opt.Dir)
	if err == nil && !there {
		there, err = exists(filepath.Join(s.opt.Dir, asideName))
	}
	if err == nil && there {
		err = fmt.Errorf("store: %s: %w", s.opt.Dir, ErrUnfinished)
	}
	return err
}

// replacing tells whether the store in rebuiltDir is complete, and takes the
// place of what else there is in dir.
func replacing(dir string) (bool, error) {
	there, err := exists(filepath.Join(dir, rebuiltDir, readyName))
	if err != nil || there {
		return there, err
	}
	return exists(filepath.Join(dir, rebuiltDir, movingName))
}

// finishRebuilt completes Replace, at Open what a crash has cut short.
func (s *Store) finishRebuilt() error {
	from := filepath.Join(s.opt.Dir, rebuiltDir)
	ready, moving := filepath.Join(from, readyName), filepath.Join(from, movingName)
	a := aside{files: s.files, dir: s.opt.Dir, logDir: s.opt.LogDir}
	there, err := exists(ready)
	if err != nil {
		return err
	}
	if there {
		if err := a.begin(errors.New("it was damaged, and rebuilt from what is whole")); err != nil {
			return err
		}
		if a.begun {
			if err := a.finish(); err != nil {
				return err
			}
		}
		if err := s.files.rename(ready, moving); err != nil {
			return err
		}
		if err := s.files.syncDir(from); err != nil {
			return err
		}
	} else if there, err = exists(moving); err != nil || !there {
		return err
	}
	for _, dir := range a.dirs() {
		if err := s.moveRebuilt(filepath.Join(dir, rebuiltDir), dir); err != nil {
			return err
		}
	}
	for _, dir := range a.dirs() {
		if err := s.files.removeAll(filepath.Join(dir, rebuiltDir)); err != nil {
			return err
		}
	}
	return s.files.syncDir(s.opt.Dir)
}

// moveRebuilt moves the files of a store from one directory to another, durably.
func (s *Store) moveRebuilt(from, to string) error {
	names, err := storeFiles(from)
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := s.files.rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return fmt.Errorf("store: move what was rebuilt: %w", diskFull(err))
		}
	}
	return s.files.syncDir(to)
}
