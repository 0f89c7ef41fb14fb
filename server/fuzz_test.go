package server

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"zkd/proto/jute"
	"zkd/test/wire"
)

// FuzzConn sends arbitrary bytes instead of a handshake and behind one. The
// connection ends, its goroutine with it, and other clients notice nothing.
func FuzzConn(f *testing.F) {
	frames := bytes.Join([][]byte{
		wire.Frame(wire.Payload(1, wire.OpCreate, wire.Create{Path: "/a", ACL: wire.OpenACL})),
		wire.Frame(wire.Payload(2, wire.OpGetData, wire.PathWatch{Path: "/a", Watch: true})),
		wire.Frame(wire.Payload(3, wire.OpAuth, wire.Auth{Scheme: "digest", Data: []byte("u:p")})),
		wire.Frame(wire.Payload(4, wire.OpMulti, wire.Multi{Ops: []wire.SubOp{{Op: wire.OpCheck, Body: wire.PathVersion{Path: "/a"}}}})),
		wire.Frame(wire.Payload(-8, wire.OpSetWatches2, wire.SetWatches2{SetWatches: wire.SetWatches{Data: []string{"/a"}}})),
		wire.Frame(wire.Payload(5, wire.OpClose, nil)),
	}, nil)
	hello := wire.Frame(wire.ConnectRequest{TimeoutMs: 10_000, Password: make([]byte, 16)}.Payload())
	for _, b := range [][]byte{
		nil, []byte("ruok"), []byte("stmk12345678"), []byte("GET / HTTP/1.1\r\n\r\n"), frames, hello, hello[:20],
		append(hello[:len(hello):len(hello)], frames...), {0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0xff}, {0, 0, 0, 0}, {0, 0xf, 0xff, 0xff, 1},
		wire.Frame(wire.Payload(1, wire.OpCreateSession, nil)), wire.Frame(wire.Payload(1, 12345, nil)),
		append([]byte{0x80, 0, 0, 0}, make([]byte, 64<<10)...),
	} {
		f.Add(b, false)
		f.Add(b, true)
	}
	s := startServer(f, nil)
	witness := *connect(f, s)
	witness.create("/witness", nil, 0)
	f.Fuzz(func(t *testing.T, b []byte, attached bool) {
		nc, err := wire.Dial(s.Addr().String(), patience)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		if attached {
			if _, err := nc.Connect(wire.ConnectRequest{TimeoutMs: 4000}, patience); err != nil {
				t.Fatal(err)
			}
		}
		// The server may close in the middle of it.
		if nc.Write(b) == nil && nc.CloseWrite() == nil {
			closed(t, nc)
		}
		nc.Close()
		settled(t, s, 1)
		witness := witness
		witness.t = t
		if r := witness.call(wire.OpExists, wire.PathWatch{Path: "/witness"}); r.Err != 0 {
			t.Fatalf("another client's read: %v", r.Err)
		}
	})
}

// What decodes is what was encoded; what does not, ends in false and not in a
// panic.
func FuzzTxn(f *testing.F) {
	f.Add([]byte(newTxnHead(1, 2, []jute.ID{{Scheme: "ip", ID: "::1"}}).with(jute.OpCreate, 3)))
	f.Add([]byte(newTxnHead(-1, 0, nil).with(opAttach, 0)))
	f.Add(append([]byte(newTxnHead(1, 0, nil)), 255))
	f.Fuzz(func(t *testing.T, b []byte) {
		txn := txn{ids: make([]jute.ID, 3)}
		if !txn.decode(b) || len(txn.ids) > maxIDs {
			return
		}
		again := newTxnHead(txn.session, txn.generation, txn.ids).with(txn.op, txn.xid)
		if again = append(again, txn.body.Rest()...); !bytes.Equal(again, b) && !hasNull(b) && !mended(txn.ids) {
			t.Errorf("%x became %x", b, again)
		}
	})
}

// mended tells whether an identity may have held malformed text, which reads as
// U+FFFD. What a connection puts into the log has been mended already.
func mended(ids []jute.ID) bool {
	return slices.ContainsFunc(ids, func(id jute.ID) bool { return strings.ContainsRune(id.Scheme+id.ID, '\uFFFD') })
}

// hasNull tells whether bytes may hold a null string, which reads as an empty
// one.
func hasNull(b []byte) bool { return bytes.Contains(b, []byte{255, 255, 255, 255}) }

func FuzzMulti(f *testing.F) {
	op := func(op wire.Op, body wire.Body) []byte {
		return wire.Payload(0, 0, wire.Multi{Ops: []wire.SubOp{{Op: op, Body: body}}})[8:]
	}
	create := wire.Create{Path: "/a", Data: []byte("x"), ACL: wire.OpenACL}
	for _, b := range [][]byte{
		op(wire.OpCreate, create), op(wire.OpCreate2, create), op(wire.OpCreateTTL, wire.CreateTTL{Create: create, TTL: 5}),
		op(wire.OpCreateContainer, create), op(wire.OpDelete, wire.PathVersion{Path: "/a", Version: -1}),
		op(wire.OpCheck, wire.PathVersion{Path: wire.Null}), op(wire.OpSetData, wire.SetData{Path: "/a"}), op(99, nil),
	} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		r := jute.NewReader(b)
		ops, is := decodeMulti(nil, &r)
		// Each operation takes a header of nine bytes at least.
		if len(ops) > len(b)/9 {
			t.Errorf("%d operations in %d bytes", len(ops), len(b))
		}
		for _, o := range ops {
			switch o.op {
			case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL, jute.OpDelete, jute.OpCheck, jute.OpSetData:
			default:
				t.Errorf("operation %d let through", o.op)
			}
		}
		if is == wellFormed && r.Err() != nil {
			t.Error("accepted what could not be read")
		}
	})
}

func FuzzSettings(f *testing.F) {
	f.Add(settings{skipACL: true, ttlNodes: true, listLimit: 1 << 20}.encode())
	f.Add(settings{enforceQuota: true, reconfig: true, listLimit: -1}.encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := decodeSettings(b)
		if ok != (len(b) >= 5) {
			t.Fatalf("%x: %v", b, ok)
		}
		if again, _ := decodeSettings(s.encode()); ok && again != s {
			t.Errorf("%+v became %+v", s, again)
		}
	})
}
