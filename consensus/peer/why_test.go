package peer

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
)

// A line that waits for a peer says in a few words why the peer is no help.
func TestWhyAPeerIsNotReached(t *testing.T) {
	dial := func(err error) error {
		return fmt.Errorf("peer: connect to server 2 at b:3888: %w", &net.OpError{Op: "dial", Net: "tcp", Err: err})
	}
	for want, err := range map[string]error{
		"no such name: b":      dial(&net.DNSError{Err: "no such host", Name: "b", IsNotFound: true}),
		"connection refused":   dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)),
		"timed out":            dial(os.ErrDeadlineExceeded),
		"belongs to another":   &Refusal{Reason: WrongCluster, By: Identity{Cluster: Cluster{1}}},
		"wrong secret":         errors.Join(dial(syscall.EHOSTUNREACH), &Refusal{Reason: WrongSecret, Text: "this server has one"}),
		"other version":        &Refusal{Reason: WrongVersion, Text: "version 2 is spoken here"},
		"other version: versi": fmt.Errorf("peer: greet b:3888: %w", versionError{2}),
		"two servers have":     &Refusal{Reason: SameServer, Text: "two servers have the same myid 2"},
	} {
		if got := Why(err); !strings.Contains(got, want) {
			t.Errorf("%v is told as %q, not as %q", err, got, want)
		}
	}
	if got := Why(fmt.Errorf("peer: ask: %w", context.DeadlineExceeded)); got != "timed out" {
		t.Errorf("a question without an answer in time: %q", got)
	}
}
