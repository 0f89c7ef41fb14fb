package zkd.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Server;

/** Curator's recipes while the leader of three servers is killed: who holds what, by the zxid that fences it. */
class FencesTest extends Clients {
    private final AtomicBoolean over = new AtomicBoolean();

    /** Kills two leaders while the tasks run, then waits for these. */
    private void whileLeadersDie(List<Task<Void>> tasks) throws Exception {
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (Task<Void> t : tasks) {
            all.add(run(t));
        }
        try {
            for (int kill = 0; kill < 2; kill++) {
                Thread.sleep(500); // of undisturbed work
                Server.restart();
            }
        } finally {
            over.set(true);
        }
        for (CompletableFuture<Void> f : all) {
            Await.get(f);
        }
    }

    /** Who held something from when to when, and with which fence. */
    private record Hold(long from, long to, long fence) {}

    private static final class Holds {
        private final List<Hold> all = Collections.synchronizedList(new ArrayList<>());

        /** Notes that what the znode stands for has been held since from, if the znode is there still. */
        void note(CuratorFramework c, String path, long from) throws Exception {
            long to = System.nanoTime(); // before it is looked at: what comes after that may be somebody else's
            Stat stat = path == null ? null : c.checkExists().forPath(path);
            if (stat != null) {
                all.add(new Hold(from, to, stat.getCzxid()));
            }
        }

        void check() {
            assertTrue(all.size() > 10, "held " + all.size() + " times");
            all.sort(Comparator.comparingLong(Hold::from));
            for (int i = 1; i < all.size(); i++) {
                Hold a = all.get(i - 1);
                Hold b = all.get(i);
                assertTrue(a.to <= b.from, "two held it at once: " + a + ", " + b);
                assertTrue(a.fence < b.fence, "a fence that falls: " + a + ", " + b);
            }
        }
    }

    /** A mutex that tells which znode it is held by. */
    private static final class Mutex extends InterProcessMutex {
        Mutex(CuratorFramework c, String path) {
            super(c, path);
        }

        String path() {
            return getLockPath();
        }
    }

    @Test
    void locks() throws Exception {
        String root = Server.freshPath();
        Holds holds = new Holds();
        List<Task<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            CuratorFramework first = curator();
            tasks.add(() -> {
                CuratorFramework c = first;
                while (!over.get()) {
                    Mutex lock = new Mutex(c, root);
                    try {
                        assertTrue(lock.acquire(Await.SECONDS, TimeUnit.SECONDS), "no turn came");
                    } catch (NullPointerException e) {
                        // Curator's own, see LeaderKilledTest. What there may be of the lock goes with the session.
                        c.close();
                        c = curator();
                        continue;
                    }
                    holds.note(c, lock.path(), System.nanoTime());
                    lock.release();
                }
                return null;
            });
        }
        whileLeadersDie(tasks);
        holds.check();
    }

    @Test
    void elections() throws Exception {
        String root = Server.freshPath();
        Holds reigns = new Holds();
        List<Task<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            CuratorFramework c = curator();
            tasks.add(() -> {
                while (!over.get()) {
                    try (LeaderLatch latch = new LeaderLatch(c, root)) {
                        latch.start();
                        if (latch.await(1, TimeUnit.SECONDS)) {
                            reigns.note(c, latch.getOurPath(), System.nanoTime());
                        }
                    }
                }
                return null;
            });
        }
        whileLeadersDie(tasks);
        reigns.check();
    }

    @Test
    void barriers() throws Exception {
        int n = 3;
        CuratorFramework reader = curator();
        String root = reader.create().forPath(Server.freshPath());
        ConcurrentHashMap<Integer, AtomicInteger> come = new ConcurrentHashMap<>();
        ConcurrentHashMap<Integer, AtomicInteger> through = new ConcurrentHashMap<>();
        AtomicInteger last = new AtomicInteger(Integer.MAX_VALUE);
        List<Task<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < n; i++) {
            CuratorFramework c = curator();
            tasks.add(() -> {
                for (int turn = 0; turn <= last.get(); turn++) {
                    if (over.get()) {
                        last.compareAndSet(Integer.MAX_VALUE, turn + 1); // nobody is further ahead than in the next
                    }
                    String path = root + "/" + turn;
                    come.computeIfAbsent(turn, t -> new AtomicInteger()).incrementAndGet();
                    DistributedDoubleBarrier barrier = new DistributedDoubleBarrier(c, path, n);
                    try {
                        assertTrue(barrier.enter(Await.SECONDS, TimeUnit.SECONDS), "not let in");
                    } catch (KeeperException e) {
                        // It has come, and has lost its connection when it waited for the others or let them in.
                        Await.until("all have come", () -> opened(c, path, n));
                    }
                    assertEquals(n, come.get(turn).get(), "through before all have come");
                    AtomicInteger all = through.computeIfAbsent(turn, t -> new AtomicInteger());
                    all.incrementAndGet();
                    // Who leaves closes the barrier, and who looks for another server meanwhile would not see it open.
                    Await.until("all are through", () -> all.get() == n);
                }
                return null;
            });
        }
        whileLeadersDie(tasks);
        assertTrue(through.size() > 1, "through " + through.size() + " times");
    }

    private static boolean opened(CuratorFramework c, String path, int n) throws Exception {
        if (c.checkExists().forPath(path + "/ready") != null) {
            return true;
        }
        if (c.checkExists().forPath(path) != null && c.getChildren().forPath(path).size() >= n) {
            c.create().orSetData().forPath(path + "/ready");
        }
        return false;
    }

    @Test
    void queues() throws Exception {
        CuratorFramework reader = curator();
        String root = reader.create().forPath(Server.freshPath());
        Set<String> put = ConcurrentHashMap.newKeySet();
        List<String> taken = Collections.synchronizedList(new ArrayList<>());
        AtomicInteger lost = new AtomicInteger();
        List<Task<Void>> tasks = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            // Neither puts nor takes again what it was not told of.
            SimpleDistributedQueue out = new SimpleDistributedQueue(curator(0), root);
            SimpleDistributedQueue in = new SimpleDistributedQueue(curator(0), root);
            String name = "p" + i + "-";
            tasks.add(() -> {
                for (int item = 0; !over.get(); item++) {
                    try {
                        out.offer((name + item).getBytes(StandardCharsets.UTF_8));
                        put.add(name + item);
                    } catch (KeeperException.ConnectionLossException e) {
                        // It is there or not.
                    }
                    Thread.sleep(5); // no more than is taken
                }
                return null;
            });
            tasks.add(() -> {
                while (!over.get()) {
                    try {
                        byte[] item = in.poll(200, TimeUnit.MILLISECONDS);
                        if (item != null) {
                            taken.add(new String(item, StandardCharsets.UTF_8));
                        }
                    } catch (KeeperException.ConnectionLossException e) {
                        lost.incrementAndGet(); // one, perhaps
                    }
                }
                return null;
            });
        }
        whileLeadersDie(tasks);
        reader.sync().forPath(root);
        Set<String> left = new HashSet<>();
        for (String name : reader.getChildren().forPath(root)) {
            left.add(new String(reader.getData().forPath(root + "/" + name), StandardCharsets.UTF_8));
        }
        Set<String> once = new HashSet<>(taken);
        assertEquals(taken.size(), once.size(), "taken twice");
        assertTrue(taken.size() > 3, "taken " + taken.size());
        for (String item : left) {
            assertTrue(!once.contains(item), item + " was taken and is there still");
        }
        put.removeAll(once);
        put.removeAll(left);
        assertTrue(put.size() <= lost.get(), put + " are nowhere, and only " + lost.get() + " takes were not answered");
    }
}
