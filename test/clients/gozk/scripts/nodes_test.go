package gozk

import (
	"fmt"
	"os"
	"reflect"
	"sort"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

func TestCreateSetDelete(t *testing.T) {
	c := client(t)
	path := node(t, c, "0")
	_, err := c.Create(path, nil, 0, world)
	wantErr(t, "create twice", err, zk.ErrNodeExists)
	_, err = c.Create(path+"/no/parent", nil, 0, world)
	wantErr(t, "create without parent", err, zk.ErrNoNode)
	_, err = c.Set(path, nil, 3)
	wantErr(t, "set of another version", err, zk.ErrBadVersion)
	create(t, c, path+"/x", "", 0)
	wantErr(t, "delete with children", c.Delete(path, -1), zk.ErrNotEmpty)
	wantErr(t, "delete of another version", c.Delete(path+"/x", 3), zk.ErrBadVersion)
	wantErr(t, "delete", c.Delete(path+"/x", 0), nil)
	wantErr(t, "delete twice", c.Delete(path+"/x", 0), zk.ErrNoNode)
}

func TestSequences(t *testing.T) {
	c := client(t)
	path := node(t, c, "")
	for i := range 3 {
		want := fmt.Sprintf("%s/s-%010d", path, i)
		if got := create(t, c, path+"/s-", "", zk.FlagSequence); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	children, stat, err := c.Children(path)
	sort.Strings(children)
	want := []string{"s-0000000000", "s-0000000001", "s-0000000002"}
	if err != nil || !reflect.DeepEqual(children, want) || stat.NumChildren != 3 || stat.Cversion != 3 {
		t.Errorf("%v %+v %v", children, stat, err)
	}
}

// A container goes after its last child has gone, not before it had one.
func TestContainer(t *testing.T) {
	c := client(t)
	path := node(t, c, "") + "/c"
	if _, err := c.CreateContainer(path, nil, zk.FlagContainer, world); err != nil {
		t.Fatal(err)
	}
	create(t, c, path+"/x", "", 0)
	if there, _, err := c.Exists(path); err != nil || !there {
		t.Fatal(there, err)
	}
	wantErr(t, "delete", c.Delete(path+"/x", -1), nil)
	gone(t, c, path)
}

func TestTTL(t *testing.T) {
	c := client(t)
	path := node(t, c, "")
	if _, err := c.CreateTTL(path+"/short", nil, zk.FlagTTL, world, 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	if _, err := c.CreateTTL(path+"/long", nil, zk.FlagTTL, world, time.Hour); err != nil {
		t.Fatal(err)
	}
	p, err := c.CreateTTL(path+"/seq-", nil, zk.FlagPersistentSequentialWithTTL, world, time.Hour)
	if want := path + "/seq-0000000002"; err != nil || p != want {
		t.Errorf("got %s %v, want %s", p, err, want)
	}
	gone(t, c, path+"/short")
	wantData(t, c, path+"/long", "")
}

func TestMultiDoesAllOrNothing(t *testing.T) {
	c := client(t)
	path := node(t, c, "0")
	res, err := c.Multi(
		&zk.CreateRequest{Path: path + "/a", Data: []byte("1"), Acl: world},
		&zk.SetDataRequest{Path: path + "/a", Data: []byte("2"), Version: 0},
		&zk.CheckVersionRequest{Path: path, Version: 0},
		&zk.DeleteRequest{Path: path + "/a", Version: 1},
		&zk.CreateRequest{Path: path + "/s-", Acl: world, Flags: zk.FlagSequence},
	)
	if err != nil || len(res) != 5 || res[0].String != path+"/a" || res[1].Stat.Version != 1 ||
		res[4].String != path+"/s-0000000001" {
		t.Fatalf("%+v %v", res, err)
	}
	res, err = c.Multi(
		&zk.CreateRequest{Path: path + "/b", Acl: world},
		&zk.SetDataRequest{Path: path, Data: []byte("no"), Version: 7},
	)
	wantErr(t, "multi", err, zk.ErrBadVersion)
	if len(res) != 2 || res[1].Error != zk.ErrBadVersion {
		t.Errorf("results %+v", res)
	}
	if there, _, _ := c.Exists(path + "/b"); there {
		t.Error("one operation of a failed multi was done")
	}
	wantData(t, c, path, "0")
}

func TestDigestACL(t *testing.T) {
	c, owner := client(t), client(t)
	path := node(t, c, "") + "/x"
	if err := owner.AddAuth("digest", []byte("user:pass")); err != nil {
		t.Fatal(err)
	}
	acl := zk.DigestACL(zk.PermAll, "user", "pass")
	if _, err := owner.Create(path, []byte("1"), 0, acl); err != nil {
		t.Fatal(err)
	}
	_, _, err := synced(t, c).Get(path)
	wantErr(t, "get", err, zk.ErrNoAuth)
	_, err = c.Set(path, nil, -1)
	wantErr(t, "set", err, zk.ErrNoAuth)
	_, err = c.Create(path+"/y", nil, 0, world)
	wantErr(t, "create", err, zk.ErrNoAuth)
	wantData(t, owner, path, "1")
	got, stat, err := owner.GetACL(path)
	if err != nil || !reflect.DeepEqual(got, acl) || stat.Aversion != 0 {
		t.Errorf("getACL: %v %+v %v", got, stat, err)
	}
	_, err = owner.SetACL(path, world, 7)
	wantErr(t, "setACL of another version", err, zk.ErrBadVersion)
	_, err = owner.SetACL(path, []zk.ACL{{Perms: zk.PermAll, Scheme: "nosuch", ID: "x"}}, 0)
	wantErr(t, "setACL of no such scheme", err, zk.ErrInvalidACL)
	if stat, err := owner.SetACL(path, world, 0); err != nil || stat.Aversion != 1 {
		t.Errorf("setACL: %+v %v", stat, err)
	}
	wantData(t, c, path, "1")
}

// The client repeats its credentials on a new connection.
func TestAuthSurvivesReconnect(t *testing.T) {
	c := client(t)
	owner, events := connect(t, os.Getenv("ZK_PROXY"), 10*time.Second)
	path := node(t, c, "") + "/x"
	if err := owner.AddAuth("digest", []byte("user:pass")); err != nil {
		t.Fatal(err)
	}
	if _, err := owner.Create(path, []byte("1"), 0, zk.DigestACL(zk.PermAll, "user", "pass")); err != nil {
		t.Fatal(err)
	}
	proxy(t, "drop")
	state(t, events, zk.StateDisconnected)
	state(t, events, zk.StateHasSession)
	wantData(t, owner, path, "1")
}

func TestBadAuthSchemeFails(t *testing.T) {
	wantErr(t, "addAuth", client(t).AddAuth("nosuch", []byte("x")), zk.ErrAuthFailed)
}

func TestServerWords(t *testing.T) {
	addrs := strings.Split(os.Getenv("ZK_HOSTS"), ",")
	for i, ok := range zk.FLWRuok(addrs, patience) {
		if !ok {
			t.Errorf("ruok of %s", addrs[i])
		}
	}
}
