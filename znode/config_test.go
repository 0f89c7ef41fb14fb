package znode

import (
	"testing"

	"zkd/proto/jute"
)

func TestSetConfig(t *testing.T) {
	tree := New()
	tree.Begin(&Txn{Zxid: 1, Time: 5, Actor: Actor{IDs: []jute.ID{{Scheme: "ip", ID: "::1"}}}})
	if tree.MayWriteConfig() {
		t.Error("anybody may change the members")
	}
	tree.Begin(&Txn{Zxid: 1, Actor: Actor{IDs: []jute.ID{{Scheme: "super"}}}})
	if !tree.MayWriteConfig() {
		t.Error("the superuser may not change the members")
	}
	for _, zxid := range []int64{0, 7} {
		tree.Begin(&Txn{Zxid: zxid, Time: 5})
		want := jute.Stat{Mzxid: zxid, Mtime: 5, Version: -1, Aversion: -1, DataLength: 3}
		if got := tree.SetConfig([]byte("abc")); got != want {
			t.Errorf("stat %+v, want %+v", got, want)
		}
		if got, _ := tree.Stat(ConfigPath); got != want {
			t.Errorf("the tree has %+v, want %+v", got, want)
		}
		c := tree.Changes()
		if len(c) != 1 || c[0].Type != jute.EventNodeDataChanged || c[0].Path != ConfigPath {
			t.Errorf("changes %+v", c)
		}
	}
}
