#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""service_test.py: the JSON service as its clients meet it, friendly or not."""
import concurrent.futures
import json
import os
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "json_service"
sys.path.insert(0, str(EXAMPLE))
# pylint: disable=wrong-import-position
from bad_input import BAD_INPUT
from service import Service, body_of, queries, read_all, request, status_of, without_date

BINARY = os.environ["JSON_SERVICE"]
DATA = pathlib.Path("/usr/share/iso-codes/json")
VARIANTS = ["heap", "pool", "tide"]
CLIENTS, REQUESTS = 12, 60
HIT_RATE, HIT_PASSES = 0.999, 200


def start(memory):
    return Service(BINARY, memory)


def run(*arguments):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, check=False,
                          timeout=60)


def data_set(name):
    return json.loads((DATA / f"iso_{name}.json").read_text("utf-8"))[name]


def answer(service, path, method="GET", body=b""):
    return json.loads(body_of(service.send(request(method, path, body))))


def abort(connection):
    """Closes with a reset, as a client that crashed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class Test(unittest.TestCase):
    def each(self):
        """The variants in turn; each has to survive what is done to it, and end cleanly."""
        for memory in VARIANTS:
            with self.subTest(memory), start(memory) as service:
                yield service
                self.assertEqual(200, status_of(service.get("/languages/eng")), "survived")

    def test_all_variants_send_the_same_bytes(self):
        with start("heap") as heap, start("pool") as pool, start("tide") as tide:
            for query in queries():
                replies = [without_date(one.send(request(*query))) for one in (heap, pool, tide)]
                self.assertEqual(replies, 3 * replies[:1], query)
                self.assertEqual(200, status_of(replies[0]), query)
            for name, (_, data) in BAD_INPUT.items():
                replies = [without_date(one.send(data)) for one in (heap, pool, tide)]
                self.assertEqual(replies, 3 * replies[:1], name)

    def test_lists_agree_with_the_data(self):
        codes = [entry["code"] for entry in data_set("3166-2") if entry["code"][:3] == "GB-"]
        names = [entry["name"] for entry in data_set("639-3")
                 if entry["name"].lower().startswith("zap")]
        for service in self.each():
            found = answer(service, "/countries/GB/subdivisions")
            self.assertEqual(sorted(codes), [item["code"] for item in found["items"]])
            self.assertEqual((len(codes), "United Kingdom"), (found["total"], found["query"]))
            found = answer(service, "/languages?prefix=zAP&limit=500")
            self.assertEqual(sorted(names), sorted(item["name"] for item in found["items"]))
            self.assertEqual(len(data_set("3166-1")), len(answer(service, "/countries")["items"]))

    def test_entries_agree_with_the_data(self):
        entries = {entry["alpha_3"]: entry for entry in data_set("639-3")}
        for service in self.each():
            for code in ("aaa", "eng", "zzj"):
                self.assertEqual(entries[code], answer(service, f"/languages/{code}"))

    def test_a_limit_shortens_the_list_and_not_the_total(self):
        for service in self.each():
            few, many = (answer(service, f"/search?q=north&limit={n}") for n in (3, 500))
            self.assertEqual(3, len(few["items"]))
            self.assertEqual(few["items"], many["items"][:3])
            self.assertEqual(few["total"], len(many["items"]))

    def test_a_lookup_keeps_order_and_marks_what_is_unknown(self):
        for service in self.each():
            found = answer(service, "/lookup", "POST", b'["EUR", "nothing", "CH", "CH-ZH", "eng"]')
            kinds = [item and item["kind"] for item in found["items"]]
            self.assertEqual(["currency", None, "country", "subdivision", "language"], kinds)
            self.assertEqual(4, found["total"])

    def test_an_answer_leaves_nothing_to_the_next_one(self):
        asked = [("GET", "/search?q=north", b""), ("POST", "/lookup", b'["eng"]'),
                 ("GET", "/countries", b""), ("GET", "/search?q=zzzz", b"")]
        for service in self.each():
            first = [answer(service, path, method, body) for method, path, body in asked]
            again = [answer(service, path, method, body) for method, path, body in asked[::-1]]
            self.assertEqual(first, again[::-1])
            self.assertIsNone(first[1]["query"])
            self.assertEqual([], first[3]["items"])

    def test_bad_input_gets_its_status(self):
        for service in self.each():
            for name, (status, data) in BAD_INPUT.items():
                self.assertEqual(status, status_of(service.send(data)), name)

    def test_a_wrong_method_is_told_the_right_one(self):
        for service in self.each():
            self.assertIn(b"\r\nAllow: POST\r\n", service.get("/lookup"))

    def test_head_is_get_without_the_body(self):
        for service in self.each():
            head, whole = (service.send(request(method, "/countries")) for method in
                           ("HEAD", "GET"))
            self.assertEqual(without_date(whole[:-len(body_of(whole))]), without_date(head))

    def test_a_half_closed_connection_is_answered(self):
        asked = {"good": (200, request("GET", "/countries")),
                 "with a body": (200, request("POST", "/lookup", b'["eng"]')), **BAD_INPUT}
        for service in self.each():
            for name, (status, data) in asked.items():
                self.assertEqual(status, status_of(service.send(data, half_close=True)), name)

    def test_half_a_request_and_then_nothing_gets_400(self):
        whole = request("POST", "/lookup", b'["eng", "deu"]')
        for service in self.each():
            for size in range(1, len(whole)):
                reply = service.send(whole[:size], half_close=True)
                self.assertEqual((400, 1), (status_of(reply), reply.count(b"HTTP/1.1 ")), size)

    def test_what_is_no_request_at_all_gets_one_4xx(self):
        for service in self.each():
            for junk in (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"\0" * 5000 + b"\r\n\r\n",
                         b"\xff" * 200000, b"\r\n" * 5000):
                reply = service.send(junk, half_close=True)
                self.assertIn(status_of(reply), (400, 414))
                self.assertEqual(1, reply.count(b"HTTP/1.1 "))

    def test_a_request_in_single_bytes_is_answered(self):
        for service in self.each():
            with service.connect() as connection:
                for byte in request("POST", "/lookup", b'["eng", "deu"]'):
                    connection.sendall(bytes([byte]))
                self.assertEqual(200, status_of(read_all(connection)))

    def test_slow_clients_keep_nobody_waiting(self):
        data = request("POST", "/lookup", b'["eng"]')
        for service in self.each():
            slow = [service.connect() for _ in range(CLIENTS)]
            for i, connection in enumerate(slow):
                connection.sendall(data[:i * len(data) // CLIENTS])
            self.assertEqual(200, status_of(service.get("/countries")))
            for i, connection in enumerate(slow):
                connection.sendall(data[i * len(data) // CLIENTS:])
                self.assertEqual(200, status_of(read_all(connection)))
                connection.close()

    def test_pipelined_requests_are_answered_in_order(self):
        codes = ["eng", "deu", "fra", "zul"] * 5
        data = [request("GET", f"/languages/{code}", headers=b"") for code in codes[:-1]]
        for service in self.each():
            replies = service.send(b"".join(data) + request("GET", f"/languages/{codes[-1]}"))
            found = [part[:3].decode() for part in replies.split(b'"alpha_3":"')[1:]]
            self.assertEqual(codes, found)

    def test_a_body_that_is_too_long_leaves_the_connection_usable(self):
        for service in self.each():
            replies = service.send(request("POST", "/lookup", b"x" * 300000, headers=b"") +
                                   request("GET", "/languages/eng"))
            self.assertEqual(413, status_of(replies))
            self.assertIn(b"HTTP/1.1 200 OK", replies)

    def test_clients_that_vanish_take_nothing_with_them(self):
        for service in self.each():
            for data in (request("GET", "/countries", headers=b"") * 200,
                         request("POST", "/lookup", b'["eng"]')[:-3]) * 10:
                connection = service.connect()
                connection.sendall(data)
                abort(connection)

    def test_concurrent_clients_get_what_a_single_one_gets(self):
        mix = [request(*query) for query in queries()]
        for service in self.each():
            expected = [without_date(service.send(data)) for data in mix]

            def client(first, one=service, replies=expected):
                wrong = 0
                for i in range(first, first + REQUESTS):
                    reply = one.send(mix[i % len(mix)])
                    wrong += without_date(reply) != replies[i % len(mix)]
                return wrong

            with concurrent.futures.ThreadPoolExecutor(CLIENTS) as clients:
                self.assertEqual([0] * CLIENTS, list(clients.map(client, range(CLIENTS))))

    def test_pools_serve_nearly_every_request(self):
        """A fast path that never hits must not go unnoticed."""
        cpus = sorted(os.sched_getaffinity(0))[:2]
        with Service(BINARY, "pool", cpus=cpus) as service:
            service.send_passes(4)
            before = service.stats()
            service.send_passes(HIT_PASSES)
            after = service.stats()
        self.assertEqual(3, len(after["pools"]))
        for first, last in zip(before["pools"], after["pools"]):
            name, gets = last["name"], last["gets"] - first["gets"]
            self.assertGreaterEqual(gets, HIT_PASSES * len(queries()), name)
            self.assertGreaterEqual((last["hits"] - first["hits"]) / gets, HIT_RATE, name)

    def test_a_signal_ends_it_cleanly_whatever_is_open(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            for memory in VARIANTS:
                service = start(memory)
                with service.connect() as idle, service.connect() as half:
                    half.sendall(request("POST", "/lookup", b'["eng"]')[:-3])
                    self.assertEqual(200, status_of(service.get("/countries")))
                    service.process.send_signal(number)
                    output, _ = service.process.communicate(timeout=30)
                    self.assertEqual(b"", read_all(idle))
                self.assertEqual((0, "served 1 requests\n"), (service.process.returncode, output))

    def test_wrong_usage_exits_2_and_help_exits_0(self):
        for argument in ("--memory=disk", "--port=99999", "--port=x", "--threads=0", "--what",
                         "more"):
            done = run(argument)
            self.assertEqual((2, ""), (done.returncode, done.stdout), argument)
            self.assertIn("json_service: ", done.stderr)
        self.assertEqual(0, run("--help").returncode)

    def test_data_that_is_missing_or_no_data_exits_3_and_is_named(self):
        with tempfile.TemporaryDirectory() as folder:
            for text in (None, "{", "[]", '{"3166-1": 7}', '{"3166-1": [{"name": 1}]}'):
                path = pathlib.Path(folder) / "iso_3166-1.json"
                if text is not None:
                    path.write_text(text, "utf-8")
                for memory in VARIANTS:
                    done = run(f"--data={folder}", f"--memory={memory}")
                    self.assertEqual(3, done.returncode, text)
                    self.assertIn(str(path), done.stderr)

    def test_a_port_in_use_exits_3(self):
        with start("heap") as service:
            done = run(f"--port={service.port}")
        self.assertEqual(3, done.returncode)
        self.assertIn("cannot listen", done.stderr)


if __name__ == "__main__":
    unittest.main()
