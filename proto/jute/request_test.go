package jute

import (
	"reflect"
	"testing"
)

// roundTrip decodes what was encoded, and every truncation of it, which must
// fail.
func roundTrip[T any](t *testing.T, want T, frame []byte, decode func(r *Reader) T) {
	t.Helper()
	r := NewReader(frame)
	if got := decode(&r); r.Err() != nil || r.Len() != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %d bytes left; want %+v", got, r.Err(), r.Len(), want)
	}
	for n := range frame {
		r := NewReader(frame[:n])
		if decode(&r); r.Err() == nil {
			t.Errorf("%d of %d bytes were enough", n, len(frame))
		}
	}
}

func TestRequestsRoundTrip(t *testing.T) {
	two := []ACL{{PermRead, ID{"digest", "u:h"}}, {255, ID{"ip", "10.0.0.0/8"}}}
	for name, c := range map[string]CreateRequest{
		"plain":      {Path: "/a", Data: []byte("x"), ACL: open},
		"empty data": {Path: "/a", Data: []byte{}, ACL: two, Mode: EphemeralSequential},
		"null data":  {Path: "/a", ACL: open, Mode: Container},
		"null path":  {NullPath: true, Data: []byte{1}, ACL: open},
		"null ACL":   {Path: "/a", Data: []byte{1}, NullACL: true},
		"no ACL":     {Path: "", Data: []byte{1}},
		"odd mode":   {Path: "/a", Data: []byte{1}, Mode: -3},
	} {
		t.Run("create, "+name, func(t *testing.T) {
			roundTrip(t, c, appendCreate(nil, OpCreate, &c), func(r *Reader) CreateRequest { return DecodeCreate(r, OpCreate) })
			c.TTL = 1 << 40
			roundTrip(t, c, appendCreate(nil, OpCreateTTL, &c), func(r *Reader) CreateRequest { return DecodeCreate(r, OpCreateTTL) })
		})
	}
	t.Run("delete", func(t *testing.T) {
		roundTrip(t, PathVersion{"/a", false, -1}, AppendInt32(AppendString(nil, "/a"), -1), DecodePathVersion)
		roundTrip(t, PathVersion{"", true, 7}, AppendInt32(AppendInt32(nil, -1), 7), DecodePathVersion)
	})
	t.Run("setData", func(t *testing.T) {
		for _, s := range []SetDataRequest{{"/a", false, []byte("d"), 3}, {"/a", false, nil, -1}, {"", true, []byte{}, 0}} {
			roundTrip(t, s, appendSetData(nil, &s), DecodeSetData)
		}
	})
	t.Run("setACL", func(t *testing.T) {
		for _, s := range []SetACLRequest{{"/a", false, two, 3}, {"/a", false, nil, -1}, {"", true, nil, 0}} {
			roundTrip(t, s, appendSetACL(nil, &s), DecodeSetACL)
		}
	})
	t.Run("exists", func(t *testing.T) {
		roundTrip(t, PathWatch{"/a", false, true}, AppendBool(AppendString(nil, "/a"), true), DecodePathWatch)
		roundTrip(t, PathWatch{"", true, false}, AppendBool(AppendInt32(nil, -1), false), DecodePathWatch)
	})
	t.Run("addWatch", func(t *testing.T) {
		roundTrip(t, PathInt{"/a", false, 1}, AppendInt32(AppendString(nil, "/a"), 1), DecodePathInt)
		roundTrip(t, PathInt{"", true, 5}, AppendInt32(AppendInt32(nil, -1), 5), DecodePathInt)
	})
	t.Run("reconfig", func(t *testing.T) {
		for _, c := range []ReconfigRequest{{"a", "b", "", 1 << 40, false}, {"", "", "", -1, true}} {
			roundTrip(t, c, appendReconfig(nil, &c), DecodeReconfig)
		}
	})
	t.Run("auth ignores its type", func(t *testing.T) {
		frame := AppendBuffer(AppendString(AppendInt32(nil, 99), "digest"), []byte("u:p"))
		roundTrip(t, AuthRequest{"digest", []byte("u:p")}, frame, DecodeAuth)
	})
}

func TestConnectWithAndWithoutReadOnly(t *testing.T) {
	for _, c := range []ConnectRequest{
		{Timeout: 10000, Password: make([]byte, 16)},
		{LastZxidSeen: 5, Timeout: -1, SessionID: -2, Password: []byte{}, HasReadOnly: true},
		{ProtocolVersion: 3, HasReadOnly: true, ReadOnly: true},
	} {
		r := NewReader(appendConnect(nil, &c))
		if got := DecodeConnect(&r); r.Err() != nil || r.Len() != 0 || !reflect.DeepEqual(got, c) {
			t.Errorf("got %+v, %v; want %+v", got, r.Err(), c)
		}
	}
}

func TestConnectTruncated(t *testing.T) {
	c := ConnectRequest{Timeout: 1, Password: make([]byte, 16)}
	frame := appendConnect(nil, &c)
	for n := range frame {
		r := NewReader(frame[:n])
		if got := DecodeConnect(&r); r.Err() == nil || got.HasReadOnly {
			t.Errorf("%d of %d bytes: %+v, %v", n, len(frame), got, r.Err())
		}
	}
}

func TestACLVectors(t *testing.T) {
	entry := func(perms int32, scheme, id string) []byte {
		return AppendString(AppendString(AppendInt32(nil, perms), scheme), id)
	}
	vector := func(n int32, entries ...[]byte) []byte {
		b := AppendInt32(nil, n)
		for _, e := range entries {
			b = append(b, e...)
		}
		return b
	}
	null := AppendInt32(nil, -1)
	for _, tt := range []struct {
		name    string
		in      []byte
		want    []ACL
		nullACL bool
		bad     bool
	}{
		{"none", vector(0), nil, false, false},
		{"null", vector(-1), nil, true, false},
		{"count below null is none", vector(-2), nil, false, false},
		{"open", vector(1, entry(31, "world", "anyone")), open, false, false},
		{"unknown bits stay", vector(1, entry(255, "digest", "u:h")), []ACL{{255, ID{"digest", "u:h"}}}, false, false},
		{"null scheme", vector(1, append(append(AppendInt32(nil, 1), null...), AppendString(nil, "x")...)),
			[]ACL{{1, ID{NullText, "x"}}}, false, false},
		{"null id", vector(1, append(AppendString(AppendInt32(nil, 1), "world"), null...)),
			[]ACL{{1, ID{"world", NullText}}}, false, false},
		{"malformed text is replaced", vector(1, entry(1, "digest", "u:\xff")), []ACL{{1, ID{"digest", "u:\uFFFD"}}}, false, false},
		{"one less than claimed", vector(2, entry(31, "world", "anyone")), nil, false, true},
		{"many claimed", vector(1<<30, entry(31, "world", "anyone")), nil, false, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := NewReader(tt.in)
			got, nullACL := DecodeACLs(&r)
			if (r.Err() != nil) != tt.bad || nullACL != tt.nullACL || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %v, null %v, %v", got, nullACL, r.Err())
			}
		})
	}
}

func TestWatchLists(t *testing.T) {
	if n := WatchLists(OpSetWatches); n != 3 {
		t.Errorf("setWatches has %d", n)
	}
	if n := WatchLists(OpSetWatches2); n != 5 {
		t.Errorf("setWatches2 has %d", n)
	}
}

func TestStatRoundTrip(t *testing.T) {
	want := Stat{1, 2, 3, 4, 5, -6, 7, -8, 9, 10, 11}
	b := AppendStat(nil, &want)
	if len(b) != StatSize {
		t.Errorf("%d bytes", len(b))
	}
	roundTrip(t, want, b, DecodeStat)
	// every field has its own place: a swap of two would survive a round trip
	if got := unhex(t, "0000000000000001 0000000000000002 0000000000000003 0000000000000004 00000005 fffffffa 00000007"+
		"fffffffffffffff8 00000009 0000000a 000000000000000b"); string(got) != string(b) {
		t.Errorf("got %x", b)
	}
}

func TestCreateModes(t *testing.T) {
	for m := CreateMode(-1); m <= 7; m++ {
		valid := m >= 0 && m <= 6
		if m.Valid() != valid || m.Ephemeral() != (m == 1 || m == 3) ||
			m.Sequential() != (m == 2 || m == 3 || m == 6) || m.TTL() != (m == 5 || m == 6) {
			t.Errorf("mode %d: valid %v, ephemeral %v, sequential %v, ttl %v", m, m.Valid(), m.Ephemeral(), m.Sequential(), m.TTL())
		}
	}
}

func TestCodesHaveNames(t *testing.T) {
	if got := ErrNoNode.Error(); got != "NoNode" {
		t.Errorf("got %q", got)
	}
	if got := Code(-77).Error(); got != "Code(-77)" {
		t.Errorf("got %q", got)
	}
	for c, name := range codeNames {
		if name == "" || c > 0 {
			t.Errorf("code %d is called %q", c, name)
		}
	}
}
