#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""selftest.py: plants a violation of each rule in a copy of the tree; tidy must name them all."""
import pathlib
import shutil
import subprocess
import sys
import tempfile

import rules
import source

HEAD = """\
/* SPDX-License-Identifier: MIT */
/*
 * planted.c: a file that breaks one rule of many.
 */
"""


def function(name, statements, before="static "):
    return f"{before}int {name}(void)\n{{\n" + "    work();\n" * statements + "}\n"


def functions(count, statements):
    return HEAD + "".join(function(f"f{n}", statements) for n in range(count))


def plants(count):
    """Rule -> (path, text) for a tree of `count` C functions."""
    load = "static int f(_Atomic int *p)\n{\n    return atomic_load_explicit(p, %s);\n}\n"
    return {
        "function-length": ("cli/long_function.c", functions(1, 60)),
        "function-median": ("cli/median.c", functions(count + 1, 10)),
        "function-percentile": ("cli/percentile.c", functions(count, 36)),
        "file-length": ("cli/long_file.c", HEAD + "int i;\n" * 600),
        "line-length": ("cli/long_line.c", HEAD + "/* " + "x" * 100 + " */\n"),
        "platform-if": ("cli/platform.c", HEAD + "#ifdef __x86_64__\n#endif\n"),
        "assembly": ("base/assembly.c", HEAD + 'static void f(void)\n{\n    asm("nop");\n}\n'),
        "atomic-pairs": ("pool/pairs.c", HEAD + load % "memory_order_acquire"),
        "exported-prefix": ("pool/prefix.c", HEAD + function("pool_count", 1, before="")),
        "header-alone": ("pool/tide_planted.h", HEAD + "size_t tide_planted(void);\n"),
        "formatting": ("cli/format.c", HEAD + "int  i;\n"),
        "purpose": ("cli/purpose.c", "/* SPDX-License-Identifier: MIT */\nint i;\n"),
        "machine": ("cli/machine.md", "see " + "/ho" + "me/somebody/notes\n"),
        "links": ("docs/planted.md", "see [the page](of/nothing.md#here)\n"),
    }


# What looks like a violation and is none.
TWINS = {
    "cli/twins.c": HEAD + """\
/* asm and #if __linux__ in a comment, and the word memory_order_release. */
#if defined(__cplusplus)
#endif
static const char *const text = "asm volatile { {";
static const int table[] = {1, 2};

static int read_it(_Atomic int *p)
{
    /* Pairs
     * with the release in write_it. */
    return atomic_load_explicit(p, memory_order_acquire);
}
""",
    "docs/twins.md": "[a](twins.md#there), [b](https://example.org/c), [d](#e), x[1] (y)\n",
    "pool/twins.c": HEAD + "int tide__twin(void)\n{\n    return 0;\n}\n",
}


def copy_tree(root, target):
    for file in source.tracked(root):
        place = target / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(root / file.path, place)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)


def plant(target, files):
    for path, text in files:
        place = target / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, encoding="utf-8")
    subprocess.run(["git", "add", "-A"], cwd=target, check=True)


def run_tidy(target, *options):
    script = pathlib.Path(__file__).with_name("tidy.py")
    return subprocess.run([sys.executable, script, *options, target], capture_output=True,
                          text=True, check=False).stdout


def count_functions(target):
    return len(rules.c_lengths(rules.Tree(target, source.tracked(target))))


def complain(condition, message):
    if condition:
        print(message)
    return bool(condition)


def check_plants(root):
    """How many rules did not report what was planted for them, and only for them."""
    wrong = 0
    for rule, (path, text) in plants(1000).items():
        with tempfile.TemporaryDirectory() as folder:
            target = pathlib.Path(folder)
            copy_tree(root, target)
            subprocess.run(["git", "add", "-A"], cwd=target, check=True)
            if rule.startswith("function-"):
                path, text = plants(count_functions(target))[rule]
            before = run_tidy(target, "--only", rule)
            plant(target, [(path, text)])
            added = set(run_tidy(target, "--only", rule).split("\n")) - set(before.split("\n"))
            where = "." if rule in ("function-median", "function-percentile") else path
            wrong += complain(not any(line.startswith(where) and f" {rule}: " in line
                                      for line in added), f"{rule}: planted and not reported")
    return wrong


def check_twins(root):
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder)
        copy_tree(root, target)
        plant(target, TWINS.items())
        lines = [line for line in run_tidy(target).split("\n") if "/twins." in line]
        return sum(complain(line, f"reported though right: {line}") for line in lines)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    wrong = len(set(rules.RULES) ^ set(plants(1)))
    complain(wrong, "not every rule has its plant")
    wrong += check_plants(root) + check_twins(root)
    print(f"{len(rules.RULES)} rules, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
