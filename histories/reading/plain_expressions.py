"""Evaluate Narwhals expressions on plain lists: for few rows this is faster than planning a query.

It reads the private nodes of an expression, so ``pyproject.toml`` pins the minor version of Narwhals; property tests
compare this engine with the others. ``supports`` returns whether it can evaluate an expression.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from functools import lru_cache
from types import NoneType
from typing import Any

import narwhals as nw

from histories.calendar import day_of

Column = list[Any]
Window = tuple[Callable[[Column, dict[str, Any]], Column], dict[str, Any]]  # a step over a window, and its arguments


def evaluate(
    expression: nw.Expr, columns: dict[str, Column], height: int, groups: list[list[int]] | None = None
) -> tuple[str, Column]:
    """Return the name and the values of an expression.

    Parameters
    ----------
    columns : dict
        ``{name: values}``, each with ``height`` values; None is a missing value.
    groups : list of list of int, optional
        The rows of each group, for an aggregation; by default all rows form one group.

    Raises
    ------
    KeyError
        For a missing column or an unsupported step (see ``supports``).
    """
    name, values = "literal", []
    window: Window = (_shifted, {"n": 0})
    for node in expression._nodes:
        step = node.name
        if step == "col":
            (name,) = node.kwargs["names"]
            values = columns[name]
        elif step == "lit":
            values = [node.kwargs["value"]] * height
        elif step == "alias":
            name = node.kwargs["name"]
        elif step in WINDOWS:
            window = WINDOWS[step], node.kwargs
        elif step == "over":
            values = _over(window, values, columns, node.kwargs)
        elif step == "len":
            name, values = "len", [len(g) for g in groups] if groups is not None else [height]
            height = len(values)
        elif step in AGGREGATIONS:
            whole = groups if groups is not None else [list(range(height))]
            put_together = AGGREGATIONS[step]
            values = [put_together([v for i in g if (v := values[i]) is not None]) for g in whole]
            height = len(values)
        elif step in HORIZONTAL:
            given = [_argument(e, node, columns, height) for e in node.exprs]
            if name == "literal":
                name = given[1 if step == "when_then" else 0][0]
            values = HORIZONTAL[step]([v for _, v in given], node.kwargs)
        else:
            others = [e if _constant(e, node) else _argument(e, node, columns, height)[1] for e in node.exprs]
            values = STEPS[step](values, others, node.kwargs)
    return name, values


def supports(expression: nw.Expr) -> bool:
    """Return whether this engine supports every step of an expression."""
    steps = [node.name for node in expression._nodes]
    of_windows = zip([*steps, None], [None, *steps], strict=True)  # each step with the one before it
    return all((step == "over") == (before in WINDOWS) for step, before in of_windows) and all(
        (node.name in KNOWN or (node.name == "col" and len(node.kwargs["names"]) == 1))
        and all(supports(e) for e in node.exprs if isinstance(e, nw.Expr))
        for node in expression._nodes
    )


def _constant(given: Any, node: Any) -> bool:
    return not isinstance(given, nw.Expr) and (node.str_as_lit or not isinstance(given, str))


def _argument(given: Any, node: Any, columns: dict[str, Column], height: int) -> tuple[str, Column]:
    if isinstance(given, nw.Expr):
        return evaluate(given, columns, height)
    if _constant(given, node):
        return "literal", [given] * height
    return given, columns[given]


def _two(f: Callable[[Any, Any], Any], *, turned: bool = False) -> Callable[[Column, list[Any], Any], Column]:
    """Return a step with two operands, null where either is null."""

    def step(values: Column, others: list[Any], _: Any) -> Column:
        other = others[0]
        if other is None:
            return [None] * len(values)
        if not isinstance(other, list):
            if turned:
                return [None if a is None else f(other, a) for a in values]
            return [None if a is None else f(a, other) for a in values]
        if turned:
            return [None if a is None or b is None else f(b, a) for a, b in zip(values, other, strict=True)]
        return [None if a is None or b is None else f(a, b) for a, b in zip(values, other, strict=True)]

    return step


def _one(f: Callable[[Any], Any]) -> Callable[[Column, list[Any], Any], Column]:
    return lambda values, _, __: [None if v is None else f(v) for v in values]


def _both(a: bool | None, b: bool | None) -> bool | None:
    if a is False or b is False:
        return False
    return None if a is None or b is None else True


def _either(a: bool | None, b: bool | None) -> bool | None:
    if a is True or b is True:
        return True
    return None if a is None or b is None else False


def _pairwise(
    f: Callable[[bool | None, bool | None], bool | None], given: list[Column], neutral: bool, ignore_nulls: bool
) -> Column:
    """Return whether all, or any, of some columns are true; ``neutral`` stands for nulls that are ignored, and changes nothing."""
    if ignore_nulls:
        given = [[neutral if v is None else v for v in column] for column in given]
    whole, *others = given
    for other in others:
        whole = [f(a, b) for a, b in zip(whole, other, strict=True)]
    return whole


def _over(
    window: Window,
    values: Column,
    columns: dict[str, Column],
    kwargs: dict[str, Any],
) -> Column:
    """Return a window function over the rows of each group in their order, nulls first."""
    function, given = window
    keys, order = ([columns[c] for c in kwargs[by]] for by in ("partition_by", "order_by"))
    groups: dict[tuple[Any, ...], list[int]] = {}
    for i in sorted(range(len(values)), key=lambda i: [(c[i] is not None, c[i]) for c in order]):
        groups.setdefault(tuple(c[i] for c in keys), []).append(i)
    over: Column = [None] * len(values)
    for rows in groups.values():
        for i, value in zip(rows, function([values[i] for i in rows], given), strict=True):
            over[i] = value
    return over


def _shifted(values: Column, given: dict[str, Any]) -> Column:
    n, none = given["n"], [None] * min(abs(given["n"]), len(values))
    return none + values[: len(values) - len(none)] if n > 0 else values[len(none) :] + none


def _running_max(values: Column, given: dict[str, Any]) -> Column:
    """Return the largest value so far, or from here on; null where the value is."""
    newest, running = None, []
    for value in reversed(values) if given["reverse"] else values:
        newest = value if newest is None or (value is not None and value > newest) else newest
        running.append(None if value is None else newest)
    return running[::-1] if given["reverse"] else running


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if not a or a != a else math.copysign(math.inf, a)


def _whole(a: int, b: int) -> int | None:
    return a // b if b else None


def _cast(values: Column, _: list[Any], kwargs: dict[str, Any]) -> Column:
    kind = kwargs["dtype"]
    # A date stays a day number.
    to = {nw.Float64: float, nw.Int64: int, nw.Int32: int, nw.String: str, nw.Boolean: bool, nw.Date: int}[kind]
    if {*map(type, values)} <= {to, NoneType}:
        return values
    return [None if v is None else to(v) for v in values]


def _is_in(values: Column, _: list[Any], kwargs: dict[str, Any]) -> Column:
    inside = set(kwargs["other"])
    return [None if v is None else v in inside for v in values]


def _between(values: Column, others: list[Any], kwargs: dict[str, Any]) -> Column:
    left = operator.le if kwargs["closed"] in ("both", "left") else operator.lt
    right = operator.le if kwargs["closed"] in ("both", "right") else operator.lt
    low, high = others
    if not (isinstance(low, list) or isinstance(high, list) or low is None or high is None):
        return [None if v is None else left(low, v) and right(v, high) for v in values]
    low, high = (o if isinstance(o, list) else [o] * len(values) for o in others)
    return [
        _both(None if v is None or a is None else left(a, v), None if v is None or b is None else right(v, b))
        for v, a, b in zip(values, low, high, strict=True)
    ]


def _filled(values: Column, others: list[Any], _: Any) -> Column:
    other = others[0]
    if isinstance(other, list):
        return _first([values, other], {})
    return [other if v is None else v for v in values]


def _first(given: list[Column], _: Any) -> Column:
    first, *others = given
    for other in others:
        first = [b if a is None else a for a, b in zip(first, other, strict=True)]
    return first


def _extreme(f: Callable[[Any], Any]) -> Callable[[list[Column], Any], Column]:
    return lambda given, _: [
        f(there) if (there := [v for v in row if v is not None]) else None for row in zip(*given, strict=True)
    ]


def _chosen(given: list[Column], _: Any) -> Column:
    condition, then, *otherwise = given
    other = otherwise[0] if otherwise else [None] * len(then)
    return [a if c else b for c, a, b in zip(condition, then, other, strict=True)]


_day = lru_cache(maxsize=50_000)(day_of)


STEPS: dict[str, Callable[[Column, list[Any], dict[str, Any]], Column]] = {
    "__add__": _two(operator.add),
    "__radd__": _two(operator.add, turned=True),
    "__sub__": _two(operator.sub),
    "__rsub__": _two(operator.sub, turned=True),
    "__mul__": _two(operator.mul),
    "__rmul__": _two(operator.mul, turned=True),
    "__truediv__": _two(_divided),
    "__rtruediv__": _two(_divided, turned=True),
    "__floordiv__": _two(_whole),
    "__mod__": _two(operator.mod),
    "__eq__": _two(operator.eq),
    "__ne__": _two(operator.ne),
    "__lt__": _two(operator.lt),
    "__le__": _two(operator.le),
    "__gt__": _two(operator.gt),
    "__ge__": _two(operator.ge),
    "__and__": lambda v, o, _: [_both(a, b) for a, b in zip(v, o[0], strict=True)],
    "__or__": lambda v, o, _: [_either(a, b) for a, b in zip(v, o[0], strict=True)],
    "__invert__": _one(operator.not_),
    "is_null": lambda v, _, __: [x is None for x in v],
    "fill_null": _filled,
    "cast": _cast,
    "is_in": _is_in,
    "is_between": _between,
    "abs": _one(abs),
    "dt.year": _one(lambda n: _day(n).year),
    "dt.month": _one(lambda n: _day(n).month),
    "dt.day": _one(lambda n: _day(n).day),
}
HORIZONTAL: dict[str, Callable[[list[Column], dict[str, Any]], Column]] = {
    "when_then": _chosen,
    "coalesce": _first,
    "max_horizontal": _extreme(max),
    "min_horizontal": _extreme(min),
    "all_horizontal": lambda given, kwargs: _pairwise(_both, given, True, kwargs["ignore_nulls"]),
    "any_horizontal": lambda given, kwargs: _pairwise(_either, given, False, kwargs["ignore_nulls"]),
}
AGGREGATIONS: dict[str, Callable[[Column], Any]] = {
    "sum": sum,
    "max": lambda v: max(v, default=None),
    "min": lambda v: min(v, default=None),
    "count": len,
}
WINDOWS: dict[str, Callable[[Column, dict[str, Any]], Column]] = {
    "shift": _shifted,
    "cum_max": _running_max,
}
KNOWN = {*STEPS, *HORIZONTAL, *AGGREGATIONS, *WINDOWS, "over", "lit", "alias", "len"}
