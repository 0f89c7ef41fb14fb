"""Transactions, ACLs and authentication, and node kinds through kazoo."""

import uuid

import pytest
from kazoo.exceptions import (
    BadVersionError,
    InvalidACLError,
    NoAuthError,
    NoChildrenForEphemeralsError,
    NoNodeError,
    NotEmptyError,
    RolledBackError,
    RuntimeInconsistency,
)
from kazoo.security import make_acl, make_digest_acl

from conftest import wait_for


def test_transaction_does_all(zk, path):
    t = zk.transaction()
    t.create(path, b"0")
    t.create(path + "/seq-", sequence=True)
    t.check(path, 0)
    t.set_data(path, b"1")
    t.create(path + "/gone")
    t.delete(path + "/gone")
    results = t.commit()
    assert results[:3] == [path, path + "/seq-0000000000", True]
    assert results[3].version == 1
    assert results[4:] == [path + "/gone", True]
    assert zk.get(path)[0] == b"1"
    assert zk.get_children(path) == ["seq-0000000000"]


def test_transaction_does_nothing_when_one_fails(zk, path):
    zk.create(path, b"0")
    t = zk.transaction()
    t.create(path + "/a")
    t.check(path, 7)
    t.delete(path)
    first, second, third = t.commit()
    assert isinstance(first, RolledBackError)
    assert isinstance(second, BadVersionError)
    assert isinstance(third, RuntimeInconsistency)
    assert zk.get_children(path) == []


def test_transaction_of_one_session_makes_ephemerals(connect, zk, path):
    c = connect()
    with c.transaction() as t:
        t.create(path, ephemeral=True)
    assert zk.exists(path).owner_session_id == c.client_id[0]
    c.stop()
    assert zk.exists(path) is None


def test_digest_acl(connect, zk, path):
    owner = connect(auth_data=[("digest", "user:pass")])
    owner.create(path, b"secret", acl=[make_digest_acl("user", "pass", all=True)])
    for call in (lambda: zk.get(path), lambda: zk.set(path, b""), lambda: zk.create(path + "/x")):
        with pytest.raises(NoAuthError):
            call()
    assert owner.get(path)[0] == b"secret"
    late = connect()
    late.add_auth("digest", "user:pass")
    assert late.get(path)[0] == b"secret"
    wrong = connect()
    wrong.add_auth("digest", "user:wrong")
    with pytest.raises(NoAuthError):
        wrong.get(path)
    acls, stat = owner.get_acls(path)
    assert [a.id.scheme for a in acls] == ["digest"] and stat.aversion == 0
    owner.set_acls(path, [make_acl("world", "anyone", all=True)], version=0)
    assert zk.get(path)[0] == b"secret"
    with pytest.raises(BadVersionError):
        owner.set_acls(path, acls, version=0)
    with pytest.raises(InvalidACLError):
        owner.set_acls(path, [make_acl("nosuch", "x", all=True)])


def test_authentication_outlives_the_connection(connect, proxy, zk, path):
    owner = connect(proxy.hosts)
    owner.add_auth("digest", "user:pass")
    owner.create(path, b"x", acl=[make_digest_acl("user", "pass", all=True)])
    states = []
    owner.add_listener(lambda s: states.append(s) and None)
    proxy.drop()
    wait_for(lambda: states[-2:] == ["SUSPENDED", "CONNECTED"], "the connection to be back")
    assert owner.get(path)[0] == b"x"
    owner.set_acls(path, [make_acl("world", "anyone", all=True)])


def test_kinds_of_nodes(connect, zk, path):
    zk.create(path)
    c = connect()
    assert c.create(path + "/e", b"", ephemeral=True) == path + "/e"
    with pytest.raises(NoChildrenForEphemeralsError):
        c.create(path + "/e/x")
    assert [c.create(path + "/s-", sequence=True) for _ in range(2)] == [path + "/s-000000000%d" % i for i in (1, 2)]
    _, stat = zk.create(path + "/made", b"12", include_data=True)
    assert (stat.data_length, stat.version) == (2, 0)
    assert zk.create(path + "/deep/er", makepath=True) == path + "/deep/er"
    with pytest.raises(NotEmptyError):
        zk.delete(path + "/deep")
    with pytest.raises(NoNodeError):
        zk.create(path + "/no/parent")
    zk.delete(path + "/deep", recursive=True)
    children, stat = zk.get_children(path, include_data=True)
    assert sorted(children) == ["e", "made", "s-0000000001", "s-0000000002"] and stat.children_count == 4
    with pytest.raises(BadVersionError):
        zk.set(path, b"", version=5)
    with pytest.raises(BadVersionError):
        zk.delete(path + "/made", version=5)


def test_names_and_data_of_all_kinds(zk, path):
    zk.create(path, bytes(range(256)))
    assert zk.get(path)[0] == bytes(range(256))
    name = "grüße \u4e16 " + uuid.uuid4().hex
    zk.create(path + "/" + name, b"\0" * 500000)
    assert zk.get_children(path) == [name]
    assert zk.get(path + "/" + name)[0] == b"\0" * 500000
