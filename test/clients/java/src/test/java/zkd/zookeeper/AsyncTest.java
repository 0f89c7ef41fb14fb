package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Await;

/** The asynchronous form of every call, with a result and with an error. */
class AsyncTest extends Client {
    private static final Object CTX = new Object();

    /** What a callback was told. */
    private record Answer(int rc, String path, Object ctx, Object value, Stat stat) {
        Code code() {
            return Code.get(rc);
        }
    }

    private final CompletableFuture<Answer> first = new CompletableFuture<>();
    private final CompletableFuture<Answer> second = new CompletableFuture<>();

    private void want(Object value) throws Exception {
        Answer a = Await.get(first);
        assertEquals(Code.OK, a.code());
        assertEquals(CTX, a.ctx());
        assertEquals(value, a.value());
    }

    private void wantError(Code code, String path) throws Exception {
        Answer a = Await.get(second);
        assertEquals(code, a.code());
        assertEquals(path, a.path());
    }

    @Test
    void create() throws Exception {
        zk.create(root + "/s", bytes("x"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL,
                (rc, path, ctx, name) -> first.complete(new Answer(rc, path, ctx, name, null)), CTX);
        zk.create(root, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT,
                (rc, path, ctx, name) -> second.complete(new Answer(rc, path, ctx, name, null)), CTX);
        want(root + "/s0000000000");
        wantError(Code.NODEEXISTS, root);
    }

    @Test
    void createWithStat() throws Exception {
        zk.create(root + "/a", bytes("xyz"), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL,
                (rc, path, ctx, name, stat) -> first.complete(new Answer(rc, path, ctx, name, stat)), CTX);
        zk.create(root + "/no/child", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT,
                (rc, path, ctx, name, stat) -> second.complete(new Answer(rc, path, ctx, name, stat)), CTX);
        want(root + "/a");
        assertEquals(3, first.get().stat().getDataLength());
        assertEquals(zk.getSessionId(), first.get().stat().getEphemeralOwner());
        wantError(Code.NONODE, root + "/no/child");
    }

    @Test
    void createWithTTL() throws Exception {
        zk.create(root + "/a", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL,
                (rc, path, ctx, name, stat) -> first.complete(new Answer(rc, path, ctx, name, stat)), CTX, 3_600_000);
        want(root + "/a");
        assertEquals(zk.exists(root + "/a", false), first.get().stat());
    }

    @Test
    void delete() throws Exception {
        create(root + "/a", "");
        zk.delete(root + "/a", 0, (rc, path, ctx) -> first.complete(new Answer(rc, path, ctx, null, null)), CTX);
        zk.delete(root + "/a", 0, (rc, path, ctx) -> second.complete(new Answer(rc, path, ctx, null, null)), CTX);
        want(null);
        wantError(Code.NONODE, root + "/a");
    }

    @Test
    void exists() throws Exception {
        zk.exists(root, false, (rc, path, ctx, stat) -> first.complete(new Answer(rc, path, ctx, null, stat)), CTX);
        zk.exists(root + "/no", false,
                (rc, path, ctx, stat) -> second.complete(new Answer(rc, path, ctx, null, stat)), CTX);
        want(null);
        assertEquals(zk.exists(root, false), first.get().stat());
        wantError(Code.NONODE, root + "/no");
    }

    @Test
    void getData() throws Exception {
        zk.setData(root, bytes("data"), -1);
        zk.getData(root, false,
                (rc, path, ctx, data, stat) -> first.complete(new Answer(rc, path, ctx, text(data), stat)), CTX);
        zk.getData(root + "/no", false,
                (rc, path, ctx, data, stat) -> second.complete(new Answer(rc, path, ctx, data, stat)), CTX);
        want("data");
        assertEquals(1, first.get().stat().getVersion());
        wantError(Code.NONODE, root + "/no");
    }

    @Test
    void setData() throws Exception {
        zk.setData(root, bytes("data"), 0,
                (rc, path, ctx, stat) -> first.complete(new Answer(rc, path, ctx, null, stat)), CTX);
        zk.setData(root, bytes("data"), 0,
                (rc, path, ctx, stat) -> second.complete(new Answer(rc, path, ctx, null, stat)), CTX);
        want(null);
        assertEquals(1, first.get().stat().getVersion());
        wantError(Code.BADVERSION, root);
    }

    @Test
    void getChildren() throws Exception {
        create(root + "/a", "");
        zk.getChildren(root, false,
                (rc, path, ctx, names) -> first.complete(new Answer(rc, path, ctx, names, null)), CTX);
        zk.getChildren(root + "/no", false,
                (rc, path, ctx, names) -> second.complete(new Answer(rc, path, ctx, names, null)), CTX);
        want(List.of("a"));
        wantError(Code.NONODE, root + "/no");
    }

    @Test
    void getChildrenWithStat() throws Exception {
        create(root + "/a", "");
        zk.getChildren(root, false,
                (rc, path, ctx, names, stat) -> first.complete(new Answer(rc, path, ctx, names, stat)), CTX);
        zk.getChildren(root + "/no", false,
                (rc, path, ctx, names, stat) -> second.complete(new Answer(rc, path, ctx, names, stat)), CTX);
        want(List.of("a"));
        assertEquals(1, first.get().stat().getNumChildren());
        wantError(Code.NONODE, root + "/no");
    }

    @Test
    void getAllChildrenNumber() throws Exception {
        create(root + "/a", "");
        create(root + "/a/b", "");
        zk.getAllChildrenNumber(root,
                (rc, path, ctx, number) -> first.complete(new Answer(rc, path, ctx, number, null)), CTX);
        zk.getAllChildrenNumber(root + "/no",
                (rc, path, ctx, number) -> second.complete(new Answer(rc, path, ctx, number, null)), CTX);
        want(2);
        wantError(Code.NONODE, root + "/no");
    }

    @Test
    void getEphemerals() throws Exception {
        zk.create(root + "/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        zk.getEphemerals((rc, ctx, paths) -> first.complete(new Answer(rc, null, ctx, paths, null)), CTX);
        zk.getEphemerals(root + "/f", (rc, ctx, paths) -> second.complete(new Answer(rc, null, ctx, paths, null)), CTX);
        want(List.of(root + "/e"));
        assertEquals(List.of(), Await.get(second).value());
    }

    @Test
    void acls() throws Exception {
        List<ACL> acl = Arrays.asList(new ACL(Perms.READ | Perms.ADMIN, Ids.ANYONE_ID_UNSAFE));
        zk.setACL(root, acl, 0,
                (rc, path, ctx, stat) -> first.complete(new Answer(rc, path, ctx, null, stat)), CTX);
        want(null);
        assertEquals(1, first.get().stat().getAversion());
        zk.getACL(root, new Stat(),
                (rc, path, ctx, got, stat) -> second.complete(new Answer(rc, path, ctx, got, stat)), CTX);
        assertEquals(acl, Await.get(second).value());
    }

    @Test
    void sync() throws Exception {
        zk.sync(root, (rc, path, ctx) -> first.complete(new Answer(rc, path, ctx, null, null)), CTX);
        want(null);
        assertEquals(root, first.get().path());
    }

    @Test
    void getConfig() throws Exception {
        zk.getConfig(false, (rc, path, ctx, data, stat) -> first.complete(new Answer(rc, path, ctx, text(data), stat)),
                CTX);
        want(text(zk.getConfig(false, null)));
        assertEquals("/zookeeper/config", first.get().path());
    }

    @Test
    void addWatchAndRemoveWatches() throws Exception {
        Events events = new Events();
        zk.addWatch(root, events, org.apache.zookeeper.AddWatchMode.PERSISTENT,
                (rc, path, ctx) -> first.complete(new Answer(rc, path, ctx, null, null)), CTX);
        want(null);
        zk.setData(root, null, -1);
        events.want(org.apache.zookeeper.Watcher.Event.EventType.NodeDataChanged, root);
        CompletableFuture<Integer> removed = new CompletableFuture<>();
        zk.removeWatches(root, events, org.apache.zookeeper.Watcher.WatcherType.Any, false,
                (rc, path, ctx) -> removed.complete(rc), CTX);
        assertEquals(0, Await.get(removed));
        zk.removeAllWatches(root, org.apache.zookeeper.Watcher.WatcherType.Any, false,
                (rc, path, ctx) -> second.complete(new Answer(rc, path, ctx, null, null)), CTX);
        wantError(Code.NOWATCHER, root);
    }

    @Test
    void answersComeInTheOrderOfTheCalls() throws Exception {
        int n = 3000;
        List<Integer> order = Collections.synchronizedList(new ArrayList<>());
        CountDownLatch all = new CountDownLatch(n);
        for (int i = 0; i < n; i++) {
            int call = i;
            switch (i % 3) {
                case 0 -> zk.create(root + "/n" + i, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT,
                        (rc, path, ctx, name) -> note(order, call, all), null);
                case 1 -> zk.getData(root, false, (rc, path, ctx, data, stat) -> note(order, call, all), null);
                default -> zk.delete(root + "/n" + (i - 2), -1, (rc, path, ctx) -> {
                    assertTrue(rc == 0);
                    note(order, call, all);
                }, null);
            }
        }
        Await.latch("all answers", all);
        List<Integer> want = new ArrayList<>(order);
        Collections.sort(want);
        assertEquals(want, order);
        assertEquals(0, zk.getAllChildrenNumber(root));
    }

    private static void note(List<Integer> order, int call, CountDownLatch all) {
        order.add(call);
        all.countDown();
    }
}
