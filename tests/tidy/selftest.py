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
    subprocess.run(["git", "add", "-A"], cwd=target, check=True)


def run_tidy(target, files, *options):
    """What tidy prints of the tree with these files added; they are taken away again."""
    script = pathlib.Path(__file__).with_name("tidy.py")
    for path, text in files.items():
        (target / path).parent.mkdir(parents=True, exist_ok=True)
        (target / path).write_text(text, encoding="utf-8")
    subprocess.run(["git", "add", "--intent-to-add", *files], cwd=target, check=True)
    done = subprocess.run([sys.executable, script, *options, target], stdout=subprocess.PIPE,
                          text=True, check=False)
    for path in files:
        (target / path).unlink()
    return done.stdout.split("\n")


def complain(condition, message):
    if condition:
        print(message)
    return bool(condition)


def check_plants(target):
    """How many rules did not report what was planted for them."""
    wrong = 0
    count = len(rules.c_lengths(rules.Tree(target, source.tracked(target))))
    for rule, (path, text) in plants(count).items():
        where = "." if rule in ("function-median", "function-percentile") else path
        lines = run_tidy(target, {path: text}, "--only", rule)
        found = any(line.startswith(f"{where}:") and f" {rule}: " in line for line in lines)
        wrong += complain(not found, f"{rule}: planted and not reported")
    return wrong


def check_twins(target):
    """How many lines tidy prints about what only looks like a violation."""
    lines = [line for line in run_tidy(target, TWINS) if "/twins." in line]
    return sum(complain(line, f"reported though right: {line}") for line in lines)


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    wrong = len(set(rules.RULES) ^ set(plants(1)))
    complain(wrong, "not every rule has its plant")
    with tempfile.TemporaryDirectory() as folder:
        target = pathlib.Path(folder)
        copy_tree(root, target)
        wrong += check_plants(target) + check_twins(target)
    print(f"{len(rules.RULES)} rules, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
