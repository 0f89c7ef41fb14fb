package peer

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

// knock connects to the host's port and says hello.
func knock(t *testing.T, h *testNet, first bool, say hello, secret string) (*welcome, error) {
	t.Helper()
	raft, link := h.Addrs()
	addr := link[0]
	if first {
		addr = raft[0]
	}
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	say.secret = secret != ""
	return greet(testContext(t), c, addr, &say, []byte(secret), patient)
}

func TestHello(t *testing.T) {
	other := Cluster{9}
	member := func(c Cluster, server uint64, raftID string) hello {
		return hello{from: Identity{c, raftID}, server: server, wantServer: 3, wantID: "3.1"}
	}
	with := func(h hello, p purpose) hello { h.purpose = p; return h }
	wanting := func(h hello, server uint64, raftID string) hello {
		h.wantServer, h.wantID = server, raftID
		return h
	}
	one := member(testCluster, 1, "1.1")
	blank := member(Cluster{}, 1, "1")
	for name, c := range map[string]struct {
		me    Identity // zero: 3.1 of testCluster
		noRPC bool     // raft does not run
		first bool
		say   hello
		want  Reason
		text  string
	}{
		"raft":                         {first: true, say: with(one, forRaft)},
		"entries":                      {first: true, say: with(one, forEntries)},
		"link":                         {say: with(one, forLink)},
		"query":                        {say: wanting(with(one, forQuery), 3, "")},
		"outsider":                     {say: hello{purpose: forAsk}},
		"outsider of the cluster":      {say: hello{purpose: forAsk, from: Identity{Cluster: testCluster}}},
		"query of a blank one":         {say: wanting(with(blank, forQuery), 3, "")},
		"query to a blank one":         {me: Identity{Cluster{}, "3"}, say: wanting(with(one, forQuery), 3, "")},
		"raft before the cluster's id": {me: Identity{Cluster{}, "3.1"}, first: true, say: with(member(Cluster{}, 1, "1.1"), forRaft)},
		"raft to one that joins":       {me: Identity{Cluster{}, "3.1"}, first: true, say: with(one, forRaft)},
		"raft that has not heard of the cluster's id": {first: true, say: with(member(Cluster{}, 1, "1.1"), forRaft)},

		"other cluster":              {first: true, say: with(member(other, 1, "1.1"), forRaft), want: WrongCluster, text: other.String()},
		"other cluster, link":        {say: with(member(other, 1, "1.1"), forLink), want: WrongCluster, text: testCluster.String()},
		"other cluster, query":       {say: with(member(other, 1, "1.1"), forQuery), want: WrongCluster, text: other.String()},
		"outsider of another":        {say: hello{purpose: forAsk, from: Identity{Cluster: other}}, want: WrongCluster, text: other.String()},
		"raft at second port":        {say: with(one, forRaft), want: WrongPort, text: "second port"},
		"entries at second port":     {say: with(one, forEntries), want: WrongPort, text: "second port"},
		"link at first port":         {first: true, say: with(one, forLink), want: WrongPort, text: "first port"},
		"query at first port":        {first: true, say: with(one, forQuery), want: WrongPort, text: "first port"},
		"raft of a blank one":        {first: true, say: with(blank, forRaft), want: NoMember, text: "server 1 is no member"},
		"link of a blank one":        {say: with(blank, forLink), want: NoMember, text: "server 1 is no member"},
		"raft to a blank one":        {me: Identity{Cluster{}, "3"}, first: true, say: with(one, forRaft), want: WrongRaftID, text: `this is "3"`},
		"raft to an older self":      {first: true, say: wanting(with(one, forRaft), 3, "3.0"), want: WrongRaftID, text: `"3.0" was meant, but this is "3.1"`},
		"link to an older self":      {say: wanting(with(one, forLink), 3, "3.0"), want: WrongRaftID, text: `"3.0" was meant, but this is "3.1"`},
		"link to whoever":            {say: wanting(with(one, forLink), 3, ""), want: WrongRaftID, text: `"" was meant`},
		"query to another":           {say: wanting(with(one, forQuery), 2, ""), want: WrongServer, text: "server 2 was meant, but server 3 listens"},
		"raft to another":            {first: true, say: wanting(with(one, forRaft), 2, "2.1"), want: WrongServer, text: "server 2 was meant, but server 3 listens"},
		"same myid":                  {say: with(member(testCluster, 3, "3.7"), forLink), want: SameServer, text: "two servers have the same myid 3: the one that dials from 127.0.0.1 and the one that listens on 127.0.0.1:"},
		"same myid, query":           {say: with(member(Cluster{}, 3, "3"), forQuery), want: SameServer, text: "same myid 3"},
		"raft does not run":          {noRPC: true, first: true, say: with(one, forRaft), want: NotReady, text: "raft"},
		"raft does not run, entries": {noRPC: true, first: true, say: with(one, forEntries), want: NotReady, text: "raft"},
		"purpose of the future":      {say: with(one, 77), want: WrongVersion, text: "77"},
		"the dialer has secrets":     {say: with(one, forLink), want: WrongSecret, text: "this server has none"},
	} {
		t.Run(name, func(t *testing.T) {
			me := c.me
			if me == (Identity{}) {
				me = Identity{testCluster, "3.1"}
			}
			h := serve(t, 3, me.RaftID, nil)
			h.become(me)
			if !c.noRPC {
				h.Transport("3.1")
			}
			secret := ""
			if c.want == WrongSecret {
				secret = "s"
			}
			w, err := knock(t, h, c.first, c.say, secret)
			if c.want == 0 {
				if err != nil || w.from != me || w.server != 3 {
					t.Fatalf("got %+v, %v", w, err)
				}
				return
			}
			var r *Refusal
			if !errors.As(err, &r) || r.Reason != c.want || r.By != me {
				t.Fatalf("got %v (%+v), want reason %d", err, r, c.want)
			}
			mustContain(t, "refusal", err.Error(), c.text)
			eventually(t, "counted and logged", func() bool {
				return h.Figures().Refused == 1 && strings.Contains(h.log.String(), "connection to a peer port refused")
			})
		})
	}
}

func TestAddressThatLeadsBack(t *testing.T) {
	h := serve(t, 3, "3.1", nil)
	m := h.member()
	m.ID = 2
	h.SetMembers([]Member{m})
	_, _, err := h.Query(testContext(t), 2, 1, nil)
	var r *Refusal
	if !errors.As(err, &r) || r.Reason != Loop {
		t.Fatalf("got %v", err)
	}
}

func TestRefusalsAreLoggedOnce(t *testing.T) {
	h := serve(t, 3, "3.1", nil)
	for i := range 5 {
		_, err := knock(t, h, false, hello{purpose: forAsk, from: Identity{Cluster: Cluster{9}}}, "")
		if err == nil {
			t.Fatal("welcome")
		}
		eventually(t, "counted", func() bool { return h.Figures().Refused == int64(i+1) })
	}
	lines := func() int { return strings.Count(h.log.String(), "refused") }
	eventually(t, "logged", func() bool { return lines() > 0 }) // behind the count
	if n := lines(); n != 1 {
		t.Errorf("%d lines", n)
	}
}

func TestSparseForgetsAndIsBounded(t *testing.T) {
	var s sparse
	now := time.Now()
	for i := range 10 * logKeys {
		if due := s.due(fmt.Sprint(i), now); due != (i < logKeys) {
			t.Fatalf("key %d: %v", i, due)
		}
	}
	if s.due("0", now) || len(s.last) > logKeys {
		t.Errorf("again, or %d keys", len(s.last))
	}
	if later := now.Add(logPeriod); !s.due("0", later) || !s.due("new", later) || s.due("new", later) {
		t.Error("a minute later it is not as new")
	}
}

func TestSecret(t *testing.T) {
	for name, c := range map[string]struct {
		dialer, acceptor string
		ok               bool
	}{
		"same":             {"a secret", "a secret", true},
		"other":            {"a secret", "another", false},
		"dialer without":   {"", "a secret", false},
		"acceptor without": {"a secret", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			answer := handler{answer: func(Identity, byte, []byte) ([]byte, error) { return []byte("hi"), nil }}
			a := serve(t, 3, "3.1", answer, withSecret(c.acceptor))
			d := serve(t, 1, "1.1", nil, withSecret(c.dialer))
			introduce(a, d)
			a.Transport("3.1")
			ctx := testContext(t)
			_, link := a.Addrs()
			_, _, err := d.Query(ctx, 3, 1, nil)
			l, linkErr := d.Dial(ctx, "3.1")
			_, raftErr := newStream(d.Network, "1.1").Dial("3.1", patient)
			_, _, askErr := AskOutside(ctx, link[0], []byte(c.dialer), 1, nil)
			for what, err := range map[string]error{"query": err, "link": linkErr, "raft": raftErr, "ask": askErr} {
				var r *Refusal
				if c.ok && err != nil || !c.ok && (!errors.As(err, &r) || r.Reason != WrongSecret) {
					t.Errorf("%s: %v", what, err)
				}
			}
			if l != nil {
				_ = l.Close()
			}
		})
	}
}

// An acceptor that says yes without knowing the secret is refused by the dialer.
func TestAcceptorMustProveTheSecret(t *testing.T) {
	for name, c := range map[string]struct {
		claims bool // to have a secret
		proof  func(hello, welcome []byte) [sha256.Size]byte
	}{
		"none":         {false, func(_, _ []byte) (p [sha256.Size]byte) { return }},
		"zero":         {true, func(_, _ []byte) (p [sha256.Size]byte) { return }},
		"wrong secret": {true, func(h, w []byte) [sha256.Size]byte { return prove([]byte("x"), acceptorSide, h, w) }},
		"reflected":    {true, func(h, w []byte) [sha256.Size]byte { return prove([]byte("secret"), dialerSide, h, w) }},
	} {
		t.Run(name, func(t *testing.T) {
			near, far := net.Pipe()
			defer near.Close()
			go func() {
				defer far.Close()
				rawHello, err := readFrame(far, helloFrame)
				if err != nil {
					return
				}
				w := welcome{secret: c.claims, from: Identity{testCluster, "3.1"}, server: 3}
				rawWelcome := w.encode()
				_, _ = far.Write(rawWelcome)
				if c.claims {
					_, _ = readFrame(far, proofFrame)
				}
				v := verdict{proof: c.proof(rawHello, rawWelcome)}
				_, _ = far.Write(v.encode())
			}()
			h := hello{purpose: forLink, secret: true, from: Identity{testCluster, "1.1"}, server: 1, wantServer: 3, wantID: "3.1"}
			_, err := greet(testContext(t), near, "there", &h, []byte("secret"), patient)
			var r *Refusal
			if !errors.As(err, &r) || r.Reason != WrongSecret {
				t.Errorf("got %v", err)
			}
		})
	}
}

// A proof is good for the connection that it was made for.
func TestProofOfAnotherConnection(t *testing.T) {
	h := serve(t, 3, "3.1", nil, withSecret("secret"))
	_, link := h.Addrs()
	say := hello{purpose: forAsk, secret: true}
	rawHello := say.encode()
	open := func() (net.Conn, []byte) {
		c, err := net.Dial("tcp", link[0])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		_, _ = c.Write(rawHello)
		rawWelcome, err := readFrame(c, welcomeFrame)
		if err != nil {
			t.Fatal(err)
		}
		return c, rawWelcome
	}
	_, earlier := open()
	c, _ := open()
	proof := prove([]byte("secret"), dialerSide, rawHello, earlier)
	_, _ = c.Write(appendFrame(nil, proofFrame, proof[:]))
	raw, err := readFrame(c, verdictFrame)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := decodeVerdict(raw[frameHead:]); err != nil || v.code != WrongSecret {
		t.Errorf("verdict %+v, %v", v, err)
	}
}

// Without a secret the dialer believes no acceptor that is not who it wants.
func TestDialerChecksWhoAnswers(t *testing.T) {
	n := &Network{}
	h := &hello{from: Identity{testCluster, "1.1"}, wantServer: 3, wantID: "3.1"}
	for name, c := range map[string]struct {
		w    welcome
		want Reason
	}{
		"as wanted":         {welcome{from: Identity{testCluster, "3.1"}, server: 3}, 0},
		"other cluster":     {welcome{from: Identity{Cluster{9}, "3.1"}, server: 3}, WrongCluster},
		"other server":      {welcome{from: Identity{testCluster, "4.1"}, server: 4}, WrongServer},
		"other incarnation": {welcome{from: Identity{testCluster, "3.2"}, server: 3}, WrongRaftID},
	} {
		err := n.check(&c.w, h, "addr")
		var r *Refusal
		if (c.want == 0) != (err == nil) || err != nil && (!errors.As(err, &r) || r.Reason != c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsNoHello(t *testing.T) {
	good := (&hello{purpose: forAsk}).encode()
	longer := append([]byte(nil), good...)
	binary.BigEndian.PutUint16(longer[6:], maxFrame)
	nobody := (&hello{purpose: forLink, from: Identity{testCluster, "1.1"}, server: 2}).encode()
	future := append([]byte(nil), good...)
	future[4] = 2
	for name, c := range map[string]struct {
		bytes []byte
		end   bool // of what is said
		count func(Figures) int64
		log   string
	}{
		"ZooKeeper's election":  {[]byte("\xff\xff\xff\xff\xff\xff\x00\x00 and more"), false, zooKeepers, "looks like a ZooKeeper server"},
		"the same since 3.6":    {[]byte("\xff\xff\xff\xff\xff\xff\x00\x01 and more"), false, zooKeepers, "looks like a ZooKeeper server"},
		"ZooKeeper's follower":  {[]byte("\x00\x00\x00\x0b\x00\x00\x00\x00 and more"), false, zooKeepers, "looks like a ZooKeeper server"},
		"ZooKeeper's observer":  {[]byte("\x00\x00\x00\x10\x00\x00\x00\x00 and more"), false, zooKeepers, "looks like a ZooKeeper server"},
		"a browser":             {[]byte("GET / HTTP/1.1\r\n\r\n"), false, garbage, "no zkd server"},
		"zeros":                 {make([]byte, 100), false, garbage, "no zkd server"},
		"cut in the head":       {good[:5], true, garbage, "unexpected EOF"},
		"cut in the body":       {good[:20], true, garbage, "unexpected EOF"},
		"too long":              {longer, false, garbage, "malformed"},
		"another frame":         {(&welcome{}).encode(), false, garbage, "malformed"},
		"empty":                 {appendFrame(nil, helloFrame, nil), false, garbage, "malformed"},
		"too much":              {appendFrame(nil, helloFrame, append(good[frameHead:len(good):len(good)], 0)), false, garbage, "malformed"},
		"raft ID of another":    {nobody, false, garbage, "malformed"},
		"version of the future": {future, false, func(f Figures) int64 { return f.Refused }, "version 2"},
	} {
		t.Run(name, func(t *testing.T) {
			h := serve(t, 3, "3.1", nil)
			raft, _ := h.Addrs()
			for i := range 2 {
				conn, err := net.Dial("tcp", raft[0])
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				_, _ = conn.Write(c.bytes)
				if c.end {
					_ = conn.(*net.TCPConn).CloseWrite()
				}
				_ = conn.SetReadDeadline(time.Now().Add(patient))
				if _, err := io.Copy(io.Discard, conn); errors.Is(err, context.DeadlineExceeded) {
					t.Fatal("it stays open")
				}
				eventually(t, "counted", func() bool { return c.count(h.Figures()) == int64(i+1) })
			}
			eventually(t, "logged", func() bool { return strings.Contains(h.log.String(), c.log) })
			if n := strings.Count(h.log.String(), "\n"); n != 1 {
				t.Errorf("%d lines: %s", n, h.log)
			}
		})
	}
}

func zooKeepers(f Figures) int64 { return f.ZooKeeper }
func garbage(f Figures) int64    { return f.Garbage }

func TestDialerOfSomethingElse(t *testing.T) {
	for name, c := range map[string]struct{ says, want string }{
		"a greeting": {"220 mail.example ESMTP\r\n", "no zkd server"},
		"ZooKeeper":  {"\x00\x00\x00\x10\x00\x00\x00\x00", "ZooKeeper"},
		"the future": {"zkdP\x07\x02\x00\x00", "version 7"},
		"nothing":    {"", "EOF"},
	} {
		near, far := net.Pipe()
		go func() {
			defer far.Close()
			_, _ = readFrame(far, helloFrame)
			_, _ = io.WriteString(far, c.says)
		}()
		h := hello{purpose: forAsk}
		_, err := greet(testContext(t), near, "10.0.0.1:3888", &h, nil, patient)
		if err == nil {
			t.Fatalf("%s: welcome", name)
		}
		mustContain(t, name, err.Error(), c.want)
		mustContain(t, name, err.Error(), "10.0.0.1:3888")
		near.Close()
	}
}

func TestSlowHello(t *testing.T) {
	h := serve(t, 3, "3.1", nil, func(_ *Options, p *patience) {
		*p = patience{hello: 20 * time.Millisecond, write: patient, stall: patient, answer: patient}
	})
	raft, _ := h.Addrs()
	c, err := net.Dial("tcp", raft[0])
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, _ = c.Write([]byte("zkd"))
	eventually(t, "closed and counted", func() bool { return h.Figures().Slow == 1 })
	if _, err := c.Read(make([]byte, 1)); err == nil {
		t.Error("it stays open")
	}
}

func TestLookingAtThePortIsNoEvent(t *testing.T) {
	h := serve(t, 3, "3.1", nil)
	raft, _ := h.Addrs()
	for range 3 {
		c, err := net.Dial("tcp", raft[0])
		if err != nil {
			t.Fatal(err)
		}
		_ = c.(*net.TCPConn).CloseWrite()
		_, _ = io.Copy(io.Discard, c)
		c.Close()
	}
	if h.Figures() != (Figures{}) || h.log.String() != "" {
		t.Errorf("%+v, log %q", h.Figures(), h.log)
	}
}

func TestHellosAreBounded(t *testing.T) {
	h := serve(t, 3, "3.1", nil, func(_ *Options, p *patience) {
		*p = patience{hello: time.Hour, write: patient, stall: patient, answer: patient}
	})
	raft, _ := h.Addrs()
	for range maxHellos + 3 {
		c, err := net.Dial("tcp", raft[0])
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	eventually(t, "the rest turned away", func() bool { return h.Figures().Overload == 3 })
	if n := h.greetings.len(); n != maxHellos {
		t.Errorf("%d in hello", n)
	}
	// Somebody who says hello gets through all the same.
	_, link := h.Addrs()
	if _, _, err := AskOutside(t.Context(), link[0], nil, 1, nil); !errors.As(err, new(*AnswerError)) {
		t.Errorf("asked in the middle of a flood: %v", err)
	}
}

func TestListenErrorsSayWhichPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	taken := l.Addr().String()
	_, err = Listen(Options{ServerID: 3, RaftAddrs: []string{taken}})
	if err == nil {
		t.Fatal("bound")
	}
	mustContain(t, "first", err.Error(), taken+", the first (quorum) port of server.3")
	_, err = Listen(Options{ServerID: 3, RaftAddrs: []string{"127.0.0.1:0"}, LinkAddrs: []string{taken}})
	if err == nil {
		t.Fatal("bound")
	}
	mustContain(t, "second", err.Error(), taken+", the second (election) port of server.3")
}

// What goes wrong while one connection is opened is its own misfortune.
func TestPanicEndsOneConnection(t *testing.T) {
	var once sync.Once
	h := serve(t, 3, "3.1", echo, func(o *Options, _ *patience) {
		o.TCPKeepAlive = true
		self := o.Self
		o.Self = func() Identity {
			once.Do(func() { panic("out of sorts") })
			return self()
		}
	})
	if _, err := knock(t, h, false, hello{purpose: forAsk}, ""); err == nil {
		t.Fatal("welcome")
	}
	eventually(t, "logged", func() bool { return strings.Contains(h.log.String(), "out of sorts") })
	if _, err := knock(t, h, false, hello{purpose: forAsk}, ""); err != nil {
		t.Error(err)
	}
}
