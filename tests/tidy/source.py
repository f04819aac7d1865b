# SPDX-License-Identifier: MIT
"""source.py: the tracked files of a tree, and what C, Python, Go and shell say in them."""
import ast
import dataclasses
import functools
import pathlib
import re
import subprocess

C_SUFFIXES = {".c", ".h", ".cc", ".cpp", ".hpp"}
CODE_SUFFIXES = C_SUFFIXES | {".py", ".sh", ".cmake", ".go", ".lua", ".in"}

# Comments, strings and character constants of C; a string may hold what looks like a comment.
C_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n\\]|\\\n|\\.)*", re.MULTILINE)
AFTER_PARAMETERS = re.compile(
    r"\)\s*(?:(?:const|noexcept|override|final|__attribute__\s*\(\(.*?\)\))\s*)*(?::[^{]*)?$",
    re.DOTALL)


@dataclasses.dataclass
class Function:
    """A definition: `length` counts its lines from the brace (or def) on, but no blank ones."""

    path: pathlib.PurePath
    line: int
    name: str
    length: int
    header: str


class File:
    """One tracked file, read once; `path` is relative to the tree."""

    def __init__(self, root, path):
        self.path = pathlib.PurePath(path)
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.splitlines()

    @property
    def is_c(self):
        return self.path.suffix in C_SUFFIXES

    @property
    def kind(self):
        """The suffix that tells the language; files without one tell it in their first line."""
        if self.path.name == "CMakeLists.txt":
            return ".cmake"
        if self.path.suffix in CODE_SUFFIXES:
            return self.path.suffix
        first = self.lines[0] if self.lines else ""
        if first.startswith("#!"):
            return ".py" if "python" in first else ".sh"
        return ".sh" if "completion" in self.path.parts else ""

    @functools.cached_property
    def bare(self):
        """C without comments and with empty strings, line for line."""
        return C_TOKEN.sub(_blank, self.text)

    @functools.cached_property
    def comments(self):
        """C's comments alone, line for line: everything else is blanks."""
        found = [m.span() for m in C_TOKEN.finditer(self.text) if m[0].startswith("/")]
        inside = [False] * len(self.text)
        for start, end in found:
            inside[start:end] = [True] * (end - start)
        kept = (c if keep or c == "\n" else " " for c, keep in zip(self.text, inside))
        return "".join(kept).split("\n")

    @functools.cached_property
    def functions(self):
        if self.is_c:
            return list(_c_functions(self))
        if self.kind == ".py":
            return list(_python_functions(self))
        starts = {".sh": r"^(\w+)\(\) \{$", ".go": r"^func (?:\(.*?\) )?(\w+)"}.get(self.kind)
        return list(_brace_functions(self, starts)) if starts else []


def tracked(root):
    """The files that git knows below `root` and that are there, whoever owns the checkout."""
    names = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=root,
                           check=True, stdout=subprocess.PIPE, text=True).stdout.split("\0")
    return [File(root, name) for name in names if name and (root / name).is_file()]


def _blank(match):
    token = match[0]
    if token[0] in "\"'":
        return token[0] * 2 + " " * (len(token) - 2)
    return re.sub(r"[^\n]", " ", token)


def _length(lines):
    return sum(1 for line in lines if line.strip())


def _c_functions(file):
    """Braces at the level of the file, a namespace or a class that follow a parameter list."""
    code = PREPROCESSOR.sub(_blank, file.bare)
    open_braces, start, header = [], 0, ""
    for match in re.finditer(r"[{};]", code):
        container = all(kind == "container" for kind, _, _ in open_braces)
        if match[0] == "{":
            header = code[start:match.start()].strip()
            open_braces.append((_brace_kind(header) if container else "block",
                                match.start(), header))
        elif match[0] == "}" and open_braces:
            kind, begin, header = open_braces.pop()
            if kind == "function":
                yield _c_function(file, begin, match.end(), header)
        if container or not open_braces or open_braces[-1][0] == "container":
            start = match.end()


def _brace_kind(header):
    if re.search(r"\b(?:namespace|extern)\b[^()]*$", header):
        return "container"
    if AFTER_PARAMETERS.search(header) and "=" not in _outside_parentheses(header):
        return "function"
    return "container" if re.match(r"(?:template.*)?(?:class|struct)\b", header) else "block"


def _outside_parentheses(text):
    previous = None
    while previous != text:
        previous, text = text, re.sub(r"\([^()]*\)", "", text)
    return text


def _c_function(file, begin, end, header):
    line = file.text.count("\n", 0, begin) + 1
    last = file.text.count("\n", 0, end) + 1
    name = re.search(r"(~?\w+)\s*\(", header)
    return Function(file.path, line, name[1] if name else "?",
                    _length(file.lines[line - 1:last]), header)


def _python_functions(file):
    for node in ast.walk(ast.parse(file.text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield Function(file.path, node.lineno, node.name,
                           _length(file.lines[node.lineno - 1:node.end_lineno]), "")


def _brace_functions(file, start):
    """Shell and Go, where the closing brace of a function stands in the first column."""
    begin = None
    for number, line in enumerate(file.lines, 1):
        match = re.match(start, line)
        if match:
            begin, name = number, match[1]
        if line.startswith("}") and begin:
            yield Function(file.path, begin, name, _length(file.lines[begin - 1:number]), "")
            begin = None
