package zkd.zookeeper;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.Test;
import zkd.Await;

/** multi and transactions of the native client. */
class MultiTest extends Client {
    private Op op(String path, CreateMode mode) {
        return Op.create(path, bytes("x"), Ids.OPEN_ACL_UNSAFE, mode);
    }

    @Test
    void everyKindOfChangeInOneTransaction() throws Exception {
        create(root + "/a", "old");
        create(root + "/gone", "");
        List<OpResult> results = zk.multi(List.of(
                Op.check(root + "/a", 0),
                op(root + "/b", CreateMode.PERSISTENT),
                op(root + "/s", CreateMode.EPHEMERAL_SEQUENTIAL),
                Op.setData(root + "/a", bytes("new"), 0),
                Op.delete(root + "/gone", -1),
                op(root + "/c", CreateMode.CONTAINER),
                Op.create(root + "/t", null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL, 3_600_000)));
        assertEquals(7, results.size());
        assertEquals(root + "/b", ((OpResult.CreateResult) results.get(1)).getPath());
        assertEquals(root + "/s0000000003", ((OpResult.CreateResult) results.get(2)).getPath());
        assertEquals(1, ((OpResult.SetDataResult) results.get(3)).getStat().getVersion());
        assertEquals(OpCode.delete, results.get(4).getType());
        Stat b = zk.exists(root + "/b", false);
        assertEquals(b.getCzxid(), zk.exists(root + "/a", false).getMzxid(), "one zxid for all of it");
        assertNull(zk.exists(root + "/gone", false));
    }

    @Test
    void aFailureUndoesEverythingAndSaysWhere() throws Exception {
        create(root + "/a", "");
        KeeperException e = assertThrows(KeeperException.NoNodeException.class, () -> zk.multi(List.of(
                op(root + "/b", CreateMode.PERSISTENT),
                Op.setData(root + "/a", bytes("no"), -1),
                Op.delete(root + "/missing", -1),
                op(root + "/c", CreateMode.PERSISTENT))));
        List<OpResult> results = e.getResults();
        assertEquals(4, results.size());
        int[] want = {Code.OK.intValue(), Code.OK.intValue(), Code.NONODE.intValue(),
            Code.RUNTIMEINCONSISTENCY.intValue()};
        for (int i = 0; i < want.length; i++) {
            assertEquals(want[i], ((OpResult.ErrorResult) results.get(i)).getErr(), "result " + i);
        }
        assertEquals(List.of("a"), zk.getChildren(root, false));
        assertEquals(0, zk.exists(root + "/a", false).getVersion());
    }

    @Test
    void aLaterPartSeesAnEarlierOne() throws Exception {
        zk.multi(List.of(
                op(root + "/a", CreateMode.PERSISTENT),
                op(root + "/a/b", CreateMode.PERSISTENT),
                Op.setData(root + "/a/b", bytes("y"), 0),
                Op.check(root + "/a/b", 1),
                Op.delete(root + "/a/b", 1)));
        assertEquals(List.of(), zk.getChildren(root + "/a", false));
    }

    @Test
    void checkAloneAndItsFailure() throws Exception {
        assertEquals(1, zk.multi(List.of(Op.check(root, 0))).size());
        assertThrows(KeeperException.BadVersionException.class, () -> zk.multi(List.of(Op.check(root, 5))));
        assertThrows(KeeperException.NoNodeException.class, () -> zk.multi(List.of(Op.check(root + "/no", 0))));
        assertEquals(List.of(), zk.multi(List.of()));
    }

    @Test
    void multiRead() throws Exception {
        create(root + "/a", "data");
        create(root + "/a/b", "");
        List<OpResult> results = zk.multi(List.of(
                Op.getData(root + "/a"), Op.getChildren(root + "/a"), Op.getData(root + "/no")));
        assertEquals("data", text(((OpResult.GetDataResult) results.get(0)).getData()));
        assertEquals(1, ((OpResult.GetDataResult) results.get(0)).getStat().getNumChildren());
        assertEquals(List.of("b"), ((OpResult.GetChildrenResult) results.get(1)).getChildren());
        assertEquals(Code.NONODE.intValue(), ((OpResult.ErrorResult) results.get(2)).getErr());
    }

    @Test
    void transactionObject() throws Exception {
        List<OpResult> results = zk.transaction()
                .create(root + "/a", bytes("1"), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT)
                .setData(root + "/a", bytes("2"), 0)
                .check(root + "/a", 1)
                .commit();
        assertEquals(3, results.size());
        assertEquals("2", text(zk.getData(root + "/a", false, null)));
        assertThrows(KeeperException.NodeExistsException.class, () -> zk.transaction()
                .delete(root + "/a", -1)
                .create(root, null, Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT)
                .commit());
        assertNotNull(zk.exists(root + "/a", false));
    }

    @Test
    void asyncForms() throws Exception {
        CompletableFuture<Integer> code = new CompletableFuture<>();
        CompletableFuture<List<OpResult>> results = new CompletableFuture<>();
        zk.multi(List.of(op(root + "/a", CreateMode.PERSISTENT), Op.check(root + "/a", 0)), (rc, path, ctx, got) -> {
            code.complete(rc);
            results.complete(got);
        }, null);
        assertEquals(0, Await.get(code));
        assertEquals(2, Await.get(results).size());

        CompletableFuture<Integer> failure = new CompletableFuture<>();
        zk.transaction().delete(root + "/no", -1).commit((rc, path, ctx, got) -> failure.complete(rc), null);
        assertEquals(Code.NONODE.intValue(), Await.get(failure));
    }

    @Test
    void aLargeTransaction() throws Exception {
        java.util.ArrayList<Op> ops = new java.util.ArrayList<>();
        for (int i = 0; i < 2000; i++) {
            ops.add(op(root + "/n" + i, CreateMode.PERSISTENT));
        }
        assertEquals(2000, zk.multi(ops).size());
        assertEquals(2000, zk.getAllChildrenNumber(root));
    }
}
