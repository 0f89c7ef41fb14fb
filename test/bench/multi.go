package main

import "fmt"

// multiFrame is one multi of setData, one for each path.
func multiFrame(paths []string, data []byte) []byte {
	return frame(opMulti, func(b []byte) []byte {
		for _, p := range paths {
			b = setBody(appendMultiHeader(b, opSetData, false), p, data)
		}
		return appendMultiHeader(b, -1, true)
	})
}

const multiHeaderSize = 9 // type, done, err

// newMulti: each multi sets MultiOps znodes that follow one another.
func newMulti(w workloadParams) func(int) source {
	frames := make([][]byte, w.Keys)
	paths := make([]string, w.MultiOps)
	for i := range frames {
		for j := range paths {
			paths[j] = keyPath((i + j) % w.Keys)
		}
		frames[i] = multiFrame(paths, w.data)
	}
	return newKeyed(frames, func(body []byte) error {
		return checkMulti(body, w.MultiOps, opSetData, statSize)
	})
}

// checkMulti: n results of one type, each followed by a record of one size, and the end header.
func checkMulti(body []byte, n int, op int32, record int) error {
	for i := range n {
		if len(body) < multiHeaderSize {
			return fmt.Errorf("multi result ends after %d of %d", i, n)
		}
		typ, code := getInt(body), getInt(body[5:])
		if typ != op || code != 0 {
			return fmt.Errorf("multi result %d has type %d and code %d", i, typ, code)
		}
		if len(body) < multiHeaderSize+record {
			return fmt.Errorf("multi result %d is cut", i)
		}
		body = body[multiHeaderSize+record:]
	}
	if err := wantSize(body, multiHeaderSize); err != nil {
		return fmt.Errorf("multi end header: %w", err)
	}
	if body[4] != 1 {
		return fmt.Errorf("multi result does not end after %d", n)
	}
	return nil
}
