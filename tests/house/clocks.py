"""Where the clock is asked while a module is imported: what runs later compares that day with the one that the product then says."""

import ast
from collections.abc import Iterator
from functools import cache

from tests.house.code import Module, modules

CLOCKS = {
    *(f"datetime.{kind}" for kind in ("datetime.now", "datetime.today", "datetime.utcnow", "date.today")),
    *(f"time.{name}" for name in ("time", "time_ns", "localtime", "gmtime", "ctime")),
}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


def asked_at_import(module: Module) -> Iterator[str]:
    """Yield each place where a module asks the clock when it is imported, as ``path:line: what``.

    So do constants, class bodies, decorators, parameters and default arguments; a function of the project that asks the clock counts as one.
    """
    for call, name in _calls(module, _at_import(module.tree)):
        if name in CLOCKS or name in _that_ask():
            yield f"{module.path}:{call.lineno}: {ast.unparse(call.func)}()"


@cache
def _that_ask() -> frozenset[str]:
    """Return the functions of the project that ask the clock, themselves or by calling others that do."""
    called = {
        f"{module.name}.{function.name}": {name for _, name in _calls(module, ast.walk(function))}
        for module in modules().values()
        for function in module.tree.body
        if isinstance(function, FUNCTIONS)
    }
    found: set[str] = set()
    while more := {name for name, calls in called.items() if name not in found and calls & (CLOCKS | found)}:
        found |= more
    return frozenset(found)


def _at_import(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield what runs when a module is imported: all but the bodies of functions, and what runs only as a program."""
    todo = [tree]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, (*FUNCTIONS, ast.Lambda)):
            todo += [*node.args.defaults, *filter(None, node.args.kw_defaults), *getattr(node, "decorator_list", ())]
        elif not (isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)):
            todo += ast.iter_child_nodes(node)


def _calls(module: Module, nodes: Iterator[ast.AST]) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call among some nodes, and the whole name of what is called."""
    taken = _names(module.tree)
    for node in nodes:
        if isinstance(node, ast.Call):
            first, *rest = _dotted(node.func)
            yield node, ".".join([taken.get(first, f"{module.name}.{first}"), *rest])


def _dotted(node: ast.AST) -> list[str]:
    """Return the parts of a dotted name; one part that is no name for anything else."""
    if isinstance(node, ast.Attribute):
        return [*_dotted(node.value), node.attr]
    return [node.id if isinstance(node, ast.Name) else "?"]


@cache
def _names(tree: ast.Module) -> dict[str, str]:
    """Return what each imported name of a module stands for, whole."""
    taken = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            taken |= {n.asname: n.name for n in node.names if n.asname}
            taken |= {part: part for n in node.names if not n.asname for part in [n.name.split(".")[0]]}
        elif isinstance(node, ast.ImportFrom):
            taken |= {n.asname or n.name: f"{node.module}.{n.name}" for n in node.names}
    return taken
