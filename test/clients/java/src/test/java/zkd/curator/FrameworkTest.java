package zkd.curator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.CuratorEvent;
import org.apache.curator.framework.api.CuratorWatcher;
import org.apache.curator.framework.api.transaction.CuratorTransactionResult;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.retry.RetryOneTime;
import org.apache.curator.x.async.AsyncCuratorFramework;
import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Server;

/** The framework below the recipes. */
class FrameworkTest extends Client {
    @Test
    void creatingParentContainers() throws Exception {
        one.create().creatingParentContainersIfNeeded().forPath(root + "/a/b/c", bytes("x"));
        one.delete().forPath(root + "/a/b/c");
        Await.until("the empty parents are deleted, the root last", () -> !there(root));
    }

    @Test
    void createOrSetDataAndStoringStat() throws Exception {
        Stat stat = new Stat();
        one.create().orSetData().storingStatIn(stat).creatingParentsIfNeeded().forPath(root + "/a", bytes("one"));
        one.create().orSetData().creatingParentsIfNeeded().forPath(root + "/a", bytes("two"));
        assertEquals("two", text(one.getData().storingStatIn(stat).forPath(root + "/a")));
        assertEquals(1, stat.getVersion());
        assertThrows(KeeperException.NodeExistsException.class, () -> one.create().forPath(root + "/a"));
        one.create().idempotent().forPath(root + "/b", bytes("x"));
        one.create().idempotent().forPath(root + "/b", bytes("x"));
        one.setData().withVersion(0).forPath(root + "/b", bytes("y"));
        assertThrows(KeeperException.BadVersionException.class,
                () -> one.setData().withVersion(0).forPath(root + "/b", bytes("z")));
    }

    @Test
    void withTtl() throws Exception {
        one.create().withTtl(200).creatingParentsIfNeeded().withMode(CreateMode.PERSISTENT_WITH_TTL)
                .forPath(root + "/t", bytes("x"));
        assertTrue(there(root + "/t"));
        Await.until("its time is up", () -> !there(root + "/t"));
    }

    @Test
    void compressedData() throws Exception {
        byte[] data = new byte[2_000_000]; // more than a packet, were it not compressed
        one.create().compressed().forPath(root, data);
        assertEquals(data.length, two.getData().decompressed().forPath(root).length);
        assertTrue(two.checkExists().forPath(root).getDataLength() < 10_000);
    }

    @Test
    void namespaces() throws Exception {
        CuratorFramework inside = one.usingNamespace(root.substring(1));
        inside.create().forPath("/a", bytes("x"));
        assertEquals("x", text(two.getData().forPath(root + "/a")));
        assertEquals(List.of("a"), inside.getChildren().forPath("/"));
    }

    @Test
    void deleteWithChildrenQuietlyAndGuaranteed() throws Exception {
        one.create().creatingParentsIfNeeded().forPath(root + "/a/b/c");
        assertThrows(KeeperException.NotEmptyException.class, () -> one.delete().forPath(root));
        one.delete().guaranteed().deletingChildrenIfNeeded().forPath(root);
        one.delete().quietly().forPath(root);
        assertThrows(KeeperException.NoNodeException.class, () -> one.delete().forPath(root));
    }

    @Test
    void guaranteedDeleteIsDoneAfterTheConnectionIsBack() throws Exception {
        CuratorFramework hasty = closing(CuratorFrameworkFactory.builder()
                .connectString(proxy.address())
                .sessionTimeoutMs(10_000)
                .connectionTimeoutMs(1000)
                .retryPolicy(new RetryOneTime(1))
                .ensembleTracker(Server.ALONE)
                .build());
        hasty.start();
        hasty.create().forPath(root);
        proxy.cut();
        want(ConnectionState.SUSPENDED);
        assertThrows(KeeperException.class, () -> hasty.delete().guaranteed().forPath(root));
        assertTrue(there(root));
        proxy.open();
        Await.until("it is deleted", () -> !there(root));
    }

    @Test
    void protectedCreateSurvivesALostAnswer() throws Exception {
        one.create().forPath(root);
        for (int i = 0; i < 5; i++) {
            CompletableFuture<String> created = run(() -> one.create().withProtection()
                    .withMode(CreateMode.EPHEMERAL_SEQUENTIAL).forPath(root + "/p", bytes("x")));
            proxy.drop();
            String path = Await.get(created);
            assertTrue(path.startsWith(root + "/_c_") && there(path), path);
            one.sync().forPath(root);
            assertEquals(i + 1, two.getChildren().forPath(root).size(), "one node a call");
        }
    }

    @Test
    void transactions() throws Exception {
        List<CuratorTransactionResult> results = one.transaction().forOperations(
                one.transactionOp().create().forPath(root, bytes("x")),
                one.transactionOp().create().withMode(CreateMode.PERSISTENT_SEQUENTIAL).forPath(root + "/s"),
                one.transactionOp().setData().withVersion(0).forPath(root, bytes("y")),
                one.transactionOp().check().withVersion(1).forPath(root),
                one.transactionOp().create().withMode(CreateMode.CONTAINER).forPath(root + "/c"),
                one.transactionOp().delete().forPath(root + "/c"));
        assertEquals(6, results.size());
        assertEquals(root + "/s0000000000", results.get(1).getResultPath());
        assertEquals(1, results.get(2).getResultStat().getVersion());
        assertThrows(KeeperException.NoNodeException.class, () -> one.transaction().forOperations(
                one.transactionOp().delete().forPath(root + "/s0000000000"),
                one.transactionOp().check().forPath(root + "/no")));
        assertTrue(there(root + "/s0000000000"));
        CompletableFuture<CuratorEvent> event = new CompletableFuture<>();
        one.transaction().inBackground((c, e) -> event.complete(e)).forOperations(
                one.transactionOp().setData().forPath(root, bytes("z")));
        assertEquals(1, Await.get(event).getOpResults().size());
    }

    @Test
    void background() throws Exception {
        CompletableFuture<CuratorEvent> created = new CompletableFuture<>();
        one.create().inBackground((c, e) -> created.complete(e), "context").forPath(root, bytes("x"));
        assertEquals(0, Await.get(created).getResultCode());
        assertEquals("context", created.get().getContext());
        CompletableFuture<CuratorEvent> missing = new CompletableFuture<>();
        one.getData().inBackground((c, e) -> missing.complete(e)).forPath(root + "/no");
        assertEquals(KeeperException.Code.NONODE.intValue(), Await.get(missing).getResultCode());
        CompletableFuture<CuratorEvent> synced = new CompletableFuture<>();
        one.sync().inBackground((c, e) -> synced.complete(e)).forPath(root);
        assertEquals(0, Await.get(synced).getResultCode());
    }

    @Test
    void watchers() throws Exception {
        one.create().forPath(root);
        CompletableFuture<WatchedEvent> event = new CompletableFuture<>();
        one.getData().usingWatcher((CuratorWatcher) event::complete).forPath(root);
        two.setData().forPath(root, bytes("x"));
        assertEquals(root, Await.get(event).getPath());

        CountDownLatch three = new CountDownLatch(3);
        CuratorWatcher w = e -> three.countDown();
        one.watchers().add().withMode(AddWatchMode.PERSISTENT_RECURSIVE).usingWatcher(w).forPath(root);
        two.create().forPath(root + "/a");
        two.delete().forPath(root + "/a");
        two.setData().forPath(root, bytes("y"));
        Await.latch("three events", three);
        one.watchers().remove(w).forPath(root);
        assertThrows(KeeperException.NoWatcherException.class, () -> one.watchers().removeAll().forPath(root));
    }

    @Test
    void aclsAndAuthorization() throws Exception {
        CuratorFramework bob = closing(CuratorFrameworkFactory.builder().connectString(Server.ADDRESS)
                .authorization("digest", bytes("bob:secret")).retryPolicy(new RetryNTimes(3, 100)).build());
        bob.start();
        bob.create().withACL(Ids.CREATOR_ALL_ACL).forPath(root, bytes("x"));
        assertThrows(KeeperException.NoAuthException.class, () -> two.getData().forPath(root));
        assertEquals("x", text(bob.getData().forPath(root)));
        bob.setACL().withACL(Ids.OPEN_ACL_UNSAFE).forPath(root);
        assertEquals("x", text(two.getData().forPath(root)));
        assertEquals(Ids.OPEN_ACL_UNSAFE, bob.getACL().forPath(root));
    }

    @Test
    void configKeepsTheConnectString() throws Exception {
        assumeTrue(Server.ALONE, "a member of an ensemble");
        assertEquals(0, one.getConfig().forEnsemble().length);
        for (int i = 0; i < 2; i++) {
            assertEquals(proxy.address(),
                    one.getZookeeperClient().getCurrentConnectionString(), "the ensemble's members replaced it");
            proxy.drop();
            want(ConnectionState.SUSPENDED);
            want(ConnectionState.RECONNECTED);
            one.getConfig().forEnsemble();
        }
    }

    @Test
    void connectionStates() throws Exception {
        long id = one.getZookeeperClient().getZooKeeper().getSessionId();
        proxy.drop();
        want(ConnectionState.SUSPENDED);
        want(ConnectionState.RECONNECTED);
        assertEquals(id, one.getZookeeperClient().getZooKeeper().getSessionId());
        // A retry bridges what is lost.
        proxy.cut();
        CompletableFuture<Stat> waiting = run(() -> one.checkExists().forPath("/"));
        want(ConnectionState.SUSPENDED);
        assertFalse(waiting.isDone());
        proxy.open();
        assertNotNull(Await.get(waiting));
    }

    @Test
    void asyncFramework() throws Exception {
        AsyncCuratorFramework async = AsyncCuratorFramework.wrap(one);
        String path = Await.get(async.create().forPath(root, bytes("x"))
                .thenCompose(p -> async.setData().forPath(p, bytes("y")))
                .thenCompose(s -> async.getData().forPath(root))
                .thenApply(d -> text(d)).toCompletableFuture());
        assertEquals("y", path);
        CompletableFuture<WatchedEvent> event =
                async.watched().checkExists().forPath(root + "/a").event().toCompletableFuture();
        assertNull(Await.get(async.checkExists().forPath(root + "/a").toCompletableFuture()));
        Await.until("the watch is heard", () -> {
            two.create().orSetData().forPath(root + "/a");
            return event.isDone();
        });
        assertEquals(root + "/a", Await.get(event).getPath());
        assertEquals(2, Await.get(async.transaction().forOperations(List.of(
                async.transactionOp().setData().forPath(root, bytes("z")),
                async.transactionOp().delete().forPath(root + "/a"))).toCompletableFuture()).size());
    }
}
