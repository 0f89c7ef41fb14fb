package jute

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
)

// Frames captured from ZooKeeper, without their length.

const (
	zero16 = "00000000000000000000000000000000"
	slashA = "00000002 2f61"
	slashB = "00000002 2f62"
)

// golden gives a reader behind the header, which must say what is expected.
func golden(t *testing.T, frame string, xid int32, op Op) *Reader {
	t.Helper()
	b := unhex(t, frame)
	r := NewReader(b)
	if n := r.Int32(); int(n) != r.Len() {
		t.Fatalf("length %d of a frame of %d", n, r.Len())
	}
	if gotXid, gotOp := r.Int32(), Op(r.Int32()); gotXid != xid || gotOp != op {
		t.Fatalf("xid %d, op %d", gotXid, gotOp)
	}
	return &r
}

func expect[T any](t *testing.T, r *Reader, got, want T) {
	t.Helper()
	if r.Err() != nil || r.Len() != 0 || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v, %d bytes left; want %+v", got, r.Err(), r.Len(), want)
	}
}

func TestGoldenConnect(t *testing.T) {
	for sid, want := range map[string]int64{"0000000000000000": 0, "0000000000001234": 0x1234} {
		r := NewReader(unhex(t, "00000000 0000000000000000 00002710"+sid+"00000010"+zero16+"00"))
		got := DecodeConnect(&r)
		expect(t, &r, got, ConnectRequest{Timeout: 10000, SessionID: want, Password: make([]byte, 16), HasReadOnly: true})
	}
}

func TestGoldenRequests(t *testing.T) {
	t.Run("create", func(t *testing.T) {
		r := golden(t, "00000032 00000001 00000001"+slashA+"00000001 78 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000", 1, OpCreate)
		got := DecodeCreate(r, OpCreate)
		expect(t, r, got, CreateRequest{Path: "/a", Data: []byte("x"), ACL: open})
	})
	t.Run("exists", func(t *testing.T) {
		r := golden(t, "0000000f 00000003 00000003"+slashB+"01", 3, OpExists)
		got := DecodePathWatch(r)
		expect(t, r, got, PathWatch{Path: "/b", Watch: true})
	})
	t.Run("ping", func(t *testing.T) {
		r := golden(t, "00000008 fffffffe 0000000b", XidPing, OpPing)
		expect(t, r, 0, 0)
	})
	t.Run("auth", func(t *testing.T) {
		r := golden(t, "0000001d fffffffc 00000064 00000000 00000006 646967657374 00000003 753a70", -4, OpAuth)
		got := DecodeAuth(r)
		expect(t, r, got, AuthRequest{"digest", []byte("u:p")})
	})
	t.Run("addWatch", func(t *testing.T) {
		r := golden(t, "00000012 00000009 0000006a"+slashA+"00000001", 9, OpAddWatch)
		got := DecodePathInt(r)
		expect(t, r, got, PathInt{Path: "/a", Value: 1})
	})
	t.Run("delete", func(t *testing.T) {
		r := golden(t, "00000012 0000000b 00000002"+slashA+"ffffffff", 11, OpDelete)
		got := DecodePathVersion(r)
		expect(t, r, got, PathVersion{Path: "/a", Version: -1})
	})
	t.Run("close", func(t *testing.T) {
		r := golden(t, "00000008 0000000c fffffff5", 12, OpCloseSession)
		expect(t, r, 0, 0)
	})
	t.Run("setWatches", func(t *testing.T) {
		r := golden(t, "00000022 fffffff8 00000065 0000000000000001 00000001"+slashA+"00000000 00000000", -8, OpSetWatches)
		if zxid := r.Int64(); zxid != 1 {
			t.Errorf("relative zxid %d", zxid)
		}
		var got []string
		for l := range WatchLists(OpSetWatches) {
			WalkStrings(r, func(s string, _ bool) bool { got = append(got, string('0'+rune(l))+s); return true })
		}
		expect(t, r, got, []string{"0/a"})
	})
	t.Run("multi", func(t *testing.T) {
		r := golden(t, "0000003a 00000008 0000000e  0000000d 00 ffffffff"+slashA+"00000001 "+
			"00000002 00 ffffffff 00000005 2f6e6f7065 ffffffff ffffffff 01 ffffffff", 8, OpMulti)
		if op, done := NextMulti(r); op != OpCheck || done {
			t.Fatalf("first: %d, done %v", op, done)
		}
		if p := DecodePathVersion(r); p != (PathVersion{"/a", false, 1}) {
			t.Errorf("first: %+v", p)
		}
		if op, done := NextMulti(r); op != OpDelete || done {
			t.Fatalf("second: %d, done %v", op, done)
		}
		if p := DecodePathVersion(r); p != (PathVersion{"/nope", false, -1}) {
			t.Errorf("second: %+v", p)
		}
		op, done := NextMulti(r)
		expect(t, r, done && op == -1, true)
	})
}

func TestGoldenReplies(t *testing.T) {
	pw := [PasswordSize]byte{1, 2, 3}
	for _, tt := range []struct {
		name string
		got  []byte
		want string
	}{
		{"connected", AppendConnectResponse(nil, &ConnectResponse{Timeout: 10000, SessionID: 0x100, Password: pw, HasReadOnly: true}),
			"00000025 00000000 00002710 0000000000000100 00000010 010203" + strings.Repeat("00", 13) + "00"},
		{"refused", AppendConnectResponse(nil, &ConnectResponse{HasReadOnly: true}),
			"00000025 00000000 00000000 0000000000000000 00000010" + zero16 + "00"},
		{"refused, to a client without readOnly", AppendConnectResponse(nil, &ConnectResponse{}),
			"00000024 00000000 00000000 0000000000000000 00000010" + zero16},
		{"create", EndReply(AppendString(BeginReply(nil, 1, 2, OK), "/a"), 0),
			"00000016 00000001 0000000000000002 00000000" + slashA},
		{"exists, missing", BeginReply(nil, 3, 3, ErrNoNode), "00000010 00000003 0000000000000003 ffffff9b"},
		{"ping", BeginReply(nil, XidPing, 3, OK), "00000010 fffffffe 0000000000000003 00000000"},
		{"delete, not empty", BeginReply(nil, 11, 7, ErrNotEmpty), "00000010 0000000b 0000000000000007 ffffff91"},
		{"notification", AppendEvent(nil, 4, EventNodeCreated, "/b"),
			"0000001e ffffffff 0000000000000004 00000000 00000001 00000003" + slashB},
		{"notification of setWatches", AppendEvent(nil, -1, EventNodeDataChanged, "/a"),
			"0000001e ffffffff ffffffffffffffff 00000000 00000003 00000003" + slashA},
		{"multi, second fails", EndReply(AppendMultiEnd(AppendMultiError(AppendMultiError(BeginReply(nil, 8, 6, OK), OK), ErrNoNode)), 0),
			"00000033 00000008 0000000000000006 00000000 ffffffff 00 00000000 00000000 ffffffff 00 ffffff9b ffffff9b ffffffff 01 ffffffff"},
		{"multi result of setData", AppendMultiHeader(nil, OpSetData, OK), "00000005 00 00000000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if want := unhex(t, tt.want); !bytes.Equal(tt.got, want) {
				t.Errorf("got  %x\nwant %x", tt.got, want)
			}
		})
	}
}

// Frames follow one another in one buffer: the second must not touch the first.
func TestFramesAppend(t *testing.T) {
	first := AppendEvent(nil, 1, EventNodeDeleted, "/x")
	both := AppendEvent(bytes.Clone(first), 2, EventNodeCreated, "/yy")
	start := len(both)
	both = EndReply(AppendString(BeginReply(both, 1, 2, OK), "/a"), start)
	if !bytes.HasPrefix(both, first) {
		t.Error("the first frame changed")
	}
	for n := 0; len(both) > 0; n++ {
		r := NewReader(both)
		size := int(r.Int32())
		if size > r.Len() || n > 3 {
			t.Fatalf("frame %d of %d bytes in %d", n, size, r.Len())
		}
		both = both[4+size:]
	}
}
