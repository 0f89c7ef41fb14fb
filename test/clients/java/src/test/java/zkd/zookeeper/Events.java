package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import zkd.Await;
import zkd.Server;

/** A watcher that keeps what it is told. */
final class Events implements Watcher {
    private final LinkedBlockingQueue<WatchedEvent> seen = new LinkedBlockingQueue<>();

    @Override
    public void process(WatchedEvent event) {
        seen.add(event);
    }

    /** How many have come and were not taken. */
    int left() {
        return seen.size();
    }

    WatchedEvent next() throws InterruptedException {
        WatchedEvent e = seen.poll(Await.SECONDS, TimeUnit.SECONDS);
        assertNotNull(e, "no event came");
        return e;
    }

    /** Expects the next event to be this one. */
    void want(Event.EventType type, String path) throws InterruptedException {
        WatchedEvent e = next();
        assertEquals(type + " " + path, e.getType() + " " + e.getPath());
    }

    /** Expects the next event to be about the connection. */
    void want(Event.KeeperState state) throws InterruptedException {
        WatchedEvent e = next();
        assertEquals(Event.EventType.None, e.getType(), e.toString());
        assertEquals(state, e.getState());
    }

    /** Waits for an event about the connection, whatever comes before it. */
    void await(Event.KeeperState state) throws InterruptedException {
        for (WatchedEvent e = next(); e.getType() != Event.EventType.None || e.getState() != state; ) {
            e = next();
        }
    }

    /** Expects the next event about a node to be this one, whatever is said about the connection before. */
    void awaitChange(Event.EventType type, String path) throws InterruptedException {
        WatchedEvent e = next();
        while (e.getType() == Event.EventType.None) {
            e = next();
        }
        assertEquals(type + " " + path, e.getType() + " " + e.getPath());
    }

    /** Expects that nothing else has come. Events arrive in order, so another one's arrival is the end of waiting. */
    void wantNoMore(ZooKeeper zk) throws Exception {
        String fence = Server.freshPath();
        CountDownLatch arrived = new CountDownLatch(1);
        zk.exists(fence, e -> {
            if (e.getType() == Event.EventType.NodeCreated) {
                arrived.countDown();
            }
        });
        zk.create(fence, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        Await.latch("the fence's event", arrived);
        seen.removeIf(e -> e.getType() == Event.EventType.None && e.getState() == Event.KeeperState.SyncConnected);
        assertEquals("[]", seen.toString());
        zk.delete(fence, -1);
    }
}
