package org.apache.curator.test;

import java.io.Closeable;
import java.io.File;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import zkd.ServerProcess;

/** Stands in for Curator's class of this name, which runs a ZooKeeper inside the tests' JVM. */
public class TestingServer implements Closeable {
    private final InstanceSpec spec;
    private final ServerProcess server;

    public TestingServer() throws Exception {
        this(-1, null, true);
    }

    public TestingServer(boolean start) throws Exception {
        this(-1, null, start);
    }

    public TestingServer(int port) throws Exception {
        this(port, null, true);
    }

    public TestingServer(int port, boolean start) throws Exception {
        this(port, null, start);
    }

    public TestingServer(int port, File dir) throws Exception {
        this(port, dir, true);
    }

    public TestingServer(int port, File dir, boolean start) throws Exception {
        this(new InstanceSpec(dir, port, -1, -1, true, -1), start);
    }

    public TestingServer(InstanceSpec spec, boolean start) throws Exception {
        this.spec = spec;
        Map<String, String> config = new LinkedHashMap<>();
        config.put("tickTime", String.valueOf(spec.getTickTime() > 0 ? spec.getTickTime() : 3000));
        config.put("maxClientCnxns", String.valueOf(Math.max(0, spec.getMaxClientCnxns())));
        spec.getCustomProperties().forEach((k, v) -> config.put(k, String.valueOf(v)));
        server = new ServerProcess(spec.getPort(), spec.getDataDirectory(), config);
        if (start) {
            start();
        }
    }

    public int getPort() {
        return spec.getPort();
    }

    public File getTempDirectory() {
        return spec.getDataDirectory();
    }

    public void start() throws Exception {
        server.start();
    }

    public void stop() throws IOException {
        server.stop();
    }

    public void restart() throws Exception {
        server.stop();
        server.start();
    }

    @Override
    public void close() throws IOException {
        server.stop();
        if (spec.deleteDataDirectoryOnClose()) {
            DirectoryUtils.deleteRecursively(spec.getDataDirectory());
        }
    }

    public String getConnectString() {
        return spec.getConnectString();
    }
}
