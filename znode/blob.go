package znode

import "sort"

// blobRef names a slot: the slab in the high 20 bits, the slot's number in it
// in the low 12. Zero is no slot.
type blobRef uint32

const (
	slabBytes  = 64 << 10
	slotBits   = 12 // the smallest slot has 16 bytes: at most 4,096 in a slab
	fineStep   = 16
	fineLimit  = 1024
	largestFit = slabBytes / 2 // longer blobs get a slab of their own size
)

// slotSizes are the sizes that slots come in: steps of 16 bytes up to 1 KiB,
// then of an eighth, which wastes 6 % of a long blob on average.
var slotSizes = func() []int {
	var s []int
	for n := fineStep; n < fineLimit; n += fineStep {
		s = append(s, n)
	}
	for n := fineLimit; n < largestFit; n += n / 8 &^ (fineStep - 1) {
		s = append(s, n)
	}
	return append(s, largestFit)
}()

// slotClass returns the index in slotSizes for n bytes, or -1 for a blob that
// needs a slab of its own.
func slotClass(n int) int {
	switch {
	case n <= 0:
		return 0
	case n < fineLimit:
		return (n - 1) / fineStep
	case n > largestFit:
		return -1
	}
	return sort.SearchInts(slotSizes, n)
}

// slab is a block of equal slots. Slots are handed out in order first, then
// from the list of those given back.
type slab struct {
	class      int      // index in slotSizes, -1: one slot of its own size
	slots      int      // how many fit
	fresh      int      // the next slot never handed out
	used       int      // slots handed out and not given back
	made       uint64   // what blobs.opened was
	free       []uint16 // slots given back
	next, prev uint32   // the list of slabs of this class with room
	listed     bool
}

// blobs allocates slots for names and data. While snapshots are open (pins >
// 0) a slot given back that one of them may read waits in limbo.
type blobs struct {
	slabs   []slab
	bufs    [][]byte // bufs[i] are the bytes of slabs[i]
	partial []uint32 // by class: first slab with room, 0 none
	vacant  []uint32 // slab numbers without bytes
	pins    int
	opened  uint64 // snapshots so far
	limbo   []blobRef
	bytes   int64 // of all slabs
}

func newBlobs() blobs {
	// Slab 0 stays empty: it makes the zero blobRef name nothing.
	return blobs{slabs: make([]slab, 1), bufs: make([][]byte, 1), partial: make([]uint32, len(slotSizes))}
}

// get returns the slot's bytes; the blob is their beginning.
func (b *blobs) get(r blobRef) []byte {
	if r == 0 {
		return nil
	}
	buf, class := b.bufs[r>>slotBits], b.slabs[r>>slotBits].class
	if class < 0 {
		return buf
	}
	size := slotSizes[class]
	off := int(r&(1<<slotBits-1)) * size
	return buf[off : off+size : off+size]
}

// alloc returns a slot for n bytes, its content undefined.
func (b *blobs) alloc(n int) blobRef {
	class := slotClass(n)
	if class < 0 {
		return b.take(b.addSlab(-1, 1, n))
	}
	no := b.partial[class]
	if no == 0 {
		size := slotSizes[class]
		no = b.addSlab(class, slabBytes/size, slabBytes)
		b.list(no)
	}
	return b.take(no)
}

func (b *blobs) take(no uint32) blobRef {
	s := &b.slabs[no]
	slot := s.fresh
	if n := len(s.free); n > 0 {
		slot = int(s.free[n-1])
		s.free = s.free[:n-1]
	} else {
		s.fresh++
	}
	s.used++
	if s.used == s.slots && s.listed {
		b.unlist(no)
	}
	return blobRef(no)<<slotBits | blobRef(slot)
}

// release gives a slot back, once no snapshot can read it any more.
func (b *blobs) release(r blobRef) {
	if r == 0 {
		return
	}
	no := uint32(r >> slotBits)
	s := &b.slabs[no]
	if b.pins > 0 && b.shared(s) {
		b.limbo = append(b.limbo, r)
		return
	}
	s.used--
	if s.used == 0 {
		b.dropSlab(no)
		return
	}
	s.free = append(s.free, uint16(r&(1<<slotBits-1)))
	if !s.listed {
		b.list(no)
	}
}

// pin keeps what is there as it is until pins is counted down again.
func (b *blobs) pin() {
	b.pins++
	b.opened++
}

// shared tells whether an open snapshot may read bytes that would be written
// again. It has tables of its own: a slab of one slot is not written again, and
// one made since the last snapshot it does not know. So however much is
// overwritten while a snapshot is open, it costs no more than the snapshot.
func (b *blobs) shared(s *slab) bool { return s.class >= 0 && s.made != b.opened }

// drain releases up to n slots from limbo, so that the end of a snapshot does
// not make one long pause.
func (b *blobs) drain(n int) {
	for ; n > 0 && b.pins == 0 && len(b.limbo) > 0; n-- {
		last := len(b.limbo) - 1
		r := b.limbo[last]
		b.limbo = b.limbo[:last]
		b.release(r)
	}
	if len(b.limbo) == 0 && cap(b.limbo) > 1<<16 {
		b.limbo = nil
	}
}

func (b *blobs) addSlab(class, slots, size int) uint32 {
	var no uint32
	if n := len(b.vacant); n > 0 {
		no = b.vacant[n-1]
		b.vacant = b.vacant[:n-1]
	} else {
		no = uint32(len(b.slabs))
		if no == 1<<(32-slotBits) {
			// maxDataBytes comes first, unless slabs are almost empty: then
			// this process has long needed more memory than it can name.
			panic("znode: out of slabs")
		}
		b.slabs = append(b.slabs, slab{})
		b.bufs = append(b.bufs, nil)
	}
	b.slabs[no] = slab{class: class, slots: slots, made: b.opened}
	b.bufs[no] = make([]byte, size)
	b.bytes += int64(size)
	return no
}

func (b *blobs) dropSlab(no uint32) {
	if b.slabs[no].listed {
		b.unlist(no)
	}
	b.bytes -= int64(len(b.bufs[no]))
	b.slabs[no], b.bufs[no] = slab{}, nil
	b.vacant = append(b.vacant, no)
}

func (b *blobs) list(no uint32) {
	s := &b.slabs[no]
	head := b.partial[s.class]
	s.next, s.prev, s.listed = head, 0, true
	if head != 0 {
		b.slabs[head].prev = no
	}
	b.partial[s.class] = no
}

func (b *blobs) unlist(no uint32) {
	s := &b.slabs[no]
	if s.prev != 0 {
		b.slabs[s.prev].next = s.next
	} else {
		b.partial[s.class] = s.next
	}
	if s.next != 0 {
		b.slabs[s.next].prev = s.prev
	}
	s.next, s.prev, s.listed = 0, 0, false
}
