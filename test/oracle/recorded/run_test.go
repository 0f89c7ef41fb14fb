package recorded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"time"

	"zkd/conf"
	"zkd/server"
	"zkd/test/oracle"
	"zkd/test/wire"
)

// startWitnessed starts a server that tells a sequence what it applies.
func startWitnessed(t testing.TB, seq *oracle.Sequence, dir string) *server.Server {
	t.Helper()
	cfg := conf.Default()
	cfg.ClientAddr, cfg.DataDir, cfg.DataLogDir = "127.0.0.1:0", dir, dir
	cfg.UnsafeNoSync, cfg.MaxClientCnxns, cfg.TickTime = true, 0, 100*time.Millisecond
	cfg.MinSessionTimeout, cfg.MaxSessionTimeout = 200*time.Millisecond, time.Minute
	s, err := server.StartIn(t.Context(), cfg, slog.New(slog.DiscardHandler), server.World{Witness: seq.Stream("server 1")})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestRunIsJudged lets clients do everything on a server that is restarted under them, and finds no promise broken
// and enough of everything judged.
func TestRunIsJudged(t *testing.T) {
	h, seq, dir := oracle.NewHistory(), oracle.NewSequence(), t.TempDir()
	s := startWitnessed(t, seq, dir)
	ctx := within(t)
	check := oracle.NewChecker(h, seq, oracle.Options{Second: func(p string) bool { return len(p) == 5 && p[:4] == "/key" }})
	var mu sync.Mutex
	at := s.Addr().String() // changes with the restart
	dial := func(ctx context.Context, _ string) (net.Conn, error) {
		mu.Lock()
		to := at
		mu.Unlock()
		return new(net.Dialer).DialContext(ctx, "tcp", to)
	}
	one := []string{"server 1"}
	load := startLoad(t, ctx, 6, Options{Servers: one, Dial: dial, History: h})
	short := New(Options{Name: "short", Servers: one, Dial: dial, History: h, Timeout: 300 * time.Millisecond})
	for {
		if _, err := short.Do(ctx, wire.OpCreate, wire.Create{Path: "/e", ACL: wire.OpenACL, Flags: 3}); err == nil {
			break
		}
	}
	short.Abandon()
	advanceTo(t, ctx, check, oracle.Stats{Writes: 250, Reads: 250, Events: 50, EphemeralsEnded: 1}, nothingToRead)
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	s = startWitnessed(t, seq, dir)
	mu.Lock()
	at = s.Addr().String()
	mu.Unlock()
	enough := oracle.Stats{Writes: 500, Reads: 500, Events: 100, CatchUps: 1, SetWatches: 5, Expired: 1, EphemeralsEnded: 1, Terms: 2}
	advanceTo(t, ctx, check, enough, nothingToRead)
	load.stop()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
	began := time.Now()
	if err := oracle.Error(check.Finish()); err != nil {
		t.Error(err)
	}
	t.Logf("%+v; %v in the end", check.Stats(), time.Since(began))
	enough.Second = 5
	for _, f := range check.Stats().Require(enough) {
		t.Error(f)
	}
}

// advanceTo judges what happens, while it happens, until enough was judged; read has the sequence grow.
func advanceTo(t *testing.T, ctx context.Context, check *oracle.Checker, enough oracle.Stats, read func() error) {
	t.Helper()
	for {
		if err := read(); err != nil {
			t.Fatal(err)
		}
		check.Advance()
		missing := check.Stats().Require(enough)
		if len(missing) == 0 {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatal(missing)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// nothingToRead is for a sequence that the server tells by itself.
func nothingToRead() error { return nil }

// load is clients that ask for anything.
type load struct {
	t       testing.TB
	quit    chan struct{}
	clients sync.WaitGroup
}

// startLoad starts clients with these options.
func startLoad(t testing.TB, ctx context.Context, n int, o Options) *load {
	l := &load{t: t, quit: make(chan struct{})}
	for i := range n {
		own := o
		own.Name = fmt.Sprint("client ", i)
		l.clients.Go(func() { l.run(ctx, New(own), rand.New(rand.NewPCG(uint64(i), 1)), o.Servers) })
	}
	return l
}

// run sends requests, waits for some replies, and moves now and then.
func (l *load) run(ctx context.Context, c *Client, rng *rand.Rand, servers []string) {
	defer c.Abandon()
	for {
		select {
		case <-l.quit:
			if err := c.Close(ctx); err != nil {
				l.t.Error(err)
			}
			return
		default:
		}
		op, body := randomRequest(rng)
		call, err := c.Send(ctx, op, body)
		if errors.Is(err, ErrOver) {
			return
		}
		if err != nil {
			l.t.Error(err)
			return
		}
		if rng.IntN(3) == 0 {
			_, _ = call.Wait(ctx) // what came of it is in the history
		}
		if rng.IntN(200) == 0 {
			c.MoveTo(ctx, servers...)
		}
	}
}

// stop ends the sessions.
func (l *load) stop() {
	close(l.quit)
	l.clients.Wait()
}

// randomRequest is any request on a few znodes.
func randomRequest(rng *rand.Rand) (wire.Op, wire.Body) {
	path := fmt.Sprintf("/k%d", rng.IntN(4))
	if rng.IntN(2) == 0 {
		path += fmt.Sprintf("/c%d", rng.IntN(3))
	}
	data := []byte(fmt.Sprint(rng.Uint32()))
	version := int32(-1)
	if rng.IntN(3) == 0 {
		version = int32(rng.IntN(5))
	}
	key := fmt.Sprintf("/key%d", rng.IntN(3))
	watch := rng.IntN(3) == 0
	create := wire.Create{Path: path, Data: data, ACL: wire.OpenACL, Flags: int32(rng.IntN(4))}
	switch rng.IntN(24) {
	case 0, 1:
		return wire.OpCreate, create
	case 2:
		return wire.OpCreate2, create
	case 3:
		return wire.OpCreateContainer, wire.Create{Path: path, Data: data, ACL: wire.OpenACL, Flags: 4}
	case 4, 5:
		return wire.OpDelete, wire.PathVersion{Path: path, Version: version}
	case 6, 7, 8:
		return wire.OpSetData, wire.SetData{Path: path, Data: data, Version: version}
	case 9:
		return wire.OpMulti, wire.Multi{Ops: []wire.SubOp{
			{Op: wire.OpCreate, Body: create}, {Op: wire.OpSetData, Body: wire.SetData{Path: path, Data: data, Version: version}},
			{Op: wire.OpCheck, Body: wire.PathVersion{Path: path, Version: version}},
		}}
	case 10:
		return wire.OpSetACL, wire.SetACL{Path: path, ACL: []wire.ACL{{Perms: 31 - int32(rng.IntN(2))*int32(rng.IntN(2))*2, Scheme: "world", ID: "anyone"}}, Version: -1}
	case 11:
		return wire.OpSync, wire.Path(path)
	case 12, 13:
		return wire.OpGetData, wire.PathWatch{Path: path, Watch: watch}
	case 14:
		return wire.OpExists, wire.PathWatch{Path: path, Watch: watch}
	case 15:
		return wire.OpGetChildren, wire.PathWatch{Path: path, Watch: watch}
	case 16:
		return wire.OpGetChildren2, wire.PathWatch{Path: "/", Watch: watch}
	case 17:
		return wire.OpAddWatch, wire.PathType{Path: path, Type: int32(rng.IntN(2))}
	case 18:
		return wire.OpRemoveWatches, wire.PathType{Path: path, Type: 1 + int32(rng.IntN(5))}
	case 19:
		return wire.OpGetEphemerals, wire.Path("/")
	case 20:
		return wire.OpMultiRead, wire.Multi{Ops: []wire.SubOp{
			{Op: wire.OpGetData, Body: wire.PathWatch{Path: path}}, {Op: wire.OpGetChildren, Body: wire.PathWatch{Path: "/"}},
		}}
	case 21:
		return wire.OpAllChildrenNumber, wire.Path(path)
	case 22:
		return wire.OpGetACL, wire.Path(path)
	}
	switch rng.IntN(4) {
	case 0:
		return wire.OpCreate, wire.Create{Path: key, Data: data, ACL: wire.OpenACL}
	case 1:
		return wire.OpSync, wire.Path(key)
	case 2:
		return wire.OpGetData, wire.PathWatch{Path: key}
	}
	return wire.OpSetData, wire.SetData{Path: key, Data: data, Version: version}
}
