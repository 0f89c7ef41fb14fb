package store

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/hashicorp/raft"

	"zkd/internal/mutant"
)

// A record is one raft entry on disk, the same for both engines. Integers are
// little-endian, as in raft-wal's own frames.
//
//	0      1      2      3      4      5      6      7      8
//	+------+------+------+------+------+------+------+------+
//	| magic "zkdL"              | vers | type | zero        |   0
//	+------+------+------+------+------+------+------+------+
//	| index                                                 |   8
//	+------+------+------+------+------+------+------+------+
//	| term                                                  |  16
//	+------+------+------+------+------+------+------+------+
//	| length of data            | position in its batch     |  24
//	+------+------+------+------+------+------+------+------+
//	| AppendedAt, Unix nanoseconds, 0 = none                |  32
//	+------+------+------+------+------+------+------+------+
//	| seal                      | CRC32C of bytes 0..43     |  40
//	+------+------+------+------+------+------+------+------+
//	| data …                                                |  48
//
// The seal is the CRC32C of bytes 5..27 (type, index, term, length) and the
// data. It is made once, by the leader that first stores the entry, and travels
// in Log.Extensions, so that a follower refuses what was damaged on the way.
//
// The header has a checksum of its own, seeded with the directory's id. The
// position tells the start-up audit which entries were appended by one call,
// and because of the seed no data sent by a client can pretend to be a record.
const (
	recordHeader  = 48
	recordVersion = 1
	recordMagic   = "zkdL"

	sealFrom, sealTo = 5, 28

	// maxData bounds the length field: raft-wal takes no larger entry.
	maxData = 64*mib - recordHeader
)

// A seal in Log.Extensions:
//
//	0      1      2      3      4      5      6      7      8
//	+------+------+------+------+------+------+------+------+
//	| magic "zks"        | vers | length of data            |   0
//	+------+------+------+------+------+------+------+------+
//	| seal                      |                               8
//	+------+------+------+------+
const (
	sealSize  = 12
	sealMagic = "zks\x01"
)

// appendRecord writes the record of l to dst. The seal must be in the header
// already when l carries one; see sealLog.
func appendRecord(dst []byte, salt uint32, l *raft.Log, position uint32) []byte {
	at := len(dst)
	dst = append(dst, recordMagic...)
	dst = append(dst, recordVersion, byte(l.Type), 0, 0)
	dst = binary.LittleEndian.AppendUint64(dst, l.Index)
	dst = binary.LittleEndian.AppendUint64(dst, l.Term)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(l.Data)))
	dst = binary.LittleEndian.AppendUint32(dst, position)
	var ns int64
	if !l.AppendedAt.IsZero() {
		ns = l.AppendedAt.UnixNano()
	}
	dst = binary.LittleEndian.AppendUint64(dst, uint64(ns))
	seal := crc32.Update(0, castagnoli, dst[at+sealFrom:at+sealTo])
	seal = crc32.Update(seal, castagnoli, l.Data)
	dst = binary.LittleEndian.AppendUint32(dst, seal)
	dst = binary.LittleEndian.AppendUint32(dst, crc32.Update(salt, castagnoli, dst[at:at+44]))
	return append(dst, l.Data...)
}

func recordSeal(rec []byte) uint32 { return binary.LittleEndian.Uint32(rec[40:44]) }

// header is the part of a record header that the audit needs.
type header struct {
	index    uint64
	length   uint32
	position uint32
}

// decodeHeader checks and reads the first recordHeader bytes of b.
func decodeHeader(b []byte, salt uint32) (header, error) {
	if len(b) < recordHeader {
		return header{}, fmt.Errorf("%w: record of %d bytes is shorter than its header", ErrCorrupt, len(b))
	}
	if string(b[:4]) != recordMagic {
		return header{}, fmt.Errorf("%w: record starts with %x, not with its magic", ErrCorrupt, b[:4])
	}
	if got, want := crc32.Update(salt, castagnoli, b[:44]), binary.LittleEndian.Uint32(b[44:48]); got != want {
		return header{}, fmt.Errorf("%w: record header has checksum %08x, contents give %08x", ErrCorrupt, want, got)
	}
	// Checked after the checksum: a valid header of another version is not
	// damage but a newer zkd's work.
	if b[4] != recordVersion {
		return header{}, fmt.Errorf("%w: record version %d, this zkd knows %d", ErrEngine, b[4], recordVersion)
	}
	return header{
		index:    binary.LittleEndian.Uint64(b[8:]),
		length:   binary.LittleEndian.Uint32(b[24:]),
		position: binary.LittleEndian.Uint32(b[28:]),
	}, nil
}

// decodeRecord verifies b and fills l with memory of its own, so that b may be
// reused. l.Extensions receives the seal.
func decodeRecord(b []byte, salt uint32, l *raft.Log) error {
	h, err := decodeHeader(b, salt)
	if err != nil {
		return err
	}
	if uint64(h.length) != uint64(len(b)-recordHeader) {
		return fmt.Errorf("%w: record of entry %d holds %d bytes of data, its header says %d",
			ErrCorrupt, h.index, len(b)-recordHeader, h.length)
	}
	data := b[recordHeader:]
	seal := crc32.Update(crc32.Update(0, castagnoli, b[sealFrom:sealTo]), castagnoli, data)
	if seal != recordSeal(b) && !mutant.Is(mutant.EntrySum) {
		return fmt.Errorf("%w: entry %d has checksum %08x, contents give %08x", ErrCorrupt, h.index, recordSeal(b), seal)
	}
	buf := make([]byte, len(data)+sealSize)
	n := copy(buf, data)
	putSeal(buf[n:], uint32(n), seal)
	*l = raft.Log{
		Index: h.index, Term: binary.LittleEndian.Uint64(b[16:]), Type: raft.LogType(b[5]),
		Data: buf[:n:n], Extensions: buf[n:],
	}
	if ns := int64(binary.LittleEndian.Uint64(b[32:])); ns != 0 {
		l.AppendedAt = time.Unix(0, ns)
	}
	return nil
}

func putSeal(b []byte, length, seal uint32) {
	copy(b, sealMagic)
	binary.LittleEndian.PutUint32(b[4:], length)
	binary.LittleEndian.PutUint32(b[8:], seal)
}

// checkSeal compares the seal an entry arrived with to the one just computed.
func checkSeal(l *raft.Log, seal uint32) error {
	ext := l.Extensions
	if len(ext) != sealSize || !bytes.Equal(ext[:4], []byte(sealMagic)) {
		return fmt.Errorf("%w: entry %d carries %d bytes of extensions that are not a seal", ErrCorrupt, l.Index, len(ext))
	}
	if n := binary.LittleEndian.Uint32(ext[4:]); uint64(n) != uint64(len(l.Data)) {
		return fmt.Errorf("%w: entry %d has %d bytes, its seal says %d", ErrCorrupt, l.Index, len(l.Data), n)
	}
	if want := binary.LittleEndian.Uint32(ext[8:]); want != seal {
		return fmt.Errorf("%w: entry %d has seal %08x, contents give %08x", ErrCorrupt, l.Index, want, seal)
	}
	return nil
}

// VerifyEntry checks an entry against the seal it carries. An FSM calls it
// before it applies an entry; entries that no Store has touched have no seal
// and pass.
func VerifyEntry(l *raft.Log) error {
	if len(l.Extensions) == 0 {
		return nil
	}
	var b [sealTo]byte
	b[5] = byte(l.Type)
	binary.LittleEndian.PutUint64(b[8:], l.Index)
	binary.LittleEndian.PutUint64(b[16:], l.Term)
	binary.LittleEndian.PutUint32(b[24:], uint32(len(l.Data)))
	seal := crc32.Update(crc32.Update(0, castagnoli, b[sealFrom:]), castagnoli, l.Data)
	return checkSeal(l, seal)
}
