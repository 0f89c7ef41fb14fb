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
func checkMulti(body []byte, n int, op int32, record int) (err error) {
	for i := range n {
		if body, err = cutResult(body, op); err != nil {
			return fmt.Errorf("multi result %d of %d: %w", i, n, err)
		}
		if len(body) < record {
			return fmt.Errorf("multi result %d is cut", i)
		}
		body = body[record:]
	}
	return wantMultiEnd(body)
}

// cutResult takes the header of one successful result of a multi.
func cutResult(body []byte, op int32) ([]byte, error) {
	if len(body) < multiHeaderSize {
		return nil, fmt.Errorf("header of %d bytes", len(body))
	}
	if typ, code := getInt(body), getInt(body[5:]); typ != op || code != 0 {
		return nil, fmt.Errorf("type %d and code %d, want type %d", typ, code, op)
	}
	return body[multiHeaderSize:], nil
}

func wantMultiEnd(body []byte) error {
	if err := wantSize(body, multiHeaderSize); err != nil {
		return fmt.Errorf("multi end header: %w", err)
	}
	if body[4] != 1 {
		return fmt.Errorf("multi does not end after its last result")
	}
	return nil
}
