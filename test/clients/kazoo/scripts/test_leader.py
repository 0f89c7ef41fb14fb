"""What clients go through while the leader of three servers is killed and comes back."""

from functools import partial

import pytest
from kazoo.exceptions import BadVersionError
from kazoo.protocol.states import KazooState
from kazoo.recipe.watchers import ChildrenWatch, DataWatch
from kazoo.retry import KazooRetry

from conftest import HOSTS, wait_for

pytestmark = pytest.mark.skipif("," not in HOSTS, reason="there is one server only")


def test_locks_are_exclusive(connect, proxy, zk, path, work):
    """Read and write are two requests; only the lock keeps them together."""
    start, end = work
    zk.create(path, b"0")
    for name in "abc":
        c = connect()

        def turn(c=c, name=name):
            with c.Lock(path + "/lock", name):
                n, stat = c.retry(c.get, path)
                # A try whose answer was lost must not count twice, so all tries write the same.
                c.retry(c.set, path, b"%d" % (int(n) + 1))
            return 1

        start(turn)
    proxy.restart()
    proxy.restart()
    turns = end()
    assert sum(turns) > 0
    assert int(zk.get(path)[0]) == sum(turns)


def test_versioned_writes_are_done_once(connect, proxy, zk, path, work):
    """Each client writes a node of its own, whose version is the number of writes."""
    start, end = work
    zk.create(path)
    for i in range(3):
        c, own = connect(), "%s/%d" % (path, i)
        c.create(own, b"0")

        def step(c=c, own=own):
            n, stat = c.retry(c.get, own)
            try:
                c.retry(c.set, own, b"%d" % (int(n) + 1), version=stat.version)
            except BadVersionError:
                pass  # the first try was done, and its answer lost
            return 1

        start(step)
    proxy.restart()
    proxy.restart()
    done = end()
    values = [(int(n), stat.version) for n, stat in (zk.get("%s/%d" % (path, i)) for i in range(3))]
    assert values == [(v, v) for v, _ in values]
    assert sum(done) > 0 and sorted(v for v, _ in values) == sorted(done)


def test_sequences_have_no_gap(connect, proxy, zk, path, work):
    """Every name that was answered is there, and none is there that nobody asked for."""
    start, end = work
    zk.create(path)
    made = []
    for name in "abc":
        c = connect()
        retry = KazooRetry(max_tries=-1, delay=0.05, max_delay=0.2)

        def step(c=c, name=name, retry=retry, n=[0]):
            # A mark in the name tells, when the answer was lost, whether the node was made.
            mark = "%s-%d-" % (name, n[0])
            n[0] += 1

            def once():
                there = [p for p in c.get_children(path) if p.startswith(mark)]
                return there[0] if there else c.create(path + "/" + mark, sequence=True).rsplit("/", 1)[1]

            made.append(retry(once))
            return 1

        start(step)
    proxy.restart()
    end()
    there = zk.get_children(path)
    assert sorted(there) == sorted(made)
    assert sorted(int(p[-10:]) for p in there) == list(range(len(there)))


def test_sessions_ephemerals_and_watches_go_on(connect, proxy, zk, path):
    zk.create(path, b"0")
    clients = [connect() for _ in range(6)]
    sessions = [c.client_id for c in clients]
    lost, data, children = [], [], []
    for i, c in enumerate(clients):
        c.add_listener(lambda state: state == KazooState.LOST and lost.append(state) and None)
        c.create("%s/e-%d" % (path, i), ephemeral=True)
        DataWatch(c, path, partial(lambda i, d, s: data.append((i, d)), i))
        ChildrenWatch(c, path, partial(lambda i, all: children.append((i, len(all))), i))
    for value in (b"1", b"2"):
        proxy.restart()
        zk.retry(zk.set, path, value)
        for i in range(6):
            wait_for(lambda: (i, value) in data, "client %d to see %r" % (i, value))
    assert lost == []
    assert [c.client_id for c in clients] == sessions
    for i, c in enumerate(clients):
        assert zk.exists("%s/e-%d" % (path, i)).owner_session_id == sessions[i][0]
    zk.create(path + "/last")
    for i in range(6):
        wait_for(lambda: (i, 7) in children, "client %d to see the last child" % i)
