package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"syscall"
	"time"
)

// resolveAtMost bounds the look-up of a server's own name.
const resolveAtMost = 10 * time.Second

// bind listens on the addresses of one port of this server. A name that has
// several addresses means those of them that are this machine's; name says what
// the port is.
func (n *Network) bind(addrs []string, first bool, name string) error {
	var bound []string
	for _, addr := range addrs {
		own, err := n.ownAddresses(addr)
		if err != nil {
			return fmt.Errorf("peer: listen on %s, the %s port of server.%d: %w", addr, name, n.o.ServerID, err)
		}
		var missed error
		found := false
		for _, a := range own {
			if slices.Contains(bound, a) && !ephemeral(a) {
				found = true
				continue
			}
			l, err := n.o.Listen("tcp", a)
			switch {
			case err == nil:
				n.listeners = append(n.listeners, listener{l, first})
				bound, found = append(bound, a), true
			case len(own) > 1 && (errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT)):
				missed = err // another machine's, or of a protocol that is not there
			default:
				return fmt.Errorf("peer: listen on %s, the %s port of server.%d: %w", addr, name, n.o.ServerID, err)
			}
		}
		if !found {
			return fmt.Errorf("peer: listen on %s, the %s port of server.%d: %w", addr, name, n.o.ServerID, missed)
		}
	}
	return nil
}

// ownAddresses returns what an address of this server's line stands for.
func (n *Network) ownAddresses(addr string) ([]string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil || host == "" || port == "0" || n.o.lookup == nil || net.ParseIP(host) != nil {
		return []string{addr}, nil // Listen says what is wrong with it, if anything is
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return []string{addr}, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), resolveAtMost)
	defer cancel()
	ips, err := n.o.lookup(ctx, host)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Err: err}
	}
	var all []string
	for _, ip := range ips {
		all = append(all, net.JoinHostPort(ip, port))
	}
	return all, nil
}
