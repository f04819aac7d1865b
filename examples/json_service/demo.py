#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""demo.py: the JSON service on the heap, on pools and in arenas, compared: one table.

Starts the variants in turn on the loopback address, checks that they answer the same, counts
their heap allocations, and loads them with wrk in interleaved rounds.
"""
import argparse
import contextlib
import itertools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

from bad_input import BAD_INPUT
from service import HERE, HOST, Failed, Service, hit_rate, queries, request, status_of, without_date

DATA = pathlib.Path("/usr/share/iso-codes/json/iso_639-3.json")
CONNECTIONS = 16
WARM_PASSES, COUNTED_PASSES = 4, 100
NOISE = 0.1  # how far rounds may be from their median before the table says so

# Name, --memory, preloaded library. The service is linked with mimalloc, which then serves malloc
# for all variants; preloading the C library puts glibc's own malloc first.
VARIANTS = [
    ("heap, glibc", "heap", "libc.so.6"),
    ("heap, mimalloc", "heap", ""),
    ("pool", "pool", ""),
    ("tide", "tide", ""),
]

COLUMNS = [
    # title, key, format, scale
    ("requests/s", "rate", "{:,.0f}", 1),
    ("CPU us/req", "cpu_us", "{:.1f}", 1),
    ("allocs/req", "allocations", "{:.1f}", 1),
    ("bytes/req", "bytes", "{:,.0f}", 1),
    ("P50 ms", "p50_us", "{:.2f}", 1e-3),
    ("P99 ms", "p99_us", "{:.2f}", 1e-3),
    ("P99.9 ms", "p999_us", "{:.2f}", 1e-3),
    ("pool hits", "hit_rate", "{:.3%}", 1),
]

REMAINS = """\
Medians over the rounds; ± is half of the distance between the lowest and the highest round.
What remains in the pool variant is libmicrohttpd's own: each response object, its header and the
list it polls; and jansson's blocks over 128 bytes (a list that grows, a long body). What remains in
the tide variant, where a request has an arena and is sent from a chain of buffers, is
libmicrohttpd's alone, which copies the list of a chain's pieces too.
Both move allocations off the heap; jansson's rendering itself costs the same in all variants.
Allocations and bytes were counted in a run of their own, with a counter preloaded; requests/s
and latencies were measured without it, all variants alike."""


def say(text):
    print(f"demo: {text}", file=sys.stderr, flush=True)


def check_needs(folder):
    for name in ("json_service", "liballoc_count.so"):
        if not (folder / name).exists():
            raise Failed(f"{folder / name} is missing: build first (./run demo does)")
    if not shutil.which("wrk"):
        raise Failed("wrk is missing: apt-get install wrk")
    if not DATA.exists():
        raise Failed(f"{DATA} is missing: apt-get install iso-codes")


def split_cpus():
    """CPUs for the service and for wrk: apart where there are two or more."""
    cpus = sorted(os.sched_getaffinity(0))
    return (cpus[:-1], cpus[-1:]) if len(cpus) > 1 else (cpus, cpus)


class Demo:
    def __init__(self, options):
        self.options = options
        self.binary = options.bin / "json_service"
        self.counter = options.bin / "liballoc_count.so"
        self.service_cpus, self.wrk_cpus = split_cpus()

    def start(self, variant, counted=False):
        _, memory, preload = variant
        libraries = [str(self.counter)] * counted + [preload] * bool(preload)
        return Service(self.binary, memory, len(self.service_cpus), ":".join(libraries),
                       self.service_cpus)

    def compare(self):
        """Sends the same to a variant of each kind of memory; returns how many requests."""
        asked = {f"{method} {path}": (200, request(method, path, body))
                 for method, path, body in queries()} | BAD_INPUT
        kinds = {variant[1]: variant for variant in VARIANTS}.values()
        with contextlib.ExitStack() as stack:
            services = [stack.enter_context(self.start(variant)) for variant in kinds]
            for name, (status, data) in asked.items():
                replies = [without_date(service.send(data)) for service in services]
                if any(reply != replies[0] for reply in replies):
                    raise Failed(f"the variants differ in their answers to: {name}")
                if status_of(replies[0]) != status:
                    raise Failed(f"{name}: status {status_of(replies[0])}, expected {status}")
        return len(asked)

    def count(self, variant):
        """Heap allocations and bytes for each request, over a fixed number of them."""
        with self.start(variant, counted=True) as service:
            service.send_passes(WARM_PASSES)
            before = service.stats()
            service.send_passes(COUNTED_PASSES)
            after = service.stats()
        if not before["heap"]:
            raise Failed("the allocation counter did not get into the service")
        requests = after["requests"] - before["requests"]
        return {key: (after["heap"][key] - before["heap"][key]) / requests
                for key in ("allocations", "bytes")}

    def load(self, variant):
        """One round of wrk."""
        with self.start(variant) as service:
            service.send_passes(WARM_PASSES)
            before, cpu_before = service.stats(), service.cpu_seconds()
            result = self.wrk(service)
            cpu, after = service.cpu_seconds() - cpu_before, service.stats()
        requests = after["requests"] - before["requests"]
        return {**result, "rate": result["requests"] / result["duration_us"] * 1e6,
                "cpu_us": cpu / requests * 1e6, "hit_rate": hit_rate(before, after)}

    def wrk(self, service):
        done = subprocess.run(
            ["wrk", "--threads", "1", "--connections", str(CONNECTIONS),
             "--duration", f"{self.options.seconds}s", "--script", HERE / "load.lua",
             f"http://{HOST}:{service.port}", "--", HERE / "queries.txt"],
            preexec_fn=lambda: os.sched_setaffinity(0, self.wrk_cpus),
            capture_output=True, text=True, check=False)
        if done.returncode or not done.stdout:
            raise Failed(f"wrk failed: {done.stderr.strip() or done.stdout.strip()}")
        result = json.loads(done.stdout.splitlines()[-1])
        for key, what in (("bad_status", "answers were not 2xx"), ("broken", "connections broke"),
                          ("late", "answers timed out")):
            if result[key]:
                raise Failed(f"{service.memory}: under load {result[key]} {what}")
        return result

    def rounds(self):
        """A list of results for each variant, taken in turn."""
        results = [[] for _ in VARIANTS]
        for number, (i, variant) in itertools.product(
                range(1, self.options.rounds + 1), enumerate(VARIANTS)):
            result = self.load(variant)
            say(f"round {number}/{self.options.rounds}  {variant[0]:<15}"
                f"{result['rate']:>8,.0f} requests/s  P99 {result['p99_us'] / 1000:.2f} ms")
            results[i].append(result)
        return results


def summarize(variant, counts, rounds):
    """The median of each figure and how far its rounds spread."""
    summary = {"variant": variant[0], **counts}
    for key in ("rate", "cpu_us", "p50_us", "p99_us", "p999_us", "hit_rate"):
        values = [result[key] for result in rounds if result[key] is not None]
        summary[key] = statistics.median(values) if values else None
        summary[f"{key}_min"] = min(values, default=None)
        summary[f"{key}_max"] = max(values, default=None)
    return summary


def cell(summary, key, form, scale):
    """A median, and by how much of it the lowest and the highest round are apart, halved."""
    median, low, high = (summary.get(name) for name in (key, f"{key}_min", f"{key}_max"))
    if median is None:
        return "-"
    text = form.format(median * scale)
    return text if low is None or key == "hit_rate" else f"{text} ±{(high - low) / 2 / median:.0%}"


def print_table(summaries):
    rows = [["variant"] + [column[0] for column in COLUMNS]]
    rows += [[summary["variant"]] + [cell(summary, *column[1:]) for column in COLUMNS]
             for summary in summaries]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        padded = [text.rjust(width) for text, width in zip(row[1:], widths[1:])]
        print("  ".join([row[0].ljust(widths[0])] + padded))


def print_notes(summaries):
    print(f"\n{REMAINS}")
    if max(map(spread_of_rate, summaries)) > NOISE:
        print(f"The rounds differ by more than ±{NOISE:.0%}: something else keeps this "
              "machine busy, and\nspeeds so near each other cannot be told apart. The counts are "
              "exact.")


def spread_of_rate(summary):
    return (summary["rate_max"] - summary["rate_min"]) / 2 / summary["rate"]


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.partition(": ")[2])
    parser.add_argument("--bin", type=pathlib.Path, required=True,
                        help="folder of json_service and liballoc_count.so")
    parser.add_argument("--rounds", type=int, default=5, help="rounds for each variant (5)")
    parser.add_argument("--seconds", type=int, default=4, help="length of a round (4)")
    parser.add_argument("--json", type=pathlib.Path, help="also write the results to this file")
    options = parser.parse_args()
    if options.rounds < 1 or options.seconds < 1:
        parser.error("--rounds and --seconds take numbers from 1 on")
    options.bin = options.bin.resolve()
    return options


def run(options):
    check_needs(options.bin)
    demo = Demo(options)
    say(f"the same {demo.compare()} requests, good and bad, get the same bytes in all variants")
    counts = []
    for variant in VARIANTS:
        counts.append(demo.count(variant))
        say(f"{variant[0]}: {counts[-1]['allocations']:.1f} heap allocations per request")
    say(f"{options.rounds} rounds of {options.seconds} s for each variant, in turn: "
        f"{len(demo.service_cpus)} service thread(s), wrk with {CONNECTIONS} connections")
    summaries = [summarize(*row) for row in zip(VARIANTS, counts, demo.rounds())]
    print_table(summaries)
    print_notes(summaries)
    if options.json:
        options.json.write_text(json.dumps(summaries, indent=2) + "\n", "utf-8")


def main():
    try:
        run(parse_options())
    except (Failed, OSError, ValueError) as failed:
        print(f"demo: {failed}", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
