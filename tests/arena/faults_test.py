#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""faults_test.py: programs that misuse an arena are caught by what checks, and survive without."""
import os
import signal
import subprocess
import unittest

FAULTY = os.environ["FAULTY"]
EMULATOR = os.environ.get("EMULATOR", "").split()
SANITIZER = os.environ.get("SANITIZER", "")
STALE = ("after_reset", "write_after_reset", "large_after_reset", "after_rewind", "after_destroy",
         "cached_across_requests")
BOUNDS = ("past_the_end", "before_the_start")


def run(*command, settings=""):
    """An emulator pays for addresses: fewer of them."""
    environment = {**os.environ, "TIDE": "arena-range:4GiB," + settings}
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False,
                          timeout=100)


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def check_survives(self, name, settings=""):
        done = run(*EMULATOR, FAULTY, name, settings=settings)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "survived\n", ""), name)

    def check_guarded(self, name):
        done = run(*EMULATOR, FAULTY, name, settings="arena-guard:1")
        self.assertEqual(done.returncode, -signal.SIGSEGV, (name, done.stderr))
        self.assertRegex(done.stderr, r"^tide: arena 'request': use of 0x[0-9a-f]+, which it gave "
                         r"back at reset \d or in the cycle after it\n", name)

    def check_address_sanitizer(self, name):
        done = run(FAULTY, name)
        self.assertNotEqual(done.returncode, 0, name)
        self.assertIn("AddressSanitizer: use-after-poison", done.stderr, name)
        self.assertIn("faulty.c" if name != "freed_twice" else "tide_ambient_free", done.stderr)

    def need_plain(self):
        if SANITIZER:
            self.skipTest("a sanitizer stops the program")

    def test_without_checks_misuse_goes_on(self):
        self.need_plain()
        for name in STALE + BOUNDS + ("freed_twice", "uninitialised"):
            self.check_survives(name)

    def test_a_guarded_arena_faults_on_what_it_gave_back_and_is_named(self):
        self.need_plain()
        for name in STALE:
            self.check_guarded(name)

    def test_a_guarded_arena_leaves_right_programs_alone(self):
        self.need_plain()
        for name in BOUNDS + ("freed_twice",):
            self.check_survives(name, settings="arena-guard:1")

    def test_a_handler_of_before_is_still_called(self):
        self.need_plain()
        done = run(*EMULATOR, FAULTY, "handled", settings="arena-guard:1")
        self.assertEqual((done.returncode, done.stdout), (0, "handled\nsurvived\n"), done.stderr)
        self.assertIn("tide: arena 'request'", done.stderr)

    def test_no_ambient_block_is_handed_out_without_addresses(self):
        done = run(*EMULATOR, FAULTY, "without_addresses", settings="arena-range:1")
        self.assertEqual((done.returncode, done.stdout), (0, "refused\nsurvived\n"), done.stderr)

    def test_address_sanitizer_stops_misuse(self):
        if SANITIZER != "address,undefined":
            self.skipTest("not built with AddressSanitizer")
        for name in STALE + BOUNDS + ("freed_twice",):
            self.check_address_sanitizer(name)


if __name__ == "__main__":
    unittest.main()
