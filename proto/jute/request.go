package jute

// The request records, in the field order of zookeeper.jute. Decoding leaves
// a failure in the Reader. NullPath stands where ZooKeeper treats a null path
// otherwise than an empty one.

// CreateRequest is the body of create, create2, createContainer and createTTL.
type CreateRequest struct {
	Path     string
	NullPath bool
	Data     []byte
	ACL      []ACL
	NullACL  bool
	Mode     CreateMode
	TTL      int64 // ms, createTTL only
}

// DecodeCreate reads the body of op, which is one of the create family.
func DecodeCreate(r *Reader, op Op) (c CreateRequest) {
	c.Path, c.NullPath = r.NullString()
	c.Data = r.Buffer()
	c.ACL, c.NullACL = DecodeACLs(r)
	c.Mode = CreateMode(r.Int32())
	if op == OpCreateTTL {
		c.TTL = r.Int64()
	}
	return c
}

// PathVersion is the body of delete and of check.
type PathVersion struct {
	Path     string
	NullPath bool
	Version  int32
}

// DecodePathVersion reads the body of delete or check.
func DecodePathVersion(r *Reader) (p PathVersion) {
	p.Path, p.NullPath = r.NullString()
	p.Version = r.Int32()
	return p
}

// SetDataRequest is the body of setData.
type SetDataRequest struct {
	Path     string
	NullPath bool
	Data     []byte
	Version  int32
}

// DecodeSetData reads the body of setData.
func DecodeSetData(r *Reader) (s SetDataRequest) {
	s.Path, s.NullPath = r.NullString()
	s.Data = r.Buffer()
	s.Version = r.Int32()
	return s
}

// SetACLRequest is the body of setACL.
type SetACLRequest struct {
	Path     string
	NullPath bool
	ACL      []ACL
	Version  int32
}

// DecodeSetACL reads the body of setACL.
func DecodeSetACL(r *Reader) (s SetACLRequest) {
	s.Path, s.NullPath = r.NullString()
	s.ACL, _ = DecodeACLs(r)
	s.Version = r.Int32()
	return s
}

// PathWatch is the body of exists, getData, getChildren and getChildren2.
type PathWatch struct {
	Path     string
	NullPath bool
	Watch    bool
}

// DecodePathWatch reads a path and the watch flag.
func DecodePathWatch(r *Reader) (p PathWatch) {
	p.Path, p.NullPath = r.NullString()
	p.Watch = r.Bool()
	return p
}

// PathInt is the body of checkWatches, removeWatches (Value is a
// Watcher.WatcherType) and addWatch (an AddWatchMode).
type PathInt struct {
	Path     string
	NullPath bool
	Value    int32
}

// DecodePathInt reads a path and a number.
func DecodePathInt(r *Reader) (p PathInt) {
	p.Path, p.NullPath = r.NullString()
	p.Value = r.Int32()
	return p
}

// AuthRequest is the body of auth; its type field is read and ignored.
type AuthRequest struct {
	Scheme string
	Auth   []byte
}

// DecodeAuth reads the body of auth.
func DecodeAuth(r *Reader) (a AuthRequest) {
	r.Int32()
	a.Scheme = r.String()
	a.Auth = r.Buffer()
	return a
}

// ReconfigRequest is the body of reconfig.
type ReconfigRequest struct {
	Joining, Leaving, NewMembers string
	ConfigID                     int64
	// NullMembers tells that there are no new members, which is not the same
	// as an empty list of them.
	NullMembers bool
}

// DecodeReconfig reads the body of reconfig.
func DecodeReconfig(r *Reader) (c ReconfigRequest) {
	c.Joining, c.Leaving = r.String(), r.String()
	c.NewMembers, c.NullMembers = r.NullString()
	c.ConfigID = r.Int64()
	return c
}

// WatchList names one of the vectors of setWatches and setWatches2.
type WatchList int

// The vectors in the order of the record; setWatches has the first three.
const (
	ListData WatchList = iota
	ListExist
	ListChild
	ListPersistent
	ListRecursive
)

// WatchLists is the number of vectors that op carries.
func WatchLists(op Op) WatchList {
	if op == OpSetWatches2 {
		return ListRecursive + 1
	}
	return ListChild + 1
}

// SkipStrings reads a vector of ustring, which may be null.
func SkipStrings(r *Reader) {
	for n := r.Count(); n > 0 && r.err == nil; n-- {
		r.NullString()
	}
}

// WalkStrings reads a vector of ustring and calls f with each until f returns
// false. That fails the reader, as a null vector does, which ZooKeeper
// dereferences.
func WalkStrings(r *Reader, f func(s string, null bool) bool) {
	n := r.Count()
	if n < 0 {
		r.fail()
	}
	for i := 0; i < n && r.err == nil; i++ {
		s, null := r.NullString()
		if r.err == nil && !f(s, null) {
			r.fail()
		}
	}
}
