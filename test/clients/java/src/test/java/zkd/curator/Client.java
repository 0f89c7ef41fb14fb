package zkd.curator;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.state.ConnectionState;
import org.apache.curator.retry.RetryNTimes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import zkd.Await;
import zkd.Proxy;
import zkd.Server;

/** What every test of Curator starts with: two connected clients, the first of them behind a proxy. */
abstract class Client {
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    final LinkedBlockingQueue<ConnectionState> states = new LinkedBlockingQueue<>(); // one's
    Proxy proxy;
    CuratorFramework one;
    CuratorFramework two;
    String root;

    @BeforeEach
    void connectBoth() throws Exception {
        proxy = closing(new Proxy());
        one = connect(proxy.address(), 10_000);
        two = connect(Server.ADDRESS, 10_000);
        one.getConnectionStateListenable().addListener((c, s) -> {
            if (s != ConnectionState.CONNECTED) { // which may be told only now
                states.add(s);
            }
        });
        root = Server.freshPath();
    }

    @AfterEach
    void closeAll() throws Exception {
        proxy.open();
        while (!resources.isEmpty()) {
            resources.pop().close();
        }
        threads.shutdownNow();
        assertTrue(threads.awaitTermination(Await.SECONDS, TimeUnit.SECONDS), "threads of the test are stuck");
    }

    /** A client that is connected, and closed after the test. */
    CuratorFramework connect(String address, int timeout) throws Exception {
        CuratorFramework c = CuratorFrameworkFactory.builder()
                .connectString(address)
                .sessionTimeoutMs(timeout)
                .connectionTimeoutMs(5000)
                .retryPolicy(new RetryNTimes(100, 100))
                .ensembleTracker(Server.ALONE) // it would lead the client past the proxy, to the other members
                .build();
        c.start();
        closing(c);
        assertTrue(c.blockUntilConnected(Await.SECONDS, TimeUnit.SECONDS), "not connected");
        return c;
    }

    /** Closes it after the test, before what was opened earlier. */
    <T extends AutoCloseable> T closing(T c) {
        resources.push(c);
        return c;
    }

    interface Task<T> {
        T run() throws Exception;
    }

    /** Runs it in a thread of its own. */
    <T> CompletableFuture<T> run(Task<T> task) {
        CompletableFuture<T> result = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                result.complete(task.run());
            } catch (Throwable e) {
                result.completeExceptionally(e);
            }
        });
        return result;
    }

    ExecutorService threads() {
        return threads;
    }

    /** Expects the first client's connection to be in this state next. */
    void want(ConnectionState state) throws Exception {
        assertEquals(state, states.poll(Await.SECONDS, TimeUnit.SECONDS));
    }

    boolean there(String path) throws Exception {
        return two.checkExists().forPath(path) != null;
    }

    static byte[] bytes(String s) {
        return s.getBytes(StandardCharsets.UTF_8);
    }

    static String text(byte[] b) {
        return b == null ? null : new String(b, StandardCharsets.UTF_8);
    }
}
