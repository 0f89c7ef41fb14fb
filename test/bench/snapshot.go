package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// snapshotCount is the snapCount of the snapshot run: small, so that writes trigger several.
	snapshotCount    = 20_000
	snapshotSessions = 8
	snapshotDepth    = 4
	snapshotLook     = 5 * time.Millisecond
	// snapshotQuiet is how long nothing must have been written before a snapshot counts as over.
	snapshotQuiet = 100 * time.Millisecond
)

// runSnapshot restarts a filled server with a small snapCount, then writes for o.SnapshotTime and reports
// the latency of writes while a snapshot was being written and while none was.
func runSnapshot(ctx context.Context, s *server, o *options) (sample, error) {
	if err := s.restartWith(ctx, map[string]string{"snapCount": fmt.Sprint(snapshotCount)}); err != nil {
		return sample{}, err
	}
	set, err := findWorkload("set")
	if err != nil {
		return sample{}, err
	}
	sc := scenario{workload: set, sessions: snapshotSessions, depth: snapshotDepth}
	w := o.params(sc, 0)
	if err := prepare(s.addr, sc.workload, w); err != nil {
		return sample{}, fmt.Errorf("snapshot: prepare: %w", err)
	}
	l, err := startLoad(ctx, []string{s.addr}, sc.sessions, sc.depth, o.Threads, sc.workload.sources(w))
	if err != nil {
		return sample{}, fmt.Errorf("snapshot: %w", err)
	}
	err = l.sleep(s.warmUp())
	seen := 0
	if err == nil {
		seen, err = l.followSnapshots(s.dataDir(), o.SnapshotTime)
	}
	if ferr := l.finish(); ferr != nil {
		err = ferr
	}
	if err != nil {
		return sample{}, fmt.Errorf("snapshot: %w", err)
	}
	quiet, during := l.latencies(phaseA), l.latencies(phaseB)
	if seen == 0 || during.count == 0 {
		return sample{}, errors.New("snapshot: none was seen; write for longer (-snapshot-time)")
	}
	return sample{Scenario: o.snapshotName(), Server: s.kind.name, Values: map[metric]float64{
		mSnapshots:    float64(seen),
		mQuietP99:     micros(quiet.quantile(0.99)),
		mDuringP99:    micros(during.quantile(0.99)),
		mDuringMax:    micros(time.Duration(during.max)),
		mSnapSlowdown: float64(during.quantile(0.99)) / float64(max(quiet.quantile(0.99), 1)),
	}}, nil
}

// restartWith stops the server in good order, adds keys to its zoo.cfg and starts it.
func (s *server) restartWith(ctx context.Context, extra map[string]string) error {
	s.terminate()
	f, err := os.OpenFile(s.cfg(), os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	for k, v := range extra {
		fmt.Fprintf(f, "%s=%s\n", k, v)
	}
	if err := f.Close(); err != nil {
		return err
	}
	return s.start(ctx)
}

// followSnapshots switches the load's phase with the snapshots seen in dir and counts them.
func (l *load) followSnapshots(dir string, t time.Duration) (seen int, err error) {
	watch := snapshotWatch{sizes: snapshotSizes(dir)}
	l.phase.Store(phaseA)
	defer l.phase.Store(phaseWarm)
	for until := time.Now().Add(t); time.Now().Before(until); {
		if err := l.sleep(snapshotLook); err != nil {
			return seen, err
		}
		was := watch.running
		if watch.look(snapshotSizes(dir), time.Now()); watch.running == was {
			continue
		}
		if watch.running {
			seen++
			l.phase.Store(phaseB)
		} else {
			l.phase.Store(phaseA)
		}
	}
	return seen, nil
}

// snapshotWatch tells from the sizes of snapshot files whether one is being written. It looks from
// outside, so that it works alike for every kind of server.
type snapshotWatch struct {
	sizes      map[string]int64
	lastGrowth time.Time
	running    bool
}

func (w *snapshotWatch) look(sizes map[string]int64, now time.Time) {
	for path, n := range sizes {
		if old, known := w.sizes[path]; !known || n != old {
			w.running, w.lastGrowth = true, now
		}
	}
	if w.running && now.Sub(w.lastGrowth) > snapshotQuiet {
		w.running = false
	}
	w.sizes = sizes
}

// snapshotSizes: files with "snap" in their own name or in that of a directory below dir.
func snapshotSizes(dir string) map[string]int64 {
	sizes := make(map[string]int64)
	walkFiles(dir, func(path string, size int64) {
		if rel, err := filepath.Rel(dir, path); err == nil && strings.Contains(strings.ToLower(rel), "snap") {
			sizes[path] = size
		}
	})
	return sizes
}

func diskUsage(dir string) int64 {
	var sum int64
	walkFiles(dir, func(_ string, size int64) { sum += size })
	return sum
}

// walkFiles passes over what vanishes while it walks.
func walkFiles(dir string, visit func(path string, size int64)) {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return nil
		}
		if info, err := e.Info(); err == nil {
			visit(path, info.Size())
		}
		return nil
	})
}
