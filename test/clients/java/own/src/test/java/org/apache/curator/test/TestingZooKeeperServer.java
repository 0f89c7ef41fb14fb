package org.apache.curator.test;

import java.io.Closeable;
import java.io.IOException;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import zkd.ServerProcess;

/**
 * Stands in for Curator's class of this name, which runs a member of a TestingCluster inside the tests' JVM. The
 * processes of a cluster know the ports of each other from the specs.
 */
public class TestingZooKeeperServer implements Closeable {
    static boolean hasZooKeeperServerEmbedded = false;

    private final List<InstanceSpec> all;
    private final InstanceSpec spec;
    private final ServerProcess server;
    private boolean closed;

    public TestingZooKeeperServer(QuorumConfigBuilder builder) {
        this(builder, 0);
    }

    public TestingZooKeeperServer(QuorumConfigBuilder builder, int index) {
        all = builder.getInstanceSpecs();
        spec = builder.getInstanceSpec(index);
        Map<String, String> config = new LinkedHashMap<>();
        config.put("tickTime", String.valueOf(spec.getTickTime() > 0 ? spec.getTickTime() : 2000));
        config.put("maxClientCnxns", String.valueOf(Math.max(0, spec.getMaxClientCnxns())));
        config.put("initLimit", "10");
        config.put("syncLimit", "5");
        config.put("reconfigEnabled", "true");
        spec.getCustomProperties().forEach((k, v) -> config.put(k, String.valueOf(v)));
        if (all.size() > 1) {
            for (InstanceSpec s : all) {
                config.put("server." + s.getServerId(), "127.0.0.1:" + s.getQuorumPort() + ":" + s.getElectionPort()
                        + ":participant;127.0.0.1:" + s.getPort());
            }
            server = ServerProcess.member(spec.getServerId(), spec.getPort(), spec.getDataDirectory(), config);
        } else {
            server = new ServerProcess(spec.getPort(), spec.getDataDirectory(), config);
        }
    }

    ZooKeeperMainFace getMain() {
        return null; // there is none in this JVM
    }

    public Collection<InstanceSpec> getInstanceSpecs() {
        return all;
    }

    public InstanceSpec getInstanceSpec() {
        return spec;
    }

    public int getLocalPort() {
        return spec.getPort();
    }

    public void start() throws Exception {
        server.start();
    }

    public void kill() {
        server.kill();
    }

    public void restart() throws Exception {
        if (closed) {
            throw new IllegalStateException("Cannot restart a closed instance");
        }
        server.kill();
        server.start();
    }

    public void stop() throws IOException {
        server.stop();
    }

    @Override
    public void close() throws IOException {
        server.stop();
        closed = true;
        if (spec.deleteDataDirectoryOnClose()) {
            DirectoryUtils.deleteRecursively(spec.getDataDirectory());
        }
    }
}
