package store

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// A raft-wal segment, as far as the audit reads it. Everything is little-endian
// and every frame starts at a multiple of eight.
//
//	file    = header batch* zeros
//	header  = magic (8) base index (8) segment id (8) codec (8)
//	batch   = (entry | index)* commit       written by one WriteAt, then synced
//	entry   = 01 00 00 00, length (4), record, padding to 8
//	index   = 02 00 00 00, length (4), offset of each entry (4 each), padding
//	commit  = 03 00 00 00, CRC32C (4) of all bytes since the previous commit
//
// The file is preallocated with zeros, and an index frame seals it.
const (
	segHeader   = 32
	frameHeader = 8

	frameEntry  = 1
	frameIndex  = 2
	frameCommit = 3
)

// stop is why a scan went no further.
type stop string

const (
	stopZero   stop = "the frames end"
	stopFrame  stop = "damaged frame header"
	stopLength stop = "frame reaches beyond the end of the file"
	stopCRC    stop = "batch does not match its checksum"
	stopRecord stop = "batch holds a wrong record"
)

// scan is what a walk through a segment found.
type scan struct {
	good       int64  // end of the last sound batch; 0: none, not even the header
	entries    uint64 // in sound batches
	indexStart uint64 // of the index frame in the last sound batch, else 0
	why        stop
	at         int64 // offset where the walk stopped
	detail     error // for stopRecord
}

func (s scan) String() string {
	if s.detail != nil {
		return fmt.Sprintf("%s at offset %d: %v", s.why, s.at, s.detail)
	}
	return fmt.Sprintf("%s at offset %d", s.why, s.at)
}

// scanner walks the frames in one pass, with a running checksum.
type scanner struct {
	r    *bufio.Reader
	size int64
	pos  int64
	crc  uint32
	salt uint32
	base uint64
	buf  []byte

	scan
	batch      uint64 // entries since the last commit
	batchIndex uint64 // index frame since the last commit
	batchErr   error  // first wrong record since the last commit
}

// scanSegment reads the segment whose first entry is base. An error means that
// the file could not be read; damage is told by the result.
func scanSegment(f io.ReaderAt, size int64, base uint64, salt uint32) (scan, error) {
	s := &scanner{
		r: bufio.NewReaderSize(io.NewSectionReader(f, 0, size), 256*kib), size: size, base: base, salt: salt,
		buf: make([]byte, 64*kib),
	}
	s.why = stopZero
	if size < segHeader {
		s.at = size
		return s.scan, nil
	}
	if err := s.consume(segHeader); err != nil {
		return s.scan, err
	}
	for {
		more, err := s.frame()
		if err != nil || !more {
			return s.scan, err
		}
	}
}

// consume reads n bytes into the running checksum and leaves the first of them
// in s.buf.
func (s *scanner) consume(n int64) error {
	for first := true; n > 0; first = false {
		part := s.buf[:min(n, int64(len(s.buf)))]
		if !first {
			part = s.buf[recordHeader:][:min(n, int64(len(s.buf)-recordHeader))]
		}
		if _, err := io.ReadFull(s.r, part); err != nil {
			return err
		}
		s.crc = crc32.Update(s.crc, castagnoli, part)
		s.pos += int64(len(part))
		n -= int64(len(part))
	}
	return nil
}

func (s *scanner) frame() (more bool, err error) {
	s.at = s.pos
	if s.size-s.pos < frameHeader {
		s.at = s.size
		s.why = stopZero
		return false, nil
	}
	crc := s.crc
	if err := s.consume(frameHeader); err != nil {
		return false, err
	}
	word := binary.LittleEndian.Uint32(s.buf)
	arg := binary.LittleEndian.Uint32(s.buf[4:])
	switch {
	case word == frameCommit:
		return s.commit(arg == crc), nil
	case word == frameEntry || word == frameIndex:
		return s.payload(word, arg)
	case word == 0 && arg == 0:
		s.why = stopZero
	default:
		s.why = stopFrame
	}
	return false, nil
}

func (s *scanner) payload(typ, length uint32) (more bool, err error) {
	if s.wrongLength(typ, length) {
		s.why = stopFrame
		return false, nil
	}
	padded := (int64(length) + 7) &^ 7
	if padded > s.size-s.pos {
		s.why = stopLength
		return false, nil
	}
	start := s.pos
	if err := s.consume(padded); err != nil {
		return false, err
	}
	if typ == frameIndex {
		s.batchIndex = uint64(start)
		return true, nil
	}
	// Not judged before the commit frame: in a torn batch anything may be here.
	if err := s.checkRecord(length); err != nil && s.batchErr == nil {
		s.batchErr = fmt.Errorf("entry at offset %d: %w", s.at, err)
	}
	s.batch++
	return true, nil
}

// wrongLength compares the length in a frame header with what follows from
// other bytes. A torn write makes it smaller only where it leaves zeros behind.
func (s *scanner) wrongLength(typ, length uint32) bool {
	if typ == frameIndex {
		return uint64(length) > 4*(s.entries+s.batch)
	}
	rec, err := s.r.Peek(recordHeader)
	if err != nil {
		return false
	}
	h, err := decodeHeader(rec, s.salt)
	return err == nil && uint64(h.length)+recordHeader != uint64(length)
}

func (s *scanner) checkRecord(length uint32) error {
	h, err := decodeHeader(s.buf[:min(int(length), recordHeader)], s.salt)
	if err != nil {
		return err
	}
	if want := s.base + s.entries + s.batch; h.index != want || h.length != length-recordHeader {
		return fmt.Errorf("%w: entry %d of %d bytes where entry %d of %d is due",
			ErrCorrupt, h.index, h.length, want, length-recordHeader)
	}
	return nil
}

func (s *scanner) commit(sound bool) (more bool) {
	switch {
	case !sound:
		s.why = stopCRC
		return false
	case s.batchErr != nil:
		s.why, s.detail = stopRecord, s.batchErr
		return false
	}
	s.good = s.pos
	s.entries += s.batch
	s.indexStart = s.batchIndex
	s.batch, s.batchIndex, s.crc = 0, 0, 0
	return true
}

// rescan reports the first damage in a segment file, nil if it finds none.
func (d files) rescan(path string, salt uint32) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return err
	}
	var hdr [segHeader]byte
	if _, err := d.reader(f).ReadAt(hdr[:], 0); err != nil {
		return err
	}
	s, err := scanSegment(d.reader(f), fi.Size(), binary.LittleEndian.Uint64(hdr[8:]), salt)
	if err != nil || s.why == stopZero {
		return err
	}
	return fmt.Errorf("%s", s)
}
