#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""checked_test.py: runs faulty programs, reads what is said of them, and runs their twins."""
import os
import pathlib
import re
import shlex
import signal
import subprocess
import unittest

PROGRAMS = pathlib.Path(os.environ["PROGRAMS"])
SYMBOLIZER = os.environ["SYMBOLIZER"]
VALGRIND = os.environ.get("VALGRIND", "")
EMULATOR = shlex.split(os.environ.get("EMULATOR", ""))
ASAN = "address" in os.environ.get("SANITIZE", "")
TSAN = "thread" in os.environ.get("SANITIZE", "")

SITE = re.compile(r"(?:\w+\+0x[0-9a-f]+ \()?([\w.-]+)\+0x([0-9a-f]+)\)?")


def run(program, *arguments, tide="check:1", prefix=()):
    """What a program does with that in its environment."""
    environment = {**os.environ, "TIDE": tide}
    return subprocess.run([*prefix, *EMULATOR, PROGRAMS / program, *arguments],
                          capture_output=True, env=environment, text=True, check=False,
                          timeout=60)


def function_at(site):
    """The function of a program that a call site of a message is in."""
    program, offset = SITE.fullmatch(site).groups()
    done = subprocess.run(
        [SYMBOLIZER, "--no-inlines", f"--obj={PROGRAMS / program}", "0x" + offset],
        capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[0]


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def expect(self, program, pattern, *functions, **how):
        """The program aborts after a line that matches, whose groups are sites of these."""
        done = run(program, **how)
        lines = [line for line in done.stderr.split("\n") if line.startswith("tide: pool ")]
        self.assertEqual(len(lines), 1, done.stderr)
        found = re.fullmatch("tide: pool " + pattern, lines[0])
        self.assertTrue(found, lines[0])
        self.assertEqual([function_at(site) for site in found.groups()], list(functions))
        self.assertEqual(done.returncode, -signal.SIGABRT, done.stderr)

    def expect_quiet(self, *arguments, **how):
        done = run(*arguments, **how)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def test_double_put_is_reported_with_both_puts(self):
        self.expect("double_put", r"'buffers': double put of 0x\w+: put at (.*), "
                    "put before at (.*)", "clean_up", "handle")

    def test_foreign_put_is_reported_with_put_and_get(self):
        self.expect("foreign_put", r"'replies': foreign put of 0x\w+: put at (.*), "
                    r"got from pool 'requests' at (.*)", "give_back", "borrow")

    def test_put_of_other_memory_is_reported(self):
        self.expect("unknown_put", r"'records': foreign put of 0x\w+: put at (.*), "
                    "it is no object of this pool", "give_back")

    def test_put_of_a_destroyed_object_is_reported(self):
        self.expect("destroyed_put", r"'records': put of 0x\w+, which is destroyed: put at (.*), "
                    "put before at (.*)", "clean_up", "handle")

    @unittest.skipIf(ASAN, "the sanitizer reports it first")
    def test_write_after_put_is_reported_by_the_next_get(self):
        self.expect("write_after_put", r"'records': use after put of 0x\w+: 2 bytes written from "
                    "offset 7 on: put at (.*), found at (.*)", "handle", "borrow")

    @unittest.skipIf(ASAN, "the sanitizer reports it first")
    def test_write_after_put_is_reported_when_the_object_is_destroyed(self):
        self.expect("destroyed_dirty", r"'records': use after put of 0x\w+: 100 bytes written from "
                    "offset 0 on: put at (.*), found when it was destroyed", "handle")

    @unittest.skipUnless(ASAN, "needs AddressSanitizer")
    def test_use_after_put_is_the_sanitizers_at_its_line(self):
        for program, function in (("read_after_put", "read_late"),
                                  ("write_after_put", "write_late")):
            done = run(program)
            self.assertRegex(done.stderr, rf"use-after-poison(?s:.*?)#0 0x\w+ in {function} ")
            self.assertNotEqual(done.returncode, 0)

    @unittest.skipIf(ASAN or TSAN or EMULATOR or not VALGRIND, "needs valgrind")
    def test_use_after_put_is_valgrinds_at_its_line(self):
        valgrind = (VALGRIND, "--quiet", "--error-exitcode=9")
        done = run("read_after_put", prefix=valgrind)
        self.assertRegex(done.stderr, r"Invalid read of size 4\n.*: read_late \(")
        self.assertEqual(done.returncode, 9)
        self.expect_quiet("read_after_put", "right", prefix=valgrind)
        self.expect_quiet("reuse", "right", tide="check:1,drop:25,seed:1", prefix=valgrind)

    def test_loans_are_reported_at_destroy_and_the_program_goes_on(self):
        done = run("leak")
        found = re.fullmatch(r"tide: pool 'buffers': 5 on loan when it was destroyed at (.*): "
                             r"3 got at (.*), 2 got at (.*)\n", done.stderr)
        self.assertTrue(found, done.stderr)
        self.assertEqual([function_at(site) for site in found.groups()],
                         ["end", "borrow", "borrow_more"])
        self.assertEqual((done.returncode, done.stdout), (0, "went on\n"))

    def test_right_twins_run_clean(self):
        for drop in (0, 25, 100):
            for program in sorted(PROGRAMS.iterdir()):
                with self.subTest(program=program.name, drop=drop):
                    self.expect_quiet(program.name, "right", tide=f"check:1,drop:{drop},seed:1")

    def test_faults_pass_where_nothing_is_checked(self):
        for program in ("foreign_put", "leak", "reuse"):
            self.expect_quiet(program, tide="check:0")

    def test_reuse_fails_under_random_drops(self):
        done = run("reuse", tide="check:1,drop:25")
        self.assertEqual(done.returncode, 1)
        seeds = re.fullmatch(r"tide: checked pools drop 25 % of what is put; the same again by "
                             r"TIDE=(check:1,drop:25,seed:\d+)\n", done.stderr)
        self.assertTrue(seeds, done.stderr)
        again = run("reuse", tide=seeds[1])
        self.assertEqual((again.returncode, again.stdout, again.stderr), (1, done.stdout, ""))
        rounds = {run("reuse", tide=f"check:1,drop:25,seed:{seed}").stdout for seed in range(9)}
        self.assertGreater(len(rounds), 1)

    def test_drops_are_as_many_as_asked_for(self):
        self.assertEqual(run("reuse", tide="check:1").returncode, 0)
        self.assertEqual(run("reuse", tide="check:1,drop:100").stdout, "round 1 finds 0\n")

    def test_a_checked_build_checks_and_drops_unless_told_not_to(self):
        self.assertEqual(run("built_double_put", tide="").returncode, -signal.SIGABRT)
        self.assertEqual(run("built_reuse", tide="").returncode, 1)
        self.assertEqual(run("built_reuse", tide="drop:0").returncode, 0)
        self.expect_quiet("built_reuse", tide="check:0")


if __name__ == "__main__":
    unittest.main()
