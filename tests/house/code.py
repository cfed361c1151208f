"""The project's Python files and what can be read off them; ``python -m tests.house.code [PLACE ...]`` lists what is out of place."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import tokenize
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
ROOMS = ("histories", "features", "training", "serving", "onroll")
# These take any number of like things in a row: columns, words of a command, a case's steps.
VARIADIC = {"zip", "select", "create_table", "do", "run", "onroll", "put", "_named"}
MAX_LINES, MAX_COLUMNS, MAX_FILES, MAX_POSITIONAL = 350, 120, 20, 5
TEXT = {tokenize.STRING, tokenize.COMMENT} | {
    getattr(tokenize, name) for name in ("FSTRING_START", "FSTRING_MIDDLE", "FSTRING_END") if hasattr(tokenize, name)
}


@dataclass(frozen=True)
class Module:
    """One Python file of the project."""

    path: str

    @cached_property
    def source(self) -> str:
        return (ROOT / self.path).read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.source)

    @property
    def name(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")

    @property
    def room(self) -> str:
        return self.path.split("/")[0]


@cache
def modules() -> dict[str, Module]:
    """Return every Python file that git knows or would take, by its dotted name."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    if not listed:  # an unpacked archive is no checkout
        listed = [
            str(f.relative_to(ROOT)) for room in (*ROOMS, "tests", "benchmarks") for f in (ROOT / room).rglob("*.py")
        ]
    found = [Module(path) for path in sorted(listed) if (ROOT / path).is_file()]
    return {m.name: m for m in found}


def imports(module: Module, *, at_import: bool = False) -> Iterator[tuple[str, str | None]]:
    """Yield each module of the project that a module imports and the name it takes; ``at_import`` leaves lazy imports out."""
    lazy = set()
    if at_import:
        for node in ast.walk(module.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                lazy |= {id(n) for n in ast.walk(node) if isinstance(n, (ast.Import, ast.ImportFrom))}
    known = modules()
    for node in ast.walk(module.tree):
        if id(node) in lazy:
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if whole in known:
                    yield whole, None
                elif node.module in known:
                    yield node.module, alias.name


def circles() -> list[list[str]]:
    """Return every circle of imports, those for types and those inside functions included."""
    graph = {n: {to for to, _ in imports(m) if to != n} for n, m in modules().items() if m.room in ROOMS}
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(node: str) -> None:  # Tarjan 1972
        index[node] = low[node] = len(index)
        stack.append(node)
        for to in graph.get(node, ()):
            if to not in index:
                visit(to)
                low[node] = min(low[node], low[to])
            elif to in stack:
                low[node] = min(low[node], index[to])
        if low[node] == index[node]:
            part = []
            while not part or part[-1] != node:
                part.append(stack.pop())
            if len(part) > 1:
                found.append(sorted(part))

    for node in graph:
        if node not in index:
            visit(node)
    return found


def misplaced(module: Module) -> Iterator[str]:
    """Yield what stands out of place in a file, as ``path:line: what``."""
    lines = module.source.splitlines()
    if len(lines) > MAX_LINES:
        yield f"{module.path}:1: {len(lines)} lines, more than {MAX_LINES}"
    for number, line in enumerate(lines, 1):
        if "# fmt: " + "skip" in line or "# fmt: " + "off" in line:
            yield f"{module.path}:{number}: held in shape by force"
    yield from (f"{module.path}:{n}: longer than {MAX_COLUMNS} columns" for n in _long_lines(module, lines))
    for node in ast.walk(module.tree):
        where = f"{module.path}:{getattr(node, 'lineno', 0)}"
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and isinstance(node.value, ast.Lambda):
            yield f"{where}: a lambda bound to a name"
        if isinstance(node, ast.IfExp) and any(
            isinstance(inner, ast.IfExp) for part in (node.body, node.test, node.orelse) for inner in ast.walk(part)
        ):
            yield f"{where}: a nested ternary"
        if (
            isinstance(node, ast.Call)
            and sum(not isinstance(a, ast.Starred) for a in node.args) > MAX_POSITIONAL
            and getattr(node.func, "attr", getattr(node.func, "id", "")) not in VARIADIC
        ):
            yield f"{where}: a call with {len(node.args)} positional arguments"


def _long_lines(module: Module, lines: list[str]) -> Iterator[int]:
    """Yield code lines that are too long; a line whose excess is text (a sentence, a row of a table) may be longer."""
    text = defaultdict(set)
    for token in tokenize.generate_tokens(io.StringIO(module.source).readline):
        if token.type in TEXT:
            for line in range(token.start[0], token.end[0] + 1):
                text[line].add(token.start[1] if line == token.start[0] else 0)
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS and not any(start < MAX_COLUMNS for start in text[number]):
            yield number


def crowded() -> list[str]:
    """Return the folders with too many code files beside each other and no README that says why."""
    count = Counter(m.path.rpartition("/")[0] for m in modules().values() if not m.path.endswith("__init__.py"))
    return sorted(d for d, n in count.items() if n > MAX_FILES and not (ROOT / d / "README.md").is_file())


def unnamed() -> list[str]:
    """Return the modules of folders with a README for being large that it does not name: nobody would find them there.

    Where one module is one rule or one revision, by number, the README says how they are numbered.
    """
    folders = Counter(m.path.rpartition("/")[0] for m in modules().values() if not m.path.endswith("__init__.py"))
    large = {
        d: (ROOT / d / "README.md").read_text() for d, n in folders.items() if n > MAX_FILES and d not in crowded()
    }
    return sorted(
        m.path
        for m in modules().values()
        if (folder := m.path.rpartition("/")[0]) in large
        and not m.path.endswith("__init__.py")
        and not re.match(r"(test_)?h?\d{3,4}_|conftest$", (name := m.path.rpartition("/")[2].removesuffix(".py")))
        and not re.search(rf"\b{name}\b", large[folder])
    )


if __name__ == "__main__":
    places = sys.argv[1:] or [""]
    rows = [r for m in modules().values() if m.path.startswith(tuple(places)) for r in misplaced(m)]
    sys.stdout.write(
        "\n".join(
            [
                *rows,
                f"{len(rows)} out of place",
                f"circles: {circles()}",
                f"crowded: {crowded()}",
                f"unnamed: {unnamed()}",
            ]
        )
        + "\n"
    )
