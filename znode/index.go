package znode

import "hash/maphash"

// index finds a znode by its parent's number and its name. It is split into
// shards that grow one by one, so that no single create pays for rehashing
// millions of entries. The seed is random per process: names chosen to
// collide do so on no server. It is not part of the replicated state.
type index struct {
	seed   maphash.Seed
	shards [1 << shardBits]shard
}

const shardBits = 8

// shard is an open-addressing table with linear probing. It grows by a
// quarter when it is 85 % full: that costs a few moves more than doubling, and
// keeps the table near 10 bytes a znode.
type shard struct {
	slots []slot
	n     int
}

type slot struct {
	hash uint32
	id   nodeID // 0: empty
}

func newIndex() index { return index{seed: maphash.MakeSeed()} }

func (x *index) hash(parent nodeID, name string) uint32 {
	h := maphash.String(x.seed, name) ^ uint64(parent)*0x9e3779b97f4a7c15
	h ^= h >> 32
	h *= 0xd6e8feb86659fd93
	return uint32(h ^ h>>32)
}

func (x *index) shard(h uint32) *shard { return &x.shards[h>>(32-shardBits)] }

// find returns the child of parent with that name, or 0.
func (t *Tree) find(parent nodeID, name string) nodeID {
	h := t.index.hash(parent, name)
	s := t.index.shard(h)
	if s.n == 0 {
		return 0
	}
	for i := s.home(h); ; i = s.after(i) {
		e := s.slots[i]
		if e.id == 0 {
			return 0
		}
		if e.hash != h {
			continue
		}
		if n := t.get(e.id); n.parent == parent && string(t.name(n)) == name {
			return e.id
		}
	}
}

// add enters a znode that is not in the index.
func (x *index) add(h uint32, id nodeID) {
	s := x.shard(h)
	if s.n*100 >= len(s.slots)*85 {
		s.grow()
	}
	s.put(slot{h, id})
	s.n++
}

// home is where an entry with that hash belongs. The top bits are the same
// for all of a shard.
func (s *shard) home(h uint32) int {
	return int(uint64(h<<shardBits) * uint64(len(s.slots)) >> 32)
}

func (s *shard) after(i int) int {
	if i++; i < len(s.slots) {
		return i
	}
	return 0
}

// distance is how many steps lead from i to j.
func (s *shard) distance(i, j int) int {
	if j >= i {
		return j - i
	}
	return j - i + len(s.slots)
}

func (s *shard) put(e slot) {
	i := s.home(e.hash)
	for s.slots[i].id != 0 {
		i = s.after(i)
	}
	s.slots[i] = e
}

func (s *shard) grow() {
	old := s.slots
	s.slots = make([]slot, max(8, len(old)+len(old)/4))
	for _, e := range old {
		if e.id != 0 {
			s.put(e)
		}
	}
}

// remove takes out a znode that is in the index, and moves up what probing
// had put behind it.
func (x *index) remove(h uint32, id nodeID) {
	s := x.shard(h)
	i := s.home(h)
	for s.slots[i].id != id {
		i = s.after(i)
	}
	for j := s.after(i); s.slots[j].id != 0; j = s.after(j) {
		// An entry may fill the gap if its home lies at or before it.
		if e := s.slots[j]; s.distance(s.home(e.hash), j) >= s.distance(i, j) {
			s.slots[i] = e
			i = j
		}
	}
	s.slots[i] = slot{}
	s.n--
}

// lookup returns the znode at path, or 0. As in ZooKeeper's table the empty
// path is the root, and a path that no create can make is simply absent.
func (t *Tree) lookup(path string) nodeID {
	if path == "" || path == "/" {
		return rootID
	}
	if path[0] != '/' {
		return 0
	}
	id := rootID
	for start := 1; start <= len(path); {
		end := start
		for end < len(path) && path[end] != '/' {
			end++
		}
		if end == start {
			return 0
		}
		if id = t.find(id, path[start:end]); id == 0 {
			return 0
		}
		start = end + 1
		if end == len(path)-1 {
			return 0 // a trailing slash
		}
	}
	return id
}
