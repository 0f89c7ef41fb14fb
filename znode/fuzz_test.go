package znode

import (
	"bufio"
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"zkd/proto/jute"
)

// bytesChooser takes its choices from a fuzz input, and 0 once that is used up.
type bytesChooser struct{ rest []byte }

func (b *bytesChooser) below(n int) int {
	if len(b.rest) == 0 {
		return 0
	}
	c := int(b.rest[0]) % n
	b.rest = b.rest[1:]
	return c
}

// FuzzTree plays what the input says, against the model.
func FuzzTree(f *testing.F) {
	f.Add([]byte{})
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 2))
		b := make([]byte, 400)
		for i := range b {
			b[i] = byte(r.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 2000 {
			return
		}
		c := &bytesChooser{b}
		p := newPlayer(t, c)
		for len(c.rest) > 0 {
			p.transaction()
			switch c.below(12) {
			case 0:
				p.openView()
			case 1:
				if len(p.views) > 0 {
					p.closeView(0)
				}
			}
		}
		p.finish()
	})
}

// sampleImage has some of everything.
func sampleImage(t testing.TB) []byte {
	tree := New()
	tx := &Txn{Zxid: 1, Time: 1, Session: 77, Actor: Actor{IDs: []jute.ID{alice}}, Settings: Settings{TTLNodes: true}}
	tree.Begin(tx)
	for _, c := range []*jute.CreateRequest{
		request("/a", "data", jute.Persistent, open), request("/a/b", "", jute.Persistent, private),
		request("/a/e", "x", jute.Ephemeral, worldACL(1)), request("/a/s", strings.Repeat("l", 200), jute.PersistentSequential, open),
		{Path: "/null", ACL: open}, request(quotaPath+"/a", "", 0, open),
		request(quotaPath+"/a/"+limitsName, "count=1,bytes=1", 0, open), request(quotaPath+"/a/"+statsName, "", 0, open),
	} {
		if _, _, code := tree.Create(jute.OpCreate, c); code != jute.OK {
			t.Fatal(c.Path, code)
		}
	}
	ttl := request("/ttl", "", jute.PersistentTTL, open)
	ttl.TTL = 5
	_, _, code := tree.Create(jute.OpCreateTTL, ttl)
	_, _, code2 := tree.Create(jute.OpCreateContainer, request("/c", "", jute.Container, open))
	if code != jute.OK || code2 != jute.OK {
		t.Fatal(code, code2)
	}
	return image(t, tree)
}

// loadAny loads an image without comparing digests.
func loadAny(b []byte) (*Tree, error) {
	l := &loader{r: bufio.NewReaderSize(bytes.NewReader(b), imageBuffer), t: empty()}
	return l.t, l.load()
}

// FuzzLoad: a damaged image is an error or a sound tree, never anything else.
func FuzzLoad(f *testing.F) {
	f.Add(sampleImage(f))
	f.Add(image(f, New()))
	f.Fuzz(func(t *testing.T, b []byte) {
		// Few damaged images have their digest. So it is not asked for first.
		tree, err := loadAny(b)
		if err != nil {
			if !errors.Is(err, ErrImage) {
				t.Fatalf("not an ErrImage: %v", err)
			}
			return
		}
		if _, err := Load(bytes.NewReader(b)); err != nil && !errors.Is(err, ErrDigest) {
			t.Fatalf("not an ErrDigest: %v", err)
		}
		if err := verify(tree); err != nil {
			t.Fatalf("loaded: %v", err)
		}
		// It must work like any other.
		tree.Begin(&Txn{Zxid: 1 << 40, Time: 1, Actor: Actor{SkipACL: true}})
		tree.EphemeralOwners(func(session int64) { defer tree.CloseSession(session) })
		for _, d := range tree.Due(1<<62, 1, 10) {
			tree.DeleteContainer(d.Path, d.Mzxid)
		}
		tree.SetData("/", []byte("x"), -1)
		tree.Begin(&Txn{})
		if err := verify(tree); err != nil {
			t.Fatalf("used: %v", err)
		}
		again, err := Load(bytes.NewReader(image(t, tree)))
		if err != nil || dump(again) != dump(tree) {
			t.Fatalf("the image of what was loaded: %v", err)
		}
	})
}
