package zkd;

import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.List;

/** Stands between a client and the server under test, takes the network away from it, or is a slow one. */
public final class Proxy implements Closeable {
    private final ServerSocket listener;
    private final List<Socket> open = new ArrayList<>();
    private final int rate;
    private boolean refusing;
    private volatile String[] server = Server.ADDRESS.split(":");

    public Proxy() throws IOException {
        this(0);
    }

    /** Brings no more than so many bytes a second of what the server sends, and keeps little on the way; 0 is any number. */
    public Proxy(int rate) throws IOException {
        this.rate = rate;
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
                    server = connect(new InetSocketAddress(address[0], Integer.parseInt(address[1])));
                } catch (IOException e) {
                    shut(client);
                    continue;
                }
                client.setTcpNoDelay(true);
                server.setTcpNoDelay(true);
                if (admit(server)) {
                    start(() -> copy(client, server, 0));
                    start(() -> copy(server, client, rate));
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

    private Socket connect(InetSocketAddress server) throws IOException {
        Socket s = new Socket();
        if (rate > 0) {
            s.setReceiveBufferSize(16 << 10);
        }
        s.connect(server);
        return s;
    }

    private static void copy(Socket from, Socket to, int rate) {
        try {
            InputStream in = from.getInputStream();
            OutputStream out = to.getOutputStream();
            if (rate == 0) {
                in.transferTo(out);
            }
            byte[] some = new byte[Math.max(rate / 50, 1)];
            for (int n; (n = in.read(some)) > 0; Thread.sleep(n * 1000L / rate)) {
                out.write(some, 0, n);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
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
