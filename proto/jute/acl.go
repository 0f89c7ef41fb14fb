package jute

import "strings"

// ID names who somebody is: a scheme and a text that the scheme understands.
type ID struct{ Scheme, ID string }

// ACL grants the bits of Perms to those whom ID matches.
type ACL struct {
	Perms int32
	ID    ID
}

// DecodeACLs reads a vector of ACL. nullACL tells of what ZooKeeper refuses
// as an invalid ACL rather than as a malformed record: a null vector or an
// entry with a null scheme. A null id is malformed for the schemes whose
// providers dereference it in ZooKeeper.
func DecodeACLs(r *Reader) (acls []ACL, nullACL bool) {
	n := r.Count()
	nullACL = n == -1
	for i := 0; i < n && r.err == nil; i++ {
		perms := r.Int32()
		scheme, noScheme := r.NullString()
		id, noID := r.NullString()
		nullACL = nullACL || noScheme
		if noID && (scheme == "world" || scheme == "digest" || scheme == "ip") {
			r.fail()
		}
		acls = append(acls, ACL{perms, ID{validUTF8(scheme), validUTF8(id)}})
	}
	if r.err != nil {
		return nil, false
	}
	return acls, nullACL
}

// validUTF8 does what decoding in Java does to malformed text. It returns s
// itself, without a copy, when s is well formed.
func validUTF8(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// AppendACLs appends a vector of ACL.
func AppendACLs(dst []byte, acls []ACL) []byte {
	dst = AppendInt32(dst, int32(len(acls)))
	for i := range acls {
		dst = AppendInt32(dst, acls[i].Perms)
		dst = AppendString(dst, acls[i].ID.Scheme)
		dst = AppendString(dst, acls[i].ID.ID)
	}
	return dst
}
