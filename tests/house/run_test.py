#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""run_test.py: the `run` command, with apt-get and the build tools played by scripts."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

SOURCE = pathlib.Path(os.environ["SOURCE"])
VERBS = ["build", "demo", "test", "bench", "soak", "docs", "clean", "help"]

# ctest's part: writes results with the counts that the environment gives.
CTEST = """
while [ $# -gt 0 ]; do [ "$1" = --output-junit ] && out=$2; shift; done
printf '<testsuite\\n\\ttests="%s"\\n\\tfailures="%s"\\n\\tdisabled="0"\\n\\tskipped="%s"\\n' \
    $COUNTS >"$out"
printf '\\t><testcase name="a" tests="99"/>' >>"$out"
exit $CTEST_STATUS
"""

# The soak's part: a summary.
SOAK = ("echo soak: body x, seed 7, operations 10000000000, epochs 5, faults 2, lost 0, "
        "duplicated 0, leaked 0, corrupted 0, miscounted 0")


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.folder.chmod(0o755)
        (self.folder / "tests/soak").mkdir(parents=True)
        for name in ("run", "deps.txt", "tests/legs.sh", "tests/soak/soak.sh"):
            shutil.copy(SOURCE / name, self.folder / name)
        self.stub("dpkg-query", "echo installed")
        self.stub("cmake", "exit 0")

    def stub(self, name, script):
        """Puts a script in the place of a program."""
        path = self.folder / "stubs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
        path.chmod(0o755)

    def run_verb(self, *arguments, prefix=(), **environment):
        path = f"{self.folder}/stubs:{os.environ['PATH']}"
        return subprocess.run([*prefix, self.folder / "run", *arguments], capture_output=True,
                              env={**os.environ, "PATH": path, **environment}, text=True,
                              check=False)

    def test_help_lists_each_verb(self):
        for arguments in ([], ["help"], ["--help"]):
            done = self.run_verb(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for verb in VERBS:
                self.assertRegex(done.stdout, rf"(?m)^  {verb} ")

    def test_unknown_verb_and_leg_are_usage_errors(self):
        for arguments, words in ((["tset"], "unknown verb 'tset': "),
                                 (["test", "gdc"], "unknown leg 'gdc': ")):
            done = self.run_verb(*arguments)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f"run: {words}", done.stderr)

    def test_list_names_each_leg(self):
        legs = re.search(r"LEGS=\((.*)\)", (SOURCE / "tests/legs.sh").read_text())[1].split()
        listed = self.run_verb("test", "--list").stdout
        for leg in legs:
            self.assertRegex(listed, rf"(?m)^{leg} ")

    def test_packages_that_are_there_are_not_installed(self):
        self.stub("apt-get", "exit 1")
        self.assertEqual(self.run_verb("build").returncode, 0)

    @unittest.skipUnless(os.geteuid() == 0, "only root installs without sudo")
    def test_missing_packages_alone_are_installed(self):
        self.stub("dpkg-query", 'for last; do :; done; [ "$last" = gcc ] && echo installed')
        self.stub("apt-get", f'echo "$@" >>{self.folder}/asked')
        done = self.run_verb("build")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, r"==> installing \d+ packages \(build\)\n")
        asked = (self.folder / "asked").read_text().split()
        self.assertIn("cmake", asked)
        self.assertNotIn("gcc", asked)
        self.assertNotIn("wrk", asked)

    @unittest.skipUnless(os.geteuid() == 0, "only root installs without sudo")
    def test_installation_that_fails_shows_the_log_and_exits_3(self):
        self.stub("dpkg-query", "exit 1")
        self.stub("apt-get", "echo no route to the archive; exit 100")
        done = self.run_verb("build")
        self.assertEqual(done.returncode, 3)
        self.assertIn("no route to the archive\n", done.stderr)
        self.assertRegex(done.stderr, r"run: apt-get could not install: .*cmake")

    def run_as_nobody(self, *arguments):
        os.chown(self.folder, 65534, 65534)
        return self.run_verb(*arguments, prefix=["setpriv", "--reuid=65534", "--clear-groups"])

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can step down")
    def test_user_who_may_not_install_is_told_what_to_install(self):
        self.stub("dpkg-query", "exit 1")
        self.stub("sudo", "exit 1")
        done = self.run_as_nobody("build")
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"run: .*as root: apt-get install .*cmake")

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("setpriv"), "only root can step down")
    def test_user_with_sudo_installs_through_it(self):
        self.stub("dpkg-query", "exit 1")
        self.stub("sudo", 'shift; BY_SUDO=1 exec "$@"')
        self.stub("apt-get", f'echo "$BY_SUDO $@" >>{self.folder}/asked')
        self.assertEqual(self.run_as_nobody("build").returncode, 0)
        self.assertRegex((self.folder / "asked").read_text(), r"(?m)^1 install .*cmake")

    def test_build_that_fails_shows_the_end_of_its_log(self):
        self.stub("cmake", 'case "$*" in *--build*) echo undefined reference; exit 1; esac')
        done = self.run_verb("build")
        self.assertEqual(done.returncode, 3)
        self.assertIn("undefined reference\n", done.stderr)

    def run_legs(self, counts, status, *legs):
        self.stub("ctest", CTEST)
        done = self.run_verb("test", *legs, COUNTS=counts, CTEST_STATUS=str(status))
        return done.returncode, done.stdout.strip().split("\n")[-1]

    def test_sums_over_the_legs_are_the_last_line(self):
        self.assertEqual(self.run_legs("12 0 2", 0, "gcc", "clang"),
                         (0, "20 passed, 0 failed, 4 skipped"))
        self.assertEqual(self.run_legs("12 3 0", 8, "gcc", "norseq"),
                         (1, "18 passed, 6 failed, 0 skipped"))

    def test_leg_that_fails_without_a_failed_test_counts_as_one(self):
        self.assertEqual(self.run_legs("12 0 0", 8, "gcc"),
                         (1, "11 passed, 1 failed, 0 skipped"))
        self.assertEqual(self.run_legs("0 0 0", 8, "gcc"),
                         (1, "0 passed, 1 failed, 0 skipped"))

    def test_leg_that_does_not_build_counts_as_a_failure(self):
        self.stub("cmake", "exit 1")
        self.assertEqual(self.run_legs("12 0 0", 0, "gcc"), (1, "0 passed, 1 failed, 0 skipped"))

    def run_soak(self, *arguments, ctest="exit 0", soak=SOAK, **environment):
        """The verb, with a part for ctest and one for the program."""
        self.stub("ctest", f"echo $TIDE_SOAK_SECONDS >{self.folder}/round; {ctest}")
        self.stub("../build/gcc/bin/soak", f'echo "$@" >>{self.folder}/asked; {soak}')
        return self.run_verb("soak", *arguments, **environment)

    def test_soak_needs_a_number_of_seconds(self):
        for done in (self.run_soak(TIDE_SOAK_SECONDS="1m"), self.run_soak("--seconds", "1m")):
            self.assertEqual(done.returncode, 2)
            self.assertIn("'1m'", done.stderr)
        self.assertEqual(self.run_soak("--seconds").returncode, 2)
        self.assertEqual(self.run_soak("--minutes", "1").returncode, 2)

    def test_soak_divides_its_time_among_the_bodies_and_adds_up(self):
        done = self.run_soak("--seed", "7", TIDE_SOAK_SECONDS="600")
        self.assertEqual(done.returncode, 0, done.stderr)
        asked = (self.folder / "asked").read_text().split("\n")
        self.assertEqual(asked[:3], [f"--body {body} --seconds 200 --seed 7"
                                     for body in ("rseq", "cpu_id", "portable")])
        lines = done.stdout.strip().split("\n")
        self.assertEqual(len(lines), 4)
        self.assertEqual(lines[3], "soak: 30000000000 operations, 15 epochs, 6 faults injected, "
                                   "0 lost, 0 duplicated, 0 leaked, 0 corrupted, 0 miscounted")
        self.assertEqual((self.folder / "round").read_text(), "11\n")

    def test_soak_runs_one_body_when_asked_to(self):
        done = self.run_soak("--body", "portable", "--seconds", "30")
        self.assertEqual(done.returncode, 0)
        self.assertEqual((self.folder / "asked").read_text(), "--body portable --seconds 30\n")

    def test_soak_fails_when_the_program_or_the_round_does(self):
        for fault in (SOAK.replace("lost 0", "lost 3") + "; exit 1", "exit 139", "exit 77"):
            self.assertEqual(self.run_soak("--seconds", "3", soak=fault).returncode, 1)
        self.assertEqual(self.run_soak("--seconds", "3", ctest="exit 8").returncode, 1)

    def test_soak_leaves_out_a_body_that_is_not_there(self):
        script = f'[ "$2" = portable ] || exit 77; {SOAK}'
        done = self.run_soak("--seconds", "3", soak=script)
        self.assertEqual(done.returncode, 0)
        self.assertIn("\nsoak: 10000000000 operations, 5 epochs, ", "\n" + done.stdout)

    def test_every_leg_is_part_of_the_continuous_integration(self):
        text = (SOURCE / ".ci/run").read_text(encoding="ascii")
        self.assertRegex(text, r'(?m)^exec .*/run" test$')


if __name__ == "__main__":
    unittest.main()
