package znode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"testing"
	"testing/iotest"

	"zkd/proto/jute"
)

func TestLoadGivesTheTreeBack(t *testing.T) {
	x := newTester(t).as(alice).make("/a", "/a/b", "/a/c")
	x.makeWith("/a/e", "eph", jute.Ephemeral, private)
	x.makeWith("/big", string(make([]byte, 200_000)), jute.Persistent, worldACL(1))
	x.makeOp(jute.OpCreateContainer, request("/box", "", 0, open))
	x.makeOp(jute.OpCreate, &jute.CreateRequest{Path: "/null", ACL: open})
	x.set("/a", "new", -1)
	x.setACL("/a/b", private, -1)
	x.del("/a/c", -1)
	want := x.fingerprint()
	loaded, err := Load(iotest.OneByteReader(bytes.NewReader(image(t, x.Tree))))
	if err != nil {
		t.Fatal(err)
	}
	if err := verify(loaded); err != nil {
		t.Error(err)
	}
	if got := dump(loaded); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := loaded.Counts(), x.Counts(); got.Znodes != want.Znodes || got.DataBytes != want.DataBytes || got.Ephemerals != want.Ephemerals {
		t.Errorf("counts %+v, want %+v", got, want)
	}
}

func TestLoadStopsAtTheEndOfTheImage(t *testing.T) {
	b := sampleImage(t)
	for n := range b {
		if _, err := Load(bytes.NewReader(b[:n])); !errors.Is(err, ErrImage) {
			t.Fatalf("%d of %d bytes: %v", n, len(b), err)
		}
	}
}

func TestLoadPassesReadErrorsOn(t *testing.T) {
	_, err := Load(io.MultiReader(bytes.NewReader(sampleImage(t)[:100]), iotest.ErrReader(io.ErrClosedPipe)))
	if !errors.Is(err, io.ErrClosedPipe) || errors.Is(err, ErrImage) {
		t.Errorf("got %v", err)
	}
}

func TestSnapshotPassesWriteErrorsOn(t *testing.T) {
	s := New().Snapshot()
	defer s.Release()
	r, w := io.Pipe()
	r.CloseWithError(io.ErrNoProgress)
	if _, err := s.WriteTo(w); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

// No single damaged byte may pass, nor, where the digest is not asked for, for
// another sound tree that breaks later.
func TestLoadRefusesAnyByteChanged(t *testing.T) {
	b := sampleImage(t)
	for i := range b {
		for _, by := range []byte{1, 0x80, 0xff} {
			bad := bytes.Clone(b)
			bad[i] ^= by
			if _, err := Load(bytes.NewReader(bad)); !errors.Is(err, ErrImage) {
				t.Errorf("byte %d: %v", i, err)
			}
			tree, err := loadAny(bad)
			if err == nil {
				if err := verify(tree); err != nil {
					t.Errorf("byte %d: %v", i, err)
				}
			} else if !errors.Is(err, ErrImage) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	}
}

// header is the beginning of an image that claims as many znodes and lists.
func imageHeader(znodes, lists uint32) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, imageMagic)
	b = le.AppendUint32(b, znodes)
	b = le.AppendUint64(b, 1)
	b = le.AppendUint64(b, 0)
	return le.AppendUint32(b, lists)
}

func TestLoadDoesNotAllocateWhatIsOnlyClaimed(t *testing.T) {
	le := binary.LittleEndian
	key := jute.AppendACLs(nil, open)
	list := func(b []byte, id uint32, key []byte) []byte {
		return append(le.AppendUint32(le.AppendUint32(b, id), uint32(len(key))), key...)
	}
	sparse := list(imageHeader(1, 20), 1, key)
	for i := range uint32(19) {
		sparse = list(sparse, 2+(i+1)<<20, jute.AppendACLs(nil, digestACL(int32(i), "u:h")))
	}
	for name, b := range map[string][]byte{
		"znodes":           list(imageHeader(math.MaxUint32-1, 1), 1, key),
		"lists":            imageHeader(1, math.MaxUint32),
		"length of a list": le.AppendUint32(le.AppendUint32(imageHeader(1, 1), 1), 1<<30),
		"numbers of lists": sparse,
		"length of data": append(list(imageHeader(1, 1), 1, key), func() []byte {
			n := node{parent: 1, acl: openACL, dataLen: 1 << 29}
			return appendRecord(nil, 1, openACL, &n, extra{})
		}()...),
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := Load(bytes.NewReader(b))
			runtime.ReadMemStats(&after)
			if !errors.Is(err, ErrImage) {
				t.Fatalf("got %v", err)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > 8<<20 {
				t.Errorf("%d MiB allocated for an image of %d bytes", got>>20, len(b))
			}
		})
	}
}

// Lists that came and went leave gaps between the numbers of those that stay.
func TestLoadAfterManyACLsCameAndWent(t *testing.T) {
	x := newTester(t).make("/a", "/keep")
	x.setACL("/keep", private, -1)
	x.as(super)
	tx := x.next()
	x.Begin(tx)
	list := digestACL(1, "u:00000000")
	for i := range 1<<20 + 10 {
		id := []byte("u:00000000")
		for p, v := len(id)-1, i; v > 0; p, v = p-1, v/10 {
			id[p] += byte(v % 10)
		}
		list[0].ID.ID = string(id)
		x.acls.release(x.acls.acquire(list))
	}
	x.setACL("/a", digestACL(31, "last:one"), -1)
	x.Begin(x.next())
	want := x.fingerprint()
	loaded, err := Load(bytes.NewReader(image(t, x.Tree)))
	if err != nil {
		t.Fatal(err)
	}
	if dump(loaded) != want {
		t.Error("the tree differs")
	}
}
