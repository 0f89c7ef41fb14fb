package consensus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zkd/consensus/store"
)

// machine is a StateMachine that remembers every request it was given.
type machine struct {
	mu       sync.Mutex
	requests []string
	times    []int64
	waiters  []Waiter
	preamble string
	restores int
	applied  chan struct{} // closed when as many requests as wanted are there
	want     int
	before   atomic.Pointer[func()] // called when a batch is about to be applied
	refuse   error                  // of Snapshot
	members  *Membership
}

func newMachine(want int) *machine { return &machine{want: want, applied: make(chan struct{})} }

func (m *machine) Apply(b *Batch) {
	if before := m.before.Load(); before != nil {
		(*before)()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.preamble = string(b.Preamble)
	for {
		request, w, ok := b.Next()
		if !ok {
			break
		}
		m.requests = append(m.requests, string(request))
		m.waiters = append(m.waiters, w)
		m.times = append(m.times, b.Time)
		if len(m.requests) == m.want {
			close(m.applied)
		}
	}
}

func (m *machine) Applied() {}

func (m *machine) Dropped(Waiter) {}

func (m *machine) Digest() uint64 { return 0 }

func (m *machine) Membership() *Membership { return m.members }

func (m *machine) all() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.requests)
}

func (m *machine) Snapshot() (State, error) {
	if m.refuse != nil {
		return nil, m.refuse
	}
	return machineState(m.all()), nil
}

func (m *machine) Restore(r io.Reader) error {
	var requests []string
	for {
		var b [4]byte
		if _, err := io.ReadFull(r, b[:]); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return err
		}
		request := make([]byte, binary.BigEndian.Uint32(b[:]))
		if _, err := io.ReadFull(r, request); err != nil {
			return err
		}
		requests = append(requests, string(request))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests, m.restores = requests, m.restores+1
	return nil
}

type machineState []string

func (s machineState) Persist(w io.Writer) error {
	for _, request := range s {
		b := append(binary.BigEndian.AppendUint32(nil, uint32(len(request))), request...)
		if _, err := w.Write(b); err != nil {
			return err
		}
	}
	return nil
}

func (s machineState) Release() {}

// config is that of a node in dir. Any fatal error fails the test.
func config(t testing.TB, dir string) Config {
	return Config{
		ServerID: 3, Preamble: []byte("pre"), SnapshotRequests: 1 << 30,
		Store:   store.Options{Dir: dir, Engine: store.EngineWAL, RetainSnapshots: 2, NoSync: true},
		OnFatal: func(err error) { t.Errorf("fatal: %v", err) },
		Logger:  slog.New(slog.DiscardHandler),
	}
}

// start opens a node and waits until it leads; it is closed with the test.
func start(t testing.TB, cfg Config, m *machine) *Node {
	t.Helper()
	n, err := Open(cfg, m)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := n.Ready(ctx); err != nil {
		t.Fatal(err)
	}
	return n
}

// wait returns once the machine has what it wanted.
func wait(t testing.TB, m *machine) {
	t.Helper()
	select {
	case <-m.applied:
	case <-time.After(time.Minute):
		t.Fatalf("%d of %d requests were applied", len(m.all()), m.want)
	}
}

// entry encodes a batch.
func entry(origin, incarnation, first uint64, ms int64, requests ...string) []byte {
	be := binary.BigEndian
	b := []byte{batchFormat}
	for _, v := range []uint64{origin, incarnation, first, uint64(ms)} {
		b = be.AppendUint64(b, v)
	}
	b = append(be.AppendUint16(b, 3), "pre"...)
	for _, r := range requests {
		b = append(be.AppendUint32(b, uint32(len(r))), r...)
	}
	return b
}

type readCloser struct{ *bytes.Reader }

func (readCloser) Close() error { return nil }
