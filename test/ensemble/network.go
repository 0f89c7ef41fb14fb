package ensemble

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Network is a switch in this process. Every server has a network namespace, whose way out is a tunnel device that is
// read and written here, so that any packet can vanish, come late, wait, or be refused (Rule). Nobody is told, as when
// a cable is pulled.
type Network struct {
	spaces map[int]*Space

	mu    sync.Mutex // guards all below
	rules []*Rule
	flows map[flow]int // when a connection began, in rules made until then
	made  int          // rules so far
	links map[[2]int]*link
	rnd   *rand.Rand
}

// Space is a network namespace. A nil Space is the one that the test runs in.
type Space struct {
	ID int    // of the server that lives there
	IP string // its address

	fd  *os.File // the namespace
	tun *os.File // what leaves it is read here, what comes is written
}

// device is a namespace's tunnel; mtu is large, because each packet costs this process two system calls.
const (
	device = "tun0"
	mtu    = 9000
)

// NewNetwork makes a network without anyone on it, or skips the test where that cannot be.
func NewNetwork(t testing.TB) *Network {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces need root")
	}
	n := &Network{spaces: map[int]*Space{}, flows: map[flow]int{}, links: map[[2]int]*link{}, rnd: rand.New(rand.NewPCG(1, 2))}
	probe, err := newSpace(0)
	if err != nil {
		t.Skipf("no network namespace with a tunnel here: %v", err)
	}
	probe.close()
	return n
}

// Space puts a namespace on the network: the one of a server, or of clients that live apart.
func (n *Network) Space(t testing.TB, id int) *Space {
	t.Helper()
	if s := n.spaces[id]; s != nil {
		return s
	}
	s, err := newSpace(id)
	if err != nil {
		t.Fatal(err)
	}
	n.mu.Lock()
	n.spaces[id] = s
	n.mu.Unlock()
	done := make(chan struct{})
	go func() { defer close(done); n.carry(s) }()
	t.Cleanup(func() { s.close(); <-done })
	return s
}

func (s *Space) close() {
	for _, f := range []*os.File{s.tun, s.fd} {
		if f != nil {
			f.Close()
		}
	}
}

// do runs f in the namespace. What f starts or opens stays there.
func (s *Space) do(f func() error) error {
	if s == nil {
		return f()
	}
	return onOwnThread(int(s.fd.Fd()), f)
}

// Dial opens a TCP connection from within the namespace.
func (s *Space) Dial(addr string, timeout time.Duration) (nc net.Conn, err error) {
	err = s.do(func() error {
		// No fallback to another address family: its attempt would run on another thread.
		d := net.Dialer{Timeout: timeout, FallbackDelay: -1}
		nc, err = d.DialContext(context.Background(), "tcp4", addr)
		return err
	})
	return nc, err
}

// carry brings what leaves a namespace to where it is to go, until the namespace is closed.
func (n *Network) carry(from *Space) {
	buf := make([]byte, 1<<16)
	for {
		size, err := from.tun.Read(buf)
		if err != nil {
			return
		}
		if p := packet(buf[:size]); p.valid() {
			n.send(p)
		}
	}
}

// packet is an IPv4 packet as it comes out of a tunnel.
type packet []byte

// flow is a TCP connection by its ends, the same for both directions.
type flow struct {
	lowIP, highIP     byte
	lowPort, highPort uint16
}

func (p packet) valid() bool {
	return len(p) >= 20 && p[0]>>4 == 4 && p[0]&15 >= 5 && len(p) >= p.header() && (!p.tcp() || len(p) >= p.header()+20)
}

func (p packet) header() int       { return int(p[0]&15) * 4 }
func (p packet) tcp() bool         { return p[9] == unix.IPPROTO_TCP }
func (p packet) ends() (a, b int)  { return int(p[15]), int(p[19]) } // ids of spaces are the last bytes of addresses
func (p packet) segment() []byte   { return p[p.header():] }
func (p packet) ports() (a, b int) { s := p.segment(); return int(be.Uint16(s)), int(be.Uint16(s[2:])) }
func (p packet) seq() uint32       { return be.Uint32(p.segment()[4:]) }
func (p packet) ack() uint32       { return be.Uint32(p.segment()[8:]) }
func (p packet) flags() byte       { return p.segment()[13] }

var be = binary.BigEndian

// The flags of a TCP header that are looked at.
const (
	flagSyn = 1 << 1
	flagRst = 1 << 2
	flagAck = 1 << 4
)

func (p packet) flow() flow {
	a, b := p.ends()
	i, j := p.ports()
	if a > b || a == b && i > j {
		a, b, i, j = b, a, j, i
	}
	return flow{byte(a), byte(b), uint16(i), uint16(j)}
}

// reset is what tells the receiver of p's answers that the connection is over: sent to where p came from, or, forward,
// to where it goes.
func (p packet) reset(forward bool) packet {
	r := make(packet, 40)
	r[0], r[8], r[9] = 0x45, 64, unix.IPPROTO_TCP
	be.PutUint16(r[2:], 40)
	s, old := r.segment(), p.segment()
	s[12], s[13] = 5<<4, flagRst
	if forward {
		copy(r[12:20], p[12:20])
		copy(s[:4], old[:4])
		be.PutUint32(s[4:], p.seq())
	} else {
		copy(r[12:16], p[16:20])
		copy(r[16:20], p[12:16])
		copy(s[:2], old[2:4])
		copy(s[2:4], old[:2])
		be.PutUint32(s[4:], p.ack())
		if p.flags()&flagAck == 0 { // a SYN has nothing to confirm: it is confirmed itself
			s[13] |= flagAck
			be.PutUint32(s[8:], p.seq()+1)
			be.PutUint32(s[4:], 0)
		}
	}
	be.PutUint16(r[10:], sum(r[:20]))
	pseudo := append(append([]byte{}, r[12:20]...), 0, unix.IPPROTO_TCP, 0, 20)
	be.PutUint16(s[16:], sum(append(pseudo, s...)))
	return r
}

// sum is the checksum of the Internet protocols.
func sum(b []byte) uint16 {
	var all uint32
	for i := 0; i+1 < len(b); i += 2 {
		all += uint32(be.Uint16(b[i:]))
	}
	for all > 0xffff {
		all = all>>16 + all&0xffff
	}
	return ^uint16(all)
}
