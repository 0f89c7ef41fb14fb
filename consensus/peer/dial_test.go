package peer

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// refusing returns an address that nothing listens on.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

var echo = handler{answer: func(_ Identity, _ byte, body []byte) ([]byte, error) { return body, nil }}

func TestAddressesAreTriedInTurn(t *testing.T) {
	a := serve(t, 3, "3.1", echo, func(o *Options, _ *patience) {
		o.LinkAddrs = append(o.LinkAddrs, "127.0.0.1:0")
	})
	d := serve(t, 1, "1.1", nil)
	_, link := a.Addrs()
	if len(link) != 2 {
		t.Fatalf("listens on %v", link)
	}
	dead := refusing(t)
	for name, addrs := range map[string][]string{
		"first": {link[0], dead}, "second": {dead, link[1]}, "third": {dead, "127.0.0.1:x", link[0]},
	} {
		d.SetMembers([]Member{{ID: 3, Link: addrs}})
		for range 2 {
			if _, _, err := d.Query(testContext(t), 3, 1, nil); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	d.SetMembers([]Member{{ID: 3, Link: []string{dead, "127.0.0.1:x"}}})
	_, _, err := d.Query(testContext(t), 3, 1, nil)
	if err == nil {
		t.Fatal("an answer came")
	}
	mustContain(t, "error", err.Error(), dead)
	mustContain(t, "error", err.Error(), "127.0.0.1:x")
}

func TestTheAddressThatAnsweredGoesFirst(t *testing.T) {
	var r roster
	m := Member{ID: 3, Raft: []string{"a", "b", "c"}, Link: []string{"x", "y"}}
	r.note("b", true) // before there are members
	check := func(first bool, want ...string) {
		t.Helper()
		if got := r.addresses(3, first); !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
	}
	check(true)
	r.set([]Member{m})
	check(true, "a", "b", "c")
	r.note("b", true)
	check(true, "b", "a", "c")
	check(false, "x", "y")
	r.note("c", true)
	check(true, "b", "c", "a")
	r.set([]Member{m, {ID: 4}})
	check(true, "b", "c", "a")
	r.note("b", false)
	check(true, "c", "a", "b")
	r.set([]Member{{ID: 3, Raft: []string{"a"}}})
	r.set([]Member{m})
	check(true, "a", "b", "c")
}

// A name that does not resolve yet, as that of a container that has yet to
// start, does as soon as it can be.
func TestNamesAreResolvedAtEachDial(t *testing.T) {
	a := serve(t, 3, "3.1", echo)
	d := serve(t, 1, "1.1", nil)
	_, link := a.Addrs()
	_, port, err := net.SplitHostPort(link[0])
	if err != nil {
		t.Fatal(err)
	}
	known := nameServer(t)
	d.SetMembers([]Member{{ID: 3, Link: []string{"three.zkd.test.:" + port}}})
	_, _, err = d.Query(testContext(t), 3, 1, nil)
	if e := (*net.DNSError)(nil); !errors.As(err, &e) {
		t.Fatalf("got %v", err)
	}
	known.Store(true)
	if _, _, err := d.Query(testContext(t), 3, 1, nil); err != nil {
		t.Error(err)
	}
	known.Store(false)
	if _, _, err := d.Query(testContext(t), 3, 1, nil); err == nil {
		t.Error("a name that is gone is still known")
	}
}

// nameServer makes every name resolve to 127.0.0.1, once known, for this test.
func nameServer(t *testing.T) (known *atomic.Bool) {
	t.Helper()
	known = &atomic.Bool{}
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	before := net.DefaultResolver
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "udp", c.LocalAddr().String())
	}}
	done := make(chan struct{})
	t.Cleanup(func() {
		net.DefaultResolver = before
		c.Close()
		<-done
	})
	go func() {
		defer close(done)
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(nameAnswer(b[:n], known.Load()), from)
		}
	}()
	return known
}

// nameAnswer answers a query of one question (RFC 1035 §4.1).
func nameAnswer(query []byte, known bool) []byte {
	be := binary.BigEndian
	end := 12
	for query[end] != 0 {
		end += 1 + int(query[end])
	}
	end += 1 + 4
	kind := be.Uint16(query[end-4:])
	answer := append([]byte(nil), query[:end]...)
	be.PutUint16(answer[2:], 0x8180) // a response, recursion available
	be.PutUint16(answer[10:], 0)     // no additional records
	switch {
	case !known:
		be.PutUint16(answer[2:], 0x8183) // no such name
	case kind == 1: // A
		be.PutUint16(answer[6:], 1)
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0, 1)
	}
	return answer
}

func TestLostWhenNothingListensAnyMore(t *testing.T) {
	near, far := linked(t)
	d, a := near.n, far.n
	if err := far.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := near.Recv(0); err == nil {
		t.Fatal("Recv succeeds")
	}
	idle(t, d)
	select {
	case who := <-d.Lost():
		t.Fatalf("%s is said to be lost; only a link has ended", who)
	default:
	}
	l, err := d.Dial(testContext(t), "3.1")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range a.listeners {
		_ = l.Close()
	}
	a.mu.Lock()
	for c := range a.conns {
		_ = c.Close()
	}
	a.mu.Unlock()
	_, _, _ = l.Recv(0)
	if who := <-d.Lost(); who != "3.1" {
		t.Errorf("%s is lost", who)
	}
	idle(t, d)
	if len(d.Lost()) > 0 {
		t.Error("lost twice for one connection")
	}
}

// idle waits until nobody is being looked after.
func idle(t *testing.T, n *Network) {
	t.Helper()
	eventually(t, "looked after", func() bool {
		n.lost.mu.Lock()
		defer n.lost.mu.Unlock()
		return len(n.lost.peers) == 0
	})
}

func TestWhatRefusedMeans(t *testing.T) {
	d := serve(t, 1, "1.1", nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	alive, dead := l.Addr().String(), refusing(t)
	_, port, _ := strings.Cut(dead, ":")
	for name, c := range map[string]struct {
		addrs []string
		want  bool
	}{
		"nothing listens":            {[]string{dead}, true},
		"at any of the addresses":    {[]string{dead, "127.0.0.2:" + port}, true},
		"one listens":                {[]string{dead, alive}, false},
		"a name that is not known":   {[]string{dead, "nowhere.invalid.:" + port}, false},
		"no addresses":               {nil, false},
		"an address that is no good": {[]string{"x"}, false},
	} {
		d.SetMembers([]Member{{ID: 3, Raft: c.addrs}})
		if got := d.refused("3.1"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
	if d.refused("x") {
		t.Error("what is no raft ID is refused")
	}
}

// The end of a network of one's own says nothing of peers.
func TestNobodyIsLostByClosing(t *testing.T) {
	near, far := linked(t)
	d := near.n
	received := make(chan error, 1)
	go func() {
		_, _, err := near.Recv(0)
		received <- err
	}()
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	<-received
	_, _, _ = far.Recv(0)
	if len(d.Lost()) > 0 {
		t.Errorf("%s is lost", <-d.Lost())
	}
}
