#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""tidy.py: checks a checkout against the limits of docs/style.md and prints its figures."""
import argparse
import collections
import pathlib
import statistics
import sys

import rules
import source


def print_figures(tree):
    """Function lengths of C and C++, by top folder and in all."""
    lengths = collections.defaultdict(list)
    for file in tree.c:
        lengths[file.path.parts[0]] += [function.length for function in file.functions]
    lengths["all"] = rules.c_lengths(tree)
    print("lines of C and C++ functions, opening to closing brace, blank lines not counted")
    print(f"{'folder':10} {'functions':>9} {'median':>7} {'90 %':>5} {'longest':>8}")
    for folder, values in lengths.items():
        if values:
            print(f"{folder:10} {len(values):9} {statistics.median(values):7.1f} "
                  f"{rules.percentile(values, 0.9):5} {max(values):8}")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--list", action="store_true", help="print the names of the rules")
    parser.add_argument("--figures", action="store_true", help="print the lengths of functions")
    parser.add_argument("--only", choices=rules.RULES, help="check one rule")
    parser.add_argument("root", nargs="?", default=".", type=pathlib.Path)
    options = parser.parse_args()
    if options.list:
        print("\n".join(rules.RULES))
        return 0
    tree = rules.Tree(options.root, source.tracked(options.root))
    if options.figures:
        print_figures(tree)
    return check(tree, [options.only] if options.only else rules.RULES)


def check(tree, names):
    found = 0
    for name in names:
        for path, line, message in rules.RULES[name](tree):
            print(f"{path}:{line}: {name}: {message}")
            found += 1
    print(f"{len(tree.files)} files, {found} findings")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
