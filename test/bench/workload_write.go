package main

import (
	"bytes"
	"fmt"
)

// mixture reads or writes a random key. reads remembers what was asked, as replies come in order.
type mixture struct {
	get, set    source
	rnd         random
	readPercent int
	reads       queue[bool]
}

func newMixed(w workloadParams, readPercent int) func(int) source {
	get, set := newGet(w), newSet(w)
	return func(session int) source {
		return &mixture{
			get: get(session), set: set(session),
			rnd: newRandom(session + 1_000_003), readPercent: readPercent,
		}
	}
}

func (m *mixture) next(dst []byte, xid int32) []byte {
	read := m.rnd.below(100) < m.readPercent
	m.reads.push(read)
	if read {
		return m.get.next(dst, xid)
	}
	return m.set.next(dst, xid)
}

func (m *mixture) check(body []byte) error {
	if m.reads.pop() {
		return m.get.check(body)
	}
	return m.set.check(body)
}

// creator creates numbered znodes below a parent; with remove, each is deleted by the next request.
type creator struct {
	create, delete     []byte // frames; digits are patched
	createAt, deleteAt int    // where the digits lie
	pathLen            int
	remove             bool
	n                  uint64 // requests sent
	answered           uint64
}

const creatorDigits = 10

func newCreator(w workloadParams, session int, remove bool) *creator {
	zeros := fmt.Sprintf("%0*d", creatorDigits, 0)
	path := w.parent(session) + "/n" + zeros
	k := &creator{create: createFrame(path, w.data, flagPersistent), delete: deleteFrame(path), pathLen: len(path), remove: remove}
	k.createAt = bytes.Index(k.create, []byte("/n"+zeros)) + 2
	k.deleteAt = bytes.Index(k.delete, []byte("/n"+zeros)) + 2
	return k
}

func newCreate(w workloadParams) func(int) source {
	return func(session int) source { return newCreator(w, session, false) }
}

func newCreateDelete(w workloadParams) func(int) source {
	return func(session int) source { return newCreator(w, session, true) }
}

func (k *creator) next(dst []byte, xid int32) []byte {
	n := k.n
	k.n++
	if !k.remove {
		putDecimal(k.create[k.createAt:][:creatorDigits], n)
		return appendFrame(dst, k.create, xid)
	}
	if n%2 == 0 {
		putDecimal(k.create[k.createAt:][:creatorDigits], n/2)
		return appendFrame(dst, k.create, xid)
	}
	putDecimal(k.delete[k.deleteAt:][:creatorDigits], n/2)
	return appendFrame(dst, k.delete, xid)
}

func (k *creator) check(body []byte) error {
	n := k.answered
	k.answered++
	if k.remove && n%2 == 1 {
		return wantSize(body, 0)
	}
	return wantSize(body, lengthSize+k.pathLen)
}

// putDecimal fills b with the decimal digits of n.
func putDecimal(b []byte, n uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = '0' + byte(n%10)
		n /= 10
	}
}

// ephemeral does what lock recipes do: create an ephemeral sequential znode, then delete it by the name
// the server gave. So the number of ephemerals stays bounded however long the run is.
type ephemeral struct {
	create  []byte
	delete  []byte
	digits  int             // where the sequence number lies in delete
	created queue[[10]byte] // sequence numbers to delete
	creates queue[bool]     // kind of each outstanding request
	pathLen int
}

func newEphemeral(w workloadParams) func(int) source {
	return func(session int) source { return newEphemeralSource(w.parent(session)+"/lock-", w.data) }
}

func newEphemeralSource(prefix string, data []byte) *ephemeral {
	zeros := fmt.Sprintf("%010d", 0)
	e := &ephemeral{
		create:  createFrame(prefix, data, flagEphemeralSequential),
		delete:  deleteFrame(prefix + zeros),
		pathLen: len(prefix) + len(zeros),
	}
	e.digits = bytes.Index(e.delete, []byte(zeros))
	return e
}

func (e *ephemeral) next(dst []byte, xid int32) []byte {
	if e.created.size() == 0 {
		e.creates.push(true)
		return appendFrame(dst, e.create, xid)
	}
	seq := e.created.pop()
	e.creates.push(false)
	copy(e.delete[e.digits:], seq[:])
	return appendFrame(dst, e.delete, xid)
}

func (e *ephemeral) check(body []byte) error {
	if !e.creates.pop() {
		return wantSize(body, 0)
	}
	if err := wantSize(body, lengthSize+e.pathLen); err != nil {
		return err
	}
	e.created.push([10]byte(body[len(body)-10:]))
	return nil
}

// queue is a ring that grows; in the steady state it does not allocate.
type queue[T any] struct {
	ring       []T
	head, tail uint // pushed at tail, popped at head
}

func (q *queue[T]) size() int { return int(q.tail - q.head) }

func (q *queue[T]) push(v T) {
	if q.size() == len(q.ring) {
		bigger := make([]T, max(16, 2*len(q.ring)))
		n := q.size()
		for i := range n {
			bigger[i] = q.ring[(q.head+uint(i))%uint(len(q.ring))]
		}
		q.ring, q.head, q.tail = bigger, 0, uint(n)
	}
	q.ring[q.tail%uint(len(q.ring))] = v
	q.tail++
}

// pop must not be called on an empty queue.
func (q *queue[T]) pop() T {
	v := q.ring[q.head%uint(len(q.ring))]
	q.head++
	return v
}
