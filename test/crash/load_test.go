package crash

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zkd/test/wire"
)

// worker is a session that writes in a deep pipeline and knows what each
// acknowledgement promised. Its writes go round four kinds:
//
//	setData of a counter, each with the version that the one before makes
//	a sequential create, whose data is the number of the request
//	a create, and the delete of what it made
type worker struct {
	*client
	root string

	// What is promised.
	version int32            // of the counter, acknowledged
	sent    int32            // version that the last setData sent would make
	number  uint32           // of the last sequential create sent
	names   map[string]int32 // acknowledged sequential creates: path, number
	made    uint32           // number of the last create to be deleted
	deleted []uint32         // acknowledged deletes, not yet verified
}

func newWorker(t *testing.T, p *process, i int) *worker {
	t.Helper()
	w := &worker{client: connect(t, p, 60*time.Second), root: fmt.Sprintf("/w%d", i), names: map[string]int32{}}
	w.create(w.root, nil, 0)
	w.create(w.root+"/counter", nil, 0)
	w.create(w.root+"/seq", nil, 0)
	w.create(w.root+"/del", nil, 0)
	w.create(w.root+"/eph", nil, 1)
	return w
}

// window is how many requests a worker has in flight.
const window = 60

// request is one in flight.
type request struct {
	op     wire.Op
	kind   int // 0 counter, 1 sequential, 2 create, 3 delete
	number uint32
}

// nextRequest moves on what was sent.
func (w *worker) nextRequest(kind int) (request, wire.Body) {
	switch kind {
	case 0:
		w.sent++
		return request{wire.OpSetData, 0, uint32(w.sent)},
			wire.SetData{Path: w.root + "/counter", Data: binary.BigEndian.AppendUint32(nil, uint32(w.sent)), Version: w.sent - 1}
	case 1:
		w.number++
		return request{wire.OpCreate, 1, w.number},
			wire.Create{Path: w.root + "/seq/s", Data: binary.BigEndian.AppendUint32(nil, w.number), ACL: wire.OpenACL, Flags: 2}
	case 2:
		w.made++
		return request{wire.OpCreate, 2, w.made}, wire.Create{Path: fmt.Sprintf("%s/del/%d", w.root, w.made), ACL: wire.OpenACL}
	}
	return request{wire.OpDelete, 3, w.made}, wire.PathVersion{Path: fmt.Sprintf("%s/del/%d", w.root, w.made), Version: -1}
}

// work writes until the connection ends. It counts acknowledgements.
func (w *worker) work(acks *atomic.Int64) {
	var queue []request
	for kind := 0; ; {
		var b []byte
		for len(queue) < window {
			r, body := w.nextRequest(kind)
			kind = (kind + 1) % 4
			w.xid++
			w.Expect(w.xid, r.op)
			b = append(b, wire.Frame(wire.Payload(w.xid, r.op, body))...)
			queue = append(queue, r)
		}
		// A write that fails leaves replies to be read.
		_ = w.Write(b)
		for len(queue) > window/2 {
			_, reply, err := w.Next(patience)
			if err != nil {
				return
			}
			w.acknowledged(queue[0], reply)
			queue = queue[1:]
			acks.Add(1)
		}
	}
}

func (w *worker) acknowledged(r request, reply *wire.Reply) {
	if reply.Err != 0 {
		w.t.Errorf("%s: kind %d, number %d: %v", w.root, r.kind, r.number, reply.Err)
		return
	}
	switch r.kind {
	case 0:
		w.version = reply.Stat.Version
		if uint32(w.version) != r.number {
			w.t.Errorf("%s: version %d instead of %d", w.root, w.version, r.number)
		}
	case 1:
		w.names[*reply.Path] = int32(r.number)
	case 3:
		w.deleted = append(w.deleted, r.number)
	}
}

// verify compares what is there with what was promised, over a connection that
// is fresh. It then goes on from there.
func (w *worker) verify() {
	t := w.t
	t.Helper()
	r := w.ok(wire.OpGetData, wire.PathWatch{Path: w.root + "/counter"})
	v := r.Stat.Version
	if v < w.version || v > w.sent {
		t.Errorf("%s: counter in version %d, %d acknowledged, %d sent", w.root, v, w.version, w.sent)
	}
	if v > 0 && binary.BigEndian.Uint32(r.Data) != uint32(v) {
		t.Errorf("%s: counter holds %x in version %d", w.root, r.Data, v)
	}
	w.version, w.sent = v, v
	w.verifySequence()
	left := map[string]bool{}
	for _, name := range w.ok(wire.OpGetChildren, wire.PathWatch{Path: w.root + "/del"}).Names {
		left[name] = true
	}
	for _, n := range w.deleted {
		if left[fmt.Sprint(n)] {
			t.Errorf("%s: %d was deleted and is back", w.root, n)
		}
	}
	if r := w.call(wire.OpExists, wire.PathWatch{Path: w.root + "/eph"}); r.Err != 0 || r.Stat.EphemeralOwner != w.session {
		t.Errorf("%s: the ephemeral: %+v", w.root, r)
	}
}

// verifySequence looks for every acknowledged sequential create, and for any
// that was made twice. Then it removes them: the next look is as quick.
func (w *worker) verifySequence() {
	w.t.Helper()
	names := w.ok(wire.OpGetChildren, wire.PathWatch{Path: w.root + "/seq"}).Names
	found := map[string]int32{}
	seen := map[uint32]string{}
	for _, name := range names {
		path := w.root + "/seq/" + name
		n := binary.BigEndian.Uint32(w.ok(wire.OpGetData, wire.PathWatch{Path: path}).Data)
		if other, twice := seen[n]; twice {
			w.t.Errorf("request %d made both %s and %s", n, other, path)
		}
		if n > w.number {
			w.t.Errorf("%s is of request %d, which was never sent", path, n)
		}
		seen[n], found[path] = path, int32(n)
	}
	for path, n := range w.names {
		if got, there := found[path]; !there || got != n {
			w.t.Errorf("%s was acknowledged for request %d; found %v, of %d", path, n, there, got)
		}
	}
	for path := range found {
		w.ok(wire.OpDelete, wire.PathVersion{Path: path, Version: -1})
	}
	clear(w.names)
}

// load lets workers write until end has ended the server.
func load(workers []*worker, end func(acks *atomic.Int64)) {
	var acks atomic.Int64
	var all sync.WaitGroup
	for _, w := range workers {
		all.Go(func() { w.work(&acks) })
	}
	end(&acks)
	all.Wait()
}

// resume attaches all sessions to a new process and verifies.
func resume(t *testing.T, p *process, workers []*worker) {
	t.Helper()
	var all sync.WaitGroup
	for _, w := range workers {
		if err := w.attach(p); err != nil {
			t.Fatalf("%s: attach: %v", w.root, err)
		}
	}
	for _, w := range workers {
		w.verify()
	}
	all.Wait()
}
