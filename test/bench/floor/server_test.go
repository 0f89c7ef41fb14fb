package floor

import (
	"bytes"
	"testing"
	"time"

	"zkd/test/wire"
)

const patience = 10 * time.Second

var data = bytes.Repeat([]byte("floor"), 20)

// start runs a server until the test ends.
func start(t *testing.T, data []byte) string {
	t.Helper()
	s, err := Listen("127.0.0.1:0", data)
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve() }()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := <-served; err != nil {
			t.Error(err)
		}
	})
	return s.Addr()
}

func connect(t *testing.T, addr string) *wire.Conn {
	t.Helper()
	c, err := wire.Dial(addr, patience)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	resp, err := c.Connect(wire.ConnectRequest{TimeoutMs: 4321, Password: make([]byte, 16)}, patience)
	if err != nil {
		t.Fatal(err)
	}
	if resp.TimeoutMs != 4321 || resp.Session == 0 || len(resp.Password) != 16 {
		t.Fatalf("connect response %+v", resp)
	}
	return c
}

// Every reply decodes as the record that belongs to its request.
func TestRepliesDecode(t *testing.T) {
	c := connect(t, start(t, data))
	create := wire.Create{Path: "/a", Data: data, ACL: wire.OpenACL}
	sequential := wire.Create{Path: "/a", ACL: wire.OpenACL, Flags: 3}
	for i, q := range []struct {
		op    wire.Op
		body  wire.Body
		holds func(*wire.Reply) bool
	}{
		{wire.OpGetData, wire.PathWatch{Path: "/a"}, func(r *wire.Reply) bool { return bytes.Equal(r.Data, data) && int(r.Stat.DataLength) == len(data) }},
		{wire.OpExists, wire.PathWatch{Path: "/a"}, func(r *wire.Reply) bool { return r.Stat != nil }},
		{wire.OpGetChildren, wire.PathWatch{Path: "/a"}, func(r *wire.Reply) bool { return len(r.Names) == Children }},
		{wire.OpGetChildren2, wire.PathWatch{Path: "/a"}, func(r *wire.Reply) bool { return len(r.Names) == Children && r.Stat != nil }},
		{wire.OpSetData, wire.SetData{Path: "/a", Data: data, Version: -1}, func(r *wire.Reply) bool { return r.Stat != nil }},
		{wire.OpCreate, create, func(r *wire.Reply) bool { return *r.Path == "/a" }},
		{wire.OpCreate2, create, func(r *wire.Reply) bool { return *r.Path == "/a" && r.Stat != nil }},
		{wire.OpCreate, sequential, func(r *wire.Reply) bool { return *r.Path == "/a0000000007" }},
		{wire.OpDelete, wire.PathVersion{Path: "/a", Version: -1}, func(r *wire.Reply) bool { return r.Path == nil }},
		{wire.OpSync, wire.Path("/a"), func(r *wire.Reply) bool { return *r.Path == "/a" }},
		{wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
			{Op: wire.OpCreate, Body: create}, {Op: wire.OpSetData, Body: wire.SetData{Path: "/a"}},
			{Op: wire.OpCheck, Body: wire.PathVersion{Path: "/a"}}, {Op: wire.OpDelete, Body: wire.PathVersion{Path: "/a"}},
		}}, func(r *wire.Reply) bool {
			return len(r.Results) == 4 && *r.Results[0].Path == "/a" && r.Results[1].Stat != nil
		}},
	} {
		if err := c.Send(int32(i+1), q.op, q.body); err != nil {
			t.Fatal(err)
		}
		_, r, err := c.Next(patience)
		if err != nil {
			t.Fatalf("%v: %v", q.op, err)
		}
		if r == nil || r.Xid != int32(i+1) || r.Err != 0 || len(r.Rest) > 0 || !q.holds(r) {
			t.Errorf("%v: %+v", q.op, r)
		}
	}
}

// An unknown request is refused and the connection lives on.
func TestUnknownRequest(t *testing.T) {
	c := connect(t, start(t, data))
	for xid, want := range []wire.Code{wire.Code(errUnimplemented), 0} {
		op := []wire.Op{wire.OpReconfig, wire.OpPing}[xid]
		if err := c.Send(int32(xid), op, nil); err != nil {
			t.Fatal(err)
		}
		if _, r, err := c.Next(patience); err != nil || r.Err != want {
			t.Errorf("%v: %+v, %v", op, r, err)
		}
	}
}

// Requests that come in one segment, in single bytes or longer than the buffer are answered all the same,
// and so are more replies than the connection has room for.
func TestFramesHoweverTheyCome(t *testing.T) {
	addr := start(t, bytes.Repeat(data, 500))
	get := wire.Frame(wire.Payload(7, wire.OpGetData, wire.PathWatch{Path: "/a"}))
	long := wire.Frame(wire.Payload(7, wire.OpSetData, wire.SetData{Path: "/a", Data: make([]byte, 3*readSize)}))
	for name, sent := range map[string]struct {
		op     wire.Op
		frame  []byte
		times  int
		pieces int
	}{
		"together":          {wire.OpGetData, get, 100, 1},
		"byte by byte":      {wire.OpGetData, get, 3, 3 * len(get)},
		"long":              {wire.OpSetData, long, 2, 1},
		"beyond the window": {wire.OpGetData, get, 1000, 1}, // 50 MB of replies
	} {
		c := connect(t, addr)
		all := bytes.Repeat(sent.frame, sent.times)
		for range sent.times {
			c.Expect(7, sent.op)
		}
		wrote := make(chan error, 1)
		go func() {
			var err error
			for step := len(all) / sent.pieces; len(all) > 0 && err == nil; all = all[min(step, len(all)):] {
				err = c.Write(all[:min(step, len(all))])
			}
			wrote <- err
		}()
		for i := range sent.times {
			if _, r, err := c.Next(patience); err != nil || r.Xid != 7 || r.Err != 0 {
				t.Fatalf("%s: reply %d: %+v, %v", name, i, r, err)
			}
		}
		if err := <-wrote; err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
