package soak

import "zkd/test/oracle"

// Check is a promise that a run examines.
type Check string

// The checks; the numbers are those of docs/faults.md.
const (
	Setup       Check = "the ensemble starts, and faults can be made"
	Lives       Check = "no server ends by itself, panics or reports a race"
	Durable           = Check(oracle.Durable)
	Linear            = Check(oracle.Linear)
	AtMostOnce        = Check(oracle.AtMostOnce)
	SessionView       = Check(oracle.SessionView)
	Watches           = Check(oracle.Watches)
	Replicas          = Check(oracle.Replicas)
	Digests     Check = "I6 the digests of all servers are equal at rest"
	Ephemerals        = Check(oracle.Ephemerals)
	Serves      Check = "I8 when faults end, every server serves within a minute"
	Progress    Check = "I8 every client writes again within a minute, also while a minority is unwell"
	Leaks       Check = "I8 goroutines, descriptors, disk and memory are within their bounds"
	Substance         = Check(oracle.NotVacuous)
)

// Verdict is what became of a check.
type Verdict struct {
	Check  Check
	Of     string // how much was examined
	Broken []Violation
}

var checks = []Check{
	Setup, Lives, Durable, Linear, AtMostOnce, SessionView, Watches, Replicas, Digests, Ephemerals, Serves, Progress, Leaks, Substance,
}

// verdicts says of each check how much it has examined, and what it found.
func (r *run) verdicts() (list []Verdict) {
	of := map[Check]string{}
	for c, n := range r.times {
		of[c] = count(n, "time")
	}
	if r.fleet != nil {
		s := r.judged
		of[Durable] = count(s.Writes, "acknowledged write")
		of[Linear] = count(s.Writes, "write") + ", " + count(s.Syncs, "sync") + ", " + count(s.Second, "operation") + " by Porcupine"
		of[AtMostOnce] = count(s.Unknown, "write") + " without a reply, " + count(s.UnknownApplied, "of them") + " applied"
		of[SessionView] = count(s.Reads, "read") + " in " + count(s.Sessions, "session")
		of[Watches] = count(s.Events, "event") + ", " + count(s.SetWatches, "setWatches")
		of[Replicas] = count(s.Entries, "request") + " of the log, " + count(s.Restores, "snapshot") + " loaded"
		of[Ephemerals] = count(s.Expired, "expired session") + ", " + count(s.EphemeralsEnded, "ephemeral") + " gone with theirs"
	}
	for _, c := range checks {
		v := Verdict{Check: c, Of: of[c]}
		for _, b := range r.broken() {
			if b.Check == c {
				v.Broken = append(v.Broken, b)
			}
		}
		list = append(list, v)
	}
	return list
}
