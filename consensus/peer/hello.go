package peer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Cluster is the id of an ensemble; zero belongs to none yet.
type Cluster [16]byte

func (c Cluster) String() string { return hex.EncodeToString(c[:]) }

// Identity is who a server is.
type Identity struct {
	Cluster Cluster
	RaftID  string // "3.1": server 3, first incarnation; "3" is a server that is no member yet
}

// member tells whether it is the raft ID of one that is, or shall become, a
// member of raft.
func member(raftID string) bool { return strings.ContainsRune(raftID, '.') }

// The opening of a connection, in frames. A frame is
//
//	[4]  "zkdP"
//	u8   version of this format, 1
//	u8   what the frame is
//	u16  length of the rest, big-endian as all numbers are
//
// The dialer sends its hello, the other answers with its welcome. If both have
// a secret, the dialer then sends its proof. Last the verdict, which has the
// proof of the other. The dialer is first to prove that it knows the secret,
// because reaching a port is easier than taking its place.
const (
	frameHead    = 8
	frameVersion = 1
	maxFrame     = 1 << 10 // with its head
)

var frameMagic = [4]byte{'z', 'k', 'd', 'P'}

const (
	helloFrame   = 1
	welcomeFrame = 2
	proofFrame   = 3
	verdictFrame = 4
)

// purpose is what a connection is for.
type purpose byte

const (
	forRaft  purpose = 1 // raft's own protocol follows; first port
	forLink  purpose = 2 // messages both ways; second port, like the rest
	forQuery purpose = 3 // one request and its answer
	forAsk   purpose = 4 // the same, of a process that is no server
	// forEntries is raft's as well, on the first port: entries and commits from
	// a leader (entries.go).
	forEntries purpose = 5
)

// first tells whether the connection goes to the first port, to raft.
func (p purpose) first() bool { return p == forRaft || p == forEntries }

func (p purpose) String() string {
	switch p {
	case forRaft, forEntries:
		return "raft"
	case forLink:
		return "link"
	case forQuery, forAsk:
		return "query"
	}
	return "purpose " + strconv.Itoa(int(p))
}

// hello is what a dialer says first:
//
//	u8 purpose, u8 1 if it has a secret
//	[16] cluster, u64 server, u8 length, raft ID
//	u64 server wanted, u8 length, raft ID wanted
//	[8] process, [32] nonce
type hello struct {
	purpose    purpose
	secret     bool
	from       Identity
	server     uint64 // N of server.N that dials
	wantServer uint64 // and that it means to reach
	wantID     string // "" for whoever that is now
	process    [8]byte
	nonce      [32]byte
}

// welcome is the answer to it:
//
//	u8 1 if it has a secret
//	[16] cluster, u64 server, u8 length, raft ID
//	[32] nonce
type welcome struct {
	secret bool
	from   Identity
	server uint64
	nonce  [32]byte
}

// verdict is the end of the opening:
//
//	u8 code, 0 for welcome; u16 length, text of a refusal; [32] proof
type verdict struct {
	code  Reason
	text  string
	proof [sha256.Size]byte
}

const (
	maxRaftID = 64
	maxReason = 512
)

func appendFrame(dst []byte, kind byte, body []byte) []byte {
	dst = append(dst, frameMagic[:]...)
	dst = append(dst, frameVersion, kind)
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(body)))
	return append(dst, body...)
}

func appendText(dst []byte, s string) []byte { return append(append(dst, byte(len(s))), s...) }

func flag(b bool) byte {
	if b {
		return 1
	}
	return 0
}

func (h *hello) encode() []byte {
	be := binary.BigEndian
	b := append(make([]byte, 0, 256), byte(h.purpose), flag(h.secret))
	b = append(b, h.from.Cluster[:]...)
	b = appendText(be.AppendUint64(b, h.server), h.from.RaftID)
	b = appendText(be.AppendUint64(b, h.wantServer), h.wantID)
	b = append(append(b, h.process[:]...), h.nonce[:]...)
	return appendFrame(nil, helloFrame, b)
}

func (w *welcome) encode() []byte {
	b := append(make([]byte, 0, 256), flag(w.secret))
	b = append(b, w.from.Cluster[:]...)
	b = appendText(binary.BigEndian.AppendUint64(b, w.server), w.from.RaftID)
	return appendFrame(nil, welcomeFrame, append(b, w.nonce[:]...))
}

func (v *verdict) encode() []byte {
	text := v.text[:min(len(v.text), maxReason)]
	b := append(make([]byte, 0, 256), byte(v.code))
	b = binary.BigEndian.AppendUint16(b, uint16(len(text)))
	b = append(append(b, text...), v.proof[:]...)
	return appendFrame(nil, verdictFrame, b)
}

var errMalformed = errors.New("malformed frame")

func decodeHello(body []byte) (h hello, err error) {
	d := fields{rest: body}
	h.purpose, h.secret = purpose(d.u8()), d.flag()
	d.copy(h.from.Cluster[:])
	h.server, h.from.RaftID = d.u64(), d.raftID()
	h.wantServer, h.wantID = d.u64(), d.raftID()
	d.copy(h.process[:])
	d.copy(h.nonce[:])
	if h.purpose != forAsk && !names(h.from.RaftID, h.server) || h.wantID != "" && !names(h.wantID, h.wantServer) {
		d.bad = true
	}
	return h, d.end()
}

func decodeWelcome(body []byte) (w welcome, err error) {
	d := fields{rest: body}
	w.secret = d.flag()
	d.copy(w.from.Cluster[:])
	w.server, w.from.RaftID = d.u64(), d.raftID()
	d.copy(w.nonce[:])
	if !names(w.from.RaftID, w.server) {
		d.bad = true
	}
	return w, d.end()
}

func decodeVerdict(body []byte) (v verdict, err error) {
	d := fields{rest: body}
	v.code = Reason(d.u8())
	v.text = d.text(int(binary.BigEndian.Uint16(d.take(2))), maxReason)
	d.copy(v.proof[:])
	return v, d.end()
}

// names tells whether the raft ID is one of that server.
func names(raftID string, server uint64) bool {
	n, rest, settled := strings.Cut(raftID, ".")
	return n == strconv.FormatUint(server, 10) && settled == (rest != "")
}

// fields takes a frame apart. What is missing reads as zero and makes it bad.
type fields struct {
	rest []byte
	bad  bool
}

// take returns n bytes, which may be gone with the next call.
func (d *fields) take(n int) []byte {
	if len(d.rest) < n {
		d.bad, d.rest = true, nil
		return make([]byte, n)
	}
	b := d.rest[:n]
	d.rest = d.rest[n:]
	return b
}

func (d *fields) copy(dst []byte) { copy(dst, d.take(len(dst))) }
func (d *fields) u8() byte        { return d.take(1)[0] }
func (d *fields) u64() uint64     { return binary.BigEndian.Uint64(d.take(8)) }

func (d *fields) flag() bool {
	b := d.u8()
	if b > 1 {
		d.bad = true
	}
	return b == 1
}

// text returns n bytes of printable text, for it will be shown to people.
func (d *fields) text(n, limit int) string {
	if n > limit {
		d.bad = true
		return ""
	}
	s := string(d.take(n))
	for _, r := range s {
		if !strconv.IsPrint(r) {
			d.bad = true
			return ""
		}
	}
	return s
}

func (d *fields) raftID() string {
	s := d.text(int(d.u8()), maxRaftID)
	if strings.ContainsRune(s, ' ') {
		d.bad = true
	}
	return s
}

func (d *fields) end() error {
	if d.bad || len(d.rest) > 0 {
		return errMalformed
	}
	return nil
}

// readFrame reads one frame, and not a byte more: what follows the opening
// belongs to somebody else. raw is the frame with its head.
func readFrame(r io.Reader, kind byte) (raw []byte, err error) {
	var head [frameHead]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if err := checkHead(head, kind); err != nil {
		return nil, err
	}
	n := int(binary.BigEndian.Uint16(head[6:]))
	raw = make([]byte, frameHead+n)
	copy(raw, head[:])
	if _, err := io.ReadFull(r, raw[frameHead:]); err != nil {
		return nil, err
	}
	return raw, nil
}

var (
	errZooKeeper = errors.New("this looks like a ZooKeeper server, and it cannot be in one ensemble with zkd")
	errGarbage   = errors.New("this is no zkd server")
)

// versionError is a frame of another version of zkd.
type versionError struct{ theirs byte }

func (e versionError) Error() string {
	return fmt.Sprintf("version %d of the peer protocol is spoken there, %d here", e.theirs, frameVersion)
}

func checkHead(head [frameHead]byte, kind byte) error {
	be := binary.BigEndian
	switch {
	case zooKeeper(head):
		return errZooKeeper
	case [4]byte(head[:]) != frameMagic:
		return errGarbage
	case head[4] != frameVersion:
		return versionError{head[4]}
	case head[5] != kind, int(be.Uint16(head[6:]))+frameHead > maxFrame:
		return errMalformed
	}
	return nil
}

// zooKeeper tells whether a connection begins as one of ZooKeeper's does: on
// the election port with the version of QuorumCnxManager's first message, on
// the quorum port with the type of a Leader.FOLLOWERINFO or OBSERVERINFO packet.
func zooKeeper(head [frameHead]byte) bool {
	switch int64(binary.BigEndian.Uint64(head[:])) {
	case -65536, -65535:
		return true
	}
	switch binary.BigEndian.Uint32(head[:]) {
	case 11, 16:
		return true
	}
	return false
}

// prove returns the proof that one knows the secret, for this one opening and
// one side of it.
func prove(secret []byte, side string, hello, welcome []byte) (proof [sha256.Size]byte) {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(side))
	m.Write(hello)
	m.Write(welcome)
	m.Sum(proof[:0])
	return proof
}

const (
	dialerSide   = "zkd peer, the one that dials\n"
	acceptorSide = "zkd peer, the one that is dialed\n"
)
