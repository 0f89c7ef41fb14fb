"""DataWatch, ChildrenWatch, TreeCache and plain watches, over lost connections too."""

import threading

from kazoo.recipe.cache import TreeCache, TreeEvent
from kazoo.recipe.watchers import ChildrenWatch, DataWatch

from conftest import wait_for


def test_data_watch_sees_each_value(connect, zk, path):
    seen = []
    DataWatch(connect(), path, lambda data, stat: seen.append((data, stat and stat.version)))
    wait_for(lambda: seen == [(None, None)], "the missing node")
    zk.create(path, b"0")
    wait_for(lambda: seen[-1] == (b"0", 0), "the node to be created")
    for i in range(1, 6):
        zk.set(path, b"%d" % i)
        wait_for(lambda: seen[-1] == (b"%d" % i, i), "value %d" % i)
    zk.delete(path)
    wait_for(lambda: seen[-1] == (None, None), "the node to be deleted")
    zk.create(path, b"again")
    wait_for(lambda: seen[-1] == (b"again", 0), "the node to be back")


def test_data_watch_ends_when_it_says_so(connect, zk, path):
    zk.create(path, b"0")
    seen = []

    def watch(data, stat):
        seen.append(data)
        return data != b"1"

    other = connect()
    DataWatch(other, path, watch)
    zk.set(path, b"1")
    wait_for(lambda: seen == [b"0", b"1"], "the value 1")
    zk.set(path, b"2")
    other.sync(path)
    other.get(path)  # an event would have come before this answer
    assert seen == [b"0", b"1"]


def test_children_watch_sees_each_child(connect, zk, path):
    zk.create(path)
    seen = []
    ChildrenWatch(connect(), path, lambda children: seen.append(sorted(children)))
    for i in range(5):
        wait_for(lambda: seen and len(seen[-1]) == i, "%d children" % i)
        zk.create("%s/%d" % (path, i))
    wait_for(lambda: seen[-1] == list("01234"), "five children")
    zk.delete(path + "/2")
    wait_for(lambda: seen[-1] == list("0134"), "four children")


def test_children_watch_tells_the_event(connect, zk, path):
    zk.create(path)
    seen = []
    ChildrenWatch(connect(), path, lambda children, event: seen.append((children, event and event.type)), send_event=True)
    zk.create(path + "/x")
    wait_for(lambda: seen[-1] == (["x"], "CHILD"), "the child")


def test_watches_survive_a_lost_connection(connect, proxy, zk, path):
    zk.create(path, b"0")
    data, children = [], []
    other = connect(proxy.hosts)
    DataWatch(other, path, lambda d, s: data.append(d))
    ChildrenWatch(other, path, lambda c: children.append(c))
    lost = threading.Event()
    other.add_listener(lambda state: state == "SUSPENDED" and lost.set())
    proxy.cut()
    assert lost.wait(20)
    zk.set(path, b"1")  # while it cannot see
    zk.create(path + "/x")
    proxy.open()
    wait_for(lambda: data[-1] == b"1", "the value set meanwhile")
    wait_for(lambda: children[-1] == ["x"], "the child created meanwhile")
    zk.set(path, b"2")
    wait_for(lambda: data[-1] == b"2", "the value set later")


def test_plain_watches_fire_once(connect, zk, path):
    zk.create(path, b"0")
    events = []
    other = connect()
    other.get(path, watch=lambda e: events.append(("data", e.type)))
    other.get_children(path, watch=lambda e: events.append(("children", e.type)))
    assert other.exists(path + "/new", watch=lambda e: events.append(("exists", e.type))) is None
    zk.create(path + "/new")
    wait_for(lambda: len(events) == 2, "the new child's events")
    zk.set(path, b"1")
    wait_for(lambda: len(events) == 3, "the changed data's event")
    zk.set(path, b"2")
    zk.delete(path + "/new")
    other.sync(path)
    other.get(path)
    assert sorted(events) == [("children", "CHILD"), ("data", "CHANGED"), ("exists", "CREATED")]


def test_tree_cache_follows(connect, zk, path):
    zk.create(path, b"root")
    zk.create(path + "/a", b"1")
    events = []
    cache = TreeCache(connect(), path)
    cache.listen(lambda e: events.append((e.event_type, e.event_data and e.event_data.path)))
    cache.start()
    try:
        wait_for(lambda: (TreeEvent.INITIALIZED, None) in events, "the cache to fill")
        assert cache.get_data(path + "/a").data == b"1"
        zk.create(path + "/a/b", b"2")
        wait_for(lambda: cache.get_data(path + "/a/b"), "the new node")
        zk.set(path + "/a/b", b"3")
        wait_for(lambda: cache.get_data(path + "/a/b").data == b"3", "the new value")
        assert cache.get_children(path + "/a") == {"b"}
        zk.delete(path + "/a", recursive=True)
        wait_for(lambda: cache.get_data(path + "/a") is None, "the deletion")
        assert (TreeEvent.NODE_ADDED, path + "/a/b") in events
        wait_for(lambda: (TreeEvent.NODE_REMOVED, path + "/a") in events, "the deletion's event")
    finally:
        cache.close()
