package consensus

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"time"
)

// snapshotRetry is the pause after a snapshot that failed, mostly for want of
// space.
const snapshotRetry = 30 * time.Second

// keepLogs makes the log reach back to the last snapshot when the next one
// cuts it: should that be damaged one day, the one before can take over.
func (n *Node) keepLogs() error {
	r := n.raft.Load()
	rc := r.ReloadableConfig()
	rc.TrailingLogs = max(r.LastIndex()-min(n.store.Stats().LastSnapshotIndex, r.LastIndex()), n.trailing())
	if err := r.ReloadConfig(rc); err != nil {
		return fmt.Errorf("consensus: set how much log stays: %w", err)
	}
	return nil
}

// minTrailing is how many entries stay behind a snapshot at least: far more
// than can be under way and not committed (hashicorp/raft issue 697).
const minTrailing = 1024

func (n *Node) trailing() uint64 {
	if n.cfg.Trailing > 0 {
		return n.cfg.Trailing
	}
	return minTrailing
}

// growth is what was applied since the last snapshot, and so what would be
// replayed at the next start. It belongs to the goroutine that applies.
type growth struct {
	requests, bytes int64
	due             int64 // requests at which the next snapshot is due
	asked           bool
}

// restart begins anew. The number of requests until the next snapshot is drawn
// between half of what is configured and all of it, as ZooKeeper does: servers
// of an ensemble do not all write theirs at once.
func (g *growth) restart(snapCount int) {
	half := max(int64(snapCount)/2, 1)
	*g = growth{due: half + rand.Int64N(half)}
}

// add counts what was applied and tells, once, that a snapshot is due.
func (g *growth) add(requests uint64, bytes int, maxBytes int64) bool {
	g.requests += int64(requests)
	g.bytes += int64(bytes)
	if g.asked || g.requests < g.due && (maxBytes <= 0 || g.bytes < maxBytes) {
		return false
	}
	g.asked = true
	return true
}

func (n *Node) askSnapshot() {
	select {
	case n.snapshotNow <- struct{}{}:
	default:
	}
}

// snapshotDamaged replaces a snapshot that could not be read when it was to be
// sent: whoever needs it, needs another. What is found at the start is for Ready.
func (n *Node) snapshotDamaged() {
	if n.stream.incarnation.Load() != 0 {
		n.askSnapshot()
	}
}

// snapshotRate is how fast a snapshot is written, in bytes a second. The log is
// on the same disk as a rule, and its syncs are what clients wait for.
const snapshotRate = 48 << 20

// pace holds bytes to snapshotRate until stop is closed.
type pace struct {
	stop  <-chan struct{}
	began time.Time
	bytes int64
}

func (p *pace) wait(n int) error {
	p.bytes += int64(n)
	due := time.Duration(float64(p.bytes) / snapshotRate * float64(time.Second))
	early := due - time.Since(p.began)
	if early < time.Millisecond {
		return nil
	}
	select {
	case <-p.stop:
		return ErrClosed
	case <-time.After(early):
		return nil
	}
}

type pacedWriter struct {
	w io.Writer
	pace
}

func (p *pacedWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	if err == nil {
		err = p.wait(n)
	}
	return n, err
}

type pacedReader struct {
	r io.Reader
	pace
}

func (p *pacedReader) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err == nil {
		err = p.wait(n)
	}
	return n, err
}

// configurationPending is in raft's error, which has no name, for a snapshot that
// comes just when the members change.
const configurationPending = "wait until the configuration entry"

// snapshotter takes a snapshot whenever one is due.
func (n *Node) snapshotter(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-n.snapshotNow:
		}
		err := n.Snapshot()
		if err != nil && strings.Contains(err.Error(), configurationPending) {
			n.pause(ctx, watchEvery)
			n.askSnapshot()
			continue
		}
		if err != nil && ctx.Err() == nil {
			// The log still has what the snapshot would have had.
			n.cfg.Logger.Error("snapshot failed", "err", err, "retry", snapshotRetry)
			select {
			case <-ctx.Done():
			case <-time.After(snapshotRetry):
				n.askSnapshot()
			}
		}
	}
}
