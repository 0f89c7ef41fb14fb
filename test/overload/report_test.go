package overload

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// row is what came of one scenario against one target.
type row struct {
	scenario, kind string
	limit          int64
	did            int64
	quiet, load    []waits // of the victim's clients, then of each peer's
	before, after  figures
	recovered      time.Duration
	led            bool // the victim leads still, or did not before
}

// check is what must hold whatever else the machine does.
func (r *row) check(t *testing.T) {
	t.Helper()
	if r.after.peak > r.limit {
		t.Errorf("%d MiB of memory, the limit is %d", r.after.peak/mega, r.limit/mega)
	}
	for i, w := range r.load {
		if len(w.Lost) > 0 {
			t.Errorf("honest clients of server %d were lost: %v", i, w.Lost)
		}
		if w.Count == 0 || w.P99 > unbearable {
			t.Errorf("honest clients of server %d: %d answers, p99 %v", i, w.Count, w.P99)
		}
	}
}

var header = []string{
	"scenario", "server", "attackers did", "peak MiB", "limit", "p99 quiet", "p99 under it", "longest", "peers' p99 quiet", "under it",
	"leader", "recovered in", "files (sockets)", "goroutines",
}

func (r *row) cells() []string {
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }
	peers := func(all []waits) string {
		var worst time.Duration
		for _, w := range all[1:] {
			worst = max(worst, w.P99)
		}
		if len(all) == 1 {
			return "–"
		}
		return ms(worst)
	}
	return []string{
		r.scenario, r.kind, fmt.Sprint(r.did), fmt.Sprint(r.after.peak / mega), fmt.Sprint(r.limit / mega),
		ms(r.quiet[0].P99), ms(r.load[0].P99), ms(r.load[0].Max), peers(r.quiet), peers(r.load),
		map[bool]string{true: "stays", false: "changes"}[r.led], fmt.Sprintf("%.1f s", r.recovered.Seconds()),
		fmt.Sprintf("%d (%d) → %d (%d)", r.before.files, r.before.sockets, r.after.files, r.after.sockets), fmt.Sprintf("%d → %d", r.before.goroutines, r.after.goroutines),
	}
}

// report gathers the rows of a run.
var report table

type table struct {
	mu   sync.Mutex
	rows []row
}

func (b *table) add(r row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rows = append(b.rows, r)
}

func (b *table) String() string {
	var s strings.Builder
	line := func(cells []string) { fmt.Fprintf(&s, "| %s |\n", strings.Join(cells, " | ")) }
	line(header)
	s.WriteString(strings.Repeat("|---", len(header)) + "|\n")
	for _, r := range b.rows {
		line(r.cells())
	}
	return s.String()
}

func (b *table) write(file string) error {
	if len(b.rows) == 0 {
		return nil
	}
	fmt.Print(b)
	if file == "" {
		return nil
	}
	return os.WriteFile(file, []byte(b.String()), 0o644)
}
