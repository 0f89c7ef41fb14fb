"""Sessions: suspended, re-attached, expired, lost, taken over, closed."""

import pytest
from kazoo.client import KazooClient
from kazoo.exceptions import ConnectionLoss, NodeExistsError, SessionExpiredError
from kazoo.handlers.threading import KazooTimeoutError
from kazoo.protocol.states import KazooState, KeeperState

from conftest import HOSTS, wait_for


def take_over(connect, session):
    """A client with somebody's session. One that is sent away again before its start looks takes that for a failure."""
    for _ in range(20):
        try:
            return connect(client_id=session)
        except KazooTimeoutError:
            continue
    raise AssertionError("the session cannot be taken over")


def states_of(client):
    states = []
    client.add_listener(lambda s: states.append(s) and None)
    return states


def test_a_dropped_connection_keeps_the_session(connect, proxy, zk, path):
    c = connect(proxy.hosts)
    states, before = states_of(c), c.client_id
    c.create(path, ephemeral=True)
    proxy.drop()
    wait_for(lambda: states == [KazooState.SUSPENDED, KazooState.CONNECTED], "suspended, then connected")
    assert c.client_id == before
    assert c.exists(path).owner_session_id == before[0]
    assert zk.exists(path)


def test_requests_wait_while_suspended(connect, proxy, path):
    c = connect(proxy.hosts)
    states = states_of(c)
    proxy.cut()
    wait_for(lambda: states == [KazooState.SUSPENDED], "suspended")
    result = c.create_async(path)
    assert not result.ready()
    proxy.open()
    assert result.get(timeout=20) == path


def test_a_session_cut_off_too_long_is_lost(connect, proxy, zk, path):
    c = connect(proxy.hosts, timeout=1)
    states, before = states_of(c), c.client_id
    c.create(path, ephemeral=True)
    proxy.cut()
    wait_for(lambda: states == [KazooState.SUSPENDED], "suspended")
    wait_for(lambda: not zk.exists(path), "the ephemeral node to go")
    proxy.open()
    wait_for(lambda: states == [KazooState.SUSPENDED, KazooState.LOST, KazooState.CONNECTED], "lost, then connected")
    assert c.client_id[0] != before[0]
    c.create(path, ephemeral=True)  # the new session works


@pytest.mark.skipif("," in HOSTS, reason="an ensemble has the data still")
def test_a_server_that_lost_its_data(connect, proxy, path):
    c = connect(proxy.hosts)
    states, before = states_of(c), c.client_id
    c.create(path)
    for _ in range(50):
        c.set(path, b"")  # more than the other server has seen
    proxy.lose()
    try:
        wait_for(lambda: states[-2:] == [KazooState.LOST, KazooState.CONNECTED], "lost, then connected")
        session = c.client_id
        assert session[0] != before[0]
        proxy.drop()
        wait_for(lambda: states[-2:] == [KazooState.SUSPENDED, KazooState.CONNECTED], "the same session again")
        assert c.client_id == session
        assert c.exists(path) is None
        c.create(path, ephemeral=True)
        c.stop()
    finally:
        proxy.find()


def test_pending_requests_of_an_expired_session_fail(connect, proxy, zk, path):
    c = connect(proxy.hosts, timeout=1)
    states = states_of(c)
    c.create(path, ephemeral=True)
    proxy.cut()
    wait_for(lambda: states == [KazooState.SUSPENDED], "suspended")
    result = c.get_async(path)
    wait_for(lambda: not zk.exists(path), "the ephemeral node to go")
    proxy.open()
    with pytest.raises((SessionExpiredError, ConnectionLoss)):
        result.get(timeout=20)


def test_a_session_can_be_taken_over(connect, path):
    a = connect()
    a.create(path, ephemeral=True)
    states, session = states_of(a), a.client_id
    b = take_over(connect, session)
    assert b.client_id == session
    wait_for(lambda: KazooState.SUSPENDED in states, "the first connection to be closed")
    assert a.retry(a.exists, path).owner_session_id == session[0]


def test_a_wrong_password_is_an_expired_session(connect, zk):
    session = zk.client_id
    c = connect(client_id=(session[0], b"\x01" * 16))
    assert c.client_id[0] != session[0]
    # ZooKeeper closes the session's connection all the same, but the session itself is unharmed.
    assert zk.retry(zk.get_children, "/") is not None
    wait_for(lambda: zk.client_id == session, "the session to be back")


def test_closing_a_session_elsewhere_expires_it(connect, zk, path):
    a = connect()
    a.create(path, ephemeral=True)
    states = states_of(a)
    session = a.client_id

    def lost():
        # The first client comes back at once and may take the session back before the second one has sent its close.
        if a.client_id == session and KazooState.LOST not in states:
            take_over(connect, session).stop()
        return KazooState.LOST in states

    wait_for(lost, "lost")
    wait_for(lambda: not zk.exists(path), "the ephemeral node to go")


def test_stop_closes_the_session(connect, zk, path):
    a = connect()
    states = states_of(a)
    a.create(path, ephemeral=True)
    a.stop()
    assert states[-1] == KazooState.LOST
    assert zk.exists(path) is None  # the answer to the close comes after the deletion
    assert a.client_state == KeeperState.CLOSED
    a.restart()
    assert a.exists("/") is not None


def test_time_outs_are_negotiated(connect):
    for asked, given in ((0.1, 1000), (5, 5000), (1000, 40000)):  # two ticks of 500 ms; as asked; maxSessionTimeout
        c = connect(timeout=asked)
        lines = [line for line in c.command(b"cons").splitlines() if "sid=0x%x," % c.client_id[0] in line]
        assert len(lines) == 1 and ",to=%d," % given in lines[0], lines


def test_many_requests_are_answered_in_order(connect, path):
    c = connect()
    c.create(path)
    results = [c.create_async(path + "/n-", b"%d" % i, sequence=True) for i in range(500)]
    names = [r.get(timeout=20) for r in results]
    assert names == ["%s/n-%010d" % (path, i) for i in range(500)]
    with pytest.raises(NodeExistsError):
        c.create(path)


def test_server_version_and_commands(zk):
    assert zk.server_version() >= (3, 5)
    assert zk.command(b"ruok") == "imok"


def test_chroot(connect, zk, path):
    zk.create(path)
    c = connect(HOSTS + path)
    assert c.create("/x", b"1") == "/x"
    assert c.get_children("/") == ["x"]
    assert zk.get(path + "/x")[0] == b"1"
    assert isinstance(c, KazooClient)
