package peer

import (
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"syscall"
	"time"
)

// Serve begins to accept connections, raft's as soon as there is a Transport.
func (n *Network) Serve() {
	for _, l := range n.listeners {
		n.start(func() { n.accept(l) })
	}
}

func (n *Network) accept(l listener) {
	var wait time.Duration
	for {
		c, err := l.Accept()
		if err != nil {
			if n.ctx.Err() != nil {
				return
			}
			// Out of file descriptors, as a rule: others may give some back.
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			if n.logged.due("accept", time.Now()) {
				n.o.Logger.Error("cannot accept connections of peers", "listener", l.Addr(), "err", err)
			}
			select {
			case <-n.ctx.Done():
			case <-time.After(wait):
			}
			continue
		}
		wait = 0
		if oldest := n.greetings.add(c); oldest != nil {
			n.overload(oldest)
		}
		if !n.start(func() { n.receive(c, l) }) {
			_ = c.Close()
		}
	}
}

func (n *Network) overload(c net.Conn) {
	n.figures.overload.Add(1)
	_ = c.Close()
	if n.logged.due("overload", time.Now()) {
		n.o.Logger.Warn("too many connections of peers, closing some", "remote", c.RemoteAddr())
	}
}

// receive has a connection from its first byte to the end.
func (n *Network) receive(c net.Conn, l listener) {
	n.tune(c)
	if !n.adopt(c, true) {
		n.greetings.remove(c)
		n.overload(c)
		return
	}
	h, err := n.hear(c, l)
	n.greetings.remove(c)
	if err != nil {
		_ = n.drop(c, true)
		n.complain(c, err)
		return
	}
	switch h.purpose {
	case forRaft, forEntries:
		n.deliver(c, &h)
	case forLink:
		link := newLink(n, c, h.from, true)
		n.handler.Accept(link)
		_ = link.Close()
	default:
		n.answer(c, &h)
		_ = n.drop(c, true)
	}
}

// refused is a Refusal on the side that refuses.
type refused struct {
	by     hello
	reason Reason
	text   string
}

func (r *refused) Error() string { return r.text }

// hear has the opening of an accepted connection. A nil error means that it
// may be used.
func (n *Network) hear(c net.Conn, l listener) (h hello, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if err := c.SetDeadline(time.Now().Add(n.patience.hello)); err != nil {
		return h, err
	}
	rawHello, err := readFrame(c, helloFrame)
	if err == nil {
		h, err = decodeHello(rawHello[frameHead:])
	}
	me := acceptor{Identity: n.o.Self(), server: n.o.ServerID, process: n.process, raft: l.first, addr: l.Addr().String()}
	me.running = n.takesRaft(&h)
	w := welcome{secret: len(n.o.Secret) > 0, from: me.Identity, server: me.server}
	if other := (versionError{}); errors.As(err, &other) {
		v := verdict{code: WrongVersion, text: fmt.Sprintf("version %d of the peer protocol is spoken here, not %d", frameVersion, other.theirs)}
		_, _ = c.Write(append(w.encode(), v.encode()...))
		return h, &refused{h, v.code, other.Error()}
	}
	if err != nil {
		return h, err
	}
	if _, err := rand.Read(w.nonce[:]); err != nil {
		return h, err
	}
	out := w.encode()
	rawWelcome := out[:len(out):len(out)]
	var v verdict
	switch {
	case w.secret != h.secret:
		v.code = WrongSecret
		v.text = "the servers of this ensemble have a secret, the dialer has none"
		if h.secret {
			v.text = "the dialer has a secret, this server has none"
		}
	case w.secret:
		if _, err := c.Write(out); err != nil {
			return h, err
		}
		out = nil
		raw, err := readFrame(c, proofFrame)
		if err != nil {
			return h, err
		}
		want := prove(n.o.Secret, dialerSide, rawHello, rawWelcome)
		if !hmac.Equal(raw[frameHead:], want[:]) {
			v.code, v.text = WrongSecret, "the secret of the dialer is not that of this server"
		}
	}
	if v.code == 0 {
		v.code, v.text = me.judge(&h, host(c.RemoteAddr()))
		if w.secret {
			v.proof = prove(n.o.Secret, acceptorSide, rawHello, rawWelcome)
		}
	}
	if _, err := c.Write(append(out, v.encode()...)); err != nil {
		return h, err
	}
	if v.code != 0 {
		return h, &refused{h, v.code, v.text}
	}
	return h, c.SetDeadline(time.Time{})
}

// complain counts, and now and then logs, a connection that came to nothing.
func (n *Network) complain(c net.Conn, err error) {
	r := (*refused)(nil)
	f, text, attrs, level := &n.figures, err.Error(), []any(nil), slog.LevelWarn
	switch {
	case err == io.EOF, errors.Is(err, syscall.ECONNRESET), errors.Is(err, net.ErrClosed), n.ctx.Err() != nil:
		return // somebody looked whether the port is open, or had to make room
	case errors.As(err, &r):
		f.refused.Add(1)
		text = fmt.Sprintf("refused %d", r.reason)
		if r.reason.passing() {
			level = slog.LevelDebug
		}
		attrs = []any{slog.Uint64("server", r.by.server), slog.String("raft_id", r.by.from.RaftID), slog.String("purpose", r.by.purpose.String())}
	case errors.Is(err, errZooKeeper):
		f.zooKeeper.Add(1)
	case errors.Is(err, os.ErrDeadlineExceeded):
		f.slow.Add(1)
		err = errors.New("no whole hello in time")
		text = err.Error()
	default:
		f.garbage.Add(1)
	}
	remote := host(c.RemoteAddr())
	if len(text) > 64 {
		text = text[:64]
	}
	if n.logged.due(remote+" "+text, time.Now()) {
		n.o.Logger.Log(n.ctx, level, "connection to a peer port refused", append([]any{"remote", remote, "listener", c.LocalAddr(), "err", err}, attrs...)...)
	}
}

// host returns an address without its port.
func host(a net.Addr) string {
	h, _, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String()
	}
	return h
}

// A peer that is gone without a word is noticed after unacknowledged, when
// something was sent to it, else by probes.
const unacknowledged = 5 * time.Second

func (n *Network) tune(c net.Conn) {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	setUserTimeout(t, unacknowledged)
	if n.o.TCPKeepAlive {
		// It works without where that fails.
		_ = t.SetKeepAliveConfig(net.KeepAliveConfig{Enable: true, Idle: 5 * time.Second, Interval: 5 * time.Second, Count: 3})
	}
}
