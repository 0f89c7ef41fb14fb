package server

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"zkd/internal/mutant"
	"zkd/session"
)

// A report tells the leader which sessions a server has heard of: for each
// i64 id, uvarint timeout in ms, as its connection has negotiated it, and
// uvarint ms since then.
//
// Ages make it harmless to tell the same twice, and a report may get lost with
// its link: each goes back to the one before the last.

// relay is what a server remembers of its own reports.
type relay struct {
	before, last time.Duration // when the last two were made
	parted       []parted      // connections that have ended since before
	quiet        []*conn       // scratch: not touched since
}

// parted is a connection that has ended: the leader may not have been told yet
// that its session was heard of by it.
type parted struct {
	id    session.ID
	entry *session.Entry
	at    time.Duration
}

// report implements consensus.Ensemble.Report.
func (s *sessions) report() (report []byte) {
	s.mu.Lock()
	now := s.srv.now()
	since := s.relay.before
	s.relay.before, s.relay.last = s.relay.last, now
	quiet := s.relay.quiet[:0]
	for id, c := range s.conns {
		if touched := c.entry.Touched(); touched < since {
			quiet = append(quiet, c)
		} else {
			report = appendHeard(report, id, c.entry.Timeout(), now-touched)
		}
	}
	s.relay.parted = slices.DeleteFunc(s.relay.parted, func(p parted) bool { return p.at < since })
	for _, p := range s.relay.parted {
		report = appendHeard(report, p.id, p.entry.Timeout(), now-p.entry.Touched())
	}
	s.mu.Unlock()
	for i, c := range quiet {
		c.out.mu.Lock()
		if c.waitsLocked() {
			report = appendHeard(report, c.session.ID, milliseconds(c.timeout), 0)
		}
		c.out.mu.Unlock()
		quiet[i] = nil
	}
	s.relay.quiet = quiet // only this function uses it, and it is called by one goroutine
	return report
}

func appendHeard(dst []byte, id session.ID, timeout, age time.Duration) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(id))
	dst = binary.AppendUvarint(dst, uint64(timeout.Milliseconds()))
	return binary.AppendUvarint(dst, uint64(max(age, 0).Milliseconds()))
}

var errReport = errors.New("malformed report")

// nextHeard takes the first session off a report.
func nextHeard(b []byte) (id session.ID, timeout, age time.Duration, rest []byte, err error) {
	// Longer than any session lives, and safe to reckon with.
	const most = uint64(1<<31 - 1)
	if len(b) < 8 {
		return 0, 0, 0, nil, errReport
	}
	id, b = session.ID(binary.BigEndian.Uint64(b)), b[8:]
	var ms [2]uint64
	for i := range ms {
		v, n := binary.Uvarint(b)
		if n <= 0 {
			return 0, 0, 0, nil, errReport
		}
		ms[i], b = min(v, most), b[n:]
	}
	if ms[0] == 0 {
		return 0, 0, 0, nil, errReport
	}
	return id, time.Duration(ms[0]) * time.Millisecond, time.Duration(ms[1]) * time.Millisecond, b, nil
}

// reported implements consensus.Ensemble.Reported.
func (s *sessions) reported(from uint64, report []byte) {
	s.mu.Lock()
	leading := s.leading
	s.mu.Unlock()
	if !leading || mutant.Is(mutant.Relay) {
		return // it came too late
	}
	now := s.srv.now()
	for len(report) > 0 {
		id, timeout, age, rest, err := nextHeard(report)
		if err != nil {
			s.srv.log.Warn("a report of sessions cannot be read", "from", from, "err", err)
			return
		}
		s.tracker.Heard(id, from, timeout, now-age)
		report = rest
	}
}
