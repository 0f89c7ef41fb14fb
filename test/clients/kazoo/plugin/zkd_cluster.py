"""pytest plugin: lets kazoo's own tests start the server that the driver tests.

kazoo.testing starts ZooKeeper through a class ZookeeperCluster of kazoo.testing.common. This plugin puts a module
of that name in its place before kazoo.testing is loaded: a cluster of servers, each started by the script in
ZK_LAUNCHER. kazoo's module would also make certificates for its TLS tests, and needs two libraries more for that.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import types

LAUNCHER = os.environ["ZK_LAUNCHER"]


def _free_ports():
    """Three ports; all are held until all are chosen, so that they differ."""
    with socket.socket() as a, socket.socket() as b, socket.socket() as c:
        for s in (a, b, c):
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in (a, b, c)]


class Server:
    """One server with the methods that kazoo's tests call on kazoo's own."""

    def __init__(self, number, lines, properties):
        self.host = "127.0.0.1"
        self.number = number
        self.client_port, *self.peer_ports = _free_ports()
        self.peers = []  # all servers of an ensemble, this one included
        self.working_path = tempfile.mkdtemp(prefix="zkd-kazoo-")
        self._lines = list(lines)
        self._properties = list(properties)
        self.process = None

    @property
    def address(self):
        return "%s:%d" % (self.host, self.client_port)

    @property
    def running(self):
        return self.process is not None

    def run(self):
        """Starts it. A server alone serves when this returns; one of several may have to wait for others."""
        if self.running:
            return
        self._spawn()
        if not self.peers:
            self.wait()

    def _spawn(self):
        data = os.path.join(self.working_path, "data")
        os.makedirs(data, exist_ok=True)
        with open(os.path.join(data, "myid"), "w") as f:
            f.write("%d\n" % self.number)
        config = os.path.join(self.working_path, "zoo.cfg")
        with open(config, "w") as f:
            lines = [
                "tickTime=2000",
                "dataDir=" + data,
                "clientPort=%d" % self.client_port,
                "clientPortAddress=" + self.host,
                "maxClientCnxns=0",
                "admin.enableServer=false",
            ] + self._lines
            if self.peers:
                lines += ["initLimit=4", "syncLimit=2"]
                lines += ["server.%d=localhost:%d:%d:participant" % (s.number, *s.peer_ports) for s in self.peers]
            f.write("\n".join(lines) + "\n")
        log = open(os.path.join(self.working_path, "server.log"), "ab")
        with log:
            self.process = subprocess.Popen([LAUNCHER, config] + self._properties, stdout=log, stderr=log)

    def wait(self):
        """Returns once it serves."""
        end = time.monotonic() + 30
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError("the server ended: " + "".join(self.get_logs()))
            try:
                with socket.create_connection((self.host, self.client_port), 2) as s:
                    s.sendall(b"srvr")
                    answer = b""
                    while chunk := s.recv(4096):
                        answer += chunk
                    if b"Mode: " in answer:
                        return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError("the server does not answer: " + "".join(self.get_logs()))

    def stop(self):
        if not self.running:
            return
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def reset(self):
        self.stop()
        shutil.rmtree(os.path.join(self.working_path, "data"), True)

    def destroy(self):
        self.stop()
        shutil.rmtree(self.working_path, True)

    def get_logs(self, num_lines=100):
        try:
            with open(os.path.join(self.working_path, "server.log"), errors="replace") as f:
                return f.readlines()[-num_lines:]
        except FileNotFoundError:
            return []


class ZookeeperCluster:
    def __init__(self, size=1, configuration_entries=(), java_system_properties=(), **_):
        # kazoo's own class says this to every server.
        properties = ["-Dreadonlymode.enabled=true"] + list(java_system_properties)
        self._servers = [Server(i + 1, configuration_entries, properties) for i in range(size)]
        for s in self._servers:
            s.peers = self._servers if size > 1 else []

    def __getitem__(self, i):
        return self._servers[i]

    def __iter__(self):
        return iter(self._servers)

    def start(self):
        for s in self:
            s.run()
        for s in self:
            s.wait()

    def stop(self):
        for s in self:
            s.stop()

    def terminate(self):
        for s in self:
            s.destroy()

    def reset(self):
        for s in self:
            s.reset()

    def get_logs(self):
        return [line for s in self for line in s.get_logs()]


def _install():
    common = types.ModuleType("kazoo.testing.common")
    common.ZookeeperCluster = ZookeeperCluster
    sys.modules["kazoo.testing.common"] = common


_install()
