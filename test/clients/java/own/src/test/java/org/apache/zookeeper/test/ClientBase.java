package org.apache.zookeeper.test;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.apache.zookeeper.PortAssignment;
import org.apache.zookeeper.TestableZooKeeper;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZKTestCase;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.server.ServerCnxnFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import zkd.ServerProcess;

/** Stands in for ZooKeeper's class of this name, which runs a ZooKeeper inside the tests' JVM. */
public abstract class ClientBase extends ZKTestCase {
    protected static final Logger LOG = LoggerFactory.getLogger(ClientBase.class);

    public static int CONNECTION_TIMEOUT = 30000;

    protected String hostPort = "127.0.0.1:" + PortAssignment.unique();
    protected int maxCnxns = 0;
    protected ServerCnxnFactory serverFactory = null; // there is none: what looks into it cannot run
    protected File tmpDir = null;
    protected boolean exceptionOnFailedConnect = false;

    private final List<ZooKeeper> clients = new ArrayList<>();
    private ServerProcess server;

    /** Ignores everything. */
    public static class NullWatcher implements Watcher {
        @Override
        public void process(WatchedEvent event) {}
    }

    /** Follows the connection's state. */
    public static class CountdownWatcher implements Watcher {
        volatile boolean connected;
        volatile boolean readOnlyConnected;

        public synchronized void reset() {
            connected = false;
            readOnlyConnected = false;
        }

        @Override
        public synchronized void process(WatchedEvent event) {
            KeeperState s = event.getState();
            readOnlyConnected = s == KeeperState.ConnectedReadOnly;
            connected = s == KeeperState.SyncConnected || readOnlyConnected;
            notifyAll();
        }

        public synchronized boolean isConnected() {
            return connected;
        }

        public synchronized void waitForConnected(long timeout) throws InterruptedException, TimeoutException {
            await(true, timeout, "connected");
        }

        public synchronized void waitForDisconnected(long timeout) throws InterruptedException, TimeoutException {
            await(false, timeout, "disconnected");
        }

        public synchronized void waitForReadOnlyConnected(long timeout) throws InterruptedException, TimeoutException {
            await(true, timeout, "connected, read-only");
        }

        private void await(boolean want, long timeout, String what) throws InterruptedException, TimeoutException {
            long end = System.currentTimeMillis() + timeout;
            for (long left = timeout; connected != want && left > 0; left = end - System.currentTimeMillis()) {
                wait(left);
            }
            if (connected != want) {
                throw new TimeoutException("not " + what + " after " + timeout + " ms");
            }
        }
    }

    /** An address. */
    public static class HostPort {
        String host;
        int port;

        public HostPort(String host, int port) {
            this.host = host;
            this.port = port;
        }
    }

    public static List<HostPort> parseHostPortList(String hp) {
        List<HostPort> all = new ArrayList<>();
        for (String one : hp.split("/")[0].split(",")) {
            int colon = one.lastIndexOf(':');
            all.add(new HostPort(one.substring(0, colon), Integer.parseInt(one.substring(colon + 1))));
        }
        return all;
    }

    protected TestableZooKeeper createClient() throws IOException, InterruptedException {
        return createClient(hostPort);
    }

    protected TestableZooKeeper createClient(String hp) throws IOException, InterruptedException {
        return createClient(new CountdownWatcher(), hp);
    }

    protected TestableZooKeeper createClient(CountdownWatcher watcher) throws IOException, InterruptedException {
        return createClient(watcher, hostPort);
    }

    protected TestableZooKeeper createClient(String hp, int timeout) throws IOException, InterruptedException {
        return createClient(new CountdownWatcher(), hp, timeout);
    }

    protected TestableZooKeeper createClient(CountdownWatcher watcher, String hp)
            throws IOException, InterruptedException {
        return createClient(watcher, hp, CONNECTION_TIMEOUT);
    }

    protected TestableZooKeeper createClient(CountdownWatcher watcher, String hp, int timeout)
            throws IOException, InterruptedException {
        watcher.reset();
        TestableZooKeeper zk = new TestableZooKeeper(hp, timeout, watcher);
        try {
            watcher.waitForConnected(timeout);
        } catch (TimeoutException e) {
            if (exceptionOnFailedConnect) {
                throw new IOException(e);
            }
            org.junit.jupiter.api.Assertions.fail("could not connect to " + hp);
        }
        synchronized (clients) {
            clients.add(zk);
        }
        return zk;
    }

    public static ZooKeeper createZKClient(String hp) throws Exception {
        return createZKClient(hp, CONNECTION_TIMEOUT);
    }

    public static ZooKeeper createZKClient(String hp, int timeout) throws IOException {
        return createZKClient(hp, timeout, CONNECTION_TIMEOUT);
    }

    public static ZooKeeper createZKClient(String hp, int timeout, long connection) throws IOException {
        return createZKClient(hp, timeout, connection, new ZKClientConfig());
    }

    public static ZooKeeper createZKClient(String hp, int timeout, long connection, ZKClientConfig config)
            throws IOException {
        CountdownWatcher watcher = new CountdownWatcher();
        ZooKeeper zk = new ZooKeeper(hp, timeout, watcher, config);
        try {
            watcher.waitForConnected(connection);
        } catch (InterruptedException | TimeoutException e) {
            org.junit.jupiter.api.Assertions.fail("could not connect to " + hp);
        }
        return zk;
    }

    @BeforeEach
    public void setUp() throws Exception {
        setUpWithServerId(1);
    }

    protected void setUpAll() throws Exception {
        setupCustomizedEnv();
        tmpDir = createTmpDir();
    }

    public void setupCustomizedEnv() {}

    public void cleanUpCustomizedEnv() {}

    public static void setupTestEnv() {}

    protected void startServer() throws Exception {
        if (server == null) {
            Map<String, String> config = new LinkedHashMap<>();
            config.put("tickTime", "3000");
            config.put("maxClientCnxns", String.valueOf(maxCnxns));
            // super:test, as in ZooKeeper's own build
            config.put("DigestAuthenticationProvider.superDigest", "super:D/InIHSb7yEEbrWz8b9l71RjZJU=");
            int port = parseHostPortList(hostPort).get(0).port;
            server = new ServerProcess(port, tmpDir, config);
        }
        server.start();
    }

    /** The server's number is of no use to any test that can run here. */
    protected void setUpWithServerId(int id) throws Exception {
        System.setProperty("zookeeper.admin.enableServer", "false");
        setUpAll();
        startServer();
    }

    public static boolean waitForServerUp(String hp, long timeout) {
        return await(hp, timeout, true);
    }

    public static boolean waitForServerUp(String hp, long timeout, boolean secure) {
        return await(hp, timeout, true);
    }

    public static boolean waitForServerDown(String hp, long timeout) {
        return await(hp, timeout, false);
    }

    public static boolean waitForServerDown(String hp, long timeout, boolean secure) {
        return await(hp, timeout, false);
    }

    private static boolean await(String hp, long timeout, boolean up) {
        int port = parseHostPortList(hp).get(0).port;
        long end = System.currentTimeMillis() + timeout;
        while (ServerProcess.serves(port) != up) {
            if (System.currentTimeMillis() > end) {
                return false;
            }
            Thread.onSpinWait();
        }
        return true;
    }

    protected void stopServer() throws Exception {
        if (server != null) {
            server.stop();
        }
    }

    protected void tearDownAll() throws Exception {
        synchronized (clients) {
            for (ZooKeeper zk : clients) {
                zk.close();
            }
            clients.clear();
        }
    }

    @AfterEach
    public void tearDown() throws Exception {
        tearDownAll();
        stopServer();
        server = null;
        recursiveDelete(tmpDir);
        cleanUpCustomizedEnv();
    }

    public static File createTmpDir() throws IOException {
        return Files.createTempDirectory("zk-own-").toFile();
    }

    public static File createEmptyTestDir() throws IOException {
        return createTmpDir();
    }

    public static boolean recursiveDelete(File dir) {
        if (dir == null || !dir.exists()) {
            return true;
        }
        try (Stream<Path> all = Files.walk(dir.toPath())) {
            all.sorted(Comparator.reverseOrder()).map(Path::toFile).forEach(File::delete);
        } catch (IOException e) {
            return false;
        }
        return !dir.exists();
    }

    protected static String getHexSessionId(long id) {
        return "0x" + Long.toHexString(id);
    }
}
