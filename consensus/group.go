package consensus

import "encoding/binary"

// A group of batches, of one server or of several, in one entry: u8 format 3,
// for each batch u32 length and the batch. An entry costs raft more than the
// bytes in it: a future, a record, two reads by each server.
const groupFormat = 3

const (
	// groupTarget is how many bytes of batches go into one entry. A batch
	// that is longer makes an entry of its own.
	groupTarget = 2 * batchTarget
	groupHeader = 1
	groupEach   = 4
)

// pack makes entries of batches, which keep their order. What is packed with
// others is copied.
func pack(batches [][]byte) (entries [][]byte) {
	for len(batches) > 0 {
		n, size := 1, groupHeader+groupEach+len(batches[0])
		for n < len(batches) && size+groupEach+len(batches[n]) <= groupTarget {
			size += groupEach + len(batches[n])
			n++
		}
		if n == 1 {
			entries = append(entries, batches[0])
		} else {
			group := append(make([]byte, 0, size), groupFormat)
			for _, b := range batches[:n] {
				group = binary.BigEndian.AppendUint32(group, uint32(len(b)))
				group = append(group, b...)
			}
			entries = append(entries, group)
		}
		batches = batches[n:]
	}
	return entries
}

// cutBatch returns the first batch of a group, without its format, and the rest.
func cutBatch(group []byte) (batch, rest []byte, err error) {
	if len(group) < groupEach {
		return nil, nil, errBatch
	}
	n := binary.BigEndian.Uint32(group)
	group = group[groupEach:]
	if uint64(n) > uint64(len(group)) {
		return nil, nil, errBatch
	}
	return group[:n:n], group[n:], nil
}
