#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""compare.py: the proxy on chains and on libevent's evbuffers under the same load, in turn.

A round measures one after the other, every other round backwards; a ratio is the median over the
rounds of ours divided by the rival's of the same round, with the range of the middle half. The
servers' CPU time (schedstat) is steadier than the throughput on a machine that does other things.
"""
import argparse
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys

SERVERS = ("proxy", "proxy_evbuffer")
MODES = ("echo", "proxy")


class Server:
    """A running proxy, or echo server."""

    def __init__(self, folder, name, *arguments):
        self.process = subprocess.Popen([folder / name, "--listen", "0", *arguments],
                                        stdout=subprocess.PIPE, text=True)
        self.port = re.search(r"(\d+)$", self.process.stdout.readline().strip())[1]

    def cpu_ns(self):
        return int(pathlib.Path(f"/proc/{self.process.pid}/schedstat").read_text().split()[0])

    def end(self):
        """What it says it has done."""
        self.process.send_signal(signal.SIGTERM)
        text = self.process.communicate(timeout=30)[0]
        if self.process.returncode:
            raise RuntimeError(f"{self.process.args[0]} exited with {self.process.returncode}")
        return json.loads(text)


def load(folder, port, arguments):
    """Megabytes a second that came back."""
    done = subprocess.run([folder / "proxy_load", "--port", port, "--seconds",
                           str(arguments.seconds), "--connections", str(arguments.connections),
                           "--window", str(arguments.window)],
                          stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def measure(folder, server, arguments):
    """Megabytes a second, and the server's nanoseconds of CPU for a kilobyte."""
    before = server.cpu_ns()
    rate = load(folder, server.port, arguments)
    kilobytes = rate * arguments.seconds * 1000
    return rate, (server.cpu_ns() - before) / kilobytes


def rounds(folder, servers, arguments):
    """For each server a list of its measurements."""
    results = {name: [] for name in servers}
    for number in range(arguments.rounds):
        for name in list(servers)[::1 if number % 2 == 0 else -1]:
            results[name].append(measure(folder, servers[name], arguments))
    return results


def ratio(ours, theirs):
    values = [a / b for a, b in zip(ours, theirs)]
    quartiles = statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else \
        values * 3
    return statistics.median(values), quartiles[0], quartiles[2]


def compare(folder, mode, arguments):
    """The rows of a mode, and what the servers report."""
    behind = Server(folder, "proxy") if mode == "proxy" else None
    connect = ["--connect", behind.port] if behind else []
    servers = {name: Server(folder, name, *connect) for name in SERVERS
               if (folder / name).exists() and arguments.only in (None, name)}
    results = rounds(folder, servers, arguments)
    rows = []
    for name, report in [(name, server.end()) for name, server in servers.items()]:
        if report["received"] != report["sent"] or report["errors"]:
            raise RuntimeError(f"{name} lost something: {report}")
        rows.append({"mode": mode, "buffers": report["buffers"], "copied": report["copied"],
                     "received": report["received"],
                     "mb_per_s": statistics.median(rate for rate, _ in results[name]),
                     "cpu_ns_per_kb": statistics.median(cpu for _, cpu in results[name])})
    if behind:
        behind.end()
    if len(rows) == 2:
        for key, index in (("rate_ratio", 0), ("cpu_ratio", 1)):
            rows[0][key] = ratio(*([value[index] for value in results[name]]
                                   for name in SERVERS))
    return rows


def print_rows(rows):
    print(f"{'mode':6} {'buffers':11} {'MB/s':>8} {'CPU ns/kB':>10} {'received MB':>12} "
          f"{'copied bytes':>13}")
    for row in rows:
        copied = "unknown" if row["copied"] is None else row["copied"]
        print(f"{row['mode']:6} {row['buffers']:11} {row['mb_per_s']:8.0f} "
              f"{row['cpu_ns_per_kb']:10.0f} {row['received'] / 1e6:12.0f} {copied:>13}")
    for row in rows:
        for key, words in (("rate_ratio", "throughput"), ("cpu_ratio", "CPU time")):
            if key in row:
                middle, low, high = row[key]
                print(f"{row['mode']}: {words} of ours / evbuffer: {middle:.2f} "
                      f"({low:.2f}-{high:.2f})")


def parse_arguments():
    parser = argparse.ArgumentParser(prog="compare", allow_abbrev=False, description=__doc__)
    parser.add_argument("--bin", metavar="DIR", type=pathlib.Path, required=True,
                        help="where the programs are")
    parser.add_argument("--rounds", metavar="N", type=int, default=9)
    parser.add_argument("--seconds", metavar="S", type=float, default=1)
    parser.add_argument("--connections", metavar="N", type=int, default=8)
    parser.add_argument("--window", metavar="BYTES", type=int, default=1 << 18)
    parser.add_argument("--mode", choices=MODES, help="one of the two")
    parser.add_argument("--only", choices=SERVERS, help="one of the two servers")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    folder = arguments.bin.resolve()
    if not os.access(folder / "proxy", os.X_OK):
        sys.exit(f"compare: --bin: no proxy in {arguments.bin}")
    modes = [arguments.mode] if arguments.mode else MODES
    rows = [row for mode in modes for row in compare(folder, mode, arguments)]
    if arguments.json:
        for row in rows:
            print(json.dumps(row))
    else:
        print_rows(rows)


if __name__ == "__main__":
    main()
