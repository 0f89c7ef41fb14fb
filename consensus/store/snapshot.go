package store

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/hashicorp/raft"
	"golang.org/x/sys/unix"

	"zkd/internal/mutant"
)

const (
	snapDir    = "snapshots"
	snapTmp    = "tmp"
	snapSuffix = ".snap"
	badSuffix  = ".bad" // a snapshot whose body failed its checksum, set aside

	// snapName is index, term, creation time in ms: names sort by age, and tell
	// the index even when the header is damaged.
	snapName = "%020d-%020d-%013d"
)

// snapshotStore is the raft.SnapshotStore.
type snapshotStore struct {
	files  files
	opt    *Options
	log    *slog.Logger
	fail   *failure
	count  *counters
	bound  *bound
	logs   *logStore
	dir    string
	tmpDir string

	mu mutex // held while files appear, vanish or are listed
}

func openSnapshots(s *Store) (*snapshotStore, error) {
	dir := filepath.Join(s.opt.Dir, snapDir)
	st := &snapshotStore{
		files: s.files, mu: newMutex(), opt: &s.opt, log: s.log, fail: s.fail, count: &s.counters, bound: s.bound, logs: s.logs,
		dir: dir, tmpDir: filepath.Join(dir, snapTmp),
	}
	// Whatever is in there was not finished before the last crash.
	if err := st.files.removeAll(st.tmpDir); err != nil {
		return nil, fmt.Errorf("store: remove unfinished snapshots in %s: %w", st.tmpDir, err)
	}
	if err := st.files.mkdirAll(st.tmpDir); err != nil {
		return nil, fmt.Errorf("store: create %s: %w", st.tmpDir, err)
	}
	// Also what a process that was killed has renamed: the log goes on behind it.
	for _, d := range []string{dir, s.opt.Dir} {
		if err := s.files.syncDir(d); err != nil {
			return nil, err
		}
	}
	for _, f := range st.scan(s.log) {
		s.counters.snapshot(f.info.meta.Index, f.info.meta.CreatedMs)
		break
	}
	return st, nil
}

// snapFile is a file that looks like a snapshot.
type snapFile struct {
	id   string
	info snapInfo
	err  error // header or trailer damaged
}

// names lists the ids with the given suffix, newest first.
func (st *snapshotStore) names(suffix string) ([]string, error) {
	entries, err := os.ReadDir(st.dir)
	if err != nil {
		return nil, fmt.Errorf("store: list snapshots in %s: %w", st.dir, err)
	}
	var ids []string
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), suffix); ok && nameIndex(id) > 0 {
			ids = append(ids, id)
		}
	}
	sort.Sort(sort.Reverse(sort.StringSlice(ids)))
	return ids, nil
}

// nameIndex is the index in a snapshot's name, 0 if it is no such name.
func nameIndex(id string) uint64 {
	var index, term uint64
	var ms int64
	if n, err := fmt.Sscanf(id, snapName, &index, &term, &ms); n != 3 || err != nil || fmt.Sprintf(snapName, index, term, ms) != id {
		return 0
	}
	return index
}

// newestNamed is the highest index any snapshot file claims, sound or not.
func (st *snapshotStore) newestNamed() (index uint64, err error) {
	for _, suffix := range []string{snapSuffix, badSuffix} {
		ids, err := st.names(suffix)
		if err != nil {
			return 0, err
		}
		if len(ids) > 0 {
			index = max(index, nameIndex(ids[0]))
		}
	}
	return index, nil
}

// scan returns the snapshots with sound header and trailer, newest first, and
// logs the others.
func (st *snapshotStore) scan(log *slog.Logger) (sound []snapFile) {
	ids, err := st.names(snapSuffix)
	if err != nil {
		log.Error("cannot list snapshots", "err", err)
	}
	for _, id := range ids {
		f := snapFile{id: id}
		if f.info, f.err = st.inspect(id); f.err != nil {
			log.Error("ignoring a damaged snapshot", "err", f.err)
			continue
		}
		sound = append(sound, f)
	}
	return sound
}

func (st *snapshotStore) path(id string) string { return filepath.Join(st.dir, id+snapSuffix) }

func (st *snapshotStore) inspect(id string) (snapInfo, error) {
	f, info, err := st.openFile(id)
	if err == nil {
		f.Close()
	}
	return info, err
}

func (st *snapshotStore) openFile(id string) (*os.File, snapInfo, error) {
	f, err := os.Open(st.path(id))
	if err != nil {
		return nil, snapInfo{}, fmt.Errorf("store: open snapshot: %w", err)
	}
	fi, err := f.Stat()
	var info snapInfo
	if err == nil {
		info, err = readSnapInfo(st.files.reader(f), fi.Size())
	}
	if err == nil && info.meta.Index != nameIndex(id) {
		err = fmt.Errorf("%w: it is of index %d", ErrCorrupt, info.meta.Index)
	}
	if err != nil {
		f.Close()
		return nil, info, fmt.Errorf("store: open snapshot %s: %w", st.path(id), err)
	}
	return f, info, nil
}

// usable drops the snapshots that the log does not continue from: restoring
// one would silently go back behind what this server has acknowledged. The
// newest state known, be it a snapshot now damaged, sets the mark.
func usable(sound []snapFile, newest, first, last uint64) (out []snapFile) {
	for _, f := range sound {
		index := f.info.meta.Index
		continued := last == 0 || first <= index+1
		if continued && (index == newest || last > 0 && last >= newest) {
			out = append(out, f)
		}
	}
	return out
}

// newest is the index of the newest snapshot, 0 if there is none.
func (st *snapshotStore) newest() uint64 {
	st.mu.Lock()
	defer st.mu.Unlock()
	if sound := st.scan(st.log); len(sound) > 0 {
		return sound[0].info.meta.Index
	}
	return 0
}

// restorable returns the snapshots that the log, of first to last, continues,
// newest first. It fails if there is none and the log alone is not the whole:
// raft would take an empty list for an empty server.
func (st *snapshotStore) restorable(log *slog.Logger, first, last uint64) ([]snapFile, error) {
	newest, err := st.newestNamed()
	if err != nil {
		return nil, err
	}
	list := usable(st.scan(log), newest, first, last)
	if len(list) == 0 && (first > 1 || newest > 0 && (last == 0 || last < newest)) {
		return nil, fmt.Errorf("store: open %s: %w: no sound snapshot that the log (%d to %d) continues; the newest was of index %d",
			st.dir, ErrCorrupt, first, last, newest)
	}
	return list, nil
}

// List returns the snapshots raft may restore, newest first.
func (st *snapshotStore) List() ([]*raft.SnapshotMeta, error) {
	if err := st.fail.check(); err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	first, err := st.logs.FirstIndex()
	if err != nil {
		return nil, err
	}
	last, err := st.logs.LastIndex()
	if err != nil {
		return nil, err
	}
	list, err := st.restorable(st.log, first, last)
	if err != nil {
		return nil, err
	}
	var out []*raft.SnapshotMeta
	for _, f := range list {
		out = append(out, f.info.meta.raft(f.id, f.info.size))
	}
	return out, nil
}

// Open returns a reader that verifies each chunk before it hands it out, and
// fails instead of io.EOF when something is missing: read to the end before
// trusting the whole. A snapshot that turns out damaged is set aside, so that
// the next List offers an older one; the caller should take a new snapshot.
func (st *snapshotStore) Open(id string) (*raft.SnapshotMeta, io.ReadCloser, error) {
	if err := st.fail.check(); err != nil {
		return nil, nil, err
	}
	if nameIndex(id) == 0 {
		return nil, nil, fmt.Errorf("store: open snapshot %q: not a snapshot's id", id)
	}
	f, info, err := st.openFile(id)
	if err != nil {
		return nil, nil, err
	}
	return info.meta.raft(id, info.size), &snapReader{st: st, id: id, f: f, c: newChunkReader(st.files.reader(f), info)}, nil
}

type snapReader struct {
	st *snapshotStore
	id string
	f  *os.File
	c  *chunkReader
}

func (r *snapReader) Read(p []byte) (int, error) {
	fresh := r.c.err == nil
	n, err := r.c.Read(p)
	if err == nil || err == io.EOF {
		return n, err
	}
	err = fmt.Errorf("store: read snapshot %s: %w", r.st.path(r.id), err)
	if fresh && errors.Is(err, ErrCorrupt) {
		r.st.setAside(r.id, err)
	}
	return n, err
}

func (r *snapReader) Close() error { return r.f.Close() }

func (st *snapshotStore) setAside(id string, cause error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	err := st.files.rename(st.path(id), filepath.Join(st.dir, id+badSuffix))
	if err == nil {
		st.count.snapshotsDamaged.Add(1)
		err = st.files.syncDir(st.dir)
		if st.opt.OnDamagedSnapshot != nil {
			st.opt.OnDamagedSnapshot()
		}
	}
	st.log.Error("a snapshot is damaged and was set aside", "err", cause, "rename", err)
}

// Create begins a snapshot.
func (st *snapshotStore) Create(version raft.SnapshotVersion, index, term uint64, conf raft.Configuration,
	confIndex uint64, _ raft.Transport) (raft.SnapshotSink, error) {
	if err := st.fail.check(); err != nil {
		return nil, err
	}
	if index == 0 {
		return nil, fmt.Errorf("store: create snapshot in %s: index 0", st.dir)
	}
	// The next snapshot will be about as large as the last.
	st.mu.Lock()
	defer st.mu.Unlock()
	need := st.opt.MinFreeBytes
	if sound := st.scan(st.log); len(sound) > 0 {
		if err := st.refuseOlder(index, sound[0]); err != nil {
			return nil, err
		}
		need += sound[0].info.size
	}
	if err := st.files.requireFree(st.dir, need); err != nil {
		return nil, fmt.Errorf("store: create snapshot in %s: %w", st.dir, err)
	}
	meta := snapMeta{Version: int(version), Index: index, Term: term, ConfigurationIndex: confIndex, CreatedMs: nowMs()}
	for _, s := range conf.Servers {
		meta.Servers = append(meta.Servers, snapServer{Suffrage: s.Suffrage, ID: string(s.ID), Address: string(s.Address)})
	}
	id := fmt.Sprintf(snapName, index, term, meta.CreatedMs)
	for st.taken(id) {
		meta.CreatedMs++
		id = fmt.Sprintf(snapName, index, term, meta.CreatedMs)
	}
	sink, err := newSink(st, id, meta)
	if err != nil {
		return nil, fmt.Errorf("store: create snapshot in %s: %w", st.dir, diskFull(err))
	}
	return sink, nil
}

// refuseOlder keeps state from going back. raft installs whatever snapshot a
// leader sends, be it a message that was under way for long; and one that is
// being taken here may end after a newer one was installed, which raft would
// take for the newest all the same.
func (st *snapshotStore) refuseOlder(index uint64, newest snapFile) error {
	if have := newest.info.meta.Index; index < have {
		return fmt.Errorf("store: create snapshot in %s: it is of index %d, and there is one of index %d", st.dir, index, have)
	}
	return nil
}

func (st *snapshotStore) taken(id string) bool {
	for _, path := range []string{st.path(id), filepath.Join(st.tmpDir, id+snapSuffix)} {
		if there, err := exists(path); there || err != nil {
			return true
		}
	}
	return false
}

// publish renames a finished snapshot into place.
func (st *snapshotStore) publish(k *snapSink) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	// After Close the directory may already be somebody else's.
	if err := st.fail.check(); err != nil {
		return err
	}
	if sound := st.scan(st.log); len(sound) > 0 {
		if err := st.refuseOlder(k.meta.Index, sound[0]); err != nil {
			return err
		}
	}
	if err := st.files.rename(k.tmp, st.path(k.id)); err != nil {
		return err
	}
	var err error
	if !mutant.Is(mutant.NameSync) {
		err = st.files.syncDir(st.dir)
	}
	if err != nil {
		// It may or may not be there after a power failure, and raft is about
		// to delete the log it replaces.
		return st.fail.fail(err)
	}
	st.count.snapshots.Add(1)
	st.count.snapshot(k.meta.Index, k.meta.CreatedMs)
	return nil
}

// retain removes what is beyond RetainSnapshots, and damaged files that a
// newer snapshot has made pointless. A file that stays is only a nuisance.
func (st *snapshotStore) retain() {
	st.mu.Lock()
	defer st.mu.Unlock()
	sound := st.scan(st.log)
	if len(sound) == 0 || st.fail.check() != nil { // see publish
		return
	}
	keep := map[string]bool{}
	for i, f := range sound {
		if i < st.opt.RetainSnapshots {
			keep[f.id] = true
		}
	}
	newest := sound[0].info.meta.Index
	for _, suffix := range []string{snapSuffix, badSuffix} {
		ids, _ := st.names(suffix)
		for _, id := range ids {
			if suffix == snapSuffix && keep[id] || nameIndex(id) > newest {
				continue
			}
			if err := st.files.remove(filepath.Join(st.dir, id+suffix)); err != nil {
				st.log.Warn("cannot remove an old snapshot", "file", id+suffix, "err", err)
			}
		}
	}
}

func isErrno(err error) bool {
	var errno unix.Errno
	return errors.As(err, &errno)
}
