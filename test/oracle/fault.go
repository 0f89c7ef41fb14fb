package oracle

import (
	"fmt"
	"strings"
)

// Check is the name of a check: the promise that it is about.
type Check string

// The checks.
const (
	Durable     Check = "I1 durable"      // what was acknowledged is in the sequence once, with that zxid and result
	Linear      Check = "I2 linearizable" // writes and syncs take effect between call and return
	AtMostOnce  Check = "I3 at most once" // what was not acknowledged is there once or never, in the session's order
	SessionView Check = "I4 session view" // zxids never fall; a read is the state at its zxid
	Watches     Check = "I5 watches"      // the events that the watches of a connection yield: all, in order, in time
	Replicas    Check = "I6 replicas"     // all servers apply the same with the same result, and so does the model
	Ephemerals  Check = "I7 ephemerals"   // sessions end when they should, their ephemerals with them, and TTL znodes not too early
	NotVacuous  Check = "I9 not vacuous"  // the run had what it claims
)

// Fault is a broken promise.
type Fault struct {
	Check  Check
	Detail string
}

// Error implements error.
func (f Fault) Error() string { return string(f.Check) + ": " + f.Detail }

// faults collects broken promises: of each check the first ones in words, the rest as a number.
type faults struct {
	list  []Fault
	count map[Check]int
}

// wordy is how many faults of a check are told in words.
const wordy = 20

func (f *faults) say(c Check, format string, args ...any) {
	if f.count == nil {
		f.count = map[Check]int{}
	}
	if f.count[c]++; f.count[c] <= wordy {
		f.list = append(f.list, Fault{c, fmt.Sprintf(format, args...)})
	}
}

// all returns the faults in words, and says how many more there are.
func (f *faults) all() []Fault {
	list := f.list
	for c, n := range f.count {
		if n > wordy {
			list = append(list, Fault{c, fmt.Sprintf("and %d more", n-wordy)})
		}
	}
	return list
}

// Error joins faults into one error, nil if there are none.
func Error(list []Fault) error {
	if len(list) == 0 {
		return nil
	}
	lines := make([]string, len(list))
	for i, f := range list {
		lines[i] = f.Error()
	}
	return fmt.Errorf("%d broken promises:\n%s", len(list), strings.Join(lines, "\n"))
}
