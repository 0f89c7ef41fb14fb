package suite

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// Proxy stands between clients and a server, or several, and takes the network away from them.
type Proxy struct {
	listeners []net.Listener // one for each server
	control   net.Listener
	restart   func(context.Context) error
	blank     string      // a server that knows nothing of what the others did
	lost      atomic.Bool // clients are led to blank
	clients   links       // both ends of what passes through
	orders    links       // connections to control, which no order closes
	done      sync.WaitGroup
}

// links are open connections that can be closed together.
type links struct {
	mu     sync.Mutex
	closed bool // new ones are refused
	open   map[net.Conn]struct{}
}

// StartProxy puts a proxy before each server of a connect string; they end with the test. All follow the same orders.
func StartProxy(t testing.TB, servers string) *Proxy {
	t.Helper()
	return startProxy(t, servers, func(context.Context) error { return errors.New("nobody here can restart the server") })
}

func startProxy(t testing.TB, servers string, restart func(context.Context) error) *Proxy {
	t.Helper()
	p := &Proxy{restart: restart}
	listen := func(serve func(net.Listener)) net.Listener {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		p.done.Add(1)
		go serve(l)
		return l
	}
	t.Cleanup(func() {
		for _, l := range p.listeners {
			l.Close()
		}
		if p.control != nil {
			p.control.Close()
		}
		p.clients.set(true, true)
		p.orders.set(true, true)
		p.done.Wait()
	})
	for _, addr := range strings.Split(servers, ",") {
		p.listeners = append(p.listeners, listen(func(l net.Listener) {
			p.accept(l, &p.clients, func(c net.Conn) { p.pass(c, addr) })
		}))
	}
	p.control = listen(func(l net.Listener) {
		p.accept(l, &p.orders, func(c net.Conn) { p.obey(t.Context(), c) })
	})
	return p
}

// Addr is a connect string for clients.
func (p *Proxy) Addr() string {
	var all []string
	for _, l := range p.listeners {
		all = append(all, l.Addr().String())
	}
	return strings.Join(all, ",")
}

// StartLossyProxy is StartProxy with two more orders: "lose" leads clients to a server that is as the first one would be
// had it lost its data, "find" back.
func StartLossyProxy(t testing.TB, server, blank string) *Proxy {
	t.Helper()
	p := StartProxy(t, server)
	p.blank = blank
	return p
}

func (p *Proxy) lose(lost bool) error {
	if p.blank == "" {
		return errors.New("nobody here can lose the server's data")
	}
	p.lost.Store(lost)
	p.Drop()
	return nil
}

// Control is where programs of other languages give the same orders: a line "drop", "cut" or "open", answered by "ok".
// With an ensemble behind it there is "restart", too: see Ensemble.Restart, whose end the answer waits for.
func (p *Proxy) Control() string { return p.control.Addr().String() }

// Drop closes the connections there are; clients can connect again at once.
func (p *Proxy) Drop() { p.clients.set(false, true) }

// Cut closes the connections there are and every new one, until Open.
func (p *Proxy) Cut() { p.clients.set(true, true) }

// Open lets clients connect again after Cut.
func (p *Proxy) Open() { p.clients.set(false, false) }

// accept hands connections to serve until its listener is closed, and waits for them.
func (p *Proxy) accept(l net.Listener, open *links, serve func(net.Conn)) {
	defer p.done.Done()
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		p.done.Add(1)
		go func() {
			defer p.done.Done()
			defer open.remove(c)
			if open.add(c) {
				serve(c)
			}
		}()
	}
}

func (p *Proxy) pass(client net.Conn, addr string) {
	if p.lost.Load() {
		addr = p.blank
	}
	server, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer p.clients.remove(server)
	if !p.clients.add(server) {
		return
	}
	p.done.Add(1)
	go func() {
		defer p.done.Done()
		io.Copy(server, client)
		server.Close()
	}()
	io.Copy(client, server)
	client.Close()
}

func (p *Proxy) obey(ctx context.Context, c net.Conn) {
	done := func(order func()) func() error { return func() error { order(); return nil } }
	orders := map[string]func() error{
		"drop": done(p.Drop), "cut": done(p.Cut), "open": done(p.Open),
		"restart": func() error { return p.restart(ctx) },
		"lose":    func() error { return p.lose(true) }, "find": func() error { return p.lose(false) },
	}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		order, ok := orders[lines.Text()]
		if !ok {
			fmt.Fprintf(c, "no order %q\n", lines.Text())
			continue
		}
		if err := order(); err != nil {
			fmt.Fprintln(c, strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Fprintln(c, "ok")
	}
}

// add reports whether the connection may go on.
func (l *links) add(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	if l.open == nil {
		l.open = map[net.Conn]struct{}{}
	}
	l.open[c] = struct{}{}
	return true
}

func (l *links) remove(c net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
	c.Close()
}

func (l *links) set(closed, drop bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = closed
	if drop {
		for c := range l.open {
			c.Close()
		}
	}
}
