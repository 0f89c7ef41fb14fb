// Package ports chooses ports for servers that have to know theirs before they listen, or listen on them again.
//
// A port of the kernel's choice is free only until the next connection that somebody makes, which may get it for its
// own end. So these are below the range that the kernel chooses from, and a listener on another loopback address keeps
// tests of other processes from taking the same.
package ports

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"testing"
)

const (
	lowest  = 10_000
	highest = 32_767 // net.ipv4.ip_local_port_range begins behind it
	guard   = "127.43.21.1"
)

// held keeps the guards from being closed by the collector. Ports are given back when the process ends.
var held = make(chan net.Listener, highest)

// Take returns a port of 127.0.0.1 on which nobody listens, and which no other test takes while this process lives.
func Take() (int, error) {
	for range 1000 {
		port := lowest + rand.IntN(highest-lowest+1)
		l, err := listen(guard, port)
		if errors.Is(err, syscall.EADDRINUSE) {
			continue
		}
		if err != nil {
			return 0, err
		}
		own, err := listen("127.0.0.1", port)
		if err != nil {
			_ = l.Close()
			continue
		}
		_ = own.Close()
		held <- l
		return port, nil
	}
	return 0, errors.New("ports: none is free")
}

func listen(host string, port int) (net.Listener, error) {
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", host, port))
	if err != nil {
		return nil, fmt.Errorf("ports: %w", err)
	}
	return l, nil
}

// Addr is host:port of a port that Take gives.
func Addr() (string, error) {
	port, err := Take()
	return fmt.Sprintf("127.0.0.1:%d", port), err
}

// For is Take for a test.
func For(t testing.TB) int {
	t.Helper()
	port, err := Take()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// Everywhere is For for a server that listens on all addresses, where a guard would be in its way: only those who ask
// for such ports keep off one another's.
func Everywhere(t testing.TB) int {
	t.Helper()
	for range 1000 {
		port, err := unguarded()
		if err == nil {
			return port
		}
	}
	t.Fatal("ports: none is free")
	return 0
}

func unguarded() (int, error) {
	port := lowest + rand.IntN(highest-lowest+1)
	mark, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(guard), Port: port})
	if err != nil {
		return 0, fmt.Errorf("ports: %w", err)
	}
	own, err := net.Listen("tcp", fmt.Sprintf(":%d", port))
	if err != nil {
		return 0, errors.Join(err, mark.Close())
	}
	marks <- mark
	return port, own.Close()
}

// marks keeps the marks of ports without a guard from being closed by the collector.
var marks = make(chan *net.UDPConn, highest)
