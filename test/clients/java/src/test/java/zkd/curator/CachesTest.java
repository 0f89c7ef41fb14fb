package zkd.curator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.recipes.cache.CuratorCache;
import org.apache.curator.framework.recipes.cache.CuratorCacheListener;
import org.apache.curator.framework.recipes.cache.NodeCache;
import org.apache.curator.framework.recipes.cache.PathChildrenCache;
import org.apache.curator.framework.recipes.cache.TreeCache;
import org.apache.curator.framework.recipes.watch.PersistentWatcher;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Server;

/** The caches, old and new, and watches that stay. */
@SuppressWarnings("deprecation")
class CachesTest extends Client {
    private final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();

    @BeforeEach
    void createRoot() throws Exception {
        two.create().forPath(root, bytes("root"));
    }

    private void want(String event) throws InterruptedException {
        assertEquals(event, heard.poll(Await.SECONDS, TimeUnit.SECONDS));
    }

    private void create(String name, String data) throws Exception {
        two.create().creatingParentsIfNeeded().forPath(root + name, bytes(data));
    }

    private String below(String path) {
        return path.substring(root.length());
    }

    @Test
    void pathChildrenCache() throws Exception {
        create("/a", "1");
        PathChildrenCache cache = closing(new PathChildrenCache(one, root, true));
        cache.getListenable().addListener((c, e) -> {
            if (e.getData() != null) {
                heard.add(e.getType() + " " + below(e.getData().getPath()) + " " + text(e.getData().getData()));
            }
        });
        cache.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
        assertEquals(1, cache.getCurrentData().size());
        create("/b", "2");
        want("CHILD_ADDED /b 2");
        two.setData().forPath(root + "/a", bytes("3"));
        want("CHILD_UPDATED /a 3");
        two.delete().forPath(root + "/b");
        want("CHILD_REMOVED /b 2");
        assertEquals("3", text(cache.getCurrentData(root + "/a").getData()));
    }

    @Test
    void pathChildrenCacheAfterAReconnect() throws Exception {
        PathChildrenCache cache = closing(new PathChildrenCache(one, root, true));
        cache.start(PathChildrenCache.StartMode.BUILD_INITIAL_CACHE);
        proxy.cut();
        want(ConnectionState.SUSPENDED);
        create("/missed", "x");
        proxy.open();
        want(ConnectionState.RECONNECTED);
        Await.until("it learns what it missed", () -> cache.getCurrentData(root + "/missed") != null);
        create("/next", "x");
        Await.until("and goes on", () -> cache.getCurrentData(root + "/next") != null);
    }

    @Test
    void nodeCache() throws Exception {
        NodeCache cache = closing(new NodeCache(one, root + "/a"));
        cache.getListenable().addListener(() ->
                heard.add(cache.getCurrentData() == null ? "none" : text(cache.getCurrentData().getData())));
        cache.start(true);
        assertNull(cache.getCurrentData());
        create("/a", "1");
        want("1");
        two.setData().forPath(root + "/a", bytes("2"));
        want("2");
        two.delete().forPath(root + "/a");
        want("none");
    }

    @Test
    void treeCache() throws Exception {
        create("/a/b", "1");
        TreeCache cache = closing(new TreeCache(one, root));
        CountDownLatch ready = new CountDownLatch(1);
        cache.getListenable().addListener((c, e) -> {
            if (e.getType() == org.apache.curator.framework.recipes.cache.TreeCacheEvent.Type.INITIALIZED) {
                ready.countDown();
            } else if (ready.getCount() == 0 && e.getData() != null) {
                heard.add(e.getType() + " " + below(e.getData().getPath()));
            }
        });
        cache.start();
        Await.latch("the tree is read", ready);
        assertEquals(Set.of("b"), cache.getCurrentChildren(root + "/a").keySet());
        create("/a/b/c", "2");
        want("NODE_ADDED /a/b/c");
        two.setData().forPath(root + "/a/b", bytes("3"));
        want("NODE_UPDATED /a/b");
        two.delete().forPath(root + "/a/b/c");
        want("NODE_REMOVED /a/b/c");
        assertEquals("3", text(cache.getCurrentData(root + "/a/b").getData()));
    }

    private CuratorCache curatorCache(CuratorCache.Options... options) throws Exception {
        CuratorCache cache = closing(CuratorCache.build(one, root, options));
        CountDownLatch ready = new CountDownLatch(1);
        cache.listenable().addListener(CuratorCacheListener.builder()
                .forInitialized(ready::countDown)
                .afterInitialized()
                .forCreates(d -> heard.add("created " + below(d.getPath()) + " " + text(d.getData())))
                .forChanges((o, d) -> heard.add("changed " + below(d.getPath()) + " " + text(d.getData())))
                .forDeletes(d -> heard.add("deleted " + below(d.getPath())))
                .build());
        // A second listener, as the builder has one condition for all.
        CountDownLatch initialized = new CountDownLatch(1);
        cache.listenable().addListener(CuratorCacheListener.builder().forInitialized(initialized::countDown).build());
        cache.start();
        Await.latch("the cache is filled", initialized);
        return cache;
    }

    @Test
    void curatorCacheFollowsATree() throws Exception {
        create("/a/b", "1");
        CuratorCache cache = curatorCache();
        assertEquals(3, cache.size());
        create("/a/b/c", "2");
        want("created /a/b/c 2");
        two.setData().forPath(root + "/a", bytes("3"));
        want("changed /a 3");
        two.delete().forPath(root + "/a/b/c");
        want("deleted /a/b/c");
        assertEquals("3", text(cache.get(root + "/a").orElseThrow().getData()));
        two.delete().deletingChildrenIfNeeded().forPath(root);
        want("deleted /a/b");
        want("deleted /a");
        want("deleted ");
    }

    @Test
    void curatorCacheOfASingleNode() throws Exception {
        CuratorCache cache = curatorCache(CuratorCache.Options.SINGLE_NODE_CACHE);
        create("/a", "not mine");
        two.setData().forPath(root, bytes("new"));
        want("changed  new");
        assertEquals(1, cache.size());
    }

    @Test
    void curatorCacheAfterAReconnectAndAServersRestart() throws Exception {
        create("/a", "1");
        create("/gone", "1");
        CuratorCache cache = curatorCache();
        proxy.cut();
        want(ConnectionState.SUSPENDED);
        two.setData().forPath(root + "/a", bytes("2"));
        two.delete().forPath(root + "/gone");
        create("/new/child", "3");
        proxy.open();
        want(ConnectionState.RECONNECTED);
        Await.until("it learns what it missed", () -> cache.size() == 4
                && text(cache.get(root + "/a").orElseThrow().getData()).equals("2")
                && cache.get(root + "/new/child").isPresent());
        Server.restart();
        want(ConnectionState.SUSPENDED);
        want(ConnectionState.RECONNECTED);
        two.setData().forPath(root + "/a", bytes("3"));
        Await.until("and goes on", () -> text(cache.get(root + "/a").orElseThrow().getData()).equals("3"));
    }

    @Test
    void persistentWatcher() throws Exception {
        PersistentWatcher watcher = closing(new PersistentWatcher(one, root, true));
        CountDownLatch set = new CountDownLatch(1);
        watcher.getResetListenable().addListener(set::countDown);
        watcher.getListenable().addListener(e -> {
            if (e.getType() != EventType.None) {
                heard.add(e.getType() + " " + below(e.getPath()));
            }
        });
        watcher.start();
        Await.latch("the watch is set", set);
        create("/a", "1");
        want("NodeCreated /a");
        two.setData().forPath(root + "/a", bytes("2"));
        want("NodeDataChanged /a");
        proxy.drop();
        want(ConnectionState.SUSPENDED);
        want(ConnectionState.RECONNECTED);
        one.sync().forPath(root);
        two.delete().forPath(root + "/a");
        want("NodeDeleted /a");
        assertTrue(heard.isEmpty(), heard.toString());
    }
}
