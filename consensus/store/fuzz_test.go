package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"testing"

	"github.com/hashicorp/raft"
)

// fixSum lets the fuzzer past a checksum: it returns b with the sum at the given
// place put right.
func fixSum(b []byte, from, to, at int, seed uint32) []byte {
	if len(b) < at+4 || at < 0 || from < 0 || to > len(b) {
		return b
	}
	b = append([]byte(nil), b...)
	binary.LittleEndian.PutUint32(b[at:], crc32.Update(seed, castagnoli, b[from:to]))
	return b
}

func FuzzRecord(f *testing.F) {
	f.Add(appendRecord(nil, 7, entry(3, 20), 1))
	f.Add(appendRecord(nil, 7, &raft.Log{}, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, in := range [][]byte{b, fixSum(b, 0, 44, 44, 7)} {
			var l raft.Log
			if err := decodeRecord(in, 7, &l); err != nil {
				if !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrEngine) {
					t.Fatal(err)
				}
				continue
			}
			if err := VerifyEntry(&l); err != nil {
				t.Fatal(err)
			}
			position := binary.LittleEndian.Uint32(in[28:])
			again := appendRecord(nil, 7, &l, position)
			var l2 raft.Log
			if err := decodeRecord(again, 7, &l2); err != nil || !bytes.Equal(l2.Data, l.Data) || l2.Index != l.Index || l2.Term != l.Term {
				t.Fatalf("%v %+v %+v", err, l, l2)
			}
		}
	})
}

func FuzzVote(f *testing.F) {
	f.Add(vote{}.encode())
	f.Add(vote{term: 9, voteTerm: 8, candidate: "zkd-1.2"}.encode())
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, in := range [][]byte{b, fixSum(b, 0, len(b)-4, len(b)-4, 0)} {
			v, err := decodeVote(in)
			if err == nil && !bytes.Equal(v.encode(), in) {
				t.Fatalf("%+v is not what was stored", v)
			}
		}
	})
}

func FuzzSnapshot(f *testing.F) {
	meta, _ := snapMeta{Version: 1, Index: 5, Term: 2, Servers: []snapServer{{ID: "a"}}}.encode()
	seed := binary.LittleEndian.Uint32(meta[len(meta)-4:])
	data := noise(100)
	crc := chunkCRC(seed, 0, data)
	whole := append([]byte(nil), meta...)
	whole = binary.LittleEndian.AppendUint32(whole, 100)
	whole = binary.LittleEndian.AppendUint32(whole, crc)
	whole = append(append(whole, data...), encodeTrailer(100, 1, crc)...)
	f.Add(whole)
	f.Add(append(meta, encodeTrailer(0, 0, seed)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		fixed := fixSum(b, len(b)-snapTrailer, len(b)-4, len(b)-4, 0)
		if len(b) > 12+snapTrailer {
			if n := int(binary.LittleEndian.Uint32(b[8:])); n < len(b) {
				fixed = fixSum(fixed, 0, 12+n, 12+n, 0)
			}
		}
		for _, in := range [][]byte{b, fixed} {
			info, err := readSnapInfo(bytes.NewReader(in), int64(len(in)))
			if err != nil {
				continue
			}
			info.meta.raft("id", info.size)
			got, err := io.ReadAll(newChunkReader(bytes.NewReader(in), info))
			if int64(len(got)) > int64(len(in)) || err == nil && int64(len(got)) != info.size {
				t.Fatalf("%d bytes from a file of %d, size %d, %v", len(got), len(in), info.size, err)
			}
		}
	})
}
