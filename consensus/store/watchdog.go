package store

import (
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	stallWarn  = time.Second
	stallFatal = 10 * time.Second
)

// watchdog times one operation at a time (its user is serialised already). A
// disk that hangs keeps the thread in the kernel, where nothing can reach it:
// only somebody else can notice, and raft would go on sending heartbeats.
type watchdog struct {
	warnAfter, fatalAfter time.Duration
	log                   *slog.Logger
	stalled               func(error)

	mu    sync.Mutex
	timer *time.Timer
	what  string
	file  string
	start time.Time // zero while nothing is in progress
}

func newWatchdog(o *Options, log *slog.Logger, stalled func(error)) *watchdog {
	w := &watchdog{warnAfter: stallWarn, fatalAfter: stallFatal, log: log, stalled: stalled}
	if o.hooks != nil && o.hooks.stallFatal > 0 {
		w.warnAfter, w.fatalAfter = o.hooks.stallWarn, o.hooks.stallFatal
	}
	return w
}

// begin starts the clock; file may be a directory. It allocates nothing after
// the first call.
func (w *watchdog) begin(what, file string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.what, w.file, w.start = what, file, time.Now()
	if w.timer == nil {
		w.timer = time.AfterFunc(w.warnAfter, w.fire)
		return
	}
	w.timer.Reset(w.warnAfter)
}

// end stops the clock and returns what it showed.
func (w *watchdog) end() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.timer.Stop()
	took := time.Since(w.start)
	w.start = time.Time{}
	return took
}

// fire runs on the timer's goroutine. A timer that went off just as its
// operation ended finds start cleared or young, and does nothing.
func (w *watchdog) fire() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.start.IsZero() {
		return
	}
	took := time.Since(w.start)
	switch {
	case took >= w.fatalAfter:
		w.stalled(fmt.Errorf("store: %s %s: no progress for %v: %w", w.what, w.file, took.Round(time.Millisecond), ErrStalled))
	case took >= w.warnAfter:
		w.log.Warn("storage is stalling", "op", w.what, "file", w.file, "for", took)
		w.timer.Reset(w.fatalAfter - took)
	default:
		w.timer.Reset(w.warnAfter - took)
	}
}
