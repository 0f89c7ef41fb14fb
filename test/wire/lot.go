package wire

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
)

// Lot is requests that are sent in one write, again and again; the replies must
// have always the same length. To play it allocates nothing, so that what a
// server allocates and calls for it can be counted.
type Lot struct {
	nc             net.Conn
	request, reply []byte
}

// NewLot makes a lot of n requests, the i-th with body(i), and plays it once.
// It fails if a request does.
func NewLot(nc net.Conn, n int, op Op, body func(i int) Body) (*Lot, error) {
	l := &Lot{nc: nc}
	for i := range n {
		l.request = append(l.request, Frame(Payload(int32(1+i), op, body(i)))...)
	}
	if _, err := nc.Write(l.request); err != nil {
		return nil, err
	}
	for range n {
		var head [20]byte // length, xid, zxid, error
		if _, err := io.ReadFull(nc, head[:]); err != nil {
			return nil, err
		}
		if code := int32(binary.BigEndian.Uint32(head[16:])); code != 0 {
			return nil, fmt.Errorf("wire: operation %v failed with code %d", op, code)
		}
		rest := make([]byte, int(binary.BigEndian.Uint32(head[:]))-16)
		if _, err := io.ReadFull(nc, rest); err != nil {
			return nil, err
		}
		l.reply = append(append(l.reply, head[:]...), rest...)
	}
	return l, nil
}

// Play sends the lot, and returns when all is answered.
func (l *Lot) Play() error {
	if _, err := l.nc.Write(l.request); err != nil {
		return err
	}
	_, err := io.ReadFull(l.nc, l.reply)
	return err
}
