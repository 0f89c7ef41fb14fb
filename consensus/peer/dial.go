package peer

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"time"
)

// dial connects to the server that h wants, at the first of its addresses
// where it is. The connection is adopted.
func (n *Network) dial(ctx context.Context, h hello) (net.Conn, *welcome, error) {
	ctx, stop := n.within(ctx)
	defer stop()
	addrs := n.roster.addresses(h.wantServer, h.purpose.first())
	if len(addrs) == 0 {
		return nil, nil, fmt.Errorf("peer: server %d is not in the list of servers", h.wantServer)
	}
	h.from, h.server, h.process, h.secret = n.o.Self(), n.o.ServerID, n.process, len(n.o.Secret) > 0
	var failures []error
	for i, addr := range addrs {
		c, w, err := n.dialOne(ctx, addr, len(addrs)-i, h)
		if err == nil {
			return c, w, nil
		}
		failures = append(failures, err)
		if ctx.Err() != nil {
			break
		}
	}
	return nil, nil, errors.Join(failures...)
}

// within returns a context that ends with the network as well.
func (n *Network) within(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(n.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// dialOne connects to one address and opens the connection. left is how many
// addresses share the time that remains.
func (n *Network) dialOne(ctx context.Context, addr string, left int, h hello) (net.Conn, *welcome, error) {
	timeout := n.o.DialTimeout
	if end, ok := ctx.Deadline(); ok {
		timeout = min(timeout, time.Until(end)/time.Duration(left))
	}
	dialing, cancel := context.WithTimeout(ctx, max(timeout, time.Millisecond))
	began := time.Now()
	c, err := n.o.Dial(dialing, "tcp", addr)
	cancel()
	n.dialed(h.wantServer, time.Since(began), err)
	n.roster.note(addr, err == nil)
	if err != nil {
		return nil, nil, fmt.Errorf("peer: connect to server %d at %s: %w", h.wantServer, addr, err)
	}
	n.tune(c)
	if !n.adopt(c, false) {
		_ = c.Close()
		return nil, nil, ErrClosed
	}
	w, err := greet(ctx, c, addr, &h, n.o.Secret, n.patience.hello)
	if err == nil {
		err = n.check(w, &h, addr)
	}
	if err != nil {
		n.roster.note(addr, false)
		_ = n.drop(c, false)
		return nil, nil, err
	}
	return c, w, nil
}

// greet opens a connection as the one that dialed it.
func greet(ctx context.Context, c net.Conn, addr string, h *hello, secret []byte, patience time.Duration) (w *welcome, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = ctx.Err()
		}
		if _, told := err.(*Refusal); err != nil && !told {
			err = fmt.Errorf("peer: greet %s: %w", addr, err)
		}
	}()
	end := time.Now().Add(patience)
	if t, ok := ctx.Deadline(); ok && t.Before(end) {
		end = t
	}
	if err := c.SetDeadline(end); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if _, err := rand.Read(h.nonce[:]); err != nil {
		return nil, err
	}
	rawHello := h.encode()
	if _, err := c.Write(rawHello); err != nil {
		return nil, err
	}
	rawWelcome, err := readFrame(c, welcomeFrame)
	if err != nil {
		return nil, err
	}
	theirs, err := decodeWelcome(rawWelcome[frameHead:])
	if err != nil {
		return nil, err
	}
	prover := h.secret && theirs.secret
	if prover {
		proof := prove(secret, dialerSide, rawHello, rawWelcome)
		if _, err := c.Write(appendFrame(nil, proofFrame, proof[:])); err != nil {
			return nil, err
		}
	}
	rawVerdict, err := readFrame(c, verdictFrame)
	if err != nil {
		return nil, err
	}
	v, err := decodeVerdict(rawVerdict[frameHead:])
	if err != nil {
		return nil, err
	}
	refuse := func(r Reason, text string) error {
		return &Refusal{Addr: addr, By: theirs.from, Reason: r, Text: text}
	}
	if v.code != 0 {
		return nil, refuse(v.code, v.text)
	}
	if h.secret {
		want := prove(secret, acceptorSide, rawHello, rawWelcome)
		if !prover || !hmac.Equal(v.proof[:], want[:]) {
			return nil, refuse(WrongSecret, "it does not prove to know the secret")
		}
	}
	if !stop() {
		return nil, ctx.Err()
	}
	return &theirs, c.SetDeadline(time.Time{})
}

// check makes sure that who answered is who was meant: without a secret the
// other side need not have looked.
func (n *Network) check(w *welcome, h *hello, addr string) error {
	code, text := clusters(h.from.Cluster, w.from.Cluster)
	switch {
	case code != 0:
	case w.server != h.wantServer:
		code, text = WrongServer, fmt.Sprintf("server %d was meant, but server %d listens on %s", h.wantServer, w.server, addr)
	case h.wantID != "" && w.from.RaftID != h.wantID:
		code, text = WrongRaftID, fmt.Sprintf("raft member %q was meant, but this is %q", h.wantID, w.from.RaftID)
	default:
		return nil
	}
	return &Refusal{Addr: addr, By: w.from, Reason: code, Text: text}
}

// Dial opens a link to exactly that member.
func (n *Network) Dial(ctx context.Context, raftID string) (*Link, error) {
	server, ok := ServerOf(raftID)
	if !ok {
		return nil, notRaftID(raftID)
	}
	c, w, err := n.dial(ctx, hello{purpose: forLink, wantServer: server, wantID: raftID})
	if err != nil {
		return nil, err
	}
	return newLink(n, c, w.from, false), nil
}
