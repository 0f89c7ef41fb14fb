"""What the scripts share: clients of the server under test, the driver's proxy, and waiting for conditions.

The driver passes ZK_HOSTS, ZK_PROXY (a way to the same servers) and ZK_PROXY_CONTROL (where the proxy takes orders).
"""

import os
import socket
import threading
import time
import uuid

import pytest
from kazoo.client import KazooClient
from kazoo.retry import KazooRetry

HOSTS = os.environ["ZK_HOSTS"]
PATIENCE = 20


def wait_for(condition, what="the condition"):
    """Returns the condition's first true value."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.01)
    raise AssertionError("waited %d s in vain for %s" % (PATIENCE, what))


class SyncedClient(KazooClient):
    """A client that reads what others wrote before, whichever server it is on.

    With several servers, one may not have heard yet what another has already answered; a sync before the read, which
    need not be waited for, is ZooKeeper's way to be sure.
    """

    def get_async(self, path, watch=None):
        self.sync_async(path)
        return super().get_async(path, watch)

    def exists_async(self, path, watch=None):
        self.sync_async(path)
        return super().exists_async(path, watch)

    def get_children_async(self, path, watch=None, include_data=False):
        self.sync_async(path)
        return super().get_children_async(path, watch, include_data)


class Proxy:
    hosts = os.environ["ZK_PROXY"]

    def order(self, word):
        host, port = os.environ["ZK_PROXY_CONTROL"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 3 * PATIENCE) as s:
            s.sendall(word.encode() + b"\n")
            assert s.makefile().readline() == "ok\n"

    def drop(self):
        """Closes the connections there are."""
        self.order("drop")

    def cut(self):
        """Closes the connections and every new one, until open."""
        self.order("cut")

    def open(self):
        self.order("open")

    def lose(self):
        """Leads to a server that is as this one would be had it lost its data, until find."""
        self.order("lose")

    def find(self):
        self.order("find")

    def restart(self):
        """Kills the leader of an ensemble, and starts it again."""
        self.order("restart")


@pytest.fixture
def proxy():
    p = Proxy()
    yield p
    p.open()


@pytest.fixture
def connect():
    """Starts clients, and stops them after the test."""
    clients = []

    def start(hosts=HOSTS, **options):
        # Quick and endless tries, so that a cut network is found open again without a long pause.
        options.setdefault("connection_retry", KazooRetry(max_tries=-1, delay=0.05, max_delay=0.2))
        options.setdefault("timeout", 10)
        c = (SyncedClient if "," in hosts else KazooClient)(hosts, **options)
        clients.append(c)
        c.start(PATIENCE)
        return c

    yield start
    for c in clients:
        c.stop()
        c.close()


@pytest.fixture
def zk(connect):
    return connect()


@pytest.fixture
def path(zk):
    """A path that no other test uses; what is there in the end is deleted."""
    p = "/" + uuid.uuid4().hex
    yield p
    zk.delete(p, recursive=True)


@pytest.fixture
def work():
    """Runs functions in threads until it is called off; returns their results."""
    over, threads, results, errors = threading.Event(), [], [], []

    def loop(step):
        done = 0
        try:
            while not over.is_set():
                done += step()
        except Exception as e:
            errors.append(e)
        results.append(done)

    def start(step):
        t = threading.Thread(target=loop, args=(step,), daemon=True)
        t.start()
        threads.append(t)

    def end():
        over.set()
        for t in threads:
            t.join(PATIENCE)
            assert not t.is_alive(), "a client is stuck"
        assert errors == []
        return results

    yield start, end
    over.set()
