package consensus

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// Two servers that have lost their disks are to join what the third one has. When it has lost its disk, too, nobody has
// anything any more, and they form an ensemble: who has nothing of a cluster does not stand up for it.
func TestClusterOfWhichNothingIsLeft(t *testing.T) {
	e := newTrio(t, 3)
	for _, m := range e.members {
		e.launch(m.ID, e.members)
	}
	e.ready(1, 2, 3)
	wipe := func(id uint64) {
		e.stop(id)
		dir := filepath.Join(e.dir, strconv.FormatUint(id, 10))
		if err := errors.Join(os.RemoveAll(dir), os.RemoveAll(dir+".id")); err != nil {
			t.Fatal(err)
		}
	}
	e.stop(1)
	wipe(2)
	wipe(1)
	e.launch(1, e.members)
	e.launch(2, e.members)
	until(t, "two that wait to be taken in", func() bool { return e.nodes[1].newcomer.Load() && e.nodes[2].newcomer.Load() })
	e.stop(3)
	wipe(3)
	e.errs.Delete(uint64(3))
	e.launch(3, e.members)
	again := func(id uint64) bool {
		err, ended := e.errs.Load(id)
		if !ended {
			return false
		}
		if !errors.Is(err.(error), ErrRejoin) {
			t.Fatalf("server %d: %v", id, err)
		}
		e.errs.Delete(id)
		n := e.nodes[id]
		delete(e.nodes, id)
		_ = n.Close() // says once more why
		e.launch(id, e.members)
		return true
	}
	until(t, "new begin of server 1", func() bool { return again(1) })
	until(t, "new begin of server 2", func() bool { return again(2) })
	e.ready(1, 2, 3)
}
