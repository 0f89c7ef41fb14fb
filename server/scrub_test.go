package server

import (
	"bytes"
	"context"
	"errors"
	"reflect"
	"testing"
	"time"

	"zkd/conf"
	"zkd/consensus"
	"zkd/proto/jute"
	"zkd/session"
	"zkd/znode"
)

// sampleState has a member list, sessions and a znode with the data "sound".
func sampleState(t *testing.T) *state {
	t.Helper()
	s := newState()
	s.zxid, s.term = 0x300000007, 3
	s.members.set(mustParse(t, three), 0x100000000)
	s.table.Create(session.Session{ID: 9, Timeout: 4000, Password: session.Password{1}})
	s.tree.Begin(&znode.Txn{Zxid: 1, Time: 1})
	c := &jute.CreateRequest{Path: "/a", Data: []byte("sound"), ACL: []jute.ACL{{Perms: 31, ID: jute.ID{Scheme: "world", ID: "anyone"}}}}
	if _, _, code := s.tree.Create(jute.OpCreate, c); code != jute.OK {
		t.Fatal(code)
	}
	return s
}

// breakMemory changes the data "sound" in the slab of a tree, as a bad memory
// chip would.
func breakMemory(t *testing.T, s *state) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	slabs := reflect.ValueOf(s.tree).Elem().FieldByName("blobs").FieldByName("bufs")
	for i := range slabs.Len() {
		b := slabs.Index(i).Bytes()
		if at := bytes.Index(b, []byte("sound")); at >= 0 {
			b[at] ^= 8
			return
		}
	}
	t.Fatal("no such data in memory")
}

func TestDigestCoversTheState(t *testing.T) {
	was := sampleState(t).digest()
	for what, change := range map[string]func(s *state){
		"nothing":     func(*state) {},
		"zxid":        func(s *state) { s.zxid++ },
		"term":        func(s *state) { s.term++ },
		"members":     func(s *state) { s.members.set(mustParse(t, three)[:2], 0x100000000) },
		"version":     func(s *state) { s.members.set(mustParse(t, three), 0x100000001) },
		"wanted":      func(s *state) { s.members.want(mustParse(t, three)[:1], 5) },
		"a session":   func(s *state) { s.table.Attach(9) },
		"a znode":     func(s *state) { s.tree.SetData("/a", []byte("other"), -1) },
		"given up":    func(s *state) { s.members.want(mustParse(t, three)[:1], 5); s.members.want(nil, 0) },
		"batch times": func(s *state) { s.now = 77 },
	} {
		s := sampleState(t)
		change(s)
		same := what == "nothing" || what == "given up" || what == "batch times"
		if got := s.digest(); (got == was) != same {
			t.Errorf("%s: the digest is %#x, was %#x", what, got, was)
		}
		next := newState()
		if err := next.restore(bytes.NewReader(persisted(t, s)), func() {}); err != nil || next.digest() != s.digest() {
			t.Errorf("%s: restored: %#x for %#x, %v", what, next.digest(), s.digest(), err)
		}
	}
}

func TestSnapshotWithADamagedByteIsRefused(t *testing.T) {
	image := persisted(t, sampleState(t))
	for i := range image {
		image[i] ^= 0x10
		if err := newState().restore(bytes.NewReader(image), func() {}); err == nil {
			t.Errorf("byte %d of %d", i, len(image))
		}
		image[i] ^= 0x10
	}
}

func TestScrubTellsWhatIsDamaged(t *testing.T) {
	for what, damage := range map[string]func(s *state){
		"":        func(*state) {},
		"tree":    func(s *state) { breakMemory(t, s) },
		"members": func(s *state) { s.members.version++ },
		"sessions": func(s *state) {
			table := reflect.ValueOf(s.table).Elem().FieldByName("sessions")
			*(*map[session.ID]session.Session)(table.Addr().UnsafePointer()) = map[session.ID]session.Session{}
		},
	} {
		s := sampleState(t)
		var told error
		s.failed = func(err error) { told = err }
		damage(s)
		if err := s.scrub(t.Context()); errors.Is(err, consensus.ErrDamaged) != (what != "") {
			t.Errorf("%s: scrub: %v", what, err)
		}
		image := s.snapshot()
		err := image.Persist(&bytes.Buffer{})
		image.Release()
		if errors.Is(err, consensus.ErrDamaged) != (what != "") || told != err {
			t.Errorf("%s: persist: %v, told %v", what, err, told)
		}
	}
}

func TestScrubEndsWithItsServer(t *testing.T) {
	s := newState()
	s.tree.Begin(&znode.Txn{Zxid: 1})
	c := &jute.CreateRequest{Path: "/a", Data: make([]byte, 1<<20), ACL: []jute.ACL{{Perms: 31, ID: jute.ID{Scheme: "world", ID: "anyone"}}}}
	if _, _, code := s.tree.Create(jute.OpCreate, c); code != jute.OK {
		t.Fatal(code)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.scrub(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestServerWithDamagedMemoryStops(t *testing.T) {
	for name, find := range map[string]func(s *Server){
		"scrub":    func(s *Server) { s.scrubEvery(context.Background(), time.Millisecond) },
		"snapshot": func(s *Server) { _ = s.node.Snapshot() },
	} {
		t.Run(name, func(t *testing.T) {
			s := startServer(t, func(cfg *conf.Config) { cfg.ScrubInterval = 0 })
			connect(t, s).create("/a", []byte("sound"), 0)
			breakMemory(t, s.state)
			find(s)
			select {
			case err := <-s.Failed():
				if !errors.Is(err, consensus.ErrDamaged) || !errors.Is(err, znode.ErrDigest) {
					t.Errorf("stopped because of %v", err)
				}
			case <-time.After(patience):
				t.Fatal("nobody noticed")
			}
		})
	}
}
