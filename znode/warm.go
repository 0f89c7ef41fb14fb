package znode

import "unsafe"

// A lookup goes from an entry of the index to a record and on to a name, for
// each component of its path. In a tree larger than the processor's caches
// every one of these steps waits for memory. Steps of different lookups do not
// depend on one another, so Warm goes along a row of paths side by side, and
// the processor waits for many of them at a time.

// warmFrom is how many znodes make warming worth its while. What lookups need of
// fewer stays in the caches.
const warmFrom = 1 << 16

// Row is paths that are about to be looked up.
type Row struct{ walks []walk }

// walk is how far one path has been followed.
type walk struct {
	rest string // components not looked for yet
	id   nodeID // found last, 0: there is none
	hash uint32 // of the component looked for
	done bool
}

// Reset empties the row.
func (r *Row) Reset() {
	clear(r.walks) // a row that waits for its next use holds on to no paths
	r.walks = r.walks[:0]
}

// Add puts a path into the row, which must stay as it is until Reset. What is
// no path is left out.
func (r *Row) Add(path string) {
	if len(path) > 1 && path[0] == '/' {
		r.walks = append(r.walks, walk{rest: path[1:], id: rootID})
	}
}

// Large tells whether the tree is so large that rows should be warmed.
func (t *Tree) Large() bool { return t.count >= warmFrom }

// Warm fetches ahead what looking up the paths of a row, and reading or writing
// the znodes there, will need. It changes nothing and is no answer: names are
// not compared, only their hashes.
func (t *Tree) Warm(r *Row) {
	for more := len(r.walks) > 1; more; {
		for i := range r.walks {
			if w := &r.walks[i]; w.id != 0 && !w.done {
				t.warmEntry(w)
			}
		}
		for i := range r.walks {
			if w := &r.walks[i]; w.id != 0 && !w.done {
				t.warmRecord(w)
			}
		}
		more = false
		for i := range r.walks {
			if w := &r.walks[i]; w.id != 0 && !w.done {
				t.warmBlob(w)
				more = more || !w.done
			}
		}
	}
}

// warmEntry fetches where the index may have the next component.
func (t *Tree) warmEntry(w *walk) {
	end := 0
	for end < len(w.rest) && w.rest[end] != '/' {
		end++
	}
	w.hash = t.index.hash(w.id, w.rest[:end])
	w.rest = w.rest[min(end+1, len(w.rest)):]
	if s := t.index.shard(w.hash); s.n > 0 {
		prefetch(unsafe.Pointer(&s.slots[s.home(w.hash)]))
	}
}

// warmRecord fetches the record that the index has.
func (t *Tree) warmRecord(w *walk) {
	if w.id = t.index.first(w.hash); w.id != 0 {
		n := t.get(w.id)
		prefetch(unsafe.Pointer(&n.czxid)) // a record lies in two cache lines
		prefetch(unsafe.Pointer(&n.parent))
	}
}

// warmBlob fetches the name, and at the end of the path the data behind it.
func (t *Tree) warmBlob(w *walk) {
	n := t.get(w.id)
	b := t.blobs.get(n.blob)
	if len(b) > 0 {
		prefetch(unsafe.Pointer(&b[0]))
	}
	if w.done = w.rest == ""; !w.done {
		return
	}
	const line = 64 // of a cache; the processor itself goes on behind two
	if len(b) > line {
		prefetch(unsafe.Pointer(&b[line]))
	}
	if n.more != 0 {
		prefetch(unsafe.Pointer(t.extras.get(n.more)))
	}
}

// first returns the first znode whose entry has that hash, or 0.
func (x *index) first(h uint32) nodeID {
	s := x.shard(h)
	if s.n == 0 {
		return 0
	}
	for i := s.home(h); ; i = s.after(i) {
		if e := s.slots[i]; e.id == 0 || e.hash == h {
			return e.id
		}
	}
}
