package server

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/test/quick"
	"zkd/test/wire"
)

func TestConnectionLimits(t *testing.T) {
	for _, limit := range []struct {
		name string
		set  func(*conf.Config)
	}{
		{"maxClientCnxns", func(c *conf.Config) { c.MaxClientCnxns = 3 }},
		{"maxCnxns", func(c *conf.Config) { c.MaxCnxns = 3 }},
	} {
		t.Run(limit.name, func(t *testing.T) {
			s := startServer(t, limit.set)
			first := connect(t, s)
			connect(t, s)
			third := connect(t, s)
			for range 5 {
				nc, err := wire.Dial(s.Addr().String(), patience)
				if err != nil {
					continue // closed before it showed as open
				}
				if b := closed(t, nc); len(b) > 0 {
					t.Errorf("a refused connection got %q", b)
				}
				nc.Close()
			}
			must(t, func() bool { return s.stats.rejected.Load() == 5 }, "five rejected")
			first.create("/a", nil, 0) // the ones inside are not touched
			third.Close()
			settled(t, s, 2)
			connect(t, s).ok(wire.OpExists, wire.PathWatch{Path: "/a"})
		})
	}
}

// Who never shakes hands is sent away, also one who sends a byte now and then.
func TestSessionlessTimeout(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { c.SessionlessCnxnTimeout = 100 * time.Millisecond })
	silent, slow := dial(t, s), dial(t, s)
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for slow.Write([]byte{0}) == nil {
			select {
			case <-stop:
				return
			case <-time.After(10 * time.Millisecond):
			}
		}
	}()
	closed(t, silent)
	settled(t, s, 0)
	close(stop)
	<-done
}

// A client without a session that does not take its answer is not waited for.
func TestUnreadAnswerWithoutSession(t *testing.T) {
	s := startServer(t, func(c *conf.Config) {
		c.SessionlessCnxnTimeout = 200 * time.Millisecond
		c.FourLetterWords = allWords(t)
	})
	c := connect(t, s)
	path := "/" + strings.Repeat("p", 1000)
	watches := wire.SetWatches2{
		SetWatches: wire.SetWatches{Data: []string{}, Exist: []string{}, Child: []string{}},
		Persistent: []string{}, Recursive: make([]string, 900),
	}
	for i := range 30 { // some 27 MB in wchp, more than a socket takes
		for j := range watches.Recursive {
			watches.Recursive[j] = fmt.Sprintf("%s/%d/%d", path, i, j)
		}
		if r := c.call(wire.OpSetWatches2, watches); r.Err != 0 {
			t.Fatal(r.Err)
		}
	}
	probe := dial(t, s)
	if err := probe.Write([]byte("wchp")); err != nil {
		t.Fatal(err)
	}
	must(t, func() bool { return s.conns.len() == 2 }, "the probe is in")
	settled(t, s, 1)
}

func allWords(t testing.TB) conf.FourLetterWords {
	t.Helper()
	cfg, _, err := conf.Load("", []conf.Property{conf.ParseProperty("zookeeper.4lw.commands.whitelist=*", "test")})
	if err != nil {
		t.Fatal(err)
	}
	return cfg.FourLetterWords
}

func TestMaxBufferBounds(t *testing.T) {
	const limit = 4096
	s := startServer(t, func(c *conf.Config) { c.JuteMaxBuffer = limit })
	request := func(size int) []byte {
		head := len(wire.Payload(7, wire.OpSetData, wire.SetData{Path: "/a", Version: -1}))
		return wire.Payload(7, wire.OpSetData, wire.SetData{Path: "/a", Data: bytes.Repeat([]byte("x"), size-head), Version: -1})
	}
	for _, row := range []struct {
		size int
		fits bool
	}{{limit - 1, true}, {limit, true}, {limit + 1, false}} {
		c := connect(t, s)
		c.call(wire.OpCreate, wire.Create{Path: "/a", ACL: wire.OpenACL})
		p := request(row.size)
		if len(p) != row.size {
			t.Fatalf("request of %d bytes instead of %d", len(p), row.size)
		}
		c.Expect(7, wire.OpSetData)
		if err := c.Write(wire.Frame(p)); err != nil {
			t.Fatal(err)
		}
		if !row.fits {
			if b := closed(t, c.Conn); len(b) > 0 {
				t.Errorf("%d bytes: answered %x", row.size, b)
			}
			continue
		}
		if r := c.reply(); r.Err != 0 || r.Stat == nil {
			t.Errorf("%d bytes: %v", row.size, r.Err)
		}
	}
	for _, n := range []int32{-1, -1 << 31, limit + 1, 1<<31 - 1} {
		for _, attached := range []bool{false, true} {
			c := dial(t, s)
			if attached {
				c = connect(t, s).Conn
			}
			if err := c.Write(binary.BigEndian.AppendUint32(nil, uint32(n))); err != nil {
				t.Fatal(err)
			}
			if b := closed(t, c); len(b) > 0 {
				t.Errorf("length %d, attached %v: answered %x", n, attached, b)
			}
		}
	}
}

// Every byte on its own is as good as all at once.
func TestSlowSender(t *testing.T) {
	s := startServer(t, nil)
	nc := dial(t, s)
	send := func(b []byte) {
		for i := range b {
			if err := nc.Write(b[i : i+1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	send(wire.Frame(wire.ConnectRequest{TimeoutMs: 30_000, Password: make([]byte, 16)}.Payload()))
	r, err := nc.ReadConnect(patience)
	if err != nil || r.Session == 0 {
		t.Fatalf("handshake: %+v, %v", r, err)
	}
	send(wire.Frame(wire.Payload(1, wire.OpCreate, wire.Create{Path: "/slow", ACL: wire.OpenACL})))
	nc.Expect(1, wire.OpCreate)
	if _, r, err := nc.Next(patience); err != nil || r.Err != 0 || *r.Path != "/slow" {
		t.Fatalf("create: %+v, %v", r, err)
	}
}

// A length is a claim: memory follows the bytes that have come.
func TestClaimedLengthCostsNothing(t *testing.T) {
	const claim, clients = 64 << 20, 100
	s := startServer(t, func(c *conf.Config) { c.JuteMaxBuffer = claim })
	before := allocated()
	for i := range clients {
		var c *wire.Conn
		if i%2 == 0 {
			c = connect(t, s).Conn
		} else {
			c = dial(t, s)
		}
		if err := c.Write(append(binary.BigEndian.AppendUint32(nil, claim), "abc"...)); err != nil {
			t.Fatal(err)
		}
		// The end is behind the claim: once the server has seen the one, it has
		// dealt with the other.
		if err := c.CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if b := closed(t, c); len(b) > 0 {
			t.Errorf("answered %x", b)
		}
	}
	settled(t, s, 0)
	if grown := allocated() - before; grown > clients*256<<10+32<<20 {
		t.Errorf("%d claims of %d bytes cost %d", clients, claim, grown)
	}
}

// allocated counts every byte ever allocated, whether still in use or not.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestWordsWithHalfClose(t *testing.T) {
	s := startServer(t, func(c *conf.Config) { c.FourLetterWords = allWords(t) })
	for name := range words {
		for _, pieces := range []int{1, 2, 4} {
			nc := dial(t, s)
			in := name
			if name == "stmk" {
				in += "\x00\x00\x00\x00\x00\x00\x00\x07"
			}
			for i := range pieces {
				if err := nc.Write([]byte(in[i*len(in)/pieces : (i+1)*len(in)/pieces])); err != nil {
					t.Fatal(err)
				}
			}
			if err := nc.CloseWrite(); err != nil {
				t.Fatal(err)
			}
			if b := closed(t, nc); len(b) == 0 && name != "hash" {
				t.Errorf("%s in %d pieces: no answer", name, pieces)
			}
		}
	}
	settled(t, s, 0)
}

func TestHTTPOnTheClientPort(t *testing.T) {
	s := startServer(t, nil)
	for _, method := range []string{"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"} {
		nc := dial(t, s)
		if err := nc.Write([]byte(method + " /commands/ruok HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		b := string(closed(t, nc))
		if !strings.HasPrefix(b, "HTTP/1.1 400 ") || !strings.Contains(b, fmt.Sprint(s.Port())) {
			t.Errorf("%s: %q", method, b)
		}
	}
}

// The identities of a connection go into every entry of the log: there must be
// an end to them, or one client could stop the server with an entry that no
// log takes.
func TestIdentitiesAreBounded(t *testing.T) {
	s := startServer(t, nil)
	other := connect(t, s)
	c := connect(t, s)
	user := bytes.Repeat([]byte("u"), 900<<10)
	for i := range 80 {
		c.xid++
		if c.Send(c.xid, wire.OpAuth, wire.Auth{Scheme: "digest", Data: append(user, fmt.Sprint(i, ":p")...)}) != nil {
			break // refused and closed
		}
		_, r, err := c.Next(patience)
		if err != nil || r.Err != 0 {
			break
		}
	}
	c.xid++
	_ = c.Send(c.xid, wire.OpCreate, wire.Create{Path: "/big", ACL: wire.OpenACL})
	_, _, _ = c.Next(patience)
	other.create("/small", nil, 0)
	select {
	case err := <-s.Failed():
		t.Fatalf("server stopped: %v", err)
	default:
	}
}

// A request that the log cannot take must not stop the server, whatever
// jute.maxbuffer lets in.
func TestRequestLargerThanAnEntry(t *testing.T) {
	quick.Skip(t)
	s := startServer(t, func(c *conf.Config) { c.JuteMaxBuffer = 200 << 20 })
	other, c := connect(t, s), connect(t, s)
	c.create("/a", nil, 0)
	_ = c.Send(99, wire.OpSetData, wire.SetData{Path: "/a", Data: make([]byte, 70<<20), Version: -1})
	_, _, _ = c.Next(patience)
	other.create("/small", nil, 0)
	// The largest that fit, two at a time.
	c = connect(t, s)
	data := bytes.Repeat([]byte("x"), maxRequest-1000)
	for range 2 {
		c.send(wire.OpSetData, wire.SetData{Path: "/a", Data: data, Version: -1})
	}
	for want := range int32(2) {
		if r := c.reply(); r.Err != 0 || r.Stat.Version != want+1 || int(r.Stat.DataLength) != len(data) {
			t.Errorf("reply %d: %+v", want, r)
		}
	}
}

// A request may ask for the same znode many times over: what it is answered
// has a limit, or one small frame could take all memory.
func TestMultiReadIsBounded(t *testing.T) {
	s := startServer(t, nil)
	c := connect(t, s)
	c.create("/a", make([]byte, 1<<20-200), 0)
	var m wire.Multi
	for range 20_000 {
		m.Ops = append(m.Ops, wire.SubOp{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/a"}})
	}
	before := allocated()
	if r := c.call(wire.OpMultiRead, m); r.Err == 0 {
		t.Errorf("twenty gigabytes were asked for, %d results", len(r.Results))
	}
	if grown := allocated() - before; grown > 1<<30 {
		t.Errorf("the refusal cost %d bytes", grown)
	}
	m.Ops = m.Ops[:12]
	if r := c.ok(wire.OpMultiRead, m); len(r.Results) != 12 {
		t.Errorf("%d results instead of 12", len(r.Results))
	}
}
