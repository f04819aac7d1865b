#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""bench_test.py: every benchmark runs, and the claims runner judges what it is given."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

BIN = pathlib.Path(os.environ["TIDE_BENCH_BIN"])
CLAIMS = pathlib.Path(__file__).resolve().parents[2] / "bench" / "claims.py"
JSON_TABLE = CLAIMS.with_name("json_table.py")
KEYS = {"id", "subject", "ours", "rival", "rival_name", "unit", "ratio", "goal", "holds",
        "spread"}

GOOGLE = """#!/bin/sh
cat <<'END'
{"context": {"malloc": "/usr/lib/libc.so.6"},
 "benchmarks": [{"real_time": %s, "p50_ns": %s, "error_occurred": false}]}
END
"""
CPUS = """#!/bin/sh
echo '{"context": {"malloc": "/usr/lib/libc.so.6"},
 "benchmarks": [{"real_time": 1, "cpu_time": '"${TIDE#cpus:}"'}]}'
"""
GO = """#!/bin/sh
echo 'BenchmarkAny-2   100   %s ns/op   %s p50-ns/STW'
"""


def run(*command, **environment):
    return subprocess.run([str(word) for word in command], env={**os.environ, **environment},
                          capture_output=True, text=True, check=False)


def claims(*arguments, programs=BIN):
    return run(sys.executable, CLAIMS, "--bin", programs, *arguments)


def tiny(*arguments, programs=BIN):
    return claims("--rounds", 1, "--seconds", 0.002, *arguments, programs=programs)


class Programs(tempfile.TemporaryDirectory):
    """A folder of programs that print the same figures each time."""

    def __enter__(self):
        self.folder = pathlib.Path(super().__enter__())
        return self

    def add(self, name, text):
        path = self.folder / name
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755)

    def add_times(self, ours, go):
        self.add("tide_bench_pool", GOOGLE % (ours, ours))
        self.add("tide_bench_go", GO % (go, go))


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def check_all_run(self, program):
        done = run(BIN / program, "--benchmark_min_time=0.001", "--benchmark_format=json")
        self.assertEqual(done.returncode, 0, done.stderr)
        listed = run(BIN / program, "--benchmark_list_tests").stdout.split()
        results = {result["name"]: result for result in json.loads(done.stdout)["benchmarks"]}
        self.assertTrue(listed)
        for name in listed:
            self.assertNotIn("error_message", results[name])
            self.assertGreater(results[name]["iterations"], 0)

    def check_usage_error(self, done, *words):
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertRegex(done.stderr, r"^claims: [^\n]+\n$")
        for word in words:
            self.assertIn(word, done.stderr)

    def rows(self, done):
        self.assertIn(done.returncode, (0, 1), done.stderr)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        for row in rows:
            self.assertEqual(set(row), KEYS)
        return {row["id"]: row for row in rows}

    def test_every_benchmark_of_pools_runs(self):
        self.check_all_run("tide_bench_pool")

    def test_every_benchmark_of_malloc_runs(self):
        self.check_all_run("tide_bench_malloc")

    def test_every_benchmark_of_arenas_runs(self):
        self.check_all_run("tide_bench_arena")

    def test_json_in_arenas_allocates_nothing_and_is_the_same(self):
        if not (BIN / "tide_bench_json").exists():
            self.skipTest("no JSON libraries")
        done = run(sys.executable, JSON_TABLE, "--bin", BIN, "--rounds", 1, "--seconds", 0.001,
                   "--installed")
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = [line.split() for line in done.stdout.splitlines() if "iso_3166-2" in line]
        self.assertEqual(len(rows), 4, done.stdout)
        for operation, _, heap, arena, _, _, output in rows:
            self.assertGreater(int(heap.replace(",", "")), 10, operation)
            self.assertEqual((arena, output), ("0", "identical"), operation)

    def test_every_benchmark_in_go_runs(self):
        if not (BIN / "tide_bench_go").exists():
            self.skipTest("no Go")
        done = run(BIN / "tide_bench_go", "-test.bench", ".", "-test.benchtime", "1x")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("BenchmarkPoolExpensiveNew", done.stdout)

    def test_claims_list_names_each_goal_of_the_project(self):
        done = claims("--list")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        goals = dict(line.split()[:2] for line in done.stdout.splitlines())
        for claim, goal in {"pair.go": "0.35", "pair.array": "1.5", "overflow.go": "0.35",
                            "starvation.go": "0.35", "constructed.mimalloc": "0.15",
                            "held.best": "0.25", "advance.go": "1", "scale.pair.512": "1.1",
                            "advance.cpus.512": "256", "advance.pools.1000": "1000",
                            "pair.mimalloc": "-"}.items():
            self.assertEqual(goals[claim], goal, claim)

    def test_claims_are_measured_and_printed_as_json(self):
        rows = self.rows(tiny("--json", "--filter", r"^(pair|held)\.(array|glibc|best)$"))
        self.assertEqual(set(rows), {"pair.array", "pair.glibc", "held.glibc", "held.best"})
        for row in rows.values():
            self.assertGreater(row["ours"], 0)
            self.assertGreater(row["rival"], 0)
            self.assertEqual(row["holds"], row["goal"] and row["ratio"] <= row["goal"])

    def test_a_claim_sets_the_number_of_cpus(self):
        with Programs() as programs:
            programs.add("tide_bench_pool", CPUS)
            done = claims("--json", "--rounds", 1, "--filter", r"^scale\.pair\.512$",
                          programs=programs.folder)
            row = self.rows(done)["scale.pair.512"]
            self.assertEqual((row["ours"], row["rival"], row["holds"]), (512, 2, False))

    def test_claims_are_measured_and_printed_as_a_table(self):
        done = tiny("--filter", r"^pair\.(array|glibc)$")
        head, *rows, summary = done.stdout.splitlines()
        self.assertEqual(head.split(), ["id", "subject", "ours", "rival", "ratio", "goal", "holds"])
        self.assertEqual([row.split()[0] for row in rows], ["pair.array", "pair.glibc"])
        self.assertRegex(summary, r"^[01] of 1 claims with a goal hold, 1 shown without one, 0")
        self.assertIn("round 1 of 1", done.stderr)

    def test_a_claim_that_holds_is_told_from_one_that_does_not(self):
        for ours, holds, status in ((35, True, 0), (36, False, 1)):
            with Programs() as programs:
                programs.add_times(ours, 100)
                done = claims("--json", "--error", "--rounds", 2, "--filter", r"^pair\.go$",
                              programs=programs.folder)
                row = self.rows(done)["pair.go"]
                self.assertEqual((row["ratio"], row["spread"]), (ours / 100, [ours / 100] * 2))
                self.assertEqual((row["holds"], done.returncode), (holds, status))

    def test_a_claim_that_does_not_hold_is_no_error_unless_asked(self):
        with Programs() as programs:
            programs.add_times(2, 1)
            done = claims("--rounds", 1, "--filter", "^advance.go$", programs=programs.folder)
            self.assertEqual(done.returncode, 0)
            self.assertRegex(done.stdout, r"(?m)^advance\.go .* no$")

    def test_a_rival_that_is_missing_is_skipped_with_a_line(self):
        with Programs() as programs:
            programs.add("tide_bench_pool", GOOGLE % (1, 1))
            programs.add("tide_bench_malloc", GOOGLE % (1, 1))
            done = claims("--rounds", 1, "--filter", r"^pair\.(go|glibc|jemalloc)$",
                          programs=programs.folder)
            self.assertEqual(done.returncode, 0)
            self.assertIn("pair.go: skipped: tide_bench_go was not built\n", done.stdout)
            self.assertIn("pair.jemalloc: skipped: libjemalloc.so.2 is not installed\n",
                          done.stdout)
            self.assertIn("2 skipped", done.stdout)

    def test_usage_errors_name_what_and_why(self):
        self.check_usage_error(claims("--filter", "["), "--filter", "unterminated")
        self.check_usage_error(claims("--filter", "no such"), "--filter", "no claim")
        self.check_usage_error(claims("--rounds", "0"), "--rounds", "'0'")
        self.check_usage_error(claims("--seconds", "x"), "--seconds", "'x'")
        self.check_usage_error(claims("--nonsense"), "--nonsense")
        self.check_usage_error(claims(programs="/nowhere"), "/nowhere", "tide_bench_pool")


if __name__ == "__main__":
    unittest.main()
