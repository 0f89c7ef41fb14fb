"""Election, party, barriers, counter, queues and partitioner."""

import threading

from conftest import wait_for


def test_election_has_one_leader_and_a_next(connect, path):
    elections = {n: connect().Election(path, n) for n in "abc"}
    leaders, ends = [], {n: threading.Event() for n in "abc"}

    def lead(name):
        leaders.append(name)
        ends[name].wait(20)

    threads = []
    for n, e in elections.items():
        t = threading.Thread(target=lambda n=n, e=e: e.run(lead, n), daemon=True)
        t.start()
        threads.append(t)
        wait_for(lambda: n in elections["a"].contenders(), n + " to stand")
    wait_for(lambda: leaders == ["a"], "a to lead")
    assert elections["b"].contenders() == ["a", "b", "c"]
    for i, n in enumerate("abc"):
        wait_for(lambda: len(leaders) == i + 1, "leader %d" % (i + 1))
        assert leaders == list("abc")[: i + 1]
        ends[n].set()
    for t in threads:
        t.join(20)
    assert not any(t.is_alive() for t in threads)


def test_election_passes_on_when_the_leader_expires(connect, proxy, path):
    a, b = connect(proxy.hosts, timeout=1), connect()
    led = []
    over = threading.Event()
    first = threading.Thread(target=a.Election(path, "a").run, args=(lambda: (led.append("a"), over.wait(20)),), daemon=True)
    first.start()
    wait_for(lambda: led == ["a"], "a to lead")
    second = threading.Thread(target=b.Election(path, "b").run, args=(lambda: led.append("b"),), daemon=True)
    second.start()
    wait_for(lambda: b.Election(path).contenders() == ["a", "b"], "b to stand")
    proxy.cut()
    wait_for(lambda: led == ["a", "b"], "b to lead")
    over.set()
    proxy.open()


def test_party(connect, path):
    a, b = connect(), connect()
    p, q = a.Party(path, "p"), b.Party(path, "q")
    p.join()
    q.join()
    assert sorted(p) == ["p", "q"] and len(q) == 2
    p.leave()
    wait_for(lambda: list(q) == ["q"], "p to be gone")
    b.stop()  # an ephemeral node is the membership
    wait_for(lambda: list(p) == [], "q to be gone")


def test_shallow_party(connect, path):
    a, b = connect(), connect()
    p, q = a.ShallowParty(path, "p"), b.ShallowParty(path, "q")
    p.join()
    q.join()
    assert sorted(p) == ["p", "q"]


def test_barrier(connect, zk, path):
    barrier = connect().Barrier(path)
    assert barrier.wait(0)
    zk.Barrier(path).create()
    assert not barrier.wait(0.1)
    passed = threading.Event()
    threading.Thread(target=lambda: barrier.wait(20) and passed.set(), daemon=True).start()
    zk.Barrier(path).remove()
    assert passed.wait(20)


def test_double_barrier(connect, path):
    entered, left = [], []
    go = threading.Event()

    def work(client):
        barrier = client.DoubleBarrier(path, 3)
        barrier.enter()
        entered.append(client)
        go.wait(20)
        barrier.leave()
        left.append(client)

    threads = []
    for i in range(3):
        assert not entered
        t = threading.Thread(target=work, args=(connect(),), daemon=True)
        t.start()
        threads.append(t)
    wait_for(lambda: len(entered) == 3, "all to enter")
    assert not left
    go.set()
    for t in threads:
        t.join(20)
    assert len(left) == 3


def test_counter(connect, zk, path):
    def work(counter):
        for _ in range(10):
            counter += 1

    # They meet at the version of the node; the default number of tries may not be enough for three.
    from kazoo.retry import KazooRetry

    threads = [
        threading.Thread(target=work, args=(connect(command_retry=KazooRetry(max_tries=-1, delay=0.01)).Counter(path),))
        for _ in range(3)
    ]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert zk.Counter(path).value == 30
    half = zk.Counter(path + "/half", default=0.5)
    half -= 2.0
    assert half.value == -1.5


def test_queue(connect, zk, path):
    q, r = zk.Queue(path), connect().Queue(path)
    for value, priority in ((b"b", 100), (b"c", 200), (b"a", 50), (b"b2", 100)):
        q.put(value, priority)
    assert len(r) == 4
    assert [r.get() for _ in range(5)] == [b"a", b"b", b"b2", b"c", None]


def test_queue_gives_each_entry_once(connect, zk, path):
    q = zk.LockingQueue(path)
    q.put_all([b"%d" % i for i in range(30)])
    taken, mu = [], threading.Lock()

    def work(queue):
        while (value := queue.get(timeout=1)) is not None:
            assert queue.consume()
            with mu:
                taken.append(value)

    threads = [threading.Thread(target=work, args=(connect().LockingQueue(path),), daemon=True) for _ in range(3)]
    for t in threads:
        t.start()
    for t in threads:
        t.join(30)
    assert sorted(taken) == sorted(b"%d" % i for i in range(30))
    assert len(q) == 0


def test_locking_queue_keeps_what_is_not_consumed(connect, zk, path):
    zk.LockingQueue(path).put(b"job")
    a = connect()
    taker = a.LockingQueue(path)
    assert taker.get(timeout=5) == b"job"
    assert taker.holds_lock()
    other = connect().LockingQueue(path)
    assert other.get(timeout=0.2) is None
    a.stop()  # its lock is an ephemeral node
    assert other.get(timeout=10) == b"job"
    assert other.consume()


def test_partitioner(connect, path):
    parts = [connect().SetPartitioner(path, set("abcd"), identifier=i, time_boundary=0.2) for i in "xy"]

    def settled():
        for p in parts:
            if p.release:
                p.release_set()
        return all(p.acquired for p in parts) and len(list(parts[0])) == 2

    wait_for(settled, "both to share the set")
    assert sorted(list(parts[0]) + list(parts[1])) == list("abcd")
    for p in parts:
        p.finish()
