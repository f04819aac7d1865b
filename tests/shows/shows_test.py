#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""shows_test.py: limits hold in programs that know nothing of them, and cost a hit nothing."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

PROGRAMS = pathlib.Path(os.environ["TIDE_PROGRAMS"])
SANITIZED = bool(os.environ["TIDE_SANITIZED"])
MIB = 1 << 20
LIMIT = 64 * MIB
ALLOWED = LIMIT + LIMIT // 10
TURN_BYTES = 32 * MIB  # what hoarder has on loan at most beside what is there all the time

HOARDER = re.compile(r"hoarder: (\d+) loans, (\d+) bytes at most, (\d+) bytes resident at most, "
                     r"(\d+) ns\n")
TRACE = re.compile(r"^tide \d+ @[\d.]+s \d+%: ([\d.]+)\+([\d.]+)\+([\d.]+) ms clock, .* MB, "
                   r"([\d.]+) MB goal, \d+ P \((\w+)(, capped)?\);")


def run(*command, tide=None):
    environment = {name: value for name, value in os.environ.items() if name != "TIDE"}
    if tide:
        environment["TIDE"] = tide
    return subprocess.run([str(word) for word in command], env=environment, check=True,
                          capture_output=True, text=True, timeout=200)


class Hoarder:
    """One run of it: its last line, and the trace."""

    def __init__(self, rounds, live=0, tide=None):
        done = run(PROGRAMS / "hoarder", rounds, live, tide=tide)
        numbers = HOARDER.fullmatch(done.stdout).groups()
        self.loans, self.peak, self.resident, self.time_ns = map(int, numbers)
        self.trace = [TRACE.match(line) for line in done.stderr.splitlines()]

    def trimmed_ns(self):
        return sum(float(ms) * 1e6 for line in self.trace for ms in line.group(1, 2, 3))


def instructions(body, pairs):
    """Those of a pair of each function of hit_cost."""
    with tempfile.TemporaryDirectory() as folder:
        out = f"{folder}/callgrind"
        run(os.environ["VALGRIND"], "-q", "--tool=callgrind", f"--callgrind-out-file={out}",
            PROGRAMS / "hit_cost", pairs, body)
        table = run("callgrind_annotate", "--inclusive=yes", "--auto=no", "--threshold=100", out)
    found = re.findall(r"(?m)^ *([\d,]+) \([^)]*\) +\S*:hits_(\w+)", table.stdout)
    return {name: int(count.replace(",", "")) / pairs for count, name in found}


def golden_total():
    """Of a get and a put, the least that any compiler of the table makes of them."""
    path = pathlib.Path(__file__).resolve().parents[1] / "golden" / "fast_paths.txt"
    rows = [line.split() for line in path.read_text(encoding="utf-8").splitlines()]
    return sum(min(int(row[-1]) for row in rows if row[0] == name) for name in ("get", "put"))


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def test_large_buffers_are_let_go_with_a_limit_and_pinned_without(self):
        large = int(os.environ["LARGE_MIB"])
        done = run(os.environ["LARGE_REQUESTS"], large, 10)
        rows = dict(re.findall(r"(?m)^(none|weight_max|cached_bytes_max)\b\D*?(?:64\w+)?"
                               r"((?: +[\d.]+){6})$", done.stdout))
        self.assertEqual(len(rows), 3, done.stdout)
        figures = {limit: list(map(float, row.split())) for limit, row in rows.items()}
        self.assertEqual(figures["none"][:5], [10.0 * large] * 5)
        for limit, most in (("weight_max", 10 * 64 / 1024), ("cached_bytes_max", 64)):
            second, last, cached, resident = figures[limit][2:]
            self.assertLessEqual(max(second, last, cached), most)
            if large == 256:
                self.assertLessEqual(resident, 64)
        self.assertGreaterEqual(figures["none"][5], 10 * large)

    @unittest.skipIf(SANITIZED or not shutil.which("go"), "no Go, or not its turn")
    def test_large_requests_run_beside_those_in_go(self):
        done = run(pathlib.Path(__file__).resolve().parents[2] / "examples" / "large_requests" /
                   "beside_go.sh", os.environ["LARGE_REQUESTS"], 1, 2)
        self.assertIn("\nnone ", done.stdout)
        for words in ("after each ten requests", "in their own time"):
            table = done.stdout.split(words)[1].split("Go's")[0]
            self.assertEqual(len(re.findall(r"(?m)^ +[012] +[\d.]+ +[\d.]+$", table)), 3)

    @unittest.skipIf(SANITIZED, "a sanitizer's heap is larger")
    def test_without_a_limit_the_hoarder_holds_1_gib(self):
        hoarder = Hoarder(1)
        self.assertEqual(hoarder.peak, 1024 * MIB)
        self.assertGreaterEqual(hoarder.resident, 1024 * MIB)
        self.assertEqual(hoarder.trace, [])

    def test_a_limit_by_the_environment_holds_and_the_trace_says_why(self):
        hoarder = Hoarder(1 if SANITIZED else 3, tide="limit:64MiB,trace:1")
        self.assertLessEqual(hoarder.peak, ALLOWED)
        if not SANITIZED:
            self.assertLessEqual(hoarder.resident, ALLOWED)
        self.assertGreater(len(hoarder.trace), 0)
        for line in hoarder.trace:
            self.assertEqual((line.group(5), float(line.group(4))), ("limit", 64.0))

    def test_a_limit_below_the_live_set_leaves_the_program_its_time(self):
        live = 1024
        hoarder = Hoarder(2, live, tide="limit:32MiB,trace:1")
        self.assertEqual(hoarder.loans, 2 * 32 * 20 * 512)
        self.assertGreaterEqual(hoarder.peak, live * 65536 + TURN_BYTES)  # it needs that much
        self.assertLessEqual(hoarder.peak, live * 65536 + 512 * MIB)  # and would hold 1 GiB
        self.assertEqual({line.group(5) for line in hoarder.trace}, {"limit"})
        self.assertLessEqual(hoarder.trimmed_ns(), hoarder.time_ns / 2 + 40e6)

    def check_hits_cost_the_same(self, body):
        if not os.environ["VALGRIND"] or SANITIZED:
            self.skipTest("no valgrind here")
        counts = instructions(body, 1000)
        plain = counts.pop("plain")
        hooks = {name: counts.pop(name) for name in ("reset", "weighed")}
        self.assertEqual(set(counts), {"weight_max", "cached_bytes_max", "keep_min", "watched",
                                       "paced", "traced", "everything"})
        for name, count in counts.items():
            self.assertLessEqual(abs(count / plain - 1), 0.03, f"{name}: {count}, not {plain}")
        for count in hooks.values():
            self.assertGreater(count, plain)
        print(f"{body}: {plain:.1f} instructions a pair, {hooks}")
        return plain

    def test_limits_and_trace_cost_no_instruction_in_the_portable_body(self):
        self.check_hits_cost_the_same("portable")

    def test_limits_and_trace_cost_no_instruction_in_the_sequences(self):
        plain = self.check_hits_cost_the_same("sequences")
        self.assertLessEqual(0, plain - golden_total())
        self.assertLessEqual(plain - golden_total(), 15)  # the loop and two calls


if __name__ == "__main__":
    unittest.main()
