package overload

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"zkd/test/wire"
)

// force is those who attack a server, until their time is over.
type force struct {
	ctx  context.Context
	addr string
	more []string     // the peer ports of an ensemble
	did  atomic.Int64 // of whatever the scenario counts
	done sync.WaitGroup
}

// each runs n attackers, each of which goes on until the time is over, whatever becomes of its connections.
func (f *force) each(n int, attacker func(i int)) {
	for i := range n {
		f.done.Go(func() {
			for f.ctx.Err() == nil {
				attacker(i)
				select { // one that is sent away at once comes back, but not a thousand times a second
				case <-f.ctx.Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		})
	}
}

// dial opens a connection that ends with the attack. It is nil if the server does not take it.
func (f *force) dial() net.Conn { return f.dialTo(f.addr) }

func (f *force) dialTo(addr string) net.Conn {
	d := net.Dialer{Timeout: 10 * time.Second}
	nc, err := d.DialContext(f.ctx, "tcp", addr)
	if err != nil {
		return nil
	}
	context.AfterFunc(f.ctx, func() { nc.Close() })
	return nc
}

// session opens a session whose connection ends with the attack.
func (f *force) session() net.Conn {
	nc := f.dial()
	if nc == nil {
		return nil
	}
	req := wire.ConnectRequest{TimeoutMs: int32(honestTimeout.Milliseconds()), Password: make([]byte, 16)}
	if _, err := wire.NewConn(nc).Connect(req, 10*time.Second); err != nil {
		nc.Close()
		return nil
	}
	_ = nc.SetDeadline(time.Time{})
	return nc
}

// flood sends requests without end and throws away what comes back.
func (f *force) flood(request []byte, per int64) {
	nc := f.session()
	if nc == nil {
		return
	}
	defer nc.Close()
	f.done.Go(func() {
		_, _ = io.Copy(io.Discard, nc)
		nc.Close()
	})
	for {
		if _, err := nc.Write(request); err != nil {
			return
		}
		f.did.Add(per)
	}
}

// deaf sends requests without end and takes nothing that comes back.
func (f *force) deaf(request []byte, per int64) {
	nc := f.session()
	if nc == nil {
		return
	}
	defer nc.Close()
	_ = nc.(*net.TCPConn).SetReadBuffer(4 << 10)
	for {
		if _, err := nc.Write(request); err != nil {
			return
		}
		f.did.Add(per)
	}
}

// pipeline is requests in one piece.
func pipeline(n int, op wire.Op, body func(i int) wire.Body) (all []byte) {
	for i := range n {
		all = append(all, wire.Frame(wire.Payload(int32(1+i), op, body(i)))...)
	}
	return all
}
