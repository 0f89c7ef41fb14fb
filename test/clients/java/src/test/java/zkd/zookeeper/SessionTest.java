package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.ArrayList;
import java.util.List;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Proxy;
import zkd.Server;

/** Sessions: their timeouts, their moves between connections, their ends. */
class SessionTest extends Client {
    private final Events events = new Events();

    private void await(KeeperState... states) throws Exception {
        for (KeeperState s : states) {
            events.await(s);
        }
    }

    @Test
    void timeoutIsNegotiated() throws Exception {
        assertEquals(TIMEOUT, zk.getSessionTimeout());
        assertEquals(1000, connect(Server.ADDRESS, 600, new Events()).getSessionTimeout());
        assertEquals(40_000, connect(Server.ADDRESS, 1_000_000, new Events()).getSessionTimeout());
        assertNotEquals(0, zk.getSessionId());
        assertEquals(16, zk.getSessionPasswd().length);
    }

    @Test
    void moveToAnotherObject() throws Exception {
        zk.create(root + "/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        ZooKeeper moved = connected(
                new ZooKeeper(Server.ADDRESS, TIMEOUT, events, zk.getSessionId(), zk.getSessionPasswd()), events);
        session.await(KeeperState.Disconnected); // the server closed the older connection
        assertEquals(zk.getSessionId(), moved.getSessionId());
        assertEquals(zk.getSessionId(), moved.exists(root + "/e", false).getEphemeralOwner());
        assertEquals(List.of(root + "/e"), moved.getEphemerals());
        moved.close();
        session.await(KeeperState.Expired);
        assertThrows(KeeperException.SessionExpiredException.class, () -> zk.exists(root, false));
        assertNull(connect().exists(root + "/e", false));
    }

    @Test
    void aWrongPasswordIsAnExpiredSession() throws Exception {
        ZooKeeper thief = new ZooKeeper(Server.ADDRESS, TIMEOUT, events, zk.getSessionId(), new byte[16]);
        await(KeeperState.Expired);
        assertEquals(ZooKeeper.States.CLOSED, thief.getState());
        // ZooKeeper closes the owner's connection, though not its session.
        Await.until("the owner is served", () -> {
            try {
                return zk.exists(root, false) != null;
            } catch (KeeperException.ConnectionLossException e) {
                return false;
            }
        });
    }

    @Test
    void aServerThatLostItsData() throws Exception {
        assumeTrue(!Server.BLANK.isEmpty(), "nobody here can lose the server's data: no -Dzk.blank");
        for (int i = 0; i < 50; i++) {
            zk.setData(root, null, -1); // more than the other server has seen
        }
        try (Proxy proxy = new Proxy()) {
            ZooKeeper before = connect(proxy.address(), TIMEOUT, events);
            assertNotNull(before.exists(root, false));
            proxy.leadTo(Server.BLANK);
            await(KeeperState.Disconnected, KeeperState.Expired);
            ZooKeeper after = connect(proxy.address(), TIMEOUT, new Events());
            assertNotEquals(before.getSessionId(), after.getSessionId());
            assertNull(after.exists(root, false));
            after.close();
        }
    }

    @Test
    void aClosedSessionCannotBeTakenUp() throws Exception {
        ZooKeeper other = connect();
        other.close();
        new ZooKeeper(Server.ADDRESS, TIMEOUT, events, other.getSessionId(), other.getSessionPasswd());
        await(KeeperState.Expired);
    }

    @Test
    void expiryIsSeenByTheClientAndByOthers() throws Exception {
        Proxy proxy = closing(new Proxy());
        ZooKeeper client = connect(proxy.address(), 1000, events);
        client.create(root + "/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        Events watch = new Events();
        client.exists(root + "/watched", watch);
        Events gone = new Events();
        zk.exists(root + "/e", gone);
        proxy.cut();
        gone.want(EventType.NodeDeleted, root + "/e");
        proxy.open();
        await(KeeperState.Disconnected, KeeperState.Expired);
        watch.await(KeeperState.Expired);
        assertThrows(KeeperException.SessionExpiredException.class, () -> client.exists(root, false));
        assertFalse(client.getState().isAlive());
    }

    @Test
    void anIdleClientKeepsItsSession() throws Exception {
        ZooKeeper idle = connect(Server.ADDRESS, 1000, events);
        idle.create(root + "/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        long end = System.nanoTime() + 2_500_000_000L;
        Await.until("two and a half seconds pass", () -> System.nanoTime() > end);
        assertNotNull(zk.exists(root + "/e", false));
        assertEquals(ZooKeeper.States.CONNECTED, idle.getState());
        events.wantNoMore(zk);
    }

    @Test
    void watchesAreSetAgainAfterAReconnect() throws Exception {
        Proxy proxy = closing(new Proxy());
        ZooKeeper client = connect(proxy.address(), TIMEOUT, events);
        String[] nodes = {"data", "child", "deleted", "same", "persistent", "recursive"};
        for (String n : nodes) {
            create(root + "/" + n, "");
        }
        Events[] w = new Events[8];
        for (int i = 0; i < w.length; i++) {
            w[i] = new Events();
        }
        client.getData(root + "/data", w[0], null);
        client.getChildren(root + "/child", w[1]);
        client.getData(root + "/deleted", w[2], null);
        client.exists(root + "/created", w[3]);
        client.getData(root + "/same", w[4], null);
        client.addWatch(root + "/persistent", w[5], AddWatchMode.PERSISTENT);
        client.addWatch(root + "/recursive", w[6], AddWatchMode.PERSISTENT_RECURSIVE);
        client.exists(root + "/never", w[7]);

        proxy.cut();
        await(KeeperState.Disconnected);
        zk.setData(root + "/data", bytes("new"), -1);
        create(root + "/child/c", "");
        zk.delete(root + "/deleted", -1);
        create(root + "/created", "");
        zk.setData(root + "/persistent", bytes("missed"), -1);
        proxy.open();
        await(KeeperState.SyncConnected);
        for (Events e : w) {
            e.want(KeeperState.Disconnected);
        }
        // What changed meanwhile is told at the reconnect, whether before or after the word of it.
        w[0].awaitChange(EventType.NodeDataChanged, root + "/data");
        w[1].awaitChange(EventType.NodeChildrenChanged, root + "/child");
        w[2].awaitChange(EventType.NodeDeleted, root + "/deleted");
        w[3].awaitChange(EventType.NodeCreated, root + "/created");

        // What did not is watched on.
        zk.setData(root + "/same", null, -1);
        w[4].awaitChange(EventType.NodeDataChanged, root + "/same");
        zk.setData(root + "/persistent", null, -1);
        w[5].awaitChange(EventType.NodeDataChanged, root + "/persistent");
        create(root + "/recursive/deep", "");
        w[6].awaitChange(EventType.NodeCreated, root + "/recursive/deep");
        create(root + "/never", "");
        w[7].awaitChange(EventType.NodeCreated, root + "/never");
        for (Events e : w) {
            e.wantNoMore(client);
        }
    }

    @Test
    void thousandsOfWatchesAreSetAgain() throws Exception {
        Proxy proxy = closing(new Proxy());
        ZooKeeper client = connect(proxy.address(), TIMEOUT, events);
        int n = 4000; // so many paths do not fit into one setWatches
        String name = "/a-name-that-makes-it-long-and-longer-and-still-longer-";
        Events watch = new Events();
        java.util.concurrent.CountDownLatch set = new java.util.concurrent.CountDownLatch(n);
        for (int i = 0; i < n; i++) {
            client.exists(root + name + i, watch, (rc, path, ctx, stat) -> set.countDown(), null);
        }
        Await.latch("the watches are set", set);
        proxy.drop();
        await(KeeperState.Disconnected, KeeperState.SyncConnected);
        client.sync(root);
        create(root + name + 0, "");
        create(root + name + (n - 1), "");
        watch.awaitChange(EventType.NodeCreated, root + name + 0);
        watch.awaitChange(EventType.NodeCreated, root + name + (n - 1));
    }

    @Test
    void callsDuringADisconnectFailAndTheNextOnesWork() throws Exception {
        Proxy proxy = closing(new Proxy());
        ZooKeeper client = connect(proxy.address(), TIMEOUT, events);
        proxy.cut();
        await(KeeperState.Disconnected);
        assertThrows(KeeperException.ConnectionLossException.class, () -> client.setData(root, bytes("no"), -1));
        proxy.open();
        await(KeeperState.SyncConnected);
        assertEquals(1, client.setData(root, bytes("yes"), 0).getVersion());
    }

    @Test
    void serverListCanBeChanged() throws Exception {
        Proxy first = closing(new Proxy());
        Proxy second = closing(new Proxy());
        ZooKeeper client = connect(first.address(), TIMEOUT, events);
        long id = client.getSessionId();
        client.create(root + "/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        client.updateServerList(second.address());
        first.cut();
        await(KeeperState.SyncConnected);
        assertEquals(id, client.getSessionId());
        assertNotNull(client.exists(root + "/e", false));
    }

    @Test
    void aDeadServerInTheListIsSkipped() throws Exception {
        Proxy dead = new Proxy();
        dead.close();
        ZooKeeper client = connect(dead.address() + "," + Server.ADDRESS, TIMEOUT, events);
        assertNotNull(client.exists(root, false));
    }

    @Test
    void aKilledServerComesBackWithSessionsNodesAndWatches() throws Exception {
        List<String> want = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            want.add(create(root + "/n" + i, "data " + i));
        }
        zk.create(root + "/e", bytes("mine"), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        Events watch = new Events();
        zk.exists(root + "/later", watch);
        zk.addWatch(root + "/n0", watch, AddWatchMode.PERSISTENT);
        long id = zk.getSessionId();
        long zxid = zk.exists(root, false).getPzxid();

        Server.restart();
        session.await(KeeperState.Disconnected);
        session.await(KeeperState.SyncConnected);

        assertEquals(id, zk.getSessionId());
        assertEquals(id, zk.exists(root + "/e", false).getEphemeralOwner());
        assertEquals(List.of(root + "/e"), zk.getEphemerals());
        for (int i = 0; i < want.size(); i++) {
            assertEquals("data " + i, text(zk.getData(want.get(i), false, null)));
        }
        assertEquals(zxid, zk.exists(root, false).getPzxid());
        zk.setData(root + "/n0", null, 0);
        watch.awaitChange(EventType.NodeDataChanged, root + "/n0");
        String later = create(root + "/later", "");
        watch.awaitChange(EventType.NodeCreated, later);
        assertEquals(root + "/s0000000202", create(root + "/s", CreateMode.PERSISTENT_SEQUENTIAL));
    }
}
