package wire

// A Body is the record that follows a request header. A nil Body is an empty one.
type Body interface {
	appendTo(b []byte) []byte
}

// Raw is a body given as bytes, for tests of what no client would send.
type Raw []byte

func (r Raw) appendTo(b []byte) []byte { return append(b, r...) }

// ACL is one entry of an access control list.
type ACL struct {
	Perms      int32
	Scheme, ID string
}

// OpenACL is [world:anyone ALL].
var OpenACL = []ACL{{31, "world", "anyone"}}

// appendACL writes nil as a null vector.
func appendACL(b []byte, acl []ACL) []byte {
	if acl == nil {
		return appendInt(b, -1)
	}
	b = appendInt(b, int32(len(acl)))
	for _, a := range acl {
		b = appendString(appendString(appendInt(b, a.Perms), a.Scheme), a.ID)
	}
	return b
}

// Create is the record of create, create2 and createContainer.
type Create struct {
	Path  string
	Data  []byte
	ACL   []ACL
	Flags int32
}

func (r Create) appendTo(b []byte) []byte {
	return appendInt(appendACL(appendBuffer(appendString(b, r.Path), r.Data), r.ACL), r.Flags)
}

// CreateTTL is the record of createTTL. TTL counts milliseconds.
type CreateTTL struct {
	Create
	TTL int64
}

func (r CreateTTL) appendTo(b []byte) []byte { return appendLong(r.Create.appendTo(b), r.TTL) }

// PathVersion is the record of delete and check.
type PathVersion struct {
	Path    string
	Version int32
}

func (r PathVersion) appendTo(b []byte) []byte { return appendInt(appendString(b, r.Path), r.Version) }

// PathWatch is the record of exists, getData, getChildren and getChildren2.
type PathWatch struct {
	Path  string
	Watch bool
}

func (r PathWatch) appendTo(b []byte) []byte { return appendBool(appendString(b, r.Path), r.Watch) }

// SetData is the record of setData.
type SetData struct {
	Path    string
	Data    []byte
	Version int32
}

func (r SetData) appendTo(b []byte) []byte {
	return appendInt(appendBuffer(appendString(b, r.Path), r.Data), r.Version)
}

// SetACL is the record of setACL.
type SetACL struct {
	Path    string
	ACL     []ACL
	Version int32
}

func (r SetACL) appendTo(b []byte) []byte {
	return appendInt(appendACL(appendString(b, r.Path), r.ACL), r.Version)
}

// Path is the record of getACL, sync, getEphemerals and getAllChildrenNumber.
type Path string

func (r Path) appendTo(b []byte) []byte { return appendString(b, string(r)) }

// PathType is the record of checkWatches, removeWatches (a watcher type) and addWatch (a mode).
type PathType struct {
	Path string
	Type int32
}

func (r PathType) appendTo(b []byte) []byte { return appendInt(appendString(b, r.Path), r.Type) }

// Auth is the record of auth packets.
type Auth struct {
	Type   int32
	Scheme string
	Data   []byte
}

func (r Auth) appendTo(b []byte) []byte {
	return appendBuffer(appendString(appendInt(b, r.Type), r.Scheme), r.Data)
}

// Token is the record of SASL packets.
type Token []byte

func (r Token) appendTo(b []byte) []byte { return appendBuffer(b, r) }

// SetWatches is the record of setWatches.
type SetWatches struct {
	Relative           int64
	Data, Exist, Child []string
}

func (r SetWatches) appendTo(b []byte) []byte {
	b = appendStrings(appendLong(b, r.Relative), r.Data)
	return appendStrings(appendStrings(b, r.Exist), r.Child)
}

// SetWatches2 is the record of setWatches2.
type SetWatches2 struct {
	SetWatches
	Persistent, Recursive []string
}

func (r SetWatches2) appendTo(b []byte) []byte {
	return appendStrings(appendStrings(r.SetWatches.appendTo(b), r.Persistent), r.Recursive)
}

// Reconfig is the record of reconfig.
type Reconfig struct {
	Joining, Leaving, Members string
	ConfigID                  int64
}

func (r Reconfig) appendTo(b []byte) []byte {
	return appendLong(appendString(appendString(appendString(b, r.Joining), r.Leaving), r.Members), r.ConfigID)
}

// SubOp is one operation of a multi or multiRead.
type SubOp struct {
	Op   Op
	Body Body
}

// Multi is the record of multi and multiRead.
type Multi struct {
	Ops   []SubOp
	NoEnd bool // leave the end header out
}

func (r Multi) appendTo(b []byte) []byte {
	for _, op := range r.Ops {
		b = appendInt(appendBool(appendInt(b, int32(op.Op)), false), -1)
		if op.Body != nil {
			b = op.Body.appendTo(b)
		}
	}
	if r.NoEnd {
		return b
	}
	return appendInt(appendBool(appendInt(b, -1), true), -1)
}

// Payload returns header and body of a request, without the frame's length.
func Payload(xid int32, op Op, body Body) []byte {
	b := appendInt(appendInt(nil, xid), int32(op))
	if body != nil {
		b = body.appendTo(b)
	}
	return b
}

// Frame puts the length in front of a payload.
func Frame(payload []byte) []byte {
	return append(appendInt(nil, int32(len(payload))), payload...)
}
