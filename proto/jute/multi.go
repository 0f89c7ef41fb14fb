package jute

// A multi is a list of MultiHeader {int type, boolean done, int err}, each
// followed by the record of its type, and closed by a header {-1, true, -1}
// (MultiOperationRecord, MultiResponse).

// NextMulti reads the header of the next operation; done tells that it was
// the one that closes the list.
func NextMulti(r *Reader) (op Op, done bool) {
	op = Op(r.Int32())
	done = r.Bool()
	r.Int32()
	return op, done
}

// AppendMultiHeader appends the header before a result of type op.
func AppendMultiHeader(dst []byte, op Op, err Code) []byte {
	dst = AppendInt32(dst, int32(op))
	dst = append(dst, 0)
	return AppendInt32(dst, int32(err))
}

// AppendMultiEnd appends the header that closes the list.
func AppendMultiEnd(dst []byte) []byte {
	return append(dst, 0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff)
}

// AppendMultiError appends an error result: the code stands in the header and
// again in the record.
func AppendMultiError(dst []byte, code Code) []byte {
	dst = AppendMultiHeader(dst, OpError, code)
	return AppendInt32(dst, int32(code))
}
