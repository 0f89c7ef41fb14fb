package ensemble

import (
	"fmt"
	"time"
)

// Kind is what a recorded write does.
type Kind uint8

// The kinds of writes.
const (
	Increment Kind = iota // a setData with the version that the writer read, so the version is a counter
	Append                // a sequential create
)

// Outcome is what a client knows of its write.
type Outcome uint8

// The outcomes.
const (
	Acknowledged Outcome = iota
	Refused              // answered with an error: not applied, and never will be
	Unknown              // the connection broke: applied once at most, and before any later write of the session
)

// Write is one request of a history. Its data is Mark(), which no other write has.
type Write struct {
	Worker, N    int // who, and his how-maniest write
	Kind         Kind
	Key          string // path of the counter, or of the parent
	Expect       int32  // version that an Increment demands
	Call, Return time.Duration
	Outcome      Outcome
	Alone        bool // nobody else writes the key, and the version is certain: it cannot be refused

	// Of acknowledged ones.
	Zxid    int64
	Version int32  // that an Increment made
	Path    string // that an Append made
}

// Mark is what the write writes.
func (w Write) Mark() string { return fmt.Sprintf("w%d n%d", w.Worker, w.N) }

// Final is what was there in the end.
type Final struct {
	Counters map[string]Counter           // by path
	Children map[string]map[string]string // by parent: path of the child, its data
}

// Counter is a znode that was incremented.
type Counter struct {
	Version int32
	Data    string
}

// Hold is the time for which a client held a lock, as it knows it, by a clock that all share: it got the lock before
// From and gave it up, or was told that its session is over, after To.
type Hold struct {
	Who      string
	From, To time.Duration
	Fence    int64
}
