package store

import (
	"bytes"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/hashicorp/raft"
)

func cachedOpts(dir, engine string) Options {
	o := opts(dir, engine)
	o.CacheBytes = CacheBytes
	o.NoSync = true
	return o
}

// wantReads checks how many entries were read from disk so far.
func wantReads(t testing.TB, s *Store, want uint64) {
	t.Helper()
	if got := s.Stats().Reads; got != want {
		t.Fatalf("%d entries were read from disk, want %d", got, want)
	}
}

// held is what the cache has, from its slots alone.
func (c *logCache) held() (indexes map[uint64]bool, size int64) {
	indexes = map[uint64]bool{}
	for i := range c.slots {
		if l := &c.slots[i]; l.Index != 0 {
			indexes[l.Index] = true
			size += cost(l)
		}
	}
	return indexes, size
}

func TestCacheServesWhatWasStored(t *testing.T) {
	eachEngine(t, func(t *testing.T, engine string) {
		o := cachedOpts(t.TempDir(), engine)
		s := mustOpen(t, o)
		mustStore(t, s, batch(1, 50, 100)...)
		wantLog(t, s, 1, 50, 100)
		wantReads(t, s, 0)

		// The front goes, the rest stays cached.
		if err := s.Log().DeleteRange(1, 20); err != nil {
			t.Fatal(err)
		}
		wantLog(t, s, 21, 50, 100)
		wantReads(t, s, 0)
		if hit, _ := s.logs.cache.get(20, &raft.Log{}); hit {
			t.Fatal("a deleted entry is cached")
		}

		// Entries cut off the end are gone, and others take their place.
		if err := s.Log().DeleteRange(41, 50); err != nil {
			t.Fatal(err)
		}
		if err := s.Log().GetLog(41, &raft.Log{}); err != raft.ErrLogNotFound {
			t.Fatalf("a truncated entry: %v", err)
		}
		reads := s.Stats().Reads
		other := entry(41, 7)
		other.Term = 9
		mustStore(t, s, other)
		var got raft.Log
		if err := s.Log().GetLog(41, &got); err != nil || got.Term != 9 || len(got.Data) != 7 {
			t.Fatalf("entry 41 is %+v, %v", got, err)
		}
		if err := s.Log().GetLog(50, &got); err != raft.ErrLogNotFound {
			t.Fatalf("a truncated entry behind the new ones: %v", err)
		}
		wantReads(t, s, reads+1)

		// After a restart the disk has it.
		mustClose(t, s)
		mustSnapDir(t, o, 20)
		s = mustOpen(t, o)
		if err := s.Log().GetLog(40, &got); err != nil {
			t.Fatal(err)
		}
		wantReads(t, s, 1)
		if err := s.Log().DeleteRange(21, 41); err != nil {
			t.Fatal(err)
		}
		mustStore(t, s, batch(7000, 3, 100)...) // as after a snapshot was installed
		wantLog(t, s, 7000, 7002, 100)
		wantReads(t, s, 1)
	})
}

// mustSnapDir puts a snapshot into a closed store, so that its log may begin
// behind index.
func mustSnapDir(t testing.TB, o Options, index uint64) {
	t.Helper()
	meta := snapMeta{Version: 1, Index: index, Term: 1, CreatedMs: nowMs()}
	st := &snapshotStore{
		mu: newMutex(), opt: &o, fail: newFailure(), count: &counters{}, log: o.Logger,
		dir: o.Dir + "/" + snapDir, tmpDir: o.Dir + "/" + snapDir + "/" + snapTmp,
	}
	k, err := newSink(st, fmt.Sprintf(snapName, index, meta.Term, meta.CreatedMs), meta)
	if err != nil {
		t.Fatal(err)
	}
	if err := k.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestCacheOffByDefault(t *testing.T) {
	s := mustOpen(t, opts(t.TempDir(), EngineWAL))
	mustStore(t, s, batch(1, 5, 100)...)
	wantLog(t, s, 1, 5, 100)
	wantReads(t, s, 5)
	if s.logs.cache != nil {
		t.Fatal("a cache nobody asked for")
	}
}

// An append that failed, or may have, is not served.
func TestCacheOnlyHasWhatIsDurable(t *testing.T) {
	o := cachedOpts(t.TempDir(), EngineWAL)
	o.NoSync = false
	var c *logCache
	seen := false
	o.Disk = faults(OpSync, ".wal", func() error {
		if c == nil {
			return nil
		}
		seen = true
		if hit, _ := c.get(3, &raft.Log{}); hit {
			t.Error("an entry is served before it is synced")
		}
		return errors.New("injected")
	})
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 2, 100)...)
	c = s.logs.cache
	if err := s.Log().StoreLog(entry(3, 100)); err == nil || !seen {
		t.Fatal("the append should fail")
	}
	if hit, _ := c.get(3, &raft.Log{}); hit {
		t.Fatal("an entry that failed to be stored is cached")
	}
}

func TestCacheBounds(t *testing.T) {
	seal := func(l *raft.Log) *raft.Log { l.Extensions = make([]byte, sealSize); return l }
	for name, tt := range map[string]struct {
		sizes func(i uint64) int
		n     uint64
		low   uint64 // oldest entry held; all up to n are, but for skip
		skip  uint64
	}{
		"by number": {sizes: func(uint64) int { return 10 }, n: 3 * cacheEntries, low: 2*cacheEntries + 1},
		"by bytes":  {sizes: func(uint64) int { return 100*kib - sealSize }, n: 40, low: 31},
		"too large": {n: 5, low: 1, skip: 3, sizes: func(i uint64) int {
			if i == 3 {
				return 600 * kib
			}
			return 10
		}},
		"just fits": {n: 5, low: 3, sizes: func(i uint64) int {
			if i == 3 {
				return 512*kib - sealSize
			}
			return 200 * kib
		}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newLogCache(mib)
			for i := uint64(1); i <= tt.n; i++ {
				c.put([]*raft.Log{seal(entry(i, tt.sizes(i)))})
				if c.bytes > c.limit {
					t.Fatalf("%d bytes are held", c.bytes)
				}
			}
			has, size := c.held()
			if size != c.bytes {
				t.Errorf("counts %d bytes, holds %d", c.bytes, size)
			}
			for i := uint64(1); i <= tt.n; i++ {
				if want := i >= tt.low && i != tt.skip; has[i] != want {
					t.Errorf("entry %d held: %t, want %t", i, has[i], want)
				}
			}
			c.drop(1, tt.n)
			if has, size := c.held(); len(has) != 0 || size != 0 || c.bytes != 0 {
				t.Errorf("after dropping all: %v, %d bytes, counts %d", has, size, c.bytes)
			}
		})
	}
}

// A small entry in a large buffer does not pin it.
func TestCacheCopiesOutOfLargeBuffers(t *testing.T) {
	c := newLogCache(CacheBytes)
	l := entry(1, 100)
	l.Data = append(make([]byte, 0, mib), l.Data...)
	c.put([]*raft.Log{l})
	if c.bytes > cacheSlack {
		t.Fatalf("100 bytes take %d", c.bytes)
	}
}

// What changes in memory after it was stored is noticed and not handed out.
func TestCacheNoticesChangedMemory(t *testing.T) {
	fatal := make(chan error, 1)
	o := cachedOpts(t.TempDir(), EngineWAL)
	o.OnFatal = func(err error) { fatal <- err }
	s := mustOpen(t, o)
	l := entry(1, 100)
	mustStore(t, s, l)
	l.Data[5] ^= 1
	wantErr(t, s.Log().GetLog(1, &raft.Log{}), ErrCorrupt, "entry 1 has changed in memory")
	wantErr(t, <-fatal, ErrCorrupt)
}

// Readers run beside appends, truncations and compactions; for the race detector,
// and because raft-wal closes files under them.
func TestCacheConcurrentReaders(t *testing.T) {
	o := cachedOpts(t.TempDir(), EngineWAL)
	o.CacheBytes = 8 * kib
	s := mustOpen(t, o)
	mustStore(t, s, batch(1, 10, 300)...)
	done := make(chan struct{})
	var readers sync.WaitGroup
	defer readers.Wait()
	defer close(done)
	for range 2 {
		readers.Go(func() {
			for i := uint64(1); ; i++ {
				select {
				case <-done:
					return
				default:
				}
				var got raft.Log
				err := s.Log().GetLog(i%400, &got)
				if err == nil && !bytes.Equal(got.Data, entry(i%400, 300).Data) {
					t.Errorf("entry %d has the data of another", i%400)
					return
				}
				if err != nil && err != raft.ErrLogNotFound {
					t.Error(err)
					return
				}
			}
		})
	}
	for last := uint64(10); last < 400; {
		mustStore(t, s, batch(last+1, 7, 300)...)
		if err := s.Log().DeleteRange(last+4, last+7); err != nil {
			t.Fatal(err)
		}
		last += 3
		if last%100 < 3 {
			if err := s.Log().DeleteRange(1, last-20); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func BenchmarkGetLog(b *testing.B) {
	for _, cached := range []bool{true, false} {
		for _, size := range []int{100, 4 * kib, 256 * kib} {
			b.Run(fmt.Sprintf("cached=%t/size=%d", cached, size), func(b *testing.B) {
				o := Options{Dir: b.TempDir(), Engine: EngineWAL, RetainSnapshots: 1, NoSync: true}
				if cached {
					o.CacheBytes = CacheBytes
				}
				s := mustOpen(b, o)
				mustStore(b, s, batch(1, 64, size)...)
				b.SetBytes(int64(size))
				b.ReportAllocs()
				var l raft.Log
				i := uint64(0)
				for b.Loop() {
					if err := s.Log().GetLog(1+i%64, &l); err != nil {
						b.Fatal(err)
					}
					i++
				}
			})
		}
	}
}
