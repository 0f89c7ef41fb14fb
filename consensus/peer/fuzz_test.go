package peer

import (
	"bufio"
	"bytes"
	"testing"
	"time"

	"github.com/hashicorp/raft"
)

// Whatever opens a connection, it is decoded as it was encoded or not at all.
func FuzzHello(f *testing.F) {
	id := Identity{testCluster, "3.1"}
	f.Add((&hello{purpose: forRaft, from: id, server: 3, wantServer: 1, wantID: "1.1"}).encode())
	f.Add((&hello{purpose: forAsk, secret: true}).encode())
	f.Add((&welcome{secret: true, from: id, server: 3}).encode())
	f.Add((&verdict{code: WrongCluster, text: "not here"}).encode())
	f.Add([]byte("\xff\xff\xff\xff\xff\xff\x00\x00"))
	f.Add([]byte("zkdP\x02\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind := byte(helloFrame); kind <= verdictFrame; kind++ {
			raw, err := readFrame(bytes.NewReader(b), kind)
			if err != nil {
				continue
			}
			if len(raw) > maxFrame || !bytes.HasPrefix(b, raw) {
				t.Fatalf("frame of %d bytes", len(raw))
			}
			var again []byte
			switch kind {
			case helloFrame:
				h, err := decodeHello(raw[frameHead:])
				if err != nil {
					continue
				}
				again = h.encode()
				if !bytes.Equal(again, raw) {
					t.Errorf("hello %+v", h)
				}
				a := acceptor{Identity: id, server: 3, raft: true, running: true, addr: "127.0.0.1:2888"}
				if code, text := a.judge(&h, "127.0.0.1"); code != 0 && text == "" {
					t.Errorf("refused as %d without a word", code)
				}
			case welcomeFrame:
				w, err := decodeWelcome(raw[frameHead:])
				if err != nil {
					continue
				}
				if again = w.encode(); !bytes.Equal(again, raw) {
					t.Errorf("welcome %+v", w)
				}
			case verdictFrame:
				v, err := decodeVerdict(raw[frameHead:])
				if err != nil {
					continue
				}
				if again = v.encode(); !bytes.Equal(again, raw) {
					t.Errorf("verdict %+v", v)
				}
			}
		}
	})
}

// Messages come out as they went in; what is cut or claims too much costs no
// more memory than its bytes.
func FuzzMessage(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x03\x01hi\x00\x00\x00\x01\x02"), 10)
	f.Add([]byte("\x04\x80\x00\x01\x01short"), 0)
	f.Add([]byte("\xff\xff\xff\xff\x01"), 3)
	f.Add([]byte("\x00\x00\x00\x00"), 1)
	f.Fuzz(func(t *testing.T, b []byte, head int) {
		head = min(max(head, 0), 1000)
		r := bufio.NewReader(bytes.NewReader(b))
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		for {
			kind, body, err := readMessage(r, r, head, MaxMessage)
			if cap(body) > head+firstRead+2*len(b) {
				t.Fatalf("%d bytes of memory for %d", cap(body), len(b))
			}
			if err != nil {
				break
			}
			if !bytes.Equal(body[:head], make([]byte, head)) {
				t.Fatal("the room in front is not empty")
			}
			if err := writeMessage(w, kind, body[head:]); err != nil {
				t.Fatal(err)
			}
		}
		if w.Flush() != nil || !bytes.HasPrefix(b, out.Bytes()) {
			t.Errorf("%x came out of %x", out.Bytes(), b)
		}
	})
}

// Entries come out as they went in; what is cut or claims too much costs no more
// memory than its bytes.
func FuzzEntries(f *testing.F) {
	var seed bytes.Buffer
	w := bufio.NewWriter(&seed)
	err := writeEntries(w, &raft.AppendEntriesRequest{Term: 7, PrevLogEntry: 4, PrevLogTerm: 6, LeaderCommitIndex: 3, Entries: []*raft.Log{
		{Index: 5, Term: 7, Type: raft.LogNoop},
		{Index: 6, Term: 7, Data: []byte("data"), Extensions: []byte("seal"), AppendedAt: time.Unix(1, 2)},
	}})
	if err != nil || w.Flush() != nil {
		f.Fatal(err)
	}
	f.Add(seed.Bytes())
	f.Add(seed.Bytes()[:70])
	f.Add(append(append([]byte{entriesMessage}, make([]byte, 32)...), 0xff, 0xff))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := bufio.NewReader(bytes.NewReader(b))
		if kind, err := r.ReadByte(); err != nil || kind != entriesMessage {
			return
		}
		var req raft.AppendEntriesRequest
		err := readEntries(r, &req)
		if len(req.Entries) > len(b)/entryHead {
			t.Fatalf("%d entries in %d bytes", len(req.Entries), len(b))
		}
		if err != nil {
			return
		}
		var out bytes.Buffer
		w := bufio.NewWriter(&out)
		if err := writeEntries(w, &req); err != nil || w.Flush() != nil || !bytes.HasPrefix(b, out.Bytes()) {
			t.Errorf("%x came out of %x: %v", out.Bytes(), b, err)
		}
	})
}
