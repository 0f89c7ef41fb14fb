package gozk

import (
	"os"
	"testing"
	"time"

	"github.com/go-zookeeper/zk"
)

func TestDataWatch(t *testing.T) {
	c, other := client(t), client(t)
	path := node(t, c, "0")
	_, stat, ch, err := c.GetW(path)
	if err != nil || stat.Version != 0 {
		t.Fatal(stat, err)
	}
	create(t, other, path+"/x", "", 0)
	still(t, c, ch)
	if _, err := other.Set(path, []byte("1"), 0); err != nil {
		t.Fatal(err)
	}
	event(t, ch, zk.EventNodeDataChanged, path)
	if stat := wantData(t, c, path, "1"); stat.Version != 1 {
		t.Errorf("version %d", stat.Version)
	}

	_, _, ch, _ = synced(t, c).GetW(path + "/x")
	if err := other.Delete(path+"/x", -1); err != nil {
		t.Fatal(err)
	}
	event(t, ch, zk.EventNodeDeleted, path+"/x")
	_, _, _, err = synced(t, c).GetW(path + "/x")
	wantErr(t, "a data watch on no node", err, zk.ErrNoNode)
}

func TestChildWatch(t *testing.T) {
	c, other := client(t), client(t)
	path := node(t, c, "")
	children, _, ch, err := c.ChildrenW(path)
	if err != nil || len(children) != 0 {
		t.Fatal(children, err)
	}
	other.Set(path, []byte("1"), -1)
	still(t, c, ch)
	create(t, other, path+"/x", "", 0)
	event(t, ch, zk.EventNodeChildrenChanged, path)
	_, _, ch, _ = synced(t, c).ChildrenW(path)
	other.Set(path+"/x", []byte("1"), -1)
	create(t, other, path+"/x/y", "", 0)
	still(t, c, ch)
	removeAll(synced(t, other), path)
	event(t, ch, zk.EventNodeChildrenChanged, path)
}

func TestExistsWatch(t *testing.T) {
	c, other := client(t), client(t)
	path := node(t, c, "") + "/x"
	there, _, ch, err := c.ExistsW(path)
	if err != nil || there {
		t.Fatal(there, err)
	}
	create(t, other, path, "", 0)
	event(t, ch, zk.EventNodeCreated, path)
	_, _, ch, _ = synced(t, c).ExistsW(path)
	other.Set(path, []byte("1"), -1)
	event(t, ch, zk.EventNodeDataChanged, path)
	_, _, ch, _ = synced(t, c).ExistsW(path)
	other.Delete(path, -1)
	event(t, ch, zk.EventNodeDeleted, path)
}

// What changed while the connection was away is told when it is back: the client sets its watches anew.
func TestWatchesSurviveALostConnection(t *testing.T) {
	other := client(t)
	c, events := connect(t, os.Getenv("ZK_PROXY"), 10*time.Second)
	path := node(t, other, "0")
	create(t, other, path+"/gone", "", 0)
	_, _, data, err := synced(t, c).GetW(path)
	if err != nil {
		t.Fatal(err)
	}
	_, _, deleted, _ := c.GetW(path + "/gone")
	_, _, children, _ := c.ChildrenW(path)
	_, _, created, _ := c.ExistsW(path + "/new")
	_, _, later, _ := c.ExistsW(path + "/later")
	t.Cleanup(func() { proxy(t, "open") })
	proxy(t, "cut")
	state(t, events, zk.StateDisconnected)
	other.Set(path, []byte("1"), -1)
	other.Delete(path+"/gone", -1)
	create(t, other, path+"/new", "", 0)
	proxy(t, "open")
	event(t, data, zk.EventNodeDataChanged, path)
	event(t, deleted, zk.EventNodeDeleted, path+"/gone")
	event(t, children, zk.EventNodeChildrenChanged, path)
	event(t, created, zk.EventNodeCreated, path+"/new")
	still(t, c, later)
	create(t, other, path+"/later", "", 0)
	event(t, later, zk.EventNodeCreated, path+"/later")
}
