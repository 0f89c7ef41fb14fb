package server

import (
	"context"
	"net"
	"time"

	"zkd/consensus/store"
)

// World is what a server takes from the machine it runs on. The zero World is
// that machine; tests put one of their own in its place.
type World struct {
	// Listen and Dial make the connections of clients and peers, as net.Listen
	// and net.Dialer.DialContext do.
	Listen func(network, address string) (net.Listener, error)
	Dial   func(ctx context.Context, network, address string) (net.Conn, error)
	// Disk stands between the store and its files.
	Disk store.Disk
	// Now is the wall clock. It may jump; only times shown to clients and the
	// ages of znodes depend on it.
	Now func() time.Time
	// Trailing is how many entries of the log stay behind a snapshot at least;
	// 0 is the usual number.
	Trailing uint64
	// Witness is told what is applied.
	Witness Witness
}

func (w *World) now() time.Time {
	if w.Now != nil {
		return w.Now()
	}
	return time.Now()
}

func (w *World) listen(address string) (net.Listener, error) {
	if w.Listen != nil {
		return w.Listen("tcp", address)
	}
	return net.Listen("tcp", address)
}
