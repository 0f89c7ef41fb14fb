package consensus

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

func newTestFSM(m *machine) *fsm {
	n := &Node{cfg: Config{SnapshotRequests: 1 << 30}, snapshotNow: make(chan struct{}, 1)}
	n.stream.init(3, nil)
	n.stream.begin(50)
	n.fsm = newFSM(n, m)
	return n.fsm
}

// Requests count once and in order, whatever is committed how often.
func TestEachRequestIsAppliedOnce(t *testing.T) {
	type step struct {
		data []byte
		want []string // applied by this entry
		bad  bool     // the entry cannot be
	}
	for name, steps := range map[string][]step{
		"in order": {
			{entry(1, 5, 1, 0, "a", "b"), []string{"a", "b"}, false}, {entry(1, 5, 3, 0, "c"), []string{"c"}, false}},
		"the same entry again": {
			{entry(1, 5, 1, 0, "a", "b"), []string{"a", "b"}, false}, {entry(1, 5, 1, 0, "a", "b"), nil, false},
			{entry(1, 5, 3, 0, "c"), []string{"c"}, false}, {entry(1, 5, 1, 0, "a", "b"), nil, false}},
		"a gap is refused and filled": {
			{entry(1, 5, 1, 0, "a"), []string{"a"}, false}, {entry(1, 5, 3, 0, "c"), nil, false},
			{entry(1, 5, 2, 0, "b"), []string{"b"}, false}, {entry(1, 5, 3, 0, "c"), []string{"c"}, false}},
		"first is not one":  {{entry(1, 5, 2, 0, "b"), nil, false}},
		"half of it is new": {{entry(1, 5, 1, 0, "a"), []string{"a"}, false}, {entry(1, 5, 1, 0, "a", "b"), nil, false}},
		"a new incarnation begins at one": {
			{entry(1, 5, 1, 0, "a", "b"), []string{"a", "b"}, false}, {entry(1, 6, 1, 0, "c"), []string{"c"}, false}},
		"a new incarnation with a gap": {{entry(1, 5, 1, 0, "a"), []string{"a"}, false}, {entry(1, 6, 2, 0, "c"), nil, false}},
		"an older incarnation": {
			{entry(1, 6, 1, 0, "a"), []string{"a"}, false}, {entry(1, 5, 1, 0, "x"), nil, false}, {entry(1, 5, 9, 0, "y"), nil, false},
			{entry(1, 6, 2, 0, "b"), []string{"b"}, false}},
		"origins do not touch each other": {
			{entry(1, 5, 1, 0, "a"), []string{"a"}, false}, {entry(2, 4, 1, 0, "b"), []string{"b"}, false},
			{entry(1, 5, 2, 0, "c"), []string{"c"}, false}, {entry(2, 4, 2, 0, "d"), []string{"d"}, false}},
		"a group": {
			{pack([][]byte{entry(1, 5, 1, 0, "a", "b"), entry(2, 4, 1, 0, "c"), entry(1, 5, 3, 0, "d")})[0], []string{"a", "b", "c", "d"}, false},
			{pack([][]byte{entry(1, 5, 3, 0, "d"), entry(2, 4, 3, 0, "f"), entry(2, 4, 2, 0, "e")})[0], []string{"e"}, false}},
		"an empty group":  {{[]byte{groupFormat}, nil, false}},
		"a group cut off": {{pack([][]byte{entry(1, 5, 1, 0, "a"), entry(1, 5, 2, 0, "b")})[0][:90], []string{"a"}, true}},
		"syncs count and are not passed on": {
			{entry(1, 5, 1, 0, "", ""), nil, false}, {entry(1, 5, 3, 0, "x", "", "y"), []string{"x", "y"}, false}},
		"no request":            {{entry(1, 5, 1, 0), nil, true}},
		"no bytes":              {{nil, nil, true}},
		"unknown format":        {{append([]byte{9}, entry(1, 5, 1, 0, "a")[1:]...), nil, true}},
		"cut off":               {{entry(1, 5, 1, 0, "abc")[:40], nil, true}},
		"numbers at their ends": {{entry(1, math.MaxUint64, math.MaxUint64, 0, "a"), nil, false}},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(0)
			f := newTestFSM(m)
			for i, s := range steps {
				before := len(m.requests)
				origins := maps.Clone(f.origins)
				err := f.apply(&raft.Log{Index: uint64(i + 1), Term: 1, Data: s.data})
				if (err != nil) != s.bad || !slices.Equal(m.requests[before:], s.want) {
					t.Fatalf("step %d: applied %q, %v", i, m.requests[before:], err)
				}
				if s.want == nil && name != "syncs count and are not passed on" && !maps.Equal(f.origins, origins) {
					t.Errorf("step %d: origins became %v", i, f.origins)
				}
			}
		})
	}
}

func TestOnlyOwnRequestsHaveWaiters(t *testing.T) {
	m := newMachine(0)
	f := newTestFSM(m)
	f.node.Submit("one", []byte("a"), nil)
	f.node.Submit("two", []byte("b"), nil)
	for i, data := range [][]byte{
		entry(9, 50, 1, 0, "of another server"), entry(3, 49, 1, 0, "of an older process"),
		entry(3, 50, 1, 0, "a", "b"), entry(3, 50, 1, 0, "a", "b"),
	} {
		if err := f.apply(&raft.Log{Index: uint64(i + 1), Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []Waiter{nil, nil, "one", "two"}; !slices.Equal(m.waiters, want) {
		t.Errorf("waiters %v, want %v", m.waiters, want)
	}
	if got := f.node.Figures(); got.Waiting != 0 || got.Requests != 2 {
		t.Errorf("figures %+v", got)
	}
}

func TestTimeNeverGoesBack(t *testing.T) {
	m := newMachine(0)
	f := newTestFSM(m)
	for i, ms := range []int64{100, 50, 100, 200, -1} {
		if err := f.apply(&raft.Log{Data: entry(1, 1, uint64(i+1), ms, "x")}); err != nil {
			t.Fatal(err)
		}
	}
	if want := []int64{100, 100, 100, 200, 200}; !slices.Equal(m.times, want) {
		t.Errorf("got %v, want %v", m.times, want)
	}
}

func TestApplyBatchPassesOverWhatIsNoCommand(t *testing.T) {
	m := newMachine(0)
	f := newTestFSM(m)
	logs := []*raft.Log{
		{Type: raft.LogConfiguration, Data: []byte("x")},
		{Type: raft.LogCommand, Data: entry(1, 1, 1, 0, "a")},
		{Type: raft.LogNoop},
	}
	if got := f.ApplyBatch(logs); len(got) != len(logs) || !slices.Equal(m.requests, []string{"a"}) {
		t.Errorf("%d replies, applied %q", len(got), m.requests)
	}
	f.Apply(&raft.Log{Type: raft.LogCommand, Data: entry(1, 1, 2, 0, "b")})
	if !slices.Equal(m.requests, []string{"a", "b"}) {
		t.Errorf("applied %q", m.requests)
	}
}

func TestAnEntryThatCannotBeAppliedStops(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("went on")
		}
	}()
	newTestFSM(newMachine(0)).ApplyBatch([]*raft.Log{{Type: raft.LogCommand, Data: []byte("rubbish")}})
}

type sink struct {
	bytes.Buffer
	fail              error
	closed, cancelled bool
}

func (s *sink) Write(b []byte) (int, error) {
	if s.fail != nil {
		return 0, s.fail
	}
	return s.Buffer.Write(b)
}
func (s *sink) ID() string    { return "" }
func (s *sink) Close() error  { s.closed = true; return nil }
func (s *sink) Cancel() error { s.cancelled = true; return nil }

func TestStateRoundTrip(t *testing.T) {
	m := newMachine(0)
	f := newTestFSM(m)
	for i, data := range [][]byte{entry(1, 5, 1, 700, "a", "b"), entry(2, 9, 1, 600, "c")} {
		if err := f.apply(&raft.Log{Index: uint64(i), Data: data}); err != nil {
			t.Fatal(err)
		}
	}
	state, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	defer state.Release()
	var s sink
	if err := state.Persist(&s); err != nil || !s.closed || s.cancelled {
		t.Fatal(err, s.closed, s.cancelled)
	}
	image := s.Bytes()

	m2 := newMachine(0)
	f2 := newTestFSM(m2)
	if err := f2.Restore(readCloser{bytes.NewReader(image)}); err != nil {
		t.Fatal(err)
	}
	if f2.time != f.time || !maps.Equal(f2.origins, f.origins) || !slices.Equal(m2.requests, m.requests) {
		t.Errorf("got %d, %v, %q", f2.time, f2.origins, m2.requests)
	}
	// what was applied before the snapshot is not applied after it
	if err := f2.apply(&raft.Log{Data: entry(1, 5, 1, 0, "a", "b")}); err != nil || len(m2.requests) != 3 {
		t.Errorf("applied again: %q, %v", m2.requests, err)
	}
	for n := range 16 + 2*24 {
		m3 := newMachine(0)
		f3 := newTestFSM(m3)
		if err := f3.Restore(readCloser{bytes.NewReader(image[:n])}); err == nil || len(f3.origins) > 0 || m3.restores > 0 {
			t.Errorf("%d bytes restored: %v", n, err)
		}
	}
	if err := newTestFSM(newMachine(0)).Restore(readCloser{bytes.NewReader(make([]byte, 100))}); err == nil {
		t.Error("zeros restored")
	}
}

func TestAFailedSnapshotIsCancelled(t *testing.T) {
	f := newTestFSM(newMachine(0))
	state, err := f.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	s := sink{fail: io.ErrShortWrite}
	if err := state.Persist(&s); !errors.Is(err, io.ErrShortWrite) || s.closed || !s.cancelled {
		t.Errorf("got %v, closed %v, cancelled %v", err, s.closed, s.cancelled)
	}
	f.sm.(*machine).refuse = io.ErrClosedPipe
	if _, err := f.Snapshot(); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v", err)
	}
}

func TestIncarnationIsAboveAllThatAreKnown(t *testing.T) {
	f := newTestFSM(newMachine(0))
	f.origins[3] = origin{incarnation: math.MaxInt64, seq: 1}
	if got := f.incarnation(3); got != math.MaxInt64+1 {
		t.Errorf("after a clock that went back: %d", got)
	}
	if got := f.incarnation(4); got == 0 {
		t.Error("0")
	}
}

func TestSnapshotIsAskedForOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		requests   uint64
		bytes      int
		maxBytes   int64
		want       int // at which entry at the latest
		notBeforeN int
	}{
		"by requests":        {10, 1, 0, 100, 50},
		"by bytes":           {1, 10, 95, 10, 10},
		"bytes do not count": {10, 1 << 30, 0, 100, 50},
	} {
		t.Run(name, func(t *testing.T) {
			var g growth
			g.restart(1000)
			at := 0
			for i := 1; i <= 200; i++ {
				if g.add(tt.requests, tt.bytes, tt.maxBytes) {
					if at > 0 {
						t.Fatal("asked twice")
					}
					at = i
				}
			}
			if at < tt.notBeforeN || at > tt.want {
				t.Errorf("asked at entry %d", at)
			}
		})
	}
	var g growth
	g.restart(0) // must not fail
}

// syncs counts the requests of length 0.
func syncs(b []byte) (n uint64) {
	for len(b) > 0 {
		size := binary.BigEndian.Uint32(b)
		b = b[4+size:]
		if size == 0 {
			n++
		}
	}
	return n
}

func FuzzBatch(f *testing.F) {
	f.Add(entry(1, 2, 1, 4, "a", "", "ccc"))
	f.Add(entry(1, 2, 1, 4))
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var b Batch
		first, incarnation, err := decodeBatch(&b, data)
		if err != nil {
			return
		}
		n, err := countRequests(b.rest)
		if err != nil {
			return
		}
		n -= syncs(b.rest)
		again := entry(b.origin, incarnation, first, b.Time)
		again = append(again[:batchHeader-2], byte(len(b.Preamble)>>8), byte(len(b.Preamble)))
		again = append(append(again, b.Preamble...), b.rest...)
		if !bytes.Equal(again, data) {
			t.Fatalf("encoded %x, decoded from %x", again, data)
		}
		count := uint64(0)
		for {
			request, w, ok := b.Next()
			if !ok {
				break
			}
			if count++; count > n || w != nil || len(request) > len(data) {
				t.Fatalf("request %d of %d, waiter %v", count, n, w)
			}
		}
		if count != n || !bytes.Equal(before, data) {
			t.Fatalf("%d requests of %d", count, n)
		}
		// The state machine must take it or refuse it, as it says.
		m := newMachine(0)
		fsm := newTestFSM(m)
		if err := fsm.apply(&raft.Log{Data: data}); err == nil && uint64(len(m.requests)) != n && len(m.requests) != 0 {
			t.Fatalf("%d of %d requests applied", len(m.requests), n)
		}
	})
}

// An entry of a newer zkd is refused by name, not as damaged.
func TestBatchOfTheFuture(t *testing.T) {
	data := append([]byte{9}, make([]byte, 100)...)
	if _, _, err := decodeBatch(&Batch{}, data); !errors.Is(err, errBatch) || !strings.Contains(err.Error(), "format 9") {
		t.Error(err)
	}
}
