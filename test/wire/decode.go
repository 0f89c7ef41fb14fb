package wire

import (
	"encoding/binary"
	"fmt"
)

// IsEvent tells whether a payload from a server is a notification, for a client that sends no request under −1.
func IsEvent(payload []byte) bool {
	return len(payload) >= 4 && int32(binary.BigEndian.Uint32(payload)) == -1
}

// DecodeEvent decodes the payload of a notification.
func DecodeEvent(payload []byte) (*Event, error) { return decodeEvent(payload) }

// DecodeReply decodes the payload of a reply to op.
func DecodeReply(payload []byte, op Op) (*Reply, error) { return decodeReply(payload, op) }

// DecodeFields decodes the body of a successful reply to op, which is neither multi nor multiRead.
func DecodeFields(op Op, body []byte) (Fields, error) {
	r := &reader{b: body}
	f := r.fields(op)
	return f, r.end()
}

// DecodeResults decodes the body of a successful reply to a multi or multiRead.
func DecodeResults(body []byte) ([]Result, error) {
	r := &reader{b: body}
	v := r.results()
	return v, r.end()
}

// ReplyHeader is what every reply begins with.
const ReplyHeader = 4 + 8 + 4

// end is the error of a record that should have ended here.
func (r *reader) end() error {
	if r.err == nil && len(r.b) > 0 {
		return fmt.Errorf("wire: %d bytes behind the record", len(r.b))
	}
	return r.err
}

// DecodeRequest decodes the body of a request of which the server has taken the header off. Bytes behind the record
// are ignored, as ZooKeeper does.
func DecodeRequest(op Op, body []byte) (Body, error) {
	r := &reader{b: body}
	b, err := r.request(op)
	if err == nil {
		err = r.err
	}
	return b, err
}

func (r *reader) request(op Op) (Body, error) {
	switch op {
	case OpCreate, OpCreate2, OpCreateContainer:
		return r.create(), nil
	case OpCreateTTL:
		return CreateTTL{r.create(), r.long()}, nil
	case OpDelete, OpCheck:
		return PathVersion{r.string(), r.int()}, nil
	case OpExists, OpGetData, OpGetChildren, OpGetChildren2:
		return PathWatch{r.string(), r.bool()}, nil
	case OpSetData:
		return SetData{r.string(), r.buffer(), r.int()}, nil
	case OpSetACL:
		return SetACL{r.string(), r.acl(), r.int()}, nil
	case OpSync, OpGetACL, OpGetEphemerals, OpAllChildrenNumber:
		return Path(r.string()), nil
	case OpAddWatch, OpCheckWatches, OpRemoveWatches:
		return PathType{r.string(), r.int()}, nil
	case OpSetWatches:
		return r.setWatches(), nil
	case OpSetWatches2:
		return SetWatches2{r.setWatches(), r.strings(), r.strings()}, nil
	case OpReconfig:
		return Reconfig{r.string(), r.string(), r.string(), r.long()}, nil
	case OpMulti, OpMultiRead:
		return r.multi()
	case OpPing, OpClose, OpWhoAmI:
		return nil, nil
	}
	return nil, fmt.Errorf("wire: request of the unknown type %d", op)
}

func (r *reader) create() Create { return Create{r.string(), r.buffer(), r.acl(), r.int()} }

func (r *reader) setWatches() SetWatches {
	return SetWatches{r.long(), r.strings(), r.strings(), r.strings()}
}

func (r *reader) multi() (Body, error) {
	var m Multi
	for {
		op, done := Op(r.int()), r.bool()
		r.int()
		switch {
		case r.err != nil:
			return m, r.err
		case done:
			return m, nil
		}
		switch op {
		case OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL, OpDelete, OpCheck, OpSetData, OpGetData, OpGetChildren:
		default:
			return m, fmt.Errorf("wire: operation %d in a multi", op)
		}
		b, err := r.request(op)
		if err != nil {
			return m, err
		}
		m.Ops = append(m.Ops, SubOp{op, b})
	}
}
