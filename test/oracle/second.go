package oracle

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/anishathalye/porcupine"

	"zkd/test/wire"
)

// second asks Porcupine whether the operations of single znodes are linearizable: an opinion that knows nothing of
// zxids, of the committed sequence or of the model, only of calls, returns and results. It takes plain creates,
// deletes and writes, and reads right behind a sync, which together take effect at one moment between the call of the
// sync and the return of the read.
type second struct {
	of   func(path string) bool
	keys map[string][]porcupine.Operation
	sync map[*track]*Item // the last request of a session, where that was a sync
}

// longestSecond is how many operations of a znode are judged: the first ones, by zxid. The search takes a time that
// may grow by much more than their number.
const longestSecond = 300

func newSecond(of func(path string) bool) second {
	return second{of: of, keys: map[string][]porcupine.Operation{}, sync: map[*track]*Item{}}
}

// step is an operation as Porcupine gets it.
type step struct {
	op      wire.Op
	version int32 // expected
	data    string
}

// outcome is what the client knows of it.
type outcome struct {
	unknown bool
	code    wire.Code
	version int32
	data    string
}

// register is the state of one znode.
type register struct {
	exists  bool
	version int32
	data    string
}

// stepOf returns the operation on a single znode that a request is.
func (s *second) stepOf(i *Item) (path string, st step, ok bool) {
	switch b := i.Body.(type) {
	case wire.Create:
		path, st = b.Path, step{op: wire.OpCreate, data: string(b.Data)}
		ok = b.Flags == 0 && (i.Op == wire.OpCreate || i.Op == wire.OpCreate2)
	case wire.SetData:
		path, st, ok = b.Path, step{op: wire.OpSetData, version: b.Version, data: string(b.Data)}, true
	case wire.PathVersion:
		path, st, ok = b.Path, step{op: wire.OpDelete, version: b.Version}, i.Op == wire.OpDelete
	case wire.PathWatch:
		path, st, ok = b.Path, step{op: wire.OpGetData}, i.Op == wire.OpGetData
	}
	return path, st, ok && s.of(path)
}

func (s *second) add(i *Item, called, returned int64, out outcome) {
	if s.of == nil {
		return
	}
	path, st, ok := s.stepOf(i)
	if !ok || len(s.keys[path]) >= longestSecond {
		return
	}
	s.keys[path] = append(s.keys[path], porcupine.Operation{Input: st, Output: out, Call: called, Return: returned})
}

// acknowledged takes in a write or sync with its reply.
func (s *second) acknowledged(t *track, i *Item) {
	if s.of == nil {
		return
	}
	delete(s.sync, t)
	if i.Op == wire.OpSync {
		s.sync[t] = i
		return
	}
	out := outcome{code: i.Code}
	if i.Code == 0 && i.Op == wire.OpSetData {
		if f, err := wire.DecodeFields(i.Op, i.Reply); err == nil {
			out.version = f.Stat.Version
		}
	}
	s.add(i, i.Called, i.Returned, out)
}

// read takes in a read. Only one behind a sync says what is so now.
func (s *second) read(t *track, i *Item) {
	if s.of == nil {
		return
	}
	behind := s.sync[t]
	delete(s.sync, t)
	if behind == nil || i.Xid != behind.Xid+1 || i.Op != wire.OpGetData {
		return
	}
	out := outcome{code: i.Code}
	if i.Code == 0 {
		f, err := wire.DecodeFields(i.Op, i.Reply)
		if err != nil {
			return
		}
		out.version, out.data = f.Stat.Version, string(f.Data)
	}
	s.add(i, behind.Called, i.Returned, out)
}

// unanswered takes in a write without a reply: it may have taken effect at any time since, or not at all.
func (s *second) unanswered(i *Item) { s.add(i, i.Called, math.MaxInt64, outcome{unknown: true}) }

// judge returns what Porcupine finds wrong.
func (s *second) judge(stats *Stats) (complaints []string) {
	model := porcupine.Model{
		Init: func() any { return register{} },
		Step: func(state, input, output any) (bool, any) {
			return state.(register).after(input.(step), output.(outcome))
		},
	}
	for _, path := range slices.Sorted(maps.Keys(s.keys)) {
		ops := s.keys[path]
		stats.Second += len(ops)
		if !porcupine.CheckOperations(model, ops) {
			complaints = append(complaints, fmt.Sprintf("Porcupine finds no order for the %d operations on %s", len(ops), path))
		}
	}
	return complaints
}

// after tells whether an operation on a znode in state r can have had that outcome, and what is so then.
func (r register) after(s step, out outcome) (bool, register) {
	var code wire.Code
	next := r
	switch {
	case s.op == wire.OpCreate && r.exists:
		code = wire.CodeNodeExists
	case s.op == wire.OpCreate:
		next = register{exists: true, data: s.data}
	case !r.exists:
		code = wire.CodeNoNode
	case s.op == wire.OpGetData:
		return code == out.code && out.version == r.version && out.data == r.data, r
	case s.version != -1 && s.version != r.version:
		code = wire.CodeBadVersion
	case s.op == wire.OpDelete:
		next = register{}
	default:
		next.version, next.data = r.version+1, s.data
	}
	switch {
	case out.unknown:
		return true, next
	case code != out.code:
		return false, r
	}
	return code != 0 || s.op != wire.OpSetData || out.version == next.version, next
}
