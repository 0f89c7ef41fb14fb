package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"zkd/test/quick"
)

func TestLogRoundTrip(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		dir := t.TempDir()
		s := mustOpen(t, opts(dir, engine))
		wantLog(t, s, 0, 0, 0)
		for i := uint64(1); i <= 300; i += 3 {
			mustStore(t, s, batch(i, 3, 700)...)
		}
		wantLog(t, s, 1, 300, 700)
		var l raft.Log
		for _, i := range []uint64{0, 301} {
			if err := s.Log().GetLog(i, &l); err != raft.ErrLogNotFound {
				t.Fatalf("entry %d: %v, want exactly raft.ErrLogNotFound", i, err)
			}
		}
		if m, ok := s.Log().(raft.MonotonicLogStore); !ok || !m.IsMonotonic() {
			t.Fatal("the log must tell raft that it refuses gaps")
		}
		st := s.Stats()
		if st.Appends != 100 || st.Entries != 300 || st.Syncs < 100 || st.LogBytes < 300*700 || st.AppendMax <= 0 || st.AppendTime < st.AppendMax {
			t.Fatalf("stats %+v", st)
		}
		mustClose(t, s)
		mustClose(t, s)
		if err := s.Log().StoreLog(entry(301, 1)); !errors.Is(err, ErrClosed) {
			t.Fatalf("append after Close: %v", err)
		}
		s = mustOpen(t, opts(dir, engine))
		wantLog(t, s, 1, 300, 700)
		mustStore(t, s, entry(301, 700))
	})
}

func TestLogDeleteRange(t *testing.T) {
	cases := []struct {
		name        string
		lo, hi      uint64
		first, last uint64
		refused     bool
	}{
		{name: "prefix", lo: 1, hi: 1500, first: 1501, last: 3000},
		{name: "prefix from below", lo: 0, hi: 2999, first: 3000, last: 3000},
		{name: "suffix", lo: 1501, hi: 3000, first: 1, last: 1500},
		{name: "suffix from beyond", lo: 2, hi: 9000, first: 1, last: 1},
		{name: "all", lo: 1, hi: 3000},
		{name: "hole", lo: 2, hi: 2999, first: 1, last: 3000, refused: true},
		{name: "outside", lo: 3001, hi: 4000, first: 1, last: 3000},
		{name: "empty range", lo: 10, hi: 9, first: 1, last: 3000},
	}
	eachEngine(t, func(t *testing.T, engine string) {
		for _, c := range cases {
			t.Run(c.name, func(t *testing.T) {
				dir := t.TempDir()
				o := opts(dir, engine)
				o.NoSync = true
				s := mustOpen(t, o)
				for i := uint64(1); i <= 3000; i += 50 {
					mustStore(t, s, batch(i, 50, 60)...)
				}
				err := s.Log().DeleteRange(c.lo, c.hi)
				if (err != nil) != c.refused {
					t.Fatalf("DeleteRange: %v", err)
				}
				wantLog(t, s, c.first, c.last, 60)
				if c.first > 1 { // a log that starts late needs its snapshot
					mustSnap(t, s, c.first-1, []byte("x"))
				}
				mustClose(t, s)
				s = mustOpen(t, o)
				wantLog(t, s, c.first, c.last, 60)
				next := c.last + 1
				if c.last == 0 {
					next = 7777 // as after a snapshot was installed
				}
				mustStore(t, s, entry(next, 60))
				if err := s.Log().GetLog(next, &raft.Log{}); err != nil {
					t.Fatal(err)
				}
			})
		}
	})
}

func TestLogRefusesBadAppends(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		damaged, sealed := entry(4, 10), entry(4, 10)
		for name, logs := range map[string][]*raft.Log{
			"gap":         {entry(5, 10)},
			"overlap":     {entry(3, 10)},
			"gap inside":  {entry(4, 10), entry(6, 10)},
			"foreign ext": {{Index: 4, Term: 1, Extensions: []byte("x")}},
			"damaged":     {damaged},
		} {
			t.Run(name, func(t *testing.T) {
				fatal := make(chan error, 2)
				o := opts(t.TempDir(), engine)
				o.OnFatal = func(err error) { fatal <- err }
				s := mustOpen(t, o)
				mustStore(t, s, batch(1, 3, 10)...)
				if name == "damaged" {
					// Sealed by a leader, then changed on the way here.
					other := mustOpen(t, opts(t.TempDir(), engine))
					mustStore(t, other, batch(1, 3, 10)...)
					mustStore(t, other, sealed)
					damaged.Extensions = sealed.Extensions
					damaged.Data[3] ^= 1
					wantErr(t, VerifyEntry(damaged), ErrCorrupt)
				}
				err := s.Log().StoreLogs(logs)
				if err == nil {
					t.Fatal("accepted")
				}
				if got := <-fatal; got.Error() != err.Error() {
					t.Fatalf("OnFatal got %v, the caller %v", got, err)
				}
				if err2 := s.Log().StoreLog(entry(4, 10)); err2 == nil || err2.Error() != err.Error() {
					t.Fatalf("after the failure: %v", err2)
				}
				if _, err := s.Log().LastIndex(); err == nil {
					t.Fatal("reads go on after the failure")
				}
				if err := s.Stable().SetUint64([]byte("CurrentTerm"), 9); err == nil {
					t.Fatal("the vote goes on after the failure")
				}
			})
		}
	})
}

// A failed sync is never retried, and nothing is acknowledged after it.
func TestLogFailStop(t *testing.T) {
	for _, point := range []string{"write", "sync", "create"} {
		t.Run(point, func(t *testing.T) {
			boom := errors.New("injected")
			fatal := make(chan error, 2)
			o := opts(t.TempDir(), EngineWAL)
			armed := false
			once := func() error {
				if armed {
					armed = false // the next try would succeed
					return boom
				}
				return nil
			}
			o.Disk = faults(opKind(point), ".wal", once)
			o.OnFatal = func(err error) { fatal <- err }
			s := mustOpen(t, o)
			mustStore(t, s, batch(1, 10, 100)...)
			armed = true
			acked := uint64(10)
			for i := uint64(11); i < 1000; i++ { // enough for a rotation
				if err := s.Log().StoreLog(entry(i, 100)); err != nil {
					wantErr(t, err, boom, ".wal")
					break
				}
				acked = i
			}
			if err := s.Log().StoreLog(entry(acked+1, 100)); !errors.Is(err, boom) {
				t.Fatalf("an append after the failure: %v", err)
			}
			wantErr(t, <-fatal, boom)
			s.Close()
			o.OnFatal = nil
			s = mustOpen(t, o)
			last, err := s.Log().LastIndex()
			if err != nil || last < acked {
				t.Fatalf("last index %d (%v), acknowledged up to %d", last, err, acked)
			}
			wantLog(t, s, 1, last, 100)
			mustStore(t, s, entry(last+1, 100))
		})
	}
}

// A process that was killed may have left what it has not synced in the page
// cache, where the next one finds it.
func TestWhatIsFoundIsSynced(t *testing.T) {
	dir := t.TempDir()
	s := mustOpen(t, opts(dir, EngineWAL))
	mustStore(t, s, batch(1, 10, 100)...)
	mustClose(t, s)
	synced := map[string]bool{}
	o := opts(dir, EngineWAL)
	o.Disk = &faulty{around: func(op Op, do func() error) error {
		if op.Kind == OpSync || op.Kind == OpSyncDir {
			synced[op.Path] = true
		}
		return do()
	}}
	mustOpen(t, o)
	segment := onlyFile(t, filepath.Join(dir, "*.wal"))
	for _, path := range []string{segment, filepath.Dir(segment)} {
		if !synced[path] {
			t.Errorf("%s counts and was not synced; %v were", path, synced)
		}
	}
}

func TestWatchdog(t *testing.T) {
	fatal := make(chan error, 1)
	hang := make(chan struct{})
	o := opts(t.TempDir(), EngineWAL)
	o.hooks.stallWarn, o.hooks.stallFatal = 5*time.Millisecond, 300*time.Millisecond
	hanging := false
	o.Disk = faults(OpSync, ".wal", func() error {
		if hanging {
			<-hang
		}
		return nil
	})
	o.OnFatal = func(err error) { fatal <- err }
	s := mustOpen(t, o)
	mustStore(t, s, entry(1, 10))
	hanging = true
	result, queued := make(chan error, 1), make(chan error, 1)
	go func() { result <- s.Log().StoreLog(entry(2, 10)) }()
	wantStall := <-fatal // while the sync still hangs
	wantErr(t, wantStall, ErrStalled, o.Dir)
	go func() { queued <- s.Log().DeleteRange(1, 1) }()
	wantErr(t, <-queued, ErrStalled)
	wantErr(t, s.Close(), ErrStalled)
	_, err := Open(o)
	wantErr(t, err, ErrInUse) // what hangs may yet be written
	close(hang)               // the disk answers after all: too late to be acknowledged
	wantErr(t, <-result, ErrStalled)
}

// Everything that the log waits for is timed, and Close waits for none of it.
func TestHungBoundIsFatal(t *testing.T) {
	quick.Skip(t)
	for _, kind := range []OpKind{OpWrite, OpSync} {
		t.Run(kind.String(), func(t *testing.T) {
			o := opts(t.TempDir(), EngineWAL)
			o.NoSync, o.hooks.stallWarn, o.hooks.stallFatal = true, 100*time.Millisecond, 200*time.Millisecond
			hang, hanging := make(chan struct{}), false
			o.Disk = faults(kind, boundName, func() error {
				if hanging {
					<-hang
				}
				return nil
			})
			fatal := make(chan error, 1)
			o.OnFatal = func(err error) { fatal <- err }
			s := mustOpen(t, o)
			mustStore(t, s, batch(1, boundEvery, 10)...)
			hanging = true
			ended := make(chan error, 1)
			go func() { // one raises the bound, the other lowers it
				if kind == OpWrite {
					ended <- s.Log().StoreLogs(batch(boundEvery+1, boundEvery, 10))
				} else {
					ended <- s.Log().DeleteRange(boundEvery, boundEvery)
				}
			}()
			wantErr(t, <-fatal, ErrStalled, s.bound.path)
			wantErr(t, s.Close(), ErrStalled)
			close(hang)
			<-ended
		})
	}
}

// A disk that hangs before anybody has noticed does not keep Close, either.
func TestCloseWithHungDisk(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	o.NoSync, o.hooks.stallWarn, o.hooks.stallFatal = true, 100*time.Millisecond, 200*time.Millisecond
	hang, hanging := make(chan struct{}), false
	o.Disk = faults(OpSync, boundName, func() error {
		if hanging {
			<-hang
		}
		return nil
	})
	s := mustOpen(t, o)
	mustStore(t, s, entry(1, 10))
	hanging = true
	wantErr(t, s.Close(), ErrStalled)
	close(hang)
}

// raft-wal reopens a segment that is sealed but not yet replaced and then
// refuses every append. Each reopening here may hit that state.
func TestWALReopenAfterEveryAppend(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	o.hooks.segmentSize = 4 * kib
	o.NoSync = true
	for i := uint64(1); i <= 60; i++ {
		s := mustOpen(t, o)
		mustStore(t, s, entry(i, 300))
		mustClose(t, s)
	}
	s := mustOpen(t, o)
	wantLog(t, s, 1, 60, 300)
	if err := s.Log().DeleteRange(1, 40); err != nil {
		t.Fatal(err)
	}
	if n := s.Stats().LogBytes; n > 60*kib || n < 20*300 {
		t.Fatalf("LogBytes %d", n)
	}
}

func TestOpenRefusals(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		base := t.TempDir()
		s := mustOpen(t, opts(base, engine))
		mustStore(t, s, batch(1, 5, 10)...)
		wantErrOpen := func(o Options, want error, texts ...string) {
			t.Helper()
			s, err := Open(o)
			if err == nil {
				s.Close()
				t.Fatal("opened")
			}
			wantErr(t, err, want, texts...)
		}
		wantErrOpen(opts(base, engine), ErrInUse, base, "in use by another zkd", fmt.Sprint(os.Getpid()))
		mustClose(t, s)

		other := EngineBolt
		if engine == EngineBolt {
			other = EngineWAL
		}
		wantErrOpen(opts(base, other), ErrEngine, base, engine, other)
		for _, name := range []string{formatName, stableName, map[string]string{EngineWAL: walMetaName, EngineBolt: boltLogName}[engine]} {
			dir := clone(t, base)
			os.Remove(filepath.Join(dir, name))
			if name == boltLogName { // which is all of the log: it may be somewhere else
				wantErrOpen(opts(dir, engine), ErrEngine, dir)
				continue
			}
			wantErrOpen(opts(dir, engine), ErrCorrupt, name)
		}
		for i := range len((format{engine: engine}).encode()) {
			dir := clone(t, base)
			flip(t, filepath.Join(dir, formatName), int64(i))
			if _, err := Open(opts(dir, engine)); err == nil {
				t.Fatalf("FORMAT with byte %d flipped was accepted", i)
			}
		}
		o := opts(clone(t, base), engine)
		o.MinFreeBytes = 1 << 60
		wantErrOpen(o, ErrDiskFull, o.Dir)
		s = mustOpen(t, opts(base, engine))
		wantLog(t, s, 1, 5, 10)
	})
}

func TestSeparateLogDir(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		o := opts(t.TempDir(), engine)
		o.LogDir = filepath.Join(t.TempDir(), "log")
		s := mustOpen(t, o)
		mustStore(t, s, batch(1, 5, 10)...)
		mustClose(t, s)
		s = mustOpen(t, o)
		wantLog(t, s, 1, 5, 10)
		mustClose(t, s)
		moved := o
		moved.LogDir = t.TempDir()
		_, err := Open(moved)
		wantErr(t, err, ErrEngine, moved.LogDir)
		theirs := opts(t.TempDir(), engine)
		theirs.LogDir = t.TempDir()
		mustClose(t, mustOpen(t, theirs))
		o.LogDir = theirs.LogDir
		_, err = Open(o)
		wantErr(t, err, ErrEngine, "another data directory")
	})
}

func TestOptionsValidate(t *testing.T) {
	for _, o := range []Options{
		{}, {Dir: "x", Engine: "lmdb", RetainSnapshots: 1}, {Dir: "x", Engine: EngineWAL},
		{Dir: "x", Engine: EngineWAL, RetainSnapshots: 1, MinFreeBytes: -1},
	} {
		if _, err := Open(o); err == nil || !strings.HasPrefix(err.Error(), "store: ") {
			t.Fatalf("%+v: %v", o, err)
		}
	}
}

// closingEngine fails a read as raft-wal does when the segment goes meanwhile.
type closingEngine struct {
	engine
	meanwhile func()
}

func (e *closingEngine) GetLog(index uint64, l *raft.Log) error {
	if fn := e.meanwhile; fn != nil {
		e.meanwhile = nil
		fn()
		return &os.PathError{Op: "read", Path: "segment", Err: os.ErrClosed}
	}
	return e.engine.GetLog(index, l)
}

// A read that a deletion overtakes is no damage: a leader compacts its log while
// it sends from there.
func TestLogReadWhileDeleted(t *testing.T) {
	for _, tt := range []struct {
		name      string
		meanwhile func(e engine) error
		want      error
	}{
		{"compacted", func(e engine) error { return e.DeleteRange(1, 5) }, raft.ErrLogNotFound},
		{"truncated", func(e engine) error { return e.DeleteRange(5, 20) }, raft.ErrLogNotFound},
		{"still there", func(engine) error { return nil }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := mustOpen(t, opts(t.TempDir(), EngineWAL))
			mustStore(t, s, batch(1, 20, 150)...)
			e := &closingEngine{engine: s.logs.eng}
			e.meanwhile = func() {
				if err := tt.meanwhile(e.engine); err != nil {
					t.Error(err)
				}
			}
			s.logs.eng = e
			if err := s.Log().GetLog(5, &raft.Log{}); err != tt.want || s.Err() != nil {
				t.Fatalf("%v, store %v", err, s.Err())
			}
		})
	}
}
