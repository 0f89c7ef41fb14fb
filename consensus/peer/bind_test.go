package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"testing"

	"zkd/test/ports"
)

// Of the addresses that this server's own name has, those of this machine are
// listened on.
func TestOwnNameWithSeveralAddresses(t *testing.T) {
	port := fmt.Sprint(ports.For(t))
	const elsewhere = "203.0.113.77" // for documentation (RFC 5737): nobody's
	for name, tt := range map[string]struct {
		ips   []string
		bound []string
	}{
		"some are local":     {[]string{elsewhere, "127.0.0.1", "127.0.0.2"}, []string{"127.0.0.1", "127.0.0.2"}},
		"none is local":      {[]string{elsewhere, "203.0.113.78"}, nil},
		"the only one":       {[]string{"127.0.0.1"}, []string{"127.0.0.1"}},
		"one is there twice": {[]string{"127.0.0.1", "127.0.0.1"}, []string{"127.0.0.1"}},
	} {
		t.Run(name, func(t *testing.T) {
			n := &Network{o: Options{ServerID: 1, Listen: net.Listen, lookup: func(context.Context, string) ([]string, error) { return tt.ips, nil }}}
			err := n.bind([]string{"own.test:" + port}, true, "first (quorum)")
			var got []string
			for _, l := range n.listeners {
				host, _, _ := net.SplitHostPort(l.Addr().String())
				got = append(got, host)
				l.Close()
			}
			if !slices.Equal(got, tt.bound) || (err == nil) != (tt.bound != nil) {
				t.Errorf("listens on %v, %v", got, err)
			}
		})
	}
	unknown := &Network{o: Options{ServerID: 1, Listen: net.Listen, lookup: func(context.Context, string) ([]string, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "own.test", IsNotFound: true}
	}}}
	var dns *net.DNSError
	if err := unknown.bind([]string{"own.test:" + port}, true, "first (quorum)"); !errors.As(err, &dns) {
		t.Errorf("a name that does not resolve: %v", err)
	}
}
