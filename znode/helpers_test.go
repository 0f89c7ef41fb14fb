package znode

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"zkd/proto/jute"
)

var (
	open     = []jute.ACL{{Perms: jute.PermAll, ID: jute.ID{Scheme: "world", ID: "anyone"}}}
	private  = digestACL(jute.PermAll, "u:h") // what only alice may touch
	alice    = jute.ID{Scheme: "digest", ID: "u:h"}
	loopback = jute.ID{Scheme: "ip", ID: "127.0.0.1"}
	super    = jute.ID{Scheme: "super"}
)

func digestACL(perms int32, id string) []jute.ACL {
	return []jute.ACL{{Perms: perms, ID: jute.ID{Scheme: "digest", ID: id}}}
}

func worldACL(perms int32) []jute.ACL {
	return []jute.ACL{{Perms: perms, ID: jute.ID{Scheme: "world", ID: "anyone"}}}
}

// tester drives a tree, one transaction a call, and checks all invariants at
// the end of the test.
type tester struct {
	*Tree
	t  testing.TB
	tx Txn // as of the last transaction; the next has the same but zxid and time
}

func newTester(t testing.TB) *tester {
	x := &tester{Tree: New(), t: t, tx: Txn{Session: 0x100000000000001}}
	x.tx.TTLNodes = true
	t.Cleanup(func() {
		if err := verify(x.Tree); err != nil {
			t.Errorf("after the test: %v", err)
		}
	})
	return x
}

// next returns the next transaction: zxids count by one, time by a second.
func (x *tester) next() *Txn {
	x.tx.Zxid++
	x.tx.Time += 1000
	tx := x.tx
	return &tx
}

// as makes the following transactions those of the identities.
func (x *tester) as(ids ...jute.ID) *tester {
	x.tx.Actor.IDs = ids
	return x
}

func (x *tester) create(path, data string, mode jute.CreateMode, acl []jute.ACL) (string, jute.Stat, jute.Code) {
	x.Begin(x.next())
	return x.Create(jute.OpCreate, request(path, data, mode, acl))
}

func request(path, data string, mode jute.CreateMode, acl []jute.ACL) *jute.CreateRequest {
	return &jute.CreateRequest{Path: path, Data: []byte(data), Mode: mode, ACL: slices.Clone(acl)}
}

// make creates open, persistent znodes that must be possible.
func (x *tester) make(paths ...string) *tester {
	x.t.Helper()
	for _, path := range paths {
		x.makeWith(path, "", jute.Persistent, open)
	}
	return x
}

func (x *tester) makeWith(path, data string, mode jute.CreateMode, acl []jute.ACL) string {
	x.t.Helper()
	path, _, code := x.create(path, data, mode, acl)
	if code != jute.OK {
		x.t.Fatalf("create %s: %v", path, code)
	}
	return path
}

func (x *tester) makeOp(op jute.Op, c *jute.CreateRequest) {
	x.t.Helper()
	x.Begin(x.next())
	if _, _, code := x.Create(op, c); code != jute.OK {
		x.t.Fatalf("create %s: %v", c.Path, code)
	}
}

func (x *tester) del(path string, version int32) jute.Code {
	x.Begin(x.next())
	return x.Delete(path, version)
}

func (x *tester) set(path, data string, version int32) (jute.Stat, jute.Code) {
	x.Begin(x.next())
	return x.SetData(path, []byte(data), version)
}

func (x *tester) setACL(path string, acl []jute.ACL, version int32) (jute.Stat, jute.Code) {
	x.Begin(x.next())
	return x.SetACL(&jute.SetACLRequest{Path: path, ACL: slices.Clone(acl), Version: version})
}

func (x *tester) check(path string, version int32) jute.Code {
	x.Begin(x.next())
	return x.Check(path, version)
}

func (x *tester) stat(path string) jute.Stat {
	x.t.Helper()
	s, ok := x.Stat(path)
	if !ok {
		x.t.Fatalf("no znode %s", path)
	}
	return s
}

func (x *tester) exists(path string) bool {
	_, ok := x.Stat(path)
	return ok
}

// data returns what getData gives; nil is null.
func (x *tester) data(path string) []byte {
	x.t.Helper()
	b, code := x.AppendData(nil, path, &Actor{SkipACL: true})
	if code != jute.OK {
		x.t.Fatalf("getData %s: %v", path, code)
	}
	r := jute.NewReader(b)
	return r.Buffer()
}

// poke changes a record as no operation could within a test's time.
func (x *tester) poke(path string, f func(n *node, x *extra)) {
	x.t.Helper()
	id := x.lookup(path)
	if id == 0 {
		x.t.Fatalf("no znode %s", path)
	}
	f(x.mut(id), x.mutExtra(id))
	var err error
	if x.digest, err = x.scan(nil); err != nil {
		x.t.Fatal(err)
	}
}

func (x *tester) want(what string, got, want jute.Code) {
	x.t.Helper()
	if got != want {
		x.t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// fingerprint is the image of the tree: equal trees without gaps have equal ones.
func (x *tester) fingerprint() string {
	x.t.Helper()
	return dump(x.Tree)
}

func image(t testing.TB, tree *Tree) []byte {
	t.Helper()
	s := tree.Snapshot()
	defer s.Release()
	var b bytes.Buffer
	if _, err := s.WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func children(t testing.TB, tree *Tree, path string) []string {
	t.Helper()
	b, code := tree.AppendChildren(nil, path, false, &Actor{SkipACL: true})
	if code != jute.OK {
		t.Fatalf("getChildren %s: %v", path, code)
	}
	return decodeStrings(t, b)
}

func decodeStrings(t testing.TB, b []byte) []string {
	t.Helper()
	r := jute.NewReader(b)
	names := []string{}
	jute.WalkStrings(&r, func(s string, _ bool) bool { names = append(names, strings.Clone(s)); return true })
	if r.Err() != nil || r.Len() > 0 {
		t.Fatalf("vector of strings: %v, %d bytes left", r.Err(), r.Len())
	}
	slices.Sort(names)
	return names
}
