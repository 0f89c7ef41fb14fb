package znode

import (
	"fmt"
	"runtime"
	"testing"

	"zkd/proto/jute"
)

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A ZooKeeper takes 589 bytes of live heap for such a znode.
func TestBytesPerZnode(t *testing.T) {
	const (
		znodes = 200_000
		limit  = 250
	)
	before := liveHeap()
	tree := New()
	c := request("", string(make([]byte, 100)), jute.Persistent, open)
	tx := &Txn{Zxid: 1, Time: 1}
	create := func(path string) {
		c.Path = path
		tree.Begin(tx)
		if _, _, code := tree.Create(jute.OpCreate, c); code != jute.OK {
			t.Fatal(path, code)
		}
	}
	for i := range znodes {
		if i%1000 == 0 {
			create(fmt.Sprintf("/parent-%05d", i/1000))
		}
		create(fmt.Sprintf("/parent-%05d/node-%07d", i/1000, i)) // 26 bytes
	}
	got := float64(liveHeap()-before) / znodes
	t.Logf("%.1f bytes per znode", got)
	if got > limit {
		t.Errorf("%.1f bytes per znode, at most %d", got, limit)
	}
	runtime.KeepAlive(tree)
}

func TestReadsDoNotAllocate(t *testing.T) {
	x := newTester(t).as(alice).make("/a")
	x.makeWith("/a/b", "data", jute.Persistent, private)
	for i := range 20 {
		x.make(fmt.Sprint("/a/b/", i))
	}
	who := &Actor{IDs: []jute.ID{loopback, alice}}
	dst := make([]byte, 0, 4096)
	for name, f := range map[string]func() ([]byte, jute.Code){
		"AppendData":            func() ([]byte, jute.Code) { return x.AppendData(dst, "/a/b", who) },
		"AppendStat":            func() ([]byte, jute.Code) { return x.AppendStat(dst, "/a/b", who) },
		"AppendChildren":        func() ([]byte, jute.Code) { return x.AppendChildren(dst, "/a/b", true, who) },
		"AppendDescendants":     func() ([]byte, jute.Code) { return x.AppendDescendants(dst, "/a/b", who) },
		"AppendData, no node":   func() ([]byte, jute.Code) { return x.AppendData(dst, "/a/none", who) },
		"AppendData, no access": func() ([]byte, jute.Code) { return x.AppendData(dst, "/a/b", &Actor{}) },
		"AppendACL":             func() ([]byte, jute.Code) { return x.AppendACL(dst, "/a/b", who) },
	} {
		if got := testing.AllocsPerRun(100, func() { f() }); got != 0 {
			t.Errorf("%s: %v allocations", name, got)
		}
	}
}
