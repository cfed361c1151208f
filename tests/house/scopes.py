"""Which queries read rows about children, and whether they carry the caller's scope: read off the code, statement by statement."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

from tests.house.code import Module, modules

# What limits a query to the caller's scope: the caller's own conditions, and functions that return them.
HELPERS = (
    "duties_in_scope",
    "left_here",
    "_of_scope",
    "_in_scope",
    "_in_group",
    "_select",
    "_mine",
    "_running",
    "_top",
    "own",
)
SCOPE = re.compile(rf"\bcaller\.(children|scope|scope_of_authority)\b|(?<!\w)({'|'.join(HELPERS)})\(")
READS = ("select", "exists")
LIMITS = ("where", "and_", "or_", "not_", "join", "exists")
GOES_ON = (*LIMITS, "add_columns", "select_from", "group_by", "order_by", "limit", "subquery", "distinct")


@cache
def tables() -> frozenset[str]:
    """Return the names of the classes of tables whose rows are about a child: those with a pupil, or a case of one."""
    names = set()
    for module in modules().values():
        if module.room == "serving" and "Mapped[" in module.source:
            for node in ast.walk(module.tree):
                if isinstance(node, ast.ClassDef):
                    columns = {
                        n.target.id
                        for n in node.body
                        if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
                    }
                    if columns & {"pupil_id", "case_id"}:
                        names.add(node.name)
    return frozenset(names)


def unscoped(module: Module) -> Iterator[tuple[str, int]]:
    """Yield the function and line of each query of a module that reads rows about children without a scope."""
    for function in ast.walk(module.tree):
        if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
            statements = list(_simple(function))
            for statement in statements:
                if _reads(statement):
                    text = _slice(statement, statements)
                    if not _is_scoped(text):
                        yield function.name, statement.lineno


def _is_scoped(text: str) -> bool:
    return bool(SCOPE.search(text))


def _simple(function: ast.AST) -> Iterator[ast.stmt | ast.expr]:
    """Yield the statements of a function that hold no others, and the heads of those that do; functions inside are themselves looked at."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        if isinstance(node, (ast.For, ast.AsyncFor)):
            yield node.iter
        elif isinstance(node, (ast.While, ast.If)):
            yield node.test
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            yield from (item.context_expr for item in node.items)
        elif isinstance(node, ast.stmt) and not hasattr(node, "body"):
            yield node
        if hasattr(node, "body"):
            yield from _simple(node)


def _reads(statement: ast.AST) -> bool:
    named = {n.id for n in ast.walk(statement) if isinstance(n, ast.Name)} & (tables() | {"table"})
    calls = (n.func for n in ast.walk(statement) if isinstance(n, ast.Call))
    return bool(named) and any(isinstance(f, ast.Attribute) and f.attr in READS for f in calls)


def _slice(start: ast.AST, statements: list[ast.stmt | ast.expr]) -> str:
    """Return the statement with those of the function that make its conditions, and those that go on with its query.

    Pupils that another query found are no condition: a child may have moved since.
    """
    taken = [start]
    while True:
        makes = {n.id for s in taken for n in ast.walk(s) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
        needs = {name for s in taken for name in _conditions(s)}
        within = {name for s in taken for name in _subqueries(s)}
        more = [
            s
            for s in statements
            if s not in taken
            and (_goes_on_with(s) & makes or _stores(s) & needs or (_stores(s) & within and not _is_run(s)))
        ]
        if not more:
            return "\n".join(ast.unparse(s) for s in taken)
        taken += more


def _conditions(statement: ast.AST) -> Iterator[str]:
    """Yield the variables that stand as conditions, or lists of them, in a statement's queries."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Starred) and isinstance(node.value, ast.Name):
            yield node.value.id
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LIMITS:
            yield from (argument.id for argument in node.args if isinstance(argument, ast.Name))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Name):
            yield node.operand.id
    yield from _goes_on_with(statement)


def _subqueries(statement: ast.AST) -> Iterator[str]:
    """Yield the variables whose values a statement's queries compare with: those of another query, or pupils that one found."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "in_":
            yield from (argument.id for argument in node.args if isinstance(argument, ast.Name))


def _is_run(statement: ast.AST) -> bool:
    """Return whether a statement runs a query, so that what it makes are rows."""
    return any(isinstance(n, ast.Attribute) and n.attr == "connection" for n in ast.walk(statement))


def _goes_on_with(statement: ast.AST) -> set[str]:
    """Return the variables whose query a statement restricts or joins."""
    attributes = (n for n in ast.walk(statement) if isinstance(n, ast.Attribute) and n.attr in GOES_ON)
    return {n.value.id for n in attributes if isinstance(n.value, ast.Name)}


def _stores(statement: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(statement) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
