package server

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"

	"zkd/consensus/peer"
	"zkd/proto/jute"
)

func TestMembershipImage(t *testing.T) {
	for name, m := range map[string]membership{
		"none":    {},
		"members": {servers: mustParse(t, three), version: 0x100000000},
		"change":  {servers: mustParse(t, three), wanted: mustParse(t, three)[:2], change: 77},
	} {
		t.Run(name, func(t *testing.T) {
			m.changed()
			image := m.appendImage(nil)
			r := bytes.NewReader(append(bytes.Clone(image), "what follows"...))
			got, err := loadMembership(r)
			if err != nil || !reflect.DeepEqual(got, m) {
				t.Fatalf("got %+v, %v; want %+v", got, err, m)
			}
			if rest, _ := io.ReadAll(r); string(rest) != "what follows" {
				t.Errorf("read into what follows: %q is left", rest)
			}
			for n := range image {
				if _, err := loadMembership(bytes.NewReader(image[:n])); err == nil {
					t.Errorf("%d of %d bytes are enough", n, len(image))
				}
			}
		})
	}
	claim := jute.AppendInt32(jute.AppendInt64(nil, 0), -1)
	if _, err := loadMembership(bytes.NewReader(claim)); err == nil {
		t.Error("a length of 4 GiB is believed")
	}
}

func TestMembershipShow(t *testing.T) {
	var m membership
	if m.show() != nil {
		t.Error("members where there are none")
	}
	m.set(mustParse(t, three), 5)
	first := m.show()
	if first.Version != 5 || len(first.Current) != 3 || first.Wanted != nil ||
		!reflect.DeepEqual(first.Current[0], peer.Member{ID: 1, Raft: []string{"a:2888"}, Link: []string{"a:3888"}}) {
		t.Errorf("shows %+v", first)
	}
	if m.show() != first {
		t.Error("another pointer for the same")
	}
	m.want(m.servers[:2], 9)
	second := m.show()
	if second == first || second.Version != 9 || len(second.Wanted) != 2 || len(second.Current) != 3 {
		t.Errorf("shows %+v", second)
	}
	m.want(nil, 0)
	if third := m.show(); third == second || third.Wanted != nil || third.Version != 5 {
		t.Errorf("shows %+v", third)
	}
}

func TestStateImage(t *testing.T) {
	s := newState()
	s.zxid, s.term = 0x300000007, 3
	s.members.set(mustParse(t, three), 0x100000000)
	s.members.want(mustParse(t, three)[:2], 0x300000008)
	image := persisted(t, s)
	got := newState()
	if err := got.restore(bytes.NewReader(image), func() {}); err != nil {
		t.Fatal(err)
	}
	if got.zxid != s.zxid || got.term != s.term || !reflect.DeepEqual(got.members, s.members) {
		t.Errorf("restored %#x, %d, %+v", got.zxid, got.term, got.members)
	}
	if again := persisted(t, got); !bytes.Equal(again, image) {
		t.Error("the image of what was restored is another one")
	}
	for _, n := range []int{0, 1, 8, 9, 24, 25, 38, len(image) - 1} {
		if err := newState().restore(bytes.NewReader(image[:n]), func() {}); err == nil {
			t.Errorf("%d bytes are enough", n)
		}
	}
}

// The first release's images begin with the zxid.
func TestFirstStateImage(t *testing.T) {
	s := newState()
	s.zxid, s.term = 0x300000007, 3
	image := persisted(t, s)
	const head = 1 + 8 // format and digest
	none := new(membership).appendImage(nil)
	first := append(bytes.Clone(image[head:head+16]), image[head+16+len(none):]...)
	got := newState()
	if err := got.restore(bytes.NewReader(first), func() {}); err != nil {
		t.Fatal(err)
	}
	if got.zxid != s.zxid || got.term != s.term || got.members.servers != nil {
		t.Errorf("restored %#x, %d, %+v", got.zxid, got.term, got.members)
	}
	image[0] = imageFormat + 1
	if err := newState().restore(bytes.NewReader(image), func() {}); err == nil || !strings.Contains(err.Error(), "unknown format") {
		t.Errorf("a later format: %v", err)
	}
}

func persisted(t *testing.T, s *state) []byte {
	t.Helper()
	var b bytes.Buffer
	image := s.snapshot()
	defer image.Release()
	if err := image.Persist(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
