package main

import (
	"io"
	"net"
	"testing"

	"zkd/test/bench/floor"
)

// fakeServer answers every request with a fixed frame. It keeps no tree: it exists so that the generator
// can be tested, and its own cost measured, without a server.
type fakeServer struct {
	body func(op int32, request []byte) []byte // after the reply header
	// code and xid, when set, spoil a reply.
	code func(n int) int32
	xid  func(n int, xid int32) int32
	// chunk is how many bytes are written at a time; 0: all replies to one read together.
	chunk int
	// hangUpAfter, when set, is the number of replies after which a connection is closed.
	hangUpAfter int
}

func startFake(t testing.TB, f *fakeServer) string {
	t.Helper()
	return listen(t, f.serve)
}

// listen has each connection served by a goroutine of its own until the test ends.
func listen(t testing.TB, serve func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go serve(c)
		}
	}()
	return l.Addr().String()
}

func (f *fakeServer) serve(c net.Conn) {
	defer c.Close()
	var in frames
	out := make([]byte, 0, 64<<10)
	answered := -1 // the handshake comes first
	for {
		n, err := c.Read(in.space())
		if err != nil {
			return
		}
		in.filled(n)
		out = out[:0]
		for {
			b, ok, err := in.next()
			if err != nil {
				return
			}
			if !ok {
				break
			}
			if answered < 0 {
				out = append(out, connectResponse()...)
			} else {
				out = f.appendReply(out, answered, b)
			}
			answered++
		}
		if f.write(c, out) != nil || f.hangUpAfter > 0 && answered >= f.hangUpAfter {
			return
		}
	}
}

func (f *fakeServer) write(w io.Writer, b []byte) error {
	for len(b) > 0 {
		n := len(b)
		if f.chunk > 0 {
			n = min(n, f.chunk)
		}
		if _, err := w.Write(b[:n]); err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

func (f *fakeServer) appendReply(out []byte, n int, req []byte) []byte {
	xid, op := getInt(req), getInt(req[4:])
	if f.xid != nil {
		xid = f.xid(n, xid)
	}
	var code int32
	if f.code != nil {
		code = f.code(n)
	}
	var body []byte
	if f.body != nil && op != opCloseSession {
		body = f.body(op, req)
	}
	return appendReply(out, xid, code, body)
}

func appendReply(out []byte, xid, code int32, body []byte) []byte {
	out = appendInt(out, int32(replyHeaderSize+len(body)))
	out = appendInt(out, xid)
	out = appendLong(out, 1)
	out = appendInt(out, code)
	return append(out, body...)
}

func connectResponse() []byte {
	b := make([]byte, 0, 41)
	b = appendInt(b, 37)
	b = appendInt(b, 0)
	b = appendInt(b, 30_000)
	b = appendLong(b, 0x100)
	b = appendBuffer(b, make([]byte, 16))
	return appendBool(b, false)
}

// plausible answers what the workloads send as the floor does.
func plausible(data []byte) func(op int32, req []byte) []byte {
	replies := floor.NewReplies(data)
	return func(_ int32, req []byte) []byte {
		b, _ := replies.Append(nil, req)
		return b[lengthSize+replyHeaderSize:]
	}
}
