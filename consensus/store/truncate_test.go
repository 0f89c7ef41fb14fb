package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"

	"zkd/test/quick"
)

// A follower cuts a tail off its log that was never committed, and stores what
// the leader has instead. Here the one is made of entries of 150 bytes, the
// other of others.

// others are the leader's entries.
func others(from uint64, n int) (out []*raft.Log) {
	for i := range n {
		l := entry(from+uint64(i), 90)
		l.Term = 77
		out = append(out, l)
	}
	return out
}

// wantMixed checks that the log is first to last, own entries up to own and
// others behind, and that it can be appended to.
func wantMixed(t testing.TB, s *Store, first, own, last uint64) {
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
	for i := first; i <= last; i++ {
		var got raft.Log
		if err := s.Log().GetLog(i, &got); err != nil {
			t.Fatal(err)
		}
		want := entry(i, 150)
		if i > own {
			want = others(i, 1)[0]
		}
		if got.Index != i || got.Term != want.Term || string(got.Data) != string(want.Data) {
			t.Fatalf("entry %d of term %d has %d bytes, want term %d, %d bytes", i, got.Term, len(got.Data), want.Term, len(want.Data))
		}
	}
	if b := boundOf(t, s.opt.Dir); b > last {
		t.Fatalf("the bound is %d, the log ends with %d", b, last)
	}
}

// boundOf reads the bound from disk.
func boundOf(t testing.TB, dir string) uint64 {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, boundName))
	if err != nil {
		t.Fatal(err)
	}
	v, err := decodeBound(b)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// truncations are cuts of a log of 1200 entries in batches of 12. A segment
// holds some 300 of them.
var truncations = []struct {
	name         string
	first, keep  uint64 // the log begins with first; entries up to keep stay
	reopenBefore bool
}{
	{name: "within the last batch", first: 1, keep: 1195},
	{name: "one entry", first: 1, keep: 1199},
	{name: "within the last segment", first: 1, keep: 1100},
	{name: "into a sealed segment", first: 1, keep: 500},
	{name: "into the first segment", first: 1, keep: 10},
	{name: "all but the first entry", first: 1, keep: 1},
	{name: "compacted before", first: 450, keep: 700},
	{name: "compacted in the same segment", first: 1150, keep: 1160},
	{name: "right after a restart", first: 1, keep: 600, reopenBefore: true},
}

const truncatedLog = 1200

// truncatable makes the log that is to be truncated.
func truncatable(t *testing.T, o *Options, first uint64, reopen bool) *Store {
	t.Helper()
	s := mustOpen(t, *o)
	for i := uint64(1); i < truncatedLog; i += 12 {
		mustStore(t, s, batch(i, 12, 150)...)
	}
	if first > 1 {
		mustSnap(t, s, first-1, []byte("x"))
		if err := s.Log().DeleteRange(1, first-1); err != nil {
			t.Fatal(err)
		}
	}
	if reopen {
		mustClose(t, s)
		s = mustOpen(t, *o)
	}
	return s
}

// Truncation, appends and restarts follow one another.
func TestTruncate(t *testing.T) {
	quick.Skip(t)
	eachEngine(t, func(t *testing.T, engine string) {
		for _, tt := range truncations {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				o := opts(t.TempDir(), engine)
				o.NoSync, o.CacheBytes = true, CacheBytes
				s := truncatable(t, &o, tt.first, tt.reopenBefore)
				if err := s.Log().DeleteRange(tt.keep+1, truncatedLog); err != nil {
					t.Fatal(err)
				}
				wantMixed(t, s, tt.first, tt.keep, tt.keep)
				if err := s.Log().GetLog(tt.keep+1, &raft.Log{}); err != raft.ErrLogNotFound {
					t.Fatalf("entry behind the end: %v", err)
				}
				killed := o
				killed.Dir = clone(t, o.Dir)
				wantMixed(t, mustOpen(t, killed), tt.first, tt.keep, tt.keep)

				mustStore(t, s, others(tt.keep+1, 5)...)
				wantMixed(t, s, tt.first, tt.keep, tt.keep+5)
				killed.Dir = clone(t, o.Dir)
				s2 := mustOpen(t, killed)
				wantMixed(t, s2, tt.first, tt.keep, tt.keep+5)
				mustStore(t, s2, others(tt.keep+6, 3)...)
				wantMixed(t, s2, tt.first, tt.keep, tt.keep+8)

				// A clean restart, and a second truncation into the new entries.
				mustClose(t, s)
				s = mustOpen(t, o)
				if err := s.Log().DeleteRange(tt.keep+3, tt.keep+5); err != nil {
					t.Fatal(err)
				}
				mustStore(t, s, others(tt.keep+3, 700)...)
				mustClose(t, s)
				wantMixed(t, mustOpen(t, o), tt.first, tt.keep, tt.keep+702)
			})
		}
	})
}

// steps copies the directory of a store at each fault point of what it does.
type steps struct {
	t      *testing.T
	o      Options
	copies []string
	names  []string
}

func (k *steps) disk() Disk {
	return &faulty{before: func(op Op) error {
		log := strings.HasSuffix(op.Path, ".wal") || strings.HasPrefix(filepath.Base(op.Path), walMetaName)
		if log && op.Kind != OpRead && op.Kind != OpSync {
			k.take(op.Kind.String() + " " + filepath.Base(op.Path))
		}
		return nil
	}}
}

func (k *steps) take(name string) {
	if k.copies == nil {
		return // not yet
	}
	k.copies, k.names = append(k.copies, clone(k.t, k.o.Dir)), append(k.names, name)
}

// steppedEngine has fault points around the deletion steps of an engine.
type steppedEngine struct {
	engine
	steps *steps
}

func (e steppedEngine) DeleteRange(lo, hi uint64) error {
	e.steps.take("before a deletion")
	err := e.engine.DeleteRange(lo, hi)
	e.steps.take("after a deletion")
	return err
}

func (e steppedEngine) deleteStep() uint64 { return min(e.engine.deleteStep(), 100) }

// The process is killed at any fault point of a truncation and of the append
// that follows: the log is then that before, that after, or one in between that
// has lost nothing else.
func TestTruncateKilled(t *testing.T) {
	quick.Skip(t)
	eachEngine(t, func(t *testing.T, engine string) {
		for _, tt := range truncations {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				o := opts(t.TempDir(), engine)
				o.NoSync = true
				k := &steps{t: t, o: o}
				o.Disk = k.disk()
				s := truncatable(t, &o, tt.first, tt.reopenBefore)
				s.logs.eng = steppedEngine{s.logs.eng, k}
				k.copies = []string{}
				if err := s.Log().DeleteRange(tt.keep+1, truncatedLog); err != nil {
					t.Fatal(err)
				}
				truncated := len(k.copies)
				mustStore(t, s, others(tt.keep+1, 400)...)
				k.take("end")
				if truncated < 2 || len(k.copies) < truncated+1 {
					t.Fatalf("fault points: %v", k.names)
				}
				for i, dir := range k.copies {
					killed := opts(dir, engine)
					killed.NoSync = true
					s, err := Open(killed)
					if err != nil {
						t.Fatalf("killed at point %d of %v: %v", i, k.names, err)
					}
					last := s.logs.last()
					switch {
					case i < truncated: // own entries, maybe fewer
						wantMixed(t, s, tt.first, last, last)
					default: // the append is there or not
						wantMixed(t, s, tt.first, tt.keep, last)
					}
					if last < tt.keep || last > truncatedLog && i < truncated {
						t.Fatalf("killed at point %d of %v: the log ends with %d", i, k.names, last)
					}
					if i < truncated && last > tt.keep { // raft truncates again
						if err := s.Log().DeleteRange(tt.keep+1, last); err != nil {
							t.Fatal(err)
						}
					}
					if i < truncated {
						last = tt.keep
					}
					mustStore(t, s, others(last+1, 20)...)
					wantMixed(t, s, tt.first, tt.keep, last+20)
					s.Close()
					if s, err = Open(killed); err != nil {
						t.Fatalf("after point %d of %v: %v", i, k.names, err)
					}
					wantMixed(t, s, tt.first, tt.keep, last+20)
					s.Close()
					os.RemoveAll(dir)
				}
			})
		}
	})
}

// A deletion that fails is fatal, and what it leaves can be opened.
func TestTruncateFails(t *testing.T) {
	for _, point := range []string{"write", "sync", "create"} {
		t.Run(point, func(t *testing.T) {
			boom := errors.New("injected")
			armed := false
			fault := func() error {
				if armed {
					return boom
				}
				return nil
			}
			o := opts(t.TempDir(), EngineWAL)
			o.Disk = faults(opKind(point), ".wal", fault)
			s := truncatable(t, &o, 1, false)
			armed = true
			wantErr(t, s.Log().DeleteRange(1101, truncatedLog), boom)
			wantErr(t, s.Log().StoreLogs(others(1101, 1)), boom)
			s.Close()
			armed = false
			s = mustOpen(t, o)
			last := s.logs.last()
			if last != 1100 && last != truncatedLog {
				t.Fatalf("the log ends with %d", last)
			}
			wantMixed(t, s, 1, last, last)
		})
	}
}

// The append after a truncation is cut at each of its bytes, and so is the index
// block that the truncation writes: what stays is the log before.
func TestTruncateTornTail(t *testing.T) {
	quick.Skip(t)
	const own, keep = 9, 6
	make9 := func(t *testing.T, appends ...int) Options {
		o := opts(t.TempDir(), EngineWAL)
		o.NoSync = true
		s := mustOpen(t, o)
		mustStore(t, s, batch(1, own, 150)...)
		if err := s.Log().DeleteRange(keep+1, own); err != nil {
			t.Fatal(err)
		}
		next := uint64(keep + 1)
		for _, n := range appends {
			mustStore(t, s, others(next, n)...)
			next += uint64(n)
		}
		mustClose(t, s)
		return o
	}
	for name, appends := range map[string][]int{"first append": {3}, "second append": {2, 3}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := make9(t, appends...)
			path := onlyFile(t, fmt.Sprintf("%s/%020d-*.wal", o.Dir, keep+1))
			f, err := os.Open(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			fi, err := f.Stat()
			if err != nil {
				t.Fatal(err)
			}
			fm, _, err := files{}.readFormat(o.Dir)
			if err != nil {
				t.Fatal(err)
			}
			full, err := scanSegment(f, fi.Size(), keep+1, fm.salt())
			if err != nil {
				t.Fatal(err)
			}
			prev, err := scanSegment(f, full.good-1, keep+1, fm.salt())
			if err != nil {
				t.Fatal(err)
			}
			end := full.good
			for b := make([]byte, 1); b[0] == 0; end-- { // to cut zeros takes nothing away
				if _, err := f.ReadAt(b, end-1); err != nil {
					t.Fatal(err)
				}
				if b[0] != 0 {
					break
				}
			}
			for cut := prev.good; cut < end; cut++ {
				oo := o
				oo.Dir = clone(t, o.Dir)
				forgetBound(t, oo.Dir)
				zero(t, filepath.Join(oo.Dir, filepath.Base(path)), cut, full.good)
				s := mustOpen(t, oo)
				last := uint64(keep) + prev.entries
				if got := s.logs.last(); got != last {
					t.Fatalf("cut at %d: the log ends with %d, want %d", cut, got, last)
				}
				mustStore(t, s, others(last+1, 2)...)
				mustClose(t, s)
				s = mustOpen(t, oo)
				wantMixed(t, s, 1, keep, last+2)
				mustClose(t, s)
				os.RemoveAll(oo.Dir)
			}
		})
	}
	t.Run("index block", func(t *testing.T) {
		t.Parallel()
		o := make9(t)
		unrotate(t, o.Dir) // the list does not know of the truncation yet
		f, salt := firstSegment(t, o.Dir)
		defer f.Close()
		fi, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		full, err := scanSegment(f, fi.Size(), 1, salt)
		if err != nil || full.indexStart == 0 {
			t.Fatal(full, err)
		}
		for cut := int64(full.indexStart) - frameHeader; cut < full.good; cut++ {
			oo := o
			oo.Dir = clone(t, o.Dir)
			zero(t, onlyFile(t, oo.Dir+"/*.wal"), cut, full.good)
			s := mustOpen(t, oo)
			wantMixed(t, s, 1, own, own)
			if err := s.Log().DeleteRange(keep+1, own); err != nil {
				t.Fatal(err)
			}
			mustStore(t, s, others(keep+1, 2)...)
			mustClose(t, s)
			s = mustOpen(t, oo)
			wantMixed(t, s, 1, keep, keep+2)
			mustClose(t, s)
			os.RemoveAll(oo.Dir)
		}
	})
}
