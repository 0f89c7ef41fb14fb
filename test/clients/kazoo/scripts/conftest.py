"""What the scripts share: clients of the server under test, the driver's proxy, and waiting for conditions.

The driver passes ZK_HOSTS, ZK_PROXY (a way to the same server) and ZK_PROXY_CONTROL (where the proxy takes orders).
"""

import os
import socket
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


class Proxy:
    hosts = os.environ["ZK_PROXY"]

    def order(self, word):
        host, port = os.environ["ZK_PROXY_CONTROL"].rsplit(":", 1)
        with socket.create_connection((host, int(port)), 5) as s:
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
        c = KazooClient(hosts, **options)
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
