package store

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// The vote record: everything raft must not forget between two elections, in
// one value. Little-endian.
//
//	0      1      2      3      4      5      6      7      8
//	+------+------+------+------+------+------+------+------+
//	| magic "zkdV"              | vers | zero | length of c. |   0
//	+------+------+------+------+------+------+------+------+
//	| current term                                          |   8
//	+------+------+------+------+------+------+------+------+
//	| term of the last vote, 0 = none                       |  16
//	+------+------+------+------+------+------+------+------+
//	| candidate …               | CRC32C of all before      |  24
//	+------+------+------+------+------+------+------+------+
const (
	voteHeader   = 24
	voteMagic    = "zkdV\x01\x00"
	maxCandidate = 1<<16 - 1
)

type vote struct {
	term      uint64
	voteTerm  uint64
	candidate string
}

func (v vote) encode() []byte {
	b := make([]byte, 0, voteHeader+len(v.candidate)+4)
	b = append(b, voteMagic...)
	b = binary.LittleEndian.AppendUint16(b, uint16(len(v.candidate)))
	b = binary.LittleEndian.AppendUint64(b, v.term)
	b = binary.LittleEndian.AppendUint64(b, v.voteTerm)
	b = append(b, v.candidate...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeVote(b []byte) (vote, error) {
	if len(b) < voteHeader+4 || string(b[:6]) != voteMagic {
		return vote{}, fmt.Errorf("%w: vote record of %d bytes has no valid header", ErrCorrupt, len(b))
	}
	body, sum := b[:len(b)-4], binary.LittleEndian.Uint32(b[len(b)-4:])
	if got := crc32.Checksum(body, castagnoli); got != sum {
		return vote{}, fmt.Errorf("%w: vote record has checksum %08x, contents give %08x", ErrCorrupt, sum, got)
	}
	if n := int(binary.LittleEndian.Uint16(b[6:])); n != len(body)-voteHeader {
		return vote{}, fmt.Errorf("%w: vote record holds a candidate of %d bytes, its header says %d", ErrCorrupt, len(body)-voteHeader, n)
	}
	v := vote{
		term: binary.LittleEndian.Uint64(b[8:]), voteTerm: binary.LittleEndian.Uint64(b[16:]),
		candidate: string(body[voteHeader:]),
	}
	if v.voteTerm > v.term {
		return vote{}, fmt.Errorf("%w: vote of term %d in term %d", ErrCorrupt, v.voteTerm, v.term)
	}
	return v, nil
}
