package peer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

const patient = 30 * time.Second // for what should be there at once

var testCluster = Cluster{1, 2, 3}

// testNet is the Network of a server of a test.
type testNet struct {
	*Network
	log *logBuffer

	mu sync.Mutex
	id Identity
}

func (h *testNet) self() Identity {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.id
}

func (h *testNet) become(id Identity) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.id = id
}

// logBuffer is a log that may be read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// handler is a Handler of functions.
type handler struct {
	answer func(from Identity, kind byte, body []byte) ([]byte, error)
	accept func(l *Link)
}

func (h handler) Answer(from Identity, kind byte, body []byte) ([]byte, error) {
	if h.answer == nil {
		return nil, errors.New("nothing is answered here")
	}
	return h.answer(from, kind, body)
}

func (h handler) Accept(l *Link) {
	if h.accept != nil {
		h.accept(l)
	}
}

// serve starts a server of a test on addresses that the kernel chooses.
func serve(t *testing.T, server uint64, raftID string, h Handler, change ...func(*Options, *patience)) *testNet {
	t.Helper()
	n := &testNet{log: &logBuffer{}, id: Identity{testCluster, raftID}}
	if h == nil {
		h = handler{}
	}
	o := Options{
		Self: n.self, ServerID: server, RaftAddrs: []string{"127.0.0.1:0"}, LinkAddrs: []string{"127.0.0.1:0"},
		Logger: slog.New(slog.NewTextHandler(n.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	var p patience
	for _, c := range change {
		c(&o, &p)
	}
	var err error
	if n.Network, err = Listen(o); err != nil {
		t.Fatal(err)
	}
	if p != (patience{}) {
		n.patience = p
	}
	n.Handle(h)
	n.Serve()
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close server %d: %v", server, err)
		}
		if t.Failed() {
			t.Logf("log of server %d:\n%s", server, n.log)
		}
	})
	return n
}

func withSecret(s string) func(*Options, *patience) {
	return func(o *Options, _ *patience) { o.Secret = []byte(s) }
}

func (h *testNet) member() Member {
	raft, link := h.Addrs()
	return Member{ID: h.o.ServerID, Raft: raft, Link: link}
}

// introduce makes the servers known to each other.
func introduce(hosts ...*testNet) {
	var ms []Member
	for _, h := range hosts {
		ms = append(ms, h.member())
	}
	for _, h := range hosts {
		h.SetMembers(slices.Clone(ms))
	}
}

func testContext(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patient)
	t.Cleanup(cancel)
	return ctx
}

// eventually waits until ok returns true.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patient); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still not: %s", what)
		}
	}
}

func mustContain(t *testing.T, what, text, want string) {
	t.Helper()
	if !strings.Contains(text, want) {
		t.Errorf("%s: %q does not say %q", what, text, want)
	}
}

func id(server uint64) string { return fmt.Sprintf("%d.1", server) }
