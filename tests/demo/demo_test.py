#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""demo_test.py: the demo as its users meet it: the table, and what it refuses to accept."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

BINARY = pathlib.Path(os.environ["JSON_SERVICE"])
DEMO = pathlib.Path(__file__).resolve().parents[2] / "examples" / "json_service" / "demo.py"
sys.path.insert(0, str(DEMO.parent))
# pylint: disable=wrong-import-position
from service import Service, queries

PASSES = 20
DATA = pathlib.Path("/usr/share/iso-codes/json")
COLUMNS = ["variant", "requests/s", "allocs/req", "bytes/req", "P50", "P99", "P99.9", "pool hits"]

# Stands in for the service and changes what its pool variant does.
STAND_IN = """#!/bin/sh
case "$1" in
--memory=pool) {pool} ;;
esac
exec {binary} "$@"
"""


def demo(folder, *arguments, **environment):
    return subprocess.run(
        [sys.executable, DEMO, "--bin", folder, "--rounds", "1", "--seconds", "1", *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@unittest.skipUnless(shutil.which("wrk"), "wrk is not installed")
class Test(unittest.TestCase):
    def refused(self, pool):
        """What the demo says when `pool` is done in place of starting the pool variant."""
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(BINARY.parent / "liballoc_count.so", folder)
            stand_in = pathlib.Path(folder) / BINARY.name
            stand_in.write_text(STAND_IN.format(pool=pool, binary=BINARY), "utf-8")
            stand_in.chmod(0o755)
            done = demo(folder)
        self.assertEqual((3, ""), (done.returncode, done.stdout), done.stderr)
        self.assertEqual("demo: ", done.stderr.splitlines()[-1][:6], "a sentence, no traceback")
        return done.stderr

    def test_it_ends_in_one_table(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "results.json"
            done = demo(BINARY.parent, "--json", path)
            self.assertEqual(0, done.returncode, done.stderr)
            results = {row["variant"]: row for row in json.loads(path.read_text("utf-8"))}
        for column in COLUMNS:
            self.assertIn(column, done.stdout.splitlines()[0])
        heap, pool, tide = (results[name] for name in ("heap, glibc", "pool", "tide"))
        self.assertLessEqual(int(tide["allocations"]), int(pool["allocations"]))
        self.assertLess(pool["allocations"], heap["allocations"] / 10)
        self.assertLess(pool["bytes"], heap["bytes"] / 10)
        self.assertGreater(pool["hit_rate"], 0.999)
        self.assertIsNone(heap["hit_rate"])

    def test_the_tide_variant_allocates_no_more_than_libmicrohttpd(self):
        """For each request, beside a service of libmicrohttpd alone; the list that it polls may
        have grown once more or not."""
        counts = []
        for binary, memory in ((BINARY, "tide"), (os.environ["BARE"], "none")):
            with Service(binary, memory, 1, os.environ["ALLOC_COUNT"]) as service:
                service.send_passes(PASSES)
                before = service.stats()
                service.send_passes(PASSES)
                after = service.stats()
            requests = after["requests"] - before["requests"]
            self.assertEqual(requests, PASSES * len(queries()) + 1)
            counts.append([(after["heap"][key] - before["heap"][key]) // requests
                           for key in ("allocations", "bytes")])
        print(f"allocations, bytes for a request: {counts[0]}, of libmicrohttpd alone {counts[1]}")
        self.assertLessEqual(counts[0][0], counts[1][0])
        self.assertLessEqual(counts[0][1], counts[1][1])

    def test_variants_that_differ_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            for path in DATA.glob("iso_*.json"):
                text = path.read_text("utf-8").replace('"English"', '"Englich"')
                (pathlib.Path(folder) / path.name).write_text(text, "utf-8")
            message = self.refused(f'set -- "$@" --data={folder}')
        self.assertIn("differ in their answers to: GET /languages/eng", message)

    def test_a_variant_that_does_not_start_is_refused(self):
        self.assertIn("did not start", self.refused("exit 1"))

    def test_a_variant_that_dies_under_way_is_refused(self):
        self.refused(f'exec timeout --signal=KILL 0.3 {BINARY} "$@"')

    def test_a_missing_build_and_a_missing_wrk_are_named(self):
        with tempfile.TemporaryDirectory() as folder:
            done = demo(folder)
            self.assertEqual(3, done.returncode)
            self.assertIn("json_service is missing", done.stderr)
            done = demo(BINARY.parent, PATH=folder)
            self.assertEqual(3, done.returncode)
            self.assertIn("wrk is missing", done.stderr)


if __name__ == "__main__":
    unittest.main()
