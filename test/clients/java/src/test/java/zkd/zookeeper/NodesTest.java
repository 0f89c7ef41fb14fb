package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.common.PathUtils;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Await;

/** Nodes through the native client's synchronous calls. */
class NodesTest extends Client {
    @Test
    void createReturnsThePathAndTheStat() throws Exception {
        Stat stat = new Stat();
        String path = zk.create(root + "/a", bytes("data"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT, stat);
        assertEquals(root + "/a", path);
        assertEquals(4, stat.getDataLength());
        assertEquals(stat.getCzxid(), stat.getMzxid());
        assertEquals(stat.getCzxid(), stat.getPzxid());
        assertEquals(0, stat.getVersion());
        assertEquals(0, stat.getEphemeralOwner());
        assertEquals(stat, zk.exists(path, false));
        assertTrue(Math.abs(System.currentTimeMillis() - stat.getCtime()) < 60_000, "ctime " + stat.getCtime());
    }

    @Test
    void sequentialNamesCountUp() throws Exception {
        assertEquals(root + "/s0000000000", create(root + "/s", CreateMode.PERSISTENT_SEQUENTIAL));
        assertEquals(root + "/e0000000001", create(root + "/e", CreateMode.EPHEMERAL_SEQUENTIAL));
        create(root + "/plain", CreateMode.PERSISTENT);
        zk.delete(root + "/s0000000000", 0);
        assertEquals(root + "/0000000003", create(root + "/", CreateMode.PERSISTENT_SEQUENTIAL));
    }

    @Test
    void ephemeralBelongsToItsSessionAndEndsWithIt() throws Exception {
        ZooKeeper other = connect();
        other.create(root + "/e", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        assertEquals(other.getSessionId(), zk.exists(root + "/e", false).getEphemeralOwner());
        assertThrows(KeeperException.NoChildrenForEphemeralsException.class,
                () -> create(root + "/e/child", CreateMode.PERSISTENT));
        other.close();
        assertNull(zk.exists(root + "/e", false));
    }

    @Test
    void containerGoesAfterItsLastChild() throws Exception {
        Stat stat = new Stat();
        zk.create(root + "/c", null, Ids.OPEN_ACL_UNSAFE, CreateMode.CONTAINER, stat);
        assertEquals(0, stat.getEphemeralOwner(), "no session owns it");
        create(root + "/c/child", CreateMode.PERSISTENT);
        zk.delete(root + "/c/child", -1);
        Await.until("the empty container is deleted", () -> zk.exists(root + "/c", false) == null);
    }

    @Test
    void nodeWithTTLGoesWhenItsTimeIsUp() throws Exception {
        Stat stat = new Stat();
        zk.create(root + "/t", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, 200);
        String sequential = zk.create(
                root + "/t", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_SEQUENTIAL_WITH_TTL, stat, 200);
        assertEquals(root + "/t0000000001", sequential);
        zk.create(root + "/later", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, stat, 3_600_000);
        assertEquals(0, stat.getEphemeralOwner(), "no session owns it");
        Await.until("both are deleted", () -> zk.getChildren(root, false).equals(List.of("later")));
    }

    @Test
    void dataAndVersions() throws Exception {
        create(root + "/a", "one");
        Stat stat = new Stat();
        assertEquals("one", text(zk.getData(root + "/a", false, stat)));
        assertEquals(0, stat.getVersion());
        Stat set = zk.setData(root + "/a", bytes("two"), 0);
        assertEquals(1, set.getVersion());
        assertEquals("two", text(zk.getData(root + "/a", false, stat)));
        assertEquals(set, stat);
        assertThrows(KeeperException.BadVersionException.class, () -> zk.setData(root + "/a", bytes("no"), 0));
        assertEquals(2, zk.setData(root + "/a", null, -1).getVersion());
        assertNull(zk.getData(root + "/a", false, stat));
        zk.setData(root + "/a", new byte[0], 2);
        assertArrayEquals(new byte[0], zk.getData(root + "/a", false, stat));
    }

    @Test
    void dataOfManySizes() throws Exception {
        create(root + "/a", "");
        for (int size : new int[] {1, 1000, 65_536, 1_000_000}) {
            byte[] data = new byte[size];
            for (int i = 0; i < size; i++) {
                data[i] = (byte) (i * 31);
            }
            zk.setData(root + "/a", data, -1);
            assertArrayEquals(data, zk.getData(root + "/a", false, null));
        }
    }

    @Test
    void deleteWantsTheVersionAndNoChildren() throws Exception {
        create(root + "/a", "");
        create(root + "/a/b", "");
        assertThrows(KeeperException.NotEmptyException.class, () -> zk.delete(root + "/a", -1));
        assertThrows(KeeperException.BadVersionException.class, () -> zk.delete(root + "/a/b", 7));
        zk.delete(root + "/a/b", 0);
        zk.delete(root + "/a", -1);
        assertNull(zk.exists(root + "/a", false));
        assertThrows(KeeperException.NoNodeException.class, () -> zk.delete(root + "/a", -1));
    }

    @Test
    void whatIsNotThereIsNoNodeWithItsPath() throws Exception {
        String no = root + "/no";
        assertNull(zk.exists(no, false));
        KeeperException e = assertThrows(KeeperException.NoNodeException.class, () -> zk.getData(no, false, null));
        assertEquals(no, e.getPath());
        assertThrows(KeeperException.NoNodeException.class, () -> zk.setData(no, null, -1));
        assertThrows(KeeperException.NoNodeException.class, () -> zk.getChildren(no, false));
        assertThrows(KeeperException.NoNodeException.class, () -> zk.getACL(no, null));
        assertThrows(KeeperException.NoNodeException.class, () -> zk.getAllChildrenNumber(no));
        assertThrows(KeeperException.NoNodeException.class, () -> create(no + "/child", ""));
        assertThrows(KeeperException.NodeExistsException.class, () -> create(root, ""));
    }

    @Test
    void childrenWithAndWithoutStat() throws Exception {
        List<String> want = new ArrayList<>();
        for (int i = 0; i < 300; i++) {
            want.add(String.format("child-%03d", i));
            create(root + "/" + want.get(i), "");
        }
        List<String> got = zk.getChildren(root, false);
        Collections.sort(got);
        assertEquals(want, got);
        Stat stat = new Stat();
        got = zk.getChildren(root, false, stat);
        Collections.sort(got);
        assertEquals(want, got);
        assertEquals(300, stat.getNumChildren());
        assertEquals(300, stat.getCversion());
        assertEquals(List.of(), zk.getChildren(root + "/child-000", false));
    }

    @Test
    void getAllChildrenNumberCountsTheWholeSubtree() throws Exception {
        assertEquals(0, zk.getAllChildrenNumber(root));
        create(root + "/a", "");
        create(root + "/a/b", "");
        create(root + "/a/b/c", "");
        create(root + "/d", "");
        assertEquals(4, zk.getAllChildrenNumber(root));
        assertEquals(2, zk.getAllChildrenNumber(root + "/a"));
        assertTrue(zk.getAllChildrenNumber("/") >= 5);
    }

    @Test
    void getEphemeralsListsThisSessionsOwn() throws Exception {
        create(root + "/mine1", CreateMode.EPHEMERAL);
        create(root + "/mine2", CreateMode.EPHEMERAL);
        connect().create(root + "/theirs", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        List<String> mine = zk.getEphemerals();
        Collections.sort(mine);
        assertEquals(List.of(root + "/mine1", root + "/mine2"), mine);
        assertEquals(List.of(root + "/mine2"), zk.getEphemerals(root + "/mine2"));
        assertEquals(List.of(), zk.getEphemerals(root + "/theirs"));
    }

    @Test
    void namesOfAnyLanguage() throws Exception {
        for (String name : new String[] {"größe", "名前", "a b", "пример", "with.dots..", "zookeeper"}) {
            PathUtils.validatePath(root + "/" + name);
            create(root + "/" + name, name);
            assertEquals(name, text(zk.getData(root + "/" + name, false, null)));
        }
        assertEquals(6, zk.getChildren(root, false).size());
    }

    @Test
    void chrootIsInvisible() throws Exception {
        Events events = new Events();
        ZooKeeper inside = connect(zkd.Server.ADDRESS + root, TIMEOUT, events);
        assertEquals("/a", inside.create("/a", bytes("in"), Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL));
        assertEquals("in", text(zk.getData(root + "/a", false, null)));
        assertEquals(List.of("a"), inside.getChildren("/", false));
        assertEquals(List.of(root + "/a"), inside.getEphemerals(), "the one call whose answer is not cut");
        Events watch = new Events();
        inside.exists("/a", watch);
        zk.setData(root + "/a", null, -1);
        watch.want(org.apache.zookeeper.Watcher.Event.EventType.NodeDataChanged, "/a");
    }

    @Test
    void syncAwaitsEarlierWrites() throws Exception {
        ZooKeeper other = connect();
        other.create(root + "/a", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        java.util.concurrent.CompletableFuture<Integer> synced = new java.util.concurrent.CompletableFuture<>();
        zk.sync(root, (rc, path, ctx) -> synced.complete(rc), null);
        assertEquals(0, Await.get(synced));
        assertNotEquals(null, zk.exists(root + "/a", false));
        zk.sync(root); // the synchronous form of 3.9
    }

    @Test
    void nodesOfTheServerAreProtected() {
        assertThrows(KeeperException.BadArgumentsException.class, () -> zk.delete("/zookeeper/config", -1));
        assertThrows(KeeperException.BadArgumentsException.class, () -> zk.delete("/", -1));
    }

    @Test
    void quotaOfTheClientsToolIsEnforced() throws Exception {
        org.apache.zookeeper.StatsTrack quota = new org.apache.zookeeper.StatsTrack();
        quota.setCountHardLimit(2);
        org.apache.zookeeper.cli.SetQuotaCommand.createQuota(zk, root, quota);
        create(root + "/a", "");
        assertThrows(KeeperException.QuotaExceededException.class, () -> create(root + "/b", ""));
        assertTrue(org.apache.zookeeper.cli.DelQuotaCommand.delQuota(zk, root, quota));
        create(root + "/b", "");
    }

    @Test
    void utilitiesThatDeleteWholeTrees() throws Exception {
        for (String p : new String[] {"/a", "/a/b", "/a/b/c", "/a/d"}) {
            create(root + p, "");
        }
        assertEquals(4, org.apache.zookeeper.ZKUtil.listSubTreeBFS(zk, root + "/a").size());
        org.apache.zookeeper.ZKUtil.deleteRecursive(zk, root + "/a");
        assertEquals(List.of(), zk.getChildren(root, false));
    }
}
