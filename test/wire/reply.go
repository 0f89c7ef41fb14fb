package wire

import "fmt"

// Stat is a node's metadata in the order of the wire.
type Stat struct {
	Czxid, Mzxid, Ctime, Mtime  int64
	Version, Cversion, Aversion int32
	EphemeralOwner              int64
	DataLength, NumChildren     int32
	Pzxid                       int64
}

func (r *reader) stat() *Stat {
	return &Stat{
		Czxid: r.long(), Mzxid: r.long(), Ctime: r.long(), Mtime: r.long(),
		Version: r.int(), Cversion: r.int(), Aversion: r.int(),
		EphemeralOwner: r.long(), DataLength: r.int(), NumChildren: r.int(), Pzxid: r.long(),
	}
}

func (r *reader) acl() []ACL {
	n := r.count(12)
	if n < 0 {
		return nil
	}
	v := make([]ACL, 0, n)
	for range n {
		v = append(v, ACL{r.int(), r.string(), r.string()})
	}
	return v
}

// Event is a notification.
type Event struct {
	Zxid  int64
	Err   Code
	Type  EventType
	State int32
	Path  string
}

// ClientInfo is one identity of a whoAmI reply.
type ClientInfo struct{ Scheme, User string }

// Result is one entry of a multi or multiRead reply.
type Result struct {
	Type Op // −1 for an error
	Err  Code
	Code Code // the ErrorResponse behind an error header
	Fields
}

// Fields holds the parts a reply can have; Has names those that were on the wire.
type Fields struct {
	Path    *string
	Data    []byte
	HasData bool // Data was present; nil is null then
	Stat    *Stat
	Names   []string // children or ephemerals
	ACL     []ACL
	Clients []ClientInfo
	Number  *int32 // getAllChildrenNumber, addWatch's ErrorResponse
}

// Reply is one decoded reply. Rest is what no field accounts for.
type Reply struct {
	Xid  int32
	Zxid int64
	Err  Code
	Op   Op
	Fields
	Results []Result
	IsMulti bool
	Rest    []byte
}

// fields reads the body of a successful reply to op.
func (r *reader) fields(op Op) (f Fields) {
	switch op {
	case OpCreate, OpSync:
		f.Path = ptr(r.string())
	case OpCreate2, OpCreateContainer, OpCreateTTL:
		f.Path, f.Stat = ptr(r.string()), r.stat()
	case OpExists, OpSetData, OpSetACL:
		f.Stat = r.stat()
	case OpGetData, OpReconfig:
		f.Data, f.HasData, f.Stat = r.buffer(), true, r.stat()
	case OpSASL:
		f.Data, f.HasData = r.buffer(), true
	case OpGetACL:
		f.ACL, f.Stat = r.acl(), r.stat()
	case OpGetChildren, OpGetEphemerals:
		f.Names = r.strings()
	case OpGetChildren2:
		f.Names, f.Stat = r.strings(), r.stat()
	case OpAllChildrenNumber, OpAddWatch:
		f.Number = ptr(r.int())
	case OpWhoAmI:
		n := r.count(8)
		for range n {
			f.Clients = append(f.Clients, ClientInfo{r.string(), r.string()})
		}
	}
	return f
}

// results reads the body of a multi or multiRead reply up to its end header.
func (r *reader) results() (v []Result) {
	for r.err == nil {
		res := Result{Type: Op(r.int())}
		done := r.bool()
		res.Err = Code(r.int())
		if done || r.err != nil {
			if r.err == nil && (res.Type != -1 || res.Err != -1) {
				r.err = fmt.Errorf("wire: end header of a multi reads %d, %d", res.Type, res.Err)
			}
			return v
		}
		if res.Type == -1 {
			res.Code = Code(r.int())
		} else {
			res.Fields = r.fields(res.Type)
		}
		v = append(v, res)
	}
	return v
}

// decodeReply reads a reply to op. A reply with an error carries nothing but its header; should it, that is in Rest.
func decodeReply(payload []byte, op Op) (*Reply, error) {
	r := &reader{b: payload}
	rep := &Reply{Xid: r.int(), Zxid: r.long(), Err: Code(r.int()), Op: op}
	if r.err == nil && rep.Err == 0 {
		if op == OpMulti || op == OpMultiRead {
			rep.Results, rep.IsMulti = r.results(), true
		} else {
			rep.Fields = r.fields(op)
		}
	}
	rep.Rest = r.b
	if r.err != nil {
		return rep, fmt.Errorf("reply to op %d, payload %x: %w", op, payload, r.err)
	}
	return rep, nil
}

func decodeEvent(payload []byte) (*Event, error) {
	r := &reader{b: payload}
	r.int()
	e := &Event{Zxid: r.long(), Err: Code(r.int()), Type: EventType(r.int()), State: r.int(), Path: r.string()}
	if r.err == nil && len(r.b) > 0 {
		r.err = fmt.Errorf("wire: %d bytes after an event", len(r.b))
	}
	return e, r.err
}

func ptr[T any](v T) *T { return &v }
