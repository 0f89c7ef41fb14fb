package zkd;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** Waiting for what has to happen, with a bound that is far longer than any of it takes. */
public final class Await {
    public static final int SECONDS = 20;

    private Await() {}

    /** Polls until the condition holds. */
    public static void until(String what, Callable<Boolean> ok) throws Exception {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        while (!ok.call()) {
            if (System.nanoTime() > end) {
                fail("waited in vain: " + what);
            }
            Thread.sleep(10);
        }
    }

    public static void latch(String what, CountDownLatch latch) throws InterruptedException {
        assertTrue(latch.await(SECONDS, TimeUnit.SECONDS), "waited in vain: " + what);
    }

    public static <T> T get(Future<T> f) throws Exception {
        return f.get(SECONDS, TimeUnit.SECONDS);
    }
}
