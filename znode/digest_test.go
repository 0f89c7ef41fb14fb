package znode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"
	"unsafe"

	"zkd/proto/jute"
)

// Servers of different releases compare these, and snapshots have them.
func TestDigestStays(t *testing.T) {
	for _, c := range []struct {
		what  string
		image []byte
		want  uint64
	}{
		{what: "a new tree", image: image(t, New()), want: 0x67a19a193b1d8cd7},
		{what: "some of everything", image: sampleImage(t), want: 0x7443525a37f5ad1d},
	} {
		tree, err := Load(bytes.NewReader(c.image))
		if err != nil {
			t.Fatal(err)
		}
		if got := tree.Digest(); got != c.want {
			t.Errorf("%s has the digest %#x, want %#x", c.what, got, c.want)
		}
	}
}

// Two ways to one content: in another order, by way of what is undone, deleted
// or refused, and through an image.
func TestDigestKnowsNoHistory(t *testing.T) {
	create := func(x *tester, zxid int64, path string, mode jute.CreateMode, acl []jute.ACL) {
		x.t.Helper()
		x.Begin(&Txn{Zxid: zxid, Time: 1000 * zxid, Session: 5})
		if _, _, code := x.Create(jute.OpCreate, request(path, "data of "+path, mode, acl)); code != jute.OK {
			x.t.Fatalf("create %s: %v", path, code)
		}
	}
	straight := newTester(t)
	create(straight, 10, "/a", 0, open)
	create(straight, 11, "/a/b", jute.Ephemeral, private)
	create(straight, 12, "/c", 0, worldACL(3))
	create(straight, 13, "/d", 0, open)

	winding := newTester(t)
	create(winding, 12, "/c", 0, worldACL(3))
	create(winding, 10, "/a", 0, open)
	winding.BeginMulti(&Txn{Zxid: 90, Time: 90, Session: 7})
	for _, path := range []string{"/x", "/a/y", "/c/z"} {
		_, _, _ = winding.Create(jute.OpCreate, request(path, path, jute.Ephemeral, digestACL(31, "w:"+path)))
	}
	winding.SetData("/a", []byte("other"), -1)
	winding.Delete("/c", -1)
	winding.Rollback()
	create(winding, 11, "/a/b", jute.Ephemeral, private)
	winding.Begin(&Txn{Zxid: 91})
	winding.Delete("/a", -1)
	winding.SetData("/none", nil, -1)
	winding.Tree, _ = Load(bytes.NewReader(image(t, winding.Tree)))
	create(winding, 13, "/d", 0, open)
	if a, b := dump(straight.Tree), dump(winding.Tree); a != b {
		t.Fatalf("not the same content:\n%s\n\n%s", a, b)
	}
	if a, b := straight.Digest(), winding.Digest(); a != b {
		t.Errorf("digests %#x and %#x", a, b)
	}
	create(winding, 14, "/e", 0, open)
	if straight.Digest() == winding.Digest() {
		t.Error("one znode more has the same digest")
	}
}

func TestRollbackRestoresTheDigest(t *testing.T) {
	x := newTester(t).as(alice).make("/a", "/a/b").quota("/a", "count=5,bytes=100")
	x.makeWith("/e", "", jute.Ephemeral, private)
	want := x.Digest()
	x.BeginMulti(x.next())
	for _, code := range []jute.Code{
		x.Delete("/a/b", -1), x.Delete("/e", -1),
		func() jute.Code {
			_, _, code := x.Create(jute.OpCreate, request("/a/c", "12345", 0, private))
			return code
		}(),
		func() jute.Code { _, code := x.SetData("/a", []byte("new"), -1); return code }(),
	} {
		x.want("in the multi", code, jute.OK)
	}
	if x.Digest() == want {
		t.Error("the digest does not follow a multi")
	}
	x.Rollback()
	if got := x.Digest(); got != want {
		t.Errorf("%#x after the rollback, %#x before", got, want)
	}
}

func TestEveryFieldIsInTheDigest(t *testing.T) {
	tree, err := Load(bytes.NewReader(sampleImage(t)))
	if err != nil {
		t.Fatal(err)
	}
	id := tree.lookup("/a")
	x := tree.mutExtra(id)
	n := tree.mut(id)
	sum := func() uint64 { return tree.sum(tree.key(id), id) }
	seen := map[uint64]string{sum(): "nothing"}
	see := func(what string) {
		t.Helper()
		if twin, ok := seen[sum()]; ok {
			t.Errorf("a change of %s adds what %s does", what, twin)
		}
		seen[sum()] = what
	}
	for what, p := range map[string]*int64{"czxid": &n.czxid, "mzxid": &n.mzxid, "ctime": &n.ctime, "mtime": &n.mtime,
		"pzxid": &x.pzxid, "owner": &x.owner} {
		*p++
		see(what)
		*p--
	}
	for what, p := range map[string]*int32{"version": &n.version, "created": &x.created, "children": &x.numChildren,
		"aversion": &x.aversion} {
		*p++
		see(what)
		*p--
	}
	acl, blob, size := n.acl, n.blob, n.dataLen
	n.acl = tree.get(tree.lookup("/a/b")).acl
	see("ACL")
	n.acl = acl
	for _, data := range [][]byte{nil, {}, {0}, {0, 0}, []byte("datb"), []byte("b"), bytes.Repeat([]byte{0}, 100)} {
		n.blob, n.dataLen = takeBlob(tree, "a", data), dataLen(data)
		see(fmt.Sprintf("data to %q", data))
	}
	n.blob, n.dataLen = takeBlob(tree, "A", []byte("data")), size
	see("name")
	n.blob, n.parent = blob, tree.lookup("/c")
	see("parent")
	n.parent = rootID
	if seen[sum()] != "nothing" {
		t.Error("what was put back adds something else")
	}
}

// damage changes every bit of everything that a snapshot refers to, one at a
// time.
func damage(s *Snapshot, found func(what string)) {
	t := &s.view
	flip := func(what string, b []byte) {
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				found(fmt.Sprintf("%s, byte %d, bit %d", what, i, bit))
				b[i] ^= 1 << bit
			}
		}
	}
	const padding = 4
	for id := rootID; id < t.nodes.next; id++ {
		n := t.get(id)
		size := unsafe.Sizeof(*n) - padding
		flip(fmt.Sprint("record ", id), unsafe.Slice((*byte)(unsafe.Pointer(n)), size))
		if n.parent != 0 {
			flip(fmt.Sprint("name and data of ", id), t.blobs.get(n.blob)[:n.nameLen+max(n.dataLen, 0)])
		}
		if n.more != 0 {
			x := t.extras.get(n.more)
			flip(fmt.Sprint("extra record of ", id), unsafe.Slice((*byte)(unsafe.Pointer(x)), unsafe.Sizeof(*x)))
		}
	}
	for id := range t.acls.lists {
		l := &t.acls.lists[id]
		for i := range l.acl {
			l.acl[i].Perms ^= 1
			found(fmt.Sprint("permissions in list ", id))
			l.acl[i].Perms ^= 1
		}
		l.sum ^= 1
		if l.key != "" {
			found(fmt.Sprint("sum of list ", id))
		}
		l.sum ^= 1
	}
	s.view.digest ^= 1 << 40
	found("digest")
	s.view.digest ^= 1 << 40
}

func noPause(int) error { return nil }

func TestEveryDamagedBitIsFound(t *testing.T) {
	tree, err := Load(bytes.NewReader(sampleImage(t)))
	if err != nil {
		t.Fatal(err)
	}
	tree.Begin(&Txn{Zxid: 50, Actor: Actor{SkipACL: true}})
	if code := tree.Delete("/a/e", -1); code != jute.OK { // leaves a record free
		t.Fatal(code)
	}
	s := tree.Snapshot()
	defer s.Release()
	if padding := unsafe.Sizeof(node{}) - unsafe.Offsetof(node{}.more) - 4; padding != 4 {
		t.Fatalf("%d bytes at the end of a record", padding)
	}
	sound := func() {
		t.Helper()
		if err := s.Verify(noPause); err != nil {
			t.Fatal(err)
		}
	}
	sound()
	total := 0
	damage(s, func(what string) {
		total++
		if err := s.Verify(noPause); !errors.Is(err, ErrDigest) {
			if harmless(s) {
				return
			}
			t.Errorf("Verify, %s: %v", what, err)
		}
		if _, err := s.WriteTo(io.Discard); !errors.Is(err, ErrDigest) {
			t.Errorf("WriteTo, %s: %v", what, err)
		}
	})
	sound()
	t.Logf("%d bits", total)
}

// harmless tells whether nothing of a tree has changed but records that are
// not in use.
func harmless(s *Snapshot) bool {
	for id := rootID; id < s.view.nodes.next; id++ {
		n := *s.view.get(id)
		if n != (node{}) && n.parent == 0 {
			return true
		}
	}
	return false
}

func TestWhatIsOverwrittenHidesNoDamage(t *testing.T) {
	x := New()
	x.Begin(&Txn{Zxid: 1})
	if _, _, code := x.Create(jute.OpCreate, request("/a", "data", 0, open)); code != jute.OK {
		t.Fatal(code)
	}
	x.data(x.get(x.lookup("/a")))[0] ^= 4
	if _, code := x.SetData("/a", []byte("other"), -1); code != jute.OK {
		t.Fatal(code)
	}
	s := x.Snapshot()
	defer s.Release()
	if err := s.Verify(noPause); !errors.Is(err, ErrDigest) {
		t.Errorf("got %v", err)
	}
}

func TestVerifyPaces(t *testing.T) {
	tree, _ := benchTree(t, 5000)
	s := tree.Snapshot()
	defer s.Release()
	var sizes []int
	if err := s.Verify(func(n int) error { sizes = append(sizes, n); return nil }); err != nil {
		t.Fatal(err)
	}
	if len(sizes) < 4 || slices.Min(sizes) < imageBuffer || slices.Max(sizes) > 2*imageBuffer {
		t.Errorf("paces %v", sizes)
	}
	if err := s.Verify(func(int) error { return io.ErrNoProgress }); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("got %v", err)
	}
}

// The first format had no digest.
func TestLoadTakesTheFirstFormat(t *testing.T) {
	b := sampleImage(t)
	want, err := Load(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	first := slices.Concat([]byte("ZTR1"), b[4:16], b[24:])
	got, err := Load(bytes.NewReader(first))
	if err != nil || got.Digest() != want.Digest() || dump(got) != dump(want) {
		t.Errorf("got %v", err)
	}
}

func TestLoadRefusesAnotherDigest(t *testing.T) {
	b := sampleImage(t)
	at := bytes.Index(b, []byte("data"))
	b[at] ^= 1
	if _, err := Load(bytes.NewReader(b)); !errors.Is(err, ErrDigest) || !errors.Is(err, ErrImage) {
		t.Errorf("got %v", err)
	}
}
