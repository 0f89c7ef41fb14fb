package znode

import (
	"testing"

	"zkd/proto/jute"
)

// What Java's trim leaves empty asks for all ephemerals, NUL included.
func TestBlankPrefixAsksForAllEphemerals(t *testing.T) {
	tree := New()
	tree.Begin(&Txn{Zxid: 1, Session: 7})
	open := []jute.ACL{{Perms: jute.PermAll, ID: jute.ID{Scheme: "world", ID: "anyone"}}}
	if _, _, code := tree.Create(jute.OpCreate, &jute.CreateRequest{Path: "/e", ACL: open, Mode: jute.Ephemeral}); code != jute.OK {
		t.Fatal(code)
	}
	for prefix, want := range map[string]int32{"": 1, " ": 1, "\x00": 1, "\t/ ": 1, "/": 1, "/e": 1, "/f": 0, " /e": 0} {
		r := jute.NewReader(tree.AppendEphemerals(nil, 7, prefix))
		if n := r.Int32(); n != want {
			t.Errorf("prefix %q: %d ephemerals, want %d", prefix, n, want)
		}
	}
}
