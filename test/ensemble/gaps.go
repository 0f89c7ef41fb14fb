package ensemble

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Gap is the longest time that any of some clients went without a completed write between two moments. A client that
// completed none afterwards went without one until the end.
func (l *Load) Gap(from, to time.Duration, take func(home *Server) bool) (longest time.Duration) {
	for _, w := range l.workers {
		if take(w.home) {
			longest = max(longest, w.gap(from, to))
		}
	}
	return longest
}

func (w *worker) gap(from, to time.Duration) (longest time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := time.Duration(0)
	// What returned long before cannot matter, except for the last acknowledged one.
	at, _ := slices.BinarySearchFunc(w.writes, from, func(wr Write, from time.Duration) int { return cmp.Compare(wr.Return, from) })
	for at > 0 {
		if at--; w.writes[at].Outcome == Acknowledged {
			break
		}
	}
	for _, wr := range w.writes[at:] {
		if wr.Outcome != Acknowledged {
			continue
		}
		if wr.Return >= from && last <= to {
			longest = max(longest, wr.Return-last)
		}
		last = wr.Return
	}
	if last < to {
		longest = max(longest, to-last)
	}
	return longest
}

// Latencies are the times from call to reply of acknowledged writes between two moments, shortest first.
func (l *Load) Latencies(from, to time.Duration, take func(home *Server) bool) (all []time.Duration) {
	for _, w := range l.workers {
		if !take(w.home) {
			continue
		}
		w.mu.Lock()
		for _, wr := range w.writes {
			if wr.Outcome == Acknowledged && wr.Call >= from && wr.Return <= to {
				all = append(all, wr.Return-wr.Call)
			}
		}
		w.mu.Unlock()
	}
	slices.Sort(all)
	return all
}

// Quantile is the value below which a part of sorted values lies.
func Quantile(sorted []time.Duration, part float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return sorted[min(len(sorted)-1, int(part*float64(len(sorted))))]
}

// Distribution is a line for a report: median, worst and, of not too many, all values.
func Distribution(values []time.Duration) string {
	sorted := slices.Sorted(slices.Values(values))
	if len(sorted) > 50 {
		return fmt.Sprintf("p50 %v, p90 %v, p99 %v, worst %v", Quantile(sorted, 0.5).Round(time.Millisecond),
			Quantile(sorted, 0.9).Round(time.Millisecond), Quantile(sorted, 0.99).Round(time.Millisecond), Quantile(sorted, 1).Round(time.Millisecond))
	}
	var all []string
	for _, v := range sorted {
		all = append(all, fmt.Sprint(v.Milliseconds()))
	}
	return fmt.Sprintf("median %v, worst %v; in ms: %s", Quantile(sorted, 0.5).Round(time.Millisecond),
		Quantile(sorted, 1).Round(time.Millisecond), strings.Join(all, " "))
}

// Everyone takes the clients of all servers.
func Everyone(*Server) bool { return true }

// ClientsOf takes those whose home is one of the servers.
func ClientsOf(servers ...*Server) func(*Server) bool {
	return func(home *Server) bool { return slices.Contains(servers, home) }
}
