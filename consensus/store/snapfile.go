package store

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/hashicorp/raft"

	"zkd/internal/mutant"
)

// A snapshot file. Little-endian.
//
//	header:   magic "zkdSNAP1" (8), length of meta (4), meta (JSON),
//	          CRC32C of all before (4)
//	chunk*:   length 1…snapChunkMax (4), CRC32C (4), data
//	          the CRC covers the chunk's number (8), its length (4) and the data,
//	          and is seeded with the CRC of the chunk before, the first one with
//	          the header's: no chunk can be missing, moved or from another file
//	trailer:  zero (4)                             0
//	          magic "zkdE" (4)                     4
//	          size of all data (8)                 8
//	          number of chunks (8)                16
//	          CRC of the last chunk (4)           24
//	          CRC32C of trailer bytes 0..27 (4)   28
//
// Header and trailer can be checked without reading what lies between.
const (
	snapMagic    = "zkdSNAP1"
	snapEndMagic = "zkdE"
	snapTrailer  = 32
	snapMetaMax  = mib
	snapChunk    = 256 * kib // what we write
	snapChunkMax = 4 * mib   // what we accept
	chunkHeader  = 8
)

// snapMeta is the JSON in the header. Size is not known yet when it is written.
type snapMeta struct {
	Version            int
	Index, Term        uint64
	ConfigurationIndex uint64
	Servers            []snapServer
	CreatedMs          int64
}

type snapServer struct {
	Suffrage    raft.ServerSuffrage
	ID, Address string
}

func (m snapMeta) encode() ([]byte, error) {
	text, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	if len(text) > snapMetaMax {
		return nil, fmt.Errorf("snapshot meta has %d bytes, the most is %d", len(text), snapMetaMax)
	}
	b := append([]byte(nil), snapMagic...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(text)))
	b = append(b, text...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

func (m snapMeta) raft(id string, size int64) *raft.SnapshotMeta {
	out := &raft.SnapshotMeta{
		Version: raft.SnapshotVersion(m.Version), ID: id, Index: m.Index, Term: m.Term,
		ConfigurationIndex: m.ConfigurationIndex, Size: size,
	}
	for _, s := range m.Servers {
		out.Configuration.Servers = append(out.Configuration.Servers, raft.Server{
			Suffrage: s.Suffrage, ID: raft.ServerID(s.ID), Address: raft.ServerAddress(s.Address),
		})
	}
	return out
}

// snapInfo is what header and trailer say.
type snapInfo struct {
	meta    snapMeta
	body    int64  // offset of the first chunk
	seed    uint32 // CRC of the header
	end     int64  // offset of the trailer
	size    int64
	chunks  uint64
	lastCRC uint32
}

// readSnapInfo checks header and trailer of a snapshot of length bytes.
func readSnapInfo(r io.ReaderAt, length int64) (snapInfo, error) {
	var in snapInfo
	var head [12]byte
	if length < int64(len(head))+4+snapTrailer {
		return in, fmt.Errorf("%w: %d bytes are too short for a snapshot", ErrCorrupt, length)
	}
	if _, err := r.ReadAt(head[:], 0); err != nil {
		return in, fmt.Errorf("read header: %w", err)
	}
	n := int64(binary.LittleEndian.Uint32(head[8:]))
	if string(head[:8]) != snapMagic || n > snapMetaMax || n > length-int64(len(head))-4-snapTrailer {
		return in, fmt.Errorf("%w: bad magic or length in header", ErrCorrupt)
	}
	text := make([]byte, n+4)
	if _, err := r.ReadAt(text, int64(len(head))); err != nil {
		return in, fmt.Errorf("read header: %w", err)
	}
	text, sum := text[:n], binary.LittleEndian.Uint32(text[n:])
	if got := crc32.Update(crc32.Checksum(head[:], castagnoli), castagnoli, text); got != sum {
		return in, fmt.Errorf("%w: header has checksum %08x, contents give %08x", ErrCorrupt, sum, got)
	}
	if err := json.Unmarshal(text, &in.meta); err != nil {
		return in, fmt.Errorf("%w: header: %v", ErrCorrupt, err)
	}
	in.body, in.seed, in.end = int64(len(head))+n+4, sum, length-snapTrailer
	return in, in.readTrailer(r)
}

func (in *snapInfo) readTrailer(r io.ReaderAt) error {
	var t [snapTrailer]byte
	if _, err := r.ReadAt(t[:], in.end); err != nil && err != io.EOF {
		return fmt.Errorf("read trailer: %w", err)
	}
	if got, sum := crc32.Checksum(t[:28], castagnoli), binary.LittleEndian.Uint32(t[28:]); got != sum ||
		binary.LittleEndian.Uint32(t[:]) != 0 || string(t[4:8]) != snapEndMagic {
		return fmt.Errorf("%w: trailer at offset %d does not match its checksum or magic", ErrCorrupt, in.end)
	}
	in.size = int64(binary.LittleEndian.Uint64(t[8:]))
	in.chunks = binary.LittleEndian.Uint64(t[16:])
	in.lastCRC = binary.LittleEndian.Uint32(t[24:])
	if framed := in.end - in.body; in.size < 0 || in.chunks > uint64(framed)/chunkHeader ||
		in.size+int64(in.chunks)*chunkHeader != framed {
		return fmt.Errorf("%w: trailer says %d bytes in %d chunks, the file has room for %d", ErrCorrupt, in.size, in.chunks, framed)
	}
	return nil
}

func encodeTrailer(size int64, chunks uint64, last uint32) []byte {
	b := make([]byte, 4, snapTrailer)
	b = append(b, snapEndMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	b = binary.LittleEndian.AppendUint64(b, chunks)
	b = binary.LittleEndian.AppendUint32(b, last)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

// chunkCRC continues prev, the CRC of the chunk before.
func chunkCRC(prev uint32, number uint64, data []byte) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], number)
	binary.LittleEndian.PutUint32(b[8:], uint32(len(data)))
	return crc32.Update(crc32.Update(prev, castagnoli, b[:]), castagnoli, data)
}

// chunkReader streams the data of a snapshot and hands out no byte of a chunk
// that it has not verified. It says io.EOF only behind a whole snapshot.
type chunkReader struct {
	r    io.ReaderAt
	in   snapInfo
	at   int64 // offset of the next chunk
	n    uint64
	crc  uint32
	left []byte // verified, not yet read
	buf  []byte
	err  error // sticky
}

func newChunkReader(r io.ReaderAt, in snapInfo) *chunkReader {
	return &chunkReader{r: r, in: in, at: in.body, crc: in.seed}
}

func (c *chunkReader) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for len(c.left) == 0 {
		if c.err == nil {
			c.err = c.next()
		}
		if c.err != nil {
			return 0, c.err
		}
	}
	n := copy(p, c.left)
	c.left = c.left[n:]
	return n, nil
}

func (c *chunkReader) next() error {
	if c.at == c.in.end {
		if c.n != c.in.chunks || c.crc != c.in.lastCRC {
			return fmt.Errorf("%w: %d chunks up to %08x, the trailer says %d up to %08x", ErrCorrupt, c.n, c.crc, c.in.chunks, c.in.lastCRC)
		}
		return io.EOF
	}
	var head [chunkHeader]byte
	if _, err := c.r.ReadAt(head[:], c.at); err != nil {
		return fmt.Errorf("read chunk %d at offset %d: %w", c.n, c.at, notEOF(err))
	}
	length := int64(binary.LittleEndian.Uint32(head[:]))
	if length == 0 || length > snapChunkMax || length > c.in.end-c.at-chunkHeader {
		return fmt.Errorf("%w: chunk %d at offset %d has length %d", ErrCorrupt, c.n, c.at, length)
	}
	if int64(cap(c.buf)) < length {
		c.buf = make([]byte, length)
	}
	data := c.buf[:length]
	if _, err := c.r.ReadAt(data, c.at+chunkHeader); err != nil {
		return fmt.Errorf("read chunk %d at offset %d: %w", c.n, c.at, notEOF(err))
	}
	crc := chunkCRC(c.crc, c.n, data)
	if sum := binary.LittleEndian.Uint32(head[4:]); mutant.Is(mutant.SnapshotSum) {
		crc = sum
	} else if crc != sum {
		return fmt.Errorf("%w: chunk %d at offset %d has checksum %08x, contents give %08x", ErrCorrupt, c.n, c.at, sum, crc)
	}
	c.at += chunkHeader + length
	c.n, c.crc, c.left = c.n+1, crc, data
	return nil
}

// notEOF keeps a file cut short from looking like a snapshot's proper end.
func notEOF(err error) error {
	if err == io.EOF {
		return fmt.Errorf("%w: the file ends here", ErrCorrupt)
	}
	return err
}
