package znode

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"zkd/proto/jute"
)

func acl1(scheme, id string) []jute.ACL {
	return []jute.ACL{{Perms: 31, ID: jute.ID{Scheme: scheme, ID: id}}}
}

func TestFixACL(t *testing.T) {
	bob := jute.ID{Scheme: "digest", ID: "bob:i"}
	for _, tt := range []struct {
		name string
		in   []jute.ACL
		who  []jute.ID
		want []jute.ACL // nil: InvalidACL
	}{
		{"none", nil, nil, nil},
		{"open", open, nil, open},
		{"world of somebody", acl1("world", "x"), nil, nil},
		{"unknown scheme", acl1("foo", "x"), nil, nil},
		{"super", acl1("super", ""), []jute.ID{super}, nil},
		{"no scheme", acl1("", ""), nil, nil},
		{"digest", acl1("digest", "u:h"), nil, acl1("digest", "u:h")},
		{"digest without a user", acl1("digest", ":b"), nil, acl1("digest", ":b")},
		{"digest with a colon behind", acl1("digest", "a:b:"), nil, acl1("digest", "a:b:")},
		{"digest without a colon", acl1("digest", "x"), nil, nil},
		{"digest without a hash", acl1("digest", "a:"), nil, nil},
		{"digest of three", acl1("digest", "a:b:c"), nil, nil},
		{"digest of a colon", acl1("digest", ":"), nil, nil},
		{"ip", acl1("ip", "127.0.0.1"), nil, acl1("ip", "127.0.0.1")},
		{"ip with bits", acl1("ip", "10.0.0.0/8"), nil, acl1("ip", "10.0.0.0/8")},
		{"ip with all bits", acl1("ip", "0.0.0.0/0"), nil, acl1("ip", "0.0.0.0/0")},
		{"ip of three parts", acl1("ip", "1.2.3"), nil, nil},
		{"ip with 33 bits", acl1("ip", "1.2.3.4/33"), nil, nil},
		{"ip with negative bits", acl1("ip", "1.2.3.4/-1"), nil, nil},
		{"ip with a slash only", acl1("ip", "127.0.0.1/"), nil, nil},
		{"ip of a host name", acl1("ip", "localhost"), nil, nil},
		{"ipv6", acl1("ip", "::1"), nil, acl1("ip", "::1")},
		{"ipv6 with bits", acl1("ip", "fe80::/10"), nil, acl1("ip", "fe80::/10")},
		{"ipv6 with a zone", acl1("ip", "fe80::1%eth0"), nil, nil},
		{"auth of nobody", acl1("auth", ""), nil, nil},
		{"auth of an address", acl1("auth", ""), []jute.ID{loopback}, nil},
		{"auth of super alone", acl1("auth", ""), []jute.ID{super}, nil},
		{"auth ignores its id", acl1("auth", "whatever"), []jute.ID{loopback, alice}, acl1("digest", "u:h")},
		{"auth of super with digest", acl1("auth", ""), []jute.ID{super, alice}, acl1("digest", "u:h")},
		{"auth of two", acl1("auth", ""), []jute.ID{alice, bob}, append(acl1("digest", "u:h"), acl1("digest", "bob:i")...)},
		{"one bad entry", append(acl1("digest", "a:b"), acl1("foo", "x")...), nil, nil},
		{"duplicates", slices.Concat(open, private, open, private), nil, slices.Concat(open, private)},
		{"other perms are no duplicate", slices.Concat(worldACL(1), worldACL(2)), nil, slices.Concat(worldACL(1), worldACL(2))},
		{"unknown bits", worldACL(255), nil, worldACL(255)},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, code := fixACL(slices.Clone(tt.in), tt.who)
			if !slices.Equal(got, tt.want) || (code == jute.OK) != (tt.want != nil) || code != jute.OK && code != jute.ErrInvalidACL {
				t.Errorf("got %v, %v", got, code)
			}
		})
	}
}

// A null text is an invalid entry where ZooKeeper looks at it, and a malformed request where it dereferences it: there it
// compares an entry with an earlier one, first the permissions, then the scheme, then the id.
func TestNullTextsInACLs(t *testing.T) {
	const null = jute.NullText
	entry := func(perms int32, scheme, id string) jute.ACL {
		return jute.ACL{Perms: perms, ID: jute.ID{Scheme: scheme, ID: id}}
	}
	for _, tt := range []struct {
		list []jute.ACL
		want jute.Code
	}{
		{[]jute.ACL{entry(31, null, "x")}, jute.ErrInvalidACL},
		{[]jute.ACL{entry(31, null, "x"), entry(31, "world", "anyone")}, jute.ErrInvalidACL},
		{[]jute.ACL{entry(31, "world", "anyone"), entry(31, null, "x")}, jute.ErrMarshalling},
		{[]jute.ACL{entry(31, "world", "anyone"), entry(30, null, "x")}, jute.ErrInvalidACL},
		{[]jute.ACL{entry(31, null, "x"), entry(31, null, "y")}, jute.ErrMarshalling},
		{[]jute.ACL{entry(30, null, null), entry(31, null, null)}, jute.ErrInvalidACL},
		{[]jute.ACL{entry(31, "foo", "x"), entry(1, "world", "anyone"), entry(31, null, "x")}, jute.ErrMarshalling},
		{[]jute.ACL{entry(31, "digest", null)}, jute.ErrMarshalling},
		{[]jute.ACL{entry(31, "foo", null)}, jute.ErrInvalidACL},
		{[]jute.ACL{entry(31, "foo", "x"), entry(31, "foo", null)}, jute.ErrMarshalling},
		{[]jute.ACL{entry(31, "auth", null)}, jute.OK},
		{[]jute.ACL{entry(31, "auth", null), entry(31, "auth", "x")}, jute.OK},
		{[]jute.ACL{entry(31, "auth", "x"), entry(31, "auth", null)}, jute.ErrMarshalling},
		{[]jute.ACL{entry(31, "auth", "x"), entry(1, "auth", null)}, jute.OK},
	} {
		if _, code := fixACL(slices.Clone(tt.list), []jute.ID{alice}); code != tt.want {
			t.Errorf("%q: %v, want %v", tt.list, code, tt.want)
		}
	}
}

// A frame holds tens of thousands of entries, and this is the apply loop.
func TestLongACLListsAreNotQuadratic(t *testing.T) {
	list := make([]jute.ACL, 0, 60_000)
	for i := range cap(list) {
		list = append(list, jute.ACL{Perms: int32(i), ID: jute.ID{Scheme: "digest", ID: ":b"}})
	}
	done := make(chan int)
	go func() { got, _ := fixACL(slices.Concat(list, list), nil); done <- len(got) }()
	select {
	case n := <-done:
		if n != len(list) {
			t.Errorf("%d entries", n)
		}
	case <-time.After(20 * time.Second): // several minutes if it were
		t.Error("still at it")
	}
}

func TestPermissions(t *testing.T) {
	x := newTester(t)
	for perms := range int32(32) {
		path := fmt.Sprintf("/p%d", perms)
		x.makeWith(path, "", jute.Persistent, open)
		x.make(path + "/kid")
		x.setACL(path, worldACL(perms), -1)
		may := map[string]jute.Code{}
		_, may["read"] = x.AppendData(nil, path, &Actor{})
		_, may["exists"] = x.AppendStat(nil, path, &Actor{})
		_, may["list"] = x.AppendChildren(nil, path, true, &Actor{})
		_, may["count"] = x.AppendDescendants(nil, path, &Actor{})
		may["check"] = x.check(path, -1)
		_, may["write"] = x.set(path, "x", -1)
		_, _, may["create"] = x.create(path+"/new", "", 0, open)
		may["delete"] = x.del(path+"/kid", -1)
		_, may["getACL"] = x.AppendACL(nil, path, &Actor{})
		_, may["setACL"] = x.setACL(path, worldACL(perms), -1)
		for what, need := range map[string]int32{
			"read": 1, "exists": 1, "list": 1, "count": 1, "check": 1, "write": 2, "create": 4, "delete": 8, "setACL": 16, "getACL": 17,
		} {
			if want := perms&need != 0; (may[what] == jute.OK) != want || !want && may[what] != jute.ErrNoAuth {
				t.Errorf("perms %d: %s gives %v", perms, what, may[what])
			}
		}
	}
}

func TestWhoMatches(t *testing.T) {
	x := newTester(t)
	ip := func(a string) jute.ID { return jute.ID{Scheme: "ip", ID: a} }
	for _, tt := range []struct {
		acl  []jute.ACL
		who  Actor
		want bool
	}{
		{private, Actor{}, false}, {private, Actor{IDs: []jute.ID{alice}}, true},
		{private, Actor{IDs: []jute.ID{{Scheme: "digest", ID: "u:x"}}}, false},
		{private, Actor{IDs: []jute.ID{{Scheme: "ip", ID: "u:h"}}}, false},
		{private, Actor{IDs: []jute.ID{super}}, true}, {private, Actor{SkipACL: true}, true},
		{worldACL(0), Actor{IDs: []jute.ID{alice}}, false}, {worldACL(0), Actor{IDs: []jute.ID{super}}, true},
		{acl1("ip", "127.0.0.0/8"), Actor{IDs: []jute.ID{ip("127.1.2.3")}}, true},
		{acl1("ip", "10.0.0.1/8"), Actor{IDs: []jute.ID{ip("127.0.0.1")}}, false},
		{acl1("ip", "10.0.0.1/8"), Actor{IDs: []jute.ID{ip("10.9.9.9")}}, true},
		{acl1("ip", "0.0.0.0/0"), Actor{IDs: []jute.ID{ip("8.8.8.8")}}, true},
		{acl1("ip", "0.0.0.0/0"), Actor{IDs: []jute.ID{ip("::1")}}, false},
		{acl1("ip", "fe80::/10"), Actor{IDs: []jute.ID{ip("fe80::1%eth0")}}, true},
		{acl1("ip", "127.0.0.1"), Actor{IDs: []jute.ID{ip("::ffff:127.0.0.1")}}, true},
	} {
		id := ACL(x.acls.acquire(tt.acl))
		if got := x.Readable(id, &tt.who); got != tt.want {
			t.Errorf("%v for %+v: %v", tt.acl, tt.who, got)
		}
		x.acls.release(aclID(id))
	}
}

func TestGetACLHidesHashes(t *testing.T) {
	x := newTester(t)
	x.makeWith("/read", "", 0, slices.Concat(worldACL(1), digestACL(31, "bob:h")))
	x.makeWith("/admin", "", 0, slices.Concat(worldACL(16), digestACL(31, "bob:h")))
	for path, want := range map[string]string{"/read": "bob:x", "/admin": "bob:h"} {
		b, code := x.AppendACL(nil, path, &Actor{})
		r := jute.NewReader(b)
		list, _ := jute.DecodeACLs(&r)
		if code != jute.OK || len(list) != 2 || list[1].ID.ID != want || r.Len() != jute.StatSize {
			t.Errorf("%s: %v, %v", path, list, code)
		}
	}
	if got := dump(x.Tree); got != x.fingerprint() || len(x.acls.lists) == 0 {
		t.Error("masking changed what is stored")
	}
}
