package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Watches while the connection lasts. */
class WatchTest extends Client {
    private final Events events = new Events();
    private ZooKeeper other;
    private String a;

    @BeforeEach
    void another() throws Exception {
        other = connect();
        a = create(root + "/a", "");
    }

    @Test
    void defaultWatcherHearsThoseThatAskForIt() throws Exception {
        zk.getData(a, true, null);
        other.setData(a, null, -1);
        session.want(EventType.NodeDataChanged, a);
        zk.register(events);
        zk.exists(a, true);
        other.delete(a, -1);
        events.want(EventType.NodeDeleted, a);
        session.wantNoMore(zk);
    }

    @Test
    void existsHearsCreationDataAndDeletionOnce() throws Exception {
        String b = root + "/b";
        zk.exists(b, events);
        other.create(b, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        events.want(EventType.NodeCreated, b);
        other.setData(b, null, -1);
        events.wantNoMore(zk);
        zk.exists(b, events);
        other.setData(b, null, -1);
        events.want(EventType.NodeDataChanged, b);
        zk.exists(b, events);
        other.delete(b, -1);
        events.want(EventType.NodeDeleted, b);
        events.wantNoMore(zk);
    }

    @Test
    void getDataHearsDataAndNotChildren() throws Exception {
        zk.getData(a, events, null);
        other.create(a + "/child", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        events.wantNoMore(zk);
        other.setData(a, null, -1);
        events.want(EventType.NodeDataChanged, a);
    }

    @Test
    void getChildrenHearsChildrenAndNotData() throws Exception {
        zk.getChildren(a, events);
        other.setData(a, null, -1);
        events.wantNoMore(zk);
        other.create(a + "/child", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        events.want(EventType.NodeChildrenChanged, a);
        other.delete(a + "/child", -1);
        events.wantNoMore(zk);
        zk.getChildren(a, events, null);
        other.delete(a, -1);
        events.want(EventType.NodeDeleted, a);
    }

    @Test
    void aWatchOfWhatIsNotThereIsNotLeft() throws Exception {
        assertThrows(KeeperException.NoNodeException.class, () -> zk.getData(root + "/no", events, null));
        create(root + "/no", "");
        events.wantNoMore(zk);
    }

    @Test
    void oneWatcherOnManyCallsHearsOnce() throws Exception {
        zk.exists(a, events);
        zk.getData(a, events, null);
        zk.getChildren(a, events);
        other.delete(a, -1);
        events.want(EventType.NodeDeleted, a);
        events.wantNoMore(zk);
    }

    @Test
    void eventsCarryTheZxidOfTheirChange() throws Exception {
        zk.getData(a, events, null);
        long zxid = other.setData(a, null, -1).getMzxid();
        WatchedEvent e = events.next();
        assertEquals(EventType.NodeDataChanged, e.getType());
        // Servers before 3.9 do not say it.
        assertTrue(e.getZxid() == zxid || e.getZxid() == WatchedEvent.NO_ZXID, "zxid " + e.getZxid());
    }

    @Test
    void persistentWatchHearsItsNodeAgainAndAgain() throws Exception {
        zk.addWatch(a, events, AddWatchMode.PERSISTENT);
        for (int i = 0; i < 3; i++) {
            other.setData(a, null, -1);
            events.want(EventType.NodeDataChanged, a);
        }
        other.create(a + "/child", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        events.want(EventType.NodeChildrenChanged, a);
        other.setData(a + "/child", null, -1);
        events.wantNoMore(zk);
        other.delete(a + "/child", -1);
        events.want(EventType.NodeChildrenChanged, a);
        other.delete(a, -1);
        events.want(EventType.NodeDeleted, a);
        other.create(a, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        events.want(EventType.NodeCreated, a);
    }

    @Test
    void persistentRecursiveWatchHearsTheSubtreeAndNoChildLists() throws Exception {
        zk.addWatch(root, events, AddWatchMode.PERSISTENT_RECURSIVE);
        other.create(a + "/b", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        other.create(a + "/b/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        other.setData(a + "/b/c", null, -1);
        other.delete(a + "/b/c", -1);
        other.setData(root, null, -1);
        events.want(EventType.NodeCreated, a + "/b");
        events.want(EventType.NodeCreated, a + "/b/c");
        events.want(EventType.NodeDataChanged, a + "/b/c");
        events.want(EventType.NodeDeleted, a + "/b/c");
        events.want(EventType.NodeDataChanged, root);
        events.wantNoMore(zk);
    }

    @Test
    void addWatchUsesTheDefaultWatcher() throws Exception {
        zk.addWatch(root, AddWatchMode.PERSISTENT_RECURSIVE);
        other.setData(a, null, -1);
        session.want(EventType.NodeDataChanged, a);
    }

    @Test
    void aMultiIsHeardPartByPart() throws Exception {
        zk.addWatch(root, events, AddWatchMode.PERSISTENT_RECURSIVE);
        other.multi(List.of(
                Op.create(root + "/b", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                Op.setData(a, null, -1),
                Op.delete(a, -1)));
        events.want(EventType.NodeCreated, root + "/b");
        events.want(EventType.NodeDataChanged, a);
        events.want(EventType.NodeDeleted, a);
        events.wantNoMore(zk);
    }

    @Test
    void removeWatchesOfOneWatcher() throws Exception {
        Events kept = new Events();
        zk.getData(a, events, null);
        zk.getData(a, kept, null);
        zk.removeWatches(a, events, WatcherType.Data, false);
        events.want(EventType.DataWatchRemoved, a);
        other.setData(a, null, -1);
        kept.want(EventType.NodeDataChanged, a);
        events.wantNoMore(zk);
    }

    @Test
    void removeWatchesOfEveryKind() throws Exception {
        zk.getChildren(a, events);
        zk.removeWatches(a, events, WatcherType.Children, false);
        events.want(EventType.ChildWatchRemoved, a);
        zk.addWatch(a, events, AddWatchMode.PERSISTENT);
        zk.removeWatches(a, events, WatcherType.Any, false);
        events.want(EventType.PersistentWatchRemoved, a);
        zk.addWatch(a, events, AddWatchMode.PERSISTENT_RECURSIVE);
        zk.removeWatches(a, events, WatcherType.PersistentRecursive, false);
        events.want(EventType.PersistentWatchRemoved, a);
        other.setData(a, null, -1);
        other.delete(a, -1);
        events.wantNoMore(zk);
    }

    @Test
    void removeAllWatches() throws Exception {
        zk.getData(a, events, null);
        zk.exists(a, session);
        zk.removeAllWatches(a, WatcherType.Data, false);
        events.want(EventType.DataWatchRemoved, a);
        session.want(EventType.DataWatchRemoved, a);
        assertThrows(KeeperException.NoWatcherException.class, () -> zk.removeAllWatches(a, WatcherType.Any, false));
        assertThrows(KeeperException.NoWatcherException.class,
                () -> zk.removeWatches(a, events, WatcherType.Any, false));
    }

    @Test
    void ephemeralsOfAClosedSessionAreHeard() throws Exception {
        other.create(root + "/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        zk.exists(root + "/e", events);
        zk.getChildren(root, session);
        other.close();
        events.want(EventType.NodeDeleted, root + "/e");
        session.want(EventType.NodeChildrenChanged, root);
    }

    @Test
    void aWatchIsHeardBeforeTheNewDataIsRead() throws Exception {
        for (int i = 0; i < 200; i++) {
            java.util.concurrent.atomic.AtomicBoolean heard = new java.util.concurrent.atomic.AtomicBoolean();
            int version = zk.exists(a, e -> heard.set(true)).getVersion();
            java.util.concurrent.CompletableFuture<Void> set = new java.util.concurrent.CompletableFuture<>();
            other.setData(a, null, -1, (rc, path, ctx, stat) -> set.complete(null), null);
            java.util.concurrent.CompletableFuture<Boolean> ok = new java.util.concurrent.CompletableFuture<>();
            // The answer is handled by the thread that handles events.
            zk.exists(a, false, (rc, path, ctx, stat) -> ok.complete(stat.getVersion() == version || heard.get()), null);
            assertTrue(zkd.Await.get(ok), "new data before the event");
            zkd.Await.get(set);
        }
    }
}
