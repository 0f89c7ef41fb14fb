package main

import (
	"bytes"
	"fmt"
)

// fillPath is the path of the n-th znode: 26 bytes, as in the measurement of ZooKeeper's heap.
func fillPath(n int) string { return fmt.Sprintf("%s/node-%09d", fillDir(n/fillDirSize), n) }

func fillDir(d int) string { return fmt.Sprintf("%s/d%04d", fillRoot, d) }

// fillFrame is a request whose paths of filled znodes or parents are patched in place: millions of them
// need no prepared frame each.
type fillFrame struct {
	frame []byte
	at    []fillDigits // of each path, in order
}

// fillDigits are where a path's numbers lie; node is 0 for the path of a parent.
type fillDigits struct{ dir, node int }

const (
	fillDirDigits  = 4
	fillNodeDigits = 9
)

// newFillFrame finds the paths in a frame that was built for the znode or parent number 0.
func newFillFrame(frame []byte) *fillFrame {
	f := &fillFrame{frame: frame}
	dir, node := []byte(fillDir(0)), []byte(fillPath(0))
	for from := 0; ; {
		i := bytes.Index(frame[from:], dir)
		if i < 0 {
			return f
		}
		at := fillDigits{dir: from + i + len(dir) - fillDirDigits}
		if bytes.HasPrefix(frame[from+i:], node) {
			at.node = from + i + len(node) - fillNodeDigits
		}
		f.at = append(f.at, at)
		from += i + len(dir)
	}
}

// aim makes the i-th path that of znode n or of its parent.
func (f *fillFrame) aim(i, n int) {
	at := f.at[i]
	putDecimal(f.frame[at.dir:][:fillDirDigits], uint64(n/fillDirSize))
	if at.node > 0 {
		putDecimal(f.frame[at.node:][:fillNodeDigits], uint64(n))
	}
}

// appendAimed appends the request for znode n, or its parent, of a frame with one path.
func (f *fillFrame) appendAimed(dst []byte, n int, xid int32) []byte {
	f.aim(0, n)
	return appendFrame(dst, f.frame, xid)
}
