package znode

import "slices"

// records is a growing array of T, numbered from 1. A snapshot shares its
// chunks with the writer, which copies one before it first changes it.
type records[T any] struct {
	chunks []*chunk[T]
	next   uint32   // the next number never used
	free   []uint32 // numbers given back
	gen    uint32   // raised by every snapshot
}

const (
	chunkBits = 7
	chunkSize = 1 << chunkBits
)

// chunk is the unit of copying: gen tells the newest snapshot that no longer
// shares it.
type chunk[T any] struct {
	gen  uint32
	recs [chunkSize]T
}

func newRecords[T any]() records[T] { return records[T]{next: 1} }

// get returns a record to read.
func (r *records[T]) get(id uint32) *T { return &r.chunks[id>>chunkBits].recs[id%chunkSize] }

// mut returns a record to change; shared tells that a snapshot is open.
// Pointers from get into the same chunk may be to a stale copy afterwards.
func (r *records[T]) mut(id uint32, shared bool) *T {
	c := r.chunks[id>>chunkBits]
	if c.gen != r.gen {
		if shared {
			fresh := new(chunk[T])
			*fresh = *c
			c = fresh
			r.chunks[id>>chunkBits] = c
		}
		c.gen = r.gen
	}
	return &c.recs[id%chunkSize]
}

// add returns the number of a record that is not in use.
func (r *records[T]) add() uint32 {
	if n := len(r.free); n > 0 {
		id := r.free[n-1]
		r.free = r.free[:n-1]
		return id
	}
	id := r.next
	r.next++
	for int(id>>chunkBits) >= len(r.chunks) {
		r.chunks = append(r.chunks, &chunk[T]{gen: r.gen})
	}
	return id
}

// drop gives a number back.
func (r *records[T]) drop(id uint32) { r.free = append(r.free, id) }

// share returns the records as they are now, for a snapshot to read.
func (r *records[T]) share() records[T] {
	r.gen++
	return records[T]{chunks: slices.Clone(r.chunks), next: r.next}
}
