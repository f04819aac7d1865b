#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""cli_test.py: the tide command as its users meet it."""
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import unittest

TIDE = os.environ["TIDE_COMMAND"]
CLI = pathlib.Path(__file__).resolve().parents[2] / "cli"
COMMANDS = ["doctor", "trace", "help"]
CHECKS = ["rseq", "mm_cid", "membarrier", "huge pages", "PSI", "cgroup v2", "gcc", "clang"]


def tide(*arguments, **environment):
    return subprocess.run([TIDE, *arguments], env={**os.environ, **environment},
                          capture_output=True, text=True, check=False)


def tide_on_a_terminal(*arguments, **environment):
    """What the command writes to a terminal."""
    master, slave = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", **environment}
    subprocess.run([TIDE, *arguments], env=environment, stdout=slave, check=True)
    os.close(slave)
    text = b""
    try:
        while chunk := os.read(master, 4096):
            text += chunk
    except OSError:
        pass
    os.close(master)
    return text.decode()


class Test(unittest.TestCase):
    """Each method's name is a sentence that holds."""

    def check_usage_error(self, done, word):
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"^tide: [^\n]+\n$")
        self.assertIn(word, done.stderr)

    def test_version_is_the_projects(self):
        done = tide("--version")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(done.stdout, f"tide {os.environ['TIDE_VERSION']}\n")

    def test_help_lists_each_command(self):
        for arguments in (["help"], ["--help"], ["-h"]):
            done = tide(*arguments)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            for command in COMMANDS:
                self.assertRegex(done.stdout, rf"(?m)^  {command} +\w+")

    def test_help_explains_each_command(self):
        for command in COMMANDS:
            done = tide("help", command)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout.startswith(f"usage: tide {command}"))
        for command in ("doctor", "trace"):
            self.assertEqual(tide(command, "--help").stdout, tide("help", command).stdout)

    def test_unknown_command_is_a_usage_error(self):
        self.check_usage_error(tide("dctor"), "unknown command 'dctor': ")
        self.check_usage_error(tide("help", "dctor"), "unknown command 'dctor': ")

    def test_unknown_option_is_a_usage_error(self):
        self.check_usage_error(tide("doctor", "--jsn"), "unknown option '--jsn': ")
        self.check_usage_error(tide("--vrsion"), "'--vrsion': ")

    def test_no_command_and_a_word_too_many_are_usage_errors(self):
        self.check_usage_error(tide(), "no command")
        self.check_usage_error(tide("help", "doctor", "now"), "'now'")

    def test_doctor_says_of_each_thing_whether_it_is_there(self):
        done = tide("doctor")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        lines = done.stdout.split("\n")
        for check in CHECKS:
            self.assertTrue(any(re.match(rf"{check} +(found|absent)  ", line) for line in lines))
        self.assertRegex(done.stdout, r"\npools use the (rseq|portable) body here\n$")

    def test_doctor_says_what_an_absence_costs(self):
        lines = tide("doctor", PATH="").stdout.split("\n")
        for compiler in ("gcc", "clang"):
            at = next(n for n, line in enumerate(lines) if line.startswith(f"{compiler} "))
            self.assertIn("absent", lines[at])
            self.assertRegex(lines[at + 1], r"^ +costs: \w+")

    def test_doctor_prints_valid_json(self):
        report = json.loads(tide("doctor", "--json").stdout)
        self.assertEqual(report["version"], os.environ["TIDE_VERSION"])
        self.assertIn(report["body"], ("rseq", "portable"))
        self.assertEqual([check["name"] for check in report["checks"]], CHECKS)
        for check in report["checks"]:
            self.assertIsInstance(check["found"], bool)
            self.assertTrue(check["detail"] and check["cost"])

    def test_doctor_without_rseq_says_what_that_costs(self):
        done = tide("doctor", GLIBC_TUNABLES="glibc.pthread.rseq=0")
        self.assertRegex(done.stdout, r"(?m)^rseq +absent .*\n +costs: .*slower")
        self.assertTrue(done.stdout.endswith("pools use the portable body here\n"))

    def test_without_pressure_figures_doctor_says_so_and_pacing_goes_on(self):
        hide = ["unshare", "--map-root-user", "--mount", "sh", "-c",
                "mount -t tmpfs none /proc/pressure && exec \"$@\"", "sh"]
        if subprocess.run([*hide, "true"], capture_output=True, check=False).returncode:
            self.skipTest("nothing can be mounted here")
        done = subprocess.run([*hide, TIDE, "doctor"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"(?m)^PSI +absent .*\n +costs: .*pressure:1.* do not follow")
        done = subprocess.run([*hide, os.environ["TIDE_TRACED"], "even"], capture_output=True,
                              env={**os.environ, "TIDE": "pressure:1,thread:1,age:1s"}, text=True,
                              check=False)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr.count("\n"), 2, done.stderr)

    def test_doctor_says_why_pressure_cannot_be_followed(self):
        for line in tide("doctor").stdout.split("\n"):
            if re.match("(PSI|cgroup v2) +found", line):
                self.assertNotIn("trigger", line)
            elif re.match("(PSI|cgroup v2) +absent", line):
                self.assertRegex(line, r"trigger|no /proc/pressure/memory|not mounted")

    def test_doctor_fails_on_an_absence_only_when_asked_to(self):
        self.assertEqual(tide("doctor", PATH="").returncode, 0)
        self.assertEqual(tide("doctor", "--error", PATH="").returncode, 1)
        self.assertEqual(tide("doctor", "--json", "--error", PATH="").returncode, 1)

    def test_colour_is_for_terminals_whose_users_want_it(self):
        self.assertNotIn("\033", tide("doctor").stdout)
        self.assertIn("\033[", tide_on_a_terminal("doctor", NO_COLOR=""))
        self.assertNotIn("\033", tide_on_a_terminal("doctor", NO_COLOR="1"))
        self.assertNotIn("\033", tide_on_a_terminal("doctor", TERM="dumb"))

    def test_output_that_cannot_be_written_is_a_failure(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run([TIDE, "help"], stdout=full, stderr=subprocess.PIPE,
                                  text=True, check=False)
        self.assertEqual(done.returncode, 3)
        self.assertRegex(done.stderr, r"^tide: standard output: ")

    def test_manual_page_is_right_and_names_every_command_and_option(self):
        page = CLI / "tide.1"
        text = page.read_text(encoding="ascii")
        words = set(re.findall(r"(?:Cm|Fl) (-?-?\w+)", text))
        options = set(re.findall(r"--\w+", "".join(tide("help", c).stdout for c in COMMANDS)))
        self.assertLessEqual(set(COMMANDS) | {option[1:] for option in options}, words)
        if not shutil.which("mandoc"):
            self.skipTest("no mandoc")
        done = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", page],
                              capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_manual_page_has_each_key_of_the_environment_variable(self):
        source = (CLI.parent / "base" / "settings.c").read_text(encoding="ascii")
        keys = re.findall(r'\[TIDE__\w+\] = \{"([\w-]+)"', source)
        self.assertGreater(len(keys), 10)
        page = (CLI / "tide.1").read_text(encoding="ascii")
        listed = re.findall(r"(?m)^\.It Cm ([\w-]+) :", page)
        self.assertEqual(listed, keys)

    def test_completion_offers_commands_and_options(self):
        script = (f"source '{CLI}/completion/tide'; for words in tide, tide,doc tide,doctor,--j"
                  " tide,trace,-- tide,trace,/dev/nul tide,help,t;"
                  " do IFS=, read -ra COMP_WORDS <<<$words,x; unset 'COMP_WORDS[-1]';"
                  " COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _tide; echo ${COMPREPLY[@]}; done")
        done = subprocess.run(["bash", "-uc", script], capture_output=True, text=True, check=False)
        self.assertEqual(done.stderr, "")
        self.assertEqual(done.stdout.split("\n"),
                         ["doctor trace help --version --help", "doctor", "--json",
                          "--json --error --help", "/dev/null", "trace", ""])


if __name__ == "__main__":
    unittest.main()
