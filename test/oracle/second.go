package oracle

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/anishathalye/porcupine"

	"zkd/test/wire"
)

// second asks Porcupine whether the operations of single znodes are linearizable: an opinion that knows nothing of
// zxids, of the committed sequence or of the model, only of calls, returns and results. It takes plain creates,
// deletes and writes, and reads right behind a sync, which together take effect at one moment between the call of the
// sync and the return of the read.
type second struct {
	of   func(path string) bool
	keys map[string]*episode
	sync map[*track]*Item // the last request of a session, where that was a sync
}

// episode is what happened to a znode up to a moment.
type episode struct {
	ops []porcupine.Operation
	end int64 // nothing called later belongs to it
}

// longestSecond is about how many operations of a znode are judged: the episode ends with the call of that one. The
// search takes a time that may grow by much more than their number.
const longestSecond = 300

func newSecond(of func(path string) bool) second {
	return second{of: of, keys: map[string]*episode{}, sync: map[*track]*Item{}}
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
	if !ok {
		return
	}
	e := s.keys[path]
	if e == nil {
		e = &episode{end: forever}
		s.keys[path] = e
	}
	// A write whose client gets no answer comes here late, maybe long after reads that saw it.
	if called > e.end {
		return
	}
	e.ops = append(e.ops, porcupine.Operation{Input: st, Output: out, Call: called, Return: returned})
	if len(e.ops) == longestSecond {
		e.end = called
	}
}

// forever is when an operation returns whose outcome nobody knows.
const forever = math.MaxInt64

// upToEnd returns what was known when the episode ended: what had not returned by then may have taken effect or not.
func (e *episode) upToEnd() []porcupine.Operation {
	var known []porcupine.Operation
	for _, op := range e.ops {
		switch {
		case op.Return <= e.end:
			known = append(known, op)
		case op.Call <= e.end && op.Input.(step).op != wire.OpGetData:
			op.Output, op.Return = outcome{unknown: true}, forever
			known = append(known, op)
		}
	}
	return known
}

// acknowledged takes in a write or sync with its reply.
func (s *second) acknowledged(t *track, i *Item) {
	if s.of == nil {
		return
	}
	delete(s.sync, t)
	switch {
	case refused(i.Code): // it did not come so far
		return
	case i.Op == wire.OpSync:
		if i.Code == 0 {
			s.sync[t] = i
		}
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
func (s *second) unanswered(i *Item) { s.add(i, i.Called, forever, outcome{unknown: true}) }

// judge returns what Porcupine finds wrong.
func (s *second) judge(stats *Stats) (complaints []string) {
	model := porcupine.Model{
		Init: func() any { return register{} },
		Step: func(state, input, output any) (bool, any) {
			return state.(register).after(input.(step), output.(outcome))
		},
	}
	for _, path := range slices.Sorted(maps.Keys(s.keys)) {
		ops := s.keys[path].upToEnd()
		stats.Second += len(ops)
		if !porcupine.CheckOperations(model, ops) {
			var list strings.Builder
			fmt.Fprintf(&list, "Porcupine finds no order for the %d operations on %s", len(ops), path)
			for _, op := range ops {
				fmt.Fprintf(&list, "\n\tfrom %d to %d: %+v gave %+v", op.Call, op.Return, op.Input, op.Output)
			}
			complaints = append(complaints, list.String())
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

// refused tells whether a code says that a request was not let in.
func refused(c wire.Code) bool {
	switch c {
	case wire.CodeSessionExpired, wire.CodeSessionMoved, wire.CodeNotReadOnly, wire.CodeSessionClosedRequireSASLAuth, wire.CodeThrottledOp:
		return true
	}
	return false
}
