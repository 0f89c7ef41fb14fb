package main

import (
	"errors"
	"fmt"
	"net"
)

// site is where one server listens: for clients and, in an ensemble, on the two ports for its peers.
type site struct {
	host  string
	ports [3]int
}

func (s site) client() string { return fmt.Sprintf("%s:%d", s.host, s.ports[0]) }

// newSites draws ports for n servers from the kernel, each server on a loopback address of its own.
// Outgoing connections come from 127.0.0.1: so none can take the port of a server that was killed and
// is to come back, and no client that tries that port again and again can connect to itself.
func newSites(n int) (all []site, err error) {
	var held []net.Listener // until all are drawn, lest one be drawn twice
	defer func() {
		for _, l := range held {
			err = errors.Join(err, l.Close())
		}
	}()
	for i := range n {
		s := site{host: fmt.Sprintf("127.0.0.%d", 2+i)}
		for j := range s.ports {
			l, err := net.Listen("tcp", net.JoinHostPort(s.host, "0"))
			if err != nil {
				return nil, fmt.Errorf("draw a port: %w", err)
			}
			held = append(held, l)
			s.ports[j] = l.Addr().(*net.TCPAddr).Port
		}
		all = append(all, s)
	}
	return all, nil
}
