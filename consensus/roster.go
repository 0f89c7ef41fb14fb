package consensus

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"zkd/consensus/peer"
)

// roster is what a leader has heard of the other members, by raft id.
type roster struct {
	mu  sync.Mutex
	all map[raft.ServerID]*heard
}

type heard struct {
	links   []*peer.Link // open ones, the newest last
	at      time.Time    // of the last report
	applied uint64
	// last is the end of this leader's log by the last report. Who has applied that
	// by the next one is in step: he is no further behind than one report. The
	// first is measured by the log as it is then.
	last   uint64
	inStep bool
	digest verdict
}

// verdict is what comparing a member's digest with the leader's has given.
type verdict uint8

const (
	unknownDigest verdict = iota
	sameDigest
	otherDigest
)

// inContact is how recent a report must be for its sender to count as there.
const inContact = 3 * time.Second

func (r *roster) get(id raft.ServerID) *heard {
	if r.all == nil {
		r.all = map[raft.ServerID]*heard{}
	}
	h := r.all[id]
	if h == nil {
		h = &heard{}
		r.all[id] = h
	}
	return h
}

// opened notes a link; the result notes its end.
func (r *roster) opened(id raft.ServerID, l *peer.Link) (ended func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.get(id)
	h.links = append(h.links, l)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		h.links = slices.DeleteFunc(h.links, func(x *peer.Link) bool { return x == l })
		if len(h.links) == 0 {
			delete(r.all, id)
		}
	}
}

// newest returns the link to talk over, nil if there is none.
func (h *heard) newest() *peer.Link {
	if h == nil || len(h.links) == 0 {
		return nil
	}
	return h.links[len(h.links)-1]
}

// reported notes a report, which came when this leader's log ended with last.
func (r *roster) reported(id raft.ServerID, applied, last uint64, v verdict) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.get(id)
	due := last
	if time.Since(h.at) < inContact {
		due = min(due, h.last)
	}
	h.inStep = applied+caughtUp >= due
	h.at, h.applied, h.last = time.Now(), applied, last
	if v != unknownDigest {
		h.digest = v
	}
}

// present returns what is known of a member that is in contact.
func (r *roster) present(id raft.ServerID) (applied uint64, since time.Duration, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.all[id]
	if h == nil || h.at.IsZero() {
		return 0, 0, false
	}
	since = time.Since(h.at)
	return h.applied, since, since < inContact
}

// caughtUp tells whether a member is in contact and has applied this leader's
// log, but for what came lately.
func (r *roster) caughtUp(id raft.ServerID) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	h := r.all[id]
	return h != nil && h.inStep && time.Since(h.at) < inContact
}

// verdicts counts the members among those given whose digests are the leader's
// and are not; open are those of whom that is not known though they are there.
func (r *roster) verdicts(of []raft.ServerID) (same, open int, other []*peer.Link) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range of {
		h := r.all[id]
		switch {
		case h == nil || time.Since(h.at) > inContact:
		case h.digest == sameDigest:
			same++
		case h.digest == otherDigest:
			other = append(other, h.newest())
		default:
			open++
		}
	}
	return same, open, other
}

// judge decides whose state is wrong where digests differ from the leader's:
// that of the minority, and in doubt the other's. voters and all are the
// members but the leader.
func (r *roster) judge(voters, all []raft.ServerID) (wrong []*peer.Link, self bool) {
	same, open, other := r.verdicts(voters)
	switch {
	case open > 0: // they report soon
		return nil, false
	case same+1 >= len(other):
		_, _, wrong = r.verdicts(all)
		return wrong, false
	}
	return nil, true
}

// hangUp closes all links: what they carried will come again.
func (r *roster) hangUp() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, h := range r.all {
		for _, l := range h.links {
			_ = l.Close()
		}
	}
}

// tell sends a message without a body to a member, if there is a link.
func (r *roster) tell(id raft.ServerID, kind byte) {
	r.mu.Lock()
	l := r.all[id].newest()
	r.mu.Unlock()
	if l != nil {
		_ = l.Send(kind) // a link that breaks is no worse than none
	}
}
