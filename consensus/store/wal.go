package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/segment"
	"github.com/hashicorp/raft-wal/types"
)

// walLog is the log in raft-wal segments: one sync per append, and compaction
// is the removal of files.
type walLog struct {
	*wal.WAL
	fs   *walFS
	salt uint32
	fail *failure
}

func openWAL(s *Store, salt uint32, segmentSize int64, created bool) (*walLog, error) {
	dir := s.opt.LogDir
	fs := newWalFS(s)
	if err := fs.settle(); err != nil {
		return nil, err
	}
	if err := s.files.auditWAL(dir, salt, uint32(segmentSize), created, s.log); err != nil {
		return nil, err
	}
	w := &walLog{fs: fs, salt: salt, fail: s.fail}
	err := guard(func() (err error) {
		w.WAL, err = wal.Open(dir,
			wal.WithCodec(recordCodec{salt}),
			wal.WithSegmentFiler(walFiler{segment.NewFiler(dir, w.fs), w.fs}),
			wal.WithMetaStore(&walMeta{files: s.files, dir: dir, failed: w.fs.failed}),
			wal.WithSegmentSize(int(segmentSize)),
			wal.WithLogger(quietLogger(s.log)))
		return err
	})
	fs.forget(err)
	if err != nil {
		return nil, fmt.Errorf("store: open log in %s: %w", dir, diskFull(err))
	}
	return w, nil
}

func (w *walLog) file(index uint64) string { return w.fs.segmentOf(index) }
func (w *walLog) bytesOnDisk() int64       { return w.fs.total() }
func (w *walLog) deleteStep() uint64       { return math.MaxUint64 } // whole files go at once

// StoreLogs appends, after a rotation.
func (w *walLog) StoreLogs(logs []*raft.Log) error {
	if err := w.fs.rotation.await(w.fail); err != nil {
		return err
	}
	return w.WAL.StoreLogs(logs)
}

// DeleteRange deletes, after a rotation.
func (w *walLog) DeleteRange(lo, hi uint64) error {
	if err := w.fs.rotation.await(w.fail); err != nil {
		return err
	}
	return w.WAL.DeleteRange(lo, hi)
}

// Close ends the use of the files, after a rotation.
func (w *walLog) Close() error {
	if ended := w.fs.rotation.underway(); ended != nil {
		<-ended
	}
	return w.WAL.Close()
}

// storeBehind is StoreLogs that may leave the sync to the caller: it returns the
// file to sync then, nil if all is durable. raft-wal makes one sync an append,
// which walFS remembers instead.
func (w *walLog) storeBehind(logs []*raft.Log) (*walFile, error) {
	w.fs.later, w.fs.left = true, nil
	err := w.StoreLogs(logs)
	w.fs.later = false
	return w.fs.left, err
}

func (w *walLog) GetLog(index uint64, l *raft.Log) error {
	err := w.WAL.GetLog(index, l)
	if errors.Is(err, types.ErrCorrupt) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

// locate walks the segment of index again to put an offset to a failed read.
func (w *walLog) locate(index uint64) error {
	return w.fs.files.rescan(w.fs.segmentOf(index), w.salt)
}

// recordCodec hands our records through raft-wal: the encoding is done before
// (logStore.encode), so that one buffer serves all batches.
type recordCodec struct{ salt uint32 }

// codecID is "zkd", version 1.
const codecID = 0x7a6b64_0001

func (c recordCodec) ID() uint64 { return codecID }

func (c recordCodec) Encode(l *raft.Log, w io.Writer) error {
	if b, ok := w.(*bytes.Buffer); ok && b.Len() == 0 {
		// raft-wal makes a buffer for each entry. Giving it ours saves the
		// copy; raft-wal copies the bytes into its own write buffer before
		// StoreLogs returns, and the record is not reused until then.
		*b = *bytes.NewBuffer(l.Data)
		return nil
	}
	_, err := w.Write(l.Data)
	return err
}

func (c recordCodec) Decode(b []byte, l *raft.Log) error { return decodeRecord(b, c.salt, l) }

// walFiler and walMeta write our codec's id into new segments and into their
// list. raft-wal writes its own codec's id whatever codec it was given, and
// then refuses to open the log again.
type walFiler struct {
	*segment.Filer
	fs *walFS
}

func (f walFiler) RecoverTail(info types.SegmentInfo) (types.SegmentWriter, error) {
	f.fs.reopened = int64(info.SizeLimit)
	w, err := f.Filer.RecoverTail(info)
	if err != nil {
		return nil, err
	}
	return walWriter{w, f.fs}, nil
}

func (f walFiler) Create(info types.SegmentInfo) (types.SegmentWriter, error) {
	info.Codec = codecID
	w, err := f.Filer.Create(info)
	if err != nil {
		return nil, err
	}
	f.fs.rotation.end()
	return walWriter{w, f.fs}, nil
}

// quietLogger forwards raft-wal's errors and warnings.
func quietLogger(log *slog.Logger) hclog.Logger {
	return hclog.New(&hclog.LoggerOptions{
		Name: "raft-wal", Level: hclog.Warn, DisableTime: true, Output: lineWriter{log},
	})
}

type lineWriter struct{ log *slog.Logger }

func (w lineWriter) Write(p []byte) (int, error) {
	w.log.Warn("raft-wal reports", "line", string(bytes.TrimSpace(p)))
	return len(p), nil
}
