package zkd.ensemble;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryNTimes;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import zkd.Await;
import zkd.Server;

/** Clients of three servers, closed after the test, and threads. */
abstract class Clients {
    private final Deque<AutoCloseable> resources = new ArrayDeque<>();
    private final ExecutorService threads = Executors.newCachedThreadPool();

    @BeforeEach
    void onlyWithThreeServers() {
        Assumptions.assumeTrue(Server.ADDRESS.contains(","), "there is one server only");
    }

    @AfterEach
    void closeAll() throws Exception {
        while (!resources.isEmpty()) {
            resources.pop().close();
        }
        threads.shutdownNow();
        assertTrue(threads.awaitTermination(Await.SECONDS, TimeUnit.SECONDS), "threads of the test are stuck");
    }

    /** A client that may reconfigure, and tries again when it loses a connection. */
    CuratorFramework curator() throws Exception {
        return curator(100);
    }

    /** One that tries so often again. */
    CuratorFramework curator(int retries) throws Exception {
        CuratorFramework c = CuratorFrameworkFactory.builder()
                .connectString(Server.ADDRESS)
                .sessionTimeoutMs(10_000)
                .connectionTimeoutMs(5000)
                .retryPolicy(new RetryNTimes(retries, 100))
                .authorization("digest", Server.SUPER.getBytes())
                .build();
        c.start();
        closing(c);
        assertTrue(c.blockUntilConnected(Await.SECONDS, TimeUnit.SECONDS), "not connected");
        return c;
    }

    /** Closes it after the test, before what was opened earlier. */
    synchronized <T extends AutoCloseable> T closing(T c) {
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
}
