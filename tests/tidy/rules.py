# SPDX-License-Identifier: MIT
"""rules.py: the limits of docs/style.md, one function each; yields (path, line, message)."""
import functools
import pathlib
import re
import shutil
import statistics
import subprocess
import tempfile

FUNCTION_LINES, FILE_LINES, LINE_COLUMNS = 60, 600, 100
MEDIAN_LINES, PERCENTILE_LINES = 10, 35

PLATFORM = re.compile(
    r"\b(?:__x86_64__|__i386__|__aarch64__|__arm\w*|__riscv\w*|__linux\w*|linux|__unix\w*"
    r"|__APPLE__|__FreeBSD__|_WIN\w*|_MSC_VER|__GNUC\w*|__clang\w*|__GLIBC\w*|__SANITIZE\w*"
    r"|__has_feature|__OPTIMIZE\w*|__VALGRIND\w*|TIDE__ASAN|TIDE__TSAN)\b")
ASSEMBLY_FILES = {"base/percpu_x86_64.h", "base/percpu_aarch64.h"}
ORDERED = re.compile(
    r"\b(?:memory_order_|memory_order::|__ATOMIC_)(?:acquire|release|acq_rel|consume)\b", re.I)

MACHINE_PATHS = re.compile(r"(?<![\w.}])/(?:work|home|root|Users|mnt)/\w")
HOSTS = re.compile(
    r"(?:\w+\.)?debian\.org/debian|\b(?:deb|security|snapshot|ftp)\.debian\.org"
    r"|registry\.npmjs\.|pypi\.org|proxy\.golang\.|crates\.io|archive\.ubuntu\.")


def function_length(tree):
    for file in tree.files:
        for function in file.functions:
            if function.length > FUNCTION_LINES:
                yield (file.path, function.line, f"{function.name} has {function.length} lines, "
                       f"{FUNCTION_LINES} are allowed")


def c_lengths(tree):
    return [function.length for file in tree.files if file.is_c for function in file.functions]


def percentile(lengths, share):
    """The length that at least `share` of them do not exceed."""
    ordered = sorted(lengths)
    return ordered[max(0, -(-int(share * len(ordered) * 100) // 100) - 1)] if ordered else 0


def function_median(tree):
    median = statistics.median(c_lengths(tree) or [0])
    if median > MEDIAN_LINES:
        yield ".", 0, f"the median function has {median} lines, {MEDIAN_LINES} are allowed"


def function_percentile(tree):
    ninth = percentile(c_lengths(tree), 0.9)
    if ninth > PERCENTILE_LINES:
        yield (".", 0, f"the 90th percentile of functions has {ninth} lines, "
               f"{PERCENTILE_LINES} are allowed")


def file_length(tree):
    for file in tree.code:
        if len(file.lines) > FILE_LINES:
            yield file.path, FILE_LINES, f"{len(file.lines)} lines, {FILE_LINES} are allowed"


def line_length(tree):
    for file in tree.code:
        for number, line in enumerate(file.lines, 1):
            columns = len(line.expandtabs(4))
            if columns > LINE_COLUMNS:
                yield file.path, number, f"{columns} columns, {LINE_COLUMNS} are allowed"


def platform_if(tree):
    for file in tree.c:
        if file.path.parts[0] == "base":
            continue
        for number, line in enumerate(file.bare.split("\n"), 1):
            found = re.match(r"\s*#\s*(?:el)?if", line) and PLATFORM.search(line)
            if found:
                yield file.path, number, f"#if on {found[0]} outside base/"


def assembly(tree):
    for file in tree.c:
        if str(file.path) in ASSEMBLY_FILES:
            continue
        for number, line in enumerate(file.bare.split("\n"), 1):
            if re.search(r"\b(?:asm|__asm|__asm__)\b", line):
                yield file.path, number, "assembly outside " + " and ".join(sorted(ASSEMBLY_FILES))


def atomic_pairs(tree):
    for file in tree.c:
        code = file.bare.split("\n")
        for number, line in enumerate(code, 1):
            found = ORDERED.search(line)
            if found and "pairs with " not in _comment_of(file, code, number - 1):
                yield file.path, number, f"{found[0]} without a comment 'pairs with NAME'"


def _comment_of(file, code, index):
    """The comments in the statement of that line and of the block right above it."""
    while index > 0 and code[index - 1].strip() and not re.search(r"[;{}]\s*$", code[index - 1]):
        index -= 1
    first, last = index, index
    while not re.search(r"[;{}]\s*$", code[last]) and last + 1 < len(code):
        last += 1
    while first > 0 and file.comments[first - 1].strip() and not code[first - 1].strip():
        first -= 1
    words = " ".join(file.comments[first:last + 1])
    return re.sub(r"[\s*/]+", " ", words).lower()


def exported_prefix(tree):
    for file in tree.c:
        if file.path.suffix != ".c" or file.path.parts[0] not in tree.modules:
            continue
        for function in file.functions:
            hidden = re.search(r"\bstatic\b", function.header)
            if not hidden and not function.name.startswith("tide_"):
                yield file.path, function.line, f"{function.name} is linked without tide_ in front"


COMPILERS = [("gcc", "c11"), ("clang", "c11"), ("g++", "c++17"), ("clang++", "c++17")]


def header_alone(tree):
    """All public headers in one folder, as they are installed, each compiled by itself."""
    headers = [file for file in tree.c if file.path.parts[0] in tree.modules
               and re.fullmatch(r"tide_\w+\.h", file.path.name)]
    with tempfile.TemporaryDirectory() as folder:
        for header in headers:
            shutil.copy(tree.root / header.path, folder)
        for header in headers:
            for compiler, standard in COMPILERS:
                error = _compile_alone(folder, header.path.name, compiler, standard)
                if error:
                    yield header.path, 1, f"{compiler} -std={standard}: {error}"


@functools.cache
def _package_flags():
    """Of the libraries that public headers are for and whose headers are in folders of theirs."""
    done = subprocess.run(["pkg-config", "--cflags", "libxml-2.0", "lua5.4"],
                          capture_output=True, text=True, check=False)
    return done.stdout.replace("-I", "-isystem").split()


def _compile_alone(folder, name, compiler, standard):
    language = "c++" if "+" in standard else "c"
    done = subprocess.run(
        [compiler, f"-std={standard}", "-pedantic-errors", "-Wall", "-Wextra", "-Werror",
         "-fsyntax-only", "-I", folder, *_package_flags(), "-x", language, "-"],
        input=f"#include <{name}>\nextern int not_empty;\n", capture_output=True, text=True,
        check=False)
    return done.stderr.strip().split("\n")[0] if done.returncode else ""


def formatting(tree):
    paths = [str(file.path) for file in tree.c]
    if not paths:
        return
    done = subprocess.run(["clang-format", "--dry-run", *paths], cwd=tree.root,
                          capture_output=True, text=True, check=False)
    seen = set()
    for path, line in re.findall(r"^(\S+?):(\d+):\d+: \w+: code should be", done.stderr, re.M):
        if path not in seen:
            seen.add(path)
            yield path, int(line), "clang-format would change it, here first"


# What opens a comment, and a comment's words, in any of the languages.
OPENING = re.compile(r'^(?:#!.*\n)?(?:/\*|//|#|--|\.\\")\s*SPDX-License-Identifier: MIT')
PURPOSE = re.compile(r'^(?:/\*|\*|//|#|--|"""|\.\\")\s*(?:/\*|\*)?\s*\S+(?: \S+){3}')


def purpose(tree):
    for file in tree.code:
        if not OPENING.match(file.text):
            yield file.path, 1, "the first line is not SPDX-License-Identifier: MIT in a comment"
            continue
        after = file.text[OPENING.match(file.text).end():].split("\n", 1)[-1]
        if not PURPOSE.match(re.sub(r"^(/\*\n|\"\"\"\n)", "", after).strip()):
            yield file.path, 2, "no sentence below the first line says what the file is for"


def machine(tree):
    for file in tree.files:
        for number, line in enumerate(file.lines, 1):
            found = MACHINE_PATHS.search(line) or HOSTS.search(line)
            if found:
                yield file.path, number, f"'{found[0]}' is of one machine or registry"


def links(tree):
    """Links of documents to other files of the tree."""
    for file in tree.files:
        if file.path.suffix != ".md":
            continue
        for number, line in enumerate(file.lines, 1):
            for target in re.findall(r"\]\((?!\w+:|#)([^)#\s]+)", line):
                if not (tree.root / file.path.parent / target).exists():
                    yield file.path, number, f"{target} is not there"


RULES = {
    "function-length": function_length,
    "function-median": function_median,
    "function-percentile": function_percentile,
    "file-length": file_length,
    "line-length": line_length,
    "platform-if": platform_if,
    "assembly": assembly,
    "atomic-pairs": atomic_pairs,
    "exported-prefix": exported_prefix,
    "header-alone": header_alone,
    "formatting": formatting,
    "purpose": purpose,
    "machine": machine,
    "links": links,
}


class Tree:
    """A checkout: its files, its C files, its code, and the modules its CMakeLists.txt names."""

    def __init__(self, root, files):
        self.root = pathlib.Path(root)
        self.files = files
        self.c = [file for file in files if file.is_c]
        self.code = [file for file in files if file.kind]
        page = "".join(file.text for file in files if str(file.path) == "CMakeLists.txt")
        self.modules = set(re.findall(r"^tide_module\((\w+)", page, re.MULTILINE))
