// Package znode keeps the tree of znodes in memory: it applies one
// transaction after another, answers reads, and hands out point-in-time
// snapshots of itself.
//
// It is pure. There is no clock, goroutine, socket or file in it; time, zxid
// and identities come with each transaction, so the same transactions make
// the same tree on every server. Which changes somebody watches, who may hold
// a session and how replies travel is the business of others (packages watch,
// session and server).
//
// # Memory
//
// Millions of znodes must not become millions of Go objects, which the
// garbage collector would have to visit again and again. A znode is a fixed
// record in a chunk of 128 (node.go); its name and data share one slot of a
// slab (blob.go); its place among its siblings is a list of record numbers
// inside the records; and one sharded hash table finds a child by the number
// of its parent and its name (index.go). Only chunks and slabs are Go
// objects, and none of them holds a pointer.
//
// # Concurrency
//
// A Tree has one writer at a time and any number of readers, kept apart by a
// lock of the caller. A Snapshot is read without that lock, while the writer
// goes on: chunks are copied before their first change after it was taken,
// and slots of slabs are not used again before it is released.
package znode
