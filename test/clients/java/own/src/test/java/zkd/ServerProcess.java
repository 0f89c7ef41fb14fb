package zkd;

import java.io.File;
import java.io.IOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/** A server under test in a process of its own, started by the script that -Dzk.launcher names. */
public final class ServerProcess {
    private static final Set<Process> running = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> running.forEach(Process::destroyForcibly)));
    }

    private final int port;
    private final File data;
    private final Map<String, String> config;
    private Process process;

    public ServerProcess(int port, File data, Map<String, String> config) {
        this.port = port;
        this.data = data;
        this.config = config;
    }

    /** Starts it and returns once it serves. */
    public synchronized void start() throws IOException {
        if (process != null) {
            return;
        }
        List<String> lines = new ArrayList<>();
        lines.add("dataDir=" + data);
        lines.add("clientPort=" + port);
        lines.add("admin.enableServer=false");
        lines.add("4lw.commands.whitelist=*");
        config.forEach((k, v) -> lines.add(k + "=" + v));
        Files.createDirectories(data.toPath());
        Path file = Files.createTempFile("zoo", ".cfg");
        file.toFile().deleteOnExit();
        Files.write(file, lines);

        List<String> command = new ArrayList<>(List.of(System.getProperty("zk.launcher"), file.toString()));
        // Tests set what a server inside their own JVM would read.
        Properties all = System.getProperties();
        for (String key : all.stringPropertyNames()) {
            boolean servers = key.startsWith("zookeeper.") || key.startsWith("znode.") || key.startsWith("jute.");
            // Nor would a provider's class be on a ZooKeeper's class path.
            if (servers && !key.startsWith("zookeeper.authProvider.")) {
                command.add("-D" + key + "=" + all.getProperty(key));
            }
        }
        ProcessBuilder b = new ProcessBuilder(command).redirectErrorStream(true);
        String log = System.getProperty("zk.log", "");
        b.redirectOutput(log.isEmpty()
                ? ProcessBuilder.Redirect.DISCARD
                : ProcessBuilder.Redirect.appendTo(new File(log)));
        process = b.start();
        running.add(process);
        awaitServing();
    }

    /** Ends it in order; its data stays. */
    public synchronized void stop() {
        if (process == null) {
            return;
        }
        process.destroy();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
        running.remove(process);
        process = null;
    }

    private void awaitServing() throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!serves(port)) {
            if (!process.isAlive() || System.nanoTime() > end) {
                process.destroyForcibly();
                running.remove(process);
                process = null;
                throw new IOException("the server on port " + port + " does not start");
            }
            try {
                Thread.sleep(10);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException(e);
            }
        }
    }

    /** Whether there is a server that answers. */
    public static boolean serves(int port) {
        try (Socket s = new Socket("127.0.0.1", port)) {
            s.setSoTimeout(1000);
            s.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
            return new String(s.getInputStream().readAllBytes(), StandardCharsets.UTF_8).contains("Mode: ");
        } catch (IOException e) {
            return false;
        }
    }
}
