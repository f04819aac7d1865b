#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""golden_test.py: the fast paths are as the table has them, and the check notices when not."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).resolve().parent
TABLE = FOLDER / "fast_paths.txt"


def golden(*arguments, table=TABLE, compiler=os.environ["TIDE_COMPILER"]):
    return subprocess.run(
        [sys.executable, FOLDER / "golden.py", "--library", os.environ["TIDE_LIBRARY"],
         "--compiler", compiler, "--table", table, *arguments],
        capture_output=True, text=True, check=False)


class Copy(tempfile.TemporaryDirectory):
    """A copy of the table in which one line is another one."""

    def __enter__(self):
        self.path = pathlib.Path(super().__enter__()) / "fast_paths.txt"
        return self

    def write(self, change):
        lines = TABLE.read_text(encoding="utf-8").splitlines()
        self.path.write_text("\n".join(map(change, lines)) + "\n", encoding="utf-8")
        return self.path


def one_load_less(line):
    words = line.split()
    if words[0] != "get" or words[2] == "load":
        return line
    words[2] = str(int(words[2]) - 1)
    words[-1] = str(int(words[-1]) - 1)
    return " ".join(words)


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def test_fast_paths_are_as_the_table_has_them(self):
        done = golden()
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        if "skipped" in done.stdout:
            self.skipTest(done.stdout)

    def test_a_path_that_has_grown_is_shown_with_how_to_update(self):
        if "skipped" in golden().stdout:
            self.skipTest("another compiler than the table's")
        with Copy() as copy:
            done = golden(table=copy.write(one_load_less))
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stdout, r"(?m)^-get +\S+ +6 ")
            self.assertRegex(done.stdout, r"(?m)^\+get +\S+ +7 ")
            self.assertIn("--update", done.stdout)

    def test_update_writes_what_was_built_and_leaves_other_compilers(self):
        if "skipped" in golden().stdout:
            self.skipTest("another compiler than the table's")
        with Copy() as copy:
            path = copy.write(lambda line: line.replace("put ", "set "))
            self.assertEqual(golden("--update", table=path).returncode, 0)
            kept = [line for line in path.read_text(encoding="utf-8").splitlines()
                    if line.startswith("set ")]
            self.assertEqual(golden(table=path).returncode, 0)
            self.assertEqual(len(kept), 1)

    def test_another_compiler_is_skipped_with_a_sentence(self):
        done = golden(compiler="GNU 99.1.0")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stdout, r"^golden: skipped: .* and this is gcc-99\n$")


if __name__ == "__main__":
    unittest.main()
