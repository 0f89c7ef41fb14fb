package floor

import (
	"testing"

	"zkd/test/wire"
)

// Who asked is told of the next write of that path, once, and nobody else is.
func TestWatchesFireOnce(t *testing.T) {
	addr := start(t, data)
	watcher, other, writer := connect(t, addr), connect(t, addr), connect(t, addr)
	ask := func(c *wire.Conn, xid int32, op wire.Op, body wire.Body) {
		t.Helper()
		if err := c.Send(xid, op, body); err != nil {
			t.Fatal(err)
		}
		event, reply, err := c.Next(patience)
		if err != nil {
			t.Fatal(err)
		}
		if event != nil || reply.Xid != xid {
			t.Fatalf("event %+v, reply %+v to xid %d", event, reply, xid)
		}
	}
	ask(watcher, 1, wire.OpGetData, wire.PathWatch{Path: "/a", Watch: true})
	ask(other, 1, wire.OpGetData, wire.PathWatch{Path: "/a"})
	ask(writer, 1, wire.OpSetData, wire.SetData{Path: "/b", Data: data, Version: -1})
	ask(writer, 2, wire.OpSetData, wire.SetData{Path: "/a", Data: data, Version: -1})
	ask(writer, 3, wire.OpSetData, wire.SetData{Path: "/a", Data: data, Version: -1})
	event, _, err := watcher.Next(patience)
	if err != nil {
		t.Fatal(err)
	}
	if event == nil || event.Path != "/a" || event.Type != 3 || event.State != 3 {
		t.Fatalf("event %+v", event)
	}
	ask(watcher, 9, wire.OpExists, wire.PathWatch{Path: "/a"})
	ask(other, 9, wire.OpExists, wire.PathWatch{Path: "/a"})
}
