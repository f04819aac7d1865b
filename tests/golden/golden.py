#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""golden.py: counts the instructions of the fast paths in a built library, by class, and compares
them with a table that is checked in, so that none grows without a diff in review.

A hit's path is what runs from a function's first instruction to its `ret` when the sequence
commits: of all ways through the code that store the stack's word, jump to no slow half and call
nothing but the hook, the shortest. The idea is that of tcmalloc's golden fast paths.

    golden.py --library build/gcc/libtidepool.so --compiler "GNU 12.2.0"
    golden.py --library ... --compiler ... --update     after a change that is wanted
"""
import argparse
import difflib
import pathlib
import re
import subprocess
import sys
from dataclasses import dataclass

TABLE = pathlib.Path(__file__).with_name("fast_paths.txt")
CLASSES = ("load", "store", "branch", "call", "alu")
COLUMNS = ("function", "compiler", *CLASSES, "total")
NAMES = {"GNU": "gcc", "Clang": "clang"}

# The path, the functions that it may run through, the hooks that it calls.
PATHS = (("get", ("tide_pool_get",), 0),
         ("put", ("tide_pool_put",), 0),
         ("put_reset", ("tide_pool_put", "put_hooked"), 1))


@dataclass(frozen=True)
class Instruction:
    address: int
    name: str
    operands: str
    target: int = None  # of a jump or a call whose place is known
    symbol: str = None  # that it leads to

    @property
    def destination(self):
        """The last operand, in which AT&T's order writes."""
        return re.split(r",(?![^(]*\))", self.operands)[-1]

    @property
    def is_jump(self):
        return self.name.startswith("j")

    @property
    def is_call(self):
        return self.name.startswith("call")

    @property
    def is_return(self):
        return self.name.startswith(("ret", "repz ret"))

    @property
    def commits(self):
        return self.name.startswith("mov") and bool(
            re.fullmatch(r"%r\w+,\(%r\w+\)", self.operands))

    def kind(self):
        """One class for each: what it does to memory decides, if it does something."""
        if self.is_call:
            return "call"
        if self.is_jump or self.is_return:
            return "branch"
        if self.name.startswith("push"):
            return "store"
        if self.name.startswith("pop"):
            return "load"
        if self.name.startswith(("lea", "nop", "data16", "endbr")) or "(" not in self.operands:
            return "alu"
        reads = self.name.startswith(("cmp", "test")) or "(" not in self.destination
        return "load" if reads else "store"


class Stop(Exception):
    """Ends the command: the text is printed."""


# ---- Reading the code

LINE = re.compile(r"^\s*([0-9a-f]+):\t(?:(?:bnd|notrack) )?(\S+)\s*([^#<]*)(?:<([^>+]+)[^>]*>)?")


def disassemble(library, symbol):
    """A function's instructions by address."""
    done = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", f"--disassemble={symbol}", str(library)],
        capture_output=True, text=True, check=False)
    if done.returncode:
        raise Stop(f"objdump: {done.stderr.strip()}")
    code = {}
    for line in done.stdout.splitlines():
        match = LINE.match(line)
        if match:
            address, name, operands, to = match.groups()
            operands = operands.strip()
            place = re.fullmatch("[0-9a-f]+", operands)
            code[int(address, 16)] = Instruction(
                int(address, 16), name, operands, int(operands, 16) if place else None, to)
    if not code:
        raise Stop(f"{library}: no function {symbol}")
    return code


def next_addresses(code):
    addresses = sorted(code)
    return dict(zip(addresses, addresses[1:]))


# ---- The path of a hit

def ways_on(instruction, code, following, symbols):
    """The addresses where the path may go on."""
    ways = []
    if not instruction.is_return and instruction.name not in ("jmp", "jmpq"):
        ways.append(following.get(instruction.address))
    if instruction.is_jump and instruction.target in code and instruction.symbol in symbols:
        ways.append(instruction.target)
    return [way for way in ways if way is not None]


def paths(code, entry, symbols):
    """All ways from the entry to a `ret` on which nothing is visited twice."""
    following = next_addresses(code)
    stack = [(entry, ())]
    while stack:
        address, before = stack.pop()
        instruction = code[address]
        if instruction in before or (instruction.is_call and instruction.symbol):
            continue
        path = (*before, instruction)
        if instruction.is_return:
            yield path
        stack += [(way, path) for way in ways_on(instruction, code, following, symbols)]


def hit_path(library, symbols, hooks):
    code, entry = {}, None
    for symbol in symbols:
        part = disassemble(library, symbol)
        entry = min(part) if entry is None else entry
        code.update(part)
    hits = [path for path in paths(code, entry, symbols)
            if any(instruction.commits for instruction in path)
            and sum(instruction.is_call for instruction in path) == hooks]
    if not hits:
        raise Stop(f"{library}: no way through {symbols[0]} commits")
    return min(hits, key=len)


def row(library, compiler, path):
    name, symbols, hooks = path
    instructions = hit_path(library, symbols, hooks)
    kinds = [instruction.kind() for instruction in instructions]
    return (name, compiler, *(str(kinds.count(kind)) for kind in CLASSES), str(len(kinds)))


# ---- The table

def read_table(path):
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    rows = [tuple(line.split()) for line in lines if line and not line.startswith("#")]
    return [line for line in rows if line != COLUMNS]


def format_table(rows):
    lines = ["# SPDX-License-Identifier: MIT",
             "# Instructions of a hit by class; golden.py says what counts and writes this."]
    for line in [COLUMNS, *sorted(rows)]:
        lines.append("".join(f"{cell:<{width}}" for cell, width in zip(
            line, (11, 10, 6, 7, 8, 6, 5, 5))).rstrip())
    return lines


def compare(path, compiler, measured):
    """Returns the lines of a diff, none if the table is right."""
    table = read_table(path)
    if not any(line[1] == compiler for line in table):
        known = ", ".join(sorted({line[1] for line in table}))
        print(f"golden: skipped: {path.name} has {known}, and this is {compiler}")
        return []
    others = [line for line in table if line[1] != compiler]
    return list(difflib.unified_diff(format_table(table), format_table(others + measured),
                                     path.name, "built", lineterm="", n=0))


def short_name(compiler):
    """`GNU 12.2.0` is gcc-12."""
    kind, version = compiler.split()
    return f"{NAMES.get(kind, kind)}-{version.split('.')[0]}"


def parse_arguments():
    parser = argparse.ArgumentParser(prog="golden", description=__doc__.split("\n\n")[0])
    parser.add_argument("--library", type=pathlib.Path, required=True)
    parser.add_argument("--compiler", required=True, help="CMake's name and version of it")
    parser.add_argument("--table", type=pathlib.Path, default=TABLE)
    parser.add_argument("--update", action="store_true", help="write what was built to the table")
    parser.add_argument("--print", action="store_true", help="show the paths themselves")
    return parser.parse_args()


def print_paths(library):
    for name, symbols, hooks in PATHS:
        print(f"{name}:")
        for instruction in hit_path(library, symbols, hooks):
            print(f"  {instruction.kind():7} {instruction.name} {instruction.operands}")


def main():
    arguments = parse_arguments()
    compiler = short_name(arguments.compiler)
    if arguments.print:
        print_paths(arguments.library)
        return 0
    measured = [row(arguments.library, compiler, path) for path in PATHS]
    if arguments.update:
        others = [line for line in read_table(arguments.table) if line[1] != compiler]
        text = "\n".join(format_table(others + measured)) + "\n"
        arguments.table.write_text(text, encoding="utf-8")
        return 0
    difference = compare(arguments.table, compiler, measured)
    if difference:
        print("\n".join(difference))
        print(f"golden: a fast path has changed. If that is wanted, commit what this writes:\n"
              f"  python3 tests/golden/golden.py --library {arguments.library} "
              f"--compiler '{arguments.compiler}' --update")
    return int(bool(difference))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Stop as why:
        sys.exit(f"golden: {why}")
