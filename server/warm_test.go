package server

import (
	"bytes"
	"slices"
	"testing"

	"zkd/proto/jute"
)

func TestAheadSeesWhatHasArrivedWhole(t *testing.T) {
	in := newInbox(nil, nil, 100)
	for _, frame := range []string{"one", "two", "", "four"} {
		in.buf = append(jute.AppendInt32(in.buf, int32(len(frame))), frame...)
	}
	in.end = len(in.buf) - 1 // the last byte has not arrived
	see := func(n int) (seen []string) {
		in.ahead(n, func(frame []byte) bool {
			seen = append(seen, string(frame))
			return string(frame) != "two"
		})
		return seen
	}
	for range 2 { // looking takes nothing
		if first, err := in.next(); err != nil || string(first) != "one" && string(first) != "two" {
			t.Fatalf("next is %q, %v", first, err)
		}
		if string(in.buf[in.last+4:in.begin]) == "one" {
			if got := see(10); !slices.Equal(got, []string{"one", "two"}) {
				t.Errorf("from the first frame on: %q", got)
			}
			if got := see(1); !slices.Equal(got, []string{"one"}) {
				t.Errorf("one frame: %q", got)
			}
		}
	}
	if third, err := in.next(); err != nil || len(third) != 0 {
		t.Fatalf("next is %q, %v", third, err)
	}
	if got := see(10); !slices.Equal(got, []string{""}) {
		t.Errorf("a frame that is not whole was seen: %q", got)
	}
}

// What is looked ahead at is what will be decoded.
func TestBodyOfRequest(t *testing.T) {
	ids := []jute.ID{{Scheme: "ip", ID: "127.0.0.1"}, {Scheme: "digest", ID: "a:b"}}
	body := jute.AppendString(nil, "/a/b")
	request := append(newTxnHead(7, 3, ids).with(jute.OpSetData, 9), body...)
	op, got, ok := bodyOf(request)
	if !ok || op != jute.OpSetData || !bytes.Equal(got, body) {
		t.Errorf("%v %q %v", op, got, ok)
	}
	for n := range len(request) - len(body) {
		if _, _, ok := bodyOf(request[:n]); ok {
			t.Errorf("%d bytes were enough", n)
		}
	}
}
