package zkd;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Stands between a client and the server under test, and takes the network away from it. */
public final class Proxy implements Closeable {
    private final ServerSocket listener;
    private final List<Socket> open = new ArrayList<>();
    private boolean refusing;
    private volatile String[] server = Server.ADDRESS.split(":");

    public Proxy() throws IOException {
        listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        start(this::accept);
    }

    /** host:port for clients. */
    public String address() {
        return "127.0.0.1:" + listener.getLocalPort();
    }

    /** Closes the connections there are; clients can connect again at once. */
    public synchronized void drop() {
        open.forEach(Proxy::shut);
        open.clear();
    }

    /** Closes the connections there are and every new one, until {@link #open}. */
    public synchronized void cut() {
        refusing = true;
        drop();
    }

    public synchronized void open() {
        refusing = false;
    }

    /** Closes the connections there are, and leads new ones to another server. */
    public void leadTo(String address) {
        server = address.split(":");
        drop();
    }

    @Override
    public void close() throws IOException {
        cut();
        listener.close();
    }

    private void accept() {
        while (!listener.isClosed()) {
            try {
                Socket client = listener.accept();
                if (!admit(client)) {
                    continue;
                }
                Socket server;
                try {
                    String[] address = this.server;
                    server = new Socket(address[0], Integer.parseInt(address[1]));
                } catch (IOException e) {
                    shut(client);
                    continue;
                }
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                if (admit(server)) {
                    start(() -> copy(client, server));
                    start(() -> copy(server, client));
                } else {
                    shut(client);
                }
            } catch (IOException e) {
                // The listener is closed, or a client went away again.
            }
        }
    }

    private synchronized boolean admit(Socket s) {
        if (refusing) {
            shut(s);
            return false;
        }
        open.add(s);
        return true;
    }

    private static void copy(Socket from, Socket to) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            in.transferTo(out);
        } catch (IOException e) {
            // Either end is gone, so both go.
        }
        shut(from);
        shut(to);
    }

    private static void start(Runnable r) {
        Thread t = new Thread(r, "proxy");
        t.setDaemon(true);
        t.start();
    }

    private static void shut(Socket s) {
        try {
            s.close();
        } catch (IOException e) {
            // It is of no use any more.
        }
    }
}
