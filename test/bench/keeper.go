package main

import (
	"bytes"
	"fmt"
)

// The keeper mix is what a database that keeps its metadata in ZooKeeper asks of it: short reads, znodes
// that come and half of which go again, and small transactions, all with little data. These are weights, as
// the deletes follow from the creates.
const (
	keeperGets   = 38
	keeperLists  = 4
	keeperSets   = 9
	keeperMultis = 11
	keeperMakes  = 34 // every second of these znodes is deleted later by a request of its own
	keeperTotal  = keeperGets + keeperLists + keeperSets + keeperMultis + keeperMakes + keeperMakes/2

	keeperMaxData              = 162
	keeperMinOps, keeperMaxOps = 3, 7 // of a multi
	keeperSizes                = 9    // creates and multis differ in size so many ways
)

func keeperPath(i int) string { return fmt.Sprintf("%s/keeper/k%06d", benchRoot, i) }

// keeperSize spreads sizes of data evenly from 0 to keeperMaxData.
func keeperSize(i int) int { return i * 37 % (keeperMaxData + 1) }

func prepareKeeper(c *client, w workloadParams) error {
	if err := ensurePath(c, benchRoot+"/keeper"); err != nil {
		return err
	}
	data := payload(keeperMaxData)
	for i := range w.Keys {
		if err := c.ensure(keeperPath(i), data[:keeperSize(i)]); err != nil {
			return err
		}
	}
	if err := prepareFamily(c, w); err != nil {
		return err
	}
	return prepareParents(c, w)
}

// keeperRequest is a kind of request and what its reply must be. Multis that differ in length are kinds of
// their own.
type keeperRequest struct {
	kind func(k *keeper, body []byte, r keeperRequest) error
	ops  int // of a multi
}

// keeper is one session. Replies come in order, so a znode is deleted by a request that follows its create.
type keeper struct {
	*keeperFrames
	rnd     random
	creates [keeperSizes]patchable
	delete  patchable
	multis  [keeperMaxOps + 1][keeperSizes][]byte // by number of operations
	pathLen int
	made    uint64
	doomed  queue[uint64] // numbers of the znodes to delete
	sent    queue[keeperRequest]
}

// keeperFrames are shared by all sessions and only read.
type keeperFrames struct {
	gets, sets [][]byte
	list       []byte
	data       []byte
}

// patchable is a frame with the digits of a path's end in it.
type patchable struct {
	frame []byte
	at    int
}

func newPatchable(frame []byte, name string) patchable {
	return patchable{frame, bytes.Index(frame, []byte(name)) + len(name) - creatorDigits}
}

func (p patchable) append(dst []byte, n uint64, xid int32) []byte {
	putDecimal(p.frame[p.at:][:creatorDigits], n)
	return appendFrame(dst, p.frame, xid)
}

func newKeeper(w workloadParams) func(int) source {
	shared := &keeperFrames{data: payload(keeperMaxData), list: readFrame(opGetChildren, benchRoot+"/family", false)}
	for i := range w.Keys {
		shared.gets = append(shared.gets, readFrame(opGetData, keeperPath(i), false))
		shared.sets = append(shared.sets, setFrame(keeperPath(i), shared.data[:keeperSize(i+1)]))
	}
	return func(session int) source { return newKeeperSession(w, shared, session) }
}

func newKeeperSession(w workloadParams, shared *keeperFrames, session int) *keeper {
	name := fmt.Sprintf("/n%0*d", creatorDigits, 0)
	path := w.parent(session) + name
	k := &keeper{keeperFrames: shared, rnd: newRandom(session), delete: newPatchable(deleteFrame(path), name), pathLen: len(path)}
	for i := range k.creates {
		k.creates[i] = newPatchable(createFrame(path, shared.data[:keeperSize(i)], flagPersistent), name)
	}
	for n := keeperMinOps; n <= keeperMaxOps; n++ {
		for i := range k.multis[n] {
			k.multis[n][i] = keeperMulti(w, n, session, i, shared.data[:keeperSize(i)])
		}
	}
	return k
}

// keeperMulti takes a lock, sets what it is about and lets it go: a create, setData of several znodes and a
// delete of what was created.
func keeperMulti(w workloadParams, ops, session, variant int, data []byte) []byte {
	lock := w.parent(session) + "/lock"
	return frame(opMulti, func(b []byte) []byte {
		b = createBody(appendMultiHeader(b, opCreate, false), lock, data, flagPersistent)
		for i := range ops - 2 {
			b = setBody(appendMultiHeader(b, opSetData, false), keeperPath((keeperSizes*session+variant+i)%w.Keys), data)
		}
		b = appendInt(appendString(appendMultiHeader(b, opDelete, false), lock), anyVersion)
		return appendMultiHeader(b, -1, true)
	})
}

func (k *keeper) next(dst []byte, xid int32) []byte {
	n := k.rnd.below(keeperTotal)
	under := func(weight int) bool {
		n -= weight
		return n < 0
	}
	switch {
	case under(keeperGets):
		k.sent.push(keeperRequest{kind: (*keeper).checkGet})
		return appendFrame(dst, k.gets[k.rnd.below(len(k.gets))], xid)
	case under(keeperLists):
		k.sent.push(keeperRequest{kind: (*keeper).checkList})
		return appendFrame(dst, k.list, xid)
	case under(keeperSets):
		k.sent.push(keeperRequest{kind: (*keeper).checkSet})
		return appendFrame(dst, k.sets[k.rnd.below(len(k.sets))], xid)
	case under(keeperMultis):
		ops := keeperMinOps + k.rnd.below(keeperMaxOps-keeperMinOps+1)
		k.sent.push(keeperRequest{kind: (*keeper).checkMulti, ops: ops})
		return appendFrame(dst, k.multis[ops][k.rnd.below(keeperSizes)], xid)
	case under(keeperMakes) || k.doomed.size() == 0:
		return k.create(dst, xid)
	default:
		k.sent.push(keeperRequest{kind: (*keeper).checkDelete})
		return k.delete.append(dst, k.doomed.pop(), xid)
	}
}

func (k *keeper) create(dst []byte, xid int32) []byte {
	n := k.made
	k.made++
	if n%2 == 1 {
		k.doomed.push(n)
	}
	k.sent.push(keeperRequest{kind: (*keeper).checkCreate})
	return k.creates[k.rnd.below(keeperSizes)].append(dst, n, xid)
}

func (k *keeper) check(body []byte) error {
	r := k.sent.pop()
	return r.kind(k, body, r)
}

// checkGet: others may have set another size meanwhile, but all data begins alike.
func (k *keeper) checkGet(body []byte, _ keeperRequest) error {
	n := len(body) - lengthSize - statSize
	if n < 0 || n > keeperMaxData {
		return fmt.Errorf("body of %d bytes", len(body))
	}
	return wantData(body, k.data[:n])
}

func (k *keeper) checkList(body []byte, _ keeperRequest) error   { return wantFamily(body) }
func (k *keeper) checkSet(body []byte, _ keeperRequest) error    { return wantStat(body) }
func (k *keeper) checkDelete(body []byte, _ keeperRequest) error { return wantSize(body, 0) }
func (k *keeper) checkCreate(body []byte, _ keeperRequest) error {
	return wantSize(body, lengthSize+k.pathLen)
}

// checkMulti: a create's result, those of the sets, a delete's.
func (k *keeper) checkMulti(body []byte, r keeperRequest) error {
	body, err := cutResult(body, opCreate)
	if err != nil {
		return err
	}
	if len(body) < lengthSize || len(body) < lengthSize+int(getInt(body)) {
		return fmt.Errorf("path of a multi's create is cut")
	}
	body = body[lengthSize+int(getInt(body)):]
	for range r.ops - 2 {
		if body, err = cutResult(body, opSetData); err != nil {
			return err
		}
		if len(body) < statSize {
			return fmt.Errorf("stat of a multi's setData is cut")
		}
		body = body[statSize:]
	}
	if body, err = cutResult(body, opDelete); err != nil {
		return err
	}
	return wantMultiEnd(body)
}
