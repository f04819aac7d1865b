#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""environment_test.py: what TIDE makes a program print, and the texts of all its counters."""
import json
import os
import re
import subprocess
import unittest

COMMAND = [*os.environ["TIDE_EMULATOR"].split(), os.environ["TIDE_TRACED"]]
NUMBER, MS, MB = r"\d+", r"\d+\.\d{3}", r"\d+\.\d\d"
COUNTS = (rf"hits {NUMBER}(?:\+{NUMBER}){{3}}, misses {NUMBER}, puts {NUMBER},"
          rf" drops {NUMBER}(?:\+{NUMBER}){{4}}, busiest {NUMBER}%")
BYTES = rf"{MB}->{MB}->{MB} MB"
EPOCH = re.compile(
    rf"tide ({NUMBER}) @{MS}s {NUMBER}%: {MS}\+{MS}\+{MS} ms clock, {BYTES}, {MB} MB goal,"
    rf" {NUMBER} P \((asked|growth|limit|age|pressure)(?:, capped)?\);"
    rf" {COUNTS}, stall {MS} ms, {MB} MB held, {NUMBER} pools")
POOL = re.compile(rf'tide ({NUMBER}) ("[^"]*"): {COUNTS}, {BYTES}')
# Those of traced.c: what is no UTF-8 is replaced byte by byte.
NAMES = ["plain", "a \"b\" \\ \n \t \x1b{}", "\u00e9\u20ac", "cut \ufffd\ufffd",
         "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd", ""]


def traced(mode, settings=None):
    environment = {name: value for name, value in os.environ.items() if name != "TIDE"}
    if settings is not None:
        environment["TIDE"] = settings
    done = subprocess.run([*COMMAND, mode], env=environment,
                          capture_output=True, check=True)
    return done.stdout.decode(), done.stderr.decode()


def lines(mode, settings=None):
    """What the library wrote to stderr."""
    _, errors = traced(mode, settings)
    return [line for line in errors.split("\n") if line and not line.startswith("traced: ")]


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def test_without_the_variable_nothing_is_printed(self):
        for settings in (None, "", "trace:0", "seed:1"):
            self.assertEqual(lines("never", settings), [], settings)

    def test_a_line_for_each_epoch(self):
        numbers = []
        for line in lines("never", "trace:1"):
            self.assertRegex(line, f"\\A{EPOCH.pattern}\\Z")
            numbers.append(int(EPOCH.match(line)[1]))
            self.assertEqual(EPOCH.match(line)[2], "asked")
        self.assertEqual(numbers, list(range(1, 13)))

    def test_a_line_for_each_pool_that_was_used(self):
        found = lines("never", "trace:2")
        self.assertEqual(len(found), 36)
        for at in range(0, 36, 3):
            number = EPOCH.fullmatch(found[at])[1]
            pools = [POOL.fullmatch(line) for line in found[at + 1:at + 3]]
            self.assertEqual([pool[1] for pool in pools], [number, number])
            self.assertEqual({pool[2] for pool in pools}, {'"good"', '"vain"'})
            heavy = next(pool[0] for pool in pools if pool[2] == '"vain"')
            self.assertIn(" misses 100, puts 100, drops 0+100+0+0+0, ", heavy)

    def test_the_trace_says_why(self):
        reasons = {EPOCH.fullmatch(line)[2] for line in lines("fair-limit", "trace:1,limit:8MiB")}
        self.assertEqual(reasons, {"limit"})
        reasons = {EPOCH.fullmatch(line)[2] for line in lines("fair-limit", "trace:1,growth:10")}
        self.assertEqual(reasons, {"growth"})

    def test_a_bad_key_or_value_is_named_once_and_the_others_hold(self):
        found = lines("never", "colour:red,trace:1,limit:12XB,age,growth:50")
        self.assertEqual([line for line in found if not line.startswith("tide ")], [
            "tide: TIDE: 'colour:red' ignored: unknown key",
            "tide: TIDE: 'limit:12XB' ignored: unknown unit (B, KiB, MiB, GiB for bytes; ms, s"
            " for times)",
            "tide: TIDE: 'age' ignored: not key:value"])
        self.assertEqual(sum(line.startswith("tide ") for line in found), 12)

    def test_a_signal_that_cannot_be_is_named(self):
        for settings, why in (("signal:10", "without trace:ring"),
                              ("trace:ring,signal:9", "Invalid argument"),
                              ("trace:ring,signal:0", "Invalid argument")):
            self.assertRegex("\n".join(lines("never", settings)),
                             rf"\Atide: TIDE: 'signal:\d+' ignored: {why}[^\n]*\Z")

    def test_the_ring_prints_nothing_by_itself(self):
        self.assertEqual(lines("never", "trace:ring,ring:8,signal:10"), [])

    def test_json_is_json(self):
        found = json.loads(traced("json", "growth:70,trace:ring")[0])
        self.assertEqual([pool["name"] for pool in found["pools"]], NAMES)
        self.assertEqual([pool["gets"] for pool in found["pools"]], [2, 4, 6, 8, 10, 12])
        self.assertEqual((found["epoch.growth_percent"], found["epoch.number"]), (70, 1))

    def test_json_with_arenas_is_json(self):
        found = json.loads(traced("arenas")[0])
        self.assertEqual([(arena["name"], arena["resets"]) for arena in found["arenas"]],
                         [('"request"', 12)])
        self.assertTrue(found["pools"])

    def test_prometheus_text_follows_its_grammar(self):
        text, _ = traced("prometheus", "growth:70,trace:ring")
        self.assertTrue(text.endswith("\n"))
        types, samples = {}, {}
        for line in text[:-1].split("\n"):
            if comment := re.fullmatch(r"# TYPE ([a-z_]+) (counter|gauge)", line):
                self.assertNotIn(comment[1], types)
                types[comment[1]] = comment[2]
            elif not re.fullmatch(r"# HELP [a-z_]+ [^\\]+", line):
                self.read_sample(line, types, samples)
        self.assertEqual(set(types), {name for name, _ in samples})
        for name, kind in types.items():
            self.assertEqual(name.endswith("_total"), kind == "counter", name)
        self.assertEqual(samples["tidepool_epoch_growth_percent", None], 70)
        pools = {pool: value for (name, pool), value in samples.items()
                 if name == "tidepool_pool_gets_total"}
        self.assertEqual(pools, dict(zip(NAMES, [2, 4, 6, 8, 10, 12])))

    def read_sample(self, line, types, samples):
        sample = re.fullmatch(r'([a-z_]+)(?:\{pool="((?:[^"\\]|\\["\\n])*)"\})? (\d+)', line)
        self.assertTrue(sample, line)
        self.assertIn(sample[1], types, "its TYPE comes first")
        pool = sample[2] and re.sub(
            r"\\(.)", lambda escaped: escaped[1].replace("n", "\n"), sample[2])
        pool = "" if sample[2] == "" else pool
        self.assertNotIn((sample[1], pool), samples)
        samples[sample[1], pool] = int(sample[3])


if __name__ == "__main__":
    unittest.main()
