package consensus

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
)

const testIncarnation = 77

// newStream is that of server 3 with as many batches of two requests, waiters
// 1, 2 and so on; each batch was taken by next.
func newStream(t *testing.T, batches int) (*stream, []*batch) {
	var s stream
	s.init(3, []byte("pre"))
	s.begin(testIncarnation)
	var all []*batch
	for i := range batches {
		s.submit(2*i+1, []byte("head"), []byte("body"))
		s.submit(2*i+2, nil, []byte(fmt.Sprint(i)))
		b := s.next(batches)
		if b == nil {
			t.Fatalf("no batch %d", i)
		}
		all = append(all, b)
	}
	return &s, all
}

func TestNextLimitsWhatIsUnderWay(t *testing.T) {
	s, batches := newStream(t, 2)
	s.submit(5, nil, []byte("x"))
	if b := s.next(2); b != nil {
		t.Fatalf("a third one, from %d", b.first)
	}
	s.done(batches[0].last)
	b := s.next(2)
	if b == nil || b.first != 5 || b.last != 5 {
		t.Fatalf("when there is room again: %+v", b)
	}
	if s.next(3) != nil {
		t.Error("more than there is")
	}
}

func TestResendBeginsWithTheOldestNotApplied(t *testing.T) {
	s, batches := newStream(t, 3)
	s.done(batches[0].last)
	s.resend()
	for _, want := range batches[1:] {
		if b := s.next(9); b != want {
			t.Errorf("%p, not %p", b, want)
		}
	}
	if s.next(9) != nil {
		t.Error("more than there is")
	}
	s.resend()
	s.done(batches[2].last) // applied by the leader before
	if s.next(9) != nil || s.sent != 0 {
		t.Errorf("sent what is applied; %d count as under way", s.sent)
	}
}

func TestSkipGivesBackTheWaiters(t *testing.T) {
	s, batches := newStream(t, 3)
	if w := s.take(2); w != nil {
		t.Errorf("not the oldest: waiter %v", w)
	}
	if w := s.take(1); w != Waiter(1) {
		t.Errorf("the oldest: waiter %v", w)
	}
	if dropped := s.skip(batches[1].last); !slices.Equal(dropped, []Waiter{2, 3, 4}) {
		t.Errorf("skipped: %v", dropped)
	}
	if dropped := s.skip(batches[0].last); dropped != nil {
		t.Errorf("skipped again: %v", dropped)
	}
	s.resend()
	if b := s.next(9); b != batches[2] {
		t.Error("what was skipped is sent again")
	}
	if w := s.take(5); w != Waiter(5) {
		t.Errorf("the next: waiter %v", w)
	}
}

// What raft has been given is not written to again: it may still be read.
func TestEntryOfANewTermHasMemoryOfItsOwn(t *testing.T) {
	s, batches := newStream(t, 1)
	first := s.entry(batches[0], 1000)
	before := bytes.Clone(first)
	second := s.entry(batches[0], 2000)
	if !bytes.Equal(first, before) {
		t.Error("the first entry has changed")
	}
	if want := entry(3, testIncarnation, 1, 2000, "headbody", "0"); !bytes.Equal(second, want) {
		t.Errorf("the second is %q, not %q", second, want)
	}
}

func TestSubmitAfterClose(t *testing.T) {
	s, _ := newStream(t, 0)
	s.close()
	s.submit(1, nil, []byte("late"))
	if b := s.next(1); b != nil || s.figures().Waiting != 0 {
		t.Errorf("taken: %+v", b)
	}
}

// received is a message as Recv gives it to the leader.
func received(s *stream, parts ...[]byte) []byte {
	return append(make([]byte, s.room()), slices.Concat(parts...)...)
}

func TestForwardedBatchIsAdopted(t *testing.T) {
	from, batches := newStream(t, 2)
	var leader stream
	leader.init(1, []byte("its own"))
	head, requests := from.forward(batches[1])
	b := received(&leader, head, requests)
	origin, ok := leader.adopt(b, 1000)
	if !ok || origin != 3 {
		t.Fatalf("origin %d, %v", origin, ok)
	}
	var got Batch
	first, incarnation, err := decodeBatch(&got, b)
	if err != nil || first != 3 || incarnation != testIncarnation || got.origin != 3 || got.Time != 1000 || string(got.Preamble) != "its own" {
		t.Errorf("first %d, incarnation %d, %+v, %v", first, incarnation, got, err)
	}
	for _, want := range []string{"headbody", "1"} {
		if request, _, ok := got.Next(); !ok || string(request) != want {
			t.Errorf("request %q, not %q", request, want)
		}
	}
	if _, _, ok := got.Next(); ok {
		t.Error("one more request")
	}
}

// What a leader adopts every server can apply, and nothing else.
func FuzzAdopt(f *testing.F) {
	var s stream
	s.init(1, []byte("pre"))
	header := make([]byte, forwardHeader)
	f.Add([]byte{})
	f.Add(header)
	f.Add(append(header, 0, 0, 0))
	f.Add(append(header, 0, 0, 0, 0))
	f.Add(append(header, 0, 0, 0, 2, 'a', 'b', 0, 0, 0, 0))
	f.Add(append(header, 0, 0, 0, 2, 'a'))
	f.Add(append(header, 0xff, 0xff, 0xff, 0xff))
	f.Fuzz(func(t *testing.T, message []byte) {
		wellFormed := len(message) > forwardHeader
		if wellFormed {
			_, err := countRequests(message[forwardHeader:])
			wellFormed = err == nil
		}
		b := received(&s, message)
		origin, ok := s.adopt(b, 1000)
		if ok != wellFormed {
			t.Fatalf("adopted %v", ok)
		}
		if !ok {
			return
		}
		var got Batch
		if _, _, err := decodeBatch(&got, b); err != nil {
			t.Fatal(err)
		}
		if got.origin != origin || got.Time != 1000 || string(got.Preamble) != "pre" || !bytes.Equal(got.rest, message[forwardHeader:]) {
			t.Errorf("origin %d, %+v", origin, got)
		}
	})
}
