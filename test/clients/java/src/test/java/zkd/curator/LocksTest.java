package zkd.curator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.locks.InterProcessMultiLock;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.framework.recipes.locks.InterProcessReadWriteLock;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreMutex;
import org.apache.curator.framework.recipes.locks.InterProcessSemaphoreV2;
import org.apache.curator.framework.recipes.locks.Lease;
import org.apache.curator.framework.state.ConnectionState;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Server;

/** Locks and semaphores. */
class LocksTest extends Client {
    private static final int S = Await.SECONDS;

    @Test
    void mutexIsReentrant() throws Exception {
        InterProcessMutex lock = new InterProcessMutex(one, root);
        lock.acquire();
        assertTrue(lock.acquire(1, TimeUnit.SECONDS));
        assertTrue(lock.isOwnedByCurrentThread());
        assertEquals(1, lock.getParticipantNodes().size(), "one node for both");
        lock.release();
        assertTrue(lock.isOwnedByCurrentThread());
        assertFalse(new InterProcessMutex(two, root).acquire(50, TimeUnit.MILLISECONDS));
        lock.release();
        assertFalse(lock.isAcquiredInThisProcess());
        assertThrows(IllegalMonitorStateException.class, lock::release);
        assertTrue(new InterProcessMutex(two, root).acquire(S, TimeUnit.SECONDS));
    }

    @Test
    void mutexAdmitsOneOfManyAtATime() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        AtomicInteger turns = new AtomicInteger();
        List<CompletableFuture<Void>> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            CuratorFramework client = i % 2 == 0 ? one : two;
            all.add(run(() -> {
                InterProcessMutex lock = new InterProcessMutex(client, root);
                for (int n = 0; n < 20; n++) {
                    assertTrue(lock.acquire(S, TimeUnit.SECONDS), "no turn came");
                    assertEquals(1, inside.incrementAndGet());
                    turns.incrementAndGet();
                    inside.decrementAndGet();
                    lock.release();
                }
                return null;
            }));
        }
        for (CompletableFuture<Void> c : all) {
            Await.get(c);
        }
        assertEquals(120, turns.get());
        assertEquals(List.of(), two.getChildren().forPath(root));
    }

    @Test
    void mutexIsFairAndFreedByAClosedClient() throws Exception {
        CuratorFramework third = connect(Server.ADDRESS, 10_000);
        InterProcessMutex first = new InterProcessMutex(third, root);
        first.acquire();
        InterProcessMutex a = new InterProcessMutex(one, root);
        CompletableFuture<Boolean> next = run(() -> a.acquire(S, TimeUnit.SECONDS));
        Await.until("the second stands in line", () -> first.getParticipantNodes().size() == 2);
        CompletableFuture<Boolean> last =
                run(() -> new InterProcessMutex(two, root).acquire(200, TimeUnit.MILLISECONDS));
        assertFalse(Await.get(last));
        third.close();
        assertTrue(Await.get(next));
    }

    @Test
    void mutexCanBeMadeRevocable() throws Exception {
        InterProcessMutex lock = new InterProcessMutex(one, root);
        CountDownLatch asked = new CountDownLatch(1);
        lock.makeRevocable(l -> asked.countDown());
        lock.acquire();
        Collection<String> nodes = new InterProcessMutex(two, root).getParticipantNodes();
        org.apache.curator.framework.recipes.locks.Revoker.attemptRevoke(two, nodes.iterator().next());
        Await.latch("the holder is asked", asked);
        lock.release();
    }

    @Test
    void readWriteLock() throws Exception {
        InterProcessReadWriteLock a = new InterProcessReadWriteLock(one, root);
        InterProcessReadWriteLock b = new InterProcessReadWriteLock(two, root);
        a.readLock().acquire();
        assertTrue(b.readLock().acquire(S, TimeUnit.SECONDS), "readers share");
        CompletableFuture<Boolean> writer = run(() -> {
            InterProcessReadWriteLock w = new InterProcessReadWriteLock(two, root);
            boolean got = w.writeLock().acquire(S, TimeUnit.SECONDS);
            // The writer may read as well.
            return got && w.readLock().acquire(S, TimeUnit.SECONDS);
        });
        Await.until("the writer stands in line", () -> a.writeLock().getParticipantNodes().size() == 1);
        assertFalse(writer.isDone());
        CompletableFuture<Boolean> late = run(() ->
                new InterProcessReadWriteLock(one, root).readLock().acquire(100, TimeUnit.MILLISECONDS));
        assertFalse(Await.get(late), "a reader behind a writer waits");
        a.readLock().release();
        b.readLock().release();
        assertTrue(Await.get(writer));
    }

    @Test
    void semaphore() throws Exception {
        InterProcessSemaphoreV2 a = new InterProcessSemaphoreV2(one, root, 3);
        InterProcessSemaphoreV2 b = new InterProcessSemaphoreV2(two, root, 3);
        Collection<Lease> leases = a.acquire(2);
        Lease third = b.acquire(S, TimeUnit.SECONDS);
        assertNotNull(third);
        assertNull(b.acquire(50, TimeUnit.MILLISECONDS));
        CompletableFuture<Lease> waiting = run(() -> b.acquire(S, TimeUnit.SECONDS));
        Await.until("it stands in line", () -> a.getParticipantNodes().size() == 4);
        a.returnAll(leases);
        assertNotNull(Await.get(waiting));
        b.returnLease(third);
        b.returnLease(waiting.get());
        assertEquals(0, a.getParticipantNodes().size());
    }

    @Test
    void semaphoreLeasesGoRound() throws Exception {
        AtomicInteger inside = new AtomicInteger();
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            InterProcessSemaphoreV2 s = new InterProcessSemaphoreV2(i % 2 == 0 ? one : two, root, 3);
            all.add(run(() -> {
                int most = 0;
                for (int n = 0; n < 10; n++) {
                    Lease lease = s.acquire(S, TimeUnit.SECONDS);
                    assertNotNull(lease, "no lease came");
                    most = Math.max(most, inside.incrementAndGet());
                    inside.decrementAndGet();
                    s.returnLease(lease);
                }
                return most;
            }));
        }
        for (CompletableFuture<Integer> c : all) {
            assertTrue(Await.get(c) <= 3);
        }
    }

    @Test
    void semaphoreMutexIsNotReentrant() throws Exception {
        InterProcessSemaphoreMutex lock = new InterProcessSemaphoreMutex(one, root);
        lock.acquire();
        assertFalse(lock.acquire(50, TimeUnit.MILLISECONDS));
        lock.release();
        assertTrue(new InterProcessSemaphoreMutex(two, root).acquire(S, TimeUnit.SECONDS));
    }

    @Test
    void multiLockIsAllOrNothing() throws Exception {
        List<String> paths = List.of(root + "/a", root + "/b");
        InterProcessMutex b = new InterProcessMutex(two, root + "/b");
        b.acquire();
        InterProcessMultiLock both = new InterProcessMultiLock(one, paths);
        assertFalse(both.acquire(100, TimeUnit.MILLISECONDS));
        InterProcessMutex a = new InterProcessMutex(two, root + "/a");
        assertTrue(a.acquire(S, TimeUnit.SECONDS), "the half that was got is given back");
        a.release();
        b.release();
        assertTrue(both.acquire(S, TimeUnit.SECONDS));
        assertFalse(a.acquire(50, TimeUnit.MILLISECONDS));
        both.release();
    }

    @Test
    void aLockIsKeptWhenTheConnectionComesBackInTime() throws Exception {
        InterProcessMutex lock = new InterProcessMutex(one, root);
        lock.acquire();
        proxy.cut();
        want(ConnectionState.SUSPENDED);
        assertFalse(new InterProcessMutex(two, root).acquire(100, TimeUnit.MILLISECONDS));
        proxy.open();
        want(ConnectionState.RECONNECTED);
        assertFalse(new InterProcessMutex(two, root).acquire(100, TimeUnit.MILLISECONDS));
        lock.release();
        assertTrue(new InterProcessMutex(two, root).acquire(S, TimeUnit.SECONDS));
    }

    @Test
    void aLockIsLostWithItsSession() throws Exception {
        CuratorFramework brief = connect(proxy.address(), 1000);
        AtomicBoolean lost = new AtomicBoolean();
        CountDownLatch back = new CountDownLatch(1);
        brief.getConnectionStateListenable().addListener((c, s) -> {
            if (s == ConnectionState.LOST) {
                lost.set(true);
            } else if (s == ConnectionState.RECONNECTED) {
                back.countDown();
            }
        });
        InterProcessMutex lock = new InterProcessMutex(brief, root);
        lock.acquire();
        CompletableFuture<Boolean> next = run(() -> new InterProcessMutex(two, root).acquire(S, TimeUnit.SECONDS));
        proxy.cut();
        assertTrue(Await.get(next), "the next one gets it");
        Await.until("the holder is told", lost::get);
        proxy.open();
        Await.latch("a new session", back);
    }

    @Test
    void aWaiterSurvivesADropAndAServersRestart() throws Exception {
        InterProcessMutex lock = new InterProcessMutex(two, root);
        lock.acquire();
        InterProcessMutex waiting = new InterProcessMutex(one, root);
        CompletableFuture<Boolean> got = run(() -> waiting.acquire(3L * S, TimeUnit.SECONDS));
        Await.until("it stands in line", () -> lock.getParticipantNodes().size() == 2);
        proxy.drop();
        want(ConnectionState.SUSPENDED);
        want(ConnectionState.RECONNECTED);
        Server.restart();
        want(ConnectionState.SUSPENDED);
        want(ConnectionState.RECONNECTED);
        assertFalse(got.isDone());
        lock.release();
        assertTrue(got.get(2L * S, TimeUnit.SECONDS));
    }
}
