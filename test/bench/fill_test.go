package main

import (
	"context"
	"strings"
	"testing"
)

func TestFillerCreatesEveryZnodeOnceBelowItsParent(t *testing.T) {
	for _, perMulti := range []int{0, 1, 7, 1000} {
		const total, stride = 2*fillDirSize + 345, 2
		seen := map[string]bool{}
		for first := range stride {
			f := newFiller(total, perMulti, stride, first, payload(10))
			var stream []byte
			for xid := int32(1); ; xid++ {
				n := len(stream)
				if stream = f.next(stream, xid); len(stream) == n {
					break
				}
				for _, p := range createdPaths(stream[n:]) {
					if parent := p[:strings.LastIndex(p, "/")]; seen[p] || parent != fillRoot && !seen[parent] {
						t.Fatalf("%d a multi: %s is made twice or before its parent", perMulti, p)
					}
					seen[p] = true
				}
			}
		}
		if len(seen) != total+3 || !seen[fillPath(0)] || !seen[fillPath(total-1)] {
			t.Errorf("%d a multi: %d paths, want %d", perMulti, len(seen), total+3)
		}
	}
	if n := len(fillPath(0)); n != 26 {
		t.Errorf("path of %d bytes, want 26", n)
	}
}

// createdPaths reads the paths of one create or multi frame by the replies a server would give.
func createdPaths(frame []byte) []string {
	body := plausible(nil)(getInt(frame[8:]), frame[lengthSize:])
	if getInt(frame[8:]) == opCreate {
		return []string{string(body[lengthSize:])}
	}
	var paths []string
	for body[4] == 0 {
		n := int(getInt(body[multiHeaderSize:]))
		paths = append(paths, string(body[multiHeaderSize+lengthSize:][:n]))
		body = body[multiHeaderSize+lengthSize+n:]
	}
	return paths
}

func TestFillAgainstFake(t *testing.T) {
	s := ownServer(t)
	s.addr = startFake(t, &fakeServer{body: plausible(payload(10))})
	o := &options{Size: 10, Threads: 1}
	for _, o.FillMulti = range []int{0, 50} {
		if _, err := fill(context.Background(), s, o, 2500); err != nil {
			t.Errorf("fill by %d a multi: %v", o.FillMulti, err)
		}
	}
}

func TestCheckMultiFindsAFailure(t *testing.T) {
	failed := appendInt(appendInt(appendBool(appendInt(nil, -1), false), -101), -101)
	failed = appendMultiHeader(failed, -1, true)
	if err := checkMulti(failed, 1, opSetData, statSize); err == nil {
		t.Error("a failed multi passes")
	}
	if err := newFiller(10, 5, 1, 0, nil).check(failed); err == nil {
		t.Error("a failed multi passes as a fill")
	}
}
