package main

import (
	"bytes"
	"math/rand"
	"testing"
)

func TestFramesAcrossReads(t *testing.T) {
	var stream []byte
	var want [][]byte
	rnd := rand.New(rand.NewSource(1))
	for range 200 {
		b := make([]byte, rnd.Intn(300))
		if rnd.Intn(50) == 0 {
			b = make([]byte, readBufferSize+rnd.Intn(readBufferSize)) // the buffer must grow
		}
		rnd.Read(b)
		want = append(want, b)
		stream = appendBuffer(stream, b)
	}
	for _, step := range []int{1, 3, 100, 4096, readBufferSize, len(stream)} {
		var f frames
		i := 0
		for rest := stream; len(rest) > 0; {
			n := copy(f.space(), rest[:min(step, len(rest))])
			rest = rest[n:]
			f.filled(n)
			for {
				b, ok, err := f.next()
				if err != nil {
					t.Fatal(err)
				}
				if !ok {
					break
				}
				if !bytes.Equal(b, want[i]) {
					t.Fatalf("step %d: frame %d differs", step, i)
				}
				i++
			}
		}
		if i != len(want) {
			t.Errorf("step %d: %d frames, want %d", step, i, len(want))
		}
	}
}

func TestFramesRefuseALengthThatCannotBe(t *testing.T) {
	for _, head := range [][]byte{{0xff, 0xff, 0xff, 0xff}, {0x7f, 0, 0, 0}} {
		var f frames
		f.filled(copy(f.space(), head))
		if _, _, err := f.next(); err == nil {
			t.Errorf("length % x is taken", head)
		}
	}
}

// TestGoldenFrames compares with frames captured from a real server (create /a, exists, ping).
func TestGoldenFrames(t *testing.T) {
	for name, c := range map[string]struct {
		got  []byte
		want string
	}{
		"create": {appendFrame(nil, createFrame("/a", []byte("x"), 0), 1), "\x00\x00\x00\x32\x00\x00\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02/a\x00\x00\x00\x01x\x00\x00\x00\x01\x00\x00\x00\x1f\x00\x00\x00\x05world\x00\x00\x00\x06anyone\x00\x00\x00\x00"},
		"exists": {appendFrame(nil, readFrame(opExists, "/b", true), 3), "\x00\x00\x00\x0f\x00\x00\x00\x03\x00\x00\x00\x03\x00\x00\x00\x02/b\x01"},
		"ping":   {appendFrame(nil, frame(opPing, nil), xidPing), "\x00\x00\x00\x08\xff\xff\xff\xfe\x00\x00\x00\x0b"},
		"delete": {appendFrame(nil, deleteFrame("/a"), 11), "\x00\x00\x00\x12\x00\x00\x00\x0b\x00\x00\x00\x02\x00\x00\x00\x02/a\xff\xff\xff\xff"},
	} {
		if string(c.got) != c.want {
			t.Errorf("%s: % x\nwant % x", name, c.got, c.want)
		}
	}
	if n := len(connectRequest{timeoutMs: 10_000}.frame()); n != 4+45 {
		t.Errorf("connect request of %d bytes", n)
	}
}
