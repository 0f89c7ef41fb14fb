package wire

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
)

// Frames as they stood on the wire between a client and a real ZooKeeper.
var requestFrames = []struct {
	name string
	xid  int32
	op   Op
	body Body
	want string
}{
	{"create", 1, OpCreate, Create{Path: "/a", Data: []byte("x"), ACL: OpenACL},
		"00000032 00000001 00000001 00000002 2f61 00000001 78 00000001 0000001f 00000005 776f726c64 00000006 616e796f6e65 00000000"},
	{"exists", 3, OpExists, PathWatch{"/b", true}, "0000000f 00000003 00000003 00000002 2f62 01"},
	{"ping", -2, OpPing, nil, "00000008 fffffffe 0000000b"},
	{"auth", -4, OpAuth, Auth{Scheme: "digest", Data: []byte("u:p")},
		"0000001d fffffffc 00000064 00000000 00000006 646967657374 00000003 753a70"},
	{"multi", 8, OpMulti, Multi{Ops: []SubOp{{OpCheck, PathVersion{"/a", 1}}, {OpDelete, PathVersion{"/nope", -1}}}},
		"0000003a 00000008 0000000e 0000000d 00 ffffffff 00000002 2f61 00000001" +
			"00000002 00 ffffffff 00000005 2f6e6f7065 ffffffff ffffffff 01 ffffffff"},
	{"setWatches", -8, OpSetWatches, SetWatches{1, []string{"/a"}, []string{}, []string{}},
		"00000022 fffffff8 00000065 0000000000000001 00000001 00000002 2f61 00000000 00000000"},
	{"addWatch", 9, OpAddWatch, PathType{"/a", 1}, "00000012 00000009 0000006a 00000002 2f61 00000001"},
	{"delete", 11, OpDelete, PathVersion{"/a", -1}, "00000012 0000000b 00000002 00000002 2f61 ffffffff"},
	{"close", 12, OpClose, nil, "00000008 0000000c fffffff5"},
	{"null path", 1, OpSync, Path(Null), "0000000c 00000001 00000009 ffffffff"},
}

func TestRequestFrames(t *testing.T) {
	for _, r := range requestFrames {
		got := hex.EncodeToString(Frame(Payload(r.xid, r.op, r.body)))
		if want := strings.ReplaceAll(r.want, " ", ""); got != want {
			t.Errorf("%s:\n got %s\nwant %s", r.name, got, want)
		}
	}
}

func TestConnectFrames(t *testing.T) {
	no := false
	req := ConnectRequest{TimeoutMs: 10000, Password: make([]byte, 16), ReadOnly: &no}
	zeros := strings.Repeat("00", 16)
	if got, want := hex.EncodeToString(Frame(req.Payload())),
		"0000002d"+"00000000"+"0000000000000000"+"00002710"+"0000000000000000"+"00000010"+zeros+"00"; got != want {
		t.Errorf("request\n got %s\nwant %s", got, want)
	}
	resp, err := decodeConnect(unhex(t, "00000000 00002710 0000000000001234 00000010"+zeros))
	if err != nil || resp.TimeoutMs != 10000 || resp.Session != 0x1234 || resp.ReadOnly != nil || resp.Size != 36 {
		t.Errorf("response %+v, %v", resp, err)
	}
}

func TestReplies(t *testing.T) {
	rep, err := decodeReply(unhex(t, "00000001 0000000000000002 00000000 00000002 2f61"), OpCreate)
	if err != nil || rep.Xid != 1 || rep.Zxid != 2 || rep.Err != 0 || *rep.Path != "/a" {
		t.Errorf("create: %+v, %v", rep, err)
	}
	rep, err = decodeReply(unhex(t, "00000003 0000000000000003 ffffff9b"), OpExists)
	if err != nil || rep.Err.String() != "NoNode" || rep.Stat != nil {
		t.Errorf("exists: %+v, %v", rep, err)
	}
	rep, err = decodeReply(unhex(t, "00000008 0000000000000006 00000000 ffffffff 00 00000000 00000000"+
		"ffffffff 00 ffffff9b ffffff9b ffffffff 01 ffffffff"), OpMulti)
	want := []Result{{Type: -1}, {Type: -1, Err: -101, Code: -101}}
	if err != nil || !reflect.DeepEqual(rep.Results, want) {
		t.Errorf("multi: %+v, %v", rep, err)
	}
	ev, err := decodeEvent(unhex(t, "ffffffff 0000000000000004 00000000 00000001 00000003 00000002 2f62"))
	if err != nil || *ev != (Event{Zxid: 4, Type: 1, State: 3, Path: "/b"}) {
		t.Errorf("event: %+v, %v", ev, err)
	}
}

// Whatever a broken server sends ends in an error, not in a panic or in a huge allocation.
func TestBrokenReplies(t *testing.T) {
	for _, op := range []Op{OpGetData, OpGetChildren2, OpGetACL, OpMulti, OpWhoAmI, OpCreate2} {
		for _, body := range []string{"", "7fffffff", "80000000", "00000001"} {
			if _, err := decodeReply(unhex(t, "00000001 0000000000000002 00000000"+body), op); err == nil {
				t.Errorf("op %d, body %q: no error", op, body)
			}
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
