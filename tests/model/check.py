#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""check.py: searches the models of this folder with spin, the sizes of the suite or larger ones.

A search is of all states (breadth first, nothing truncated, no hashing of states), or it fails.
"""
import argparse
import dataclasses
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(__file__).resolve().parent
MEMORY_MB = 2000       # of a search in the suite
LARGE_MEMORY_MB = 12000
DEPTH = 1000000        # of a search for a mistake, depth first

# What is searched: a name, the model's file, what is defined in it.
SEARCHES = {
    "epochs": ("epoch", "ADVANCES START=1"),
    "drains": ("epoch", "ADVANCES DRAINS"),
    "refused": ("epoch", "ADVANCES DRAINS REFUSALS=1 MUTATORS=1 ROUNDS=2 START=3"),
    "limits": ("epoch", "ADVANCES DRAINS KEEP LIMIT MUTATORS=1 ROUNDS=2 START=3"),
    "beside": ("epoch", "ADVANCES DRAINS EPOCHERS=2 MUTATORS=1 START=3"),
    "late": ("epoch", "ADVANCES DRAINS USED MUTATORS=1 ROUNDS=2 START=1"),
    "unpack": ("epoch", "ADVANCES OBJECTS=3 MUTATORS=1 ROUNDS=2 START=2"),
    "portable_unpack": ("epoch", "PORTABLE ADVANCES OBJECTS=3 MUTATORS=1 ROUNDS=2 START=2"),
    "portable": ("epoch", "PORTABLE ADVANCES START=1"),
    "portable_late": ("epoch", "PORTABLE ADVANCES DRAINS USED MUTATORS=1 ROUNDS=2 START=1"),
    "lists": ("batch", ""),
}

# Searches for a run that does not end: some epochs, gets and puts, one preemption.
ENDINGS = {
    "ends": ("epoch", "ADVANCES DRAINS FINITE=2 MUTATORS=1 START=3"),
    "ends_two": ("epoch", "ADVANCES FINITE=1 START=1"),
    "portable_ends": ("epoch", "PORTABLE ADVANCES DRAINS FINITE=2 MUTATORS=1 START=3"),
    "portable_ends_two": ("epoch", "PORTABLE ADVANCES FINITE=1"),
}

# Not in the suite: `check.py --large`.
LARGE = {
    "anywhere": ("epoch", "ADVANCES START=3"),
    "anywhere_drains": ("epoch", "ADVANCES DRAINS START=1"),
    "one_batch": ("epoch", "ADVANCES START=2"),
    "two_lists": ("epoch", "ADVANCES SHARDS=2"),
    "room_for_two": ("epoch", "ADVANCES CAPACITY=2 START=1"),
    "late_two": ("epoch", "ADVANCES USED START=1"),
    "portable_drains": ("epoch", "PORTABLE ADVANCES DRAINS"),
    "portable_late_two": ("epoch", "PORTABLE ADVANCES USED"),
}

# Seeded mistakes, and a search that finds each.
MISTAKES = {
    "NO_FENCE": ("epoch", "ADVANCES START=1"),
    "FENCE_ONE_CPU": ("epoch", "ADVANCES START=1"),
    "FENCE_BEFORE_SWAP": ("epoch", "ADVANCES START=1"),
    "PUBLISH_BEFORE_FENCE": ("epoch", "ADVANCES START=1"),
    "NO_READERS_WAIT": ("epoch", "ADVANCES START=1"),
    "WAIT_BEFORE_RETIRE": ("epoch", "ADVANCES START=2 MUTATORS=1"),
    "PUT_OUTSIDE_SECTION": ("epoch", "ADVANCES START=1"),
    "PRIMARY_BEFORE_SEQUENCE": ("epoch", "ADVANCES START=1"),
    "COMMIT_NOT_LAST": ("epoch", "ADVANCES START=1"),
    "TAKE_WITHOUT_EXCHANGE": ("epoch", "ADVANCES START=1"),
    "REFUSAL_IGNORED": ("epoch", "ADVANCES REFUSALS=1 START=1"),
    "DRAIN_ONCE": ("epoch", "ADVANCES DRAINS REFUSALS=1 MUTATORS=1 START=3"),
    "WAIT_WITH_LOCK": ("epoch", "ADVANCES DRAINS EPOCHERS=2 MUTATORS=1"),
    "NOT_CLOSED": ("epoch", "PORTABLE ADVANCES START=1"),
    "NOT_WAITED": ("epoch", "PORTABLE ADVANCES START=1"),
    "ENTER_CLOSED": ("epoch", "PORTABLE ADVANCES START=1"),
    "USED_ASKED_EARLY": ("epoch", "PORTABLE ADVANCES USED MUTATORS=1 START=1"),
    "PRIMARY_NOT_RELOADED": ("epoch", "PORTABLE ADVANCES FINITE=1 MUTATORS=1 START=1"),
    "NO_TAG": ("batch", ""),
}


@dataclasses.dataclass
class Result:
    """What spin says: `found` is the first error, or '' after a search of everything."""

    found: str
    states: int
    memory_mb: float
    seconds: float  # of CPU


class Incomplete(Exception):
    """A search that was cut short, or could not be begun."""


def run(command, folder):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def build(folder, model, defines, options):
    """Writes and compiles the verifier of a model."""
    words = [f"-D{word}" for word in defines.split()]
    status, said = run(["spin", *words, "-a", FOLDER / f"{model}.pml"], folder)
    if status or not (folder / "pan.c").exists() or "rror" in said:
        raise Incomplete(f"spin: {said}")
    status, said = run(["gcc", "-w", *options, "-o", "pan", "pan.c"], folder)
    if status:
        raise Incomplete(f"gcc: {said}")


def cpu_seconds():
    """Of the programs that have been run, whatever else the machine does."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def search(model, defines, options, arguments):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        build(folder, model, defines, options)
        before = cpu_seconds()
        _, said = run(["./pan", "-w24", *arguments], folder)
        return read(said, cpu_seconds() - before)


def read(said, seconds):
    """Takes the verifier's report apart; a report of half a search is no result."""
    found = re.search(r"^pan:\d+: (.*)", said, re.MULTILINE)
    errors = re.search(r"errors: (\d+)", said)
    states = re.search(r"^\s*(\S+) states, stored", said, re.MULTILINE)
    memory = re.search(r"(\S+)\s+total actual memory usage", said)
    cut = re.search(r"too small|MEMLIM|out of memory|not completed|Bit statespace", said)
    full = re.search(r"^Full statespace search", said, re.MULTILINE)
    if not (errors and states and full) or (not found and (cut or errors[1] != "0")):
        raise Incomplete(said)
    return Result(found[1] if found else "", round(float(states[1])),
                  float(memory[1]) if memory else 128.0, seconds)


def search_all(model, defines, memory_mb=MEMORY_MB):
    """Every state, or an error that comes first."""
    return search(model, defines,
                  ["-O2", "-DBFS", "-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={memory_mb}"], [])


def search_endings(model, defines):
    """Every run: one that goes round for ever is an error."""
    return search(model, defines, ["-O2", "-DNP", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MB}"],
                  ["-l", f"-m{DEPTH}"])


def search_mistake(mistake):
    """Depth first, which is where mistakes are found soon: before gcc has optimised anything."""
    model, defines = MISTAKES[mistake]
    defines += f" FAULT_{mistake}"
    if "FINITE" in defines:
        return search_endings(model, defines)
    return search(model, defines, ["-DSAFETY", "-DCOLLAPSE", f"-DMEMLIM={MEMORY_MB}"],
                  [f"-m{DEPTH}"])


def report(name, result):
    print(f"{name:24} {result.states:12,} states {result.memory_mb:8,.0f} MB "
          f"{result.seconds:7.1f} s  {result.found or 'no error'}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--large", action="store_true", help="the larger sizes alone")
    parser.add_argument("names", nargs="*", help="some searches, endings or mistakes")
    options = parser.parse_args()
    names = options.names or list(LARGE if options.large else [*SEARCHES, *ENDINGS, *MISTAKES])
    wrong = 0
    for name in names:
        if name in MISTAKES:
            result = search_mistake(name)
        elif name in ENDINGS:
            result = search_endings(*ENDINGS[name])
        else:
            result = search_all(*{**SEARCHES, **LARGE}[name],
                                LARGE_MEMORY_MB if name in LARGE else MEMORY_MB)
        report(name, result)
        wrong += bool(result.found) != (name in MISTAKES)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
