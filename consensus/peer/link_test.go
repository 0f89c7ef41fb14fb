package peer

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
	"time"
)

// linked returns a link from server 1 to server 3, and its other end.
func linked(t *testing.T, change ...func(*Options, *patience)) (near, far *Link) {
	t.Helper()
	links, done := make(chan *Link, 4), make(chan struct{})
	a := serve(t, 3, "3.1", handler{accept: func(l *Link) { links <- l; <-done }}, change...)
	d := serve(t, 1, "1.1", nil, change...)
	introduce(a, d)
	near, err := d.Dial(testContext(t), "3.1")
	if err != nil {
		t.Fatal(err)
	}
	far = <-links
	t.Cleanup(func() { close(done) })
	return near, far
}

func TestLinkKeepsOrderOfConcurrentSenders(t *testing.T) {
	near, far := linked(t)
	if near.Peer() != (Identity{testCluster, "3.1"}) || far.Peer() != (Identity{testCluster, "1.1"}) {
		t.Errorf("peers %v and %v", near.Peer(), far.Peer())
	}
	const senders, messages = 8, 500
	var wg sync.WaitGroup
	for s := range senders {
		wg.Go(func() {
			pad := make([]byte, s*s*s*20)
			for i := range messages {
				if err := near.Send(byte(s), binary.BigEndian.AppendUint32(nil, uint32(i)), pad); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	var next [senders]uint32
	for range senders * messages {
		kind, body, err := far.Recv(7)
		if err != nil {
			t.Fatal(err)
		}
		s := int(kind)
		if len(body) != 7+4+s*s*s*20 || !bytes.Equal(body[:7], make([]byte, 7)) {
			t.Fatalf("message of %d bytes from sender %d, begins %x", len(body), s, body[:7])
		}
		if i := binary.BigEndian.Uint32(body[7:]); i != next[s] {
			t.Fatalf("sender %d: message %d, want %d", s, i, next[s])
		}
		next[s]++
	}
	wg.Wait()
}

func TestLinkBothWays(t *testing.T) {
	near, far := linked(t)
	for i, size := range []int{0, 1, linkBuffers - messageHead, linkBuffers, firstRead, firstRead + 1, 5 << 20} {
		want := bytes.Repeat([]byte{byte(i + 1)}, size)
		errs := make(chan error, 1)
		go func() { errs <- far.Send(byte(i), want[:size/3], nil, want[size/3:]) }()
		kind, body, err := near.Recv(i)
		if err := errors.Join(err, <-errs); err != nil {
			t.Fatal(err)
		}
		if int(kind) != i || !bytes.Equal(body[i:], want) || !bytes.Equal(body[:i], make([]byte, i)) {
			t.Errorf("%d bytes: kind %d, %d bytes", size, kind, len(body))
		}
		// What is appended must not be in anybody else's way.
		_ = append(body, 1)
	}
}

func TestLinkEnds(t *testing.T) {
	near, far := linked(t)
	near.mu.Lock() // as another sender has it, which would leave the flush to one that waits
	err := near.Send(1, make([]byte, MaxMessage), []byte("x"))
	near.mu.Unlock()
	if !errors.Is(err, ErrTooLong) {
		t.Errorf("too long: %v", err)
	}
	if err := near.Send(2, []byte("still good")); err != nil {
		t.Errorf("after that: %v", err)
	}
	if kind, body, err := far.Recv(0); kind != 2 || string(body) != "still good" || err != nil {
		t.Errorf("got %d %q %v", kind, body, err)
	}
	if err := near.Close(); err != nil {
		t.Error(err)
	}
	if err := near.Close(); err != nil {
		t.Error(err)
	}
	if _, _, err := far.Recv(0); err != io.EOF {
		t.Errorf("Recv at the other end: %v", err)
	}
	if _, _, err := near.Recv(0); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Recv at this end: %v", err)
	}
	if err := near.Send(1); err == nil {
		t.Error("Send after Close succeeds")
	}
}

// A peer that takes nothing any more ends the link.
func TestLinkToADeadPeer(t *testing.T) {
	near, _ := linked(t, func(_ *Options, p *patience) {
		*p = patience{hello: patient, write: 20 * time.Millisecond, stall: patient, answer: patient}
	})
	piece := make([]byte, 1<<20)
	var err error
	for range 1000 {
		if err = near.Send(1, piece); err != nil {
			break
		}
	}
	if err == nil {
		t.Fatal("a thousand MiB were taken")
	}
	mustContain(t, "error", err.Error(), "3.1")
	if _, _, err := near.Recv(0); err == nil {
		t.Error("Recv goes on")
	}
}

// A message that stops in the middle ends the link; one that does not come
// does not.
func TestLinkWithAStall(t *testing.T) {
	near, far := linked(t, func(_ *Options, p *patience) {
		*p = patience{hello: patient, write: patient, stall: 20 * time.Millisecond, answer: patient}
	})
	time.Sleep(30 * time.Millisecond) // no message is under way
	if err := near.Send(1, []byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := far.Recv(0); err != nil {
		t.Fatal(err)
	}
	if _, err := near.conn.Write([]byte{0, 0, 0, 9, 1, 2}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := far.Recv(0); err == nil {
		t.Error("a message came")
	} else if e := net.Error(nil); !errors.As(err, &e) || !e.Timeout() {
		t.Errorf("got %v", err)
	}
}

func TestLinksOfAClosedNetwork(t *testing.T) {
	begun, ended := make(chan bool), make(chan error, 1)
	a := serve(t, 3, "3.1", handler{accept: func(l *Link) {
		close(begun)
		_, _, err := l.Recv(0)
		ended <- err
	}})
	d := serve(t, 1, "1.1", nil)
	introduce(a, d)
	l, err := d.Dial(testContext(t), "3.1")
	if err != nil {
		t.Fatal(err)
	}
	<-begun
	if err := a.Close(); err != nil {
		t.Error(err)
	}
	if err := <-ended; err == nil {
		t.Error("Recv of the closed side succeeds")
	}
	if _, _, err := l.Recv(0); err == nil {
		t.Error("Recv of the other side succeeds")
	}
	if _, err := a.Dial(testContext(t), "1.1"); err == nil {
		t.Error("a closed network dials")
	}
}

func TestDialRefusesNames(t *testing.T) {
	d := serve(t, 1, "1.1", nil)
	for _, name := range []string{"", "3.1", "x", "3.", "-1.1", "03.1", "3.1#snapshot"} {
		if _, err := d.Dial(testContext(t), name); err == nil {
			t.Errorf("%q is dialed", name)
		}
	}
}

func TestQuery(t *testing.T) {
	a := serve(t, 3, "3.1", handler{answer: func(from Identity, kind byte, body []byte) ([]byte, error) {
		if kind == 9 {
			return nil, errors.New("kind 9 is not known")
		}
		if kind == 8 {
			return make([]byte, maxQuery+1), nil
		}
		return fmt.Appendf(nil, "%s %d %s", from.RaftID, kind, body), nil
	}})
	d := serve(t, 1, "1", nil)
	d.become(Identity{Cluster{}, "1"})
	introduce(a, d)
	ctx := testContext(t)
	by := Identity{testCluster, "3.1"}
	if got, who, err := d.Query(ctx, 3, 7, []byte("hi")); string(got) != "1 7 hi" || who != by || err != nil {
		t.Errorf("got %q of %v, %v", got, who, err)
	}
	_, link := a.Addrs()
	if got, who, err := AskOutside(ctx, link[0], nil, 7, nil); string(got) != " 7 " || who != by || err != nil {
		t.Errorf("outside: got %q of %v, %v", got, who, err)
	}
	var e *AnswerError
	if _, who, err := d.Query(ctx, 3, 9, nil); !errors.As(err, &e) || e.Text != "kind 9 is not known" || who != by {
		t.Errorf("error: %v of %v", err, who)
	}
	if _, _, err := d.Query(ctx, 3, 8, nil); !errors.As(err, &e) {
		t.Errorf("long answer: %v", err)
	}
	if _, _, err := d.Query(ctx, 3, 7, make([]byte, maxQuery+1)); !errors.Is(err, ErrTooLong) {
		t.Errorf("long query: %v", err)
	}
	if _, _, err := d.Query(ctx, 5, 7, nil); err == nil {
		t.Error("a server that is not listed answers")
	}
}

func TestQueryGivesUp(t *testing.T) {
	asked, done := make(chan struct{}), make(chan struct{})
	a := serve(t, 3, "3.1", handler{answer: func(Identity, byte, []byte) ([]byte, error) {
		close(asked)
		<-done
		return nil, nil
	}})
	defer close(done)
	d := serve(t, 1, "1.1", nil)
	introduce(a, d)
	errs := make(chan error, 1)
	go func() {
		_, _, err := d.Query(testContext(t), 3, 1, nil)
		errs <- err
	}()
	<-asked
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if err := <-errs; err == nil {
		t.Error("an answer came")
	}
}
