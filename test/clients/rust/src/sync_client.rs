//! The client of the crate zookeeper, and its recipes.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use zookeeper::recipes::cache::{PathChildrenCache, PathChildrenCacheEvent};
use zookeeper::recipes::leader::LeaderLatch;
use zookeeper::recipes::queue::ZkQueue;
use zookeeper::{
    Acl, AddWatchMode, CreateMode, Permission, WatchedEvent, WatchedEventType, WatcherType, ZkError, ZkState,
    ZooKeeper, ZooKeeperExt,
};

use crate::{PATIENCE, Test, direct, eventually, order, proxied, refused};

pub const TESTS: &[Test] = &[
    ("create, data and children", calls),
    ("ACLs and auth", acls),
    ("watches", watches),
    ("persistent and recursive watches", persistent_watches),
    ("reconnect keeps the session", reconnects),
    ("expiry", expires),
    ("leader latch", leader_latch),
    ("children cache", children_cache),
    ("queue", queue),
];

fn open() -> (ZooKeeper, Receiver<ZkState>) {
    open_at(&direct(), 10000)
}

/// The states that follow the first connection come from the receiver.
fn open_at(host: &str, ms: u64) -> (ZooKeeper, Receiver<ZkState>) {
    let zk = ZooKeeper::connect(host, Duration::from_millis(ms), |_| {}).unwrap();
    let (states, seen) = channel();
    zk.add_listener(move |state| _ = states.send(state));
    zk.exists("/", false).unwrap();
    (zk, seen)
}

/// A watcher that sends its events.
fn send(to: Sender<WatchedEvent>) -> impl Fn(WatchedEvent) + Send {
    move |event| drop(to.send(event))
}

fn open_acl() -> Vec<Acl> {
    Acl::open_unsafe().clone()
}

fn make(zk: &ZooKeeper, path: &str, mode: CreateMode) -> String {
    zk.create(path, b"x".to_vec(), open_acl(), mode).unwrap()
}

fn next_is(seen: &Receiver<WatchedEvent>, kind: WatchedEventType, path: &str) {
    let event = seen.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no {kind:?} of {path}"));
    assert_eq!((event.event_type, event.path.as_deref()), (kind, Some(path)));
}

fn state_comes(seen: &Receiver<ZkState>, wanted: ZkState) {
    while seen.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("never {wanted:?}")) != wanted {}
}

fn calls() {
    let (zk, _seen) = open();
    assert_eq!(make(&zk, "/sync", CreateMode::Persistent), "/sync");
    assert_eq!(make(&zk, "/sync/s-", CreateMode::PersistentSequential), "/sync/s-0000000000");
    assert_eq!(make(&zk, "/sync/es-", CreateMode::EphemeralSequential), "/sync/es-0000000001");
    make(&zk, "/sync/e", CreateMode::Ephemeral);
    make(&zk, "/sync/c", CreateMode::Container);
    assert_ne!(zk.exists("/sync/e", false).unwrap().unwrap().ephemeral_owner, 0);
    let mut names = zk.get_children("/sync", false).unwrap();
    names.sort();
    assert_eq!(names, ["c", "e", "es-0000000001", "s-0000000000"]);
    assert_eq!(refused(zk.create("/sync", vec![], open_acl(), CreateMode::Persistent)), ZkError::NodeExists);
    assert_eq!(refused(zk.create("/sync/e/x", vec![], open_acl(), CreateMode::Persistent)), ZkError::NoChildrenForEphemerals);
    assert_eq!(zk.set_data("/sync", b"new".to_vec(), Some(0)).unwrap().version, 1);
    assert_eq!(refused(zk.set_data("/sync", vec![], Some(0))), ZkError::BadVersion);
    let (data, stat) = zk.get_data("/sync", false).unwrap();
    assert_eq!((data.as_slice(), stat.version), (b"new".as_slice(), 1));
    assert_eq!(refused(zk.get_data("/sync/none", false)), ZkError::NoNode);
    assert!(zk.exists("/sync/none", false).unwrap().is_none());
    assert_eq!(refused(zk.delete("/sync", None)), ZkError::NotEmpty);
    zk.ensure_path("/sync/d/e/f").unwrap();
    zk.delete_recursive("/sync").unwrap();
    assert!(zk.exists("/sync", false).unwrap().is_none());
    zk.close().unwrap();
}

fn acls() {
    let ((owner, _a), (other, _b)) = (open(), open());
    owner.add_auth("digest", b"bob:builder".to_vec()).unwrap();
    owner.create("/syncacl", b"x".to_vec(), Acl::creator_all().clone(), CreateMode::Persistent).unwrap();
    let (acl, _) = owner.get_acl("/syncacl").unwrap();
    assert_eq!(acl, [Acl::new(Permission::ALL, "digest", "bob:4rsXV9JgUbFl9ZE40xENilxlRV8=")]);
    assert_eq!(refused(other.get_data("/syncacl", false)), ZkError::NoAuth);
    assert_eq!(owner.set_acl("/syncacl", Acl::read_unsafe().clone(), Some(0)).unwrap().aversion, 1);
    assert_eq!(other.get_data("/syncacl", false).unwrap().0, b"x");
    assert_eq!(refused(owner.set_data("/syncacl", vec![], None)), ZkError::NoAuth);
}

fn watches() {
    let ((zk, _a), (other, _b)) = (open(), open());
    let (events, seen) = channel();
    assert!(zk.exists_w("/syncw", send(events.clone())).unwrap().is_none());
    make(&other, "/syncw", CreateMode::Persistent);
    next_is(&seen, WatchedEventType::NodeCreated, "/syncw");
    zk.get_data_w("/syncw", send(events.clone())).unwrap();
    other.set_data("/syncw", vec![], None).unwrap();
    next_is(&seen, WatchedEventType::NodeDataChanged, "/syncw");
    zk.get_children_w("/syncw", send(events.clone())).unwrap();
    make(&other, "/syncw/c", CreateMode::Persistent);
    next_is(&seen, WatchedEventType::NodeChildrenChanged, "/syncw");
    zk.get_data_w("/syncw/c", send(events)).unwrap();
    other.delete("/syncw/c", None).unwrap();
    next_is(&seen, WatchedEventType::NodeDeleted, "/syncw/c");
}

fn persistent_watches() {
    let ((zk, _a), (other, _b)) = (open(), open());
    make(&other, "/syncp", CreateMode::Persistent);
    make(&other, "/syncr", CreateMode::Persistent);
    let ((node, nodes), (tree, trees)) = (channel(), channel());
    zk.add_watch("/syncp", AddWatchMode::Persistent, send(node)).unwrap();
    zk.add_watch("/syncr", AddWatchMode::PersistentRecursive, send(tree)).unwrap();
    for _ in 0..3 {
        other.set_data("/syncp", vec![], None).unwrap();
        next_is(&nodes, WatchedEventType::NodeDataChanged, "/syncp");
    }
    make(&other, "/syncr/a", CreateMode::Persistent);
    make(&other, "/syncr/a/b", CreateMode::Persistent);
    other.delete("/syncr/a/b", None).unwrap();
    next_is(&trees, WatchedEventType::NodeCreated, "/syncr/a");
    next_is(&trees, WatchedEventType::NodeCreated, "/syncr/a/b");
    next_is(&trees, WatchedEventType::NodeDeleted, "/syncr/a/b");
    zk.remove_watches("/syncr", WatcherType::Any).unwrap();
    other.set_data("/syncr/a", vec![], None).unwrap();
    other.set_data("/syncp", vec![], None).unwrap();
    next_is(&nodes, WatchedEventType::NodeDataChanged, "/syncp"); // would come after the other
    zk.exists("/syncr", false).unwrap();
    if let Ok(event) = trees.try_recv() {
        assert!(matches!(event.event_type, WatchedEventType::DataWatchRemoved | WatchedEventType::ChildWatchRemoved), "{event:?}");
    }
    assert_eq!(refused(zk.remove_watches("/syncr", WatcherType::Any)), ZkError::NoWatcher);
}

fn reconnects() {
    let ((zk, seen), (other, _b)) = (open_at(&proxied(), 10000), open());
    make(&zk, "/synceph", CreateMode::Ephemeral);
    let owner = zk.exists("/synceph", false).unwrap().unwrap().ephemeral_owner;
    order("drop");
    state_comes(&seen, ZkState::Connecting);
    state_comes(&seen, ZkState::Connected);
    eventually("the client is back", || zk.exists("/", false).is_ok());
    make(&zk, "/synceph2", CreateMode::Ephemeral);
    assert_eq!(other.exists("/synceph2", false).unwrap().unwrap().ephemeral_owner, owner);
    assert!(other.exists("/synceph", false).unwrap().is_some());
    zk.close().unwrap();
    assert!(other.exists("/synceph", false).unwrap().is_none());
}

// This client does not tell that its session is over; the server does, to others.
fn expires() {
    let ((zk, _a), (other, _b)) = (open_at(&proxied(), 1000), open());
    make(&zk, "/syncexpire", CreateMode::Ephemeral);
    let (events, gone) = channel();
    other.exists_w("/syncexpire", send(events)).unwrap();
    order("cut");
    next_is(&gone, WatchedEventType::NodeDeleted, "/syncexpire");
}

fn leader_latch() {
    let ((one, _a), (two, _b)) = (open(), open());
    let (one, two) = (Arc::new(one), Arc::new(two));
    let first = LeaderLatch::new(one.clone(), "first".into(), "/latch".into());
    let second = LeaderLatch::new(two.clone(), "second".into(), "/latch".into());
    first.start().unwrap();
    eventually("the first leads", || first.has_leadership());
    second.start().unwrap();
    assert!(!second.has_leadership());
    one.close().unwrap(); // the end of its session
    eventually("the second leads", || second.has_leadership());
    second.stop().unwrap();
    assert!(!second.has_leadership());
}

fn children_cache() {
    let ((zk, _a), (other, _b)) = (open(), open());
    let (events, seen) = channel();
    make(&other, "/cache", CreateMode::Persistent);
    make(&other, "/cache/a", CreateMode::Persistent);
    let mut cache = PathChildrenCache::new(Arc::new(zk), "/cache").unwrap();
    cache.add_listener(move |event| drop(events.send(event)));
    cache.start().unwrap();
    eventually("a is known", || cache.get_current_data().contains_key("/cache/a"));
    make(&other, "/cache/b", CreateMode::Persistent);
    eventually("b is known", || cache.get_current_data().contains_key("/cache/b"));
    other.set_data("/cache/b", b"new".to_vec(), None).unwrap();
    eventually("b is new", || cache.get_current_data().get("/cache/b").is_some_and(|d| d.0 == b"new"));
    other.delete("/cache/a", None).unwrap();
    eventually("a is gone", || !cache.get_current_data().contains_key("/cache/a"));
    assert!(seen.try_iter().any(|e| matches!(e, PathChildrenCacheEvent::ChildAdded(path, _) if path == "/cache/b")));
}

fn queue() {
    let ((zk, _a), (other, _b)) = (open(), open());
    let items = ZkQueue::new(Arc::new(zk), "/items".into()).unwrap();
    let more = ZkQueue::new(Arc::new(other), "/items".into()).unwrap();
    for i in 0..10u8 {
        more.offer(vec![i]).unwrap();
    }
    assert_eq!(items.peek().unwrap(), Some(vec![0]));
    for i in 0..10u8 {
        assert_eq!(items.take().unwrap(), [i]);
    }
    assert_eq!(items.poll().unwrap(), None);
}
