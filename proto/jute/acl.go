package jute

// ID names who somebody is: a scheme and a text that the scheme understands.
type ID struct{ Scheme, ID string }

// ACL grants the bits of Perms to those whom ID matches.
type ACL struct {
	Perms int32
	ID    ID
}

// NullID stands for the null id of an entry whose scheme's provider
// dereferences it in ZooKeeper, which makes the request malformed, but only
// once it comes to that entry. No id from the wire is like it: there malformed
// text is replaced.
const NullID = "\xff"

// DecodeACLs reads a vector of ACL. nullACL tells of what ZooKeeper refuses
// as an invalid ACL rather than as a malformed record: a null vector or an
// entry with a null scheme.
func DecodeACLs(r *Reader) (acls []ACL, nullACL bool) {
	n := r.Count()
	nullACL = n == -1
	for i := 0; i < n && r.err == nil; i++ {
		perms := r.Int32()
		scheme, noScheme := r.NullString()
		id, noID := r.NullString()
		nullACL = nullACL || noScheme
		if noID && (scheme == "world" || scheme == "digest" || scheme == "ip") {
			id = NullID
		}
		acls = append(acls, ACL{perms, ID{scheme, id}})
	}
	if r.err != nil {
		return nil, false
	}
	return acls, nullACL
}

// AppendACLs appends a vector of ACL.
func AppendACLs(dst []byte, acls []ACL) []byte {
	dst = AppendInt32(dst, int32(len(acls)))
	for i := range acls {
		dst = AppendInt32(dst, acls[i].Perms)
		dst = AppendString(dst, acls[i].ID.Scheme)
		if acls[i].ID.ID == NullID {
			dst = AppendBuffer(dst, nil)
			continue
		}
		dst = AppendString(dst, acls[i].ID.ID)
	}
	return dst
}
