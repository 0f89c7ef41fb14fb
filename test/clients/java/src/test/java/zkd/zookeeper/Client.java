package zkd.zookeeper;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import zkd.Server;

/** What every test of the native client starts with: a connected client and a node of its own. */
abstract class Client {
    static final int TIMEOUT = 10_000;

    private final List<ZooKeeper> clients = new ArrayList<>();
    private final List<AutoCloseable> others = new ArrayList<>();

    final Events session = new Events(); // zk's default watcher
    ZooKeeper zk;
    String root;

    @BeforeEach
    void connectFirst() throws Exception {
        zk = connect(Server.ADDRESS, TIMEOUT, session);
        root = create(Server.freshPath(), "");
    }

    @AfterEach
    void closeAll() throws Exception {
        for (ZooKeeper c : clients) {
            c.close(5000);
        }
        for (AutoCloseable c : others) {
            c.close();
        }
    }

    /** A client that is connected, and closed after the test. */
    ZooKeeper connect(String address, int timeout, Events events) throws Exception {
        return connected(new ZooKeeper(address, timeout, events), events);
    }

    ZooKeeper connect() throws Exception {
        return connect(Server.ADDRESS, TIMEOUT, new Events());
    }

    ZooKeeper connected(ZooKeeper client, Events events) throws Exception {
        clients.add(client);
        events.want(KeeperState.SyncConnected);
        return client;
    }

    <T extends AutoCloseable> T closing(T c) {
        others.add(c);
        return c;
    }

    String create(String path, String data) throws Exception {
        return zk.create(path, bytes(data), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    String create(String path, CreateMode mode) throws Exception {
        return zk.create(path, bytes("x"), Ids.OPEN_ACL_UNSAFE, mode);
    }

    static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] b) {
        return b == null ? null : new String(b, StandardCharsets.UTF_8);
    }
}
