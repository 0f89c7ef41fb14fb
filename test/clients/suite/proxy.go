package suite

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync"
	"testing"
)

// Proxy stands between clients and a server and takes the network away from them.
type Proxy struct {
	server   string
	listener net.Listener
	control  net.Listener
	clients  links // both ends of what passes through
	orders   links // connections to control, which no order closes
	done     sync.WaitGroup
}

// links are open connections that can be closed together.
type links struct {
	mu     sync.Mutex
	closed bool // new ones are refused
	open   map[net.Conn]struct{}
}

// StartProxy puts a proxy before a server; it ends with the test.
func StartProxy(t testing.TB, server string) *Proxy {
	t.Helper()
	p := &Proxy{server: server}
	for _, l := range []*net.Listener{&p.listener, &p.control} {
		var err error
		if *l, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	}
	p.done.Add(2)
	go p.accept(p.listener, &p.clients, p.pass)
	go p.accept(p.control, &p.orders, p.obey)
	t.Cleanup(func() {
		p.listener.Close()
		p.control.Close()
		p.clients.set(true, true)
		p.orders.set(true, true)
		p.done.Wait()
	})
	return p
}

// Addr is host:port for clients.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Control is where programs of other languages give the same orders: a line "drop", "cut" or "open", answered by "ok".
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

func (p *Proxy) pass(client net.Conn) {
	server, err := net.Dial("tcp", p.server)
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

func (p *Proxy) obey(c net.Conn) {
	orders := map[string]func(){"drop": p.Drop, "cut": p.Cut, "open": p.Open}
	for lines := bufio.NewScanner(c); lines.Scan(); {
		order, ok := orders[lines.Text()]
		if !ok {
			fmt.Fprintf(c, "no order %q\n", lines.Text())
			continue
		}
		order()
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
