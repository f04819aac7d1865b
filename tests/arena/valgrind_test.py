#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""valgrind_test.py: programs that misuse an arena are reported by valgrind."""
import unittest

from faults_test import FAULTY, run

REPORTS = {
    "after_reset": "Invalid read of size 1",
    "past_the_end": "Invalid read of size 1",
    "cached_across_requests": "Invalid read of size 1",
    "freed_twice": "Invalid read of size 8",
    "uninitialised": "depends on uninitialised",
}


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def test_misuse_of_arenas_is_reported(self):
        for name, words in REPORTS.items():
            done = run("valgrind", "--quiet", "--error-exitcode=9", FAULTY, name)
            self.assertEqual(done.returncode, 9, (name, done.stderr))
            self.assertRegex(done.stderr, words, name)


if __name__ == "__main__":
    unittest.main()
