package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.apache.zookeeper.AddWatchMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.admin.ZooKeeperAdmin;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Server;

/** The configuration node and who may change it. */
class ConfigTest extends Client {
    @Test
    void getConfigOfAServerAloneIsEmpty() throws Exception {
        assumeTrue(Server.ALONE, "a member of an ensemble");
        Stat stat = new Stat();
        assertEquals("", text(zk.getConfig(false, stat)));
        assertEquals(stat, zk.exists("/zookeeper/config", false));
        assertEquals(java.util.List.of(new ACL(Perms.READ, Ids.ANYONE_ID_UNSAFE)),
                zk.getACL("/zookeeper/config", null));
    }

    @Test
    void getConfigCanWatch() throws Exception {
        Events events = new Events();
        zk.getConfig(events, null);
        zk.removeWatches("/zookeeper/config", events, org.apache.zookeeper.Watcher.WatcherType.Data, false);
        events.want(EventType.DataWatchRemoved, "/zookeeper/config");
        zk.addWatch("/zookeeper/config", events, AddWatchMode.PERSISTENT);
        events.wantNoMore(zk);
    }

    @Test
    void configIsReadOnly() {
        assertThrows(KeeperException.NoAuthException.class, () -> zk.setData("/zookeeper/config", null, -1));
    }

    @Test
    void reconfigIsRefused() throws Exception {
        Events events = new Events();
        ZooKeeperAdmin admin = new ZooKeeperAdmin(Server.ADDRESS, TIMEOUT, events, new ZKClientConfig());
        connected(admin, events);
        String server = "server.2=127.0.0.1:1:2;3";
        assertThrows(KeeperException.ReconfigDisabledException.class,
                () -> admin.reconfigure(server, null, null, -1, null));
        admin.addAuthInfo("digest", bytes(Server.SUPER));
        assertThrows(KeeperException.ReconfigDisabledException.class,
                () -> admin.reconfigure(server, null, null, -1, null));
        java.util.concurrent.CompletableFuture<Integer> rc = new java.util.concurrent.CompletableFuture<>();
        admin.reconfigure(null, null, server, -1, (code, path, ctx, data, stat) -> rc.complete(code), null);
        assertEquals(KeeperException.Code.RECONFIGDISABLED.intValue(), zkd.Await.get(rc));
    }
}
