package zkd.curator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.atomic.AtomicValue;
import org.apache.curator.framework.recipes.atomic.DistributedAtomicLong;
import org.apache.curator.framework.recipes.atomic.PromotedToLock;
import org.apache.curator.framework.recipes.barriers.DistributedBarrier;
import org.apache.curator.framework.recipes.barriers.DistributedDoubleBarrier;
import org.apache.curator.framework.recipes.nodes.GroupMember;
import org.apache.curator.framework.recipes.nodes.PersistentNode;
import org.apache.curator.framework.recipes.nodes.PersistentTtlNode;
import org.apache.curator.framework.recipes.queue.DistributedDelayQueue;
import org.apache.curator.framework.recipes.queue.DistributedPriorityQueue;
import org.apache.curator.framework.recipes.queue.DistributedQueue;
import org.apache.curator.framework.recipes.queue.QueueBuilder;
import org.apache.curator.framework.recipes.queue.QueueConsumer;
import org.apache.curator.framework.recipes.queue.QueueSerializer;
import org.apache.curator.framework.recipes.queue.SimpleDistributedQueue;
import org.apache.curator.framework.recipes.shared.SharedCount;
import org.apache.curator.framework.recipes.shared.SharedCountListener;
import org.apache.curator.framework.recipes.shared.SharedCountReader;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.junit.jupiter.api.Test;
import zkd.Await;

/** Barriers, queues, counters and nodes that are kept up. */
class RecipesTest extends Client {
    private static final int S = Await.SECONDS;

    private static final class Text implements QueueSerializer<String> {
        @Override
        public byte[] serialize(String item) {
            return bytes(item);
        }

        @Override
        public String deserialize(byte[] b) {
            return text(b);
        }
    }

    private static final class Consumer implements QueueConsumer<String> {
        final LinkedBlockingQueue<String> got = new LinkedBlockingQueue<>();

        @Override
        public void consumeMessage(String item) {
            got.add(item);
        }

        @Override
        public void stateChanged(CuratorFramework client, ConnectionState state) {}

        String next() throws InterruptedException {
            return got.poll(S, TimeUnit.SECONDS);
        }
    }

    @Test
    void barrier() throws Exception {
        DistributedBarrier a = new DistributedBarrier(one, root);
        DistributedBarrier b = new DistributedBarrier(two, root);
        a.setBarrier();
        assertFalse(b.waitOnBarrier(50, TimeUnit.MILLISECONDS));
        CompletableFuture<Boolean> through = run(() -> b.waitOnBarrier(S, TimeUnit.SECONDS));
        a.removeBarrier();
        assertTrue(Await.get(through));
        assertTrue(b.waitOnBarrier(50, TimeUnit.MILLISECONDS), "there is none any more");
    }

    @Test
    void doubleBarrier() throws Exception {
        int members = 4;
        List<CompletableFuture<Boolean>> all = new ArrayList<>();
        Set<Integer> entered = new ConcurrentSkipListSet<>();
        for (int i = 0; i < members; i++) {
            int member = i;
            DistributedDoubleBarrier b = new DistributedDoubleBarrier(i % 2 == 0 ? one : two, root, members);
            all.add(run(() -> {
                boolean in = b.enter(S, TimeUnit.SECONDS);
                entered.add(member);
                return in && b.leave(S, TimeUnit.SECONDS) && entered.size() == members;
            }));
            if (i == members - 2) {
                assertFalse(all.get(0).isDone(), "one is missing");
            }
        }
        for (CompletableFuture<Boolean> c : all) {
            assertTrue(Await.get(c));
        }
    }

    @Test
    void queueDeliversEachItemOnceAndInOrder() throws Exception {
        Consumer consumer = new Consumer();
        DistributedQueue<String> in = closing(QueueBuilder.builder(one, null, new Text(), root).buildQueue());
        in.start();
        for (int i = 0; i < 50; i++) {
            in.put("item " + i);
        }
        assertTrue(in.flushPuts(S, TimeUnit.SECONDS));
        DistributedQueue<String> out = closing(
                QueueBuilder.builder(two, consumer, new Text(), root).lockPath(root + "-locks").buildQueue());
        out.start();
        Set<String> seen = new ConcurrentSkipListSet<>();
        for (int i = 0; i < 50; i++) {
            seen.add(consumer.next());
        }
        assertEquals(50, seen.size());
        Await.until("the queue is empty", () -> two.checkExists().forPath(root).getNumChildren() == 0);
        assertNull(consumer.got.poll());
    }

    @Test
    void priorityQueue() throws Exception {
        Consumer consumer = new Consumer();
        DistributedPriorityQueue<String> in =
                closing(QueueBuilder.builder(one, null, new Text(), root).buildPriorityQueue(1));
        in.start();
        in.put("last", 9);
        in.put("first", -1);
        in.put("middle", 5);
        assertTrue(in.flushPuts(S, TimeUnit.SECONDS));
        DistributedPriorityQueue<String> out =
                closing(QueueBuilder.builder(two, consumer, new Text(), root).buildPriorityQueue(1));
        out.start();
        assertEquals("first", consumer.next());
        assertEquals("middle", consumer.next());
        assertEquals("last", consumer.next());
    }

    @Test
    void delayQueue() throws Exception {
        Consumer consumer = new Consumer();
        DistributedDelayQueue<String> queue =
                closing(QueueBuilder.builder(one, consumer, new Text(), root).buildDelayQueue());
        queue.start();
        long start = System.currentTimeMillis();
        queue.put("later", start + 500);
        queue.put("now", start - 1);
        assertEquals("now", consumer.next());
        assertEquals("later", consumer.next());
        assertTrue(System.currentTimeMillis() >= start + 500);
    }

    @Test
    void simpleQueue() throws Exception {
        SimpleDistributedQueue a = new SimpleDistributedQueue(one, root);
        SimpleDistributedQueue b = new SimpleDistributedQueue(two, root);
        assertNull(b.poll());
        assertNull(b.poll(50, TimeUnit.MILLISECONDS));
        CompletableFuture<byte[]> taken = run(b::take);
        a.offer(bytes("one"));
        assertEquals("one", text(Await.get(taken)));
        a.offer(bytes("two"));
        a.offer(bytes("three"));
        assertEquals("two", text(b.peek()));
        assertEquals("two", text(b.remove()));
        assertEquals("three", text(b.poll(S, TimeUnit.SECONDS)));
    }

    @Test
    void atomicLong() throws Exception {
        List<CompletableFuture<Integer>> all = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            CuratorFramework client = i % 2 == 0 ? one : two;
            all.add(run(() -> {
                DistributedAtomicLong n = new DistributedAtomicLong(client, root, new RetryNTimes(10, 1),
                        PromotedToLock.builder().lockPath(root + "-lock").build());
                for (int k = 0; k < 15; k++) {
                    AtomicValue<Long> v = n.increment();
                    while (!v.succeeded()) { // who tries without the lock may be quicker than the lock's owner
                        v = n.increment();
                    }
                    assertEquals(v.preValue() + 1, v.postValue());
                }
                return 15;
            }));
        }
        for (CompletableFuture<Integer> c : all) {
            Await.get(c);
        }
        DistributedAtomicLong n = new DistributedAtomicLong(two, root, new RetryNTimes(3, 1));
        assertEquals(60, n.get().postValue());
        assertFalse(n.compareAndSet(1L, 2L).succeeded());
        assertTrue(n.compareAndSet(60L, 7L).succeeded());
        assertEquals(4, n.subtract(3L).postValue());
    }

    @Test
    void sharedCount() throws Exception {
        SharedCount a = closing(new SharedCount(one, root, 5));
        SharedCount b = closing(new SharedCount(two, root, 5));
        LinkedBlockingQueue<Integer> heard = new LinkedBlockingQueue<>();
        b.addListener(new SharedCountListener() {
            @Override
            public void countHasChanged(SharedCountReader count, int n) {
                heard.add(n);
            }

            @Override
            public void stateChanged(CuratorFramework client, ConnectionState state) {}
        });
        a.start();
        b.start();
        assertEquals(5, b.getCount());
        a.setCount(6);
        assertEquals(6, heard.poll(S, TimeUnit.SECONDS));
        assertEquals(6, b.getCount());
        assertTrue(b.trySetCount(b.getVersionedValue(), 7));
        assertEquals(7, heard.poll(S, TimeUnit.SECONDS));
        var old = b.getVersionedValue();
        Await.until("the other one has it", () -> a.getCount() == 7);
        a.setCount(8);
        assertFalse(b.trySetCount(old, 9));
    }

    @Test
    void persistentNodeComesBackAfterDeletionAndExpiry() throws Exception {
        CuratorFramework brief = connect(proxy.address(), 1000);
        PersistentNode node =
                closing(new PersistentNode(brief, CreateMode.EPHEMERAL, false, root + "/n", bytes("here"), true));
        node.start();
        assertTrue(node.waitForInitialCreate(S, TimeUnit.SECONDS));
        long owner = two.checkExists().forPath(root + "/n").getEphemeralOwner();
        two.delete().forPath(root + "/n");
        Await.until("it is created again", () -> there(root + "/n"));
        proxy.cut();
        Await.until("the session expires", () -> !there(root + "/n"));
        proxy.open();
        Await.until("a new session creates it", () -> there(root + "/n"));
        assertTrue(owner != two.checkExists().forPath(root + "/n").getEphemeralOwner());
        assertEquals("here", text(two.getData().forPath(root + "/n")));
        node.setData(bytes("changed"));
        Await.until("it changes", () -> "changed".equals(text(two.getData().forPath(root + "/n"))));
        node.close();
        assertFalse(there(root + "/n"));
    }

    @Test
    void persistentTtlNodeIsTouched() throws Exception {
        PersistentTtlNode node = new PersistentTtlNode(one, root, 600, bytes("x"));
        node.start();
        assertTrue(node.waitForInitialCreate(S, TimeUnit.SECONDS));
        long end = System.nanoTime() + 1_500_000_000L;
        Await.until("it outlives its time twice", () -> {
            assertTrue(there(root));
            return System.nanoTime() > end;
        });
        node.close();
        Await.until("nobody touches it", () -> !there(root));
    }

    @Test
    void groupMembers() throws Exception {
        GroupMember a = closing(new GroupMember(one, root, "a", bytes("first")));
        GroupMember b = new GroupMember(two, root, "b", bytes("second"));
        a.start();
        b.start();
        Await.until("both are known", () -> a.getCurrentMembers().keySet().equals(Set.of("a", "b")));
        assertEquals("second", text(a.getCurrentMembers().get("b")));
        b.setThisData(bytes("changed"));
        Await.until("the change is known", () -> "changed".equals(text(a.getCurrentMembers().get("b"))));
        b.close();
        Await.until("one left", () -> a.getCurrentMembers().keySet().equals(Set.of("a")));
    }
}
