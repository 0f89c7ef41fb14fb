package recorded

import (
	"context"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"testing"
	"time"

	"zkd/conf"
	"zkd/server"
	"zkd/test/oracle"
	"zkd/test/wire"
)

const patience = 30 * time.Second

func startServer(t *testing.T) *server.Server {
	t.Helper()
	cfg := conf.Default()
	cfg.ClientAddr, cfg.DataDir = "127.0.0.1:0", t.TempDir()
	cfg.DataLogDir, cfg.UnsafeNoSync, cfg.MaxClientCnxns = cfg.DataDir, true, 0
	s, err := server.Start(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func within(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// TestClient writes down what a real server says, moves the session while it watches, and ends it.
func TestClient(t *testing.T) {
	s := startServer(t)
	ctx := within(t)
	h := oracle.NewHistory()
	events := make(chan wire.Event, 1000)
	c := New(Options{Name: "a", Servers: []string{s.Addr().String()}, History: h, OnEvent: func(e wire.Event) { events <- e }})
	writer := New(Options{Name: "b", Servers: []string{s.Addr().String()}, History: h})
	defer writer.Abandon()
	do := func(c *Client, op wire.Op, body wire.Body) *wire.Reply {
		t.Helper()
		r, err := c.Do(ctx, op, body)
		if err != nil || r.Err != 0 {
			t.Fatalf("op %d: %+v, %v", op, r, err)
		}
		return r
	}
	do(c, wire.OpCreate, wire.Create{Path: "/a", Data: []byte("x"), ACL: wire.OpenACL})
	do(c, wire.OpGetData, wire.PathWatch{Path: "/a", Watch: true})
	do(c, wire.OpAddWatch, wire.PathType{Path: "/a", Type: AddRecursive})
	do(writer, wire.OpSetData, wire.SetData{Path: "/a", Data: []byte("y"), Version: -1})
	if e := <-events; e.Path != "/a" || e.Type != 3 {
		t.Errorf("event %+v", e)
	}
	do(c, wire.OpGetData, wire.PathWatch{Path: "/a", Watch: true})
	id := c.Session()
	c.MoveTo(ctx, "127.0.0.1:1", s.Addr().String())
	do(writer, wire.OpSetData, wire.SetData{Path: "/a", Data: []byte("z"), Version: -1})
	if e := <-events; e.Path != "/a" || e.Type != 3 {
		t.Errorf("event after the move: %+v", e)
	}
	var calls []*Call
	for range 100 {
		call, err := c.Send(ctx, wire.OpSetData, wire.SetData{Path: "/a", Version: -1})
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, call)
	}
	for _, call := range calls {
		if r, err := call.Wait(ctx); err != nil || r.Err != 0 {
			t.Errorf("pipelined: %+v, %v", r, err)
		}
	}
	if c.Session() != id || c.Lost() != 1 {
		t.Errorf("session %#x after %#x, %d connections lost", c.Session(), id, c.Lost())
	}
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
	if _, err := c.Do(ctx, wire.OpPing, nil); err != ErrOver {
		t.Errorf("after the end: %v", err)
	}
	logs := h.Logs()
	if len(logs) != 2 {
		t.Fatalf("%d logs", len(logs))
	}
	kinds := map[oracle.Kind]int{}
	last := int64(0)
	items := logs[0].Items()
	if logs[0].Client != "a" {
		items = logs[1].Items()
	}
	for _, i := range items {
		kinds[i.Kind]++
		if i.Returned != 0 && i.Returned <= last {
			t.Errorf("%+v comes after stamp %d", i, last)
		}
		last = max(last, i.Returned)
	}
	if kinds[oracle.Connected] != 2 || kinds[oracle.Disconnected] != 2 || kinds[oracle.Replied] < 105 || kinds[oracle.Garbled] != 0 {
		t.Errorf("the log has %v", kinds)
	}
}

// TestUnanswered has a server that dies on every request: the request is of unknown outcome, and no goroutine stays.
func TestUnanswered(t *testing.T) {
	s := startServer(t)
	ctx := within(t)
	h := oracle.NewHistory()
	var cut net.Conn
	c := New(Options{Servers: []string{s.Addr().String()}, History: h, Dial: func(ctx context.Context, address string) (net.Conn, error) {
		nc, err := new(net.Dialer).DialContext(ctx, "tcp", address)
		cut = nc
		return nc, err
	}})
	if _, err := c.Do(ctx, wire.OpSync, wire.Path("/")); err != nil {
		t.Fatal(err)
	}
	cut.Close()
	_, err := c.Do(ctx, wire.OpSync, wire.Path("/"))
	for err == nil { // sent to the next connection already
		cut.Close()
		_, err = c.Do(ctx, wire.OpSync, wire.Path("/"))
	}
	if err != ErrLost {
		t.Error(err)
	}
	c.Abandon()
	buf := make([]byte, 1<<20)
	for _, g := range strings.Split(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(g, "recorded.(*") {
			t.Errorf("a goroutine is left:\n%s", g)
		}
	}
}
