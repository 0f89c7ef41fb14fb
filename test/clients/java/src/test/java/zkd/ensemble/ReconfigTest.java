package zkd.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Server;

/** The configuration node of three servers, and clients that follow it. */
class ReconfigTest extends Clients {
    /** The server lines of a configuration, by id. */
    private static List<String> servers(byte[] config) {
        return Stream.of(text(config).split("\n")).filter(l -> l.startsWith("server.")).sorted().toList();
    }

    private static String text(byte[] b) {
        return new String(b, StandardCharsets.UTF_8);
    }

    private static String inOrder(String connectString) {
        String[] all = connectString.split(",");
        Arrays.sort(all);
        return String.join(",", all);
    }

    /** Curator's client takes its servers from the configuration, whatever it was started with. */
    @Test
    void curatorFollowsTheMembers() throws Exception {
        CuratorFramework admin = curator();
        CuratorFramework follower = curator();
        List<String> three = servers(admin.getConfig().forEnsemble());
        assertEquals(3, three.size());
        String all = inOrder(Server.ADDRESS);
        Await.until("the client knows all servers", () -> all.equals(
                inOrder(follower.getZookeeperClient().getCurrentConnectionString())));
        CountDownLatch changed = new CountDownLatch(1);
        follower.getConfig().usingWatcher((org.apache.zookeeper.Watcher) e -> {
            if (e.getType() == EventType.NodeDataChanged) {
                changed.countDown();
            }
        }).forEnsemble();

        // The one that goes is none that a client of this test is on.
        String gone = "3";
        assertThrows(KeeperException.BadVersionException.class,
                () -> admin.reconfig().leaving(gone).fromConfig(0x7777).forEnsemble());
        Stat stat = new Stat();
        byte[] two = retrying(() -> admin.reconfig().leaving(gone).storingStatIn(stat).forEnsemble());
        assertEquals(three.subList(0, 2), servers(two));
        Await.latch("the watch", changed);
        String left = inOrder(Stream.of(Server.ADDRESS.split(",")).limit(2).reduce((a, b) -> a + "," + b).get());
        for (CuratorFramework c : List.of(admin, follower)) {
            Await.until("the client knows who is left", () -> left.equals(
                    inOrder(c.getZookeeperClient().getCurrentConnectionString())));
            assertEquals(2, c.getCurrentConfig().getAllMembers().size());
        }

        byte[] again = retrying(() -> admin.reconfig().joining(three.get(2)).forEnsemble());
        assertEquals(three, servers(again));
        Await.until("the client knows the new one", () -> all.equals(
                inOrder(follower.getZookeeperClient().getCurrentConnectionString())));
        assertEquals(three, servers(retrying(() -> admin.reconfig().withNewMembers(three).forEnsemble())));
    }

    /** A client on the server that goes hears of that server's end only, and asks another one again. */
    private static byte[] retrying(Task<byte[]> task) throws Exception {
        for (;;) {
            try {
                return task.run();
            } catch (KeeperException.ConnectionLossException | KeeperException.ReconfigInProgress e) {
                Thread.sleep(50);
            }
        }
    }

    @Test
    void onlyTheSuperuserReconfigures() throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeperAdmin admin = closing(new ZooKeeperAdmin(Server.ADDRESS, 10_000, e -> connected.countDown()));
        Await.latch("a connection", connected);
        byte[] before = admin.getConfig(false, null);
        assertTrue(text(before).contains("version="));
        assertThrows(KeeperException.NoAuthException.class,
                () -> admin.reconfigure((String) null, "2", null, -1, null));
        admin.addAuthInfo("digest", Server.SUPER.getBytes());
        assertThrows(KeeperException.BadArgumentsException.class,
                () -> admin.reconfigure("nonsense", null, null, -1, null));
        assertThrows(KeeperException.BadArgumentsException.class,
                () -> admin.reconfigure((String) null, "1,2,3", null, -1, null));
        assertEquals(text(before), text(admin.getConfig(false, null)));
    }
}
