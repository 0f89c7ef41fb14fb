package session

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"reflect"
	"testing"
	"testing/iotest"
)

func sample() *Table {
	t := NewTable()
	for i, id := range []ID{7, math.MinInt64 + 1, 0x100000000000001} {
		t.Create(Session{ID: id, Password: Password{byte(i), 1, 2}, Timeout: int32(1000 + i)})
	}
	t.Attach(7)
	t.Attach(7)
	return t
}

func TestTable(t *testing.T) {
	table := NewTable()
	s := Session{ID: 5, Password: Password{1}, Timeout: 4000}
	if !table.Create(s) {
		t.Fatal("not created")
	}
	if table.Create(Session{ID: 5, Timeout: 1}) {
		t.Error("an id was given twice")
	}
	if got, ok := table.Get(5); !ok || got != s {
		t.Errorf("got %+v, %v", got, ok)
	}
	for want := uint32(1); want <= 3; want++ {
		if got, ok := table.Attach(5); !ok || got.Generation != want {
			t.Errorf("attach: %+v, %v", got, ok)
		}
	}
	if _, ok := table.Attach(6); ok || table.Len() != 1 {
		t.Error("attaching made a session")
	}
	table.Remove(5)
	table.Remove(5)
	if _, ok := table.Get(5); ok || table.Len() != 0 {
		t.Error("not removed")
	}
	if _, ok := table.Attach(5); ok {
		t.Error("attached to what is gone")
	}
}

func TestDigest(t *testing.T) {
	same := func(table *Table) {
		t.Helper()
		if got, want := table.Digest(), Digest(table.All()); got != want {
			t.Errorf("the digest is %#x, that of the sessions %#x", got, want)
		}
	}
	table := sample()
	same(table)
	was, seen := table.Digest(), map[uint64]string{}
	change := func(what string, f func(s *Session)) {
		t.Helper()
		s, _ := table.Get(7)
		f(&s)
		other := sample()
		other.Remove(7)
		same(other)
		if other.Digest() == was || !other.Create(s) {
			t.Fatal("not removed")
		}
		same(other)
		if twin := seen[other.Digest()]; twin != "" {
			t.Errorf("%s and %s have one digest", what, twin)
		}
		seen[other.Digest()] = what
	}
	change("nothing", func(*Session) {})
	if seen[was] == "" {
		t.Error("what came back has another digest")
	}
	change("id", func(s *Session) { s.ID = 8 })
	change("timeout", func(s *Session) { s.Timeout++ })
	change("generation", func(s *Session) { s.Generation++ })
	for i := range table.All()[0].Password {
		change("password", func(s *Session) { s.Password[i] ^= 1 })
	}
	table.Attach(7)
	same(table)
	table.Attach(99)
	table.Remove(99)
	table.Create(Session{ID: 7, Timeout: 1})
	same(table)
	if table.Digest() == was {
		t.Error("attaching changed nothing")
	}
	loaded, err := Load(bytes.NewReader(AppendImage(nil, table.All())))
	if err != nil || loaded.Digest() != table.Digest() {
		t.Errorf("loaded: %v", err)
	}
	if NewTable().Digest() != 0 {
		t.Error("no session has a digest")
	}
}

func TestAllIsSortedById(t *testing.T) {
	all := sample().All()
	if len(all) != 3 || all[0].ID > all[1].ID || all[1].ID > all[2].ID {
		t.Errorf("got %+v", all)
	}
}

func TestImageRoundTrip(t *testing.T) {
	for name, table := range map[string]*Table{"empty": NewTable(), "three": sample()} {
		t.Run(name, func(t *testing.T) {
			b := AppendImage([]byte("before"), table.All())[6:]
			r := bytes.NewReader(append(bytes.Clone(b), "what follows"...))
			got, err := Load(r)
			if err != nil || !reflect.DeepEqual(got.All(), table.All()) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if rest, _ := io.ReadAll(r); string(rest) != "what follows" {
				t.Errorf("read into what follows: %q is left", rest)
			}
			for n := range b {
				if _, err := Load(bytes.NewReader(b[:n])); !errors.Is(err, ErrImage) {
					t.Errorf("%d of %d bytes: %v", n, len(b), err)
				}
			}
		})
	}
}

func TestLoadRefuses(t *testing.T) {
	ok := Session{ID: 1, Timeout: 1}
	for name, all := range map[string][]Session{
		"id 0":             {{ID: 0, Timeout: 1}},
		"timeout 0":        {{ID: 1}},
		"negative timeout": {{ID: 1, Timeout: -1}},
		"the same twice":   {ok, ok},
	} {
		if _, err := Load(bytes.NewReader(AppendImage(nil, all))); !errors.Is(err, ErrImage) {
			t.Errorf("%s: %v", name, err)
		}
	}
	claim := binary.LittleEndian.AppendUint32(nil, math.MaxUint32)
	if _, err := Load(bytes.NewReader(claim)); !errors.Is(err, ErrImage) {
		t.Errorf("a count without sessions: %v", err)
	}
	if _, err := Load(iotest.ErrReader(io.ErrNoProgress)); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a read error: %v", err)
	}
}

func FuzzLoad(f *testing.F) {
	f.Add(AppendImage(nil, sample().All()))
	f.Add(AppendImage(nil, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		table, err := Load(bytes.NewReader(b))
		if err != nil {
			if !errors.Is(err, ErrImage) {
				t.Fatal(err)
			}
			return
		}
		image := AppendImage(nil, table.All())
		again, err := Load(bytes.NewReader(image))
		if err != nil || !reflect.DeepEqual(again, table) || len(image) > len(b) {
			t.Fatalf("got %v, %v", again, err)
		}
	})
}
