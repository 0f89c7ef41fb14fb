package main

import (
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"testing"
)

// watchServer answers as a fake does and fires watches: a getData with the flag set gets one event at the
// next setData of its path.
type watchServer struct {
	mu       sync.Mutex
	watchers map[string][]net.Conn
	twice    bool // every event is sent twice
}

func (s *watchServer) start(t *testing.T) string { return listen(t, s.one) }

func (s *watchServer) one(c net.Conn) {
	defer c.Close()
	answer := plausible(nil)
	for first := true; ; first = false {
		head := make([]byte, lengthSize)
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		req := make([]byte, binary.BigEndian.Uint32(head))
		if _, err := io.ReadFull(c, req); err != nil {
			return
		}
		if first {
			_, _ = c.Write(connectResponse())
			continue
		}
		op := getInt(req[4:])
		var body []byte
		if op != opCloseSession {
			body = answer(op, req)
		}
		s.fire(op, req, c)
		_, _ = c.Write(appendReply(nil, getInt(req), 0, body))
	}
}

func (s *watchServer) fire(op int32, req []byte, c net.Conn) {
	if op != opGetData && op != opSetData {
		return
	}
	path := string(req[8+lengthSize:][:getInt(req[8:])])
	s.mu.Lock()
	defer s.mu.Unlock()
	if op == opGetData {
		s.watchers[path] = append(s.watchers[path], c)
		return
	}
	event := appendReply(nil, xidNotification, 0, appendString(appendInt(appendInt(nil, eventDataChanged), 3), path))
	if s.twice {
		event = append(event, event...)
	}
	for _, w := range s.watchers[path] {
		_, _ = w.Write(event)
	}
	delete(s.watchers, path)
}

func TestFanoutCountsEveryEvent(t *testing.T) {
	for _, c := range crowds(300) {
		f, err := newFanout((&watchServer{watchers: map[string][]net.Conn{}}).start(t), c)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if took, err := f.round(context.Background()); err != nil || took <= 0 {
				t.Fatalf("%s: %v, %v", c.name, took, err)
			}
		}
		if err := f.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestFanoutSeesTooManyEvents(t *testing.T) {
	c := crowds(300)[1]
	f, err := newFanout((&watchServer{watchers: map[string][]net.Conn{}, twice: true}).start(t), c)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for range 3 {
		if _, err = f.round(context.Background()); err != nil {
			return
		}
	}
	t.Error("every event came twice and nothing was said")
}

// Each znode of a crowd has as many watchers as any other, and no session watches one twice.
func TestCrowdsAreEven(t *testing.T) {
	for _, n := range []int{100, 700, 10_000} {
		for _, c := range crowds(n) {
			count := make([]int, c.znodes)
			for s := range c.sessions {
				seen := map[int]bool{}
				for i := range c.watches {
					z := c.watched(s, i)
					if seen[z] {
						t.Fatalf("%s: session %d watches %d twice", c.name, s, z)
					}
					seen[z] = true
					count[z]++
				}
			}
			for z, got := range count {
				if got != c.events()/c.znodes {
					t.Fatalf("%s: znode %d has %d watchers, others %d", c.name, z, got, c.events()/c.znodes)
				}
			}
		}
	}
}
