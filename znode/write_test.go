package znode

import (
	"math"
	"slices"
	"testing"

	"zkd/proto/jute"
)

// scene has an open parent, one that only alice may touch, and an ephemeral.
func scene(t testing.TB) *tester {
	x := newTester(t).make("/t", "/t/a", "/t/p", "/t/p/kid")
	x.makeWith("/t/e", "", jute.Ephemeral, open)
	x.as(alice).makeWith("/pr", "", jute.Persistent, private)
	x.makeWith("/pr/x", "", jute.Persistent, private)
	return x.as()
}

// The first check that fails decides.
func TestErrorPrecedence(t *testing.T) {
	create := func(path string, mode jute.CreateMode, acl []jute.ACL) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { _, _, code := x.create(path, "", mode, acl); return code }
	}
	withOp := func(op jute.Op, mode jute.CreateMode, ttl int64) func(x *tester) jute.Code {
		return func(x *tester) jute.Code {
			x.Begin(x.next())
			_, _, code := x.Create(op, &jute.CreateRequest{Path: "/t/new", ACL: open, Mode: mode, TTL: ttl})
			return code
		}
	}
	del := func(path string, v int32) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { return x.del(path, v) }
	}
	set := func(path string, v int32) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { _, code := x.set(path, "", v); return code }
	}
	setACL := func(path string, acl []jute.ACL, v int32) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { _, code := x.setACL(path, acl, v); return code }
	}
	check := func(path string, v int32) func(x *tester) jute.Code {
		return func(x *tester) jute.Code { return x.check(path, v) }
	}
	for _, tt := range []struct {
		name string
		do   func(x *tester) jute.Code
		want jute.Code
	}{
		{"create: bad flags beat a missing parent", create("/none/x", 7, open), jute.ErrBadArguments},
		{"create: negative flags", create("/t/x", -1, open), jute.ErrBadArguments},
		{"create: no slash beats a bad ACL", create("foo", 0, nil), jute.ErrBadArguments},
		{"create: empty path", create("", 0, open), jute.ErrBadArguments},
		{"create: NUL", create("/t/\x00", 0, open), jute.ErrBadArguments},
		{"create: bad ACL beats a missing parent", create("/none/x", 0, nil), jute.ErrInvalidACL},
		{"create: bad ACL beats NoAuth", create("/pr/y", 0, nil), jute.ErrInvalidACL},
		{"create: missing parent", create("/t/none/x", 0, open), jute.ErrNoNode},
		{"create: relative parent", create("foo/bar", 0, open), jute.ErrNoNode},
		{"create: double slash", create("/t//b", 0, open), jute.ErrNoNode},
		{"create: dots above", create("/t/../z", 0, open), jute.ErrNoNode},
		{"create: NoAuth beats NodeExists", create("/pr/x", 0, open), jute.ErrNoAuth},
		{"create: NoAuth beats a bad character", create("/pr/\x01", 0, open), jute.ErrNoAuth},
		{"create: bad character", create("/t/\x01", 0, open), jute.ErrBadArguments},
		{"create: trailing slash", create("/t/", 0, open), jute.ErrBadArguments},
		{"create: dot", create("/t/.", 0, open), jute.ErrBadArguments},
		{"create: root", create("/", 0, open), jute.ErrNodeExists},
		{"create: exists", create("/t/a", 0, open), jute.ErrNodeExists},
		{"create: below an ephemeral", create("/t/e/k", 0, open), jute.ErrNoChildrenForEph},
		{"create: below an ephemeral, sequential", create("/t/e/k", 2, open), jute.ErrNoChildrenForEph},
		{"create: below an ephemeral, bad name", create("/t/e/..", 0, open), jute.ErrBadArguments},
		{"create: below config", create(configPath+"/x", 0, open), jute.ErrNoAuth},
		{"create: below zookeeper", create("/zookeeper/x", 0, open), jute.OK},
		{"create: odd but valid names", create("/t/...", 0, open), jute.OK},
		{"create: TTL mode with another opcode", withOp(jute.OpCreate, 5, 5), jute.ErrBadArguments},
		{"createTTL: another mode", withOp(jute.OpCreateTTL, 0, 5), jute.ErrBadArguments},
		{"createTTL: another mode, negative ttl", withOp(jute.OpCreateTTL, 0, -5), jute.ErrBadArguments},
		{"createTTL: ttl 0", withOp(jute.OpCreateTTL, 5, 0), jute.ErrBadArguments},
		{"createTTL: ttl -1", withOp(jute.OpCreateTTL, 5, -1), jute.ErrBadArguments},
		{"createTTL: longest", withOp(jute.OpCreateTTL, 5, 0xFFFFFFFFFF), jute.OK},
		{"createTTL: too long", withOp(jute.OpCreateTTL, 5, 0x10000000000), jute.ErrBadArguments},
		{"createTTL: switched off", func(x *tester) jute.Code {
			x.tx.TTLNodes = false
			return withOp(jute.OpCreateTTL, 5, 0)(x)
		}, jute.ErrUnimplemented},
		{"create: null ACL", func(x *tester) jute.Code {
			x.Begin(x.next())
			_, _, code := x.Create(jute.OpCreate, &jute.CreateRequest{Path: "/none/x", NullACL: true})
			return code
		}, jute.ErrInvalidACL},
		{"delete: no slash", del("nos", -1), jute.ErrBadArguments},
		{"delete: system znode", del(quotaPath, 7), jute.ErrBadArguments},
		{"delete: root", del("/", -1), jute.ErrBadArguments},
		{"delete: missing parent", del("/t/none/x", -1), jute.ErrNoNode},
		{"delete: NoAuth beats NoNode of the child", del("/pr/none", -1), jute.ErrNoAuth},
		{"delete: NoAuth beats BadVersion", del("/pr/x", 7), jute.ErrNoAuth},
		{"delete: missing", del("/t/none", -1), jute.ErrNoNode},
		{"delete: BadVersion beats NotEmpty", del("/t/p", 7), jute.ErrBadVersion},
		{"delete: not empty", del("/t/p", 0), jute.ErrNotEmpty},
		{"delete: version -2", del("/t/a", -2), jute.ErrBadVersion},
		{"delete: doubled first slash is another path", del("//t", -1), jute.ErrNoNode},
		{"delete: trailing slash", del("/t/a/", -1), jute.ErrNoNode},
		{"delete: somebody else's ephemeral", func(x *tester) jute.Code { x.tx.Session++; return x.del("/t/e", -1) }, jute.OK},
		{"setData: bad path beats NoNode", set("/t/", -1), jute.ErrBadArguments},
		{"setData: missing, bad version", set("/none", 9), jute.ErrNoNode},
		{"setData: NoAuth beats BadVersion", set("/pr", 9), jute.ErrNoAuth},
		{"setData: bad version", set("/t/a", 9), jute.ErrBadVersion},
		{"setData: version -2", set("/t/a", -2), jute.ErrBadVersion},
		{"setData: root", set("/", -1), jute.OK},
		{"setData: config", set(configPath, -1), jute.ErrNoAuth},
		{"setACL: bad path beats a bad ACL", setACL("nos", nil, -1), jute.ErrBadArguments},
		{"setACL: bad ACL beats NoNode", setACL("/none", nil, -1), jute.ErrInvalidACL},
		{"setACL: bad ACL beats NoAuth", setACL("/pr", nil, -1), jute.ErrInvalidACL},
		{"setACL: missing", setACL("/none", open, -1), jute.ErrNoNode},
		{"setACL: NoAuth beats BadVersion", setACL("/pr", open, 9), jute.ErrNoAuth},
		{"setACL: bad version", setACL("/t/a", open, 9), jute.ErrBadVersion},
		{"check: bad path", check("/t/", 0), jute.ErrBadArguments},
		{"check: missing", check("/none", -1), jute.ErrNoNode},
		{"check: NoAuth beats BadVersion", check("/pr", 9), jute.ErrNoAuth},
		{"check: bad version", check("/t/a", 1), jute.ErrBadVersion},
		{"check: any version", check("/t/a", -1), jute.OK},
	} {
		t.Run(tt.name, func(t *testing.T) {
			x := scene(t)
			before := x.fingerprint()
			x.want("result", tt.do(x), tt.want)
			if tt.want != jute.OK && (x.fingerprint() != before || len(x.Changes()) > 0) {
				t.Error("a refused operation left a trace")
			}
		})
	}
}

func TestStatEffects(t *testing.T) {
	x := newTester(t).make("/t") // zxid 1
	_, got, _ := x.create("/t/a", "data", jute.Persistent, open)
	if want := (jute.Stat{Czxid: 2, Mzxid: 2, Pzxid: 2, Ctime: 2000, Mtime: 2000, DataLength: 4}); got != want || x.stat("/t/a") != want {
		t.Errorf("created: %+v", got)
	}
	parent := jute.Stat{Czxid: 1, Mzxid: 1, Ctime: 1000, Mtime: 1000, Pzxid: 2, Cversion: 1, NumChildren: 1}
	if got := x.stat("/t"); got != parent {
		t.Errorf("parent after create: %+v", got)
	}
	got, _ = x.set("/t/a", "data", 0)
	if want := (jute.Stat{Czxid: 2, Mzxid: 3, Pzxid: 2, Ctime: 2000, Mtime: 3000, Version: 1, DataLength: 4}); got != want || x.stat("/t/a") != want {
		t.Errorf("set to the same: %+v", got)
	}
	got, _ = x.setACL("/t/a", worldACL(31), 0)
	if want := (jute.Stat{Czxid: 2, Mzxid: 3, Pzxid: 2, Ctime: 2000, Mtime: 3000, Version: 1, Aversion: 1, DataLength: 4}); got != want || x.stat("/t/a") != want {
		t.Errorf("ACL set: %+v", got)
	}
	if got := x.stat("/t"); got != parent {
		t.Errorf("parent after set: %+v", got)
	}
	x.want("delete", x.del("/t/a", 1), jute.OK)
	parent.Pzxid, parent.Cversion, parent.NumChildren = 5, 2, 0
	if got := x.stat("/t"); got != parent {
		t.Errorf("parent after delete: %+v", got)
	}
}

func TestNewTree(t *testing.T) {
	x := newTester(t)
	for path, want := range map[string]jute.Stat{
		"/": {Cversion: -1, NumChildren: 1}, "/zookeeper": {Cversion: -2, NumChildren: 2},
		quotaPath: {}, configPath: {Aversion: -1},
	} {
		if got := x.stat(path); got != want {
			t.Errorf("%s: %+v", path, got)
		}
		if d := x.data(path); d == nil || len(d) > 0 {
			t.Errorf("%s: data %#v", path, d)
		}
	}
	if got := children(t, x.Tree, "/zookeeper"); !slices.Equal(got, []string{"config", "quota"}) {
		t.Errorf("children %q", got)
	}
}

func TestNullDataIsNotEmptyData(t *testing.T) {
	x := newTester(t).make("/a")
	for _, path := range []string{"/a", "/"} {
		for _, data := range [][]byte{nil, {}, []byte("x"), nil, {}} {
			x.Begin(x.next())
			x.SetData(path, data, -1)
			if got := x.data(path); (got == nil) != (data == nil) || string(got) != string(data) {
				t.Errorf("%s: set %#v, got %#v", path, data, got)
			}
		}
	}
}

func TestVersionsSkipMinusOne(t *testing.T) {
	x := newTester(t).make("/a")
	for _, tt := range [][2]int32{{0, 1}, {math.MaxInt32, math.MinInt32}, {-3, -2}, {-2, 0}} {
		x.poke("/a", func(n *node, e *extra) { n.version, e.aversion = tt[0], tt[0] })
		s, _ := x.set("/a", "", tt[0])
		a, _ := x.setACL("/a", open, tt[0])
		if s.Version != tt[1] || a.Aversion != tt[1] {
			t.Errorf("after %d: %d and %d, want %d", tt[0], s.Version, a.Aversion, tt[1])
		}
	}
}

func TestSequentialNames(t *testing.T) {
	x := newTester(t).make("/t")
	seq := func(want string, code jute.Code) {
		t.Helper()
		got, _, c := x.create("/t/n", "", jute.PersistentSequential, open)
		if got != want || c != code {
			t.Errorf("got %q, %v; want %q, %v", got, c, want, code)
		}
	}
	seq("/t/n0000000000", jute.OK)
	seq("/t/n0000000001", jute.OK)
	x.del("/t/n0000000000", -1)
	x.set("/t", "x", -1)
	x.setACL("/t", open, -1)
	seq("/t/n0000000002", jute.OK)
	x.make("/t/n0000000002/deep") // a grandchild counts elsewhere
	x.create("/t/n0000000002", "", 0, open)
	seq("/t/n0000000003", jute.OK)
	x.make("/t/n0000000005") // the fifth child, so the next number is 5
	seq("", jute.ErrNodeExists)
	seq("", jute.ErrNodeExists)
	x.make("/t/other")
	seq("/t/n0000000006", jute.OK)
	if got := x.makeWith("/t/", "", jute.PersistentSequential, open); got != "/t/0000000007" {
		t.Errorf("after a slash: %q", got)
	}
}

func TestSequenceStopsAtItsEnd(t *testing.T) {
	x := newTester(t).make("/t")
	x.poke("/t", func(_ *node, e *extra) { e.created = math.MaxInt32 })
	if got := x.makeWith("/t/n", "", jute.PersistentSequential, open); got != "/t/n2147483647" {
		t.Errorf("got %q", got)
	}
	before := x.stat("/t")
	if _, _, code := x.create("/t/n", "", jute.PersistentSequential, open); code != jute.ErrNodeExists {
		t.Errorf("got %v", code)
	}
	x.make("/t/plain")
	if got := x.stat("/t"); got.Pzxid != before.Pzxid || got.NumChildren != 2 {
		t.Errorf("parent %+v, before %+v", got, before)
	}
}

func TestListLimit(t *testing.T) {
	x := newTester(t).make("/t")
	x.tx.ListLimit = jute.ReplyHeaderSize + 4 + jute.StatSize + 2*(4+3)
	x.make("/t/abc", "/t/def")
	if _, _, code := x.create("/t/g", "", 0, open); code != jute.ErrBadArguments {
		t.Errorf("got %v", code)
	}
	x.del("/t/abc", -1)
	x.make("/t/ghi")
}

func TestCloseSessionTakesItsEphemerals(t *testing.T) {
	x := newTester(t).make("/t")
	mine, other := x.tx.Session, x.tx.Session+1
	for _, path := range []string{"/t/b", "/t/a", "/c"} {
		x.makeWith(path, "", jute.Ephemeral, open)
	}
	x.tx.Session = other
	x.makeWith("/t/other", "", jute.EphemeralSequential, open)
	if got := x.Ephemerals(mine); !slices.Equal(got, []string{"/c", "/t/a", "/t/b"}) {
		t.Errorf("ephemerals %q", got)
	}
	if got := decodeStrings(t, x.AppendEphemerals(nil, mine, "/t/")); !slices.Equal(got, []string{"/t/a", "/t/b"}) {
		t.Errorf("below /t/: %q", got)
	}
	for _, all := range []string{"", " ", "/"} {
		if got := decodeStrings(t, x.AppendEphemerals(nil, mine, all)); len(got) != 3 {
			t.Errorf("%q: %q", all, got)
		}
	}
	tx := x.next()
	x.Begin(tx)
	x.CloseSession(mine)
	var gone []string
	for _, c := range x.Changes() {
		gone = append(gone, c.Path)
		if c.Type != jute.EventNodeDeleted {
			t.Errorf("%s: %v", c.Path, c.Type)
		}
	}
	if !slices.Equal(gone, []string{"/c", "/t/a", "/t/b"}) || x.stat("/t").Pzxid != tx.Zxid || x.stat("/").Pzxid != tx.Zxid {
		t.Errorf("gone %q", gone)
	}
	if c := x.Counts(); c.Ephemerals != 1 || c.Sessions != 1 {
		t.Errorf("counts %+v", c)
	}
}

func TestDue(t *testing.T) {
	x := newTester(t)
	box := func(path string) { x.makeOp(jute.OpCreateContainer, request(path, "", 0, open)) }
	ttl := func(path string, ms int64) {
		c := request(path, "", jute.PersistentTTL, open)
		c.TTL = ms
		x.makeOp(jute.OpCreateTTL, c)
	}
	box("/used")
	x.make("/used/x")
	x.del("/used/x", -1)
	box("/full")
	x.make("/full/x")
	box("/unused")
	ttl("/short", 1500)
	ttl("/long", 1<<39)
	ttl("/parent", 1)
	x.make("/parent/x")
	for _, path := range []string{"/used", "/short"} {
		if s := x.stat(path); s.EphemeralOwner != 0 {
			t.Errorf("%s is owned by %#x", path, s.EphemeralOwner)
		}
	}
	at := x.stat("/short").Mtime
	due := func(now, neverUsed int64) (paths []string) {
		for _, d := range x.Due(now, neverUsed, 100) {
			paths = append(paths, d.Path)
		}
		slices.Sort(paths)
		return paths
	}
	unused := x.stat("/unused").Mtime
	for _, tt := range []struct {
		now, neverUsed int64
		want           []string
	}{
		{at + 1500, 0, []string{"/used"}},
		{at + 1501, 0, []string{"/short", "/used"}},
		{unused + 100, 100, []string{"/used"}},
		{unused + 101, 100, []string{"/unused", "/used"}},
	} {
		if got := due(tt.now, tt.neverUsed); !slices.Equal(got, tt.want) {
			t.Errorf("at %d, %d: got %q, want %q", tt.now, tt.neverUsed, got, tt.want)
		}
	}
	if got := x.Due(at+5000, 1, 1); len(got) != 1 {
		t.Errorf("limit 1: %v", got)
	}
	// What changed since it was due stays.
	d := Due{"/short", x.stat("/short").Mzxid}
	x.set("/short", "new", -1)
	x.Begin(x.next())
	x.want("renewed", x.DeleteContainer(d.Path, d.Mzxid), jute.ErrBadVersion)
	x.want("full", x.DeleteContainer("/full", x.stat("/full").Mzxid), jute.ErrNotEmpty)
	x.want("plain", x.DeleteContainer("/full/x", x.stat("/full/x").Mzxid), jute.ErrBadVersion)
	x.want("missing", x.DeleteContainer("/none", 1), jute.ErrNoNode)
	x.want("used", x.DeleteContainer("/used", x.stat("/used").Mzxid), jute.OK)
	if x.exists("/used") {
		t.Error("/used is still there")
	}
}
