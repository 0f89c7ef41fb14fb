"""Lock, read and write locks, semaphore: who holds them, in which order, and what happens to a holder's session."""

import threading

import pytest
from kazoo.exceptions import LockTimeout

from conftest import wait_for


def in_thread(work):
    t = threading.Thread(target=work, daemon=True)
    t.start()
    return t


def test_lock_is_exclusive(connect, path):
    a, b = connect(), connect()
    first, second = a.Lock(path, "a"), b.Lock(path, "b")
    assert first.acquire()
    assert not second.acquire(blocking=False)
    with pytest.raises(LockTimeout):
        second.acquire(timeout=0.1)
    assert first.contenders() == ["a"]
    first.release()
    assert second.acquire(timeout=5)
    assert b.Lock(path).contenders() == ["b"]


def test_lock_is_fair(connect, path):
    holder = connect().Lock(path, "0")
    holder.acquire()
    order, threads = [], []
    for name in "12345":
        lock = connect().Lock(path, name)

        def work(lock=lock, name=name):
            with lock:
                order.append(name)

        threads.append(in_thread(work))
        wait_for(lambda: holder.contenders()[-1] == name, "contender " + name)
    holder.release()
    for t in threads:
        t.join(20)
    assert order == list("12345")


def test_lock_counts_nobody_twice(connect, path):
    zk = connect()
    zk.create(path, b"0")
    clients = [connect() for _ in range(4)]

    def work(client):
        for _ in range(10):
            with client.Lock(path + "/lock"):
                n = int(client.get(path)[0])
                client.set(path, b"%d" % (n + 1))

    threads = [in_thread(lambda c=c: work(c)) for c in clients]
    for t in threads:
        t.join(30)
    assert zk.get(path)[0] == b"40"


def test_lock_passes_on_when_the_holder_ends(connect, path):
    a, b = connect(), connect()
    a.Lock(path, "a").acquire()
    second = b.Lock(path, "b")
    got = threading.Event()
    in_thread(lambda: second.acquire() and got.set())
    wait_for(lambda: len(second.contenders()) == 2, "both to contend")
    assert not got.is_set()
    a.stop()  # closes the session, and never releases the lock
    assert got.wait(20)


def test_lock_passes_on_when_the_holder_expires(connect, proxy, path):
    a, b = connect(proxy.hosts, timeout=1), connect()
    a.Lock(path, "a").acquire()
    second = b.Lock(path, "b")
    got = threading.Event()
    in_thread(lambda: second.acquire() and got.set())
    wait_for(lambda: len(second.contenders()) == 2, "both to contend")
    proxy.cut()
    assert got.wait(20)


def test_lock_can_be_cancelled(connect, path):
    a, b = connect(), connect()
    a.Lock(path).acquire()
    second = b.Lock(path)
    results = []
    from kazoo.exceptions import CancelledError

    def work():
        try:
            results.append(second.acquire())
        except CancelledError:
            results.append("cancelled")

    t = in_thread(work)
    wait_for(lambda: len(second.contenders()) == 2, "both to contend")
    second.cancel()
    t.join(20)
    assert results == ["cancelled"]
    wait_for(lambda: len(a.get_children(path)) == 1, "the cancelled one to leave")


def test_read_locks_share_and_write_lock_excludes(connect, path):
    a, b, c = connect(), connect(), connect()
    r1, r2, w = a.ReadLock(path), b.ReadLock(path), c.WriteLock(path)
    assert r1.acquire(timeout=5)
    assert r2.acquire(timeout=5)
    assert not w.acquire(blocking=False)
    written = threading.Event()
    in_thread(lambda: w.acquire() and written.set())
    wait_for(lambda: len(a.get_children(path)) == 3, "the writer to wait")
    r3 = connect().ReadLock(path)
    assert not r3.acquire(blocking=False)  # a writer is before it
    r1.release()
    assert not written.is_set()
    r2.release()
    assert written.wait(20)
    w.release()
    assert r3.acquire(timeout=5)


def test_semaphore_has_so_many_leases(connect, path):
    sems = [connect().Semaphore(path, n, max_leases=2) for n in "abc"]
    assert sems[0].acquire(timeout=5) and sems[1].acquire(timeout=5)
    assert not sems[2].acquire(blocking=False)
    assert sorted(sems[2].lease_holders()) == ["a", "b"]
    got = threading.Event()
    in_thread(lambda: sems[2].acquire() and got.set())
    sems[0].release()
    assert got.wait(20)
    wait_for(lambda: sorted(sems[0].lease_holders()) == ["b", "c"], "the holders to be b and c")
    with pytest.raises(ValueError):
        connect().Semaphore(path, "d", max_leases=3).acquire()
