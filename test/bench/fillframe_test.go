package main

import (
	"bytes"
	"testing"
)

func TestFillFramesAreWhatWouldBeBuilt(t *testing.T) {
	data := payload(100)
	for _, n := range []int{0, 999, 1000, 123_456, 9_999_999} {
		for name, c := range map[string]struct {
			got  []byte
			want []byte
		}{
			"create": {newFillFrame(createFrame(fillPath(0), data, 0)).appendAimed(nil, n, 7), createFrame(fillPath(n), data, 0)},
			"get":    {newFillFrame(readFrame(opGetData, fillPath(0), false)).appendAimed(nil, n, 7), readFrame(opGetData, fillPath(n), false)},
			"list":   {newFillFrame(readFrame(opGetChildren, fillDir(0), false)).appendAimed(nil, n, 7), readFrame(opGetChildren, fillDir(n/fillDirSize), false)},
		} {
			if want := appendFrame(nil, c.want, 7); !bytes.Equal(c.got, want) {
				t.Errorf("%s of %d: %q, want %q", name, n, c.got, want)
			}
		}
	}
	paths := []string{fillPath(0), fillPath(0), fillPath(0)}
	f := newFillFrame(multiFrame(paths, data))
	if len(f.at) != 3 {
		t.Fatalf("%d paths in a multi of 3", len(f.at))
	}
	for i := range paths {
		f.aim(i, 1234*(i+1))
		paths[i] = fillPath(1234 * (i + 1))
	}
	if !bytes.Equal(f.frame, multiFrame(paths, data)) {
		t.Errorf("multi %q", f.frame)
	}
}

func TestFillReaderAndWriterAgainstFake(t *testing.T) {
	data := payload(100)
	for name, src := range map[string]func() source{
		"reads":  func() source { return newFillReader(familySize, 65, 33, 1, data) },
		"sets":   func() source { return newFillWriter(5000, 0, 1, data) },
		"multis": func() source { return newFillWriter(5000, 5, 1, data) },
	} {
		s, answer := src(), plausible(data)
		for xid := range int32(200) {
			req := s.next(nil, xid)[lengthSize:]
			if err := s.check(answer(getInt(req[4:]), req)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
		if err := s.check([]byte{1}); err == nil {
			t.Errorf("%s: a wrong reply passes", name)
		}
	}
}
