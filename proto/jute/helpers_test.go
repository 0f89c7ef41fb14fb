package jute

import (
	"encoding/hex"
	"strings"
	"testing"
)

// unhex reads bytes written as in protocol.md: blanks mean nothing.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The encodings of requests, which only clients need.

func appendPath(dst []byte, path string, null bool) []byte {
	if null {
		return AppendInt32(dst, -1)
	}
	return AppendString(dst, path)
}

func appendACLVector(dst []byte, acls []ACL, null bool) []byte {
	if null {
		return AppendInt32(dst, -1)
	}
	return AppendACLs(dst, acls)
}

func appendCreate(dst []byte, op Op, c *CreateRequest) []byte {
	dst = appendPath(dst, c.Path, c.NullPath)
	dst = AppendBuffer(dst, c.Data)
	dst = appendACLVector(dst, c.ACL, c.NullACL)
	dst = AppendInt32(dst, int32(c.Mode))
	if op == OpCreateTTL {
		dst = AppendInt64(dst, c.TTL)
	}
	return dst
}

func appendSetData(dst []byte, s *SetDataRequest) []byte {
	dst = appendPath(dst, s.Path, s.NullPath)
	dst = AppendBuffer(dst, s.Data)
	return AppendInt32(dst, s.Version)
}

func appendSetACL(dst []byte, s *SetACLRequest) []byte {
	dst = appendPath(dst, s.Path, s.NullPath)
	dst = AppendACLs(dst, s.ACL)
	return AppendInt32(dst, s.Version)
}

func appendConnect(dst []byte, c *ConnectRequest) []byte {
	dst = AppendInt32(dst, c.ProtocolVersion)
	dst = AppendInt64(dst, c.LastZxidSeen)
	dst = AppendInt32(dst, c.Timeout)
	dst = AppendInt64(dst, c.SessionID)
	dst = AppendBuffer(dst, c.Password)
	if c.HasReadOnly {
		dst = AppendBool(dst, c.ReadOnly)
	}
	return dst
}

func appendReconfig(dst []byte, c *ReconfigRequest) []byte {
	dst = AppendString(dst, c.Joining)
	dst = AppendString(dst, c.Leaving)
	if c.NullMembers {
		dst = AppendBuffer(dst, nil)
	} else {
		dst = AppendString(dst, c.NewMembers)
	}
	return AppendInt64(dst, c.ConfigID)
}

var open = []ACL{{PermAll, ID{"world", "anyone"}}}
