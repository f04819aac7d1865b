# SPDX-License-Identifier: MIT
"""service.py: starts the JSON service and talks to it, for the demo and its tests."""
import itertools
import json
import os
import pathlib
import select
import signal
import socket
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
HOST = "127.0.0.1"
START_SECONDS, ANSWER_SECONDS = 60, 30
CLOSE = b"Connection: close\r\n"


class Failed(Exception):
    """What is reported in one sentence, with exit status 3."""


def queries():
    """The query mix: (method, path, body) of each line of queries.txt."""
    lines = (HERE / "queries.txt").read_text("utf-8").splitlines()
    return [(line.split(" ", 2) + [""])[:3] for line in lines]


def request(method, path, body=b"", headers=CLOSE):
    """The bytes of a request. Everything may be as malformed as the caller likes."""
    method, path, body = (part if isinstance(part, bytes) else part.encode()
                          for part in (method, path, body))
    if body:
        headers += b"Content-Length: %d\r\n" % len(body)
    return b"%s %s HTTP/1.1\r\nHost: %s\r\n%s\r\n%s" % (method, path, HOST.encode(), headers, body)


def status_of(reply):
    """The HTTP status of a reply; 0 when the connection was closed without one."""
    return int(reply[9:12]) if reply.startswith(b"HTTP/1.1 ") else 0


def body_of(reply):
    return reply.partition(b"\r\n\r\n")[2]


def without_date(reply):
    head, end, body = reply.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Date:")]
    return b"\r\n".join(lines) + end + body


class Service:
    """A running service. On leaving the context it is told to end, and has to do so cleanly."""

    def __init__(self, binary, memory, threads=2, preload="", cpus=None):
        self.memory = memory
        environment = {**os.environ, **({"LD_PRELOAD": preload} if preload else {})}
        self.process = subprocess.Popen(
            [binary, f"--memory={memory}", f"--threads={threads}"], env=environment,
            stdout=subprocess.PIPE, text=True)
        if cpus:
            os.sched_setaffinity(self.process.pid, cpus)
        self.port = self._read_port()

    def _read_port(self):
        ready, _, _ = select.select([self.process.stdout], [], [], START_SECONDS)
        line = self.process.stdout.readline() if ready else ""
        if not line.startswith("listening on "):
            self.process.kill()
            self.process.wait()
            raise Failed(f"the service ({self.memory}) did not start")
        return int(line.rsplit(":", 1)[1])

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        self.process.send_signal(signal.SIGTERM)
        try:
            summary, _ = self.process.communicate(timeout=ANSWER_SECONDS)
        except subprocess.TimeoutExpired as late:
            self.process.kill()
            self.process.wait()
            raise Failed(f"the service ({self.memory}) did not end when told to") from late
        if self.process.returncode:
            raise Failed(f"the service ({self.memory}) ended with {self.process.returncode}")
        self.summary = summary

    def connect(self):
        connection = socket.create_connection((HOST, self.port), ANSWER_SECONDS)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def send(self, data, half_close=False):
        """All that comes back until the service closes the connection."""
        with self.connect() as connection:
            try:
                connection.sendall(data)
                if half_close:
                    connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed while we were sending: what it had to say is still to be read
            return read_all(connection)

    def send_passes(self, passes):
        """The query mix, `passes` times, over one connection that is kept open."""
        data = [request(*query, headers=b"") for query in queries()]
        with self.connect() as connection, connection.makefile("rb") as stream:
            for one in itertools.chain.from_iterable([data] * passes):
                connection.sendall(one)
                if read_reply(stream) != 200:
                    raise Failed(f"{self.memory}: the query mix got an answer that is not 200")

    def get(self, path):
        return self.send(request("GET", path))

    def stats(self):
        return json.loads(body_of(self.get("/stats")))

    def cpu_seconds(self):
        """User and system time that the process has used."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text("utf-8")
        user, system = fields.rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def read_all(connection):
    data = b""
    try:
        while chunk := connection.recv(1 << 16):
            data += chunk
    except ConnectionResetError:
        pass  # the service closed with bytes of ours unread; what it sent counts
    return data


def read_reply(stream):
    """Reads one reply of a connection that is kept open; returns its status."""
    head = b"".join(iter(lambda: stream.readline() or b"\r\n", b"\r\n"))
    stream.read(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0] or 0))
    return status_of(head)


def hit_rate(before, after):
    """The share of gets that found an object, over all pools, between two readings of /stats;
    None without pools."""
    hits, gets = (sum(pool[key] for pool in after["pools"]) -
                  sum(pool[key] for pool in before["pools"]) for key in ("hits", "gets"))
    return hits / gets if gets else None
