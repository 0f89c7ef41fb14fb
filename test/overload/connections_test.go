package overload

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"zkd/test/wire"
)

// All clients lose their connections at once and come back with their sessions.
func TestReconnects(t *testing.T) {
	clients := shortOrLong(2_000, 9_000)
	scenario{
		name: fmt.Sprintf("%d sessions that reconnect at once, again and again", clients), limit: 512 * mega, lasts: 8 * time.Second,
		attack: func(f *force) {
			sessions := make([]*session, clients)
			f.done.Go(func() {
				for f.ctx.Err() == nil {
					var round sync.WaitGroup
					for i, old := range sessions {
						round.Go(func() {
							id, password := int64(0), make([]byte, 16)
							if old != nil {
								id, password = old.id, old.password
							}
							s, err := attach(f.addr, honestTimeout, id, password)
							if err != nil {
								return // with the same session in the next round
							}
							f.did.Add(1)
							sessions[i] = s
						})
					}
					round.Wait()
					for _, s := range sessions {
						if s != nil {
							cut(s.nc)
						}
					}
				}
			})
		},
		peers: true,
		least: int64(clients),
	}.run(t)
}

// cut resets a connection, which leaves no port taken on this side.
func cut(nc net.Conn) {
	_ = nc.(*net.TCPConn).SetLinger(0)
	nc.Close()
}

// Connections that say nothing, or not all of what they begin to say.
func TestStalledHandshakes(t *testing.T) {
	clients := shortOrLong(2_000, 9_000)
	frame := wire.Frame(wire.ConnectRequest{TimeoutMs: 30_000, Password: make([]byte, 16)}.Payload())
	scenario{
		name: fmt.Sprintf("%d handshakes that stall", clients), limit: 512 * mega, lasts: 6 * time.Second,
		attack: func(f *force) {
			f.each(clients, func(i int) {
				nc := f.dial()
				if nc == nil {
					return
				}
				defer cut(nc)
				f.did.Add(1)
				_, _ = nc.Write(frame[:i%len(frame)])
				awaitEnd(nc)
			})
		},
		least: int64(clients),
	}.run(t)
}

// awaitEnd returns when the server closes the connection, or the attack is over.
func awaitEnd(nc net.Conn) {
	var b [512]byte
	for {
		if _, err := nc.Read(b[:]); err != nil {
			return
		}
	}
}

// Requests as long as are allowed that are never sent to their end, with and without a session.
func TestUnfinishedRequests(t *testing.T) {
	clients := shortOrLong(500, 2_000)
	frame := append(binary.BigEndian.AppendUint32(nil, 1_000_000), bytes.Repeat([]byte{0}, 999_000)...)
	scenario{
		name: fmt.Sprintf("%d requests of 1 MB without their end", clients), limit: 256 * mega, lasts: 6 * time.Second,
		attack: func(f *force) {
			f.each(clients, func(i int) {
				nc := f.dial()
				if i%2 == 0 {
					nc = f.session()
				}
				if nc == nil {
					return
				}
				defer cut(nc)
				if _, err := nc.Write(frame); err == nil {
					f.did.Add(1)
				}
				awaitEnd(nc)
			})
		},
		least: 100,
	}.run(t)
}

// What is no request at all, on all ports.
func TestGarbage(t *testing.T) {
	const clients = 60
	scenario{
		name: "garbage on all ports", limit: 256 * mega, lasts: 4 * time.Second,
		attack: func(f *force) {
			f.each(clients, func(i int) {
				ports := append([]string{f.addr}, f.more...)
				nc := f.dialTo(ports[i%len(ports)])
				if nc == nil {
					return
				}
				defer cut(nc)
				_ = nc.SetDeadline(time.Now().Add(time.Second))
				garbage[rand.IntN(len(garbage))](f.ctx, nc)
				f.did.Add(1)
				awaitEnd(nc)
			})
		},
		peers: true,
		least: 100,
	}.run(t)
}

var garbage = []func(ctx context.Context, nc net.Conn){
	func(_ context.Context, nc net.Conn) { // any bytes
		b := make([]byte, 1+rand.IntN(100_000))
		for i := range b {
			b[i] = byte(rand.Uint32())
		}
		_, _ = nc.Write(b)
	},
	func(_ context.Context, nc net.Conn) { claim(nc, -1) },
	func(_ context.Context, nc net.Conn) { claim(nc, 1<<31-1) },
	func(_ context.Context, nc net.Conn) { claim(nc, 1<<19) },
	func(ctx context.Context, nc net.Conn) { // TLS on a plain port
		_ = tls.Client(nc, &tls.Config{InsecureSkipVerify: true}).HandshakeContext(ctx)
	},
	func(_ context.Context, nc net.Conn) { fmt.Fprint(nc, "GET / HTTP/1.1\r\n\r\n") },
	func(_ context.Context, nc net.Conn) { fmt.Fprint(nc, "srvr") },
	func(_ context.Context, nc net.Conn) { // an operation that does not exist, in a session
		req := wire.ConnectRequest{TimeoutMs: 30_000, Password: make([]byte, 16)}
		_, _ = nc.Write(append(wire.Frame(req.Payload()), wire.Frame(wire.Payload(1, 4711, nil))...))
	},
}

// claim announces a frame that does not come.
func claim(nc net.Conn, n int32) {
	_, _ = nc.Write(append(binary.BigEndian.AppendUint32(nil, uint32(n)), "abc"...))
}
