package main

import (
	"bytes"
	"fmt"
)

const benchRoot = "/bench"

// payload is the data every znode of a bench holds: recognisable, so that a read can be checked, and
// not compressible to nothing.
func payload(size int) []byte {
	b := make([]byte, size)
	x := uint32(0x9e3779b9)
	for i := range b {
		x = x*1664525 + 1013904223
		b[i] = byte(x >> 24)
	}
	return b
}

func keyPath(i int) string { return fmt.Sprintf("%s/keys/k%06d", benchRoot, i) }

// ensureKeys creates the znodes that get, set and their like work on.
func ensureKeys(c *client, n int, data []byte) error {
	if err := ensurePath(c, benchRoot+"/keys"); err != nil {
		return err
	}
	for i := range n {
		if err := c.ensure(keyPath(i), data); err != nil {
			return err
		}
	}
	return nil
}

// ensurePath creates a znode and those above it, all without data.
func ensurePath(c *client, path string) error {
	for i := 1; i <= len(path); i++ {
		if i == len(path) || path[i] == '/' {
			if err := c.ensure(path[:i], nil); err != nil {
				return err
			}
		}
	}
	return nil
}

// random is a xorshift generator: a few instructions a request, and each session its own.
type random uint64

func newRandom(seed int) random { return random(uint64(seed)*0x9e3779b97f4a7c15 + 0x2545f4914f6cdd1d) }

func (r *random) below(n int) int {
	x := uint64(*r)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*r = random(x)
	return int(x >> 33 % uint64(n))
}

func wantStat(body []byte) error { return wantSize(body, statSize) }

func wantSize(body []byte, n int) error {
	if len(body) != n {
		return fmt.Errorf("body of %d bytes, want %d", len(body), n)
	}
	return nil
}

// wantData checks the body of a getData reply: data and Stat.
func wantData(body, data []byte) error {
	if err := wantSize(body, lengthSize+len(data)+statSize); err != nil {
		return err
	}
	if int(getInt(body)) != len(data) || !bytes.Equal(body[lengthSize:lengthSize+len(data)], data) {
		return fmt.Errorf("data is not what was written")
	}
	return nil
}
