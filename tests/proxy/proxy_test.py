#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""proxy_test.py: the example proxy: what goes in comes out, whatever clients and servers do."""
import json
import os
import pathlib
import random
import resource
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import unittest

PROXY = pathlib.Path(os.environ["PROXY"])
COMPARE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "proxy" / "compare.py"
TIMEOUT = 60


def data_of(size, seed=1):
    return random.Random(seed).randbytes(size)


def receive_all(client):
    parts = []
    while part := client.recv(1 << 20):
        parts.append(part)
    return b"".join(parts)


def reset(client):
    """Closes it with RST in place of FIN."""
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()


class Server:
    """A proxy that is ended with the test, which then looks at its report."""

    def __init__(self, test, *arguments, files=None, program=PROXY):
        limit = (lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))) \
            if files else None
        self.process = subprocess.Popen([program, "--listen", "0", *map(str, arguments)],
                                        stdout=subprocess.PIPE, text=True, preexec_fn=limit)
        test.addCleanup(self.kill)
        self.port = int(self.process.stdout.readline().split()[-1])

    def connect(self):
        client = socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT)
        client.settimeout(TIMEOUT)
        return client

    def resident(self):
        return int(pathlib.Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * 4096

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        text = self.process.communicate(timeout=TIMEOUT)[0]
        return json.loads(text), self.process.returncode

    def kill(self):
        self.process.kill()
        self.process.communicate()


class Upstream:
    """A server of the test's own behind a proxy; what it does with its client is given."""

    def __init__(self, test, serve):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, args=(serve,))
        self.thread.start()
        test.addCleanup(self.listener.close)

    def run(self, serve):
        client = self.listener.accept()[0]
        client.settimeout(TIMEOUT)
        serve(client)

    def join(self):
        self.thread.join(TIMEOUT)


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def echo(self, server, data):
        """What comes back of the data, sent by one thread and read by another."""
        with server.connect() as client:
            sender = threading.Thread(
                target=lambda: (client.sendall(data), client.shutdown(socket.SHUT_WR)))
            sender.start()
            answer = receive_all(client)
            sender.join()
        return answer

    def end(self, server, errors=0):
        """Nothing was lost and nothing copied."""
        report, status = server.end()
        self.assertEqual((status, report["errors"], report["copied"], report["open"]),
                         (0, errors, 0, 0), report)
        return report

    def test_what_is_sent_comes_back_and_is_not_copied(self):
        server = Server(self)
        sizes = [0, 1, 100, 65471, 65472, 65473, 1000000, 20000000]
        for size in sizes:
            data = data_of(size, size)
            self.assertTrue(self.echo(server, data) == data, size)
        report = self.end(server)
        self.assertEqual((report["received"], report["sent"]), (sum(sizes), sum(sizes)))

    def test_a_proxy_passes_both_directions_on(self):
        echo = Server(self)
        server = Server(self, "--connect", echo.port)
        data = data_of(5000000)
        self.assertTrue(self.echo(server, data) == data)
        self.assertEqual(self.end(server)["received"], 2 * len(data))
        self.end(echo)

    def test_half_a_connection_lives_on_when_the_client_has_closed_its_half(self):
        def serve(upstream):
            self.assertEqual(receive_all(upstream), b"question")
            upstream.sendall(b"answer " * 100000)
            upstream.close()

        behind = Upstream(self, serve)
        server = Server(self, "--connect", behind.port)
        with server.connect() as client:
            client.sendall(b"question")
            client.shutdown(socket.SHUT_WR)
            self.assertEqual(receive_all(client), b"answer " * 100000)
        behind.join()
        self.end(server)

    def test_half_a_connection_lives_on_when_the_server_has_closed_its_half(self):
        received = []

        def serve(upstream):
            upstream.sendall(b"goodbye")
            upstream.shutdown(socket.SHUT_WR)
            received.append(receive_all(upstream))
            upstream.close()

        behind = Upstream(self, serve)
        server = Server(self, "--connect", behind.port)
        with server.connect() as client:
            self.assertEqual(receive_all(client), b"goodbye")
            client.sendall(b"late " * 100000)
        behind.join()
        self.assertEqual(received, [b"late " * 100000])
        self.end(server)

    def test_a_client_that_does_not_read_holds_up_itself_alone(self):
        server = Server(self)
        before = server.resident()
        with server.connect() as client:
            client.setblocking(False)
            sent, data = 0, data_of(1 << 20)
            while select.select([], [client], [], 0.5)[1]:
                sent += client.send(data[sent % len(data):])
            self.assertEqual(self.echo(server, b"another"), b"another")
            self.assertLess(server.resident() - before, 16 << 20)
            client.setblocking(True)
            client.shutdown(socket.SHUT_WR)
            answer = receive_all(client)
        self.assertEqual(len(answer), sent)
        self.assertTrue(answer == (data * (sent // len(data) + 1))[:sent])
        self.end(server)

    def test_a_client_that_resets_ends_its_connection_alone(self):
        echo = Server(self)
        server = Server(self, "--connect", echo.port)
        with server.connect() as steady:
            for size in (0, 10, 3000000):
                client = server.connect()
                client.setblocking(False)
                if size:
                    client.send(data_of(size))
                reset(client)
            steady.sendall(b"still there")
            self.assertEqual(steady.recv(100), b"still there")
        data = data_of(100000)
        self.assertTrue(self.echo(server, data) == data)
        report, status = server.end()
        self.assertEqual((status, report["open"], report["copied"]), (0, 0, 0), report)

    def test_a_server_that_cannot_be_reached_closes_the_client(self):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.close()
        server = Server(self, "--connect", port)
        for _ in range(3):
            with server.connect() as client:
                try:
                    client.sendall(b"hello")
                    self.assertEqual(receive_all(client), b"")
                except ConnectionError:
                    pass
        self.end(server, errors=3)

    def test_more_clients_than_descriptors_wait_for_their_turn(self):
        server = Server(self, files=16)
        clients = [server.connect() for _ in range(40)]
        for number, client in enumerate(clients):
            client.sendall(b"%d" % number)
            client.shutdown(socket.SHUT_WR)
        for number, client in enumerate(clients):
            self.assertEqual(receive_all(client), b"%d" % number)
            client.close()
        self.assertEqual(self.end(server)["connections"], 40)

    def test_a_wrong_command_line_is_told_how_it_is_right(self):
        for arguments in ([], ["--listen"], ["--listen", "x"], ["--listen", "65536"],
                          ["--listen", "-1"], ["--listen", ""], ["--connect", "5"],
                          ["--listen", "0", "--connect", "0"], ["--listen", "0", "more"],
                          ["--other"]):
            done = subprocess.run([PROXY, *arguments], capture_output=True, text=True,
                                  check=False, timeout=TIMEOUT)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn("usage: proxy", done.stderr)

    def test_the_comparison_prints_both_sides(self):
        done = subprocess.run([sys.executable, COMPARE, "--bin", PROXY.parent, "--rounds", "2",
                               "--seconds", "0.05", "--json"], capture_output=True, text=True,
                              check=False, timeout=TIMEOUT)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        ours = [row for row in rows if row["buffers"] == "tide_chain"]
        self.assertEqual([(row["mode"], row["copied"]) for row in ours],
                         [("echo", 0), ("proxy", 0)])
        for row in rows:
            self.assertGreater(row["received"], 0)


if __name__ == "__main__":
    unittest.main()
