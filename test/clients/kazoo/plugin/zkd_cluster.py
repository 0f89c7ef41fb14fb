"""pytest plugin: lets kazoo's own tests start the server that the driver tests.

kazoo.testing starts ZooKeeper through a class ZookeeperCluster of kazoo.testing.common. This plugin puts a module
of that name in its place before kazoo.testing is loaded: a cluster of one server, started by the script in
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


def _free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One server with the methods that kazoo's tests call on kazoo's own."""

    def __init__(self, lines, properties):
        self.host = "127.0.0.1"
        self.client_port = _free_port()
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
        if self.running:
            return
        data = os.path.join(self.working_path, "data")
        os.makedirs(data, exist_ok=True)
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
            f.write("\n".join(lines) + "\n")
        log = open(os.path.join(self.working_path, "server.log"), "ab")
        with log:
            self.process = subprocess.Popen([LAUNCHER, config] + self._properties, stdout=log, stderr=log)
        self._await()

    def _await(self):
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
        self._servers = [Server(configuration_entries, java_system_properties) for _ in range(size)]

    def __getitem__(self, i):
        return self._servers[i]

    def __iter__(self):
        return iter(self._servers)

    def start(self):
        for s in self:
            s.run()

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
