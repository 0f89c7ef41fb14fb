package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import zkd.Await;
import zkd.Proxy;

/** A client whose link takes several timeouts of its session for what it has asked for. */
class SlowLinkTest extends Client {
    private static final int TIMEOUT_MS = 3000;
    private static final int SIZE = 900_000;
    private static final int READS = 10;
    private static final int RATE = 800_000;

    @Test
    void everythingComesAndTheSessionStays() throws Exception {
        String large = root + "/large";
        zk.create(large, new byte[SIZE], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        Proxy link = closing(new Proxy(RATE));
        Events events = new Events();
        ZooKeeper slow = connect(link.address(), TIMEOUT_MS, events);
        slow.create(root + "/mine", null, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL);
        long session = slow.getSessionId();
        List<CompletableFuture<Code>> replies = new ArrayList<>();
        for (int i = 0; i < READS; i++) {
            CompletableFuture<Code> reply = new CompletableFuture<>();
            replies.add(reply);
            slow.getData(large, false, (rc, path, ctx, data, stat) -> reply.complete(Code.get(rc)), null);
        }
        for (CompletableFuture<Code> reply : replies) {
            assertEquals(Code.OK, Await.get(reply));
        }
        assertEquals(session, slow.getSessionId());
        assertNotNull(slow.exists(root + "/mine", false), "the session's ephemeral is gone");
        assertEquals(0, events.left(), "the connection was lost");
    }
}
