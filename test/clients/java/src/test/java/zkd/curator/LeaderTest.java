package zkd.curator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.recipes.leader.LeaderLatch;
import org.apache.curator.framework.recipes.leader.LeaderLatchListener;
import org.apache.curator.framework.recipes.leader.LeaderSelector;
import org.apache.curator.framework.recipes.leader.LeaderSelectorListenerAdapter;
import org.apache.curator.framework.state.ConnectionState;
import org.junit.jupiter.api.Test;
import zkd.Await;

/** LeaderLatch and LeaderSelector. */
class LeaderTest extends Client {
    @Test
    void latchPassesToTheNext() throws Exception {
        LeaderLatch a = new LeaderLatch(one, root, "a");
        a.start();
        assertTrue(a.await(Await.SECONDS, TimeUnit.SECONDS));
        LeaderLatch b = closing(new LeaderLatch(two, root, "b"));
        b.start();
        Await.until("both take part", () -> b.getParticipants().size() == 2);
        assertEquals("a", b.getLeader().getId());
        assertFalse(b.hasLeadership());
        a.close();
        assertTrue(b.await(Await.SECONDS, TimeUnit.SECONDS));
        assertEquals("b", b.getLeader().getId());
    }

    @Test
    void latchIsGivenUpInASuspendedConnectionAndTakenUpAgain() throws Exception {
        LeaderLatch latch = closing(new LeaderLatch(one, root, "a"));
        LinkedBlockingQueue<String> heard = new LinkedBlockingQueue<>();
        latch.addListener(new LeaderLatchListener() {
            @Override
            public void isLeader() {
                heard.add("leader");
            }

            @Override
            public void notLeader() {
                heard.add("not leader");
            }
        });
        latch.start();
        assertEquals("leader", heard.poll(Await.SECONDS, TimeUnit.SECONDS));
        proxy.cut();
        assertEquals("not leader", heard.poll(Await.SECONDS, TimeUnit.SECONDS));
        proxy.open();
        assertEquals("leader", heard.poll(Await.SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void latchOfALostSessionPassesToTheNext() throws Exception {
        CuratorFramework brief = connect(proxy.address(), 1000);
        LeaderLatch a = closing(new LeaderLatch(brief, root, "a"));
        a.start();
        assertTrue(a.await(Await.SECONDS, TimeUnit.SECONDS));
        LeaderLatch b = closing(new LeaderLatch(two, root, "b"));
        b.start();
        proxy.cut();
        assertTrue(b.await(Await.SECONDS, TimeUnit.SECONDS));
        assertFalse(a.hasLeadership());
        proxy.open();
        Await.until("the old leader stands in line again", () -> b.getParticipants().size() == 2);
        assertEquals("b", b.getLeader().getId());
    }

    /** Takes the leadership until it is told to go, or interrupted. */
    private static final class Selected extends LeaderSelectorListenerAdapter {
        final CountDownLatch go = new CountDownLatch(1);
        final LinkedBlockingQueue<String> order;
        final String name;

        Selected(String name, LinkedBlockingQueue<String> order) {
            this.name = name;
            this.order = order;
        }

        @Override
        public void takeLeadership(CuratorFramework client) throws Exception {
            order.add(name + " leads");
            try {
                go.await();
            } finally {
                order.add(name + " left");
            }
        }
    }

    @Test
    void selectorsTakeTurns() throws Exception {
        LinkedBlockingQueue<String> order = new LinkedBlockingQueue<>();
        Selected a = new Selected("a", order);
        Selected b = new Selected("b", order);
        LeaderSelector first = closing(new LeaderSelector(one, root, a));
        LeaderSelector second = closing(new LeaderSelector(two, root, b));
        first.setId("a");
        second.setId("b");
        first.start();
        assertEquals("a leads", order.poll(Await.SECONDS, TimeUnit.SECONDS));
        second.start();
        Await.until("both take part", () -> first.getParticipants().size() == 2);
        assertEquals("a", second.getLeader().getId());
        a.go.countDown();
        assertEquals("a left", order.poll(Await.SECONDS, TimeUnit.SECONDS));
        assertEquals("b leads", order.poll(Await.SECONDS, TimeUnit.SECONDS));
        second.interruptLeadership();
        assertEquals("b left", order.poll(Await.SECONDS, TimeUnit.SECONDS));
    }

    @Test
    void selectorIsInterruptedByALostConnection() throws Exception {
        LinkedBlockingQueue<String> order = new LinkedBlockingQueue<>();
        LeaderSelector selector = closing(new LeaderSelector(one, root, new Selected("a", order)));
        selector.autoRequeue();
        selector.start();
        assertEquals("a leads", order.poll(Await.SECONDS, TimeUnit.SECONDS));
        proxy.cut();
        want(ConnectionState.SUSPENDED);
        assertEquals("a left", order.poll(Await.SECONDS, TimeUnit.SECONDS));
        proxy.open();
        assertEquals("a leads", order.poll(Await.SECONDS, TimeUnit.SECONDS));
    }
}
