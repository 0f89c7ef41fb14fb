package store

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"

	"zkd/test/quick"
)

// walWithBatches writes batches of the given sizes, and returns the directory
// and the file's length (without the zeros behind) after each.
func walWithBatches(t *testing.T, o Options, counts ...int) (ends []int64) {
	t.Helper()
	s := mustOpen(t, o)
	next := uint64(1)
	for _, n := range counts {
		mustStore(t, s, batch(next, n, 150)...)
		next += uint64(n)
		ends = append(ends, s.logs.eng.(*walLog).tailEnd(t))
	}
	mustClose(t, s)
	return ends
}

// tailEnd is where the newest segment's data ends.
func (w *walLog) tailEnd(t *testing.T) int64 {
	f, err := os.Open(w.file(^uint64(0) >> 1))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	rest, err := readRest(f, 0, fi.Size())
	if err != nil {
		t.Fatal(err)
	}
	return int64(len(rest))
}

// lastNonZero returns the end of what is to be cut without the zero bytes that
// a checksum may end in: to cut those off takes nothing away.
func lastNonZero(t *testing.T, dir string, sealed bool, end int64) int64 {
	t.Helper()
	if sealed {
		unrotate(t, dir)
	}
	b, err := os.ReadFile(onlyFile(t, dir+"/*.wal"))
	if err != nil {
		t.Fatal(err)
	}
	for b[end-1] == 0 {
		end--
	}
	return end
}

func zero(t *testing.T, path string, from, to int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, to-from), from); err != nil {
		t.Fatal(err)
	}
}

func reopened(t *testing.T, o Options, last uint64) {
	t.Helper()
	s := mustOpen(t, o)
	first := uint64(1)
	if last == 0 {
		first = 0
	}
	wantLog(t, s, first, last, 150)
	mustStore(t, s, batch(last+1, 2, 150)...)
	mustClose(t, s)
	s = mustOpen(t, o)
	wantLog(t, s, 1, last+2, 150)
	mustClose(t, s)
}

// The last append is cut at each of its bytes: it is dropped, everything before
// it stays, and appending goes on. Once zeros follow, once the file is short.
func TestTornTailEveryByte(t *testing.T) {
	quick.Skip(t)
	for name, counts := range map[string][]int{
		"only batch": {3}, "later batch": {2, 1, 3}, "sealing batch": {20, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := opts(t.TempDir(), EngineWAL)
			o.NoSync = true
			o.hooks.segmentSize = 8 * kib
			if name == "sealing batch" {
				o.hooks.segmentSize = 4400
			}
			ends := walWithBatches(t, o, counts...)
			n := len(counts)
			start, end := int64(0), ends[n-1]
			keep := uint64(0)
			for _, c := range counts[:n-1] {
				keep += uint64(c)
			}
			if n > 1 {
				start = ends[n-2]
			}
			if name == "sealing batch" {
				// The rotation may or may not have come through: the segment
				// of interest is the first either way.
				start, end = sealingBatch(t, o)
			}
			end = lastNonZero(t, clone(t, o.Dir), name == "sealing batch", end)
			for cut := start; cut < end; cut++ {
				for _, short := range []bool{false, true} {
					oo := o
					oo.Dir = clone(t, o.Dir)
					forgetBound(t, oo.Dir)
					if name == "sealing batch" {
						unrotate(t, oo.Dir)
					}
					path := onlyFile(t, oo.Dir+"/*.wal")
					if short {
						if err := os.Truncate(path, cut); err != nil {
							t.Fatal(err)
						}
					} else {
						zero(t, path, cut, end)
					}
					reopened(t, oo, keep)
					os.RemoveAll(oo.Dir)
				}
			}
		})
	}
}

// A power failure may leave out any sectors of the last append.
func TestTornTailMissingSectors(t *testing.T) {
	o := opts(t.TempDir(), EngineWAL)
	o.NoSync = true
	ends := walWithBatches(t, o, 2, 1, 20)
	for from := ends[1]; from < ends[2]; from = (from/sector + 1) * sector {
		oo := o
		oo.Dir = clone(t, o.Dir)
		forgetBound(t, oo.Dir)
		zero(t, onlyFile(t, oo.Dir+"/*.wal"), from, min(ends[2], (from/sector+1)*sector))
		reopened(t, oo, 3)
	}
}

// One flipped bit anywhere in the written part of the log stops the start, with
// file and offset, with and without the second alarm.
func TestRotEveryByte(t *testing.T) {
	quick.Skip(t)
	t.Parallel()
	o := opts(t.TempDir(), EngineWAL)
	o.hooks.segmentSize = 8 * kib
	o.NoSync = true
	ends := walWithBatches(t, o, 2, 1, 3)
	for at := int64(0); at < ends[2]; at++ {
		oo := o
		oo.Dir = clone(t, o.Dir)
		forgetBound(t, oo.Dir)
		path := onlyFile(t, oo.Dir+"/*.wal")
		flip(t, path, at)
		s, err := Open(oo)
		if err == nil {
			s.Close()
			t.Fatalf("byte %d flipped, and the log opened", at)
		}
		wantErr(t, err, ErrCorrupt, path, "offset")
		if _, err := Open(oo); err == nil {
			t.Fatal("the second start is not refused")
		}
		os.RemoveAll(oo.Dir)
	}
}

// Zeroed blocks: with a later batch behind them the audit notices; at the end,
// where they look like an append that never was, the bound does.
func TestRotZeroedBlocks(t *testing.T) {
	quick.Skip(t)
	o := opts(t.TempDir(), EngineWAL)
	counts := make([]int, 40)
	for i := range counts {
		counts[i] = 2
	}
	ends := walWithBatches(t, o, counts...)
	last := ends[len(ends)-1]
	for from := int64(0); from < ends[len(ends)-3]; from += sector {
		oo := o
		oo.Dir = clone(t, o.Dir)
		forgetBound(t, oo.Dir)
		zero(t, onlyFile(t, oo.Dir+"/*.wal"), from, from+sector)
		_, err := Open(oo)
		wantErr(t, err, ErrCorrupt, ".wal", "offset")
	}
	zero(t, onlyFile(t, o.Dir+"/*.wal"), ends[10], last)
	_, err := Open(o)
	wantErr(t, err, ErrCorrupt, "80 was durable once", boundName)
}

// A sealed segment has no torn tail to allow for.
func TestRotSealedSegment(t *testing.T) {
	quick.Skip(t)
	o := opts(t.TempDir(), EngineWAL)
	o.NoSync = true
	o.hooks.segmentSize = 8 * kib
	s := mustOpen(t, o)
	for i := uint64(1); i <= 200; i += 2 {
		mustStore(t, s, batch(i, 2, 150)...)
	}
	mustClose(t, s)
	sealed, err := filepath.Glob(o.Dir + "/*.wal")
	if err != nil || len(sealed) < 3 {
		t.Fatalf("segments %v", sealed)
	}
	for at := int64(3); at < 8*kib; at += 97 {
		oo := o
		oo.Dir = clone(t, o.Dir)
		path := filepath.Join(oo.Dir, filepath.Base(sealed[1]))
		flip(t, path, at)
		_, err := Open(oo)
		wantErr(t, err, ErrCorrupt, path)
	}
	o.Dir = clone(t, o.Dir)
	if err := os.Remove(filepath.Join(o.Dir, filepath.Base(sealed[1]))); err != nil {
		t.Fatal(err)
	}
	_, err = Open(o)
	wantErr(t, err, ErrCorrupt, filepath.Base(sealed[1]))
}

// Rot that comes after the start is noticed by the read, and is fatal.
func TestRotWhileRunning(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		fatal := make(chan error, 1)
		o := opts(t.TempDir(), engine)
		o.OnFatal = func(err error) { fatal <- err }
		s := mustOpen(t, o)
		mustStore(t, s, batch(1, 3, 150)...)
		path := s.logs.eng.file(2)
		want := entry(2, 150).Data
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for i := 0; i+len(want) <= len(raw); i++ {
			if string(raw[i:i+len(want)]) == string(want) {
				flip(t, path, int64(i)+77)
				found = true
			}
		}
		if !found {
			t.Fatal("entry 2 is not in " + path)
		}
		err = s.Log().GetLog(2, &raft.Log{})
		wantErr(t, err, ErrCorrupt, path, "entry 2")
		wantErr(t, <-fatal, ErrCorrupt)
		s.Close()
		_, err = Open(o)
		wantErr(t, err, ErrCorrupt, path)
	})
}

// Any damage to a bbolt file is an error or without effect, never a panic or a
// changed vote.
func TestRotBoltFiles(t *testing.T) {
	quick.Skip(t)
	for _, c := range []struct{ engine, name string }{
		{EngineWAL, stableName}, {EngineWAL, walMetaName}, {EngineBolt, boltLogName},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			o := opts(t.TempDir(), c.engine)
			s := mustOpen(t, o)
			mustStore(t, s, batch(1, 10, 150)...)
			castVote(t, s, 7, "candidate-7")
			mustClose(t, s)
			fi, err := os.Stat(filepath.Join(o.Dir, c.name))
			if err != nil {
				t.Fatal(err)
			}
			refused := 0
			for at := int64(0); at < fi.Size(); at += 61 {
				oo := o
				oo.Dir = clone(t, o.Dir)
				flip(t, filepath.Join(oo.Dir, c.name), at)
				s, err := Open(oo)
				if err != nil {
					refused++
					os.RemoveAll(oo.Dir)
					continue
				}
				wantLog(t, s, 1, 10, 150)
				wantVote(t, s, 7, 7, "candidate-7")
				s.Close()
			}
			if refused == 0 {
				t.Fatal("no flip was ever noticed")
			}
			for _, size := range []int64{0, 1, 100, 4096, 8192, 12288, fi.Size() / 2, fi.Size() - 1} {
				oo := o
				oo.Dir = clone(t, o.Dir)
				if err := os.Truncate(filepath.Join(oo.Dir, c.name), size); err != nil {
					t.Fatal(err)
				}
				if s, err := Open(oo); err == nil {
					wantLog(t, s, 1, 10, 150)
					wantVote(t, s, 7, 7, "candidate-7")
					s.Close()
				}
			}
		})
	}
}

// With one of its meta pages damaged bbolt falls back on the other, and the
// last vote or append is undone: both must be whole.
func TestRotBoltMetaPage(t *testing.T) {
	quick.Skip(t)
	for engine, name := range map[string]string{EngineWAL: stableName, EngineBolt: boltLogName} {
		o := opts(t.TempDir(), engine)
		s := mustOpen(t, o)
		mustStore(t, s, entry(1, 150))
		castVote(t, s, 7, "candidate-7")
		mustClose(t, s)
		path := filepath.Join(o.Dir, name)
		for _, page := range []int64{0, int64(os.Getpagesize())} {
			for at := page + boltPageHeader; at < page+boltPageHeader+64; at++ {
				flip(t, path, at)
				_, err := Open(o)
				wantErr(t, err, ErrCorrupt, path)
				flip(t, path, at)
			}
		}
		mustClose(t, mustOpen(t, o))
	}
}

// sealingBatch finds the limits of the last batch in the first segment.
func sealingBatch(t *testing.T, o Options) (start, end int64) {
	t.Helper()
	f, salt := firstSegment(t, o.Dir)
	defer f.Close()
	fi, _ := f.Stat()
	full, err := scanSegment(f, fi.Size(), 1, salt)
	if err != nil || full.indexStart == 0 {
		t.Fatalf("not sealed: %v %v", full, err)
	}
	// The walk over all but the last byte ends at the batch before.
	prev, err := scanSegment(f, full.good-1, 1, salt)
	if err != nil {
		t.Fatal(err)
	}
	return prev.good, full.good
}
