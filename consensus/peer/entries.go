package peer

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/hashicorp/raft"
)

// What a leader sends over a connection for entries, big-endian:
//
//	u8 1, u64 term, u64 previous index, u64 previous term, u64 commit, u16 count
//	for each entry: u64 index, u64 term, u8 type, i64 AppendedAt in Unix
//	ns, 0 for none, u16 length of extensions, u32 length of data, both
//
//	u8 2, u64 term, u64 index: the entry with that index and term is
//	committed. There is no answer to this.
//
// What a follower answers to each of the first kind, in their order:
//
//	u64 term, u64 last index, u8 1 for success, u8 1 to try again at once
//
// It says what raft's AppendEntries say, but for what the hello has said: who
// leads.
const (
	entriesMessage = 1
	commitMessage  = 2

	entriesHead = 1 + 8 + 8 + 8 + 8 + 2
	entryHead   = 8 + 8 + 1 + 8 + 2 + 4
	commitSize  = 1 + 8 + 8
	entriesAck  = 8 + 8 + 1 + 1

	// maxEntries bounds the entries of one message; raft is set to fewer.
	maxEntries = 1024
)

var errEntries = errors.New("peer: malformed message on a connection for entries")

// writeEntries writes a message of the first kind.
func writeEntries(w *bufio.Writer, req *raft.AppendEntriesRequest) error {
	if len(req.Entries) > maxEntries {
		return fmt.Errorf("peer: %d entries in one message, at most %d", len(req.Entries), maxEntries)
	}
	be := binary.BigEndian
	b := append(w.AvailableBuffer(), entriesMessage)
	b = be.AppendUint64(be.AppendUint64(b, req.Term), req.PrevLogEntry)
	b = be.AppendUint64(be.AppendUint64(b, req.PrevLogTerm), req.LeaderCommitIndex)
	b = be.AppendUint16(b, uint16(len(req.Entries)))
	if _, err := w.Write(b); err != nil {
		return err
	}
	for _, e := range req.Entries {
		if len(e.Extensions) > 1<<16-1 || len(e.Data) > MaxMessage {
			return fmt.Errorf("peer: entry %d: %w", e.Index, ErrTooLong)
		}
		var at int64
		if !e.AppendedAt.IsZero() {
			at = e.AppendedAt.UnixNano()
		}
		b = be.AppendUint64(be.AppendUint64(w.AvailableBuffer(), e.Index), e.Term)
		b = be.AppendUint64(append(b, byte(e.Type)), uint64(at))
		b = be.AppendUint32(be.AppendUint16(b, uint16(len(e.Extensions))), uint32(len(e.Data)))
		if _, err := w.Write(b); err != nil {
			return err
		}
		if _, err := w.Write(e.Extensions); err != nil {
			return err
		}
		if _, err := w.Write(e.Data); err != nil {
			return err
		}
	}
	return nil
}

// readEntries reads the rest of a message of the first kind.
func readEntries(r *bufio.Reader, req *raft.AppendEntriesRequest) error {
	var b [max(entriesHead, entryHead)]byte
	head := b[:entriesHead-1]
	if _, err := io.ReadFull(r, head); err != nil {
		return cut(err)
	}
	be := binary.BigEndian
	req.Term, req.PrevLogEntry = be.Uint64(head), be.Uint64(head[8:])
	req.PrevLogTerm, req.LeaderCommitIndex = be.Uint64(head[16:]), be.Uint64(head[24:])
	count := int(be.Uint16(head[32:]))
	if count > maxEntries {
		return errEntries
	}
	for range count {
		head = b[:entryHead]
		if _, err := io.ReadFull(r, head); err != nil {
			return cut(err)
		}
		e := &raft.Log{Index: be.Uint64(head), Term: be.Uint64(head[8:]), Type: raft.LogType(head[16])}
		if at := int64(be.Uint64(head[17:])); at != 0 {
			e.AppendedAt = time.Unix(0, at)
		}
		extensions, data := int(be.Uint16(head[25:])), be.Uint32(head[27:])
		if data > MaxMessage {
			return ErrTooLong
		}
		body, err := readBody(r, 0, extensions+int(data))
		if err != nil {
			return err
		}
		if extensions > 0 {
			e.Extensions = body[:extensions:extensions]
		}
		e.Data = body[extensions:]
		req.Entries = append(req.Entries, e)
	}
	return nil
}

func appendCommit(b []byte, term, index uint64) []byte {
	be := binary.BigEndian
	return be.AppendUint64(be.AppendUint64(append(b, commitMessage), term), index)
}

func readCommit(r *bufio.Reader) (term, index uint64, err error) {
	var b [commitSize - 1]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		return 0, 0, cut(err)
	}
	return binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:]), nil
}

func encodeAck(resp *raft.AppendEntriesResponse) (b [entriesAck]byte) {
	binary.BigEndian.PutUint64(b[:], resp.Term)
	binary.BigEndian.PutUint64(b[8:], resp.LastLog)
	b[16], b[17] = flag(resp.Success), flag(resp.NoRetryBackoff)
	return b
}

func decodeAck(b *[entriesAck]byte, resp *raft.AppendEntriesResponse) error {
	resp.Term, resp.LastLog = binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint64(b[8:])
	if b[16] > 1 || b[17] > 1 {
		return errEntries
	}
	resp.Success, resp.NoRetryBackoff = b[16] == 1, b[17] == 1
	return nil
}
