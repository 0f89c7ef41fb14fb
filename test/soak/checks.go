package soak

import "slices"

// Check is a promise that a run examines; the letters are those of docs/testing.md.
type Check string

// The checks.
const (
	Setup     Check = "setup: the ensemble starts, faults can be made"
	Lives     Check = "no server ends by itself, panics or reports a race"
	Serves    Check = "I8: when faults end, every server serves within a minute"
	Progress  Check = "I8: every client writes again, with a minority unwell too"
	Clients   Check = "I1, I3, I4, I7: writes acknowledged are there once, in order; sessions and ephemerals live"
	Replicas  Check = "I6: digests and trees of all servers are equal"
	Leaks     Check = "I8: goroutines, descriptors, files and disk are as before"
	Substance Check = "I9: there were faults, writes and changes of leader enough to mean something"
)

// Checks are all of them in the order of the page.
var Checks = []Check{Setup, Lives, Serves, Progress, Clients, Replicas, Leaks, Substance}

// Verdict is what became of a check.
type Verdict struct {
	Check  Check
	Times  int // how often it was made
	Broken []Violation
}

// verdicts sorts violations by check.
func verdicts(times map[Check]int, all []Violation) (list []Verdict) {
	for _, c := range Checks {
		v := Verdict{Check: c, Times: times[c]}
		for _, b := range all {
			if b.Check == c {
				v.Broken = append(v.Broken, b)
			}
		}
		list = append(list, v)
	}
	return slices.Clip(list)
}
