package consensus

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"zkd/consensus/peer"
)

// lookupTime is how long the name of this server may take to be resolved before
// it is left to the attempt to listen on it.
const lookupTime = 5 * time.Second

// binding returns the addresses to listen on for the others, by this server's
// line of zoo.cfg, and what is to be said of them.
func (n *Node) binding(own *peer.Member) (raft, link []string, remark string) {
	e := n.cfg.Ensemble
	if e.ListenAll {
		return wildcards(own.Raft), wildcards(own.Link), "on every address"
	}
	ctx, cancel := context.WithTimeout(n.life, lookupTime)
	defer cancel()
	for i, addr := range own.Raft {
		host, _, err := net.SplitHostPort(addr)
		if err != nil || i >= len(own.Link) {
			continue
		}
		ips, only := n.onlyHere(ctx, host, e.Members)
		if only {
			return wildcards(own.Raft), wildcards(own.Link), fmt.Sprintf("on every address, since %s is %v on this machine, where the others cannot reach it", host, ips)
		}
	}
	return own.Raft, own.Link, ""
}

// onlyHere tells whether a name means this machine to this machine alone, as
// Debian's 127.0.1.1 for the host's own name does. Where all servers are on one
// machine that is where they are.
func (n *Node) onlyHere(ctx context.Context, host string, members []peer.Member) (ips []netip.Addr, only bool) {
	if _, err := netip.ParseAddr(host); err == nil || !slices.ContainsFunc(members, elsewhere) {
		return nil, false
	}
	ips, err := n.lookup(ctx, host)
	if err != nil || len(ips) == 0 {
		return nil, false // the attempt to listen says so
	}
	for _, ip := range ips {
		if !ip.Unmap().IsLoopback() && !ip.Unmap().IsUnspecified() {
			return ips, false
		}
	}
	return ips, true
}

func (n *Node) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if n.cfg.Ensemble.Lookup != nil {
		return n.cfg.Ensemble.Lookup(ctx, host)
	}
	return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
}

// elsewhere tells whether a member's address is not plainly that of a machine
// that all servers are on.
func elsewhere(m peer.Member) bool {
	return slices.ContainsFunc(m.Raft, func(addr string) bool {
		host, _, err := net.SplitHostPort(addr)
		ip, notIP := netip.ParseAddr(host)
		return err == nil && (notIP != nil && !strings.EqualFold(host, "localhost") || notIP == nil && !ip.IsLoopback() && !ip.IsUnspecified())
	})
}

// wildcards replaces the hosts, and drops what is then there twice.
func wildcards(addrs []string) (all []string) {
	for _, a := range addrs {
		if i := strings.LastIndexByte(a, ':'); i >= 0 && !slices.Contains(all, a[i:]) {
			all = append(all, a[i:])
		}
	}
	return all
}
