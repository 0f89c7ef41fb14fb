package simulation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/hashicorp/raft"

	"zkd/consensus/store"
	"zkd/test/memdir"
)

// However far the rebuilding of a damaged store has come when the process dies: what is there then is the damaged store,
// which can be rebuilt again, or the rebuilt one, whole. It is never an empty one, also if the rebuilding is repeated before
// anybody opens the store.
func TestRebuildingDies(t *testing.T) {
	for _, engine := range []string{store.EngineWAL, store.EngineBolt} {
		t.Run(engine, func(t *testing.T) {
			damaged, rebuilt, runs := 0, 0, 0
			first := seedList()[0]
			for step := int(first) % *startStride; ; step += *startStride {
				reached := false
				for draw := range 1 + *startDraws {
					how := powerOff
					if draw == 0 {
						how = killed
					}
					runs++
					came, again := rebuildingDies(t, engine, step, first+draw, how, runs%2 == 0)
					reached = reached || came
					if again {
						damaged++
					} else {
						rebuilt++
					}
				}
				if !reached || t.Failed() {
					break
				}
			}
			t.Logf("%d times the damaged store was there, %d times the rebuilt one", damaged, rebuilt)
			if damaged < 10 || rebuilt < 10 {
				t.Error("that is too little of one of them")
			}
		})
	}
}

func rebuildingDies(t *testing.T, engine string, step int, seed uint64, how death, repeated bool) (reached, again bool) {
	base := memdir.New(t)
	defer os.RemoveAll(base)
	d, err := newDisk(base, rand.New(rand.NewPCG(seed, 21)))
	if err != nil {
		t.Fatal(err)
	}
	d.setSlow(0, 0)
	about := fmt.Sprintf("%s, %v at step %d, once more: -run TestRebuildingDies/%s -sim.seed %d -start.stride 1;", engine, how, step, engine, seed)
	damageIn(t, d, engine)
	d.at("", step, func() {
		reached = true
		if err := d.die(how); err != nil {
			t.Error(err)
		}
	})
	o := wreckOptions(d, engine)
	if err := rebuild(o); err != nil && !reached {
		t.Fatalf("%s: %v", about, err)
	}
	d.heal()
	if repeated {
		switch err := rebuild(wreckOptions(d, engine)); {
		case err == nil:
			again = true
		case !errors.Is(err, store.ErrUnfinished) && !errors.Is(err, errWhole):
			t.Errorf("%s: repeated: %v", about, err)
			return reached, again
		}
	}
	s, err := store.Open(wreckOptions(d, engine))
	if errors.Is(err, store.ErrCorrupt) {
		again = true
		if err := rebuild(wreckOptions(d, engine)); err != nil {
			t.Errorf("%s: again: %v", about, err)
			return reached, again
		}
		s, err = store.Open(wreckOptions(d, engine))
	}
	if err != nil {
		t.Errorf("%s: %v", about, err)
		return reached, again
	}
	defer s.Close()
	last, err := s.Log().LastIndex()
	if err != nil || last != 19 {
		t.Errorf("%s: the log ends with %d, %v", about, last, err)
	}
	if list, err := s.Snapshots().List(); err != nil || len(list) != 1 || list[0].Index != 10 {
		t.Errorf("%s: snapshots %v, %v", about, list, err)
	}
	if term, err := s.Stable().GetUint64([]byte("CurrentTerm")); err != nil || term != 7 {
		t.Errorf("%s: term %d, %v", about, term, err)
	}
	return reached, again
}

func wreckOptions(d *disk, engine string) store.Options {
	return store.Options{
		Dir: filepath.Join(d.dir(), "data", "raft"), LogDir: filepath.Join(d.dir(), "log", "raft"), Engine: engine, RetainSnapshots: 2, Disk: d.now(),
	}
}

// errWhole is about a store that needs no rebuilding.
var errWhole = errors.New("nothing is damaged")

func rebuild(o store.Options) error {
	w, err := store.OpenWreck(o, false)
	if err != nil {
		return err
	}
	if w.Startable {
		return errors.Join(errWhole, w.Close())
	}
	s, err := w.Rebuild()
	if err == nil {
		_, err = w.Replace(s)
	}
	return errors.Join(err, w.Close())
}

// damageIn makes a store of 30 entries with a snapshot of the tenth, and damages the twentieth.
func damageIn(t *testing.T, d *disk, engine string) {
	t.Helper()
	s, err := store.Open(wreckOptions(d, engine))
	if err != nil {
		t.Fatal(err)
	}
	for i := range uint64(30) {
		err := s.Log().StoreLog(&raft.Log{Index: i + 1, Term: 2, Data: fmt.Appendf(nil, "entry %d", i+1)})
		if err == nil && i == 9 {
			var k raft.SnapshotSink
			if k, err = s.Snapshots().Create(1, 10, 2, raft.Configuration{}, 1, nil); err == nil {
				_, err = io.WriteString(k, "state")
				err = errors.Join(err, k.Close())
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(s.Stable().SetUint64([]byte("CurrentTerm"), 7), s.Close()); err != nil {
		t.Fatal(err)
	}
	logs, err := filepath.Glob(filepath.Join(d.dir(), "log", "raft", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range logs {
		b, err := os.ReadFile(path)
		if err == nil && bytes.Contains(b, []byte("entry 20")) {
			err = os.WriteFile(path, bytes.ReplaceAll(b, []byte("entry 20"), []byte("Entry 20")), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
