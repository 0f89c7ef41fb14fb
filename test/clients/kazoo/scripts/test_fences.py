"""Recipes while the leader of three servers is killed: who holds what, by the zxid that fences it."""

import time

import pytest
from kazoo.exceptions import ConnectionLoss, NodeExistsError, SessionExpiredError
from kazoo.recipe.queue import LockingQueue

from conftest import HOSTS

pytestmark = pytest.mark.skipif("," not in HOSTS, reason="there is one server only")


class Holds:
    """Who held something from when to when, and with which fence."""

    def __init__(self):
        self.all = []

    def hold(self, c, path):
        began = time.monotonic()
        fence = c.retry(c.exists, path).creation_transaction_id
        self.all.append((began, time.monotonic(), fence))

    def check(self):
        assert len(self.all) > 10
        self.all.sort()
        for a, b in zip(self.all, self.all[1:]):
            assert a[1] <= b[0], "two held it at once: %r, %r" % (a, b)
            assert a[2] < b[2], "a fence that falls: %r, %r" % (a, b)


def kill_leaders(proxy):
    for _ in range(2):
        time.sleep(0.5)  # of undisturbed work
        proxy.restart()


def test_locks(connect, proxy, zk, path, work):
    start, end = work
    holds = Holds()
    for name in "abcd":
        c = connect()

        def turn(c=c, name=name):
            lock = c.Lock(path, name)
            with lock:
                holds.hold(c, path + "/" + lock.node)
            return 1

        start(turn)
    kill_leaders(proxy)
    end()
    holds.check()


def test_elections(connect, proxy, zk, path, work):
    start, end = work
    reigns = Holds()
    for name in "abcd":
        c = connect()

        def stand(c=c, name=name):
            election = c.Election(path, name)
            election.run(lambda: reigns.hold(c, path + "/" + election.lock.node))
            return 1

        start(stand)
    kill_leaders(proxy)
    end()
    reigns.check()


def test_barriers(connect, proxy, path, work):
    """Nobody is through before the barrier is taken away. Behind each there is the next."""
    start, end = work
    keeper, opened, through = connect(), set(), []

    def close(turn):
        try:
            keeper.retry(keeper.create, "%s/%d" % (path, turn), makepath=True)
        except NodeExistsError:
            pass  # made by a try whose answer was lost

    def keep(turn=[0]):
        time.sleep(0.05)
        close(turn[0] + 1)
        opened.add(turn[0])
        keeper.retry(keeper.Barrier("%s/%d" % (path, turn[0])).remove)
        turn[0] += 1
        return 1

    close(0)
    for _ in range(3):
        c = connect()

        def wait(c=c, turn=[0]):
            try:
                # kazoo forgets what it watched when it loses a connection, so nobody waits for long.
                if c.Barrier("%s/%d" % (path, turn[0])).wait(0.5):
                    assert turn[0] in opened, "through a barrier that is closed"
                    through.append(turn[0])
                    turn[0] += 1
            except (ConnectionLoss, SessionExpiredError):
                pass
            return 1

        start(wait)
    start(keep)
    kill_leaders(proxy)
    end()
    assert len(through) > 3


def test_queues(connect, proxy, zk, path, work):
    """What was put is there or was taken, and nothing is taken twice."""
    start, end = work
    unknown = (ConnectionLoss, SessionExpiredError)
    put, taken, perhaps = [], [], []
    for name in "ab":
        q = LockingQueue(connect(), path)

        def produce(q=q, name=name, n=[0]):
            n[0] += 1
            item = b"%s-%d" % (name.encode(), n[0])
            try:
                q.put(item)
                put.append(item)
            except unknown:
                pass  # there or not
            time.sleep(0.01)  # no more than is taken
            return 1

        start(produce)
    for name in "xy":
        q = LockingQueue(connect(), path)

        def consume(q=q):
            item = None
            try:
                item = q.get(0.5)
                if item is not None and q.consume():
                    taken.append(item)
            except unknown:
                perhaps.append(item)
                q.processing_element = None
            return 1

        start(consume)
    kill_leaders(proxy)
    end()
    left = [zk.get(path + "/entries/" + e)[0] for e in zk.get_children(path + "/entries")]
    assert len(taken) > 3
    assert sorted(set(taken)) == sorted(taken), "taken twice"
    assert set(left).isdisjoint(taken), "taken and still there"
    assert set(put) <= set(taken) | set(left) | set(perhaps), "lost"
