package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// snapSync is how much a snapshot writes between two syncs. One sync at the
// end would stall the log's own syncs for as long as gigabytes take.
const snapSync = 8 * mib

// snapSink writes one snapshot under a temporary name and gives it its own in
// Close. After any error, or Cancel, nothing of it remains. For one goroutine.
type snapSink struct {
	st   *snapshotStore
	id   string
	meta snapMeta
	tmp  string
	f    *os.File
	dog  *watchdog

	buf      []byte // chunk header and the data gathered so far
	size     int64
	chunks   uint64
	crc      uint32
	at       int64 // size of the file
	unsynced int64
	done     bool
	err      error // why the sink failed
}

func newSink(st *snapshotStore, id string, meta snapMeta) (*snapSink, error) {
	head, err := meta.encode()
	if err != nil {
		return nil, err
	}
	k := &snapSink{
		st: st, id: id, meta: meta, tmp: filepath.Join(st.tmpDir, id+snapSuffix),
		crc: binary.LittleEndian.Uint32(head[len(head)-4:]),
		buf: make([]byte, chunkHeader, chunkHeader+snapChunk),
		dog: newWatchdog(st.opt, st.log, func(err error) { st.fail.fail(err) }),
	}
	k.dog.begin("create", k.tmp)
	k.f, err = st.files.create(k.tmp, os.O_EXCL|os.O_WRONLY)
	k.dog.end()
	if err != nil {
		return nil, err
	}
	if err := k.write(head); err != nil {
		return nil, k.abort(err)
	}
	return k, nil
}

// ID names the snapshot for SnapshotStore.Open.
func (k *snapSink) ID() string { return k.id }

func (k *snapSink) Write(p []byte) (int, error) {
	if k.err != nil {
		return 0, k.err
	}
	if k.done {
		return 0, fmt.Errorf("store: write snapshot %s: it is closed already", k.id)
	}
	written := 0
	for len(p) > 0 {
		n := min(len(p), cap(k.buf)-len(k.buf))
		k.buf = append(k.buf, p[:n]...)
		p, written = p[n:], written+n
		if len(k.buf) == cap(k.buf) {
			if err := k.flush(); err != nil {
				return 0, k.abort(err)
			}
		}
	}
	return written, nil
}

// flush writes the gathered bytes as one chunk.
func (k *snapSink) flush() error {
	data := k.buf[chunkHeader:]
	if len(data) == 0 {
		return nil
	}
	k.crc = chunkCRC(k.crc, k.chunks, data)
	binary.LittleEndian.PutUint32(k.buf, uint32(len(data)))
	binary.LittleEndian.PutUint32(k.buf[4:], k.crc)
	if err := k.write(k.buf); err != nil {
		return err
	}
	k.chunks++
	k.size += int64(len(data))
	k.buf = k.buf[:chunkHeader]
	if k.unsynced >= snapSync {
		return k.sync()
	}
	return nil
}

func (k *snapSink) write(b []byte) error {
	k.dog.begin("write", k.tmp)
	defer k.dog.end()
	n, err := k.st.files.writeAt(k.f, b, k.at)
	k.at += int64(n)
	k.unsynced += int64(n)
	return err
}

// sync also looks whether going on would take the log's last room.
func (k *snapSink) sync() error {
	k.unsynced = 0
	if err := k.st.fail.check(); err != nil {
		return err
	}
	if err := k.st.files.requireFree(k.st.dir, k.st.opt.MinFreeBytes); err != nil {
		return err
	}
	if k.st.opt.NoSync {
		return nil
	}
	k.dog.begin("sync", k.tmp)
	defer k.dog.end()
	return k.st.files.do(OpSync, k.tmp, func() error { return datasync(k.f.Fd()) })
}

// Close makes the snapshot durable and visible, then drops the oldest ones.
func (k *snapSink) Close() error {
	if k.done {
		return k.err
	}
	err := k.flush()
	if err == nil {
		err = k.write(encodeTrailer(k.size, k.chunks, k.crc))
	}
	if err == nil {
		err = k.finish()
	}
	if err != nil {
		return k.abort(err)
	}
	k.done = true
	k.st.retain() // not timed: a large file may take long to remove
	return nil
}

// finish makes what was written a snapshot.
func (k *snapSink) finish() error {
	k.dog.begin("finish", k.tmp)
	defer k.dog.end()
	if !k.st.opt.NoSync {
		if err := k.st.files.sync(k.f); err != nil {
			return err
		}
	}
	if err := k.f.Close(); err != nil {
		return err
	}
	return k.st.publish(k)
}

// Cancel removes what was written. After Close it does nothing.
func (k *snapSink) Cancel() error {
	if k.done {
		return nil
	}
	k.abort(errors.New("canceled"))
	return nil
}

// abort removes the temporary file and makes cause the sink's lasting error. A
// full disk leaves the store in service: the log has its own low-water mark.
// Any other failed write tells of a broken disk, and is fatal.
func (k *snapSink) abort(cause error) error {
	if k.done {
		return k.err
	}
	k.done = true
	k.f.Close()
	_ = k.st.files.remove(k.tmp)
	k.err = fmt.Errorf("store: write snapshot %s: %w", k.tmp, diskFull(cause))
	var perr *os.PathError
	if (errors.As(cause, &perr) || isErrno(cause)) && !isDiskFull(cause) {
		k.st.fail.fail(k.err)
	}
	return k.err
}

func nowMs() int64 { return time.Now().UnixMilli() }
