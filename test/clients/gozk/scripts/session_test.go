package gozk

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

func TestSessionIsReattached(t *testing.T) {
	other := client(t)
	c, events := connect(t, os.Getenv("ZK_PROXY"), 10*time.Second)
	path := node(t, other, "") + "/e"
	create(t, c, path, "", zk.FlagEphemeral)
	session := c.SessionID()
	proxy(t, "drop")
	state(t, events, zk.StateDisconnected)
	state(t, events, zk.StateHasSession)
	if c.SessionID() != session {
		t.Errorf("session %#x, want %#x", c.SessionID(), session)
	}
	there, stat, err := synced(t, other).Exists(path)
	if err != nil || !there || stat.EphemeralOwner != session {
		t.Errorf("exists: %v %+v %v", there, stat, err)
	}
}

func TestSessionExpires(t *testing.T) {
	other := client(t)
	c, events := connect(t, os.Getenv("ZK_PROXY"), time.Second)
	path := node(t, other, "") + "/e"
	create(t, c, path, "", zk.FlagEphemeral)
	session := c.SessionID()
	_, _, ch, _ := synced(t, other).ExistsW(path)
	t.Cleanup(func() { proxy(t, "open") })
	proxy(t, "cut")
	event(t, ch, zk.EventNodeDeleted, path)
	proxy(t, "open")
	state(t, events, zk.StateExpired)
	state(t, events, zk.StateHasSession)
	if c.SessionID() == session {
		t.Error("the expired session is back")
	}
	create(t, c, path, "", zk.FlagEphemeral)
}

// A server that is alone has lost its data. This client remembers the last zxid that it saw, across sessions.
func TestSessionOnAServerThatLostItsData(t *testing.T) {
	if strings.Contains(os.Getenv("ZK_HOSTS"), ",") {
		t.Skip("an ensemble has the data still")
	}
	c, events := connect(t, os.Getenv("ZK_PROXY"), 10*time.Second)
	path := node(t, client(t), "")
	for range 50 {
		if _, err := c.Set(path, nil, -1); err != nil { // more than the other server has seen
			t.Fatal(err)
		}
	}
	session := c.SessionID()
	t.Cleanup(func() { proxy(t, "find") })
	proxy(t, "lose")
	state(t, events, zk.StateExpired)
	state(t, events, zk.StateHasSession)
	if c.SessionID() == session {
		t.Error("the session is back")
	}
	session = c.SessionID()
	proxy(t, "drop")
	state(t, events, zk.StateHasSession)
	if c.SessionID() != session {
		t.Errorf("session %#x, want %#x", c.SessionID(), session)
	}
	if there, _, err := c.Exists(path); there || err != nil {
		t.Errorf("exists: %v, %v", there, err)
	}
	create(t, c, path, "", zk.FlagEphemeral)
}

func TestEphemeral(t *testing.T) {
	c, other := client(t), client(t)
	path := node(t, other, "")
	create(t, c, path+"/e", "1", zk.FlagEphemeral)
	if stat := wantData(t, other, path+"/e", "1"); stat.EphemeralOwner != c.SessionID() {
		t.Errorf("owner %#x, want %#x", stat.EphemeralOwner, c.SessionID())
	}
	_, err := c.Create(path+"/e/x", nil, 0, world)
	wantErr(t, "a child of an ephemeral node", err, zk.ErrNoChildrenForEphemerals)
	create(t, c, path+"/s-", "", zk.FlagEphemeral|zk.FlagSequence)
	_, _, ch, _ := synced(t, other).ChildrenW(path)
	c.Close()
	event(t, ch, zk.EventNodeChildrenChanged, path)
	gone(t, other, path+"/e")
	await(t, "all of them go", func() bool { all, _, _ := other.Children(path); return len(all) == 0 })
}

func TestReadsSeeOwnWrites(t *testing.T) {
	c := client(t)
	path := node(t, c, "")
	for i := range 100 {
		if _, err := c.Set(path, []byte{byte(i)}, int32(i)); err != nil {
			t.Fatal(err)
		}
		wantData(t, c, path, string([]byte{byte(i)}))
	}
	if p, err := c.Sync(path); err != nil || p != path {
		t.Errorf("sync: %q %v", p, err)
	}
}
