//! What both clients go through while the leader of three servers is killed and comes back. Each client writes a node of
//! its own, whose version is the number of writes, holds an ephemeral and waits for another node.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use zookeeper::{Acl, ZkError, ZooKeeper};
use zookeeper_client::{Acls, Client, CreateMode, Error, EventType};

use crate::{PATIENCE, Test, order};

pub const TESTS: &[Test] = &[
    ("zookeeper-client goes on", || crate::client::run(asynchronous())),
    ("zookeeper goes on", synchronous),
];

/// All servers of an ensemble, if the server under test is one of several.
pub fn all() -> Option<String> {
    env::var("ZK_ALL").ok()
}

/// Kills three leaders, one after the other, and then says so.
fn kill_leaders() -> (Arc<AtomicBool>, JoinHandle<()>) {
    let over = Arc::new(AtomicBool::new(false));
    let done = over.clone();
    let killer = thread::spawn(move || {
        for _ in 0..3 {
            order("restart");
        }
        done.store(true, Ordering::SeqCst);
    });
    (over, killer)
}

async fn asynchronous() {
    let all = all().unwrap();
    let open = || Client::connect(&all);
    let (a, b, other) = (open().await.unwrap(), open().await.unwrap(), open().await.unwrap());
    let persistent = CreateMode::Persistent.with_acls(Acls::anyone_all());
    let ephemeral = CreateMode::Ephemeral.with_acls(Acls::anyone_all());
    a.create("/dies", b"", &persistent).await.unwrap();
    let mut watchers = vec![];
    for (client, name) in [(&a, "a"), (&b, "b")] {
        client.create(&format!("/dies/{name}"), b"", &persistent).await.unwrap();
        client.create(&format!("/dies/e-{name}"), b"", &ephemeral).await.unwrap();
        watchers.push(client.check_and_watch_stat("/dies/later").await.unwrap().1);
    }
    let (over, killer) = kill_leaders();
    let done = tokio::join!(write_on(&a, "/dies/a", &over), write_on(&b, "/dies/b", &over));
    killer.join().unwrap();
    assert!(done.0 + done.1 > 0);
    other.sync("/").await.unwrap();
    for (name, client, n) in [("a", &a, done.0), ("b", &b, done.1)] {
        assert_eq!(other.check_stat(&format!("/dies/{name}")).await.unwrap().unwrap().version, n);
        let stat = other.check_stat(&format!("/dies/e-{name}")).await.unwrap().unwrap();
        assert_eq!(stat.ephemeral_owner, client.session_id().0);
    }
    other.create("/dies/later", b"", &persistent).await.unwrap();
    for watcher in watchers {
        let event = tokio::time::timeout(PATIENCE, watcher.changed()).await.expect("an event");
        assert_eq!((event.event_type, event.path.as_str()), (EventType::NodeCreated, "/dies/later"));
    }
}

async fn write_on(client: &Client, path: &str, over: &AtomicBool) -> i32 {
    let (mut n, mut lost) = (0, false);
    while lost || !over.load(Ordering::SeqCst) {
        match client.set_data(path, b"x", Some(n)).await {
            Err(Error::ConnectionLoss | Error::Custom(_)) => {
                lost = true;
                tokio::time::sleep(Duration::from_millis(5)).await;
                continue;
            }
            Err(Error::BadVersion) if lost => {} // it was done, and its answer lost
            result => drop(result.unwrap()),
        }
        (n, lost) = (n + 1, false);
    }
    n
}

fn synchronous() {
    let all = all().unwrap();
    let open = || Arc::new(ZooKeeper::connect(&all, Duration::from_secs(10), |_| {}).unwrap());
    let make = |zk: &ZooKeeper, path: &str, mode| drop(zk.create(path, vec![], Acl::open_unsafe().clone(), mode).unwrap());
    let clients = [open(), open()];
    make(&clients[0], "/syncdies", zookeeper::CreateMode::Persistent);
    let (events, seen) = channel();
    for (i, zk) in clients.iter().enumerate() {
        make(zk, &format!("/syncdies/{i}"), zookeeper::CreateMode::Persistent);
        make(zk, &format!("/syncdies/e-{i}"), zookeeper::CreateMode::Ephemeral);
        let events = events.clone();
        zk.exists_w("/syncdies/later", move |event| drop(events.send(event))).unwrap();
    }
    let (over, killer) = kill_leaders();
    let work: Vec<_> = clients
        .iter()
        .enumerate()
        .map(|(i, zk)| {
            let (zk, over) = (zk.clone(), over.clone());
            thread::spawn(move || write_on_sync(&zk, &format!("/syncdies/{i}"), &over))
        })
        .collect();
    killer.join().unwrap();
    let done: Vec<i32> = work.into_iter().map(|w| w.join().unwrap()).collect();
    assert!(done.iter().sum::<i32>() > 0);
    let other = open();
    for (i, n) in done.into_iter().enumerate() {
        assert_eq!(other.exists(&format!("/syncdies/{i}"), false).unwrap().unwrap().version, n);
        assert!(other.exists(&format!("/syncdies/e-{i}"), false).unwrap().is_some());
    }
}

fn write_on_sync(zk: &ZooKeeper, path: &str, over: &AtomicBool) -> i32 {
    let (mut n, mut lost) = (0, false);
    while lost || !over.load(Ordering::SeqCst) {
        match zk.set_data(path, vec![], Some(n)) {
            Err(ZkError::ConnectionLoss) | Err(ZkError::OperationTimeout) => {
                lost = true;
                thread::sleep(Duration::from_millis(5));
                continue;
            }
            Err(ZkError::BadVersion) if lost => {} // it was done, and its answer lost
            result => drop(result.unwrap()),
        }
        (n, lost) = (n + 1, false);
    }
    n
}
