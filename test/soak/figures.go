package soak

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"zkd/test/ensemble"
)

// Figures are what a run comes to.
type Figures struct {
	Seconds       float64
	Rounds        int
	Faults        int
	ByKind        map[Kind]int
	Writes        int64
	Reads         int64
	Unknown       int64
	Sessions      int64
	LeaderChanges int
	Leaderless    time.Duration // seconds in which nobody said that it led
	WriteP50      time.Duration
	WriteP99      time.Duration
	WriteMax      time.Duration
	ReadP50       time.Duration
	ReadP99       time.Duration
	ReadMax       time.Duration
	ServedP50     time.Duration // from the end of the faults until all servers served
	ServedMax     time.Duration
	MostMemory    int64 // of a server, resident
	MostDisk      int64
	Violations    int
}

// figures adds up what is known so far.
func (r *run) figures() Figures {
	now := r.now()
	f := Figures{Seconds: now.Seconds(), Rounds: len(r.rounds), ByKind: map[Kind]int{}, Violations: len(r.broken())}
	if r.watcher == nil {
		return f
	}
	for _, fault := range r.in.history.list(now) {
		f.Faults++
		f.ByKind[fault.Kind]++
	}
	var served []time.Duration
	for _, round := range r.rounds {
		served = append(served, round.Served)
	}
	f.ServedP50, f.ServedMax = ensemble.Quantile(sorted(served), 0.5), ensemble.Quantile(sorted(served), 1)
	f.Writes, f.Reads, f.Unknown, f.Sessions = r.fleet.written.Load(), r.fleet.read.Load(), r.fleet.unknown.Load(), r.fleet.sessions.Load()
	_, writes := r.fleet.writes.until(now)
	_, reads := r.fleet.reads.until(now)
	f.WriteP50, f.WriteP99, f.WriteMax = writes.quantile(0.5), writes.quantile(0.99), writes.max
	f.ReadP50, f.ReadP99, f.ReadMax = reads.quantile(0.5), reads.quantile(0.99), reads.max
	epochs := map[int64]bool{}
	led := map[int]bool{}
	for _, looks := range r.watcher.all() {
		for _, l := range looks {
			if l.Zxid != 0 {
				epochs[l.Zxid>>32] = true
			}
			if l.State == string(ensemble.Leader) {
				led[int(l.At/time.Second)] = true
			}
			f.MostMemory, f.MostDisk = max(f.MostMemory, l.RSS), max(f.MostDisk, l.Disk)
		}
	}
	f.LeaderChanges = max(len(epochs)-1, 0)
	f.Leaderless = now.Truncate(time.Second) - time.Duration(len(led))*time.Second
	return f
}

func sorted(values []time.Duration) []time.Duration { return slices.Sorted(slices.Values(values)) }

// count is a number with what it counts.
func count(n int, what string) string {
	if n != 1 && !strings.HasSuffix(what, "s") && what != "of them" {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}
