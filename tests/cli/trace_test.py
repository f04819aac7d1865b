#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""trace_test.py: `tide trace` on logs of ours and of Go, whole, cut off, mixed and foreign."""
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import tempfile
import unittest

TIDE = os.environ["TIDE_COMMAND"]
TRACED = os.environ["TIDE_TRACED"]
ROOT = pathlib.Path(__file__).resolve().parents[2]
LOGS = pathlib.Path(__file__).resolve().parent / "trace"
LINE = ("tide {n} @{n}.000s 1%: 0.100+0.200+0.300 ms clock, 4.00->2.00->0.50 MB, 64.00 MB goal,"
        " 2 P (growth); hits 9+8+7+6, misses 5, puts 4, drops 3+2+1+0+9,"
        " busiest 51%, stall 0.150 ms, 63.10 MB held, 3 pools\n")
POOL = ("tide {n} \"{name}\": hits 9+8+7+6, misses 5, puts 4, drops 3+2+1+0+9, busiest 51%,"
        " 4.00->2.00->0.50 MB\n")
ARENA = ("tide {n} arena \"{name}\": {n} alive, 2 created, 12 resets, 5 chunks, 2.00 MB held,"
         " 2.50 MB most\n")
GO = "gc 3 @0.012s 2%: 0.026+0.39+0.10 ms clock, 0.21+0.88/0.52/0+0.80 ms cpu, "
# What a log has, by its name.
PATTERNS = {
    "even": set(), "even-1": set(), "rare": set(), "fair-limit": set(), "go": set(),
    "thrash": {("thrash", None)},
    "low-limit": {("limit-too-low", None)},
    "imbalance": {("imbalance", None)},
    "never": {("never-hits", "vain")},
    "foreign": {("one-sided-producers", "foreign")},
    "producers": {("one-sided-producers", "shared"), ("imbalance", None)},
    "go-thrash": {("thrash", None)},
    "go-limit": {("limit-too-low", None), ("thrash", None)},
}


def trace(*arguments, text=None):
    """Runs the command; `text` is its standard input."""
    if isinstance(text, str):
        text = text.encode()
    done = subprocess.run([TIDE, "trace", *map(str, arguments)], input=text, capture_output=True,
                          check=False)
    done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
    return done


def report(text):
    done = trace("--json", text=text)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    return json.loads(done.stdout)


def patterns(all_of_it):
    return {(each["pattern"], each["pool"])
            for part in all_of_it["traces"] for each in part["patterns"]}


def log(name):
    return (LOGS / f"{name}.log").read_text(encoding="utf-8")


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def check_failure(self, done, why):
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"\Atide: trace: [^\n]+: [^\n]+\n\Z")
        self.assertIn(why, done.stderr)

    def test_each_log_shows_its_patterns_and_no_other(self):
        self.assertEqual(set(PATTERNS), {path.stem for path in LOGS.glob("*.log")})
        for name, expected in PATTERNS.items():
            with self.subTest(log=name):
                self.assertEqual(patterns(report(log(name))), expected)

    def test_each_pattern_has_a_log_and_says_what_to_change(self):
        named = re.findall(r"[a-z]+(?:-[a-z]+)*", trace("--help").stdout.split("change:")[1])
        shown = {pattern for found in PATTERNS.values() for pattern, _ in found}
        self.assertLessEqual(shown, set(named))
        self.assertEqual(len(shown), 5)
        for pattern in shown:
            name = next(n for n, found in PATTERNS.items() if pattern in {p for p, _ in found})
            self.assertRegex(trace(LOGS / f"{name}.log").stdout,
                             rf"(?m)^  {pattern}[^\n]*: .*\d.*\n    change: \w+")
        self.assertRegex(trace(LOGS / "even.log").stdout, r"(?m)^patterns\n  none$")

    def test_error_asks_for_exit_status_one_on_a_pattern(self):
        for name, found in PATTERNS.items():
            path = LOGS / f"{name}.log"
            self.assertEqual(trace("--error", path).returncode, 1 if found else 0, name)
            self.assertEqual(trace("--error", "--json", path).returncode, 1 if found else 0)
            self.assertEqual(trace(path).returncode, 0)

    def test_the_table_is_the_same_for_ours_and_for_gos(self):
        def rows(name):
            text = trace(LOGS / f"{name}.log").stdout.split("\n\n")[0]
            return re.findall(r"(?m)^  ([\w ]{10}) ", text)
        self.assertEqual(rows("even"), rows("go"))
        self.assertEqual(len(rows("go")), 9)

    def test_sums_are_those_of_the_lines(self):
        found = report("".join(LINE.format(n=n) for n in range(1, 11)))["traces"][0]
        self.assertEqual(found["epochs"], 10)
        self.assertAlmostEqual(found["span_s"], 10.0006)
        self.assertAlmostEqual(found["time_ms"], 6)
        self.assertAlmostEqual(found["time_percent"], 100 * 0.006 / 10.0006)
        self.assertEqual(found["program_percent"], 1)
        self.assertEqual(found["reasons"]["growth"], 10)
        self.assertEqual(list(found["counts"].values()),
                         [90, 80, 70, 60, 50, 40, 30, 20, 10, 0, 90])
        keys = ("cpus", "busiest_percent", "before_mb_max", "after_mb_max", "kept_mb_max",
                "goal_mb_max", "held_mb_max")
        self.assertEqual([found[key] for key in keys], [2, 51, 4, 2, 0.5, 64, 63.1])

    def test_the_span_is_from_the_first_line_where_the_log_begins_later(self):
        found = report(LINE.format(n=5) + LINE.format(n=7))["traces"][0]
        self.assertAlmostEqual(found["span_s"], 2.0006)

    def test_quantiles_are_of_the_sorted_times(self):
        def line(n):
            return LINE.format(n=n).replace("stall 0.150", f"stall {(n * 37 % 100 + 1) / 1000}")
        found = report("".join(line(n) for n in range(1, 101)))["traces"][0]["stall_ms"]
        self.assertEqual([found[key] for key in ("p50", "p90", "p99", "max")],
                         [0.05, 0.09, 0.099, 0.1])
        self.assertEqual(found["buckets"][:9], [1, 1, 2, 4, 8, 16, 32, 36, 0])

    def test_pools_are_added_up_by_name(self):
        name = r"a \"b\"\\\n\u001b" + "\u20ac"
        found = report(LINE.format(n=1) + POOL.format(n=1, name=name) + LINE.format(n=2) +
                       POOL.format(n=2, name=name) + POOL.format(n=2, name="z"))
        pools = found["traces"][0]["pools"]
        self.assertEqual([pool["name"] for pool in pools], ["a \"b\"\\\n\x1b\u20ac", "z"])
        self.assertEqual(pools[0]["counts"]["hits_cpu"], 18)
        self.assertEqual(pools[0]["counts"]["dropped_lost"], 18)
        self.assertEqual(pools[0]["before_mb_max"], 4)

    def test_arenas_are_added_up_by_name(self):
        text = (LINE.format(n=1) + ARENA.format(n=1, name=r"a \"b\"") + LINE.format(n=2) +
                ARENA.format(n=2, name="large").replace("2.50", "9.75") +
                POOL.format(n=2, name="p") + ARENA.format(n=2, name=r"a \"b\"") +
                "tide 2 apples\n")
        found = report(text)
        self.assertEqual((found["skipped"], found["damaged"]), (1, 0))
        arenas, pools = (found["traces"][0][key] for key in ("arenas", "pools"))
        self.assertEqual([pool["name"] for pool in pools], ["p"])
        self.assertEqual([arena["name"] for arena in arenas], ["large", "a \"b\""])
        self.assertEqual(list(arenas[1].values())[1:], [2, 4, 24, 10, 2, 2.5])
        self.assertRegex(trace(text=text).stdout, r"(?m)^  +resets .* arena\n"
                         r"  +12 .* 9\.75  \"large\"\n  +24 .* 2\.50  \"a ")

    def test_versions_of_gctrace_are_read(self):
        middles = {"1.12": "4->4->0 MB, 5 MB goal, 8 P\n",
                   "1.12 forced": "4->4->0 MB, 5 MB goal, 8 P (forced)\n",
                   "1.19": "4->4->0 MB, 5 MB goal, 0 MB stacks, 0 MB globals, 8 P\n",
                   "1.22": "4->4->0 MB, 5 MB goal, 1 MB stacks, 1 MB globals, 8 P (forced)\n",
                   "Windows": "4->4->0 MB, 5 MB goal, 0 MB stacks, 0 MB globals, 8 P\r\n"}
        for version, middle in middles.items():
            with self.subTest(version=version):
                found = report(GO + middle)["traces"][0]
                self.assertEqual((found["kind"], found["epochs"]), ("gctrace", 1))
                self.assertEqual(found["reasons"]["asked"], int("forced" in middle))
                self.assertAlmostEqual(found["time_ms"], 0.516)
                self.assertEqual(found["stall_ms"]["max"], 0.1)
                self.assertEqual((found["goal_mb_max"], found["cpus"]), (5, 8))

    def test_lines_of_others_are_passed_over_and_counted(self):
        others = "hello\n\ntide comes in\ngc 12 objects\nscvg: 8 MB released\n\x00\xff\x80\n"
        found = report(others + LINE.format(n=1) + "tide \n")
        self.assertEqual((found["skipped"], found["damaged"]), (7, 0))

    def test_a_line_behind_another_writers_text_is_read(self):
        found = report("loading...tide " + LINE.format(n=1) + "x gc 1 y" + GO +
                       "4->4->0 MB, 5 MB goal, 8 P\n")
        self.assertEqual([part["epochs"] for part in found["traces"]], [1, 1])

    def test_a_damaged_line_is_counted_and_not_read(self):
        whole = LINE.format(n=2)
        cuts = range(len("tide 2 @"), len(whole) - 1)
        found = report(LINE.format(n=1) + "".join(whole[:at] + "\n" for at in cuts))
        self.assertEqual((found["damaged"], found["traces"][0]["epochs"]), (len(cuts), 1))
        whole = ARENA.format(n=2, name="a")
        cuts = range(len("tide 2 a"), len(whole) - 1)
        found = report(LINE.format(n=1) + "".join(whole[:at] + "\n" for at in cuts))
        self.assertEqual((found["damaged"], found["traces"][0]["arenas"]), (len(cuts), []))
        bad = [r"\x", r"\u12", r"\u0000", r"\uffff", "\t", "\x7f", "\\"]
        found = report(LINE.format(n=1) + "".join(POOL.format(n=1, name=name) for name in bad))
        self.assertEqual((found["damaged"], found["traces"][0]["pools"]), (len(bad), []))

    def test_a_log_cut_off_anywhere_is_reported_so_far_and_fails(self):
        last = LINE.format(n=2) + POOL.format(n=2, name="p")
        whole = {0, len(LINE.format(n=2)), len(LINE.format(n=2)) - 1, len(last) - 1}
        for at in sorted(whole - {0} | set(range(1, 12)) | set(range(12, len(last), 7))):
            done = trace(text=LINE.format(n=1) + last[:at])
            self.assertIn("tidepool: ", done.stdout)
            if at in whole:
                self.assertEqual((done.returncode, done.stderr), (0, ""), last[:at])
            else:
                self.check_failure(done, "standard input: the last line is cut off")

    def test_a_go_log_cut_off_fails(self):
        text = log("go-limit")
        last = text.rindex("\ngc ")
        for at in (last + 2, last + 4, last + 40, last + 120):
            self.check_failure(trace(text=text[:at]), "the last line is cut off")

    def test_a_last_line_of_others_without_an_end_is_no_failure(self):
        for text in ("bye", "tidy", "gcc", "tide comes"):
            done = trace(text=LINE.format(n=1) + text)
            self.assertEqual((done.returncode, done.stderr), (0, ""), text)

    def test_a_cut_log_fails_even_where_patterns_are_errors(self):
        self.check_failure(trace("--error", text=log("thrash")[:-20]), "cut off")
        done = trace("--json", text=log("thrash")[:-20])
        self.check_failure(done, "cut off")
        self.assertTrue(json.loads(done.stdout)["cut"])

    def test_what_is_no_trace_gets_one_line(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "file")
            cases = [(b"", "empty"), (b"\n", "no trace"), (b"some text\nof others\n", "no trace"),
                     (b"tide", "no line of a trace is whole"),
                     (LINE.format(n=1)[:50].encode(), "no line of a trace is whole"),
                     (POOL.format(n=1, name="a").encode(), "lines of pools, but no line"),
                     (pathlib.Path(TIDE).read_bytes(), "no ")]
            for content, why in cases:
                path.write_bytes(content)
                done = trace(path)
                self.check_failure(done, f"tide: trace: {path}: {why}")
                self.assertEqual(done.stdout, "")
            self.check_failure(trace(pathlib.Path(folder, "none")), "No such file")
            self.check_failure(trace(folder), "Is a directory")

    def test_lines_are_as_long_as_they_are(self):
        long = "x" * (1 << 20)
        found = report(long + "\n" + LINE.format(n=1) + POOL.format(n=1, name=long) + long + " " +
                       LINE.format(n=2))
        self.assertEqual((found["skipped"], found["damaged"]), (1, 0))
        self.assertEqual(found["traces"][0]["epochs"], 2)
        self.assertEqual(found["traces"][0]["pools"][0]["name"], long)

    def test_many_epochs_of_a_thousand_pools_are_read(self):
        found = report("".join(LINE.format(n=n) + POOL.format(n=n, name=f"pool {n % 1000}")
                               for n in range(1, 20001)))["traces"][0]
        self.assertEqual((found["epochs"], len(found["pools"])), (20000, 1000))

    def test_standard_input_is_read_without_a_file_and_for_a_dash(self):
        self.assertEqual(trace(text=log("even")).stdout, trace("-", text=log("even")).stdout)
        self.assertEqual(trace(text=log("even")).stdout, trace(LOGS / "even.log").stdout)

    def test_usage_errors_are_named(self):
        for arguments, word in ((["--jsn"], "'--jsn'"), (["a", "b"], "'b'")):
            done = trace(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, rf"\Atide: trace: [^\n]*{word}[^\n]*\n\Z")

    def test_patterns_are_coloured_on_a_terminal_only(self):
        self.assertNotIn("\033", trace(LOGS / "thrash.log").stdout)
        master, slave = pty.openpty()
        subprocess.run([TIDE, "trace", LOGS / "thrash.log"], stdout=slave, check=True,
                       env={**os.environ, "TERM": "xterm", "NO_COLOR": ""})
        os.close(slave)
        text = b""
        while chunk := self.read_terminal(master):
            text += chunk
        os.close(master)
        self.assertIn(b"\033[33mthrash", text)

    @staticmethod
    def read_terminal(master):
        try:
            return os.read(master, 4096)
        except OSError:
            return b""

    def test_names_cannot_write_to_the_terminal(self):
        done = trace(text=LINE.format(n=1) + POOL.format(n=1, name=r"\u001b[2J"))
        self.assertIn(r'"\u001b[2J"', done.stdout)
        self.assertNotIn("\033", done.stdout)

    def run_traced(self, mode, settings):
        done = subprocess.run([TRACED, mode], env={**os.environ, "TIDE": settings}, check=True,
                              capture_output=True, text=True)
        return report(done.stderr)

    def test_what_the_library_writes_now_is_read_whole(self):
        for mode, settings in (("never", "trace:2"), ("foreign", "trace:2"),
                               ("low-limit", "trace:2,limit:8MiB"), ("even", "trace:1")):
            with self.subTest(mode=mode):
                found = self.run_traced(mode, settings)
                self.assertEqual((found["skipped"], found["damaged"]), (2, 0))
                self.assertEqual(bool(found["traces"][0]["pools"]), settings != "trace:1")
                if mode != "even":
                    self.assertLessEqual(PATTERNS[mode], patterns(found))

    def test_arenas_that_the_library_writes_now_are_read(self):
        found = self.run_traced("arenas", "trace:2")
        self.assertEqual((found["skipped"], found["damaged"]), (2, 0))
        self.assertEqual([(arena["name"], arena["created"], arena["resets"])
                          for arena in found["traces"][0]["arenas"]], [('"request"', 1, 12)])

    def test_what_go_writes_here_is_read_whole(self):
        if not shutil.which("go"):
            self.skipTest("no go")
        with tempfile.TemporaryDirectory() as folder:
            environment = {**os.environ, "GODEBUG": "gctrace=1", "GOGC": "100",
                           "GOCACHE": folder + "/cache", "GO111MODULE": "off"}
            subprocess.run(["go", "build", "-o", folder + "/collect", LOGS / "collect.go"],
                           env={**environment, "GODEBUG": ""}, check=True)
            done = subprocess.run([folder + "/collect", "4096", "3000"], env=environment,
                                  check=True, capture_output=True, text=True)
        found = report(done.stderr)
        collections = done.stderr.count("gc ")
        self.assertGreater(collections, 1)
        self.assertEqual((found["traces"][0]["epochs"], found["damaged"]), (collections, 0))
        self.assertEqual(found["skipped"], 2)

    def test_the_documented_thresholds_are_the_programs(self):
        source = (ROOT / "cli" / "trace_pattern.c").read_text(encoding="utf-8")
        constants = re.findall(r"(?m)^    ([A-Z_]+) = (\d+)", source)
        page = (ROOT / "docs" / "trace.md").read_text(encoding="utf-8")
        self.assertGreater(len(constants), 10)
        for name, value in constants:
            self.assertRegex(page, rf"\b{value}\b[^|]*`{name}`|`{name}`[^|]*\b{value}\b")


if __name__ == "__main__":
    unittest.main()
