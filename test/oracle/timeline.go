package oracle

import (
	"fmt"
	"time"

	"zkd/test/wire"
)

// timeline judges real time. Replies come to it by rising zxid; none may have been called after one of a higher zxid
// had returned, where that counts: a write or sync must be later than everything that anybody has been shown before.
type timeline struct {
	zxid int64 // of what follows
	// The latest call of a write, and of any request, below zxid.
	writes, calls Item
	// At zxid.
	write, call Item
	first       Item // the first reply that returned
}

// replied judges a reply, and returns what is wrong with it.
func (t *timeline) replied(i *Item, staleness time.Duration) (complaints []string) {
	if i.Zxid < t.zxid {
		return nil // its session has gone back, which is said elsewhere
	}
	if i.Zxid > t.zxid {
		if t.write.Called > t.writes.Called {
			t.writes = t.write
		}
		if t.call.CalledAt > t.calls.CalledAt {
			t.calls = t.call
		}
		t.zxid, t.write, t.call, t.first = i.Zxid, Item{}, Item{}, Item{}
	}
	ordered := i.Op == wire.OpSync || i.Op.Takes() && i.Code != wire.CodeMarshalling
	if t.writes.Called > i.Returned {
		complaints = append(complaints, fmt.Sprintf("%s of zxid %#x returned before %s was called, which has zxid %#x",
			showItem(i), i.Zxid, showItem(&t.writes), t.writes.Zxid))
	}
	if staleness > 0 && t.calls.CalledAt > i.ReturnedAt+staleness {
		complaints = append(complaints, fmt.Sprintf("zxid %#x was shown at %v; %s called at %v was still shown zxid %#x",
			i.Zxid, i.ReturnedAt, showItem(&t.calls), t.calls.CalledAt, t.calls.Zxid))
	}
	if ordered && i.Called > t.write.Called {
		t.write = *i
	}
	if i.CalledAt > t.call.CalledAt {
		t.call = *i
	}
	// Of a write's own zxid nobody can have been told before it was called.
	if ordered && i.Op != wire.OpSync && t.first.Returned != 0 && t.first.Returned < i.Called {
		complaints = append(complaints, fmt.Sprintf("%s was told zxid %#x before %s was called, which has it",
			showItem(&t.first), i.Zxid, showItem(i)))
	}
	if t.first.Returned == 0 || i.Returned < t.first.Returned {
		t.first = *i
	}
	return complaints
}
