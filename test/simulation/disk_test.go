package simulation

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"

	"zkd/consensus/store"
	"zkd/test/memdir"
	"zkd/test/quick"
)

var diskSeeds = flag.Int("disk.seeds", 30, "how many seeds TestStoreSurvives runs")

// A store on a disk whose power fails, or whose process is killed, at every named point and between them: what it has
// acknowledged is there in the next life, whole, and nothing that it never had.
func TestStoreSurvives(t *testing.T) {
	quick.Skip(t)
	for _, engine := range []string{store.EngineWAL, store.EngineBolt} {
		t.Run(engine, func(t *testing.T) {
			sprung := map[string]int{}
			n, enough := *diskSeeds, 30
			if engine == store.EngineBolt {
				n, enough = (n+4)/5, 6 // its file is compared at each commit
			}
			for seed := range uint64(n) {
				survive(t, engine, seed, sprung)
			}
			for _, point := range pointsOf(engine) {
				if sprung[point] == 0 && !notOfAStore[point] && n >= enough {
					t.Errorf("no process was caught %s", point)
				}
			}
		})
	}
}

// notOfAStore are points of the files beside it.
var notOfAStore = map[string]bool{"during write identity": true, "before rename identity": true, "after rename identity": true}

// storeLedger is what a store must have.
type storeLedger struct {
	t      *testing.T
	rand   *rand.Rand
	about  string
	s      *store.Store
	data   map[uint64][]byte
	acked  uint64 // entries up to here are durable,
	maybe  uint64 // and up to here may be there
	first  uint64
	term   uint64
	asked  uint64 // a term that was to be set
	snap   uint64
	called uint64 // a snapshot that was to be taken
}

func survive(t *testing.T, engine string, seed uint64, sprung map[string]int) {
	base := memdir.New(t)
	defer os.RemoveAll(base)
	r := rand.New(rand.NewPCG(seed, 7))
	d, err := newDisk(base, r)
	if err != nil {
		t.Fatal(err)
	}
	l := &storeLedger{t: t, rand: rand.New(rand.NewPCG(seed, 8)), data: map[uint64][]byte{}, first: 1}
	points := pointsOf(engine)
	for life := range 12 {
		d.setSlow(0, 0)
		point, how, skip := points[(int(seed)*12+life)%len(points)], death(l.rand.IntN(2)), l.rand.IntN(6)
		l.about = fmt.Sprintf("seed %d, life %d, the next ends by %v %s", seed, life, how, point)
		dead := false
		d.at(point, skip, func() {
			sprung[point]++
			dead = true
			if err := d.die(how); err != nil {
				t.Fatal(err)
			}
		})
		l.live(d, engine, &dead)
		if !dead {
			if err := d.die(how); err != nil {
				t.Fatal(err)
			}
		}
		_ = l.s.Close() // what goes on of the dead process
		d.heal()
	}
	l.open(d, engine, new(bool))
	if err := l.s.Close(); err != nil {
		t.Fatal(err)
	}
}

func (l *storeLedger) fatal(err error) {
	l.t.Helper()
	l.t.Fatalf("%s: %v", l.about, err)
}

// live opens the store and works until it is dead.
func (l *storeLedger) live(d *disk, engine string, dead *bool) {
	l.open(d, engine, dead)
	for range 60 {
		if *dead {
			return
		}
		switch x := l.rand.IntN(20); {
		case x < 13:
			l.append(dead)
		case x < 15:
			l.vote(dead)
		case x < 17:
			l.snapshot(dead)
		case x < 18:
			l.truncate(dead)
		case x < 19:
			l.compact(dead)
		default:
			if err := l.s.Close(); err != nil && !*dead {
				l.fatal(err)
			}
			l.open(d, engine, dead)
		}
	}
}

func (l *storeLedger) open(d *disk, engine string, dead *bool) {
	s, err := store.Open(store.Options{
		Dir: filepath.Join(d.dir(), "data", "raft"), Engine: engine, RetainSnapshots: 2, Disk: d.now(),
	})
	if err != nil {
		l.fatal(err)
	}
	l.s = s
	if *dead {
		return
	}
	l.check()
}

// check compares the store with what it must have.
func (l *storeLedger) check() {
	last, err := l.s.Log().LastIndex()
	if err != nil {
		l.fatal(err)
	}
	if last < l.acked || last > l.maybe {
		l.fatal(fmt.Errorf("the log ends with %d: acknowledged were %d entries of %d", last, l.acked, l.maybe))
	}
	first, err := l.s.Log().FirstIndex()
	if err != nil {
		l.fatal(err)
	}
	for i := max(first, 1); i <= last; i++ {
		var got raft.Log
		if err := l.s.Log().GetLog(i, &got); err != nil {
			l.fatal(err)
		}
		if want := l.data[i]; !bytes.Equal(got.Data, want) {
			l.fatal(fmt.Errorf("entry %d has %d bytes that are not those %d which were stored", i, len(got.Data), len(want)))
		}
	}
	l.acked, l.maybe, l.first = last, last, first
	term, err := l.s.Stable().GetUint64([]byte("CurrentTerm"))
	if err != nil || term != l.term && term != l.asked {
		l.fatal(fmt.Errorf("term %d (%v), set were %d and maybe %d", term, err, l.term, l.asked))
	}
	l.term, l.asked = term, term
	list, err := l.s.Snapshots().List()
	if err != nil {
		l.fatal(err)
	}
	var newest uint64
	if len(list) > 0 {
		newest = list[0].Index
	}
	if newest != l.snap && newest != l.called {
		l.fatal(fmt.Errorf("the newest snapshot is of %d, not of %d or %d", newest, l.snap, l.called))
	}
	l.snap, l.called = newest, newest
	if newest > 0 {
		_, rc, err := l.s.Snapshots().Open(list[0].ID)
		if err != nil {
			l.fatal(err)
		}
		var b bytes.Buffer
		if _, err := b.ReadFrom(rc); err != nil || !bytes.Equal(b.Bytes(), snapshotOf(newest)) {
			l.fatal(fmt.Errorf("snapshot of %d has %d bytes: %v", newest, b.Len(), err))
		}
		rc.Close()
	}
}

func snapshotOf(index uint64) []byte {
	return bytes.Repeat(fmt.Appendf(nil, "state of %d ", index), 3000+int(index%7)*9000)
}

func (l *storeLedger) append(dead *bool) {
	var logs []*raft.Log
	for range 1 + l.rand.IntN(4) {
		i := l.maybe + 1
		l.maybe = i
		size := l.rand.IntN(3000)
		if l.rand.IntN(30) == 0 {
			size = l.rand.IntN(90_000)
		}
		data := make([]byte, size)
		for k := range data {
			data[k] = byte(l.rand.IntN(4)) // some zeros
		}
		l.data[i] = data
		logs = append(logs, &raft.Log{Index: i, Term: 1, Type: raft.LogCommand, Data: data})
	}
	err := l.s.Log().StoreLogs(logs)
	switch {
	case *dead || l.s.Err() != nil:
	case err != nil:
		l.fatal(err)
	default:
		l.acked = l.maybe
	}
}

func (l *storeLedger) vote(dead *bool) {
	l.asked = l.term + 1
	err := l.s.Stable().SetUint64([]byte("CurrentTerm"), l.asked)
	switch {
	case *dead || l.s.Err() != nil:
	case err != nil:
		l.fatal(err)
	default:
		l.term = l.asked
	}
}

func (l *storeLedger) snapshot(dead *bool) {
	if l.acked == 0 || l.acked == l.snap {
		return
	}
	l.called = l.acked
	k, err := l.s.Snapshots().Create(1, l.called, 1, raft.Configuration{}, 1, nil)
	if err == nil {
		_, err = k.Write(snapshotOf(l.called))
	}
	if err == nil {
		err = k.Close()
	}
	switch {
	case *dead || l.s.Err() != nil:
	case err != nil:
		l.fatal(err)
	default:
		l.snap = l.called
	}
}

// truncate replaces the end of the log.
func (l *storeLedger) truncate(dead *bool) {
	if l.acked < l.first+1 || l.acked <= l.snap+1 {
		return
	}
	from := max(l.snap+1, l.acked-min(l.acked, uint64(l.rand.IntN(10))), l.first+1)
	was := l.acked
	l.acked = from - 1
	err := l.s.Log().DeleteRange(from, was)
	switch {
	case *dead || l.s.Err() != nil:
	case err != nil:
		l.fatal(err)
	default:
		l.maybe = l.acked
	}
}

// compact drops the beginning of the log, which a snapshot has.
func (l *storeLedger) compact(dead *bool) {
	if l.snap < l.first+5 {
		return
	}
	upTo := l.snap - 3
	err := l.s.Log().DeleteRange(l.first, upTo)
	switch {
	case *dead || l.s.Err() != nil:
	case err != nil:
		l.fatal(err)
	default:
		l.first = upTo + 1
	}
}

// entryBehind continues the log.
func entryBehind(l *storeLedger) *raft.Log {
	return &raft.Log{Index: l.maybe + 1, Term: 1, Type: raft.LogCommand}
}
