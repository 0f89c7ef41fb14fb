//! The client of the crate zookeeper-client.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use zookeeper_client::{
    Acl, Acls, AddWatchMode, AuthId, AuthUser, Client, CreateMode, CreateOptions, EnsembleUpdate, Error, EventType,
    LockOptions, LockPrefix, MultiReadResult, MultiWriteError, MultiWriteResult, OneshotWatcher, Permission,
    PersistentWatcher, SessionState,
};

use crate::{PATIENCE, Test, direct, leader, order, proxied, refused};

const OPEN: Acls<'static> = Acls::anyone_all();
const PERSISTENT: CreateOptions<'static> = CreateMode::Persistent.with_acls(OPEN);
const EPHEMERAL: CreateOptions<'static> = CreateMode::Ephemeral.with_acls(OPEN);
const CONTAINER: CreateOptions<'static> = CreateMode::Container.with_acls(OPEN);

pub const TESTS: &[Test] = &[
    ("connect and negotiated timeouts", || run(connects())),
    ("create modes", || run(create_modes())),
    ("create refused", || run(create_refused())),
    ("containers and TTL nodes go by themselves", || run(go_by_themselves())),
    ("data, stat and delete", || run(data())),
    ("children, descendants, ephemerals, mkdir", || run(children())),
    ("requests in order", || run(in_order())),
    ("multi", || run(multi())),
    ("multi of reads", || run(multi_read())),
    ("check writer", || run(check_writer())),
    ("ACLs and auth", || run(acls())),
    ("oneshot watches", || run(oneshot_watches())),
    ("watches removed", || run(watches_removed())),
    ("persistent watch", || run(persistent_watch())),
    ("persistent recursive watch", || run(recursive_watch())),
    ("recursive watcher hears of a reconnect", || run(recursive_over_reconnect())),
    ("config and reconfig", || run(config())),
    ("chroot", || run(chroot())),
    ("reconnect keeps session, watches and auth", || run(reconnects())),
    ("session taken over", || run(taken_over())),
    ("expiry", || run(expires())),
    ("pings keep the session", || run(idles())),
    ("lock is exclusive", || run(lock())),
    ("lock of an expired session is lost", || run(lock_lost())),
];

pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(2 * PATIENCE, test).await.expect("the test ends") });
}

async fn open() -> Client {
    open_at(&direct(), 10000).await
}

async fn open_at(host: &str, ms: u64) -> Client {
    Client::connector().with_session_timeout(Duration::from_millis(ms)).connect(host).await.unwrap()
}

async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

async fn state_comes(client: &Client, wanted: SessionState) {
    let mut states = client.state_watcher();
    within("a state", async {
        while states.peek_state() != wanted {
            states.changed().await;
        }
    })
    .await;
}

async fn fires(watcher: OneshotWatcher, event: EventType, path: &str) {
    let got = within(path, watcher.changed()).await;
    assert_eq!((got.event_type, got.path.as_str()), (event, path));
}

async fn next_is(watcher: &mut PersistentWatcher, event: EventType, path: &str) {
    let got = within(path, watcher.changed()).await;
    assert_eq!((got.event_type, got.path.as_str()), (event, path));
}

async fn await_gone(client: &Client, path: &str) {
    within(path, async {
        while client.check_stat(path).await.unwrap().is_some() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    })
    .await;
}

async fn connects() {
    let client = open_at(&direct(), 600000).await;
    assert_eq!(client.session_timeout(), Duration::from_secs(40));
    assert_eq!(client.state(), SessionState::SyncConnected);
    let short = open_at(&direct(), 300).await;
    assert_eq!(short.session_timeout(), Duration::from_secs(1));
    assert_ne!(client.session_id(), short.session_id());
    // A list with a server that is not there.
    open_at(&format!("127.0.0.1:1,{}", direct()), 10000).await;
}

async fn create_modes() {
    let client = open().await;
    let (stat, _) = client.create("/modes", b"data", &PERSISTENT).await.unwrap();
    assert_eq!((stat.version, stat.data_length, stat.ephemeral_owner), (0, 4, 0));
    assert_eq!(stat.czxid, stat.mzxid);
    assert_eq!(client.check_stat("/modes").await.unwrap(), Some(stat));
    let (stat, _) = client.create("/modes/e", b"", &EPHEMERAL).await.unwrap();
    assert_ne!(stat.ephemeral_owner, 0);
    let sequential = CreateMode::PersistentSequential.with_acls(OPEN);
    let (_, sequence) = client.create("/modes/s-", b"", &sequential).await.unwrap();
    assert_eq!(sequence.into_i64(), 1);
    let sequential = CreateMode::EphemeralSequential.with_acls(OPEN);
    let (stat, sequence) = client.create("/modes/es-", b"", &sequential).await.unwrap();
    assert_eq!(sequence.to_string(), "0000000002");
    assert_ne!(stat.ephemeral_owner, 0);
    client.create("/modes/c", b"", &CONTAINER).await.unwrap();
    client.create("/modes/t", b"", &PERSISTENT.with_ttl(Duration::from_secs(60))).await.unwrap();
    let mut names = client.list_children("/modes").await.unwrap();
    names.sort();
    assert_eq!(names, ["c", "e", "es-0000000002", "s-0000000001", "t"]);
}

async fn create_refused() {
    let client = open().await;
    client.create("/refused", b"", &PERSISTENT).await.unwrap();
    assert_eq!(refused(client.create("/refused", b"", &PERSISTENT).await), Error::NodeExists);
    assert_eq!(refused(client.create("/refused/no/parent", b"", &PERSISTENT).await), Error::NoNode);
    client.create("/refused/e", b"", &EPHEMERAL).await.unwrap();
    let below = client.create("/refused/e/x", b"", &PERSISTENT).await;
    assert_eq!(refused(below), Error::NoChildrenForEphemerals);
    let unknown = [Acl::new(Permission::ALL, AuthId::new("nosuch", "x"))];
    let create = client.create("/refused/x", b"", &CreateMode::Persistent.with_acls(Acls::new(&unknown))).await;
    assert_eq!(refused(create), Error::InvalidAcl);
}

async fn go_by_themselves() {
    let client = open().await;
    client.create("/container", b"", &CONTAINER).await.unwrap();
    client.create("/container/child", b"", &PERSISTENT).await.unwrap();
    client.create("/short", b"", &PERSISTENT.with_ttl(Duration::from_millis(100))).await.unwrap();
    client.delete("/container/child", None).await.unwrap();
    await_gone(&client, "/container").await;
    await_gone(&client, "/short").await;
}

async fn data() {
    let client = open().await;
    client.create("/data", b"one", &PERSISTENT).await.unwrap();
    let stat = client.set_data("/data", b"three", Some(0)).await.unwrap();
    assert_eq!((stat.version, stat.data_length), (1, 5));
    assert_eq!(refused(client.set_data("/data", b"x", Some(0)).await), Error::BadVersion);
    let (bytes, read) = client.get_data("/data").await.unwrap();
    assert_eq!((bytes.as_slice(), read), (b"three".as_slice(), stat));
    let large = vec![7; 1_000_000];
    client.set_data("/data", &large, None).await.unwrap();
    assert!(client.get_data("/data").await.unwrap().0 == large);
    assert_eq!(refused(client.get_data("/data/none").await), Error::NoNode);
    assert_eq!(client.check_stat("/data/none").await.unwrap(), None);
    client.create("/data/child", b"", &PERSISTENT).await.unwrap();
    assert_eq!(refused(client.delete("/data", None).await), Error::NotEmpty);
    assert_eq!(refused(client.delete("/data/child", Some(3)).await), Error::BadVersion);
    client.delete("/data/child", Some(0)).await.unwrap();
    client.delete("/data", None).await.unwrap();
    assert_eq!(refused(client.delete("/data", None).await), Error::NoNode);
    client.sync("/").await.unwrap();
}

async fn children() {
    let client = open().await;
    client.mkdir("/family/a/b", &PERSISTENT).await.unwrap();
    client.create("/family/e", b"", &EPHEMERAL).await.unwrap();
    client.create("/family/a/e", b"", &EPHEMERAL).await.unwrap();
    let (mut names, stat) = client.get_children("/family").await.unwrap();
    names.sort();
    assert_eq!(names, ["a", "e"]);
    assert_eq!((stat.num_children, stat.cversion), (2, 2));
    assert_eq!(client.count_descendants_number("/family").await.unwrap(), 4);
    let mut ephemerals = client.list_ephemerals("/family").await.unwrap();
    ephemerals.sort();
    assert_eq!(ephemerals, ["/family/a/e", "/family/e"]);
    assert_eq!(refused(client.list_children("/family/none").await), Error::NoNode);
}

async fn in_order() {
    let client = open().await;
    client.create("/order", b"", &PERSISTENT).await.unwrap();
    let mut all = Vec::new();
    for i in 0..300 {
        let text = i.to_string();
        let set = client.set_data("/order", text.as_bytes(), Some(i));
        all.push((i, set, client.get_data("/order")));
    }
    for (i, set, get) in all {
        assert_eq!(set.await.unwrap().version, i + 1);
        assert_eq!(get.await.unwrap().0, i.to_string().as_bytes());
    }
}

async fn multi() {
    let client = open().await;
    client.create("/multi", b"", &PERSISTENT).await.unwrap();
    let mut writer = client.new_multi_writer();
    writer.add_create("/multi/a", b"a", &PERSISTENT).unwrap();
    writer.add_set_data("/multi", b"new", Some(0)).unwrap();
    writer.add_check_version("/multi", 1).unwrap();
    writer.add_create("/multi/b", b"", &CONTAINER).unwrap();
    writer.add_delete("/multi/a", Some(0)).unwrap();
    let results = writer.commit().await.unwrap();
    assert_eq!(results.len(), 5);
    assert!(matches!(&results[0], MultiWriteResult::Create { path, .. } if path == "/multi/a"));
    assert!(matches!(&results[1], MultiWriteResult::SetData { stat } if stat.version == 1));
    assert_eq!(results[2], MultiWriteResult::Check);
    assert!(matches!(&results[3], MultiWriteResult::Create { path, .. } if path == "/multi/b"));
    assert_eq!(results[4], MultiWriteResult::Delete);

    let mut writer = client.new_multi_writer();
    writer.add_create("/multi/c", b"", &PERSISTENT).unwrap();
    writer.add_check_version("/multi", 7).unwrap();
    let failed = refused(writer.commit().await);
    assert_eq!(failed, MultiWriteError::OperationFailed { index: 1, source: Error::BadVersion });
    assert_eq!(client.list_children("/multi").await.unwrap(), ["b"]);
}

async fn multi_read() {
    let client = open().await;
    client.create("/reads", b"data", &PERSISTENT).await.unwrap();
    client.create("/reads/child", b"", &PERSISTENT).await.unwrap();
    let mut reader = client.new_multi_reader();
    reader.add_get_data("/reads").unwrap();
    reader.add_get_data("/reads/none").unwrap();
    reader.add_get_children("/reads").unwrap();
    let results = reader.commit().await.unwrap();
    assert_eq!(results.len(), 3);
    assert!(matches!(&results[0], MultiReadResult::Data { data, stat } if data == b"data" && stat.num_children == 1));
    assert!(matches!(&results[1], MultiReadResult::Error { err: Error::NoNode }));
    assert!(matches!(&results[2], MultiReadResult::Children { children } if children == &["child"]));
}

async fn check_writer() {
    let client = open().await;
    client.create("/check", b"", &PERSISTENT).await.unwrap();
    let mut writer = client.new_check_writer("/check", Some(0)).unwrap();
    writer.add_create("/check/a", b"", &PERSISTENT).unwrap();
    assert_eq!(writer.commit().await.unwrap().len(), 1);
    client.set_data("/check", b"x", None).await.unwrap();
    let mut writer = client.new_check_writer("/check", Some(0)).unwrap();
    writer.add_create("/check/b", b"", &PERSISTENT).unwrap();
    assert!(writer.commit().await.is_err());
    assert_eq!(client.list_children("/check").await.unwrap(), ["a"]);
}

async fn acls() {
    let (owner, other) = (open().await, open().await);
    let creator = CreateMode::Persistent.with_acls(Acls::creator_all());
    assert_eq!(refused(owner.create("/acl", b"", &creator).await), Error::InvalidAcl);
    owner.auth("digest", b"bob:builder").await.unwrap();
    owner.create("/acl", b"x", &creator).await.unwrap();
    let digest = AuthId::new("digest", "bob:4rsXV9JgUbFl9ZE40xENilxlRV8=");
    let (acl, stat) = owner.get_acl("/acl").await.unwrap();
    assert_eq!((acl, stat.aversion), (vec![Acl::new(Permission::ALL, digest.clone())], 0));
    let users = owner.list_auth_users().await.unwrap();
    assert!(users.contains(&AuthUser::new("digest", "bob")), "{users:?}");
    assert_eq!(refused(other.get_data("/acl").await), Error::NoAuth);

    let two = [Acl::new(Permission::ALL, digest), Acl::new(Permission::READ, AuthId::new("world", "anyone"))];
    assert_eq!(owner.set_acl("/acl", &two, Some(0)).await.unwrap().aversion, 1);
    assert_eq!(refused(owner.set_acl("/acl", &two, Some(0)).await), Error::BadVersion);
    assert_eq!(other.get_data("/acl").await.unwrap().0, b"x");
    assert_eq!(refused(other.set_data("/acl", b"", None).await), Error::NoAuth);
    other.auth("digest", b"super:secret").await.unwrap();
    other.set_data("/acl", b"y", None).await.unwrap();

    let bad = open().await;
    assert_eq!(refused(bad.auth("nosuch", b"x").await), Error::AuthFailed);
    state_comes(&bad, SessionState::AuthFailed).await;
}

async fn oneshot_watches() {
    let (client, other) = (open().await, open().await);
    let (stat, watcher) = client.check_and_watch_stat("/w").await.unwrap();
    assert_eq!(stat, None);
    let (created, _) = other.create("/w", b"", &PERSISTENT).await.unwrap();
    let event = within("/w", watcher.changed()).await;
    assert_eq!((event.event_type, event.path.as_str()), (EventType::NodeCreated, "/w"));
    assert!(event.zxid == created.czxid || event.zxid == -1, "{event:?}"); // since 3.9 events tell
    let (_, _, watcher) = client.get_and_watch_data("/w").await.unwrap();
    let (_, _, kids) = client.get_and_watch_children("/w").await.unwrap();
    other.set_data("/w", b"x", None).await.unwrap();
    fires(watcher, EventType::NodeDataChanged, "/w").await;
    other.create("/w/c", b"", &PERSISTENT).await.unwrap();
    fires(kids, EventType::NodeChildrenChanged, "/w").await;
    let (_, kids) = client.list_and_watch_children("/w/c").await.unwrap();
    let (_, watcher) = client.check_and_watch_stat("/w/c").await.unwrap();
    other.delete("/w/c", None).await.unwrap();
    fires(kids, EventType::NodeDeleted, "/w/c").await;
    fires(watcher, EventType::NodeDeleted, "/w/c").await;
}

async fn watches_removed() {
    let client = open().await;
    client.create("/wr", b"", &PERSISTENT).await.unwrap();
    let (_, _, one) = client.get_and_watch_data("/wr").await.unwrap();
    let (_, _, two) = client.get_and_watch_data("/wr").await.unwrap();
    drop(one); // removes it on the server
    let mut kept = client.watch("/wr", AddWatchMode::Persistent).await.unwrap();
    let gone = client.watch("/wr", AddWatchMode::PersistentRecursive).await.unwrap();
    drop(gone);
    client.set_data("/wr", b"x", None).await.unwrap();
    fires(two, EventType::NodeDataChanged, "/wr").await;
    next_is(&mut kept, EventType::NodeDataChanged, "/wr").await;
}

async fn persistent_watch() {
    let (client, other) = (open().await, open().await);
    let mut watcher = client.watch("/pw", AddWatchMode::Persistent).await.unwrap();
    other.create("/pw", b"", &PERSISTENT).await.unwrap();
    next_is(&mut watcher, EventType::NodeCreated, "/pw").await;
    for _ in 0..3 {
        other.set_data("/pw", b"x", None).await.unwrap();
        next_is(&mut watcher, EventType::NodeDataChanged, "/pw").await;
    }
    other.create("/pw/c", b"", &PERSISTENT).await.unwrap();
    next_is(&mut watcher, EventType::NodeChildrenChanged, "/pw").await;
    other.set_data("/pw/c", b"x", None).await.unwrap(); // not its business
    other.delete("/pw/c", None).await.unwrap();
    next_is(&mut watcher, EventType::NodeChildrenChanged, "/pw").await;
    other.delete("/pw", None).await.unwrap();
    next_is(&mut watcher, EventType::NodeDeleted, "/pw").await;
    other.create("/pw", b"", &PERSISTENT).await.unwrap(); // it stays
    next_is(&mut watcher, EventType::NodeCreated, "/pw").await;
}

async fn recursive_watch() {
    let (client, other) = (open().await, open().await);
    let mut watcher = client.watch("/rw", AddWatchMode::PersistentRecursive).await.unwrap();
    other.create("/rw", b"", &PERSISTENT).await.unwrap();
    other.create("/rw/a", b"", &PERSISTENT).await.unwrap();
    other.create("/rw/a/b", b"", &PERSISTENT).await.unwrap();
    other.create("/rwx", b"", &PERSISTENT).await.unwrap(); // beside it
    other.set_data("/rw/a/b", b"x", None).await.unwrap();
    other.delete("/rw/a/b", None).await.unwrap();
    let mut writer = other.new_multi_writer();
    writer.add_set_data("/rw", b"x", None).unwrap();
    writer.add_delete("/rw/a", None).unwrap();
    writer.commit().await.unwrap();
    next_is(&mut watcher, EventType::NodeCreated, "/rw").await;
    next_is(&mut watcher, EventType::NodeCreated, "/rw/a").await;
    next_is(&mut watcher, EventType::NodeCreated, "/rw/a/b").await;
    next_is(&mut watcher, EventType::NodeDataChanged, "/rw/a/b").await;
    next_is(&mut watcher, EventType::NodeDeleted, "/rw/a/b").await;
    next_is(&mut watcher, EventType::NodeDataChanged, "/rw").await;
    next_is(&mut watcher, EventType::NodeDeleted, "/rw/a").await;
}

// Persistent watchers hear that the connection was lost and is back. Events after that do not come: with 0.11.2 they
// do not with a ZooKeeper either, while those of oneshot watches do.
async fn recursive_over_reconnect() {
    let client = open_at(&proxied(), 10000).await;
    client.create("/over", b"", &PERSISTENT).await.unwrap();
    let mut tree = client.watch("/over", AddWatchMode::PersistentRecursive).await.unwrap();
    order("cut");
    state_comes(&client, SessionState::Disconnected).await;
    order("open");
    for state in [SessionState::Disconnected, SessionState::SyncConnected] {
        let event = within("a session event", tree.changed()).await;
        assert_eq!((event.event_type, event.session_state), (EventType::Session, state));
    }
}

async fn config() {
    let client = open().await;
    let (text, _) = client.get_config().await.unwrap();
    let names_servers = String::from_utf8_lossy(&text).contains("server.");
    assert_eq!(names_servers, leader::all().is_some(), "a standalone server names none");
    let (joining, leaving) = (["server.2=127.0.0.1:2:3;4"], []);
    let join = EnsembleUpdate::Incremental { joinings: joining.iter().copied(), leavings: leaving.iter().copied() };
    assert_eq!(refused(client.update_ensemble(join, None).await), Error::ReconfigDisabled);
}

async fn chroot() {
    let client = open().await;
    client.create("/root", b"", &PERSISTENT).await.unwrap();
    let inside = open_at(&format!("{}/root", direct()), 10000).await;
    let (_, watcher) = inside.check_and_watch_stat("/x").await.unwrap();
    inside.create("/x", b"", &PERSISTENT).await.unwrap();
    fires(watcher, EventType::NodeCreated, "/x").await;
    assert_eq!(client.list_children("/root").await.unwrap(), ["x"]);
}

async fn reconnects() {
    let (client, other) = (open_at(&proxied(), 10000).await, open().await);
    client.auth("digest", b"eve:pw").await.unwrap();
    client.create("/again", b"", &CreateMode::Ephemeral.with_acls(Acls::creator_all())).await.unwrap();
    client.create("/watched", b"", &PERSISTENT).await.unwrap();
    let id = client.session_id();
    let (_, _, missed) = client.get_and_watch_data("/watched").await.unwrap();
    let (_, _, kids) = client.get_and_watch_children("/watched").await.unwrap();
    let (_, created) = client.check_and_watch_stat("/watched/x").await.unwrap();
    order("cut");
    state_comes(&client, SessionState::Disconnected).await;
    other.set_data("/watched", b"x", None).await.unwrap();
    order("open");
    state_comes(&client, SessionState::SyncConnected).await;
    fires(missed, EventType::NodeDataChanged, "/watched").await;
    assert_eq!(client.session_id(), id);
    client.set_data("/again", b"x", None).await.unwrap(); // takes the auth of before
    other.create("/watched/x", b"", &PERSISTENT).await.unwrap();
    fires(created, EventType::NodeCreated, "/watched/x").await;
    fires(kids, EventType::NodeChildrenChanged, "/watched").await;
}

async fn taken_over() {
    let client = Client::connector().with_detached().connect(&direct()).await.unwrap();
    client.create("/taken", b"", &EPHEMERAL).await.unwrap();
    let session = client.into_session(); // detached: the end of the client is not that of the session
    let id = session.id();
    let next = Client::connector().with_session(session).connect(&direct()).await.unwrap();
    assert_eq!(next.session_id(), id);
    assert!(next.check_stat("/taken").await.unwrap().is_some());
    drop(next);
    let other = open().await;
    await_gone(&other, "/taken").await;
}

async fn expires() {
    let (client, other) = (open_at(&proxied(), 1000).await, open().await);
    client.create("/expire", b"", &EPHEMERAL).await.unwrap();
    let (_, watcher) = other.check_and_watch_stat("/expire").await.unwrap();
    order("cut");
    fires(watcher, EventType::NodeDeleted, "/expire").await;
    order("open");
    state_comes(&client, SessionState::Expired).await;
    assert_eq!(refused(client.check_stat("/").await), Error::SessionExpired);
}

async fn idles() {
    let (client, other) = (open_at(&direct(), 1000).await, open().await);
    client.create("/idle", b"", &EPHEMERAL).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2500)).await; // two and a half timeouts
    assert!(other.check_stat("/idle").await.unwrap().is_some());
    assert_eq!(client.state(), SessionState::SyncConnected);
}

async fn lock() {
    let holders = Arc::new(AtomicI32::new(0));
    let contend = |holders: Arc<AtomicI32>| async move {
        let client = open().await;
        let mut fences = Vec::new();
        for _ in 0..10 {
            let options = LockOptions::new(OPEN).with_ancestor_options(CONTAINER).unwrap();
            let prefix = LockPrefix::new_curator("/locks/one", "lock-").unwrap();
            let lock = within("the lock", client.lock(prefix, b"", options)).await.unwrap();
            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0, "two holders");
            fences.push(client.check_stat(lock.lock_path()).await.unwrap().unwrap().czxid);
            holders.fetch_sub(1, Ordering::SeqCst);
        }
        assert!(fences.is_sorted());
    };
    let all = (0..4).map(|_| contend(holders.clone()));
    futures::future::join_all(all).await;
    let client = open().await;
    await_gone(&client, "/locks/one").await; // a container, and empty
}

async fn lock_lost() {
    let (client, other) = (open_at(&proxied(), 1000).await, open().await);
    let prefix = || LockPrefix::new_shared("/lost-").unwrap();
    other.create("/mine", b"", &PERSISTENT).await.unwrap();
    let lock = client.lock(prefix(), b"", OPEN).await.unwrap();
    lock.set_data("/mine", b"one", None).await.unwrap();
    order("cut");
    let next = within("the lock", other.lock(prefix(), b"", OPEN)).await.unwrap();
    next.set_data("/mine", b"two", None).await.unwrap();
    order("open");
    state_comes(&client, SessionState::Expired).await;
    assert!(lock.set_data("/mine", b"one again", None).await.is_err());
    assert_eq!(other.get_data("/mine").await.unwrap().0, b"two");
    // The lock checks its own znode with every write.
    other.delete(next.lock_path(), None).await.unwrap();
    assert_eq!(refused(next.set_data("/mine", b"x", None).await), Error::RuntimeInconsistent);
}
