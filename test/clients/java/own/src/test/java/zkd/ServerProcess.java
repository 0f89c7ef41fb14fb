package zkd;

import java.io.File;
import java.io.IOException;
import java.net.ServerSocket;
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
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/** A server under test in a process of its own, started by the script that -Dzk.launcher names. */
public final class ServerProcess {
    /** With -Dzk.servers=3 a server is an ensemble, and clients talk to its first member. */
    private static final int SERVERS = Integer.getInteger("zk.servers", 1);

    /**
     * Starts all processes. The launcher has a server end with the thread that started it, not with that thread's
     * process (prctl(2), PR_SET_PDEATHSIG), and some tests start one in a thread of their own that ends at once.
     */
    private static final ExecutorService STARTER = Executors.newSingleThreadExecutor(r -> {
        Thread t = new Thread(r, "server starter");
        t.setDaemon(true);
        return t;
    });

    private static final Set<Process> running = ConcurrentHashMap.newKeySet();

    static {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> running.forEach(Process::destroyForcibly)));
    }

    private final int port;
    private final File data;
    private final Map<String, String> config;
    private final int id; // in the ensemble that the configuration lists; 0 where it lists none
    private final int[][] ports; // client port and peer ports of each member
    private final List<Process> processes = new ArrayList<>();

    public ServerProcess(int port, File data, Map<String, String> config) {
        this(0, SERVERS, port, data, config);
    }

    private ServerProcess(int id, int servers, int port, File data, Map<String, String> config) {
        this.id = id;
        this.port = port;
        this.data = data;
        this.config = config;
        ports = new int[servers][];
    }

    /** A member of an ensemble whose servers are started one by one. The configuration has the lines of all. */
    public static ServerProcess member(int id, int port, File data, Map<String, String> config) {
        return new ServerProcess(id, 1, port, data, config);
    }

    /** Starts it and returns once it serves. For a member that would be to wait for others: it is only started. */
    public synchronized void start() throws IOException {
        if (!processes.isEmpty()) {
            return;
        }
        if (ports[0] == null) {
            choosePorts();
        }
        for (int i = 0; i < ports.length; i++) {
            launch(lines(i));
        }
        for (int i = 0; i < ports.length && id == 0; i++) {
            awaitServing(i);
        }
    }

    /** Ports are held until all are chosen, so that they differ. */
    private void choosePorts() throws IOException {
        List<ServerSocket> held = new ArrayList<>();
        for (int i = 0; i < ports.length; i++) {
            ports[i] = new int[3];
            for (int k = 0; k < 3; k++) {
                held.add(new ServerSocket(0));
                ports[i][k] = held.get(held.size() - 1).getLocalPort();
            }
        }
        ports[0][0] = port;
        for (ServerSocket s : held) {
            s.close();
        }
    }

    /** The lines of a member's zoo.cfg, whose folders are made. */
    private List<String> lines(int i) throws IOException {
        Path dir = ports.length == 1 ? data.toPath() : data.toPath().resolve("member-" + (i + 1));
        Files.createDirectories(dir);
        List<String> lines = new ArrayList<>();
        lines.add("dataDir=" + dir);
        lines.add("clientPort=" + ports[i][0]);
        lines.add("admin.enableServer=false");
        lines.add("4lw.commands.whitelist=*");
        config.forEach((k, v) -> lines.add(k + "=" + v));
        if (id > 0) {
            Files.writeString(dir.resolve("myid"), id + "\n");
        }
        if (ports.length > 1) {
            Files.writeString(dir.resolve("myid"), (i + 1) + "\n");
            lines.add("initLimit=20");
            lines.add("syncLimit=10");
            for (int k = 0; k < ports.length; k++) {
                lines.add("server." + (k + 1) + "=127.0.0.1:" + ports[k][1] + ":" + ports[k][2]);
            }
        }
        return lines;
    }

    private void launch(List<String> lines) throws IOException {
        Path file = Files.createTempFile("zoo", ".cfg");
        file.toFile().deleteOnExit();
        Files.write(file, lines);
        List<String> command = new ArrayList<>(List.of(System.getProperty("zk.launcher"), file.toString()));
        // Tests set what a server inside their own JVM would read.
        Properties all = System.getProperties();
        for (String key : all.stringPropertyNames()) {
            boolean servers = key.startsWith("zookeeper.") || key.startsWith("znode.") || key.startsWith("jute.")
                    || key.equals("readonlymode.enabled");
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
        Process process = fork(b);
        running.add(process);
        processes.add(process);
    }

    private static Process fork(ProcessBuilder b) throws IOException {
        try {
            return STARTER.submit(b::start).get();
        } catch (ExecutionException e) {
            throw new IOException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
    }

    /** Ends it in order; its data stays. */
    public synchronized void stop() {
        processes.forEach(Process::destroy);
        for (Process p : processes) {
            try {
                if (!p.waitFor(10, TimeUnit.SECONDS)) {
                    p.destroyForcibly().waitFor();
                }
            } catch (InterruptedException e) {
                p.destroyForcibly();
                Thread.currentThread().interrupt();
            }
            running.remove(p);
        }
        processes.clear();
    }

    /** Ends it at once, as kill -9 does. */
    public synchronized void kill() {
        processes.forEach(Process::destroyForcibly);
        stop();
    }

    private void awaitServing(int i) throws IOException {
        long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
        while (!serves(ports[i][0])) {
            if (!processes.get(i).isAlive() || System.nanoTime() > end) {
                processes.forEach(Process::destroyForcibly);
                stop();
                throw new IOException("the server on port " + ports[i][0] + " does not start");
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
