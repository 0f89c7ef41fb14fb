package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.ClientInfo;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;
import org.junit.jupiter.api.Test;
import zkd.Proxy;
import zkd.Server;

/** Who may do what. The client looks for null in a list of ACLs, which List.of does not bear. */
class AuthTest extends Client {
    private static Id digest(String user) throws Exception {
        return new Id("digest", DigestAuthenticationProvider.generateDigest(user));
    }

    @Test
    void aclsAreKeptAndVersioned() throws Exception {
        Stat stat = new Stat();
        assertEquals(Ids.OPEN_ACL_UNSAFE, zk.getACL(root, stat));
        List<ACL> acl = Arrays.asList(
                new ACL(Perms.ALL, new Id("ip", "127.0.0.1")), new ACL(Perms.READ, digest("bob:secret")));
        assertEquals(1, zk.setACL(root, acl, 0).getAversion());
        assertEquals(acl, zk.getACL(root, stat));
        assertEquals(1, stat.getAversion());
        assertThrows(KeeperException.BadVersionException.class, () -> zk.setACL(root, acl, 0));
        assertThrows(KeeperException.InvalidACLException.class,
                () -> zk.setACL(root, Arrays.asList(new ACL(Perms.ALL, new Id("nobody", "x"))), -1));
        assertThrows(KeeperException.InvalidACLException.class, () -> zk.setACL(root, Arrays.asList(), -1));
    }

    @Test
    void addAuthInfoOpensWhatIsClosed() throws Exception {
        zk.addAuthInfo("digest", bytes("bob:secret"));
        zk.create(root + "/bobs", bytes("x"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        assertEquals(List.of(new ACL(Perms.ALL, digest("bob:secret"))), zk.getACL(root + "/bobs", null));

        ZooKeeper other = connect();
        assertThrows(KeeperException.NoAuthException.class, () -> other.getData(root + "/bobs", false, null));
        assertThrows(KeeperException.NoAuthException.class, () -> other.setData(root + "/bobs", null, -1));
        assertThrows(KeeperException.NoAuthException.class, () -> other.getChildren(root + "/bobs", false));
        assertThrows(KeeperException.NoAuthException.class, () -> other.getACL(root + "/bobs", null));
        assertThrows(KeeperException.NoAuthException.class,
                () -> other.multi(List.of(Op.setData(root + "/bobs", null, -1))));
        other.addAuthInfo("digest", bytes("eve:wrong"));
        assertThrows(KeeperException.NoAuthException.class, () -> other.getData(root + "/bobs", false, null));
        other.addAuthInfo("digest", bytes("bob:secret"));
        assertEquals("x", text(other.getData(root + "/bobs", false, null)));
    }

    @Test
    void everyPermissionAlone() throws Exception {
        String p = create(root + "/p", "x");
        zk.setACL(p, Arrays.asList(new ACL(Perms.READ, Ids.ANYONE_ID_UNSAFE)), -1);
        zk.getData(p, false, null);
        assertThrows(KeeperException.NoAuthException.class, () -> create(p + "/c", ""));
        assertThrows(KeeperException.NoAuthException.class, () -> zk.setData(p, null, -1));
        assertThrows(KeeperException.NoAuthException.class, () -> zk.setACL(p, Ids.OPEN_ACL_UNSAFE, -1));

        String q = create(root + "/q", "x");
        zk.setACL(q, Arrays.asList(new ACL(Perms.CREATE | Perms.WRITE, Ids.ANYONE_ID_UNSAFE)), -1);
        create(q + "/c", "");
        zk.setData(q, bytes("y"), -1);
        assertThrows(KeeperException.NoAuthException.class, () -> zk.delete(q + "/c", -1));
        assertThrows(KeeperException.NoAuthException.class, () -> zk.getData(q, false, null));
    }

    @Test
    void creatorWithoutCredentialIsRefused() throws Exception {
        // 127.0.0.1 has an ip identity, which does not count as one that was proven.
        assertThrows(KeeperException.InvalidACLException.class,
                () -> zk.create(root + "/a", null, Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT));
    }

    @Test
    void superuserPassesEveryACL() throws Exception {
        zk.addAuthInfo("digest", bytes("bob:secret"));
        zk.create(root + "/bobs", bytes("x"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        ZooKeeper admin = connect();
        admin.addAuthInfo("digest", bytes(Server.SUPER));
        assertEquals("x", text(admin.getData(root + "/bobs", false, null)));
        admin.setACL(root + "/bobs", Ids.OPEN_ACL_UNSAFE, -1);
        assertEquals("x", text(connect().getData(root + "/bobs", false, null)));
    }

    @Test
    void whoAmI() throws Exception {
        assertEquals(List.of(new ClientInfo("ip", "127.0.0.1")), zk.whoAmI());
        zk.addAuthInfo("digest", bytes("bob:secret"));
        List<ClientInfo> who = zk.whoAmI();
        assertEquals(2, who.size());
        assertTrue(who.contains(new ClientInfo("digest", "bob")), who.toString());
    }

    @Test
    void anUnknownSchemeEndsTheClient() throws Exception {
        Events events = new Events();
        ZooKeeper client = connect(Server.ADDRESS, TIMEOUT, events);
        client.addAuthInfo("nobody", bytes("x"));
        events.want(KeeperState.AuthFailed);
        assertThrows(KeeperException.class, () -> client.exists(root, false));
        assertEquals(ZooKeeper.States.AUTH_FAILED, client.getState());
    }

    @Test
    void credentialsAreSentAgainAfterAReconnect() throws Exception {
        Proxy proxy = closing(new Proxy());
        Events events = new Events();
        ZooKeeper client = connect(proxy.address(), TIMEOUT, events);
        client.addAuthInfo("digest", bytes("bob:secret"));
        client.create(root + "/bobs", bytes("x"), Ids.CREATOR_ALL_ACL, CreateMode.PERSISTENT);
        proxy.drop();
        events.await(KeeperState.Disconnected);
        events.await(KeeperState.SyncConnected);
        assertEquals("x", text(client.getData(root + "/bobs", false, null)));
    }
}
