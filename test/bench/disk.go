package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"zkd/test/proc"
)

// syncCountKey is the number of syncs of the log in mntr, of ZooKeeper and zkd alike.
const syncCountKey = "zk_cnt_fsynctime"

// diskUse is what servers have asked of the disk since they were started.
type diskUse struct {
	at      time.Time
	written int64 // bytes, by the pages made dirty (write_bytes of proc(5) io)
	syncs   int64 // of the log
}

// disk adds up what the servers of an ensemble have written. A process whose figures may not be read has
// written nothing.
func (e *ensemble) disk() (use diskUse, err error) {
	for _, s := range e.servers {
		n, err := proc.Written(s.pid())
		if errors.Is(err, os.ErrPermission) {
			return diskUse{at: time.Now()}, nil
		}
		if err != nil {
			return use, fmt.Errorf("server %d: %w", s.id, err)
		}
		use.written += n
		if s.kind.stateless {
			continue
		}
		out, err := fourLetterWord(s.addr, "mntr")
		if err != nil {
			return use, fmt.Errorf("server %d: %w", s.id, err)
		}
		if n, ok := mntrValue(out, syncCountKey); ok {
			use.syncs += n
		}
	}
	use.at = time.Now()
	return use, nil
}

// values of the time since before, in which so many operations a second were answered. Nothing written is
// nothing to report.
func (d diskUse) values(before diskUse, rate float64) map[metric]float64 {
	written, syncs, seconds := d.written-before.written, d.syncs-before.syncs, d.at.Sub(before.at).Seconds()
	if written <= 0 || seconds <= 0 || rate <= 0 {
		return nil
	}
	v := map[metric]float64{
		mWrittenPerOp: float64(written) / seconds / rate,
		mWriteRate:    mib(written) / seconds,
	}
	if syncs > 0 {
		v[mSyncRate] = float64(syncs) / seconds
		v[mOpsPerSync] = rate / v[mSyncRate]
	}
	return v
}

// plainFile is as long as a log's segment.
const plainFile = 64 << 20

// plainSyncs is how many writes of n bytes a second, each followed by fdatasync, the disk below dir takes
// from one thread that does nothing else. The file has been written to before, as logs preallocate theirs: so
// no sync has to record a new length.
func plainSyncs(dir string, n int, t time.Duration) (rate float64, err error) {
	f, err := os.CreateTemp(dir, "plain-")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := f.Write(make([]byte, plainFile)); err != nil {
		return 0, err
	}
	if err := f.Sync(); err != nil {
		return 0, err
	}
	n = min(max(n, 1), plainFile)
	block := payload(n)
	begin, at, syncs := time.Now(), int64(0), 0
	for time.Since(begin) < t {
		if at+int64(n) > plainFile {
			at = 0
		}
		if _, err := f.WriteAt(block, at); err != nil {
			return 0, err
		}
		if err := unix.Fdatasync(int(f.Fd())); err != nil {
			return 0, err
		}
		at += int64(n)
		syncs++
	}
	return float64(syncs) / time.Since(begin).Seconds(), nil
}

// besidePlainLoop holds a server's syncs against those of a plain loop that writes with each as many bytes
// as the requests of one batch had.
func besidePlainLoop(one sample, request int, dir string, t time.Duration) error {
	batch, ok := one.Values[mOpsPerSync]
	if !ok {
		return nil
	}
	plain, err := plainSyncs(dir, int(batch*float64(request)), t)
	if err != nil {
		return fmt.Errorf("plain loop of syncs: %w", err)
	}
	one.Values[mPlainSyncRate], one.Values[mSyncsOfPlain] = plain, one.Values[mSyncRate]/plain
	return nil
}
