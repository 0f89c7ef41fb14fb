package server

import "zkd/proto/jute"

// multiOp is one operation of a multi, decoded.
type multiOp struct {
	op      jute.Op
	create  jute.CreateRequest
	path    string
	data    []byte
	version int32
}

// decoded is what decodeMulti says of a request. What is malformed takes a
// zxid, what ZooKeeper's decoder trips over does not.
type decoded uint8

const (
	wellFormed decoded = iota
	malformed
	tripsOver
)

// decodeMulti reads the operations of a multi. Anything that could not be an
// operation makes the whole request malformed (MultiOperationRecord).
func decodeMulti(ops []multiOp, r *jute.Reader) ([]multiOp, decoded) {
	for {
		op, done := jute.NextMulti(r)
		if r.Err() != nil {
			return ops, malformed
		}
		if done {
			return ops, wellFormed
		}
		o := multiOp{op: op}
		switch op {
		case jute.OpCreate, jute.OpCreate2, jute.OpCreateContainer, jute.OpCreateTTL:
			o.create = jute.DecodeCreate(r, op)
			switch {
			case r.Err() != nil:
				return ops, malformed
			case op != jute.OpCreateTTL && !o.create.Mode.Valid():
				return ops, malformed
			case op != jute.OpCreateTTL && o.create.NullACL:
				return ops, tripsOver
			case o.create.NullPath || !fixMultiCreate(&o):
				return ops, malformed
			}
		case jute.OpDelete, jute.OpCheck:
			p := jute.DecodePathVersion(r)
			if p.NullPath {
				return ops, malformed
			}
			o.path, o.version = p.Path, p.Version
		case jute.OpSetData:
			d := jute.DecodeSetData(r)
			if d.NullPath {
				return ops, malformed
			}
			o.path, o.data, o.version = d.Path, d.Data, d.Version
		default:
			return ops, malformed
		}
		if r.Err() != nil {
			return ops, malformed
		}
		ops = append(ops, o)
	}
}

// fixMultiCreate applies what Op.Create does with the flags of a create inside
// a multi, where the mode may decide what is made whatever the opcode says.
func fixMultiCreate(o *multiOp) bool {
	c := &o.create
	switch {
	case o.op != jute.OpCreateTTL && c.Mode.TTL():
		return false
	case c.Mode == jute.Container:
		o.op = jute.OpCreateContainer
	case c.Mode.Valid() && !c.Mode.TTL() && o.op == jute.OpCreateTTL:
		o.op = jute.OpCreate
	}
	return true
}

// applyMulti executes all operations or none and appends the results. taken is
// as for execute.
func (m *machine) applyMulti() (code jute.Code, taken bool) {
	body := len(m.reply)
	ops, is := decodeMulti(m.multi[:0], &m.txn.body)
	m.multi = ops[:0]
	if is != wellFormed {
		m.state.tree.Commit()
		return jute.ErrMarshalling, is == malformed
	}
	for i := range ops {
		if code := m.applyOp(&ops[i]); code != jute.OK {
			m.state.tree.Rollback()
			if code == jute.ErrMarshalling {
				return code, true // of the request, not of one operation
			}
			m.reply = appendMultiFailure(m.reply[:body], len(ops), i, code)
			return jute.OK, true
		}
	}
	m.state.tree.Commit()
	m.reply = jute.AppendMultiEnd(m.reply)
	return jute.OK, true
}

// appendMultiFailure says of each operation what became of it: nothing, the
// error, never tried (MultiResponse as PrepRequestProcessor makes it).
func appendMultiFailure(dst []byte, ops, failed int, code jute.Code) []byte {
	for i := range ops {
		switch {
		case i < failed:
			dst = jute.AppendMultiError(dst, jute.OK)
		case i == failed:
			dst = jute.AppendMultiError(dst, code)
		default:
			dst = jute.AppendMultiError(dst, jute.ErrRuntimeInconsistency)
		}
	}
	return jute.AppendMultiEnd(dst)
}

// applyOp executes one operation and appends its result.
func (m *machine) applyOp(o *multiOp) jute.Code {
	tree := m.state.tree
	switch o.op {
	case jute.OpDelete, jute.OpCheck:
		m.reply = jute.AppendMultiHeader(m.reply, o.op, jute.OK)
		if o.op == jute.OpCheck {
			return tree.Check(o.path, o.version)
		}
		return tree.Delete(o.path, o.version)
	case jute.OpSetData:
		stat, code := tree.SetData(o.path, o.data, o.version)
		m.reply = jute.AppendMultiHeader(m.reply, o.op, jute.OK)
		m.reply = jute.AppendStat(m.reply, &stat)
		return code
	}
	path, stat, code := tree.Create(o.op, &o.create)
	if o.op == jute.OpCreate {
		m.reply = jute.AppendMultiHeader(m.reply, jute.OpCreate, jute.OK)
		m.reply = jute.AppendString(m.reply, path)
		return code
	}
	// ZooKeeper answers containers and TTL znodes as it does create2.
	m.reply = jute.AppendMultiHeader(m.reply, jute.OpCreate2, jute.OK)
	m.reply = jute.AppendString(m.reply, path)
	m.reply = jute.AppendStat(m.reply, &stat)
	return code
}
