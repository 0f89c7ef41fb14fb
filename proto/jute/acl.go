package jute

// ID names who somebody is: a scheme and a text that the scheme understands.
type ID struct{ Scheme, ID string }

// ACL grants the bits of Perms to those whom ID matches.
type ACL struct {
	Perms int32
	ID    ID
}

// NullText stands for a null scheme or id in an ACL. ZooKeeper takes it or
// stumbles over it, depending on where it meets it. No text from the wire is
// like it: there malformed text is replaced.
const NullText = "\xff"

// DecodeACLs reads a vector of ACL, and tells whether the vector was null.
func DecodeACLs(r *Reader) (acls []ACL, null bool) {
	n := r.Count()
	for i := 0; i < n && r.err == nil; i++ {
		acls = append(acls, ACL{r.Int32(), ID{aclText(r), aclText(r)}})
	}
	if r.err != nil {
		return nil, false
	}
	return acls, n == -1
}

func aclText(r *Reader) string {
	if s, null := r.NullString(); !null {
		return s
	}
	return NullText
}

// AppendACLs appends a vector of ACL.
func AppendACLs(dst []byte, acls []ACL) []byte {
	dst = AppendInt32(dst, int32(len(acls)))
	for i := range acls {
		dst = AppendInt32(dst, acls[i].Perms)
		dst = appendACLText(dst, acls[i].ID.Scheme)
		dst = appendACLText(dst, acls[i].ID.ID)
	}
	return dst
}

func appendACLText(dst []byte, s string) []byte {
	if s == NullText {
		return AppendBuffer(dst, nil)
	}
	return AppendString(dst, s)
}
