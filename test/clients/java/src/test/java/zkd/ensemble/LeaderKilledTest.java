package zkd.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Server;

/** What clients go through while the leader of three servers is killed and comes back. */
class LeaderKilledTest extends Clients {
    private final AtomicBoolean over = new AtomicBoolean();

    /** Kills two leaders while the tasks run, then lets these end and returns the sum of what they did. */
    private int whileLeadersDie(List<Task<Integer>> tasks) throws Exception {
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (Task<Integer> t : tasks) {
            all.add(run(t));
        }
        try {
            Server.restart();
            Server.restart();
        } finally {
            over.set(true);
        }
        int sum = 0;
        for (CompletableFuture<Integer> f : all) {
            sum += Await.get(f);
        }
        assertTrue(sum > 0, "the clients did nothing");
        return sum;
    }

    @Test
    void countsAreDoneOnce() throws Exception {
        ZooKeeper reader = zookeeper();
        String root = reader.create(Server.freshPath(), bytes("0"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        List<Task<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            ZooKeeper zk = zookeeper();
            tasks.add(() -> count(zk, root));
        }
        int done = whileLeadersDie(tasks);
        reader.sync(root);
        assertEquals(done, Integer.parseInt(text(reader.getData(root, false, null))));
    }

    /** Adds one, over and over. A mark made in the same multi tells whether one without an answer was done. */
    private int count(ZooKeeper zk, String root) throws Exception {
        int done = 0;
        while (!over.get()) {
            String mark = root + "/" + zk.getSessionId() + "-" + done;
            try {
                Stat stat = new Stat();
                int n = Integer.parseInt(text(zk.getData(root, false, stat)));
                zk.multi(List.of(
                        Op.setData(root, bytes("" + (n + 1)), stat.getVersion()),
                        Op.create(mark, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT)));
                done++;
            } catch (KeeperException.BadVersionException e) {
                // Another client was first.
            } catch (KeeperException.ConnectionLossException e) {
                if (isThere(zk, mark)) {
                    done++;
                }
            }
        }
        return done;
    }

    private static boolean isThere(ZooKeeper zk, String path) throws Exception {
        for (;;) {
            try {
                zk.sync(path, (rc, p, ctx) -> {}, null);
                return zk.exists(path, false) != null;
            } catch (KeeperException.ConnectionLossException e) {
                Thread.sleep(10);
            }
        }
    }

    @Test
    void sessionsEphemeralsAndWatchesGoOn() throws Exception {
        int n = 6;
        Watch[] own = new Watch[n];
        Watch[] created = new Watch[n];
        ZooKeeper[] all = new ZooKeeper[n];
        long[] sessions = new long[n];
        String root = zookeeper().create(Server.freshPath(), null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        for (int i = 0; i < n; i++) {
            own[i] = new Watch();
            created[i] = new Watch();
            all[i] = zookeeper(own[i]);
            sessions[i] = all[i].getSessionId();
            all[i].create(root + "/e" + i, null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
            all[i].exists(root + "/later", created[i]);
        }
        Server.restart();
        Server.restart();
        ZooKeeper other = zookeeper();
        for (int i = 0; i < n; i++) {
            assertEquals(sessions[i], other.exists(root + "/e" + i, false).getEphemeralOwner());
        }
        other.create(root + "/later", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        for (int i = 0; i < n; i++) {
            assertEquals(root + "/later", created[i].await(EventType.NodeCreated).getPath());
            assertEquals(sessions[i], all[i].getSessionId());
            assertTrue(own[i].never(KeeperState.Expired));
        }
    }

    @Test
    void curatorsMutexIsExclusive() throws Exception {
        CuratorFramework reader = curator();
        String root = reader.create().forPath(Server.freshPath(), bytes("0"));
        AtomicInteger inside = new AtomicInteger();
        List<Task<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            CuratorFramework first = curator();
            tasks.add(() -> {
                CuratorFramework c = first;
                int turns = 0;
                while (!over.get()) {
                    InterProcessMutex lock = new InterProcessMutex(c, root + "/lock");
                    try {
                        assertTrue(lock.acquire(Await.SECONDS, TimeUnit.SECONDS), "no turn came");
                    } catch (NullPointerException e) {
                        // Curator's own: a protected create that loses its connection twice returns null, because the
                        // search for the znode between the two has marked the retry loop of both as complete. What
                        // there may be of the lock goes with the session.
                        c.close();
                        c = curator();
                        continue;
                    }
                    assertEquals(1, inside.incrementAndGet());
                    int n = Integer.parseInt(text(c.getData().forPath(root)));
                    c.setData().forPath(root, bytes("" + (n + 1))); // tried again, it writes the same
                    inside.decrementAndGet();
                    lock.release();
                    turns++;
                }
                return turns;
            });
        }
        int turns = whileLeadersDie(tasks);
        reader.sync().forPath(root);
        assertEquals(turns, Integer.parseInt(text(reader.getData().forPath(root))));
    }

    @Test
    void curatorsCounterLosesNothing() throws Exception {
        String path = Server.freshPath();
        AtomicInteger unknown = new AtomicInteger();
        List<Task<Integer>> tasks = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            CuratorFramework c = curator();
            tasks.add(() -> {
                int done = 0;
                while (!over.get()) {
                    // Curator tries again what got no answer, and so may count one for two.
                    DistributedAtomicLong counter = new DistributedAtomicLong(c, path, new RetryNTimes(100, 10));
                    AtomicValue<Long> v = counter.increment();
                    if (v.succeeded()) {
                        done++;
                    } else {
                        unknown.incrementAndGet();
                    }
                }
                return done;
            });
        }
        int done = whileLeadersDie(tasks);
        CuratorFramework reader = curator();
        reader.sync().forPath(path);
        long value = new DistributedAtomicLong(reader, path, new RetryNTimes(100, 10)).get().postValue();
        // Each client is cut off once a kill at most, in the middle of one increment.
        assertTrue(done <= value && value <= done + unknown.get() + 6, done + " were done, the counter is at " + value);
    }

    @Test
    void curatorsLatchNodeAndCacheGoOn() throws Exception {
        CuratorFramework[] all = {curator(), curator(), curator()};
        String root = all[0].create().forPath(Server.freshPath());
        List<ConnectionState> lost = new ArrayList<>();
        List<LeaderLatch> latches = new ArrayList<>();
        List<CuratorCache> caches = new ArrayList<>();
        for (CuratorFramework c : all) {
            c.getConnectionStateListenable().addListener((f, s) -> {
                if (s == ConnectionState.LOST) {
                    lost.add(s);
                }
            });
            latches.add(closing(new LeaderLatch(c, root + "/latch")));
            latches.get(latches.size() - 1).start();
            caches.add(closing(CuratorCache.build(c, root + "/cached")));
            caches.get(caches.size() - 1).start();
        }
        PersistentNode node = closing(new PersistentNode(all[1], CreateMode.EPHEMERAL, false, root + "/node", bytes("here")));
        node.start();
        assertTrue(node.waitForInitialCreate(Await.SECONDS, TimeUnit.SECONDS));
        for (int kill = 0; kill < 2; kill++) {
            Server.restart();
            String path = all[0].create().orSetData().creatingParentsIfNeeded().forPath(root + "/cached/" + kill, bytes("x"));
            assertNotNull(path);
            for (CuratorCache cache : caches) {
                Await.until("a cache has " + path, () -> cache.get(path).isPresent());
            }
            Await.until("there is one leader", () -> latches.stream().filter(LeaderLatch::hasLeadership).count() == 1);
        }
        Await.until("the node is there", () -> all[2].checkExists().forPath(root + "/node") != null);
        assertEquals(List.of(), lost);
    }

    /** A watcher that keeps what it is told. */
    private static final class Watch implements org.apache.zookeeper.Watcher {
        private final List<org.apache.zookeeper.WatchedEvent> seen = new ArrayList<>();
        private final CountDownLatch connected = new CountDownLatch(1);

        @Override
        public synchronized void process(org.apache.zookeeper.WatchedEvent e) {
            seen.add(e);
            notifyAll();
            if (e.getState() == KeeperState.SyncConnected) {
                connected.countDown();
            }
        }

        synchronized org.apache.zookeeper.WatchedEvent await(EventType type) throws InterruptedException {
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Await.SECONDS);
            for (;;) {
                for (org.apache.zookeeper.WatchedEvent e : seen) {
                    if (e.getType() == type) {
                        return e;
                    }
                }
                long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
                assertTrue(left > 0, "no " + type + " came, but " + seen);
                wait(left);
            }
        }

        synchronized boolean never(KeeperState state) {
            return seen.stream().noneMatch(e -> e.getState() == state);
        }
    }

    private ZooKeeper zookeeper() throws Exception {
        return zookeeper(new Watch());
    }

    private ZooKeeper zookeeper(Watch watch) throws Exception {
        ZooKeeper zk = closing(new ZooKeeper(Server.ADDRESS, 10_000, watch));
        Await.latch("a connection", watch.connected);
        return zk;
    }

    private static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    private static String text(byte[] b) {
        return new String(b, StandardCharsets.UTF_8);
    }
}
