package jute

import (
	"bytes"
	"reflect"
	"testing"
)

// fuzzStable decodes any bytes, and checks what encoding a success makes:
// it must decode to the same again, and encode to the same bytes.
func fuzzStable[T any](f *testing.F, decode func(r *Reader) T, encode func(dst []byte, v *T) []byte) {
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 80))
	f.Add(bytes.Repeat([]byte{0}, 80))
	f.Fuzz(func(t *testing.T, b []byte) {
		before := bytes.Clone(b)
		r := NewReader(b)
		v := decode(&r)
		if !bytes.Equal(b, before) {
			t.Fatal("decoding changed the frame")
		}
		if r.Err() != nil {
			if r.Len() != 0 {
				t.Fatalf("failed with %d bytes left", r.Len())
			}
			return
		}
		once := encode(nil, &v)
		r = NewReader(once)
		again := decode(&r)
		if r.Err() != nil || r.Len() != 0 || !reflect.DeepEqual(again, v) {
			t.Fatalf("decoded %+v, then %+v, %v", v, again, r.Err())
		}
		if twice := encode(nil, &again); !bytes.Equal(once, twice) {
			t.Fatalf("encoded %x, then %x", once, twice)
		}
	})
}

func FuzzConnect(f *testing.F) {
	f.Add(unhex(f, "00000000 0000000000000000 00002710 0000000000001234 00000010"+zero16+"00"))
	fuzzStable(f, DecodeConnect, appendConnect)
}

func FuzzCreate(f *testing.F) {
	f.Add(unhex(f, slashA+"00000001 78 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000"))
	fuzzStable(f, func(r *Reader) CreateRequest { return DecodeCreate(r, OpCreate) },
		func(dst []byte, c *CreateRequest) []byte { return appendCreate(dst, OpCreate, c) })
}

func FuzzCreateTTL(f *testing.F) {
	f.Add(unhex(f, slashA+"00000001 78 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000005 0000000000001000"))
	fuzzStable(f, func(r *Reader) CreateRequest { return DecodeCreate(r, OpCreateTTL) },
		func(dst []byte, c *CreateRequest) []byte { return appendCreate(dst, OpCreateTTL, c) })
}

func FuzzSetACL(f *testing.F) {
	s := SetACLRequest{Path: "/a", ACL: open}
	f.Add(appendSetACL(nil, &s))
	fuzzStable(f, DecodeSetACL, appendSetACL)
}

func FuzzSetData(f *testing.F) {
	fuzzStable(f, DecodeSetData, appendSetData)
}

func FuzzPathVersion(f *testing.F) {
	f.Add(unhex(f, slashA+"ffffffff"))
	fuzzStable(f, DecodePathVersion, func(dst []byte, p *PathVersion) []byte {
		return AppendInt32(appendPath(dst, p.Path, p.NullPath), p.Version)
	})
}

func FuzzPathInt(f *testing.F) {
	fuzzStable(f, DecodePathInt, func(dst []byte, p *PathInt) []byte {
		return AppendInt32(appendPath(dst, p.Path, p.NullPath), p.Value)
	})
}

func FuzzPathWatch(f *testing.F) {
	f.Add(unhex(f, slashB+"01"))
	fuzzStable(f, DecodePathWatch, func(dst []byte, p *PathWatch) []byte {
		return AppendBool(appendPath(dst, p.Path, p.NullPath), p.Watch)
	})
}

func FuzzAuth(f *testing.F) {
	f.Add(unhex(f, "00000000 00000006 646967657374 00000003 753a70"))
	fuzzStable(f, DecodeAuth, func(dst []byte, a *AuthRequest) []byte {
		return AppendBuffer(AppendString(AppendInt32(dst, 0), a.Scheme), a.Auth)
	})
}

func FuzzReconfig(f *testing.F) {
	fuzzStable(f, DecodeReconfig, appendReconfig)
}

func FuzzStat(f *testing.F) {
	fuzzStable(f, DecodeStat, AppendStat)
}

func FuzzACLs(f *testing.F) {
	f.Add(AppendACLs(nil, open))
	fuzzStable(f, func(r *Reader) []ACL {
		list, null := DecodeACLs(r)
		if null || list == nil {
			return nil // what a list is encoded as says nothing about these
		}
		return list
	}, func(dst []byte, list *[]ACL) []byte { return AppendACLs(dst, *list) })
}

func FuzzStrings(f *testing.F) {
	f.Add(unhex(f, "00000001"+slashA))
	fuzzStable(f, func(r *Reader) (all []string) {
		WalkStrings(r, func(s string, _ bool) bool { all = append(all, s); return true })
		return all
	}, func(dst []byte, all *[]string) []byte {
		dst = AppendInt32(dst, int32(len(*all)))
		for _, s := range *all {
			dst = AppendString(dst, s)
		}
		return dst
	})
}

func FuzzMulti(f *testing.F) {
	f.Add(unhex(f, "0000000d 00 ffffffff"+slashA+"00000001 00000002 00 ffffffff 00000005 2f6e6f7065 ffffffff ffffffff 01 ffffffff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := NewReader(b)
		for n := 0; ; n++ {
			if n > len(b) {
				t.Fatal("more operations than bytes")
			}
			op, done := NextMulti(&r)
			if done || r.Err() != nil {
				return
			}
			switch op {
			case OpCreate, OpCreate2, OpCreateContainer, OpCreateTTL:
				DecodeCreate(&r, op)
			case OpSetData:
				DecodeSetData(&r)
			case OpGetData, OpGetChildren:
				DecodePathWatch(&r)
			default:
				DecodePathVersion(&r)
			}
		}
	})
}
