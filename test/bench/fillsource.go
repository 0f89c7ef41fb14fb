package main

import "fmt"

// fillReader reads random znodes of a fill: get of the znode, list of a parent, exists of the znode, each
// so often out of a hundred.
type fillReader struct {
	get, list, exists *fillFrame
	gets, lists       int // out of 100; the rest is exists
	n                 int
	rnd               random
	data              []byte
	asked             queue[int32] // op of each outstanding request
}

func newFillReader(n, gets, lists, seed int, data []byte) *fillReader {
	return &fillReader{
		get:    newFillFrame(readFrame(opGetData, fillPath(0), false)),
		list:   newFillFrame(readFrame(opGetChildren, fillDir(0), false)),
		exists: newFillFrame(readFrame(opExists, fillPath(0), false)),
		gets:   gets, lists: lists, n: n, rnd: newRandom(seed), data: data,
	}
}

func (r *fillReader) next(dst []byte, xid int32) []byte {
	op, frame := opExists, r.exists
	if roll := r.rnd.below(100); roll < r.gets {
		op, frame = opGetData, r.get
	} else if roll < r.gets+r.lists {
		op, frame = opGetChildren, r.list
	}
	r.asked.push(op)
	return frame.appendAimed(dst, r.rnd.below(r.n), xid)
}

func (r *fillReader) check(body []byte) error {
	switch r.asked.pop() {
	case opGetData:
		return wantData(body, r.data)
	case opGetChildren:
		if want := int32(min(r.n, fillDirSize)); len(body) < lengthSize || getInt(body) > want || getInt(body) < 1 {
			return fmt.Errorf("not %d children", want)
		}
		return nil
	default:
		return wantStat(body)
	}
}

// fillWriter sets random znodes of a fill, one a request or several in a multi.
type fillWriter struct {
	set   *fillFrame
	multi bool
	n     int
	rnd   random
}

func newFillWriter(n, perMulti, seed int, data []byte) *fillWriter {
	w := &fillWriter{n: n, multi: perMulti > 0, rnd: newRandom(seed)}
	if !w.multi {
		w.set = newFillFrame(setFrame(fillPath(0), data))
		return w
	}
	paths := make([]string, perMulti)
	for i := range paths {
		paths[i] = fillPath(0)
	}
	w.set = newFillFrame(multiFrame(paths, data))
	return w
}

func (w *fillWriter) next(dst []byte, xid int32) []byte {
	for i := range w.set.at {
		w.set.aim(i, w.rnd.below(w.n))
	}
	return appendFrame(dst, w.set.frame, xid)
}

func (w *fillWriter) check(body []byte) error {
	if w.multi {
		return checkMulti(body, len(w.set.at), opSetData, statSize)
	}
	return wantStat(body)
}
