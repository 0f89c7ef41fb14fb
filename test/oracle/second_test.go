package oracle

import (
	"fmt"
	"testing"

	"zkd/test/wire"
)

// longHistory is one of more operations than are judged. A write in its beginning was applied, its client has no answer, and
// that is found out in the end. One read may have seen something else than what was so.
func longHistory(seen string) []string {
	s := newSecond(func(string) bool { return true })
	called := int64(0)
	perform := func(op wire.Op, body wire.Body, out outcome) {
		called += 10
		s.add(&Item{Op: op, Body: body}, called, called+5, out)
	}
	set := func(data string) wire.SetData { return wire.SetData{Path: "/k", Data: []byte(data), Version: -1} }
	perform(wire.OpCreate, wire.Create{Path: "/k"}, outcome{})
	called += 10
	lost := Item{Op: wire.OpSetData, Body: set("lost"), Called: called}
	perform(wire.OpGetData, wire.PathWatch{Path: "/k"}, outcome{version: 1, data: seen})
	for n := range int32(2 * longestSecond) {
		perform(wire.OpSetData, set(fmt.Sprint(n)), outcome{version: n + 2})
	}
	s.unanswered(&lost)
	return s.judge(&Stats{})
}

// Reads that saw a write do not lack it because it was found to be unanswered late, behind as many operations as are judged.
func TestSecondOfALongHistory(t *testing.T) {
	if complaints := longHistory("lost"); len(complaints) > 0 {
		t.Error(complaints)
	}
	if complaints := longHistory("never written"); len(complaints) == 0 {
		t.Error("a read of what nobody wrote is thought to be in order")
	}
}

// What is called before the episode ends and returns after it is known to have begun, no more.
func TestSecondAtTheEnd(t *testing.T) {
	s := newSecond(func(string) bool { return true })
	s.add(&Item{Op: wire.OpCreate, Body: wire.Create{Path: "/k"}}, 1, 2, outcome{})
	s.add(&Item{Op: wire.OpSetData, Body: wire.SetData{Path: "/k", Data: []byte("slow"), Version: -1}}, 5, 1<<40, outcome{version: 1})
	s.add(&Item{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/k"}}, 6, 1<<40, outcome{version: 9, data: "after the end"})
	for n := range int64(longestSecond) {
		s.add(&Item{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/k"}}, 10+10*n, 15+10*n, outcome{version: 1, data: "slow"})
	}
	if complaints := s.judge(&Stats{}); len(complaints) > 0 {
		t.Error(complaints)
	}
}

// What a server has not let in has no place in the order, and a read behind a sync that failed may be old.
func TestSecondOfWhatIsRefused(t *testing.T) {
	s, a := newSecond(func(string) bool { return true }), &track{}
	create := Item{Op: wire.OpCreate, Body: wire.Create{Path: "/k"}, Xid: 1, Called: 1, Returned: 2}
	write := Item{Op: wire.OpSetData, Body: wire.SetData{Path: "/k", Version: -1}, Xid: 2, Called: 3, Returned: 4, Code: wire.CodeSessionMoved}
	sync := Item{Op: wire.OpSync, Body: wire.Path("/k"), Xid: 3, Called: 5, Returned: 7, Code: wire.CodeRuntimeInconsistency}
	read := Item{Op: wire.OpGetData, Body: wire.PathWatch{Path: "/k"}, Xid: 4, Called: 6, Returned: 8, Code: wire.CodeNoNode}
	for _, i := range []*Item{&create, &write, &sync} {
		s.acknowledged(a, i)
	}
	s.read(a, &read)
	if complaints := s.judge(&Stats{}); len(complaints) > 0 {
		t.Error(complaints)
	}
}
