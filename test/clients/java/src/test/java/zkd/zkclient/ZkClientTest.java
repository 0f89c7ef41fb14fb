package zkd.zkclient;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.I0Itec.zkclient.DistributedQueue;
import org.I0Itec.zkclient.IZkChildListener;
import org.I0Itec.zkclient.IZkDataListener;
import org.I0Itec.zkclient.IZkStateListener;
import org.I0Itec.zkclient.ZkClient;
import org.I0Itec.zkclient.exception.ZkBadVersionException;
import org.I0Itec.zkclient.exception.ZkException;
import org.I0Itec.zkclient.exception.ZkNoNodeException;
import org.I0Itec.zkclient.exception.ZkNodeExistsException;
import org.I0Itec.zkclient.serialize.BytesPushThroughSerializer;
import org.I0Itec.zkclient.serialize.SerializableSerializer;
import org.I0Itec.zkclient.serialize.ZkSerializer;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Proxy;
import zkd.Server;

/** com.101tec's zkClient. */
class ZkClientTest {
    private static final class Text implements ZkSerializer {
        @Override
        public byte[] serialize(Object data) {
            return data.toString().getBytes(StandardCharsets.UTF_8);
        }

        @Override
        public Object deserialize(byte[] bytes) {
            return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
        }
    }

    private final List<ZkClient> clients = new ArrayList<>();
    private final LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
    private Proxy proxy;
    private ZkClient zk;
    private ZkClient other;
    private String root;

    private final IZkDataListener data = new IZkDataListener() {
        @Override
        public void handleDataChange(String path, Object value) {
            heard.add("changed " + path.substring(root.length()) + " " + value);
        }

        @Override
        public void handleDataDeleted(String path) {
            heard.add("deleted " + path.substring(root.length()));
        }
    };

    private final IZkChildListener children = (parent, names) -> {
        if (names != null) {
            Collections.sort(names);
        }
        heard.add("children of " + parent.substring(root.length()) + " " + names);
    };

    private final IZkStateListener state = new IZkStateListener() {
        @Override
        public void handleStateChanged(KeeperState s) {
            heard.add("state " + s);
        }

        @Override
        public void handleNewSession() {
            heard.add("new session");
        }

        @Override
        public void handleSessionEstablishmentError(Throwable e) {
            heard.add("error " + e);
        }
    };

    @BeforeEach
    void connectFirst() throws Exception {
        proxy = new Proxy();
        zk = connect(proxy.address(), 10_000);
        other = connect(Server.ADDRESS, 10_000);
        root = Server.freshPath();
        zk.createPersistent(root, "root");
    }

    @AfterEach
    void closeAll() throws Exception {
        proxy.open();
        clients.forEach(ZkClient::close);
        proxy.close();
    }

    private ZkClient connect(String address, int timeout) {
        ZkClient c = new ZkClient(address, timeout, Await.SECONDS * 1000, new Text());
        clients.add(c);
        return c;
    }

    private void want(String event) throws Exception {
        assertEquals(event, heard.poll(Await.SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void createReadWriteDelete() {
        zk.createPersistent(root + "/a/b/c", true);
        zk.writeData(root + "/a/b/c", "one");
        assertEquals("one", zk.readData(root + "/a/b/c"));
        Stat stat = new Stat();
        assertEquals("one", zk.readData(root + "/a/b/c", stat));
        assertEquals(1, stat.getVersion());
        assertEquals(2, zk.writeDataReturnStat(root + "/a/b/c", "two", 1).getVersion());
        assertThrows(ZkBadVersionException.class, () -> zk.writeData(root + "/a/b/c", "no", 1));
        assertEquals(1, zk.countChildren(root));
        assertEquals(List.of("b"), zk.getChildren(root + "/a"));
        assertTrue(zk.getCreationTime(root) > 0);
        assertFalse(zk.delete(root + "/no"));
        assertTrue(zk.deleteRecursive(root + "/a"));
        assertFalse(zk.exists(root + "/a"));
    }

    @Test
    void failuresAreItsExceptions() {
        assertThrows(ZkNoNodeException.class, () -> zk.readData(root + "/no"));
        assertNull(zk.readData(root + "/no", true));
        assertThrows(ZkNoNodeException.class, () -> zk.createPersistent(root + "/no/child"));
        assertThrows(ZkNodeExistsException.class, () -> zk.createPersistent(root));
        assertThrows(ZkException.class, () -> zk.delete("/"));
    }

    @Test
    void sequentialAndEphemeral() {
        assertEquals(root + "/p0000000000", zk.createPersistentSequential(root + "/p", "x"));
        assertEquals(root + "/e0000000001", other.createEphemeralSequential(root + "/e", "y"));
        other.createEphemeral(root + "/mine", "z");
        assertEquals("y", zk.readData(root + "/e0000000001"));
        other.close();
        clients.remove(other);
        assertEquals(List.of("p0000000000"), zk.getChildren(root));
    }

    @Test
    void serializers() {
        zk.setZkSerializer(new SerializableSerializer());
        List<String> value = new ArrayList<>(List.of("a", "b"));
        zk.createPersistent(root + "/object", value);
        assertEquals(value, zk.readData(root + "/object"));
        zk.setZkSerializer(new BytesPushThroughSerializer());
        byte[] bytes = zk.readData(root + "/object");
        assertEquals((byte) 0xac, bytes[0], "Java's serialization");
    }

    @Test
    void updateUntilItFits() {
        zk.writeData(root, "0");
        for (int i = 0; i < 10; i++) {
            ZkClient c = i % 2 == 0 ? zk : other;
            c.<String>updateDataSerialized(root, n -> String.valueOf(Integer.parseInt(n) + 1));
        }
        assertEquals("10", zk.readData(root));
    }

    @Test
    void dataChanges() throws Exception {
        zk.subscribeDataChanges(root + "/a", data);
        other.createPersistent(root + "/a", "one");
        want("changed /a one");
        other.writeData(root + "/a", "two");
        want("changed /a two");
        other.delete(root + "/a");
        want("deleted /a");
        other.createPersistent(root + "/a", "three");
        want("changed /a three");
        zk.unsubscribeDataChanges(root + "/a", data);
        assertEquals(0, zk.numberOfListeners());
    }

    @Test
    void childChanges() throws Exception {
        assertEquals(List.of(), zk.subscribeChildChanges(root, children));
        other.createPersistent(root + "/a", "x");
        want("children of  [a]");
        other.createPersistent(root + "/b", "x");
        want("children of  [a, b]");
        other.delete(root + "/a");
        want("children of  [b]");
        zk.unsubscribeChildChanges(root, children);
        zk.subscribeChildChanges(root + "/later", children);
        other.createPersistent(root + "/later", "x");
        want("children of /later []");
    }

    @Test
    void waitUntilExists() throws Exception {
        CompletableFuture<Boolean> there =
                CompletableFuture.supplyAsync(() -> zk.waitUntilExists(root + "/a", TimeUnit.SECONDS, Await.SECONDS));
        other.createPersistent(root + "/a", "x");
        assertTrue(Await.get(there));
        assertTrue(zk.waitUntilExists(root + "/a", TimeUnit.SECONDS, 1));
        assertFalse(zk.waitUntilExists(root + "/never", TimeUnit.MILLISECONDS, 50));
    }

    @Test
    void multi() throws Exception {
        byte[] x = {'x'};
        assertEquals(3, zk.multi(List.of(
                Op.create(root + "/a", x, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT),
                Op.setData(root + "/a", x, 0),
                Op.check(root, 0))).size());
        assertThrows(ZkException.class, () -> zk.multi(List.of(Op.delete(root + "/a", -1), Op.check(root, 7))));
        assertTrue(zk.exists(root + "/a"));
    }

    @Test
    void acls() {
        List<ACL> acl = new ArrayList<>(List.of(new ACL(Perms.READ | Perms.ADMIN, Ids.ANYONE_ID_UNSAFE)));
        zk.setAcl(root, acl);
        assertEquals(acl, zk.getAcl(root).getKey());
        assertThrows(ZkException.class, () -> zk.writeData(root, "no"));
        zk.addAuthInfo("digest", "bob:secret".getBytes(StandardCharsets.UTF_8));
        zk.createPersistent(root + "s", "x", Ids.CREATOR_ALL_ACL);
        assertThrows(ZkException.class, () -> other.readData(root + "s"));
        other.addAuthInfo("digest", "bob:secret".getBytes(StandardCharsets.UTF_8));
        assertEquals("x", other.readData(root + "s"));
    }

    @Test
    void queueOfTwoClients() {
        DistributedQueue<String> in = new DistributedQueue<>(zk, root);
        DistributedQueue<String> out = new DistributedQueue<>(other, root);
        zk.setZkSerializer(new SerializableSerializer());
        other.setZkSerializer(new SerializableSerializer());
        for (int i = 0; i < 20; i++) {
            in.offer("item " + i);
        }
        assertEquals("item 0", out.peek());
        Set<String> got = new HashSet<>();
        for (int i = 0; i < 20; i++) {
            got.add((i % 2 == 0 ? in : out).poll());
        }
        assertEquals(20, got.size());
        assertTrue(out.isEmpty());
    }

    @Test
    void reconnectTellsWhatWasMissed() throws Exception {
        zk.subscribeStateChanges(state);
        zk.createEphemeral(root + "/e", "mine");
        zk.subscribeDataChanges(root + "/a", data);
        proxy.cut();
        want("state Disconnected");
        other.createPersistent(root + "/a", "missed");
        CompletableFuture<String> read = CompletableFuture.supplyAsync(() -> zk.readData(root + "/a"));
        proxy.open();
        // The two come by different ways.
        Set<String> both = new HashSet<>();
        while (both.size() < 2) {
            String event = heard.poll(Await.SECONDS, TimeUnit.SECONDS);
            assertTrue("state SyncConnected".equals(event) || "changed /a missed".equals(event), event);
            both.add(event);
        }
        assertEquals("missed", Await.get(read), "a call that waited for the connection");
        assertTrue(other.exists(root + "/e"), "the session lived on");
    }

    @Test
    void anExpiredSessionIsReplaced() throws Exception {
        ZkClient brief = connect(proxy.address(), 1000);
        brief.createEphemeral(root + "/e", "mine");
        brief.subscribeStateChanges(state);
        brief.subscribeDataChanges(root + "/a", data);
        proxy.cut();
        Await.until("the session expires", () -> !other.exists(root + "/e"));
        proxy.open();
        for (String event = ""; !event.equals("new session"); ) {
            event = heard.poll(Await.SECONDS, TimeUnit.SECONDS);
            assertTrue(event != null && !event.startsWith("error"), event);
        }
        brief.createEphemeral(root + "/e", "mine again");
        other.createPersistent(root + "/a", "x");
        Await.until("the new session watches on", () -> heard.contains("changed /a x"));
    }

    @Test
    void aKilledServerComesBack() throws Exception {
        zk.createEphemeral(root + "/e", "mine");
        zk.subscribeChildChanges(root, children);
        Server.restart();
        zk.writeData(root, "after"); // waits for the connection
        assertEquals("after", other.readData(root));
        assertTrue(other.exists(root + "/e"));
        other.createPersistent(root + "/f", "x");
        Await.until("the subscription lived on", () -> heard.contains("children of  [e, f]"));
    }
}
