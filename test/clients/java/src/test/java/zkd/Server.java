package zkd;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.atomic.AtomicLong;

/** The server under test, which was started by somebody else. */
public final class Server {
    /** host:port for clients. */
    public static final String ADDRESS = required("zk.address");

    /** host:port of a server that knows nothing of what this one did, or empty. */
    public static final String BLANK = System.getProperty("zk.blank", "");

    /** The superuser's digest credential. */
    public static final String SUPER = "super:secret";

    /** Whether it is no member of an ensemble. */
    public static final boolean ALONE = !Boolean.getBoolean("zk.member");

    private static final AtomicLong paths = new AtomicLong(System.nanoTime());

    private Server() {}

    /** Kills the server and starts it again on the same port and data, which only its starter can do. */
    public static void restart() throws IOException {
        String control = System.getProperty("zk.control", "");
        assumeTrue(!control.isEmpty(), "nobody here can restart the server: no -Dzk.control");
        String[] address = control.split(":");
        try (Socket s = new Socket(address[0], Integer.parseInt(address[1]))) {
            s.getOutputStream().write("restart\n".getBytes(StandardCharsets.US_ASCII));
            BufferedReader answer = new BufferedReader(new InputStreamReader(s.getInputStream(), StandardCharsets.UTF_8));
            assertEquals("ok", answer.readLine());
        }
    }

    /** A path below the root that nobody has used. */
    public static String freshPath() {
        return "/t" + paths.incrementAndGet();
    }

    private static String required(String key) {
        String value = System.getProperty(key, "");
        if (value.isEmpty()) {
            throw new IllegalStateException("-D" + key + "=host:port names the server to test");
        }
        return value;
    }
}
